"""Integers of numpy arrays, bytes and bits in and out of vectors, against Python integers."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from quorate.protocol.field import BN254, GOLDILOCKS, MERSENNE61, PrimeField

pytestmark = pytest.mark.usefixtures("kernels")
SIGNED = [
    0,
    1,
    -1,
    2,
    -2,
    2**31,
    -(2**31),
    2**52,
    2**60,
    -(2**60),
    2**61 - 1,
    2**62,
    2**63 - 1,
    -(2**63),
    -(2**63) + 1,
]
UNSIGNED = [
    0,
    1,
    2**32,
    2**52 - 1,
    2**61 - 1,
    2**61,
    2**63 - 1,
    2**63,
    2**64 - 2**32,
    2**64 - 2**32 + 1,
    2**64 - 1,
]


def nearest(value: int, modulus: int) -> int:
    return (value + modulus // 2) % modulus - modulus // 2


def numbers(field: PrimeField, count: int) -> list[int]:
    generator, modulus = random.Random(1), field.modulus
    return [0, 1, 2, modulus - 1, modulus // 2, *(generator.randrange(modulus) for _ in range(count))]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (SIGNED, np.int64),
        (UNSIGNED, np.uint64),
        ([-(2**31), -1, 0, 2**31 - 1], np.int32),
        ([0, 255], np.uint8),
        ([True, False, True], np.bool_),
        ([], np.int64),
    ],
)
def test_arrays_of_integers_become_elements(field: PrimeField, values: list[int], kind: Any) -> None:
    vector = field.from_small(np.array(values, dtype=kind))
    assert vector.shape == (len(values), field.limbs)
    assert field.integers(vector) == [int(value) % field.modulus for value in values]
    assert np.array_equal(vector, field.vector(values))


def test_slices_of_arrays_become_elements() -> None:
    values = np.arange(-20, 20)
    for field in (BN254, GOLDILOCKS):
        assert field.integers(field.from_small(values[::-3])) == [int(v) % field.modulus for v in values[::-3]]


@pytest.mark.parametrize("array", [np.zeros(3), np.zeros((2, 2), dtype=np.int64), np.array(["1"])])
def test_other_arrays_are_refused(array: Any) -> None:
    with pytest.raises(ValueError, match="machine integers are a flat array of integers"):
        BN254.from_small(array)


def test_elements_near_zero_become_machine_integers(field: PrimeField) -> None:
    back = field.to_small(field.vector(SIGNED))
    assert back.dtype == np.int64
    expected = SIGNED if field.limbs > 1 else [nearest(value, field.modulus) for value in SIGNED]
    assert back.tolist() == expected
    assert field.to_small(field.zeros(0)).shape == (0,)


def test_every_element_of_one_word_is_a_machine_integer() -> None:
    for field in (MERSENNE61, GOLDILOCKS):
        values = numbers(field, 20)
        assert field.to_small(field.vector(values)).tolist() == [nearest(value, field.modulus) for value in values]


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 2**64, 2**127, BN254.modulus // 2])
def test_elements_out_of_range_overflow(value: int) -> None:
    with pytest.raises(OverflowError, match="an element of bn254 is not in the signed 64-bit range"):
        BN254.to_small(BN254.vector([1, value, 2]))


@pytest.mark.parametrize("size", [1, 3, 7, 8, 9, 16, 17, 31, 32])
def test_integers_from_bytes(field: PrimeField, size: int) -> None:
    data = random.Random(size).randbytes(11 * size) + b"\xff" * size + b"\x00" * size
    expected = [int.from_bytes(data[at : at + size], "little") % field.modulus for at in range(0, len(data), size)]
    assert field.integers(field.from_small_bytes(data, size)) == expected
    assert field.integers(field.from_small_bytes(memoryview(data), size)) == expected
    assert len(field.from_small_bytes(b"", size)) == 0


def test_integers_from_bytes_of_other_sizes_are_refused() -> None:
    for size in (0, -1, 33):
        with pytest.raises(ValueError, match="1 to 32 are taken"):
            BN254.from_small_bytes(b"\x00" * 33, size)
    with pytest.raises(ValueError, match="7 bytes are not integers of 2 bytes each"):
        BN254.from_small_bytes(b"\x00" * 7, 2)


def test_bits_of_canonical_integers(field: PrimeField) -> None:
    values = numbers(field, 12)
    x = field.vector(values)
    for count in (0, 1, 7, 8, 9, 32, 63, 64, 64 * field.limbs):
        bits = field.bits(x, count)
        assert bits.dtype == np.bool_
        assert bits.shape == (count, len(values))
        assert bits.tolist() == [[bool(value >> place & 1) for value in values] for place in range(count)]
    for count in (-1, 64 * field.limbs + 1):
        with pytest.raises(ValueError, match=f"0 to {64 * field.limbs} are there"):
            field.bits(x, count)


def test_bits_make_elements(field: PrimeField) -> None:
    values = numbers(field, 12)
    x = field.vector(values)
    assert np.array_equal(field.from_bits(field.bits(x, 64 * field.limbs)), x)
    assert field.integers(field.from_bits(field.bits(x, 13))) == [value % 2**13 for value in values]
    most = 256 if field.limbs > 1 else 128
    assert (
        field.integers(field.from_bits(np.ones((most, 2), dtype=np.bool_))) == [(2**most - 1) % field.modulus] * 2
    )
    assert field.integers(field.from_bits(np.ones((0, 2), dtype=np.bool_))) == [0, 0]
    for wrong in (np.ones((most + 1, 2), dtype=np.bool_), np.ones(3, dtype=np.bool_), np.ones((2, 2))):
        refused: Any = wrong
        with pytest.raises(ValueError, match="bits are a bool array"):
            field.from_bits(refused)


def test_zeros_are_found(field: PrimeField) -> None:
    values = numbers(field, 6)
    x = field.vector(values)
    assert field.is_zero(x).tolist() == [value == 0 for value in values]
    assert field.is_zero(field.sub(x, x)).all()
    assert field.is_zero(x[::-2]).tolist() == [value == 0 for value in values[::-2]]
    assert field.is_zero(field.zeros(0)).shape == (0,)
