"""The loops over vectors, written once for all kernel sets; `dispatch` compiles each with numba.

Vectors are (n, 4) or (n, 1) uint64 arrays. A loop handles `lanes(constants)` rows a step, and the last step starts
early enough to end with the last row: rows that two steps share are computed twice, with the same result. So n must
be 0 or at least the number of lanes, and an output must not overlap an input.
"""

from __future__ import annotations

from .constants import Weights, Words
from .operations import (
    accumulate,
    accumulate_product,
    broadcast,
    broadcast_factor,
    count_excess,
    deduct,
    keep,
    lanes,
    load,
    load_factor,
    load_kept,
    load_random,
    modulus,
    product_zero,
    reduce_product,
    reduce_weighted,
    settle,
    store,
    table_factor,
    weighted_zero,
)
from .operations import add as add_elements
from .operations import multiply as multiply_elements
from .operations import subtract as subtract_elements

PRODUCTS_BEFORE_CARRY = 128
"""How many products a sum takes before its carries: each adds up to 9 terms to a lane, which has 11 spare bits."""


def add(constants: Words, x: Words, y: Words, out: Words) -> None:
    """out = x + y."""
    step = lanes(constants)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, add_elements(constants, load(constants, x, row), load(constants, y, row)))


def subtract(constants: Words, x: Words, y: Words, out: Words) -> None:
    """out = x - y."""
    step = lanes(constants)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, subtract_elements(constants, load(constants, x, row), load(constants, y, row)))


def subtract_from(constants: Words, constant: Words, x: Words, out: Words) -> None:
    """out = constant - x, for one constant in an array of one row."""
    step = lanes(constants)
    minuend = broadcast(constants, constant, 0)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, subtract_elements(constants, minuend, load(constants, x, row)))


def add_constant(constants: Words, x: Words, constant: Words, out: Words) -> None:
    """out = x + constant, for one constant in an array of one row."""
    step = lanes(constants)
    summand = broadcast(constants, constant, 0)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, add_elements(constants, load(constants, x, row), summand))


def multiply(constants: Words, x: Words, y: Words, out: Words) -> None:
    """out = x * y; in Montgomery form the rows of x may be any integers that fit them."""
    step = lanes(constants)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        product = multiply_elements(constants, load(constants, x, row), load_factor(constants, y, row))
        store(constants, out, row, product)


def scale(constants: Words, x: Words, factor: Words, out: Words) -> None:
    """out = x * factor, for one factor in an array of one row; the rows of x as in `multiply`."""
    step = lanes(constants)
    right = broadcast_factor(constants, factor, 0)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, multiply_elements(constants, load(constants, x, row), right))


def dot(constants: Words, x: Words, y: Words, out: Words) -> None:
    """out[lane] = the sum of x[i] * y[i] over the rows i of that lane; n is a multiple of the lanes."""
    step = lanes(constants)
    chunk = PRODUCTS_BEFORE_CARRY * step
    result = reduce_product(constants, product_zero(constants))
    for first in range(0, x.shape[0], chunk):
        total = product_zero(constants)
        for row in range(first, min(first + chunk, x.shape[0]), step):
            total = accumulate_product(constants, total, load(constants, x, row), load_factor(constants, y, row))
        result = add_elements(constants, result, reduce_product(constants, total))
    store(constants, out, 0, result)


def total(constants: Words, x: Words, out: Words) -> None:
    """out[0] = the sum of the rows of x; scalar code only."""
    result = load(constants, x, 0)
    for row in range(1, x.shape[0]):
        result = add_elements(constants, result, load(constants, x, row))
    store(constants, out, 0, result)


def prefix_products(constants: Words, x: Words, out: Words) -> None:
    """out[i] = x[0] * ... * x[i]; scalar code only."""
    result = load(constants, x, 0)
    store(constants, out, 0, result)
    for row in range(1, x.shape[0]):
        result = multiply_elements(constants, result, load_factor(constants, x, row))
        store(constants, out, row, result)


