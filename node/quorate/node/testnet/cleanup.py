"""Ends the processes that a dead supervisor left behind, and asks a live one to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import trio

from quorate.node.errors import TestnetError, TestnetNotRunning
from quorate.node.journal import lock_holder

from .child import KILL_SECONDS, STOP_SECONDS
from .identity import ProcessIdentity, is_alive, send_signal
from .state import LOCK_NAME, forget, read_supervision

POLL_SECONDS: Final = 0.05
DOWN_SECONDS: Final = 3 * (STOP_SECONDS + KILL_SECONDS)
"""How long a supervisor has to end its network."""


async def end_orphans(home: Path) -> int:
    """End the processes of a supervisor of `home` that is dead; how many there were. The caller holds the lock.

    Each is compared by pid and start time, so that a process that got a pid since is left alone.
    """
    supervision = read_supervision(home)
    if supervision is None:
        return 0
    orphans = [process for process in supervision.processes.values() if is_alive(process)]
    await end_processes(orphans)
    forget(home)
    return len(orphans)


async def end_processes(processes: Iterable[ProcessIdentity]) -> None:
    """SIGTERM, and SIGKILL after STOP_SECONDS, to exactly these processes; TestnetError when one does not die."""
    left = list(processes)
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
        left = [process for process in left if send_signal(process, number)]
        with trio.move_on_after(seconds):
            while left := [process for process in left if is_alive(process)]:
                await trio.sleep(POLL_SECONDS)
    if left:
        raise TestnetError(
            f"process {left[0].pid} does not die",
            why="it survived SIGKILL, so it hangs in the kernel",
            todo="look at it with: ps -o pid,stat,wchan,args -p " + str(left[0].pid),
        )


async def take_down(home: Path) -> None:
    """End the network in `home`: ask its supervisor, or end the orphans of a dead one; or TestnetNotRunning."""
    supervision = read_supervision(home)
    if lock_holder(home, name=LOCK_NAME) is None:
        if supervision is None:
            raise TestnetNotRunning(home)
        await end_orphans(home)
        return
    if supervision is None or not send_signal(supervision.supervisor, signal.SIGTERM):
        await _wait_for_release(home, seconds=STOP_SECONDS)  # it starts or ends at this very moment
        await end_orphans(home)
        return
    if await _wait_for_release(home, seconds=DOWN_SECONDS):
        with trio.move_on_after(KILL_SECONDS):  # it has only to exit
            while is_alive(supervision.supervisor):
                await trio.sleep(POLL_SECONDS)
    else:
        send_signal(supervision.supervisor, signal.SIGKILL)
        await _wait_for_release(home, seconds=KILL_SECONDS)
        await end_orphans(home)


async def _wait_for_release(home: Path, *, seconds: float) -> bool:
    with trio.move_on_after(seconds) as scope:
        while lock_holder(home, name=LOCK_NAME) is not None:
            await trio.sleep(POLL_SECONDS)
    return not scope.cancelled_caught
