"""Distributed key generation without synchrony, n >= 3t + 1: sum of dealings nobody can choose after the others.

    everyone   deals a random secret by `avss`, under Pedersen's commitment
               votes for each dealer whose dealing completed here; the agreed set has at least n - t dealers
               adds up its shares of the agreed dealings: x_i, with blinding b_i, bound by the sum E of commitments
               sends x_i G to all, with the proof that it belongs to E (`proof`)
               t + 1 such points give the public key and the commitment to all public shares

The key is the sum over the agreed dealers; n - t >= 2t + 1 of them, so that t + 1 are honest and their secrets random.

Bias. In the simpler protocol of Pedersen (1991) the dealings are Feldman's: whoever deals last sees the other dealers'
public parts, and by choosing whether its own counts sways bits of the public key [Gennaro, Jarecki, Krawczyk, Rabin,
EUROCRYPT 1999, section 3]. Here the commitments show nothing until the set is agreed on, and what is then opened is
fixed: t + 1 honest parties open it whether or not the others take part (the way of Gennaro et al., with the opening of
Das et al., S&P 2022, section 5, where each party proves its own public share instead of each dealer its polynomial).
So the public key is uniform and independent of what the adversary does.

Adversary: t malicious parties, private authenticated channels, no synchrony; logarithms are hard, the hash is a random
oracle. It ends at every honest party, given the coins that the agreement needs. A lying party is noted in `faults`,
and has no effect. With t + 1 liars the key is theirs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Final

from quorate.protocol.broadcast.coin import CoinSupply
from quorate.protocol.broadcast.effects import Send
from quorate.protocol.broadcast.machine import Machine, Seat, relabel
from quorate.protocol.broadcast.subset import SetAgreement
from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.curve import Curve, Point
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .avss import VerifiableSharing
from .commitment import Commitment, Scheme, Share, sum_commitments
from .exponent import coefficients_in_exponent
from .key import KeyShare
from .proof import PublicShareProof, check_public_share, prove_public_share

MAX_SESSION_BYTES: Final = 64
_DOMAIN: Final = b"quorate/key generation/1"


class _Part(IntEnum):
    SHARING = 0
    AGREEMENT = 1
    PUBLIC = 2


@dataclass(frozen=True, slots=True)
class PublicShare:
    """A party's share times the generator, and the proof that it is the share it got."""

    point: Annotated[bytes, Limit(most=64)]
    proof: PublicShareProof


class KeyGeneration(Machine[KeyShare]):
    """One key of degree t at one party; the output is its share.

    `session` must be the same at all parties and never used again; `coins` are for one agreement a candidate.
    Raises ValueError for a session that is too long.
    """

    def __init__(
        self,
        seat: Seat,
        *,
        curve: Curve,
        coins: CoinSupply,
        randomness: Callable[[int], bytes],
        session: bytes,
    ) -> None:
        super().__init__(seat)
        if len(session) > MAX_SESSION_BYTES:
            raise ValueError(f"a session of {len(session)} bytes; the most is {MAX_SESSION_BYTES}")
        self._curve, self._randomness, self._session = curve, randomness, session
        self._sharings = {
            dealer: VerifiableSharing(seat, dealer, curve=curve, scheme=Scheme.PEDERSEN, randomness=randomness)
            for dealer in seat.everyone
        }
        self._members = SetAgreement(seat, coins=coins)
        self._voted: set[PartyId] = set()
        self._share: Share | None = None
        self._committed: Commitment | None = None
        self._waiting: dict[PartyId, PublicShare] = {}
        self._heard: set[PartyId] = set()
        self._points: dict[PartyId, Point] = {}
        self._is_started = False

    @property
    def finished(self) -> bool:
        """Once this party has its key and the agreement needs it no more."""
        return self._output is not None and self._members.finished

    @property
    def dealers(self) -> frozenset[PartyId] | None:
        """The agreed dealers whose secrets make up the key; None until they are known."""
        return self._members.output

    def start(self) -> list[Send]:
        """Deal this party's random secret. Raises ValueError for a second call."""
        if self._is_started:
            raise ValueError("a key generation starts once")
        self._is_started = True
        own = self._sharings[self.seat.identity]
        secret = self._curve.random_scalar(self._randomness)
        self._emit(bytes([_Part.SHARING, self.seat.identity]), own.start([secret]))
        self._settle()
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        part, body = message[:1], message[1:]
        if part == bytes([_Part.SHARING]) and body and body[0] in self._sharings:
            dealer = PartyId(body[0])
            sharing = self._sharings[dealer]
            self._emit(message[:2], sharing.receive(sender, body[1:]))
            self._blame_all(sharing.faults)
        elif part == bytes([_Part.AGREEMENT]):
            self._emit(part, self._members.receive(sender, body))
            self._blame_all(self._members.faults)
        elif part == bytes([_Part.PUBLIC]):
            self._hear(sender, decode(PublicShare, body))
        else:
            raise MalformedMessage("a message of no part of key generation")
        self._settle()

    def _hear(self, sender: PartyId, message: PublicShare) -> None:
        """Keep a public share until it can be checked; only the first of a sender counts."""
        if sender not in self._heard:
            self._heard.add(sender)
            self._waiting[sender] = message

    def _emit(self, prefix: bytes, sends: Iterable[Send]) -> None:
        self._outbox.extend(relabel(prefix, sends))

    def _settle(self) -> None:
        for dealer, sharing in self._sharings.items():
            if sharing.output is not None and dealer not in self._voted:
                self._voted.add(dealer)
                self._emit(bytes([_Part.AGREEMENT]), self._members.vote(dealer))
        if self._members.output is not None and self._share is None:
            self._add_up(sorted(self._members.output))
        if self._committed is not None and self._output is None:
            self._check_public_shares(self._committed)
            self._finish()

    def _add_up(self, dealers: list[PartyId]) -> None:
        """Sum the agreed dealings once all have completed here, and publish this party's public share."""
        outputs = [output for dealer in dealers if (output := self._sharings[dealer].output) is not None]
        if len(outputs) < len(dealers):
            return
        value = sum(output.shares[0].value for output in outputs) % self._curve.order
        blinding = sum(output.shares[0].blinding for output in outputs) % self._curve.order
        self._share = Share(value, blinding)
        self._committed = sum_commitments(output.commitments[0] for output in outputs)
        context = self._context(self.seat.identity)
        point, proof = prove_public_share(self._curve, self._share, context=context, randomness=self._randomness)
        self._send_all(bytes([_Part.PUBLIC]) + encode(PublicShare(point.encode(), proof)))

    def _context(self, party: PartyId) -> bytes:
        size = len(self._session).to_bytes(1, "big")
        return hashlib.sha256(_DOMAIN + size + self._session + bytes([party])).digest()

    def _check_public_shares(self, committed: Commitment) -> None:
        for sender, message in self._waiting.items():
            try:
                point = self._curve.decode(message.point, identity=True)
            except MalformedMessage as error:
                self._blame(sender, error.reason)
                continue
            expected = committed.of_share(sender)
            if check_public_share(point, message.proof, commitment=expected, context=self._context(sender)):
                self._points[sender] = point
            else:
                self._blame(sender, "a public share that its dealings do not bind")
        self._waiting.clear()

    def _finish(self) -> None:
        if self._share is None or len(self._points) < self.seat.one_honest:
            return
        chosen = {party: self._points[party] for party in sorted(self._points)[: self.seat.one_honest]}
        commitment = Commitment(self._curve, Scheme.FELDMAN, coefficients_in_exponent(chosen))
        self._output = KeyShare(self.seat.identity, self._share.value, commitment)
