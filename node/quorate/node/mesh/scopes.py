"""Cancel scopes, made where the outdated trio stubs of libp2p's dependencies are worked around."""

from __future__ import annotations

import math

import trio


def open_scope() -> trio.CancelScope:
    """A scope that only an explicit cancel ends."""
    return trio.CancelScope()  # pyright: ignore[reportCallIssue]  # trio-stubs declares an argument that is none


def shielded(seconds: float = math.inf) -> trio.CancelScope:
    """A scope that cancellation from outside does not reach, for at most `seconds`."""
    scope = trio.move_on_after(seconds) if seconds < math.inf else open_scope()
    scope.shield = True
    return scope
