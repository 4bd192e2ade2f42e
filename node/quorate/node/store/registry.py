"""A node's registry: the mirrored index, the archives on disk, and where to get the archives that are missing.

    registry = await open_registry(home / "programs", source=parse_source(config.registry.index, base=home))
    package = await registry.package("second-price-auction@1.0.0")
    reply = serve_archive(registry.load, request)          # for peers, under quorate.registry.serving.PROTOCOL_ID

An archive is looked for in this order: the node's own cache, the coprocessors that come with Quorate, the archives
beside a source that is a folder, and `fetch`, which asks peers. Wherever it comes from, its hash is checked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

import trio

from quorate.node.log import get_logger
from quorate.registry import (
    Entry,
    Index,
    Package,
    Reference,
    UnknownPackage,
    check_entry,
)

from .cache import ArchiveCache
from .errors import ArchiveCorrupt, ArchiveUnavailable
from .mirror import IndexMirror
from .shipped import shipped_index, shipped_packages
from .source import ARCHIVES_FOLDER, INDEX_FOLDER, Source

Fetch: TypeAlias = Callable[[bytes], Awaitable[bytes]]
"""Gets the archive of a content hash from somewhere, or raises ArchiveUnavailable."""

_log = get_logger("registry")


class Registry:
    """The registry of one node in `folder`; make it with `open_registry`."""

    def __init__(
        self, folder: Path, *, index: Index, mirror: IndexMirror, source: Source | None, fetch: Fetch | None
    ) -> None:
        self.index = index
        self.source = source
        self.fetch = fetch
        self.cache = ArchiveCache(folder / ARCHIVES_FOLDER)
        self._mirror = mirror
        self._shipped = {package.content_hash: package for package in shipped_packages()}
        self._packages: dict[bytes, Package] = {}
        self._local = ArchiveCache(source.archives) if source is not None and source.archives is not None else None

    async def sync(self) -> Index:
        """Bring the index up to its source; raises GitFailed, InvalidIndex or IndexConflict, and keeps the old."""
        if self.source is not None:
            self.index = await self._mirror.sync(self.source.location)
        return self.index

    def resolve(self, reference: str | Reference) -> Entry:
        """The entry that `reference` means; raises UnknownPackage or InvalidName."""
        return self.index.resolve(reference)

    def load(self, content_hash: bytes) -> bytes | None:
        """The verified archive of a package that this node holds, or None: what peers are served."""
        package = self._shipped.get(content_hash)
        return package.archive() if package is not None else self.cache.load(content_hash)

    async def package(self, reference: str | Reference) -> Package:
        """The verified package that `reference` means, fetched when it is not here.

        A content hash that is not in the index is fetched all the same: the hash says what it must be. Raises
        UnknownPackage, ArchiveUnavailable, HashMismatch, InvalidPackage or ManifestError.
        """
        wanted = Reference.parse(reference) if isinstance(reference, str) else reference
        entry: Entry | None = None
        try:
            entry = self.index.resolve(wanted)
        except UnknownPackage:
            if wanted.content_hash is None:
                raise
        content_hash = entry.content_hash if entry is not None else wanted.content_hash
        assert content_hash is not None  # an entry has one, and else the reference is one
        package = self._packages.get(content_hash) or await self._find(content_hash)
        if entry is not None:
            check_entry(package, entry)
        self._packages[content_hash] = package
        return package

    async def _find(self, content_hash: bytes) -> Package:
        shipped = self._shipped.get(content_hash)
        if shipped is not None:
            return shipped
        for cache in (self.cache, self._local):
            archive = await self._read(cache, content_hash) if cache is not None else None
            if archive is not None:
                break
        else:
            if self.fetch is None:
                raise ArchiveUnavailable(content_hash, "it is not on this machine, and there are no peers to ask")
            archive = await self.fetch(content_hash)
        package = await trio.to_thread.run_sync(Package.from_archive, archive, content_hash)
        await trio.to_thread.run_sync(self.cache.store, content_hash, archive)
        return package

    async def _read(self, cache: ArchiveCache, content_hash: bytes) -> bytes | None:
        try:
            return await trio.to_thread.run_sync(cache.read, content_hash)
        except ArchiveCorrupt as error:
            _log.warning("archive_corrupt", path=str(error.path), reason=error.reason)
            return None


async def open_registry(folder: Path, *, source: Source | None = None, fetch: Fetch | None = None) -> Registry:
    """The registry in `folder`, with the index of its last `sync`; the shipped index when there was none.

    It does not touch the network: call `sync` for that. Raises GitFailed or InvalidIndex for a damaged mirror.
    """
    mirror = IndexMirror(folder / INDEX_FOLDER)
    index = await mirror.load()
    index = shipped_index() if index is None else index
    return Registry(folder, index=index, mirror=mirror, source=source, fetch=fetch)
