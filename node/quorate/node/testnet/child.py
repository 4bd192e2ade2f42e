"""A supervised process: own group, output to a log file, a leash, and an end that is bounded in time."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import trio

from quorate.node.errors import HomeError, ProcessFailed
from quorate.node.files import disk_errors

from .identity import ProcessIdentity, identify

STOP_SECONDS: Final = 10.0
"""How long a process has after SIGTERM before it is killed."""
KILL_SECONDS: Final = 5.0
"""How long the kernel has to bury a killed process before we stop waiting for it."""
TAIL_BYTES: Final = 2000
"""How much of the end of a log goes into an error."""


class Child:
    """One process that we started, called `name`; its output is appended to `log`.

    Its standard input is a pipe of ours: when we die, it ends, which tells the child to stop (see
    quorate.node.leash). It leads a process group of its own, so that Ctrl-C in a terminal reaches only us and that
    what it starts is ended with it.
    """

    def __init__(self, name: str, process: trio.Process, *, log: Path, log_start: int) -> None:
        self.name = name
        self.process = process
        self.log = log
        self._log_start = log_start
        self.identity = identify(process.pid) or ProcessIdentity(process.pid, "")

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal, or None while it runs."""
        return self.process.poll()

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the process itself; harmless when it has ended."""
        if self.status is None:
            self.process.send_signal(number)

    async def wait(self) -> int:
        """Wait for the end; the exit status."""
        return await self.process.wait()

    async def stop(self, *, seconds: float = STOP_SECONDS) -> None:
        """SIGTERM, then after `seconds` SIGKILL to the whole group; returns when it is over, even when cancelled."""
        with trio.move_on_after(seconds + 2 * KILL_SECONDS) as scope:
            scope.shield = True
            if self.status is None:
                self.send_signal(signal.SIGTERM)
                with trio.move_on_after(seconds):
                    await self.wait()
            self._kill_group()
            with trio.move_on_after(KILL_SECONDS):
                await self.wait()
            if self.process.stdin is not None:
                await self.process.stdin.aclose()

    def output(self) -> str:
        """What it has written since it was started."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(self._log_start)
            return file.read().decode(errors="replace")
        return ""

    def failure(self) -> ProcessFailed:
        """The error to raise when it ended unasked."""
        tail = self.output().encode()[-TAIL_BYTES:].decode(errors="replace")
        return ProcessFailed(self.name, status=self.status or 0, log=self.log, tail=tail)

    def _kill_group(self) -> None:
        # Its group may outlive it, and its number is not given to another process while the group exists.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


async def start_child(
    name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Child:
    """Start `command`; raises HomeError when it cannot be started, DiskFull when its log cannot be opened."""
    with disk_errors(log):
        log.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        log_start = os.fstat(descriptor).st_size
        process = await trio.lowlevel.open_process(
            list(command),
            stdin=subprocess.PIPE,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
        )
    except OSError as error:
        raise HomeError(
            f"cannot start {name}", why=f"{command[0]}: {error.strerror}", todo="check that it is installed"
        ) from error
    finally:
        os.close(descriptor)
    return Child(name, process, log=log, log_start=log_start)
