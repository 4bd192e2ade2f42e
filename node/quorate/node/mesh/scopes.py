"""Cancel scopes and nurseries.

The outdated trio stubs that libp2p's dependencies bring are worked around here, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio


def open_scope() -> trio.CancelScope:
    """A scope that only an explicit cancel ends."""
    return trio.CancelScope()  # pyright: ignore[reportCallIssue]  # trio-stubs declares an argument that is none


def shielded(seconds: float = math.inf) -> trio.CancelScope:
    """A scope that cancellation from outside does not reach, for at most `seconds`."""
    scope = trio.move_on_after(seconds) if seconds < math.inf else open_scope()
    scope.shield = True
    return scope


@asynccontextmanager
async def service_nursery() -> AsyncIterator[trio.Nursery]:
    """A nursery for the tasks behind a context manager: cancelled at the end of the block.

    What the block raises leaves as it is, not in a group, since the block is the user's and the tasks are ours.
    """
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        try:
            yield nursery
        except Exception as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
