"""The loops of the provers; `dispatch` compiles each with numba.

Vectors are (n, 4) arrays of the rows of `quorate.protocol.field`. Points are affine, (n, 2, 4) for G1 and
(n, 2, 2, 4) for G2, or in XYZZ coordinates, (n, 4, 4) and (n, 4, 2, 4). `one` is 1 as an array of one coordinate,
(1, 1, 4) or (1, 1, 2, 4). Windows of scalars are rows of digits.
"""

from __future__ import annotations

from typing import Any

from quorate.protocol.field.constants import Words
from quorate.protocol.field.operations import add, broadcast_factor, lanes, load, multiply, store

from .operations import (
    add_affine,
    add_points,
    at_infinity,
    difference,
    double,
    infinity,
    minus,
    read,
    read_affine,
    read_point,
    write_point,
)


def evaluate(constants: Words, twiddles: Words, longest: int, shortest: int, x: Words) -> None:
    """The steps of a transform from coefficients to evaluations whose halves are `longest` down to `shortest` rows.

    Block k of a step takes row k of the twiddles, the powers of the root in bit-reversed order; the result is in
    bit-reversed order. Halves must be multiples of the lanes. J. Cooley, J. Tukey (1965).
    """
    step = lanes(constants)
    half = longest
    while half >= shortest:
        for block in range(x.shape[0] // (2 * half)):
            factor = broadcast_factor(constants, twiddles, block)
            first = 2 * half * block
            for row in range(first, first + half, step):
                left = load(constants, x, row)
                right = multiply(constants, load(constants, x, row + half), factor)
                store(constants, x, row, add(constants, left, right))
                store(constants, x, row + half, difference(constants, left, right))
        half //= 2


def interpolate(constants: Words, twiddles: Words, shortest: int, longest: int, x: Words) -> None:
    """The steps of the inverse of `evaluate`, but for the division by n; twiddles are those of the inverse root.

    W. Gentleman, G. Sande (1966).
    """
    step = lanes(constants)
    half = shortest
    while half <= longest:
        for block in range(x.shape[0] // (2 * half)):
            factor = broadcast_factor(constants, twiddles, block)
            first = 2 * half * block
            for row in range(first, first + half, step):
                left, right = load(constants, x, row), load(constants, x, row + half)
                store(constants, x, row, add(constants, left, right))
                product = multiply(constants, difference(constants, left, right), factor)
                store(constants, x, row + half, product)
        half *= 2


def add_at(constants: Words, places: Any, terms: Words, out: Words) -> None:
    """out[places[i]] += terms[i]."""
    for row in range(terms.shape[0]):
        place = places[row]
        store(constants, out, place, add(constants, load(constants, out, place), load(constants, terms, row)))


def multi_scalar(constants: Words, points: Any, digits: Any, width: int, one: Any, buckets: Any, out: Any) -> None:
    """out[0] = the sum of points[i] times the scalar with the signed digits digits[:, i] in base 2^width.

    digits (windows, n), least significant first, each of absolute value up to the number of buckets. Points of one
    digit are added up in a bucket; running sums then count every bucket as often as its digit says. N. Pippenger,
    "On the evaluation of powers and related problems" (1976).
    """
    unit = read(constants, one, 0)
    total = infinity(constants, unit)
    for position in range(digits.shape[0] - 1, -1, -1):
        for _ in range(width):
            total = double(constants, total)
        for bucket in range(buckets.shape[0]):
            write_point(constants, buckets, bucket, infinity(constants, unit))
        for index in range(points.shape[0]):
            digit = digits[position, index]
            if digit != 0:
                x, y = read_affine(constants, points, index)
                if not at_infinity((x, y)):
                    bucket = abs(digit) - 1
                    if digit < 0:
                        y = minus(constants, minus(constants, y, y), y)
                    current = read_point(constants, buckets, bucket)
                    write_point(constants, buckets, bucket, add_affine(constants, current, (x, y), unit))
        running = infinity(constants, unit)
        for bucket in range(buckets.shape[0] - 1, -1, -1):
            running = add_points(constants, running, read_point(constants, buckets, bucket), unit)
            total = add_points(constants, total, running, unit)
    write_point(constants, out, 0, total)


def multiples(constants: Words, points: Any, scalars: Words, bits: int, one: Any, out: Any) -> None:
    """out[i] = points[i] times the integer below 2^bits in row i of `scalars`, by double and add."""
    unit = read(constants, one, 0)
    for index in range(points.shape[0]):
        total = infinity(constants, unit)
        x, y = read_affine(constants, points, index)
        if not at_infinity((x, y)):
            for bit in range(bits - 1, -1, -1):
                total = double(constants, total)
                if scalars[index, bit // 64] >> (bit % 64) & 1:
                    total = add_affine(constants, total, (x, y), unit)
        write_point(constants, out, index, total)


def table_sums(constants: Words, table: Any, digits: Any, one: Any, out: Any) -> None:
    """out[i] = the sum over windows w of entry `digits[i, w]` of row w of the table, whose rows start after zero.

    The table has rows of `table.shape[0] / digits.shape[1]` points, for the digits 1, 2, 3, ...
    """
    unit = read(constants, one, 0)
    entries = table.shape[0] // digits.shape[1]
    for index in range(digits.shape[0]):
        total = infinity(constants, unit)
        for window in range(digits.shape[1]):
            digit = digits[index, window]
            if digit != 0:
                affine = read_affine(constants, table, window * entries + digit - 1)
                total = add_affine(constants, total, affine, unit)
        write_point(constants, out, index, total)
