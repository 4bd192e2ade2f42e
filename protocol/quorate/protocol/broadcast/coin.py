"""Common coins: one bit that all honest parties see alike and nobody knows before an honest party asks for it.

`CoinSupply` is the port that binary agreement draws from; a toss is a machine whose `start` releases this party's
part of it. `ShareCoins` opens preprocessed random field elements; `threshold_coin` evaluates a pseudo-random function
under a key that the parties share, without preprocessing.

`ShareCoins`. For every toss the parties hold Shamir shares, of degree t, of one uniform field element that nobody
knows; the bit is the lowest of its hash. Opening is on-line error correction (Ben-Or, Canetti and Goldreich, STOC
1993): once 2t + 1 of the shares that came lie on one polynomial of degree t, of which t + 1 are honest, it is the
right one, however late or wrong the others are. So it opens for everybody against t malicious parties, n >= 3t + 1,
with no synchrony; t shares tell nothing. A toss must never be used twice: whoever deals the stock gives each agreement
tosses of its own, and a party that restarts must not reuse them.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from typing import Final, Protocol

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.sharing import PartyId

from .effects import Send
from .machine import Machine, Seat, say_once
from .opening import open_online

_SHARE_DOMAIN: Final = b"quorate/coin/share/1"


class Toss(Machine[bool]):
    """One toss at one party. Before it is started it takes messages, releases nothing, and need not know the bit."""

    @abstractmethod
    def start(self) -> list[Send]:
        """Release this party's part. Raises ValueError for a second call."""

    def resume(self) -> list[Send]:
        """Go on after a change outside of its messages, for a toss whose key comes late; what it sends then."""
        return []


class CoinSupply(Protocol):
    """Where an agreement gets its coins: toss `number` of agreement `instance`, the same at every party."""

    @property
    def tosses(self) -> int:
        """How many tosses each agreement may use; it fails to end with probability 2^-tosses at most."""
        ...

    def toss(self, instance: int, number: int) -> Toss:
        """The machine of one toss, `number` counted from 0 and below `tosses`."""
        ...


class ShareCoins:
    """Coins from `stock`, shares of random field elements: agreement i of 0..instances-1 owns its i-th part.

    Raises ValueError for a stock with less than one toss an agreement.
    """

    def __init__(self, seat: Seat, field: PrimeField, *, stock: Vector, instances: int) -> None:
        if instances < 1 or len(stock) < instances:
            raise ValueError(f"{len(stock)} shares are no stock for {instances} agreements")
        self._seat = seat
        self._field = field
        self._stock = stock
        self._instances = instances

    @property
    def tosses(self) -> int:
        """How many tosses each agreement owns."""
        return len(self._stock) // self._instances

    def toss(self, instance: int, number: int) -> ShareToss:
        """One toss. Raises ValueError outside the stock."""
        if not 0 <= instance < self._instances or not 0 <= number < self.tosses:
            raise ValueError(f"the stock has no toss {number} for agreement {instance}")
        place = instance * self.tosses + number
        return ShareToss(self._seat, self._field, self._stock[place : place + 1])


class ShareToss(Toss):
    """The opening of one shared random element, `share` being this party's, a vector of one."""

    def __init__(self, seat: Seat, field: PrimeField, share: Vector) -> None:
        super().__init__(seat)
        self._field = field
        self._share = share
        self._started = False
        self._shares: dict[PartyId, bytes] = {}

    @property
    def finished(self) -> bool:
        """Once the bit is known and this party's share is out."""
        return self._started and self._output is not None

    def start(self) -> list[Send]:
        """Send this party's share to everyone."""
        if self._started:
            raise ValueError("a toss starts once")
        self._started = True
        self._send_all(self._field.to_bytes(self._share))
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        self._field.from_bytes(message, 1)
        if not say_once(self._shares, sender, message, what="coin share") or self._output is not None:
            return
        if len(self._shares) >= self.seat.mostly_honest:
            self._open()

    def _open(self) -> None:
        vectors = {party: self._field.from_bytes(message, 1) for party, message in self._shares.items()}
        shares = {party: self._field.integers(vector)[0] for party, vector in vectors.items()}
        opened = open_online(shares, threshold=self.seat.threshold, modulus=self._field.modulus)
        if opened is None:
            return
        for party in sorted(opened.wrong):
            self._blame(party, "a wrong coin share")
        self._output = bit_of(_SHARE_DOMAIN + opened.secret.to_bytes(self._field.size_bytes, "little"))


def bit_of(data: bytes) -> bool:
    """The lowest bit of the hash of `data`."""
    return bool(hashlib.sha256(data).digest()[0] & 1)
