"""Fields as values: scalars, equality, pickling, and what makes a modulus acceptable."""

from __future__ import annotations

import pickle
from importlib import import_module
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import (
    BLS12_381,
    BN254,
    BN254_BASE,
    ED25519,
    GOLDILOCKS,
    MERSENNE61,
    P256,
    SECP256K1,
    PrimeField,
)

gmpy2: Any = import_module("gmpy2")  # it ships no types
NAMED = (BN254, BN254_BASE, BLS12_381, SECP256K1, P256, ED25519, GOLDILOCKS, MERSENNE61)


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


@pytest.mark.parametrize("field", NAMED, ids=lambda field: field.name)
def test_named_fields(field: PrimeField) -> None:
    large = field.modulus.bit_length() > 64
    assert field.limbs == (4 if large else 1)
    assert field.size_bytes == (32 if large else 8)
    assert field.random_bytes == (40 if large else 16)
    assert pickle.loads(pickle.dumps(field)) == field
    assert field.inverse(3) * 3 % field.modulus == 1


def test_the_named_fields_are_those_of_their_curves() -> None:
    """What a standard curve says of its own order: the scalar fields hold the orders that `cryptography` uses."""
    for curve, field in ((ec.SECP256K1(), SECP256K1), (ec.SECP256R1(), P256)):
        assert ec.derive_private_key(field.modulus - 1, curve).private_numbers().private_value == field.modulus - 1
        with pytest.raises(ValueError, match=r".*"):
            ec.derive_private_key(field.modulus, curve)
    parameter = 4965661367192848881
    assert BN254.modulus == 36 * parameter**4 + 36 * parameter**3 + 18 * parameter**2 + 6 * parameter + 1
    assert BN254_BASE.modulus == 36 * parameter**4 + 36 * parameter**3 + 24 * parameter**2 + 6 * parameter + 1
    parameter = -0xD201000000010000
    assert BLS12_381.modulus == parameter**4 - parameter**2 + 1


@pytest.mark.parametrize("bits", [32, 33, 63, 64, 224, 225, 255, 256])
def test_the_shortest_and_longest_moduli_are_taken(bits: int) -> None:
    for modulus in (gmpy2.next_prime(1 << (bits - 1)), gmpy2.prev_prime(1 << bits)):
        field = PrimeField("edge", int(modulus))
        x = field.vector([2, field.modulus - 1])
        assert field.integers(field.mul(x, x)) == [4, 1]


@pytest.mark.parametrize(
    "modulus",
    [
        *(0, 1, 2, -7, 65537, 2**31 - 1, 2**89 - 1, 2**127 - 1, 2**257 + 297, BN254.modulus - 2, 2**223),
        *((2**112 + 75) * (2**113 + 3), 2**61, 2**62 - 57 + 2, (2**31 - 1) * (2**19 - 1)),
    ],
)
def test_other_moduli_are_refused(modulus: int) -> None:
    with pytest.raises(ValueError, match="the modulus must be a prime of 32 to 64 or of 224 to 256 bits"):
        PrimeField("other", modulus)
