"""Bitwise operations and shifts on secret integers, by their two's complement bits.

`and` takes the bits of both and a product of each pair; `or` and `xor` follow from it, since
x + y = (x xor y) + 2 (x and y). `not` is -1 - x, or 2^bits - 1 - x for unsigned types, and communicates nothing.

Shifts. A shift to the left drops the bits that leave the type, as the machine's does on clear integers, and the
rest is read in the type. A shift to the right is arithmetic (floor of x / 2^amount), or logical (zeros come in).
An amount is 0..bits-1; a public one outside is a ValueError, a secret one outside gives undefined results.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.binary import multiply_bytes
from quorate.protocol.mpc.byte_bits import byte_bits, rows_to_field
from quorate.protocol.mpc.compare import less_than_zero, modulo_power, to_bits
from quorate.protocol.mpc.compare import shift_right as shift_right_by
from quorate.protocol.mpc.operations import inner_products, multiply
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import together

from .costs import piecewise
from .integers import low_bits, wrap
from .normalisation import length_of, power_of_two
from .number_types import IntegerType
from .order import absolute


def bits_of(party: Party, x: Vector, *, of: IntegerType) -> Protocol[list[Vector]]:
    """The of.bits two's complement bits, lowest first."""
    bits = yield from piecewise(party, _bits_in_turn, x, of=of)
    table = bits.reshape(-1, of.bits, party.field.limbs)
    return [np.ascontiguousarray(table[:, place]) for place in range(of.bits)]


