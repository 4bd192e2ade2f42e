"""A common coin from a shared key, without preprocessing: Cachin, Kursawe and Shoup (PODC 2000; J. Cryptology 2005).

The parties hold Shamir shares x_i, of degree t, of a key x in the exponent of a group of prime order, and all know
the public shares Y_i = x_i G; a distributed key generation gives them that. The coin of a name is a bit of
H(x B), with B = hash_to_group(name). Party i contributes x_i B and a proof that its logarithm to B is that of Y_i to
G (Chaum and Pedersen, 1992, made non-interactive by Fiat and Shamir's hash); any t + 1 good contributions interpolate
x B. One key serves any number of tosses under different names.

Against t malicious parties, chosen before the protocol starts, with no synchrony, n >= 3t + 1: all honest parties see
the same bit, and it opens once t + 1 honest parties ask for it; before the first honest party asks, it is unpredictable
if the computational Diffie-Hellman problem is hard in the group, H being a random oracle. With t + 1 liars every coin
can be foreseen.

A proof is checked only once this party has asked for the coin itself, and only until t + 1 are good; so liars
cannot make a party work by contributions to coins that nobody wants. The nonce of a proof is a hash of the share
and the name, so that no randomness is needed and a repeated proof is the same proof. Group arithmetic is not
constant time; see `quorate.protocol.curve.group`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from quorate.protocol.curve import SCALAR_BYTES, Curve, Point
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId, lagrange_coefficients

from .binary import MOST_TOSSES
from .coin import Toss, bit_of
from .effects import Send
from .machine import Seat, say_once

MOST_SESSION_BYTES: Final = 64
"""The longest name of a session, in bytes."""
_NAME_DOMAIN: Final = b"quorate/coin/threshold/name/1"
_NONCE_DOMAIN: Final = b"quorate/coin/threshold/nonce/1"
_PROOF_DOMAIN: Final = b"quorate/coin/threshold/proof/1"
_BIT_DOMAIN: Final = b"quorate/coin/threshold/bit/1"
_WIDE_BYTES: Final = 64  # a hash of this size leaves no bias after reduction by the order


@dataclass(frozen=True, slots=True)
class CoinKey:
    """One party's share of the key, and the public shares of parties 1..n in order, of degree t like the key's."""

    curve: Curve
    share: int = field(repr=False)
    public_shares: Sequence[Point] = field(repr=False)


class ThresholdCoins:
    """The coins of one session; no two sessions may have the same name under one key.

    Raises ValueError for a key that does not belong to `seat`, or a name too long.
    """

    def __init__(self, seat: Seat, key: CoinKey, *, session: bytes) -> None:
        if len(key.public_shares) != seat.parties:
            raise ValueError(f"{len(key.public_shares)} public shares for {seat.parties} parties")
        if key.curve.multiply_base(key.share) != key.public_shares[seat.identity - 1]:
            raise ValueError(f"the key's share is not that of party {seat.identity}")
        if len(session) > MOST_SESSION_BYTES:
            raise ValueError(f"a session's name has at most {MOST_SESSION_BYTES} bytes")
        self._seat = seat
        self._key = key
        self._session = session

    @property
    def tosses(self) -> int:
        """As many as an agreement can use."""
        return MOST_TOSSES

    def toss(self, instance: int, number: int) -> ThresholdToss:
        """One toss. Raises OverflowError for a negative number or one above 2^32."""
        place = instance.to_bytes(4, "big") + number.to_bytes(4, "big")
        return ThresholdToss(self._seat, self._key, name=_NAME_DOMAIN + place + self._session)


class ThresholdToss(Toss):
    """One evaluation of the shared pseudo-random function at `name`."""

    def __init__(self, seat: Seat, key: CoinKey, *, name: bytes) -> None:
        super().__init__(seat)
        self._key = key
        self._base = key.curve.hash_to_group(name)
        self._started = False
        self._said: dict[PartyId, bytes] = {}
        self._shares: dict[PartyId, Point] = {}

    @property
    def finished(self) -> bool:
        """Once the bit is known and this party's contribution is out."""
        return self._started and self._output is not None

    def start(self) -> list[Send]:
        """Send this party's contribution to everyone, and look at those that came before."""
        if self._started:
            raise ValueError("a toss starts once")
        self._started = True
        share, message = self._contribute()
        for receiver in self.seat.others:
            self._send(receiver, message)
        self._count(self.seat.identity, share)
        for sender, early in self._said.items():
            try:
                self._take(sender, early)
            except MalformedMessage as error:
                self._blame(sender, error.reason)
        return self._flush()

    def _contribute(self) -> tuple[Point, bytes]:
        """This party's share of the value, and the message with its proof."""
        curve, secret = self._key.curve, self._key.share
        share = self._base * secret
        nonce = _wide(_NONCE_DOMAIN + curve.encode_scalar(secret) + self._base.encode()) % curve.order
        commitments = (curve.multiply_base(nonce), self._base * nonce)
        challenge = self._challenge(self.seat.identity, share, commitments)
        response = nonce + challenge * secret
        return share, share.encode() + curve.encode_scalar(challenge) + curve.encode_scalar(response)

    def _handle(self, sender: PartyId, message: bytes) -> None:
        """Keep one message a sender; to check it is work, which is done only for tosses that this party starts."""
        if len(message) != self._key.curve.size_bytes + 2 * SCALAR_BYTES:
            raise MalformedMessage(f"a coin share of {len(message)} bytes")
        if say_once(self._said, sender, message, what="coin share") and self._started:
            self._take(sender, message)

    def _take(self, sender: PartyId, message: bytes) -> None:
        """Check a contribution and count it, unless enough have come."""
        if self._output is not None:
            return
        curve = self._key.curve
        share = curve.decode(message[: curve.size_bytes])
        challenge = curve.decode_scalar(message[curve.size_bytes : curve.size_bytes + SCALAR_BYTES])
        response = curve.decode_scalar(message[curve.size_bytes + SCALAR_BYTES :])
        self._check(sender, share, challenge=challenge, response=response)
        self._count(sender, share)

    def _count(self, party: PartyId, share: Point) -> None:
        self._shares[party] = share
        if len(self._shares) >= self.seat.one_honest:
            self._open()

    def _check(self, sender: PartyId, share: Point, *, challenge: int, response: int) -> None:
        """Recompute the commitments of the proof; raises MalformedMessage when it does not hold."""
        curve = self._key.curve
        public = self._key.public_shares[sender - 1]
        commitments = (
            curve.multiply_base(response) - public * challenge,
            curve.sum_of_products((response, -challenge), (self._base, share)),
        )
        if self._challenge(sender, share, commitments) != challenge:
            raise MalformedMessage("a coin share whose proof does not hold")

    def _challenge(self, prover: PartyId, share: Point, commitments: Sequence[Point]) -> int:
        curve = self._key.curve
        points = (self._key.public_shares[prover - 1], self._base, share, *commitments)
        encoded = b"".join(point.encode() for point in points)
        return _wide(_PROOF_DOMAIN + bytes([len(curve.name)]) + curve.name.encode() + encoded) % curve.order

    def _open(self) -> None:
        points = sorted(self._shares)
        coefficients = lagrange_coefficients(self._key.curve.order, points)
        value = self._key.curve.sum_of_products(coefficients, [self._shares[point] for point in points])
        self._output = bit_of(_BIT_DOMAIN + value.encode())


def _wide(data: bytes) -> int:
    return int.from_bytes(hashlib.shake_256(data).digest(_WIDE_BYTES), "big")
