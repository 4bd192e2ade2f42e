"""Powers by a public exponent, square roots and inverses of whole vectors, against Python integers."""

from __future__ import annotations

import random

import numpy as np
import pytest

from quorate.protocol.field import BN254, BN254_BASE, GOLDILOCKS, MERSENNE61, PrimeField
from quorate.protocol.field.roots import BLOCK

pytestmark = pytest.mark.usefixtures("kernels")


def numbers(field: PrimeField, count: int) -> list[int]:
    generator = random.Random(count)
    return [0, 1, 2, field.modulus - 1, *(generator.randrange(field.modulus) for _ in range(count))]


def test_powers_of_every_element(field: PrimeField) -> None:
    values, modulus = numbers(field, 9), field.modulus
    x = field.vector(values)
    exponents = [0, 1, 2, 3, 16, 17, 255, modulus - 2, modulus - 1, modulus, 2 * (modulus - 1), modulus**2 + 12345]
    for exponent in exponents:
        expected = [pow(value, exponent, modulus) for value in values]
        assert field.integers(field.powers(x, exponent)) == expected
    assert np.array_equal(x, field.vector(values))


def test_negative_powers_invert(field: PrimeField) -> None:
    values, modulus = numbers(field, 9)[1:], field.modulus
    x = field.vector(values)
    assert field.integers(field.powers(x, -3)) == [pow(value, -3, modulus) for value in values]
    with pytest.raises(ZeroDivisionError):
        field.powers(field.zeros(2), -1)
    assert field.integers(field.powers(field.zeros(2), 0)) == [1, 1]


def test_square_roots_are_the_even_ones(field: PrimeField) -> None:
    values, modulus = numbers(field, 40), field.modulus
    roots = field.integers(field.square_roots(field.vector([value * value for value in values])))
    for value, root in zip(values, roots, strict=True):
        assert root in (value, modulus - value)
        assert root % 2 == 0


def test_roots_of_unity_of_every_order(field: PrimeField) -> None:
    """Elements whose discrete logarithm has one bit, or all bits, in every place that a square may have."""
    modulus, odd = field.modulus, field.modulus - 1
    while odd % 2 == 0:
        odd //= 2
    candidate = 2
    while pow(candidate, modulus // 2, modulus) == 1:
        candidate += 1
    generator, order = pow(candidate, odd, modulus), (modulus - 1) // odd
    squares = [pow(generator, 2**place, modulus) for place in range(1, order.bit_length())]
    squares += [pow(generator, order - 2**place, modulus) for place in range(1, order.bit_length())]
    roots = field.integers(field.square_roots(field.vector(squares)))
    assert [root * root % modulus for root in roots] == squares


def test_an_element_without_a_root_is_named(field: PrimeField) -> None:
    candidate = 2
    while pow(candidate, field.modulus // 2, field.modulus) == 1:
        candidate += 1
    with pytest.raises(ValueError, match=f"element 2 is no square in {field.name}"):
        field.square_roots(field.vector([0, 4, candidate, 9, candidate]))


@pytest.mark.parametrize("field", [BN254, BN254_BASE, MERSENNE61, GOLDILOCKS], ids=lambda field: field.name)
def test_vectors_longer_than_a_block(field: PrimeField) -> None:
    x = field.from_random_bytes(np.random.default_rng(1).bytes(field.random_bytes * (2 * BLOCK + 3)))
    squares = field.mul(x, x)
    roots = field.square_roots(squares)
    assert np.array_equal(field.mul(roots, roots), squares)
    assert np.array_equal(field.powers(x, 5), field.mul(field.mul(squares, squares), x))
    assert len(field.square_roots(x[:0])) == 0
    assert len(field.powers(x[:0], 7)) == 0


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 511, 515, 2100])
def test_inverses_of_long_vectors(field: PrimeField, count: int) -> None:
    values = [value or 1 for value in numbers(field, count)][:count]
    x = field.vector(values)
    inverses = field.inverses(x)
    assert np.array_equal(field.mul(x, inverses), field.full(count, 1))
    assert np.array_equal(x, field.vector(values))
    if count:
        x[count // 2] = 0
        with pytest.raises(ZeroDivisionError):
            field.inverses(x)
