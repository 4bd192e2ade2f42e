"""Fields as values: scalars, equality, pickling, and what makes a modulus acceptable."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254, PrimeField


@settings(deadline=None, derandomize=True)
@given(st.integers(), st.integers(-(2**70), 2**300))
def test_inverses_and_powers(value: int, exponent: int) -> None:
    modulus = BN254.modulus
    if value % modulus == 0:
        with pytest.raises(ZeroDivisionError, match="bn254"):
            BN254.inverse(value)
        return
    inverse = BN254.inverse(value)
    assert type(inverse) is int
    assert inverse * value % modulus == 1
    assert BN254.power(value, exponent) == pow(value, exponent, modulus)


def test_zero_has_no_negative_power() -> None:
    assert BN254.power(0, 5) == 0
    assert BN254.power(0, 0) == 1
    with pytest.raises(ZeroDivisionError):
        BN254.power(BN254.modulus, -1)


def test_a_field_is_a_value() -> None:
    same = PrimeField("bn254", BN254.modulus)
    assert same == BN254
    assert hash(same) == hash(BN254)
    assert pickle.loads(pickle.dumps(BN254)) == BN254
    assert PrimeField("bn254", 2**255 - 19) != BN254
    assert repr(BN254) == f"PrimeField(name='bn254', modulus={BN254.modulus})"
    assert BN254.size_bytes == 32
    assert BN254.limbs == 4
    assert BN254.random_bytes == 40


@pytest.mark.parametrize(
    "modulus",
    [0, 1, 2, -7, 2**61 - 1, 2**256 - 2**32 - 977, BN254.modulus - 2, 2**223, (2**112 + 75) * (2**113 + 3)],
)
def test_other_moduli_are_refused(modulus: int) -> None:
    with pytest.raises(ValueError, match="the modulus must be a prime of 224 to 255 bits"):
        PrimeField("other", modulus)
