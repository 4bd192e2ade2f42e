"""Runs libp2p's services so that a failing task of theirs is logged and contained.

libp2p's own manager ends the whole service, and with it the process, when any task raises; and one malformed
message of a peer is enough to make one raise. Here a failed task is just over, and a failed daemon task starts
again after a second.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import trio
from libp2p.tools.anyio_service.api import InternalManagerAPI, ManagerAPI, ServiceAPI
from libp2p.tools.anyio_service.stats import Stats, TaskStats

from .scopes import service_nursery, shielded

_RESTART_S: Final = 1.0
_log = logging.getLogger(__name__)


class ContainedManager(InternalManagerAPI):
    """The manager of one libp2p service: a nursery whose tasks cannot hurt each other."""

    def __init__(self, service: ServiceAPI, nursery: trio.Nursery) -> None:
        self._service = service
        self._nursery = nursery
        self._finished = trio.Event()
        self._stopping = trio.Event()
        self._started_tasks = 0
        self._ended_tasks = 0
        self.failures = 0

    @property
    def is_started(self) -> bool:
        """Always: it exists only while its nursery does."""
        return True

    @property
    def is_running(self) -> bool:
        """Whether tasks can still be added."""
        return not self._finished.is_set()

    @property
    def is_cancelled(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    @property
    def is_finished(self) -> bool:
        """Whether it has stopped."""
        return self._finished.is_set()

    @property
    def did_error(self) -> bool:
        """Never: failures are contained, and counted in `failures`."""
        return False

    @property
    def stats(self) -> Stats:
        """How many tasks were started and have ended."""
        return Stats(tasks=TaskStats(total_count=self._started_tasks, finished_count=self._ended_tasks))

    async def wait_started(self) -> None:
        """Nothing to wait for."""
        await trio.lowlevel.checkpoint()

    async def wait_finished(self) -> None:
        """Wait until `cancel` or `stop` was called."""
        await self._finished.wait()

    def cancel(self) -> None:
        """Let the service's `run` end."""
        self._stopping.set()
        self._finished.set()

    async def stop(self) -> None:
        """The same, with a checkpoint."""
        self.cancel()
        await trio.lowlevel.checkpoint()

    def run_task(
        self, async_fn: Callable[..., Awaitable[Any]], *args: Any, daemon: bool = False, name: str | None = None
    ) -> None:
        """Start a task; after the stop, nothing happens."""
        if self.is_running:
            self._started_tasks += 1
            self._nursery.start_soon(self._contain, async_fn, args, daemon, name=name or async_fn)

    def run_daemon_task(
        self, async_fn: Callable[..., Awaitable[Any]], *args: Any, name: str | None = None
    ) -> None:
        """Start a task that is started again when it fails."""
        self.run_task(async_fn, *args, daemon=True, name=name)

    async def _contain(self, async_fn: Callable[..., Awaitable[Any]], args: tuple[Any, ...], daemon: bool) -> None:
        while True:
            try:
                await async_fn(*args)
                break
            except Exception as error:
                self.failures += 1
                _log.debug("%s: %r failed: %r", self._service, async_fn, error, exc_info=error)
                if not daemon or not self.is_running:
                    break
                await trio.sleep(_RESTART_S)
        self._ended_tasks += 1

    def run_child_service(self, service: ServiceAPI, daemon: bool = False, name: str | None = None) -> ManagerAPI:
        """Not offered: none of the services used here has children."""
        raise NotImplementedError("services run here have no children")

    def run_daemon_child_service(self, service: ServiceAPI, name: str | None = None) -> ManagerAPI:
        """Not offered."""
        return self.run_child_service(service, True, name)


@asynccontextmanager
async def contained(service: ServiceAPI) -> AsyncIterator[ContainedManager]:
    """Run `service` in the background; on exit let its `run` finish, then cancel what is left."""
    async with service_nursery() as tasks:
        manager = ContainedManager(service, tasks)
        service._manager = manager
        ended = trio.Event()

        async def run() -> None:
            try:
                await service.run()
            finally:
                ended.set()

        manager.run_task(run, name=f"{service}.run")
        try:
            yield manager
        finally:
            manager.cancel()
            with shielded(2.0):
                await ended.wait()
