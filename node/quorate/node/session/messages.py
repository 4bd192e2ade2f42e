"""What members, clients and requestors say to one another about one session, over `/quorate/session-call/1`.

Every message is one request or one reply of a call (mesh.rpc); the caller's peer id is authenticated by Noise
and checked against the request's clients, its committee or its requestor. Sizes are bounded by the codec.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from quorate.protocol.codec import Limit
from quorate.protocol.envelope import MAX_ENVELOPE_BYTES, ResultStatement

MAX_INPUT_BYTES: Final = 1 << 19
"""The largest mask or masked-input body of a client, in bytes: 16,384 field elements, 256 int64 values."""

Digest = Annotated[bytes, Limit(size=32)]
Address = Annotated[bytes, Limit(size=20)]
Signature = Annotated[bytes, Limit(size=65)]
InputBody = Annotated[bytes, Limit(most=MAX_INPUT_BYTES)]


@dataclass(frozen=True, slots=True)
class MaskCall:
    """A client asks a member for its shares of the client's input masks; the reply waits for preprocessing."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class MaskReply:
    """A member's shares of the masks of the calling client, in input order."""

    party: Annotated[int, Limit(least=1, most=1024)]
    body: InputBody


@dataclass(frozen=True, slots=True)
class InputCall:
    """A client's masked input, the same bytes to every member."""

    request_id: Digest
    body: InputBody


@dataclass(frozen=True, slots=True)
class InputReply:
    """The member holds the client's masked input."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class OutputCall:
    """A client asks a member for its output; the reply waits for the result."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class OutputReply:
    """A member's envelope for the calling client (None when it receives nothing) and the attested statement."""

    party: Annotated[int, Limit(least=1, most=1024)]
    envelope: Annotated[bytes, Limit(most=MAX_ENVELOPE_BYTES)] | None
    statement: ResultStatement


@dataclass(frozen=True, slots=True)
class SignatureNotice:
    """A member tells the others that it signed: an attestation of `digest`, or a fault of `accused`.

    `accused` is the faulty member's address, 20 zero bytes when no member is to blame (a client's fault), and
    None for an attestation. `reason` is shown to people and decides nothing.
    """

    request_id: Digest
    member: Address
    digest: Digest | None
    accused: Address | None
    signature: Signature
    reason: Annotated[str, Limit(most=512)]


@dataclass(frozen=True, slots=True)
class NoticeReply:
    """The notice was taken."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class StatusCall:
    """Asks how a session stands; anybody may, since nothing in the reply depends on an input."""

    request_id: Digest


@dataclass(frozen=True, slots=True)
class Phase:
    """How long one phase of a session took, in microseconds."""

    name: Annotated[str, Limit(most=32)]
    microseconds: int


@dataclass(frozen=True, slots=True)
class StatusReply:
    """A member's account of a session: state, phases, and what it cost; nothing in it depends on an input."""

    request_id: Digest
    party: Annotated[int, Limit(least=1, most=1024)]
    state: Annotated[str, Limit(most=32)]
    reason: Annotated[str, Limit(most=512)]
    phases: Annotated[tuple[Phase, ...], Limit(most=16)]
    rounds: int
    multiplications: int
    bytes_sent: int
    bytes_received: int


SessionCall = MaskCall | InputCall | OutputCall | SignatureNotice | StatusCall
