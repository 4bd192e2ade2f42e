"""The logs of a local network: the last lines of each, and the next as they come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from quorate.node.errors import UsageError

from .state import LOGS_NAME

POLL_SECONDS: Final = 0.2
MAX_TAIL_BYTES: Final = 1 << 20
"""How far back the last lines are looked for."""


def log_files(home: Path, name: str | None) -> dict[str, Path]:
    """The log files of `home` by name, or the one called `name`; UsageError when there is none."""
    found = {path.stem: path for path in sorted((home / LOGS_NAME).glob("*.log"))}
    if not found:
        raise UsageError(f"there are no logs in {home}", why="no testnet was started there", todo="check --home")
    if name is None:
        return found
    if name not in found:
        raise UsageError(f"there is no log of {name!r}", todo=f"give one of {', '.join(found)}")
    return {name: found[name]}


def follow_logs(files: Mapping[str, Path], *, lines: int, follow: bool) -> Iterator[tuple[str, str]]:
    """The last `lines` lines of each file, then, if `follow`, each new line as (name, line), for ever."""
    start = {name: _last_lines(path, lines) for name, path in files.items()}
    return _follow(files, start, follow=follow)


def _follow(
    files: Mapping[str, Path], start: Mapping[str, tuple[list[str], int]], *, follow: bool
) -> Iterator[tuple[str, str]]:
    for name, (last, _) in start.items():
        for line in last:
            yield name, line
    offsets = {name: offset for name, (_, offset) in start.items()}
    while follow:
        for name, path in files.items():
            fresh, offsets[name] = _lines_since(path, offsets[name])
            for line in fresh:
                yield name, line
        time.sleep(POLL_SECONDS)


def _last_lines(path: Path, count: int) -> tuple[list[str], int]:
    size = path.stat().st_size
    lines, offset = _lines_since(path, max(0, size - MAX_TAIL_BYTES))
    return (lines[-count:] if count else []), offset


def _lines_since(path: Path, offset: int) -> tuple[list[str], int]:
    """The whole lines after `offset`, and the offset after them; from the start when the file was turned over."""
    if path.stat().st_size < offset:
        offset = 0
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(MAX_TAIL_BYTES)
    end = data.rfind(b"\n") + 1
    if end == 0 and len(data) == MAX_TAIL_BYTES:
        end = len(data)  # one line longer than what is read at once
    return data[:end].decode(errors="replace").splitlines(), offset + end
