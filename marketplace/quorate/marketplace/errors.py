"""The exceptions of quorate.marketplace; the type says what is refused.

QuorateMarketplaceError
+-- InvalidDetails         details break their own rules; also a ValueError, as the codec wants it
+-- Refused                a message from outside is not taken
|   +-- RequestRefused         a request, or its details
|   +-- BidRefused             a bid
|   |   +-- UnknownRequest         for a request that is not in the book
|   +-- MatchRefused           a match
+-- IllegalTransition      an order cannot do this in its state
"""

from __future__ import annotations


class QuorateMarketplaceError(Exception):
    """The root of every error that this package raises on purpose."""


class InvalidDetails(QuorateMarketplaceError, ValueError):
    """Details break a rule at `field`; `reason` says which."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Refused(QuorateMarketplaceError):
    """A message from outside is not taken; `reason` says why, in words for people."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} refused: {reason}")
        self.reason = reason


class RequestRefused(Refused):
    """A request or its details are not taken."""

    def __init__(self, reason: str) -> None:
        super().__init__("request", reason)


class BidRefused(Refused):
    """A bid is not taken."""

    def __init__(self, reason: str) -> None:
        super().__init__("bid", reason)


class UnknownRequest(BidRefused):
    """A bid is for `request_id`, which the book does not hold; ask a peer for it, or drop the bid."""

    def __init__(self, request_id: bytes) -> None:
        super().__init__(f"the book holds no request {request_id.hex()}")
        self.request_id = request_id


class MatchRefused(Refused):
    """A match is not taken."""

    def __init__(self, reason: str) -> None:
        super().__init__("match", reason)


class IllegalTransition(QuorateMarketplaceError):
    """An order in `state` cannot do `event`."""

    def __init__(self, state: str, event: str, reason: str) -> None:
        super().__init__(f"an order that is {state} cannot {event}: {reason}")
        self.state = state
        self.event = event
        self.reason = reason
