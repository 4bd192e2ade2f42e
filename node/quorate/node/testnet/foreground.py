"""A local network as a command: in the foreground until a signal, or detached."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import trio

from quorate.node.errors import HomeError, ProcessFailed, ReadinessTimeout, TestnetError
from quorate.node.files import disk_errors

from .config import TestnetConfig
from .network import Progress, Testnet, open_testnet
from .state import SUPERVISOR_LOG, Network, read_network

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
DETACH_EXTRA_SECONDS: Final = 120.0
"""How long a detached supervisor may take beyond the time its nodes have."""
POLL_SECONDS: Final = 0.1
TAIL_BYTES: Final = 2000


async def run_in_foreground(
    config: TestnetConfig,
    *,
    progress: Progress,
    on_ready: Callable[[Testnet], None],
    on_end: Callable[[str], None],
) -> bool:
    """Run the network until SIGINT, SIGTERM or SIGHUP; whether it was ever up. Then nothing of it is left.

    `on_ready` is told when it is up, `on_end` the name of each process that ends unasked; the others go on.
    """
    was_up = False
    with trio.open_signal_receiver(*STOP_SIGNALS) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_on_signal, signals, nursery.cancel_scope)
            async with open_testnet(config, progress=progress) as testnet:
                was_up = True
                on_ready(testnet)
                await _report_ends(testnet, on_end)
    return was_up


async def _cancel_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


async def _report_ends(testnet: Testnet, on_end: Callable[[str], None]) -> None:
    reported: set[int] = set()
    while True:
        for name, child in testnet.supervisor.children.items():
            if child.status is not None and child.pid not in reported:
                reported.add(child.pid)
                on_end(f"{child.failure().what}; its log: {child.log} ({name} is not started again)")
        await trio.sleep(POLL_SECONDS)


def start_detached(command: list[str], *, home: Path, seconds: float) -> Network:
    """Start `command`, a supervisor for `home`, in a session of its own and return once its network is up; blocks.

    Raises what the supervisor printed as its error, ProcessFailed, or ReadinessTimeout after ending it.
    """
    log = home / SUPERVISOR_LOG
    with disk_errors(log):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(  # noqa: S603  # our own command line
            command, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True
        )
    except OSError as error:
        raise HomeError(f"cannot start {command[0]}", why=error.strerror or "", todo="check the set-up") from error
    finally:
        os.close(descriptor)
    deadline = time.monotonic() + seconds + DETACH_EXTRA_SECONDS
    while time.monotonic() < deadline:
        status = process.poll()
        if status is not None:
            raise _failure(log, status)
        network = read_network(home)
        if network is not None and _is_supervised_by(home, process.pid):
            return network
        time.sleep(POLL_SECONDS)
    process.terminate()
    raise ReadinessTimeout("the supervisor", seconds=seconds + DETACH_EXTRA_SECONDS, log=log)


def _is_supervised_by(home: Path, pid: int) -> bool:
    from .state import read_supervision

    supervision = read_supervision(home)
    return supervision is not None and supervision.supervisor.pid == pid


def _failure(log: Path, status: int) -> TestnetError:
    text = ""
    with contextlib.suppress(OSError):
        text = log.read_bytes()[-1 << 16 :].decode(errors="replace")
    for line in reversed(text.splitlines()):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            error = json.loads(line)["error"]
            return TestnetError(str(error["what"]), why=str(error["why"]), todo=str(error["todo"]))
    return ProcessFailed("the supervisor", status=status, log=log, tail=text[-TAIL_BYTES:])
