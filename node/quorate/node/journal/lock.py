"""One daemon a home: an advisory lock on HOME/node.lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from quorate.node.errors import DISK_FULL_ERRNOS, DiskFull, HomeError, HomeLocked

LOCK_NAME: Final = "node.lock"
_MAX_LOCK_BYTES: Final = 32


class HomeLock:
    """A context manager that holds `home`; entering raises HomeLocked when another process holds it.

    The lock (flock) belongs to the open file, so it also keeps two holders in one process apart. The file stays
    behind on purpose: removing it would let two processes lock two different files of the same name.
    """

    def __init__(self, home: Path, *, name: str = LOCK_NAME) -> None:
        self.home = home
        self.path = home / name
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def acquire(self) -> None:
        """Take the lock at once or raise HomeLocked."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno in DISK_FULL_ERRNOS:
                raise DiskFull(self.path) from error
            raise HomeError(
                f"cannot lock {self.home}", why=error.strerror or "unknown", todo="check that the home is ours"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_holder(descriptor)
            os.close(descriptor)
            raise HomeLocked(self.home, holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def close(self) -> None:
        """Give the lock back; harmless when it is not held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def lock_holder(home: Path, *, name: str = LOCK_NAME) -> int | None:
    """The pid of the live holder of `home`'s lock, 0 when it wrote none, or None when nobody holds it."""
    try:
        descriptor = os.open(home / name, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(descriptor) or 0
    finally:
        os.close(descriptor)
    return None


def _read_holder(descriptor: int) -> int | None:
    text = os.pread(descriptor, _MAX_LOCK_BYTES, 0).strip()
    return int(text) if text.isdigit() else None
