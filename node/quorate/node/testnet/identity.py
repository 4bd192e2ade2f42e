"""Which process a pid meant: a pid alone may have been given to another process since.

A process is named by its pid and its start time as the kernel tells it (Linux: the boot id and the clock ticks since
boot in /proc; elsewhere: what `ps` prints). Before a signal is sent, both are compared; on Linux the signal goes
through a pidfd that was opened before the comparison, so that the process cannot be replaced in between.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HAS_PROC: Final = sys.platform.startswith("linux")
PS_SECONDS: Final = 5.0
_START_FIELD: Final = 22 - 3  # field 22 of /proc/PID/stat, counted after "pid (comm) "
_RESIDENT_FIELD: Final = 1
_ZOMBIE: Final = "Z"


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process: its `pid`, and `started`, an opaque text that no later process with the same pid shares."""

    pid: int
    started: str


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of the live process `pid`, or None when there is none (a zombie is none)."""
    started = _start_of(pid)
    return None if started is None else ProcessIdentity(pid, started)


def is_alive(process: ProcessIdentity) -> bool:
    """Whether that very process lives."""
    return _start_of(process.pid) == process.started


def send_signal(process: ProcessIdentity, number: signal.Signals) -> bool:
    """Send `number` to that very process; False when it is gone."""
    if not hasattr(os, "pidfd_open"):
        return is_alive(process) and _kill(process.pid, number)
    with _pidfd(process.pid) as descriptor:
        if descriptor is None or not is_alive(process):
            return False
        try:
            signal.pidfd_send_signal(descriptor, number)
        except (ProcessLookupError, PermissionError):
            return False
    return True


def resident_bytes(pid: int) -> int | None:
    """The resident memory of process `pid` in bytes, or None when it is gone."""
    if _HAS_PROC:
        try:
            fields = Path(f"/proc/{pid}/statm").read_text().split()
            return int(fields[_RESIDENT_FIELD]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, ValueError, IndexError):
            return None
    text = _ps(pid, "rss=")
    return int(text) * 1024 if text and text.isdigit() else None


@contextlib.contextmanager
def _pidfd(pid: int) -> Iterator[int | None]:
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        yield None
        return
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _kill(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _start_of(pid: int) -> str | None:
    if pid <= 0:
        return None
    return _start_from_proc(pid) if _HAS_PROC else _start_from_ps(pid)


def _start_from_proc(pid: int) -> str | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the command name in parentheses may hold anything
    if len(fields) <= _START_FIELD or fields[0] == _ZOMBIE:
        return None
    return f"{boot}/{fields[_START_FIELD]}"


def _start_from_ps(pid: int) -> str | None:
    if (_ps(pid, "state=") or _ZOMBIE).startswith(_ZOMBIE):
        return None
    return _ps(pid, "lstart=")


def _ps(pid: int, column: str) -> str | None:
    program = shutil.which("ps")
    if program is None:
        return None
    result = subprocess.run(  # noqa: S603  # ps with a number
        [program, "-o", column, "-p", str(pid)], capture_output=True, text=True, timeout=PS_SECONDS, check=False
    )
    return result.stdout.strip() or None
