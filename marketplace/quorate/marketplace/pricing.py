"""What a node asks for a session, and which sessions it takes: pricing, capacity and collateral as pure policies.

A price is `base` plus what the work costs: `per_multiplication` for each secret multiplication that a dry run of
the program counts, and `per_client` for each client that is served. Amounts are in the token's smallest unit, one
policy a token. A bid binds the node for a while: `decide` counts the collateral of open bids as if every one of
them were locked, so that a node never owes more than it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from quorate.contracts import COIN, MAX_AMOUNT, Request

DEFAULT_BID_LIFETIME_S: Final = 600
"""How long a bid is valid, in seconds, unless the request's own deadline for bids comes first."""
DEFAULT_LEAST_WORKING_S: Final = 5
"""The least time between the two deadlines of a request, in seconds, in which a node trusts itself to work."""
MAX_SESSIONS: Final = 256
"""The most sessions at once that a policy may allow."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a session costs a member: secret multiplications by a dry run, clients to serve, memory in bytes."""

    multiplications: int
    clients: int
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The terms in one token; `per_million_multiplications` keeps sub-unit prices exact."""

    base: int
    per_million_multiplications: int = 0
    per_client: int = 0

    def __post_init__(self) -> None:
        if self.base < 1 or self.per_million_multiplications < 0 or self.per_client < 0:
            raise ValueError("a base price is at least 1, and its other terms at least 0")

    def of(self, work: Work) -> int:
        """The price of `work`, rounded up."""
        multiplications = -(-work.multiplications * self.per_million_multiplications // 1_000_000)
        return self.base + multiplications + self.per_client * work.clients


@dataclass(frozen=True, slots=True, kw_only=True)
class BidPolicy:
    """Everything by which a node takes or declines a request.

    `prices` and `collateral_caps` are by token; a token without a price is declined. An empty `allow` allows every
    requestor that `deny` does not name; `programs`, when given, are the only content hashes that are run.
    """

    prices: Mapping[bytes, Price]
    collateral_caps: Mapping[bytes, int] = field(default_factory=dict)
    sessions: int = 4
    memory_bytes: int = 2 << 30
    most_collateral_per_price: int | None = None
    bid_lifetime_s: int = DEFAULT_BID_LIFETIME_S
    least_working_s: int = DEFAULT_LEAST_WORKING_S
    allow: frozenset[bytes] = frozenset()
    deny: frozenset[bytes] = frozenset()
    programs: frozenset[bytes] | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.sessions <= MAX_SESSIONS or self.bid_lifetime_s < 1 or self.least_working_s < 1:
            raise ValueError(f"a policy allows 1 to {MAX_SESSIONS} sessions, and its times are at least 1 s")


@dataclass(frozen=True, slots=True)
class Load:
    """What a node has taken on: running sessions and open bids, and both's memory; collateral is by token.

    `committed` is what running sessions lock and open bids may lock; `balance` is what lies free in the market.
    """

    sessions: int = 0
    open_bids: int = 0
    memory_bytes: int = 0
    committed: Mapping[bytes, int] = field(default_factory=dict)
    bid_collateral: Mapping[bytes, int] = field(default_factory=dict)
    balance: Mapping[bytes, int] = field(default_factory=dict)


class DeclineCause(StrEnum):
    """Why a request is declined, for counters; the sentence is in `Decline.reason`."""

    REQUESTOR = "requestor"
    PROGRAM = "program"
    TOKEN = "token"  # noqa: S105 -- the token that pays, not a password
    TIME = "time"
    CAPACITY = "capacity"
    COLLATERAL = "collateral"
    PRICE = "price"


@dataclass(frozen=True, slots=True)
class Offer:
    """The request is taken: what the bid asks, and until when it is valid (Unix time in seconds)."""

    price: int
    valid_until: int


@dataclass(frozen=True, slots=True)
class Decline:
    """The request is not taken."""

    cause: DeclineCause
    reason: str


def decide(policy: BidPolicy, request: Request, *, work: Work, load: Load, now: int) -> Offer | Decline:
    """Whether to bid on a verified `request` for `work`, under `load`, at `now`."""
    declined = (
        _check_parties(policy, request)
        or _check_time(policy, request, now)
        or _check_capacity(policy, work, load)
        or _check_collateral(policy, request, load)
    )
    if declined is not None:
        return declined
    price = policy.prices[request.token].of(work)
    most = min(request.max_price - (request.parties - 1), MAX_AMOUNT)
    if price > most:
        return Decline(DeclineCause.PRICE, f"the price is {price}, and the request can pay one member {most}")
    if policy.most_collateral_per_price is not None:
        bound = policy.most_collateral_per_price * price
        if request.collateral > bound:
            reason = f"a collateral of {request.collateral} is more than {bound}, for a price of {price}"
            return Decline(DeclineCause.COLLATERAL, reason)
    return Offer(price, min(now + policy.bid_lifetime_s, request.deadline))


def _check_parties(policy: BidPolicy, request: Request) -> Decline | None:
    requestor = request.requestor
    if requestor in policy.deny or (policy.allow and requestor not in policy.allow):
        return Decline(DeclineCause.REQUESTOR, f"the requestor 0x{requestor.hex()} is not served here")
    if policy.programs is not None and request.program not in policy.programs:
        return Decline(DeclineCause.PROGRAM, f"the program {request.program.hex()} is not run here")
    if request.token not in policy.prices:
        name = "the coin" if request.token == COIN else f"the token 0x{request.token.hex()}"
        return Decline(DeclineCause.TOKEN, f"there is no price in {name}")
    return None


def _check_time(policy: BidPolicy, request: Request, now: int) -> Decline | None:
    if now >= request.bid_deadline:
        return Decline(DeclineCause.TIME, f"bidding ended at {request.bid_deadline}, and it is {now}")
    working = request.deadline - request.bid_deadline
    if working < policy.least_working_s:
        reason = f"{working} s between the two deadlines are fewer than {policy.least_working_s}"
        return Decline(DeclineCause.TIME, reason)
    return None


def _check_capacity(policy: BidPolicy, work: Work, load: Load) -> Decline | None:
    taken = load.sessions + load.open_bids
    if taken >= policy.sessions:
        reason = f"{load.sessions} sessions run and {load.open_bids} bids are open; the most is {policy.sessions}"
        return Decline(DeclineCause.CAPACITY, reason)
    memory = load.memory_bytes + work.memory_bytes
    if memory > policy.memory_bytes:
        reason = f"{memory} bytes of memory would be in use; the most is {policy.memory_bytes}"
        return Decline(DeclineCause.CAPACITY, reason)
    return None


def _check_collateral(policy: BidPolicy, request: Request, load: Load) -> Decline | None:
    token, collateral = request.token, request.collateral
    committed = load.committed.get(token, 0) + collateral
    cap = policy.collateral_caps.get(token, 0)
    if committed > cap:
        return Decline(DeclineCause.COLLATERAL, f"{committed} would be committed; the most is {cap}")
    needed = load.bid_collateral.get(token, 0) + collateral
    free = load.balance.get(token, 0)
    if needed > free:
        reason = f"{needed} would be needed for open bids, and {free} lie free in the market; deposit more"
        return Decline(DeclineCause.COLLATERAL, reason)
    return None
