"""A node's own copy of an index: fetched from a source that is not trusted, checked, and only then taken.

`sync` fetches into a reference of its own, reads and checks the whole tree, compares it with what was known
(`check_update`), and moves the copy's main reference last, in one step. A source that damages, changes or removes
what was published is refused, and the copy stays as it was, whatever the source's history says.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import trio

from quorate.node.files import disk_errors
from quorate.registry import Index, InvalidIndex, Snapshot, check_update
from quorate.registry.index import CONFIG_PATH, MAX_FILE_BYTES, MAX_NAMES

from .git import Growth, run_git

MAX_REPOSITORY_BYTES: Final = 512 << 20
"""The most that the repository of an index may hold on disk."""
MAX_TREE_FILES: Final = MAX_NAMES + 1024
"""The most files in the tree of an index."""
MAX_TREE_BYTES: Final = 48 << 20
"""The most bytes that the files of an index have together."""
MAX_PACKS: Final = 32
"""How many packs may lie in the repository before it is packed anew."""
MAIN: Final = "refs/heads/main"
"""The reference that the copy was checked up to."""
_CANDIDATE: Final = "refs/quorate/candidate"
_OBJECT_ID = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


class IndexMirror:
    """The bare repository at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaded: Index | None = None

    async def load(self) -> Index | None:
        """The index as it was last taken, or None when there was no `sync` yet; raises GitFailed, InvalidIndex."""
        if not (self.folder / "HEAD").is_file():
            return None
        tip = await self._tip(MAIN)
        if tip is not None:
            self._loaded = await self._index_at(tip)
        return self._loaded

    async def sync(self, location: str) -> Index:
        """Bring the copy up to `location` (a URL) and return the index.

        Raises GitFailed when it cannot be fetched, InvalidIndex when it is damaged, and IndexConflict when it
        changes or lacks what was published.
        """
        with disk_errors(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "HEAD").is_file():
            await run_git(None, "init", "--quiet", "--bare", str(self.folder))
        known = await self.load()
        await self._fetch(location)
        tip = await self._tip(_CANDIDATE)
        if tip is None:
            raise InvalidIndex("the repository", "has no commit")
        update = await self._index_at(tip)
        if known is None or known.tip != tip:
            if known is not None:
                await trio.to_thread.run_sync(check_update, known, update)
            await run_git(self.folder, "update-ref", MAIN, tip, known.tip if known is not None else "0" * len(tip))
            self._loaded = update
            await self._tidy()
        return update

    async def _index_at(self, tip: str) -> Index:
        """The checked index at commit `tip`; the last one is kept, since most syncs bring nothing new."""
        if self._loaded is not None and self._loaded.tip == tip:
            return self._loaded
        snapshot = await read_snapshot(self.folder, tip)
        return await trio.to_thread.run_sync(Index.load, snapshot)

    async def _fetch(self, location: str) -> None:
        options = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--depth=1")
        growth = Growth(self.folder, MAX_REPOSITORY_BYTES)
        await run_git(self.folder, "fetch", *options, "--", location, f"+HEAD:{_CANDIDATE}", growth=growth)

    async def _tip(self, reference: str) -> str | None:
        """The commit at `reference`, or None."""
        printed = await run_git(self.folder, "for-each-ref", "--format=%(objectname)", "--", reference)
        tip = printed.decode("ascii", "replace").strip()
        return tip if _OBJECT_ID.fullmatch(tip) else None

    async def _tidy(self) -> None:
        if len(list((self.folder / "objects" / "pack").glob("*.pack"))) > MAX_PACKS:
            await run_git(self.folder, "gc", "--quiet", "--prune=now")


async def read_snapshot(repository: Path, tip: str) -> Snapshot:
    """Every file of the index at commit `tip`; raises InvalidIndex for links, modules and trees out of bounds."""
    listing = await run_git(repository, "ls-tree", "-r", "-l", "-z", "--full-tree", tip)
    wanted = _check_tree(listing)
    request = "".join(f"{object_id}\n" for object_id, _ in wanted.values()).encode()
    printed = await run_git(repository, "cat-file", "--batch", "--buffer", stdin=request)
    files: dict[str, bytes] = {}
    offset = 0
    for path, (object_id, size) in wanted.items():
        header = f"{object_id} blob {size}\n".encode()
        start, end = offset + len(header), offset + len(header) + size
        if printed[offset:start] != header or len(printed) <= end:
            raise InvalidIndex(path, "cannot be read from the repository")
        files[path] = printed[start:end]
        offset = end + 1
    return Snapshot(tip, files)


def _check_tree(listing: bytes) -> dict[str, tuple[str, int]]:
    """The object id and size of each file that belongs to the index, by path."""
    lines = listing.split(b"\0")[:-1]
    if len(lines) > MAX_TREE_FILES:
        raise InvalidIndex("the repository", f"has {len(lines)} files; the most is {MAX_TREE_FILES}")
    wanted: dict[str, tuple[str, int]] = {}
    for line in lines:
        about, _, raw_path = line.partition(b"\t")
        path = raw_path.decode("utf-8", "replace")
        if path != CONFIG_PATH and not path.startswith("index/"):
            continue
        mode, kind, object_id, size = about.decode("ascii").split()
        if (mode, kind) != ("100644", "blob"):
            raise InvalidIndex(path, "is not a plain file")
        if int(size) > MAX_FILE_BYTES:
            raise InvalidIndex(path, f"has {size} bytes; the most is {MAX_FILE_BYTES}")
        wanted[path] = (object_id, int(size))
    total = sum(size for _, size in wanted.values())
    if total > MAX_TREE_BYTES:
        raise InvalidIndex("the repository", f"has {total} bytes; the most is {MAX_TREE_BYTES}")
    return wanted
