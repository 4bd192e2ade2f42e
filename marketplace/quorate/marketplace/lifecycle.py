"""The life of an order, as one table: who may do what, in which state, until or from which deadline on.

    Submitted ─ lock ─> Locked ─ start ─> Running ─ deliver ─> Delivered
        │                 └──────────────────┴──────────────────┴─ fulfil ─> Fulfilled
        ├─ cancel ─> Cancelled                                  ├─ fault ──> Faulted
        └─ expire ─> Expired                                    └─ expire ─> Expired

The chain knows Running and Delivered as Locked: these two are what a member's journal adds. A request is fulfilled
straight from Locked too when a member was away and the others did the work. Only `fulfil` pays, and it leads to a
final state: an order is paid at most once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from quorate.contracts import Request, RequestState

from .errors import IllegalTransition


class OrderState(StrEnum):
    """Where an order stands."""

    SUBMITTED = "submitted"
    LOCKED = "locked"
    RUNNING = "running"
    DELIVERED = "delivered"
    FULFILLED = "fulfilled"
    FAULTED = "faulted"
    EXPIRED = "expired"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing changes any more."""
        return all(state is not self for state, _ in TRANSITIONS)


class OrderEvent(StrEnum):
    """What happens to an order."""

    LOCK = "lock"
    START = "start"
    DELIVER = "deliver"
    FULFIL = "fulfil"
    FAULT = "fault"
    EXPIRE = "expire"
    CANCEL = "cancel"


class Actor(StrEnum):
    """Who does it."""

    REQUESTOR = "requestor"
    MEMBER = "member"
    QUORUM = "t+1 members"
    ANYONE = "anyone"


class Window(StrEnum):
    """When it may be done, by the request's deadlines."""

    BIDDING = "until the deadline for bids"
    WORKING = "until the deadline"
    AFTER = "after the deadline"
    ALWAYS = "at any time"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table; `pays` says that the escrow goes to the members."""

    to: OrderState
    actor: Actor
    window: Window
    pays: bool = False


_FULFIL = Transition(OrderState.FULFILLED, Actor.QUORUM, Window.WORKING, pays=True)
_FAULT = Transition(OrderState.FAULTED, Actor.QUORUM, Window.WORKING)
_EXPIRE = Transition(OrderState.EXPIRED, Actor.ANYONE, Window.AFTER)

TRANSITIONS: Final = MappingProxyType(
    {
        (OrderState.SUBMITTED, OrderEvent.LOCK): Transition(OrderState.LOCKED, Actor.REQUESTOR, Window.BIDDING),
        (OrderState.SUBMITTED, OrderEvent.CANCEL): Transition(
            OrderState.CANCELLED, Actor.REQUESTOR, Window.ALWAYS
        ),
        (OrderState.SUBMITTED, OrderEvent.EXPIRE): _EXPIRE,
        (OrderState.LOCKED, OrderEvent.START): Transition(OrderState.RUNNING, Actor.MEMBER, Window.WORKING),
        (OrderState.LOCKED, OrderEvent.FULFIL): _FULFIL,
        (OrderState.LOCKED, OrderEvent.FAULT): _FAULT,
        (OrderState.LOCKED, OrderEvent.EXPIRE): _EXPIRE,
        (OrderState.RUNNING, OrderEvent.DELIVER): Transition(OrderState.DELIVERED, Actor.MEMBER, Window.WORKING),
        (OrderState.RUNNING, OrderEvent.FULFIL): _FULFIL,
        (OrderState.RUNNING, OrderEvent.FAULT): _FAULT,
        (OrderState.RUNNING, OrderEvent.EXPIRE): _EXPIRE,
        (OrderState.DELIVERED, OrderEvent.FULFIL): _FULFIL,
        (OrderState.DELIVERED, OrderEvent.FAULT): _FAULT,
        (OrderState.DELIVERED, OrderEvent.EXPIRE): _EXPIRE,
    }
)
"""Every transition that there is, by state and event."""

ON_CHAIN: Final = MappingProxyType(
    {
        OrderState.SUBMITTED: RequestState.SUBMITTED,
        OrderState.LOCKED: RequestState.LOCKED,
        OrderState.RUNNING: RequestState.LOCKED,
        OrderState.DELIVERED: RequestState.LOCKED,
        OrderState.FULFILLED: RequestState.FULFILLED,
        OrderState.FAULTED: RequestState.FAULTED,
        OrderState.EXPIRED: RequestState.EXPIRED,
        OrderState.CANCELLED: RequestState.CANCELLED,
    }
)
"""How the market contract sees each state."""


def transition(state: OrderState, event: OrderEvent) -> Transition:
    """The line of the table for `event` in `state`; raises IllegalTransition when there is none."""
    found = TRANSITIONS.get((state, event))
    if found is None:
        allowed = ", ".join(other for known, other in TRANSITIONS if known is state)
        raise IllegalTransition(state, event, f"from here it can {allowed}" if allowed else "this state is final")
    return found


def is_open(window: Window, request: Request, *, now: int) -> bool:
    """Whether what has `window` may be done to `request` at `now`, by the contract's own comparisons."""
    match window:
        case Window.BIDDING:
            return now <= request.bid_deadline
        case Window.WORKING:
            return now <= request.deadline
        case Window.AFTER:
            return now > request.deadline
        case Window.ALWAYS:
            return True


def advance(state: OrderState, event: OrderEvent, *, request: Request, now: int) -> OrderState:
    """The state after `event` at `now`; raises IllegalTransition in the wrong state or outside the window.

    For what the chain has already accepted use `observe`: the chain's clock decides, not ours.
    """
    found = transition(state, event)
    if not is_open(found.window, request, now=now):
        raise IllegalTransition(state, event, f"it may be done {found.window} only, and it is {now}")
    return found.to


def observe(state: OrderState, chain: RequestState) -> OrderState:
    """The state of a journal entry in `state` once the chain says `chain`; the journal never goes back.

    The chain may be ahead by several steps, for a node that was away. Raises IllegalTransition when it contradicts
    what was known as final, as after a reorganisation deeper than the confirmations waited for.
    """
    if ON_CHAIN[state] is chain:
        return state
    ahead = _reachable(state)
    for candidate, seen in ON_CHAIN.items():
        if seen is chain and candidate in ahead:
            return candidate
    if chain in (RequestState.NONE, RequestState.SUBMITTED) and not state.is_final:
        return state
    raise IllegalTransition(state, chain.name.lower(), "the chain contradicts what it had confirmed")


def _reachable(state: OrderState) -> frozenset[OrderState]:
    found: set[OrderState] = set()
    fresh = {state}
    while fresh:
        found |= fresh
        fresh = {line.to for (known, _), line in TRANSITIONS.items() if known in fresh} - found
    return frozenset(found)
