"""Publishing: a folder of coprocessors becomes a registry that nodes can clone from a path.

    <target>/index.git                 the bare index repository
    <target>/archives/<hash>.archive   one archive a version

Publishing again adds what is new; a version that exists with other contents is refused. The same packages give the
same commit: author and time are fixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from quorate.registry import Entry, Index, Package, add_entry
from quorate.registry.index import CONFIG_PATH, config_text, index_path, render_entries

from .cache import ArchiveCache
from .errors import PublishFailed
from .git import run_git
from .mirror import MAIN, IndexMirror
from .shipped import read_packages
from .source import ARCHIVES_FOLDER, INDEX_FOLDER

DEFAULT_TITLE: Final = "Quorate registry"
"""The title of a new index."""
_AUTHOR: Final = "Quorate <registry@quorate.invalid> 1700000000 +0000"


@dataclass(frozen=True, slots=True)
class Published:
    """A registry after publishing: the folder, the tip of its index, and every entry in it."""

    folder: Path
    tip: str
    entries: tuple[Entry, ...]


async def publish_folder(folder: Path, target: Path, *, title: str = DEFAULT_TITLE) -> Published:
    """Publish every coprocessor in the folders under `folder` to the registry at `target`.

    Raises PublishFailed, ManifestError for a bad package, IndexConflict for a version that exists with other
    contents.
    """
    packages = await trio.to_thread.run_sync(_packages_in, folder)
    return await publish(packages, target, title=title)


async def publish(packages: Sequence[Package], target: Path, *, title: str = DEFAULT_TITLE) -> Published:
    """Publish `packages` to the registry at `target`, which is created when it is not there."""
    repository = target / INDEX_FOLDER
    mirror = IndexMirror(repository)
    known = await mirror.load()
    files = _changed_files(packages, known, title)
    await trio.to_thread.run_sync(_store_archives, target, packages)
    if files:
        if known is None:
            await run_git(None, "init", "--quiet", "--bare", str(repository))
        await _commit(repository, files, parent=known.tip if known is not None else None)
    index = await mirror.load()
    if index is None:
        raise PublishFailed(target, "its index repository has no commit", todo="remove it, and publish again")
    return Published(target, index.tip, tuple(index))


def _packages_in(folder: Path) -> tuple[Package, ...]:
    if not folder.is_dir():
        raise PublishFailed(folder, "there is no such folder", todo="give the folder that holds the coprocessors")
    packages = read_packages(folder)
    if not packages:
        todo = "give the folder above the coprocessors: each has a folder of its own with a coprocessor.toml"
        raise PublishFailed(folder, "no folder in it holds a coprocessor.toml", todo=todo)
    return packages


def _store_archives(target: Path, packages: Sequence[Package]) -> None:
    archives = ArchiveCache(target / ARCHIVES_FOLDER, most_bytes=1 << 62)  # a registry evicts nothing
    for package in packages:
        archives.store(package.content_hash, package.archive()).chmod(0o644)


def _changed_files(packages: Sequence[Package], known: Index | None, title: str) -> dict[str, bytes]:
    """The files of the index that change when `packages` are added to `known`, by path."""
    files = {} if known is not None else {CONFIG_PATH: config_text(title).encode()}
    entries: dict[str, tuple[Entry, ...]] = {}
    for package in packages:
        path = index_path(package.manifest.name)
        before = entries.get(path) or (known.versions(package.manifest.name) if known is not None else ())
        entries[path] = add_entry(before, package.entry())
        if known is None or entries[path] != known.versions(package.manifest.name):
            files[path] = render_entries(entries[path])
    return files


async def _commit(repository: Path, files: dict[str, bytes], *, parent: str | None) -> None:
    """Commit `files` on top of `parent`, through git's fast-import: one process, no work tree."""
    message = b"Publish\n"
    parts = [f"commit {MAIN}\ncommitter {_AUTHOR}\n".encode(), _data(message)]
    if parent is not None:
        parts.append(f"from {parent}\n".encode())
    for path, content in sorted(files.items()):
        parts += [f"M 100644 inline {path}\n".encode(), _data(content)]
    parts.append(b"done\n")
    await run_git(repository, "fast-import", "--quiet", "--done", stdin=b"".join(parts))


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"
