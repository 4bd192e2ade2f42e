"""Every vector operation against Python integers, on both kernel sets, with the values where carries happen."""

from __future__ import annotations

import random
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import (
    BLS12_381,
    BN254,
    GOLDILOCKS,
    MERSENNE61,
    SECP256K1,
    PrimeField,
    Vector,
)
from quorate.protocol.field.constants import radix_of
from quorate.protocol.field.vectors import MAX_ROWS

FIELDS = (
    BN254,
    BLS12_381,
    SECP256K1,
    GOLDILOCKS,
    MERSENNE61,
    PrimeField("curve25519", 2**255 - 19),
    PrimeField("p224", 2**224 - 2**96 + 1),
    PrimeField("longest", 2**256 - 189),
    PrimeField("longest word", 2**64 - 59),
    PrimeField("shortest word", 2**31 + 11),
)
pytestmark = pytest.mark.usefixtures("kernels")
gmpy2: Any = import_module("gmpy2")  # it ships no types
UNTIMED = settings(deadline=None, derandomize=True, max_examples=60)
"""No deadline: the first example may compile a kernel."""
SIZES = (0, 1, 2, 7, 8, 9, 15, 16, 17, 29)


def edges(field: PrimeField) -> list[int]:
    modulus, size = field.modulus, 64 * field.limbs
    shrunk = [
        value * pow(radix_of(modulus), -1, modulus) % modulus
        for value in (1, modulus - 1, 2**64 - 1, 2**52 - 1, 2 ** (size - 64))
    ]
    powers = [2**size % modulus, 2 ** (size + 4) % modulus]
    return [0, 1, 2, modulus - 1, modulus - 2, *powers, modulus // 2, *shrunk]


def elements(field: PrimeField) -> st.SearchStrategy[int]:
    return st.sampled_from(edges(field)) | st.integers(0, field.modulus - 1)


@st.composite
def columns(draw: st.DrawFn, count: int) -> tuple[PrimeField, list[list[int]]]:
    """A field and `count` lists of elements of one length."""
    field = draw(st.sampled_from(FIELDS))
    size = draw(st.sampled_from(SIZES))
    lists = st.lists(elements(field), min_size=size, max_size=size)
    return field, [draw(lists) for _ in range(count)]


def randoms(field: PrimeField, count: int, seed: int = 1) -> list[int]:
    generator = random.Random(seed)
    return [generator.randrange(field.modulus) for _ in range(count)]


def canonical(field: PrimeField, vector: Vector) -> list[int]:
    """The integers of a vector, after a check that every row is below the modulus."""
    rows = [int.from_bytes(row.tobytes(), "little") for row in vector]
    assert all(row < field.modulus for row in rows)
    shrink = pow(radix_of(field.modulus), -1, field.modulus)
    assert field.integers(vector) == [row * shrink % field.modulus for row in rows]
    return field.integers(vector)


@UNTIMED
@given(st.sampled_from(FIELDS), st.lists(st.integers() | st.integers(-(2**300), 2**300), max_size=20))
def test_vectors_hold_any_integers_mod_p(field: PrimeField, values: list[int]) -> None:
    vector = field.vector(values)
    assert vector.shape == (len(values), field.limbs)
    assert canonical(field, vector) == [value % field.modulus for value in values]


@UNTIMED
@given(columns(2))
def test_element_wise_operations(given_columns: tuple[PrimeField, list[list[int]]]) -> None:
    field, (xs, ys) = given_columns
    x, y, modulus = field.vector(xs), field.vector(ys), field.modulus
    pairs = list(zip(xs, ys, strict=True))
    assert canonical(field, field.add(x, y)) == [(a + b) % modulus for a, b in pairs]
    assert canonical(field, field.sub(x, y)) == [(a - b) % modulus for a, b in pairs]
    assert canonical(field, field.mul(x, y)) == [a * b % modulus for a, b in pairs]
    assert canonical(field, field.neg(x)) == [-a % modulus for a in xs]
    assert canonical(field, field.dot(x, y)) == [sum(a * b for a, b in pairs) % modulus]
    assert canonical(field, field.sum(x)) == [sum(xs) % modulus]


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_pair_of_edges(field: PrimeField) -> None:
    """The operations of every field on every pair of values where carries happen, on vectors that fill lanes."""
    values, modulus = [*edges(field), *randoms(field, 3)], field.modulus
    pairs = [(a, b) for a in values for b in values]
    x, y = (field.vector(list(column)) for column in zip(*pairs, strict=True))
    assert canonical(field, field.add(x, y)) == [(a + b) % modulus for a, b in pairs]
    assert canonical(field, field.sub(x, y)) == [(a - b) % modulus for a, b in pairs]
    assert canonical(field, field.mul(x, y)) == [a * b % modulus for a, b in pairs]
    assert canonical(field, field.neg(x)) == [-a % modulus for a, _ in pairs]
    assert canonical(field, field.dot(x, y)) == [sum(a * b for a, b in pairs) % modulus]
    assert canonical(field, field.sum(x)) == [sum(a for a, _ in pairs) % modulus]
    assert canonical(field, field.combine([3, -(2**39)], [x, y])) == [
        (3 * a - 2**39 * b) % modulus for a, b in pairs
    ]
    heavy = [modulus - 2, modulus // 2]
    assert canonical(field, field.combine(heavy, [x, y])) == [(-2 * a + heavy[1] * b) % modulus for a, b in pairs]
    shares = field.multiply_and_share(x, y, coefficients=[y], parties=3)
    for point, share in enumerate(shares, start=1):
        assert canonical(field, share) == [(a * b + point * b) % modulus for a, b in pairs]
    for factor in edges(field):
        assert canonical(field, field.scale(x, factor)) == [a * factor % modulus for a, _ in pairs]
        assert canonical(field, field.add_constant(x, factor)) == [(a + factor) % modulus for a, _ in pairs]
    assert np.array_equal(field.from_bytes(field.to_bytes(x), len(pairs)), x)


@UNTIMED
@given(columns(1))
def test_inverses(given_columns: tuple[PrimeField, list[list[int]]]) -> None:
    field, (xs,) = given_columns
    if 0 in xs:
        with pytest.raises(ZeroDivisionError, match="no inverse"):
            field.inverses(field.vector(xs))
    nonzero = [value for value in xs if value]
    inverses = canonical(field, field.inverses(field.vector(nonzero)))
    assert inverses == [pow(value, -1, field.modulus) for value in nonzero]


@UNTIMED
@given(columns(1), st.integers() | st.integers(-(2**300), 2**300))
def test_operations_with_a_public_integer(
    given_columns: tuple[PrimeField, list[list[int]]], constant: int
) -> None:
    field, (xs,) = given_columns
    x, modulus = field.vector(xs), field.modulus
    assert canonical(field, field.scale(x, constant)) == [a * constant % modulus for a in xs]
    assert canonical(field, field.add_constant(x, constant)) == [(a + constant) % modulus for a in xs]
    assert canonical(field, field.full(3, constant)) == [constant % modulus] * 3


@UNTIMED
@given(columns(3), st.data())
def test_matrices_of_light_and_heavy_coefficients(
    given_columns: tuple[PrimeField, list[list[int]]], data: st.DataObject
) -> None:
    field, lists = given_columns
    modulus = field.modulus
    light = st.integers(-20, 20) | st.integers(-(2**38), 2**38) | st.sampled_from([modulus - 3, -modulus + 1])
    coefficient = data.draw(st.sampled_from([light, light | elements(field)]))
    line = st.lists(coefficient, min_size=3, max_size=3)
    lines = data.draw(st.lists(line, max_size=4))
    rows = [field.vector(values) for values in lists]
    expected = [
        [sum(c * v for c, v in zip(line, values, strict=True)) % modulus for values in zip(*lists, strict=True)]
        for line in lines
    ]
    assert [canonical(field, vector) for vector in field.matrix(lines, rows)] == expected
    for row, values in zip(lines, expected, strict=True):
        assert canonical(field, field.combine(row, rows)) == values


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize("coefficient", [2**40 - 1, -(2**40) + 1, 2**40, -1, 1])
def test_the_largest_lazy_sums(field: PrimeField, coefficient: int) -> None:
    """All operands at their bounds: one weight of almost 2^40, or 256 rows of p - 1 in Montgomery form."""
    top = field.full(9, -pow(radix_of(field.modulus), -1, field.modulus))
    assert int.from_bytes(top[0].tobytes(), "little") == field.modulus - 1
    value = field.integers(top)[0]
    assert canonical(field, field.combine([coefficient], [top])) == [coefficient * value % field.modulus] * 9
    if abs(coefficient) == 1:
        for count in (256, 257):
            summed = field.combine([coefficient * (2**31)] * count, [top] * count)
            assert canonical(field, summed) == [coefficient * 2**31 * count * value % field.modulus] * 9


@pytest.mark.parametrize("bits", [*range(32, 65), *range(224, 257)])
def test_a_prime_of_every_length(bits: int) -> None:
    """A pseudo-random prime: reciprocals, shifts and carries fall elsewhere for each."""
    generator = random.Random(bits)
    modulus = int(gmpy2.next_prime(generator.randrange(2 ** (bits - 1), 2**bits - 2 ** (bits // 2))))
    field, weights = PrimeField("random", modulus), [2**39 + 1, -(2**39) + 2]
    values = [*edges(field), *randoms(field, 9)]
    pairs = list(zip(values, reversed(values), strict=True))
    x, y = (field.vector(list(column)) for column in zip(*pairs, strict=True))
    assert canonical(field, x) == values
    assert canonical(field, field.add(x, y)) == [(a + b) % modulus for a, b in pairs]
    assert canonical(field, field.sub(x, y)) == [(a - b) % modulus for a, b in pairs]
    assert canonical(field, field.mul(x, y)) == [a * b % modulus for a, b in pairs]
    assert canonical(field, field.dot(x, y)) == [sum(a * b for a, b in pairs) % modulus]
    for line in (weights, [modulus // 3, 2]):
        assert canonical(field, field.combine(line, [x, y])) == [
            (line[0] * a + line[1] * b) % modulus for a, b in pairs
        ]
    assert field.to_small(field.from_small(np.arange(-9, 9))).tolist() == list(range(-9, 9))
    roots = field.square_roots(field.mul(x, x))
    assert np.array_equal(field.mul(roots, roots), field.mul(x, x))


def test_the_quotient_of_a_lazy_sum_is_near_enough() -> None:
    """A modulus of 64 bits and a sum for which a Barrett quotient from bit 52 on would be two too small."""
    field, weight, row = PrimeField("unlucky", 18445062007413699787), 2**40 - 1, 18445062007363372729
    value = row * pow(2, -64, field.modulus) % field.modulus
    summed = field.combine([weight], [field.full(9, value)])
    assert canonical(field, summed) == [weight * value % field.modulus] * 9


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_largest_sums_of_products(field: PrimeField) -> None:
    """Products of p - 1 in Montgomery form, in numbers around the places where carries must be taken."""
    value = -pow(radix_of(field.modulus), -1, field.modulus) % field.modulus
    for count in (127, 128, 129, 1023, 1024, 1025, 2111):
        top = field.full(count, value)
        assert field.integers(field.dot(top, top)) == [count * value * value % field.modulus]
    for width in (128, 129, 300):
        rows = [field.full(9, value)] * width
        summed = field.matrix([[value] * width], rows)[0]
        assert canonical(field, summed) == [width * value * value % field.modulus] * 9


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
@pytest.mark.parametrize(
    ("rows", "inner", "width"), [(1, 1, 1), (2, 3, 1), (3, 2, 8), (4, 5, 11), (0, 2, 3), (2, 2, 0)]
)
def test_matrix_products(field: PrimeField, rows: int, inner: int, width: int) -> None:
    xs, ys = randoms(field, rows * inner), randoms(field, inner * width, seed=2)
    product = field.matrix_product(field.vector(xs), field.vector(ys), inner=inner)
    expected = [
        sum(xs[r * inner + k] * ys[k * width + c] for k in range(inner)) % field.modulus
        for r in range(rows)
        for c in range(width)
    ]
    assert canonical(field, product) == expected


@pytest.mark.parametrize("field", [SECP256K1, GOLDILOCKS], ids=lambda field: field.name)
def test_the_longest_sums_of_a_matrix_product(field: PrimeField) -> None:
    """As many products as one sum takes, of the largest limbs, and one more than that."""
    value = -pow(radix_of(field.modulus), -1, field.modulus) % field.modulus
    for inner in (MAX_ROWS, MAX_ROWS + 1):
        x, y = field.full(inner, value), field.full(9 * inner, value)
        product = field.matrix_product(x, y, inner=inner)
        assert canonical(field, product) == [inner * value * value % field.modulus] * 9


def test_matrix_products_refuse_what_is_no_matrix() -> None:
    for inner in (0, 2):
        with pytest.raises(ValueError, match="no matrices"):
            BN254.matrix_product(BN254.zeros(3), BN254.zeros(4), inner=inner)


@UNTIMED
@given(st.sampled_from(FIELDS), st.sampled_from(SIZES), st.data())
def test_random_bytes_map_as_documented(field: PrimeField, size: int, data: st.DataObject) -> None:
    length = field.random_bytes
    extremes = st.sampled_from([b"\x00" * length, b"\xff" * length])
    chunk = extremes | st.binary(min_size=length, max_size=length)
    chunks = data.draw(st.lists(chunk, min_size=size, max_size=size))
    expected = [
        int.from_bytes(piece, "little") * pow(radix_of(field.modulus), -2, field.modulus) % field.modulus
        for piece in chunks
    ]
    assert canonical(field, field.from_random_bytes(b"".join(chunks))) == expected


def test_random_bytes_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="not a multiple of 40"):
        BN254.from_random_bytes(b"\x00" * 41)
    with pytest.raises(ValueError, match="not a multiple of 16"):
        MERSENNE61.from_random_bytes(b"\x00" * 40)


@UNTIMED
@given(columns(1))
def test_the_wire_form_round_trips(given_columns: tuple[PrimeField, list[list[int]]]) -> None:
    field, (xs,) = given_columns
    x = field.vector(xs)
    data = field.to_bytes(x)
    assert len(data) == len(xs) * field.size_bytes
    back = field.from_bytes(data, len(xs))
    assert np.array_equal(back, x)
    assert back.flags.carray


@UNTIMED
@given(
    st.sampled_from(FIELDS),
    st.sampled_from([size for size in SIZES if size]),
    st.data(),
)
def test_a_row_not_below_p_is_malformed(field: PrimeField, size: int, data: st.DataObject) -> None:
    most = 2 ** (8 * field.size_bytes) - 1
    edge = st.sampled_from([field.modulus, field.modulus + 1, most])
    bad = data.draw(edge | st.integers(field.modulus, most))
    rows = [field.modulus - 1] * size
    rows[data.draw(st.integers(0, size - 1))] = bad
    wire = b"".join(row.to_bytes(field.size_bytes, "little") for row in rows)
    with pytest.raises(MalformedMessage, match="not below the modulus"):
        field.from_bytes(wire, size)


def test_a_wrong_length_is_malformed() -> None:
    for length, count in ((31, 1), (0, 1), (32, 0), (64, 1), (33, 1)):
        with pytest.raises(MalformedMessage, match="are not"):
            BN254.from_bytes(b"\x00" * length, count)


def test_bytes_need_no_alignment() -> None:
    x = BN254.vector(randoms(BN254, 9))
    data = memoryview(b"\x01" + BN254.to_bytes(x))[1:]
    assert np.array_equal(BN254.from_bytes(bytes(data), 9), x)
    assert np.array_equal(BN254.from_bytes(data, 9), x)


@UNTIMED
@given(columns(2), st.integers(0, 4), st.integers(1, 7), st.data())
def test_shares_are_the_polynomials_at_the_points(
    given_columns: tuple[PrimeField, list[list[int]]], degree: int, parties: int, data: st.DataObject
) -> None:
    field, (xs, ys) = given_columns
    modulus = field.modulus
    lists = [data.draw(st.lists(elements(field), min_size=len(xs), max_size=len(xs))) for _ in range(degree)]
    coefficients = [field.vector(values) for values in lists]

    def at(point: int, secrets: list[int]) -> list[int]:
        return [
            (secret + sum(line[i] * point ** (k + 1) for k, line in enumerate(lists))) % modulus
            for i, secret in enumerate(secrets)
        ]

    x, y = field.vector(xs), field.vector(ys)
    products = [a * b for a, b in zip(xs, ys, strict=True)]
    shares = field.share(x, coefficients, parties)
    assert [canonical(field, share) for share in shares] == [at(i, xs) for i in range(1, parties + 1)]
    shares = field.multiply_and_share(x, y, coefficients=coefficients, parties=parties)
    assert [canonical(field, share) for share in shares] == [at(i, products) for i in range(1, parties + 1)]


def test_shares_of_a_degree_whose_powers_are_heavy() -> None:
    field, degree, parties = BN254, 12, 31
    lists = [randoms(field, 9, seed) for seed in range(degree)]
    xs, ys = randoms(field, 9, 100), randoms(field, 9, 101)
    shares = field.multiply_and_share(
        field.vector(xs), field.vector(ys), coefficients=[field.vector(line) for line in lists], parties=parties
    )
    for point, share in enumerate(shares, start=1):
        masks = [sum(line[i] * point ** (k + 1) for k, line in enumerate(lists)) for i in range(9)]
        assert canonical(field, share) == [
            (a * b + m) % field.modulus for a, b, m in zip(xs, ys, masks, strict=True)
        ]


def test_any_layout_enters_and_nothing_is_changed() -> None:
    field = BN254
    xs = randoms(field, 18)
    x = field.vector(xs)
    read_only = x.copy()
    read_only.flags.writeable = False
    layouts = [np.asfortranarray(x), x.repeat(2, axis=0)[::2], read_only, x[::-1].copy()[::-1]]
    expected = [a * b % field.modulus for a, b in zip(xs, xs, strict=True)]
    for layout in layouts:
        before = layout.copy()
        assert field.integers(field.mul(layout, layout)) == expected
        assert field.integers(field.combine([2, -1], [layout, x])) == xs
        assert field.integers(layout) == xs
        assert np.array_equal(layout, before)


def test_wrong_shapes_and_lengths_are_refused() -> None:
    field = BN254
    two, three = field.zeros(2), field.zeros(3)
    wrong_type: Any = np.zeros((2, 4), dtype=np.int64)
    for operation in (field.add, field.sub, field.mul, field.dot):
        with pytest.raises(ValueError, match="lengths must be equal"):
            operation(two, three)
    with pytest.raises(ValueError, match="uint64 array"):
        field.neg(np.zeros((2, 5), dtype=np.uint64))
    with pytest.raises(ValueError, match="uint64 array"):
        field.integers(wrong_type)
    with pytest.raises(ValueError, match=r"an \(n, 1\) uint64 array"):
        GOLDILOCKS.add(two, two)
    with pytest.raises(ValueError, match="different lengths"):
        field.combine([1, 2], [two, three])
    with pytest.raises(ValueError, match="0 vectors"):
        field.combine([], [])
    with pytest.raises(ValueError, match="coefficients"):
        field.combine([1], [two, two])
    with pytest.raises(ValueError, match="0 parties"):
        field.share(two, [two], 0)
