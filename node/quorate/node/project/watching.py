"""Noticing that a file has changed, by looking: sizes and times of all sources, a few times a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

INTERVAL_S: Final = 0.3
MAX_FILES: Final = 4096
"""The most files that are looked at."""

Snapshot = Mapping[Path, tuple[int, int]]
"""The time in nanoseconds and the size in bytes of every file."""


def snapshot(files: Sequence[Path]) -> Snapshot:
    """The state of `files`; those that are gone are left out."""
    states: dict[Path, tuple[int, int]] = {}
    for path in files[:MAX_FILES]:
        try:
            status = path.stat()
        except OSError:
            continue
        states[path] = status.st_mtime_ns, status.st_size
    return states


def changes(
    files: Callable[[], Sequence[Path]], *, pause: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """Wait, again and again, until some of `files` changed, appeared or went away, and say which.

    What happens from this call on is noticed, also while the caller is busy.
    """
    return _changes(snapshot(files()), files, pause)


def _changes(
    before: Snapshot, files: Callable[[], Sequence[Path]], pause: Callable[[float], None]
) -> Iterator[list[Path]]:
    while True:
        pause(INTERVAL_S)
        after = snapshot(files())
        changed = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
        if changed:
            before = after
            yield changed
