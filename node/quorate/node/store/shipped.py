"""The coprocessors that come with Quorate: package data of quorate.registry, in a checkout and in a wheel."""

from __future__ import annotations

from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from quorate.registry import Entry, Index, InvalidPackage, Package, add_entry
from quorate.registry.hashing import MAX_FILE_BYTES, MAX_FILES, MAX_PATH_DEPTH
from quorate.registry.manifest import FILE_NAME
from quorate.registry.names import fold

from .errors import PublishFailed

SHIPPED_TIP: Final = "shipped"
"""The tip of the index of shipped coprocessors."""


def shipped_folder() -> Traversable:
    """The folder with one folder a shipped coprocessor."""
    return resources.files("quorate.registry") / "coprocessors"


@cache
def shipped_packages() -> tuple[Package, ...]:
    """Every shipped coprocessor, sorted by name."""
    return read_packages(shipped_folder())


@cache
def shipped_index() -> Index:
    """The index of the shipped coprocessors alone."""
    return index_of(shipped_packages())


def index_of(packages: tuple[Package, ...]) -> Index:
    """An index of `packages` alone; raises IndexConflict when two of them are the same version."""
    entries: dict[str, tuple[Entry, ...]] = {}
    for package in packages:
        key = fold(package.manifest.name)
        entries[key] = add_entry(entries.get(key, ()), package.entry())
    return Index(SHIPPED_TIP, entries)


def read_packages(folder: Traversable) -> tuple[Package, ...]:
    """The packages in the folders under `folder` that hold a manifest, sorted by folder name."""
    folders = sorted((entry for entry in folder.iterdir() if entry.is_dir()), key=lambda entry: entry.name)
    return tuple(read_package(entry) for entry in folders if (entry / FILE_NAME).is_file())


def read_package(folder: Traversable) -> Package:
    """The package in `folder`; raises PublishFailed that names the folder, or ManifestError.

    Files whose name starts with a dot, and folders called __pycache__, are no part of it. Links are refused.
    """
    files: dict[str, bytes] = {}
    _collect(folder, "", files)
    try:
        return Package.from_files(files)
    except InvalidPackage as error:
        path = folder if isinstance(folder, Path) else Path(str(folder))
        raise PublishFailed(path, error.reason, todo="correct the package, and publish again") from None


def _collect(folder: Traversable, prefix: str, files: dict[str, bytes]) -> None:
    if prefix.count("/") >= MAX_PATH_DEPTH:
        raise InvalidPackage(f"{prefix} is deeper than {MAX_PATH_DEPTH}")
    for entry in folder.iterdir():
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        path = prefix + entry.name
        if isinstance(entry, Path) and entry.is_symlink():
            raise InvalidPackage(f"{path} is a link; a package holds plain files only")
        if entry.is_dir():
            _collect(entry, f"{path}/", files)
            continue
        with entry.open("rb") as file:
            files[path] = file.read(MAX_FILE_BYTES + 1)
        if len(files) > MAX_FILES:
            raise InvalidPackage(f"it has more than {MAX_FILES} files")
