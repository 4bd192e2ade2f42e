"""Shuffles by permutation networks whose switches t + 1 parties set, each for a permutation of its own.

One of the t + 1 dealers is honest, so the composition is uniform to any t parties. The switches enter as bits: the
parties draw shared random bits, which the scheme guarantees to be bits, and open each dealer's to that dealer
alone; the dealer announces where its own differ, and everybody inverts its shares there. So a dealer can set a
network as it likes, which is always a permutation, and nothing else. What the dealers announced is compared by a
digest. The networks are then products of the scheme: about n log2(n) for each column and dealer, in
2 ceil(log2(n)) - 1 rounds each; the switches cost as many random bits and three rounds, all dealers side by side.

Adversary: under passive semi-honest, under abort malicious, t < n/2. A wrong share in a private opening is seen by
the dealer, as any t + 1 honest shares of n = 2t + 1 fix the rest, and ends its part (InconsistentShares); different
announcements end the protocol (ProtocolAbort); neither tells anything of the rows, of which nothing has been
touched. A party that sends nothing is named. As all this stops the protocol, schemes that promise an output in any
case do not take this way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import Vector
from quorate.protocol.mpc.abort import Abort
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.logic import logical_not
from quorate.protocol.mpc.operations import verify
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import Passive
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.preprocessing import MAX_PLAN_ELEMENTS, random_bits
from quorate.protocol.mpc.rounds import exchange_bytes, exchange_vectors
from quorate.protocol.sharing import PartyId, reconstruct

from .columns import Places, check_columns, pack, unpack
from .network import exchange_rows
from .routing import route, routing_layers, switches
from .shuffles import Shuffle, Shuffles, random_order

_DIGEST_DOMAIN: Final = b"quorate/dealt-shuffle/1"


def can_deal(party: Party) -> bool:
    """Whether the scheme allows a protocol that may stop."""
    return isinstance(party.scheme, (Passive, Abort))


def dealt_shuffle_plan(party: Party, rows: int) -> Plan:
    """What one such shuffle takes from the pool."""
    return Plan(bits=(party.threshold + 1) * switches(rows))


class DealtShuffles(Shuffles):
    """Orders by dealt networks; see the module."""

    __slots__ = ()

    def draw(self, party: Party, rows: int) -> Protocol[RoutedShuffle]:
        """Three rounds. Raises ValueError under a scheme that this way does not suit."""
        if not can_deal(party):
            raise ValueError(f"dealt shuffles may stop, which the {party.scheme.name} scheme does not allow")
        settings = yield from _deal_settings(party, rows)
        return RoutedShuffle(rows, settings)


DEALT_SHUFFLES: Final = DealtShuffles()
"""The source."""


@dataclass(frozen=True, slots=True, repr=False)
class RoutedShuffle(Shuffle):
    """The shared switches of one network for each dealer, layer by layer."""

    rows: int
    settings: tuple[Vector, ...]

    def permute(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """2 ceil(log2(rows)) - 1 rounds for each dealer."""
        return (yield from self._pass(party, columns, backwards=False))

    def permute_back(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """As many rounds: all switches in the opposite order."""
        return (yield from self._pass(party, columns, backwards=True))

    def _pass(self, party: Party, columns: Sequence[Vector], *, backwards: bool) -> Protocol[list[Vector]]:
        if check_columns(columns) != self.rows:
            raise ValueError(f"a shuffle of {self.rows} rows does not fit {len(columns[0])}")
        table = pack(columns)
        for setting in reversed(self.settings) if backwards else self.settings:
            for left, right, swap in _steps(self.rows, setting, backwards=backwards):
                yield from exchange_rows(party, table, swap, lower=left, upper=right)
        return unpack(table)


def _steps(rows: int, setting: Vector, *, backwards: bool) -> Iterable[tuple[Places, Places, Vector]]:
    steps, start = [], 0
    for left, right in routing_layers(rows):
        steps.append((left, right, setting[start : start + len(left)]))
        start += len(left)
    return reversed(steps) if backwards else steps


def _deal_settings(party: Party, rows: int) -> Protocol[tuple[Vector, ...]]:
    """The shared switches of every dealer's network."""
    count = switches(rows)
    dealers = [PartyId(dealer) for dealer in range(1, party.threshold + 2)]
    if not count:
        return ()
    drawn = yield from _draw_bits(party, count * len(dealers))
    bits = {dealer: drawn[place * count : (place + 1) * count] for place, dealer in enumerate(dealers)}
    yield from verify(party)  # before a share goes to one party alone
    own = yield from _open_to_dealers(party, bits)
    announcement = b""
    if own is not None:
        destinations = random_order(party.randomness, rows)
        announcement = np.packbits(route(destinations.tolist()) ^ own).tobytes()
    announced = yield from _announce(party, dealers, announcement, size=-(-count // 8))
    settings = []
    for dealer, shares in bits.items():
        octets = np.frombuffer(announced[dealer], dtype=np.uint8)
        inverted = np.unpackbits(octets, count=count).astype(np.bool_)[:, np.newaxis]
        settings.append(np.where(inverted, logical_not(party, shares), shares))
    return tuple(settings)


def _draw_bits(party: Party, count: int) -> Protocol[Vector]:
    """Random bits, in as many plans as it takes."""
    parts = []
    for start in range(0, count, MAX_PLAN_ELEMENTS):
        parts.append((yield from random_bits(party, min(MAX_PLAN_ELEMENTS, count - start))))
    return join(party.field, parts)


def _open_to_dealers(party: Party, bits: dict[PartyId, Vector]) -> Protocol[NDArray[np.bool_] | None]:
    """A dealer's own random bits; None for a party that is no dealer.

    Raises InconsistentShares when the shares disagree, and ProtocolAbort when what they share is no bit.
    """
    field = party.field
    own = bits.get(party.identity)
    outgoing = {dealer: shares for dealer, shares in bits.items() if dealer != party.identity}
    incoming = {} if own is None else dict.fromkeys(party.others, len(own))
    shares = (yield from exchange_vectors(party, outgoing, incoming)) if party.parties > 1 else {}
    if own is None:
        return None
    values = reconstruct(field, {party.identity: own, **shares}, threshold=party.threshold)
    is_set = ~field.is_zero(values)
    if not field.is_zero(field.sub(values, field.from_small(is_set))).all():
        raise ProtocolAbort("a random bit of a dealt shuffle is no bit")
    return is_set


def _announce(
    party: Party, dealers: Sequence[PartyId], own: bytes, *, size: int
) -> Protocol[dict[PartyId, bytes]]:
    """What every dealer sent to all. Raises ProtocolAbort when a dealer sent different parties different things."""
    announced = {party.identity: own} if own else {}
    if party.parties == 1:
        return announced
    outgoing = dict.fromkeys(party.others, own) if own else {}
    others = [dealer for dealer in dealers if dealer != party.identity]
    announced |= yield from exchange_bytes(party, outgoing, dict.fromkeys(others, size))
    digest = hashlib.sha256(_DIGEST_DOMAIN + b"".join(announced[dealer] for dealer in dealers)).digest()
    replies = yield from exchange_bytes(
        party, dict.fromkeys(party.others, digest), dict.fromkeys(party.others, len(digest))
    )
    if any(reply != digest for reply in replies.values()):
        raise ProtocolAbort("a dealer of a shuffle announced different switches to different parties")
    return announced
