"""Private files: written whole or not at all, readable by their owner only.

A secret is never on disk with a wider mode, not even for a moment: the temporary file is created 0600 beside its
target, synced, and renamed over it (or linked to it when the target must not exist yet); then the folder is
synced.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from .errors import DISK_FULL_ERRNOS, DiskFull, HomeError, InsecurePermissions

MAX_PRIVATE_FILE_BYTES: Final = 1 << 20
"""The largest private file that is read, in bytes."""


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn an OSError that means "no room" into DiskFull(path); other errors pass."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL_ERRNOS:
            raise DiskFull(path) from error
        raise


def private_folder(path: Path) -> Path:
    """Create `path` and its parents with mode 0700 when absent, check its mode and owner, and return it."""
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700)
    if not path.is_dir():
        raise HomeError(f"{path} is not a folder", todo="choose another --home, or move that file away")
    _check_owner_only(path, os.stat(path))
    return path


def write_private(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write `data` to `path` atomically with mode 0600; FileExistsError when it exists, unless `overwrite`."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    with disk_errors(path):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if overwrite:
                os.replace(temporary, path)
            else:
                os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)


def read_private(path: Path) -> bytes:
    """The bytes of `path`; InsecurePermissions unless it is a regular file that only its owner can access."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InsecurePermissions(path, status.st_mode, why="it is not a regular file")
        _check_owner_only(path, status)
        data = file.read(MAX_PRIVATE_FILE_BYTES + 1)
    if len(data) > MAX_PRIVATE_FILE_BYTES:
        raise InsecurePermissions(path, status.st_mode, why=f"it is longer than {MAX_PRIVATE_FILE_BYTES} bytes")
    return data


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO must not hold us up


def _check_owner_only(path: Path, status: os.stat_result) -> None:
    if status.st_uid != os.geteuid():
        raise InsecurePermissions(path, status.st_mode, why=f"its owner is user {status.st_uid}, not us")
    if status.st_mode & 0o077:
        raise InsecurePermissions(path, status.st_mode)


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
