"""The context of one party in one session, and the effects by which a protocol talks to the others.

A protocol is a generator: it yields an `Exchange` for every communication round and is sent the replies. A driver
carries the bytes; a protocol does no input or output itself. A driver that finds a peer silent or gone ends the
protocol, or throws `PartyFault` into it; but not in an exchange that says by itself when it has `enough`, and not
in a conversation. Where nobody may wait for anybody (broadcast, agreement), a protocol yields `Converse` for one
message at a time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from quorate.protocol.field import PrimeField
from quorate.protocol.sharing import MAX_PARTIES, PartyId

from .pool import Preprocessing
from .scheme import Scheme
from .seeds import SeedTable
from .standing import Standing

if TYPE_CHECKING:
    from .abort.transcript import Transcript

Output = TypeVar("Output")

DEFAULT_KAPPA: Final = 40
"""Statistical security in bits: what an opened masked value may reveal has probability below 2^-kappa."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One communication round: what to send, by receiver, and the exact size in bytes expected, by sender.

    Neither names the party itself; parties with nothing to say are left out. Messages between two parties keep
    their order, and an exchange consumes one message of each sender that it names.

    Without `enough`, every sender must answer. With it, the driver asks `enough(replies so far)` when messages have
    arrived, and resumes the protocol once it is true, once all senders have answered or are gone, or `deadline_ms`
    after it began to wait; then senders may be absent from the replies, and a reply of another size is the
    protocol's to judge. `enough` runs in the driver's loop: it must be cheap.

    An exchange that `continues` waits for more of those that were absent from the last one, in the same round; it
    sends nothing, and conversations may lie between. What those that it does not name still send for that round is
    dropped when it comes, and so it is when no such exchange follows.
    """

    outgoing: Mapping[PartyId, bytes]
    incoming: Mapping[PartyId, int]
    enough: Callable[[Mapping[PartyId, bytes]], bool] | None = None
    deadline_ms: int | None = None
    continues: bool = False


MAX_CONVERSATIONS: Final = 0xFFFF
"""The most conversations of one session."""


@dataclass(frozen=True, slots=True)
class Converse:
    """A step of conversation number `phase` (1..MAX_CONVERSATIONS): send `outgoing`, and take one message.

    The replies are the next message of any of `peers` in this conversation, by its sender. They are none when all
    peers are gone, and from `deadline_ms` on, counted from the first step of this conversation; so messages without
    end do not put a deadline off, and a step with deadline 0 only sends. Messages of a conversation never mix with
    those of exchanges or other conversations: early ones are kept, within bounds, and those of a conversation with a
    lower number than the last one are dropped. Numbers only grow.
    """

    phase: int
    peers: tuple[PartyId, ...]
    outgoing: tuple[tuple[PartyId, bytes], ...] = ()
    deadline_ms: int | None = None


Effect: TypeAlias = Exchange | Converse
"""What a protocol yields."""
Protocol: TypeAlias = Generator[Effect, Mapping[PartyId, bytes], Output]
"""A protocol with a result of type Output; protocols compose by `yield from`."""


@dataclass(slots=True)
class Statistics:
    """What one party did so far: communication rounds, multiplications, opened elements, bytes each way."""

    rounds: int = 0
    multiplications: int = 0
    opened: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0


def _passive() -> Scheme:
    from .passive import PASSIVE  # the scheme itself is written on `Party`

    return PASSIVE


@dataclass(slots=True)
class Party:
    """One party of one session: who it is, its randomness, its stock of preprocessed shares, its counters.

    `randomness(size)` gives that many uniform bytes that nobody else can predict. Any `threshold` parties learn
    nothing; how many parties that takes, and what they may do, is the matter of `scheme`. Raises ValueError for a
    committee that breaks this or a bound.
    """

    field: PrimeField
    identity: PartyId
    parties: int = dataclasses.field(kw_only=True)
    threshold: int = dataclasses.field(kw_only=True)
    randomness: Callable[[int], bytes] = dataclasses.field(kw_only=True, repr=False)
    kappa: int = dataclasses.field(default=DEFAULT_KAPPA, kw_only=True)
    scheme: Scheme = dataclasses.field(default_factory=_passive, kw_only=True)
    pool: Preprocessing = dataclasses.field(init=False, repr=False)
    statistics: Statistics = dataclasses.field(default_factory=Statistics, kw_only=True)
    seeds: SeedTable | None = dataclasses.field(default=None, kw_only=True, repr=False)
    conversations: int = dataclasses.field(default=0, init=False)
    transcript: Transcript | None = dataclasses.field(default=None, init=False, repr=False)
    standing: Standing | None = dataclasses.field(default=None, init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.parties <= MAX_PARTIES:
            raise ValueError(f"a committee has 1 to {MAX_PARTIES} parties, not {self.parties}")
        if not 1 <= self.identity <= self.parties:
            raise ValueError(f"party {self.identity} is not in a committee of {self.parties}")
        self.scheme.check_committee(self.parties, self.threshold)
        self.scheme.check_field(self.field)
        if not 1 <= self.kappa <= 128:
            raise ValueError("kappa is 1 to 128 bits")
        self.pool = Preprocessing(self.field.limbs)

    @property
    def holders(self) -> tuple[PartyId, ...]:
        """Who holds right shares: everybody, until a robust scheme excludes parties; the same at all honest ones.

        What others would send a client as their shares is nothing.
        """
        if self.standing is not None:
            return self.standing.holders
        return tuple(PartyId(party) for party in range(1, self.parties + 1))

    @property
    def suspects(self) -> Mapping[PartyId, str]:
        """Those without whom a robust scheme went on, and why: whom this party caught, and whom all excluded.

        Of two that were excluded because they contradict each other, one may be honest.
        """
        return {} if self.standing is None else self.standing.excluded | self.standing.liars

    @property
    def others(self) -> tuple[PartyId, ...]:
        """Every party but this one, in order."""
        return tuple(PartyId(other) for other in range(1, self.parties + 1) if other != self.identity)
