"""The first coins: a key for `threshold_coin` out of nothing, without synchrony and without a trusted dealer.

Agreement needs coins, and a shared key for coins needs agreement on who dealt it. The way out is that of Das, Yurek,
Xiang, Miller, Kokoris-Kogias and Ren (S&P 2022, section 4): each agreement has a coin key of its own, made of dealings
that the proposer itself names, so that nothing need be agreed on first.

    everyone   deals a random secret by `verifiable.avss`, under Feldman's commitment
               broadcasts T_j: the first t + 1 dealers whose dealings completed at this party j
               knows the coin key of j once T_j is here and its dealings have completed here: the sum of them
               votes for j then; the agreed set Q has at least n - t parties
               outputs the sum of all dealings in T_j for j of Q

The tosses of the agreement on j use the coin key of j. Where an honest party votes for j, everybody gets that key in
the end; where none does, all propose 0, and the fixed coins of `binary` end the agreement without a toss. Each T_j has
an honest dealer, so that t parties foresee no toss.

Against t malicious parties, chosen beforehand, n >= 3t + 1, on private channels with no synchrony: all honest parties
end (but for 2^-64, as `binary` says) with shares of one key of degree t, which t parties do not know, if logarithms
and the computational Diffie-Hellman problem are hard in the group, the hashes being random oracles. The key is good
for coins and for nothing else: a dishonest dealer may bias it, which no coin minds. With t + 1 liars it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Final

from quorate.protocol.curve import SCALAR_BYTES, SECP256K1, Curve
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId
from quorate.protocol.verifiable.avss import VerifiableSharing
from quorate.protocol.verifiable.commitment import Scheme, sum_commitments
from quorate.protocol.verifiable.key import KeyShare

from .binary import MOST_TOSSES
from .bracha import ReliableBroadcast
from .coin import Toss
from .effects import Send
from .machine import Machine, Seat, relabel
from .subset import SetAgreement
from .threshold_coin import MOST_SESSION_BYTES, CoinKey, ThresholdToss

_TOSS_DOMAIN: Final = b"quorate/coin/generation/toss/1"


def coin_key_of(key: KeyShare, *, parties: int) -> CoinKey:
    """A party's share of a key that was generated otherwise, for coins; the key may then serve nothing else."""
    public = [key.public_share(PartyId(party)) for party in range(1, parties + 1)]
    return CoinKey(key.curve, key.secret, public)


class _LateToss(Toss):
    """A toss whose key is not known yet; it keeps one message a peer until then."""

    def __init__(self, seat: Seat, curve: Curve, *, find_key: Callable[[], CoinKey | None], name: bytes) -> None:
        super().__init__(seat)
        self._find_key = find_key
        self._name = name
        self._most_bytes = curve.size_bytes + 2 * SCALAR_BYTES
        self._early: dict[PartyId, bytes] = {}
        self._is_started = False
        self._toss: ThresholdToss | None = None

    @property
    def finished(self) -> bool:
        """Once the toss itself is."""
        return self._toss is not None and self._toss.finished

    def start(self) -> list[Send]:
        """Release this party's part as soon as the key is known."""
        if self._is_started:
            raise ValueError("a toss starts once")
        self._is_started = True
        if self._toss is not None:
            self._take(self._toss.start())
            return self._flush()
        return self.resume()

    def resume(self) -> list[Send]:
        """Begin if the key has become known."""
        key = self._find_key()
        if self._toss is None and key is not None:
            self._toss = ThresholdToss(self.seat, key, name=self._name)
            for sender, message in self._early.items():
                self._take(self._toss.receive(sender, message))
            self._early.clear()
            if self._is_started:
                self._take(self._toss.start())
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if self._toss is not None:
            self._take(self._toss.receive(sender, message))
        elif len(message) > self._most_bytes:
            raise MalformedMessage(f"a coin share of {len(message)} bytes")
        else:
            self._early.setdefault(sender, message)

    def _take(self, sends: Iterable[Send]) -> None:
        assert self._toss is not None
        self._outbox.extend(sends)
        self._output = self._toss.output
        self._blame_all(self._toss.faults)


class _Part(IntEnum):
    SHARING = 0
    BROADCAST = 1
    AGREEMENT = 2


