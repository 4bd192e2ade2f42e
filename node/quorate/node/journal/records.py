"""What the journal holds, as frozen records; times are Unix seconds, ids and keys raw bytes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from quorate.marketplace import OrderState


class OrderRole(StrEnum):
    """What we are to an order."""

    REQUESTOR = "requestor"
    MEMBER = "member"
    OBSERVER = "observer"


OPEN_ORDER_STATES: Final = tuple(state for state in OrderState if not state.is_final)
"""The states in which an order still wants work; a reorganisation of the chain may bring an order back to one."""


class SessionState(StrEnum):
    """Where our part of a session stands; in this order, never back, and FAILED from any but FINISHED."""

    PREPROCESSING = "preprocessing"
    INPUTS = "inputs"
    ONLINE = "online"
    ATTESTING = "attesting"
    FINISHED = "finished"
    FAILED = "failed"


FINAL_SESSION_STATES: Final = (SessionState.FINISHED, SessionState.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord:
    """A request we submitted, may bid on or saw; `request`, `details`, `bid` and `match` are encoded messages."""

    request_id: bytes
    role: OrderRole
    state: OrderState
    request: bytes
    deadline: int
    details: bytes | None = None
    bid: bytes | None = None
    match: bytes | None = None
    created_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a committee: its 20-byte account and its raw Ed25519 peer key."""

    account: bytes
    peer_key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """Our part (`party`, 1..n) in one session; `committee[i]` is party i + 1."""

    session_id: bytes
    request_id: bytes
    party: int
    threshold: int
    committee: tuple[Member, ...]
    deadline: int
    state: SessionState = SessionState.PREPROCESSING
    result_digest: bytes | None = None
    reason: str = ""
    started_at: int = 0
    updated_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeRecord:
    """The sealed output that `party` made for the client in slot `client` (0..) of a request."""

    request_id: bytes
    client: int
    party: int
    envelope: bytes
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something the chain says about an account: `kind` ("fulfilled", "slashed", ...) for one request."""

    account: bytes
    kind: str
    request_id: bytes
    block_number: int
    at: int
