"""The package archive: one package as deterministic bytes that prove their own content hash.

    magic (17 bytes) | header size (4 bytes, big-endian) | header | file | file | ...

The header is an `ArchiveHeader` of quorate.protocol.codec: the file entries in canonical order. The files follow
bare, in that order. There are no times, owners, modes, links or compression: the same files give the same bytes,
nothing expands, and a reader never has to trust a path before it was checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.errors import MalformedMessage

from .errors import HashMismatch, InvalidPackage
from .hashing import (
    MAX_FILES,
    MAX_PACKAGE_BYTES,
    FileEntry,
    check_entries,
    content_hash,
    file_entries,
    verify_file,
)

MAGIC: Final = b"quorate-archive-1"
"""What every archive starts with."""
MAX_HEADER_BYTES: Final = 128 << 10
"""The largest header: room for MAX_FILES entries with the longest paths."""
MAX_ARCHIVE_BYTES: Final = len(MAGIC) + 4 + MAX_HEADER_BYTES + MAX_PACKAGE_BYTES
"""The largest archive."""


@dataclass(frozen=True, slots=True)
class ArchiveHeader:
    """The files of an archive in canonical order."""

    files: Annotated[tuple[FileEntry, ...], Limit(least=1, most=MAX_FILES)]


def pack_archive(files: Mapping[str, bytes]) -> bytes:
    """The archive of `files` (path to bytes); raises InvalidPackage when they break a rule."""
    entries = file_entries(files)
    header = encode(ArchiveHeader(entries))
    size = len(header).to_bytes(4, "big")
    return b"".join((MAGIC, size, header, *(files[entry.path] for entry in entries)))


def open_archive(archive: bytes, expected_hash: bytes) -> dict[str, bytes]:
    """The files of an untrusted `archive` by path, proved to be those that `expected_hash` names.

    Raises InvalidPackage for bytes that are no archive, and HashMismatch when they are another package, or when a
    file was changed.
    """
    entries, offset = _read_header(archive)
    actual = content_hash(entries)
    if actual != expected_hash:
        raise HashMismatch("the archive", expected=expected_hash, actual=actual)
    if len(archive) - offset != sum(entry.size for entry in entries):
        raise InvalidPackage(f"its archive has {len(archive) - offset} bytes of files, not what its header says")
    files: dict[str, bytes] = {}
    for entry in entries:
        data = archive[offset : offset + entry.size]
        verify_file(entry, data)
        files[entry.path] = data
        offset += entry.size
    return files


def _read_header(archive: bytes) -> tuple[tuple[FileEntry, ...], int]:
    """The checked entries of `archive` and the offset of its first file."""
    start = len(MAGIC) + 4
    if len(archive) > MAX_ARCHIVE_BYTES:
        raise InvalidPackage(f"its archive has {len(archive)} bytes; the most is {MAX_ARCHIVE_BYTES}")
    if len(archive) < start or not archive.startswith(MAGIC):
        raise InvalidPackage(f"its archive does not start with {MAGIC.decode()}")
    size = int.from_bytes(archive[len(MAGIC) : start], "big")
    if size > MAX_HEADER_BYTES:
        raise InvalidPackage(f"its header has {size} bytes; the most is {MAX_HEADER_BYTES}")
    try:
        header = decode(ArchiveHeader, archive[start : start + size], most_bytes=MAX_HEADER_BYTES)
    except MalformedMessage as error:
        raise InvalidPackage(f"its header is damaged ({error.reason})") from None
    return check_entries(header.files), start + size
