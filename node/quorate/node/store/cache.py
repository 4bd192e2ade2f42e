"""Archives on disk by content hash: written whole or not at all, verified on every read, bounded in size."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from quorate.node.files import disk_errors, write_private
from quorate.registry import HashMismatch, InvalidPackage, open_archive
from quorate.registry.archive import MAX_ARCHIVE_BYTES

from .errors import ArchiveCorrupt

SUFFIX: Final = ".archive"
"""How the name of an archive ends, after the hash in hex."""
MAX_CACHE_BYTES: Final = 1 << 30
"""The most that a cache holds; above it the archives that were not read for longest go."""


class ArchiveCache:
    """The archives in `folder`, which is created when the first one is stored."""

    def __init__(self, folder: Path, *, most_bytes: int = MAX_CACHE_BYTES) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def path(self, content_hash: bytes) -> Path:
        """Where the archive of `content_hash` is, when it is here."""
        return self.folder / f"{content_hash.hex()}{SUFFIX}"

    def read(self, content_hash: bytes) -> bytes | None:
        """The verified archive, or None when it is not here; raises ArchiveCorrupt and removes a damaged one."""
        path = self.path(content_hash)
        try:
            with path.open("rb") as file:
                archive = file.read(MAX_ARCHIVE_BYTES + 1)
        except FileNotFoundError:
            return None
        try:
            open_archive(archive, content_hash)
        except (HashMismatch, InvalidPackage) as error:
            self.discard(content_hash)
            raise ArchiveCorrupt(path, str(error)) from None
        with suppress(OSError):  # a read-only cache still serves
            os.utime(path)
        return archive

    def load(self, content_hash: bytes) -> bytes | None:
        """The verified archive for a peer, or None when it is not here or was damaged."""
        try:
            return self.read(content_hash)
        except ArchiveCorrupt:
            return None

    def store(self, content_hash: bytes, archive: bytes) -> Path:
        """Verify and keep `archive`; raises HashMismatch, InvalidPackage or DiskFull."""
        open_archive(archive, content_hash)
        path = self.path(content_hash)
        with disk_errors(path):
            self.folder.mkdir(parents=True, exist_ok=True)
        write_private(path, archive, overwrite=True)
        self._evict(keep=path)
        return path

    def discard(self, content_hash: bytes) -> None:
        """Remove the archive, when it is here and may be removed."""
        with suppress(OSError):
            self.path(content_hash).unlink(missing_ok=True)

    def _evict(self, keep: Path) -> None:
        """Remove what was not read for longest, but never `keep`, until the cache is within bounds."""
        entries: list[tuple[int, int, str]] = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(FileNotFoundError):
                status = path.stat()
                entries.append((status.st_mtime_ns, status.st_size, path.name))
        total = sum(size for _, size, _ in entries)
        for _, size, name in sorted(entries):
            if total <= self.most_bytes:
                return
            if name != keep.name:
                (self.folder / name).unlink(missing_ok=True)
                total -= size
