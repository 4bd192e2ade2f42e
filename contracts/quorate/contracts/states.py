"""Where a request stands on the chain."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class RequestState(IntEnum):
    """The states of a request, as the market numbers them."""

    NONE = 0
    SUBMITTED = 1
    LOCKED = 2
    FULFILLED = 3
    FAULTED = 4
    EXPIRED = 5
    CANCELLED = 6

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more: every escrow and collateral of the request is released."""
        return self >= RequestState.FULFILLED


TRANSITIONS: Final = {
    RequestState.NONE: frozenset({RequestState.SUBMITTED}),
    RequestState.SUBMITTED: frozenset({RequestState.LOCKED, RequestState.CANCELLED, RequestState.EXPIRED}),
    RequestState.LOCKED: frozenset({RequestState.FULFILLED, RequestState.FAULTED, RequestState.EXPIRED}),
    RequestState.FULFILLED: frozenset[RequestState](),
    RequestState.FAULTED: frozenset[RequestState](),
    RequestState.EXPIRED: frozenset[RequestState](),
    RequestState.CANCELLED: frozenset[RequestState](),
}
"""What the market lets follow each state."""
