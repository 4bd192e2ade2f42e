"""Runs the daemon in the foreground: signals in, an orderly end out."""

from __future__ import annotations

import importlib
import importlib.util
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, cast

import trio

from quorate.node.config import NodeConfig
from quorate.node.errors import MissingPart

DAEMON_MODULE: Final = "quorate.node.daemon"
EXIT_IMPATIENT: Final = 130


def serve_node(config: NodeConfig) -> None:
    """Run the daemon until it ends, SIGINT or SIGTERM; a second signal ends the process at once."""
    if importlib.util.find_spec(DAEMON_MODULE) is None:
        raise MissingPart(DAEMON_MODULE, todo="install quorate again")
    run_daemon = cast(Callable[[NodeConfig], Awaitable[None]], importlib.import_module(DAEMON_MODULE).run_daemon)
    trio.run(_serve, run_daemon, config)


async def _serve(run_daemon: Callable[[NodeConfig], Awaitable[None]], config: NodeConfig) -> None:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as outer:
            async with trio.open_nursery() as inner:
                outer.start_soon(_stop_on_signal, signals, inner.cancel_scope)
                await run_daemon(config)
            outer.cancel_scope.cancel()


async def _stop_on_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        if scope.cancel_called:
            os._exit(EXIT_IMPATIENT)
        scope.cancel()