def inverses(constants: Words, x: Words, prefixes: Words, inverse: Words, out: Words) -> None:
    """out[i] = 1 / x[i], from the prefix products of x and the inverse of the last; scalar code only.

    P. Montgomery, "Speeding the Pollard and elliptic curve methods of factorization" (1987), section 10.3.1.
    """
    result = load(constants, inverse, 0)
    for row in range(x.shape[0] - 1, 0, -1):
        store(constants, out, row, multiply_elements(constants, result, load_factor(constants, prefixes, row - 1)))
        result = multiply_elements(constants, result, load_factor(constants, x, row))
    store(constants, out, 0, result)


def address(x: Words) -> int:
    """Where the rows of a vector start in memory; many times faster than numpy tells it."""
    place: int = x.ctypes.data
    return place


def from_random(constants: Words, words: Words, out: Words) -> None:
    """out = the integers in the rows of the (n, 5) or (n, 2) array `words`, divided by the radix, mod p."""
    step = lanes(constants)
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        store(constants, out, row, load_random(constants, words, row))


def copy_checked(constants: Words, words: Words, out: Words) -> int:
    """Copy rows from outside to `out`; returns 0 if and only if each is below p."""
    step = lanes(constants)
    excess = 0
    for start in range(0, out.shape[0], step):
        row = min(start, out.shape[0] - step)
        excess += count_excess(constants, words, row)
        store(constants, out, row, load(constants, words, row))
    return excess


def weighted_sums(
    constants: Words,
    weights: Weights,
    negative: Weights,
    rows: Words,
    scratch: Words,
    out: Words,
) -> None:
    """out[r] = the sum over j of weights[r, j] * rows[j]; `rows` has the addresses of k vectors of n elements.

    weights (m, k) with a sum of absolute values below 2^40 in each row, and negative (m,) the sums of the absolute
    values of the negative ones; out (m, n, limbs); scratch has k places.
    """
    step = lanes(constants)
    for start in range(0, out.shape[1], step):
        row = min(start, out.shape[1] - step)
        for j in range(rows.shape[0]):
            keep(constants, scratch, j, load(constants, rows[j], row))
        for r in range(out.shape[0]):
            total = accumulate(constants, weighted_zero(constants), modulus(constants), negative[r])
            for j in range(rows.shape[0]):
                weight = weights[r, j]
                if weight >= 0:
                    total = accumulate(constants, total, load_kept(constants, scratch, j), weight)
                else:
                    total = deduct(constants, total, load_kept(constants, scratch, j), -weight)
            store(constants, out[r], row, reduce_weighted(constants, total))


def multiply_and_share(
    constants: Words,
    x: Words,
    y: Words,
    weights: Weights,
    rows: Words,
    scratch: Words,
    out: Words,
) -> None:
    """out[r] = x * y + the sum over j of weights[r, j] * rows[j], for non-negative weights."""
    step = lanes(constants)
    for start in range(0, out.shape[1], step):
        row = min(start, out.shape[1] - step)
        product = multiply_elements(constants, load(constants, x, row), load_factor(constants, y, row))
        for j in range(rows.shape[0]):
            keep(constants, scratch, j, load(constants, rows[j], row))
        for r in range(out.shape[0]):
            total = accumulate(constants, weighted_zero(constants), product, 1)
            for j in range(rows.shape[0]):
                total = accumulate(constants, total, load_kept(constants, scratch, j), weights[r, j])
            store(constants, out[r], row, reduce_weighted(constants, total))


def matrix(constants: Words, table: Words, rows: Words, scratch: Words, out: Words) -> None:
    """out[r] = the sum over j of factor (r, j) of `table` times rows[j].

    `rows` has the addresses of k vectors of n elements; out (m, n, limbs); table has m * k rows; scratch k places.
    """
    step = lanes(constants)
    width = rows.shape[0]
    for start in range(0, out.shape[1], step):
        row = min(start, out.shape[1] - step)
        for j in range(width):
            keep(constants, scratch, j, load(constants, rows[j], row))
        for r in range(out.shape[0]):
            total = product_zero(constants)
            for j in range(width):
                left = load_kept(constants, scratch, j)
                total = accumulate_product(constants, total, left, table_factor(constants, table, r * width + j))
                if j % PRODUCTS_BEFORE_CARRY == PRODUCTS_BEFORE_CARRY - 1:
                    total = settle(constants, total)
            store(constants, out[r], row, reduce_product(constants, total))
