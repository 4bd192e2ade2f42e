"""The canonical content hash: which files a package has, and one sha256 that names them all.

The hash is sha256 over one line a file, `path sha256 size\\n`, sorted by path. Paths cannot hold spaces or line
breaks, so that one list of files has one text and one text has one list of files. Neither times nor modes enter:
the same files hash the same on every machine.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from quorate.protocol.codec import Limit

from .errors import HashMismatch, InvalidPackage
from .names import HASH_BYTES

MAX_FILES: Final = 256
"""The most files in one package."""
MAX_FILE_BYTES: Final = 4 << 20
"""The largest file of a package."""
MAX_PACKAGE_BYTES: Final = 8 << 20
"""The most bytes that the files of one package have together."""
MAX_PATH_CHARS: Final = 200
"""The longest path of a file, relative to its package."""
MAX_PATH_DEPTH: Final = 8
"""The most folders, and the file itself, in a path."""

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a package: its relative path with slashes, the sha256 of its bytes, its size in bytes."""

    path: Annotated[str, Limit(most=MAX_PATH_CHARS)]
    sha256: Annotated[bytes, Limit(size=HASH_BYTES)]
    size: Annotated[int, Limit(most=MAX_FILE_BYTES)]


def check_path(path: str) -> str:
    """Return `path` itself; raises InvalidPackage unless it is plain, relative and stays in its folder."""
    if not path or len(path) > MAX_PATH_CHARS:
        raise InvalidPackage(f"the path {path[:40]!r} must have 1 to {MAX_PATH_CHARS} characters")
    parts = path.split("/")
    if len(parts) > MAX_PATH_DEPTH:
        raise InvalidPackage(f"the path {path!r} is deeper than {MAX_PATH_DEPTH}")
    for part in parts:
        if not _PART.fullmatch(part) or part.endswith("."):
            raise InvalidPackage(
                f"the path {path!r} is not relative and plain: each part starts with a letter, a digit or '_', "
                "and goes on with these and . - +"
            )
    return path


def file_entries(files: Mapping[str, bytes]) -> tuple[FileEntry, ...]:
    """The entries of `files` (path to bytes), in canonical order; raises InvalidPackage."""
    entries = [FileEntry(path, hashlib.sha256(data).digest(), len(data)) for path, data in files.items()]
    return check_entries(sorted(entries, key=lambda entry: entry.path))


def check_entries(entries: Iterable[FileEntry]) -> tuple[FileEntry, ...]:
    """Return `entries` as a tuple; raises InvalidPackage unless they are in order, distinct and within bounds.

    Paths that differ only in case are refused, since some file systems would let one overwrite the other; so is a
    path that is at once a file and a folder of another.
    """
    checked = tuple(entries)
    if not 1 <= len(checked) <= MAX_FILES:
        raise InvalidPackage(f"it has {len(checked)} files; a package has 1 to {MAX_FILES}")
    for entry in checked:
        check_path(entry.path)
        if len(entry.sha256) != HASH_BYTES:
            raise InvalidPackage(f"the hash of {entry.path} is not a sha256")
        if not 0 <= entry.size <= MAX_FILE_BYTES:
            raise InvalidPackage(f"{entry.path} has {entry.size} bytes; the most is {MAX_FILE_BYTES}")
    total = sum(entry.size for entry in checked)
    if total > MAX_PACKAGE_BYTES:
        raise InvalidPackage(f"its files have {total} bytes together; the most is {MAX_PACKAGE_BYTES}")
    _check_distinct([entry.path for entry in checked])
    return checked


def content_hash(entries: Iterable[FileEntry]) -> bytes:
    """The sha256 that names the package with these `entries`; raises InvalidPackage when they break a rule."""
    lines = [f"{entry.path} {entry.sha256.hex()} {entry.size}\n" for entry in check_entries(entries)]
    return hashlib.sha256("".join(lines).encode("ascii")).digest()


def verify_file(entry: FileEntry, data: bytes) -> None:
    """Raise HashMismatch unless `data` is the file that `entry` promises."""
    actual = hashlib.sha256(data).digest()
    if actual != entry.sha256:
        raise HashMismatch(entry.path, expected=entry.sha256, actual=actual)


def _check_distinct(paths: list[str]) -> None:
    if paths != sorted(paths):
        raise InvalidPackage("its files are not sorted by path")
    seen: set[str] = set()
    for folded in (path.casefold() for path in paths):
        if folded in seen:
            raise InvalidPackage(f"two of its paths are {folded!r} when case is ignored")
        seen.add(folded)
    for folded in seen:
        parts = folded.split("/")
        if any("/".join(parts[:depth]) in seen for depth in range(1, len(parts))):
            raise InvalidPackage(f"a folder of {folded!r} is also a file")
