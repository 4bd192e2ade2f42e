"""Secret places as one-hot vectors, without their bits.

A place below 2^k, masked by a random r with k known bits and a wide part above, is opened as c. So it is
c - r mod 2^k, and its one-hot vector is that of r turned by c, which is public. The one-hot vectors of r are made
beside the opening, of its lower and its upper bits alone. The lower half of the place is that of r turned by the
lower half of c; whether the subtraction borrows is a sum of entries of the same vector, so it is free too; and the
upper half is turned by one more where it does: one product an entry. What is opened hides the place up to 2^-kappa,
as in a comparison. In all about 3 sqrt(n) multiplications and 2 + ceil(log2(k / 2)) rounds for a place among n. It
runs under every scheme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.batches import MAX_ROUND_ELEMENTS
from quorate.protocol.mpc.logic import select
from quorate.protocol.mpc.operations import open_shares
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import BIT, Plan, integer
from quorate.protocol.mpc.preprocessing import reserve, sum_bits
from quorate.protocol.mpc.rounds import together

from .columns import MAX_ROWS
from .one_hot import halves

MAX_INNER: Final = 1 << 15
"""The most products in one sum of a matrix product."""
_SMALLEST: Final = 4
"""Arrays are padded to at least this many entries, so that a place has two halves."""


def place_bits(entries: int) -> int:
    """The bits of a place in an array of so many entries: at least 2. Raises ValueError beyond MAX_ROWS."""
    if not 0 <= entries <= MAX_ROWS:
        raise ValueError(f"an array has at most {MAX_ROWS} entries, not {entries}")
    return (max(entries, _SMALLEST) - 1).bit_length()


def access_plan(places: int, entries: int, kappa: int) -> Plan:
    """What accesses to `places` secret places of an array of `entries` take from the pool."""
    return Plan(bits=places * place_bits(entries), integers={kappa + 1: places})


def pieces_of_places(places: int, entries: int) -> list[tuple[int, int]]:
    """The bounds of pieces of places whose one-hot halves keep within a round and a sum of products."""
    size = min(MAX_INNER, MAX_ROUND_ELEMENTS >> (place_bits(entries) + 1) // 2)
    return [(start, min(start + size, places)) for start in range(0, places, size)]


@dataclass(frozen=True, slots=True, repr=False)
class HalvesOfPlaces:
    """The one-hot vectors of the lower halves, and what the upper ones are chosen from: (values, batch, limbs)."""

    low: Vector
    borrow: Vector
    upper: Vector
    upper_with_borrow: Vector

    def high(self, party: Party) -> Protocol[Vector]:
        """The one-hot vectors of the upper halves: one round."""
        limbs = party.field.limbs
        condition = np.tile(self.borrow, (len(self.upper), 1))
        chosen = yield from select(
            party, condition, self.upper_with_borrow.reshape(-1, limbs), self.upper.reshape(-1, limbs)
        )
        return chosen.reshape(self.upper.shape)


def halves_of_places(party: Party, places: Vector, *, entries: int) -> Protocol[HalvesOfPlaces]:
    """The halves of places in an array of `entries`, of -2^k <= place < 2^k by their low k bits.

    Raises ValueError when the field has no room for the mask.
    """
    field, count, width = party.field, len(places), place_bits(entries)
    if sum_bits(width + 1 + party.kappa, party.threshold) + 1 >= field.modulus.bit_length():
        raise ValueError(f"places of {width} bits, masked at kappa {party.kappa}, do not fit {field.name}")
    yield from reserve(party, access_plan(count, entries, party.kappa))
    rows = party.pool.take(BIT, count * width).reshape(width, count, field.limbs)
    wide = party.pool.take(integer(party.kappa + 1), count)
    mask = field.combine([*(1 << place for place in range(width)), 1 << width], [*rows, wide])
    masked = field.add_constant(field.add(places, mask), 1 << width)  # positive, and the same modulo 2^width
    opened, (low, high) = yield from together(party, open_shares(party, masked), halves(party, list(rows)))
    public = field.bits(opened, width)
    shift = len(low).bit_length() - 1
    low_turn, high_turn = _numbers(public[:shift]), _numbers(public[shift:])
    return HalvesOfPlaces(
        _turned(low, low_turn),
        _borrows(field, low, low_turn),
        _turned(high, high_turn),
        _turned(high, high_turn - 1),
    )


def one_hot_halves(party: Party, places: Vector, *, entries: int) -> Protocol[tuple[Vector, Vector]]:
    """The one-hot vectors of the lower and the upper halves, shapes (values, batch, limbs)."""
    found = yield from halves_of_places(party, places, entries=entries)
    return found.low, (yield from found.high(party))


def _numbers(bits: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The integers of public bits, shape (bits, batch), lowest first."""
    weights = np.left_shift(1, np.arange(len(bits), dtype=np.intp))
    numbers: NDArray[np.intp] = weights @ bits.astype(np.intp)
    return numbers


def _turned(chosen: Vector, turn: NDArray[np.intp]) -> Vector:
    """One-hot vectors of turn - v mod their length, from those of v."""
    values = np.arange(len(chosen))[:, np.newaxis]
    turned: Vector = chosen[(turn - values) % len(chosen), np.arange(chosen.shape[1])]
    return turned


def _borrows(field: PrimeField, chosen: Vector, minuend: NDArray[np.intp]) -> Vector:
    """Whether the value is above the public minuend: the sum of the entries there."""
    above = np.arange(len(chosen))[:, np.newaxis] > minuend
    rows = np.where(above[..., np.newaxis], chosen, field.zeros(1))
    return field.combine([1] * len(rows), list(rows))
