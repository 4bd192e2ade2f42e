"""Starts and ends the processes of a local network, and remembers them on disk as it goes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import trio

from quorate.node.errors import HomeLocked, TestnetRunning
from quorate.node.files import disk_errors
from quorate.node.journal import HomeLock

from .child import KILL_SECONDS, STOP_SECONDS, Child, start_child
from .cleanup import end_orphans
from .identity import ProcessIdentity, identify
from .state import LOCK_NAME, Supervision, forget, write_supervision

CHAIN_NAME: Final = "chain"
END_SECONDS: Final = 2 * (STOP_SECONDS + 2 * KILL_SECONDS)
"""How long the end of a network may take: the nodes at once, then the chain."""


class Supervisor:
    """The processes of one local network, by name; made by `open_supervisor`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.children: dict[str, Child] = {}
        self._me = identify(os.getpid()) or ProcessIdentity(os.getpid(), "")

    async def start(self, name: str, command: tuple[str, ...], log: Path) -> Child:
        """Start a process, or start one of that name again after it ended."""
        child = await start_child(name, command, log=log)
        self.children[name] = child
        self.remember()
        return child

    def remember(self) -> None:
        """Write supervisor.json: who we are and what we started."""
        processes = {name: child.identity for name, child in self.children.items()}
        write_supervision(self.home, Supervision(supervisor=self._me, processes=processes))

    async def stop_all(self) -> None:
        """End everything: the nodes at once, then the chain they talk to."""
        async with trio.open_nursery() as nursery:
            for name, child in self.children.items():
                if name != CHAIN_NAME:
                    nursery.start_soon(child.stop)
        if CHAIN_NAME in self.children:
            await self.children[CHAIN_NAME].stop()


@contextlib.contextmanager
def _hold(home: Path) -> Iterator[None]:
    with disk_errors(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = HomeLock(home, name=LOCK_NAME)
    try:
        lock.acquire()
    except HomeLocked as error:
        raise TestnetRunning(home, error.holder) from None
    with contextlib.closing(lock):
        yield


@contextlib.asynccontextmanager
async def open_supervisor(home: Path) -> AsyncIterator[Supervisor]:
    """Hold `home` while the block runs; everything that was started in it is ended when it is left.

    Raises TestnetRunning when a supervisor holds `home`. What a dead one left behind is ended first.
    """
    with _hold(home):
        await end_orphans(home)
        supervisor = Supervisor(home)
        try:
            supervisor.remember()
            yield supervisor
        finally:
            with trio.move_on_after(END_SECONDS) as scope:
                scope.shield = True
                await supervisor.stop_all()
            forget(home)