class CoinGeneration(Machine[CoinKey]):
    """One coin key at one party; it is itself the supply of coins for its own agreement.

    `session` must be the same at all parties and never used again; `randomness(size)` gives uniform bytes that nobody
    else can predict. Raises ValueError for a session that is too long.
    """

    def __init__(
        self, seat: Seat, *, randomness: Callable[[int], bytes], session: bytes, curve: Curve = SECP256K1
    ) -> None:
        super().__init__(seat)
        if len(session) > MOST_SESSION_BYTES:
            raise ValueError(f"a session's name has at most {MOST_SESSION_BYTES} bytes")
        self._curve = curve
        self._randomness = randomness
        self._session = session
        self._sharings = {
            dealer: VerifiableSharing(seat, dealer, curve=curve, scheme=Scheme.FELDMAN, randomness=randomness)
            for dealer in seat.everyone
        }
        self._broadcasts = {
            proposer: ReliableBroadcast(seat, proposer, most_bytes=seat.one_honest) for proposer in seat.everyone
        }
        self._members = SetAgreement(seat, coins=self)
        self._completed: list[PartyId] = []  # dealers, in the order in which their dealings completed here
        self._named: dict[PartyId, frozenset[PartyId]] = {}  # T_j, where it is one
        self._keys: dict[PartyId, CoinKey] = {}  # the coin keys of proposers

    @property
    def finished(self) -> bool:
        """Once the key is here and the agreement needs this party no more."""
        return self._output is not None and self._members.finished

    @property
    def tosses(self) -> int:
        """As many as an agreement can use."""
        return MOST_TOSSES

    def toss(self, instance: int, number: int) -> Toss:
        """A toss of the agreement on proposer `instance` + 1."""
        proposer = PartyId(instance + 1)
        name = _TOSS_DOMAIN + bytes([proposer, number]) + self._session
        return _LateToss(self.seat, self._curve, find_key=lambda: self._keys.get(proposer), name=name)

    def start(self) -> list[Send]:
        """Deal this party's random secret. Raises ValueError for a second call."""
        own = self.seat.identity
        secret = self._curve.random_scalar(self._randomness)
        self._emit(bytes([_Part.SHARING, own]), self._sharings[own].start([secret]))
        self._settle()
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        part, place = message[:1], PartyId(message[1]) if len(message) > 1 else PartyId(0)
        if part == bytes([_Part.AGREEMENT]):
            self._pass_on(self._members, part, sender, message[1:])
        elif part == bytes([_Part.SHARING]) and place in self._sharings:
            self._pass_on(self._sharings[place], message[:2], sender, message[2:])
        elif part == bytes([_Part.BROADCAST]) and place in self._broadcasts:
            self._pass_on(self._broadcasts[place], message[:2], sender, message[2:])
        else:
            raise MalformedMessage("a message of no part of a coin generation")
        self._settle()

    def _pass_on(self, machine: Machine[object], prefix: bytes, sender: PartyId, message: bytes) -> None:
        self._emit(prefix, machine.receive(sender, message))
        self._blame_all(machine.faults)

    def _emit(self, prefix: bytes, sends: Iterable[Send]) -> None:
        self._outbox.extend(relabel(prefix, sends))

    def _settle(self) -> None:
        for dealer, sharing in self._sharings.items():
            if sharing.output is not None and dealer not in self._completed:
                self._completed.append(dealer)
                if len(self._completed) == self.seat.one_honest:
                    self._name_dealers()
        for proposer, broadcast in self._broadcasts.items():
            if broadcast.output is not None and proposer not in self._named:
                self._named[proposer] = self._dealers_in(proposer, broadcast.output)
        for proposer, dealers in self._named.items():
            if dealers and proposer not in self._keys and dealers <= set(self._completed):
                self._keys[proposer] = self._sum(dealers)
                self._emit(bytes([_Part.AGREEMENT]), self._members.resume(proposer))
                self._emit(bytes([_Part.AGREEMENT]), self._members.vote(proposer))
        members = self._members.output
        if members is not None and self._output is None and members <= set(self._keys):
            self._output = self._sum(frozenset().union(*(self._named[member] for member in members)))

    def _name_dealers(self) -> None:
        own = self.seat.identity
        sends = self._broadcasts[own].start(bytes(sorted(self._completed)))
        self._emit(bytes([_Part.BROADCAST, own]), sends)

    def _dealers_in(self, proposer: PartyId, payload: bytes) -> frozenset[PartyId]:
        """T_j; empty, so that nobody honest votes for its proposer, when it is not t + 1 parties in order."""
        dealers = frozenset(PartyId(entry) for entry in payload)
        is_set = bytes(sorted(dealers)) == payload and dealers <= set(self.seat.everyone)
        if is_set and len(dealers) == self.seat.one_honest:
            return dealers
        self._blame(proposer, "named no set of t + 1 dealers")
        return frozenset()

    def _sum(self, dealers: frozenset[PartyId]) -> CoinKey:
        outputs = [output for dealer in sorted(dealers) if (output := self._sharings[dealer].output) is not None]
        assert len(outputs) == len(dealers), "all of these dealings have completed"
        share = sum(output.shares[0].value for output in outputs) % self._curve.order
        commitment = sum_commitments(output.commitments[0] for output in outputs)
        return CoinKey(self._curve, share, [commitment.of_share(party) for party in self.seat.everyone])