def _bits_in_turn(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """The bits of each value in turn."""
    rows = (yield from to_bits(party, x, bits=of.signed_bits))[: of.bits]
    return np.stack(rows, axis=1).reshape(-1, party.field.limbs)


def bit_and(party: Party, x: Vector, y: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """x and y, bit by bit."""
    return (yield from piecewise(party, _bit_and, x, y, of=of))


def bit_or(party: Party, x: Vector, y: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """x or y, bit by bit."""
    common = yield from bit_and(party, x, y, of=of)
    return party.field.combine([1, 1, -1], [x, y, common])


def bit_xor(party: Party, x: Vector, y: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """Exclusive or, bit by bit."""
    common = yield from bit_and(party, x, y, of=of)
    return party.field.combine([1, 1, -2], [x, y, common])


def bit_not(party: Party, x: Vector, *, of: IntegerType) -> Vector:
    """The complement of every bit, without communication."""
    return party.field.add_constant(party.field.neg(x), -1 if of.signed else of.most)


def bit_and_mask(party: Party, x: Vector, *, mask: int, of: IntegerType) -> Protocol[Vector]:
    """x and a public mask of the type; `or` is x + mask - that, `xor` x + mask - 2 that."""
    (mask,) = of.check([mask])
    rows = yield from bits_of(party, x, of=of)
    weights = [weight if mask >> place & 1 else 0 for place, weight in enumerate(_weights(of))]
    return party.field.combine(weights, rows)


def _bit_and(party: Party, x: Vector, y: Vector, *, of: IntegerType) -> Protocol[Vector]:
    field, count = party.field, len(x)
    both = join(field, [x, y])
    if party.scheme.computes_on_bytes:
        table = (yield from byte_bits(party, both, bits=of.signed_bits))[: of.bits]
        left, right = table[:, :count].reshape(-1), table[:, count:].reshape(-1)
        common = (yield from multiply_bytes(party, left, right)).reshape(of.bits, count)
        return field.combine(_weights(of), (yield from rows_to_field(party, common)))
    rows = (yield from to_bits(party, both, bits=of.signed_bits))[: of.bits]
    # the inner product of the bits of x, weighted, with those of y
    weighted = [field.scale(row[:count], weight) for row, weight in zip(rows, _weights(of), strict=True)]
    one = np.stack(weighted, axis=1).reshape(-1, field.limbs)
    other = np.stack([row[count:] for row in rows], axis=1).reshape(-1, field.limbs)
    return (yield from inner_products(party, one, other, length=of.bits))


def _weights(of: IntegerType) -> list[int]:
    weights = [1 << place for place in range(of.bits)]
    if of.signed:
        weights[-1] = -weights[-1]
    return weights


def parity(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """The lowest bit of x."""
    return (yield from modulo_power(party, x, bits=max(2, of.signed_bits), power=1))


def bit_count(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """How many of the of.bits two's complement bits are set."""
    rows = yield from bits_of(party, x, of=of)
    return party.field.combine([1] * of.bits, rows)


def bit_length(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """How many bits |x| needs: 0 of zero, 3 of 4 and of -4; Python's int.bit_length."""
    return (yield from piecewise(party, _bit_length, x, of=of))


def _bit_length(party: Party, x: Vector, *, of: IntegerType) -> Protocol[Vector]:
    magnitude = (yield from absolute(party, x, of=of)) if of.signed else x
    return (yield from length_of(party, magnitude, bits=of.bits, signed=False)).count


def shift_left(party: Party, x: Vector, *, amount: int, of: IntegerType) -> Protocol[Vector]:
    """x * 2^amount without the bits that leave the type."""
    _check_amount(amount, of)
    if amount == 0:
        return x
    kept = yield from low_bits(party, x, count=of.bits - amount, signed=of.signed, bits=of.signed_bits)
    return party.field.scale(kept, 1 << amount)


def shift_right(party: Party, x: Vector, *, amount: int, of: IntegerType) -> Protocol[Vector]:
    """floor(x / 2^amount)."""
    _check_amount(amount, of)
    return (yield from shift_right_by(party, x, bits=of.signed_bits, power=amount))


def shift_right_logical(party: Party, x: Vector, *, amount: int, of: IntegerType) -> Protocol[Vector]:
    """The bits of x moved down, zeros coming in; only for negative x different from `shift_right`."""
    _check_amount(amount, of)
    if not of.signed or amount == 0:
        return (yield from shift_right(party, x, amount=amount, of=of))
    moved, below = yield from together(
        party, shift_right(party, x, amount=amount, of=of), less_than_zero(party, x, bits=of.bits)
    )
    return party.field.combine([1, 1 << (of.bits - amount)], [moved, below])


def shift_left_by_secret(party: Party, x: Vector, amount: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """`shift_left` by secret amounts in 0..bits-1."""
    return (yield from piecewise(party, _shift_left_by_secret, x, amount, of=of))


def _shift_left_by_secret(party: Party, x: Vector, amount: Vector, *, of: IntegerType) -> Protocol[Vector]:
    rows = yield from _amount_bits(party, amount, of)
    factor = yield from power_of_two(party, rows)
    product = yield from multiply(party, x, factor)
    return (yield from wrap(party, product, of=of, bits=of.signed_bits + _most_amount(of)))


def shift_right_by_secret(party: Party, x: Vector, amount: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """`shift_right` by secret amounts in 0..bits-1."""
    return (yield from piecewise(party, _shift_right_by_secret, x, amount, of=of))


def _shift_right_by_secret(party: Party, x: Vector, amount: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """A shift to the left by most - amount, and one to the right by `most`, whose bits are all ones."""
    most = _most_amount(of)
    rows = yield from _amount_bits(party, amount, of)
    complement = [party.field.add_constant(party.field.neg(row), 1) for row in rows]
    product = yield from multiply(party, x, (yield from power_of_two(party, complement)))
    return (yield from shift_right_by(party, product, bits=of.signed_bits + most, power=most))


def shift_right_logical_by_secret(party: Party, x: Vector, amount: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """`shift_right_logical` by secret amounts in 0..bits-1."""
    if not of.signed:
        return (yield from shift_right_by_secret(party, x, amount, of=of))
    below = yield from less_than_zero(party, x, bits=of.bits)
    unsigned = party.field.combine([1, 1 << of.bits], [x, below])
    moved = yield from shift_right_by_secret(party, unsigned, amount, of=IntegerType(of.bits, signed=False))
    return (yield from wrap(party, moved, of=of, bits=of.bits + 1))


def _amount_bits(party: Party, amount: Vector, of: IntegerType) -> Protocol[list[Vector]]:
    width = max(1, (of.bits - 1).bit_length())
    return (yield from to_bits(party, amount, bits=width + 1))[:width]


def _most_amount(of: IntegerType) -> int:
    """The largest amount that the bits of an amount can hold."""
    return (1 << max(1, (of.bits - 1).bit_length())) - 1


def _check_amount(amount: int, of: IntegerType) -> None:
    if not 0 <= amount < of.bits:
        raise ValueError(f"a shift by {amount} of {of.name}; shift by 0 to {of.bits - 1}")
