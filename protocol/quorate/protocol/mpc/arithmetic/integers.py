"""Integer arithmetic: sums, products, powers, and the return into a type.

Overflow. The machine's clear int64 arithmetic stops with a fault when a result leaves its type; only a shift to the
left drops bits. Secret arithmetic cannot stop, since whether it does would tell something. Here sums, products and
powers are exact integers, which may leave the type while the field has room, and nothing is masked or opened by
them. Before a value that may have left its type meets any other operation, a compiler has to insert one of
  wrap     the value modulo 2^bits, in the range of the type;
  fits     a secret bit that says whether the value is in the type, for an assertion of the program.
"""

from __future__ import annotations

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.compare import modulo_power, to_bits
from quorate.protocol.mpc.operations import multiply, run_sums
from quorate.protocol.mpc.party import Party, Protocol

from .costs import piecewise
from .number_types import IntegerType
from .order import within


def wrap(party: Party, x: Vector, *, of: IntegerType, bits: int) -> Protocol[Vector]:
    """x modulo 2^of.bits, in the range of the type, for -2^(bits-1) <= x < 2^(bits-1).

    `bits` bounds what x can be: 1 more than the type's for a sum of two, 2 of.bits + 1 for a product.
    """
    return (yield from low_bits(party, x, count=of.bits, signed=of.signed, bits=bits))


def low_bits(party: Party, x: Vector, *, count: int, signed: bool, bits: int) -> Protocol[Vector]:
    """The integer in the lowest `count` two's complement bits of x, for -2^(bits-1) <= x < 2^(bits-1)."""
    least = -(1 << (count - 1)) if signed else 0
    shifted = party.field.add_constant(x, -least)
    rest = yield from modulo_power(party, shifted, bits=max(bits, count) + 1, power=count)
    return party.field.add_constant(rest, least)


def fits(party: Party, x: Vector, *, of: IntegerType, bits: int) -> Protocol[Vector]:
    """[x is in the type], for -2^(bits-1) <= x < 2^(bits-1)."""
    return (yield from within(party, x, least=of.least, most=of.most, bits=max(bits, of.signed_bits)))


def multiply_pairs(party: Party, *pairs: tuple[Vector, Vector]) -> Protocol[list[Vector]]:
    """The products of several pairs of vectors, all in one round; the lengths of pairs may differ."""
    left = join(party.field, [x for x, _ in pairs])
    right = join(party.field, [y for _, y in pairs])
    products = yield from multiply(party, left, right)
    ends = np.cumsum([len(x) for x, _ in pairs])
    return [products[end - len(x) : end] for (x, _), end in zip(pairs, ends, strict=True)]


def power(party: Party, x: Vector, *, exponent: int) -> Protocol[Vector]:
    """x^exponent for a public exponent >= 0 (0^0 is 1), exact while it fits the field: 1 to 2 log2(exponent) rounds.

    Nothing is opened: a power too large is a wrong number and no leak. Raises ValueError for a negative exponent.
    """
    if exponent < 0:
        raise ValueError(f"the exponent {exponent} is negative; divide by the power instead")
    result: Vector | None = None
    square = x
    while exponent:
        exponent, odd = exponent >> 1, exponent & 1
        pairs = [(square, square)] if exponent else []
        if odd and result is not None:
            pairs.append((result, square))
        products = (yield from multiply_pairs(party, *pairs)) if pairs else []
        if odd:
            result = square if result is None else products[-1]
        square = products[0] if exponent else square
    return party.field.full(len(x), 1) if result is None else result


def power_by_secret(party: Party, x: Vector, exponent: Vector, *, of: IntegerType) -> Protocol[Vector]:
    """x^exponent for a secret exponent in 0..2^of.bits - 1, exact while it fits the field (0^0 is 1).

    `of` is the type of the exponent, unsigned; the narrower, the cheaper. Raises ValueError for a signed type.
    """
    if of.signed:
        raise ValueError(f"an exponent of type {of.name} may be negative; take an unsigned type")
    return (yield from piecewise(party, _power_by_secret, x, exponent, bits=of.bits))


def _power_by_secret(party: Party, x: Vector, exponent: Vector, *, bits: int) -> Protocol[Vector]:
    rows = (yield from to_bits(party, exponent, bits=bits + 1))[:bits]
    result, square = party.field.full(len(x), 1), x
    for position, bit in enumerate(rows):
        # result (1 + bit (square - 1)), with the next square beside the first product
        factor = party.field.add_constant(square, -1)
        pairs = [(bit, factor)] + ([(square, square)] if position + 1 < bits else [])
        chosen, *squares = yield from multiply_pairs(party, *pairs)
        result = yield from multiply(party, result, party.field.add_constant(chosen, 1))
        square = squares[0] if squares else square
    return result


def row_sums(party: Party, x: Vector, *, length: int) -> Vector:
    """The sum of each row of `length` elements, without communication; ValueError when x has no such rows."""
    if length < 1 or len(x) % length:
        raise ValueError(f"a vector of {len(x)} elements has no rows of {length}")
    return run_sums(party, x, length)
