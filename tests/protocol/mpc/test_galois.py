from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol.mpc import InconsistentShares, PartyId
from quorate.protocol.mpc.galois import (
    combine,
    inverse,
    lagrange_elements,
    multiply_elements,
    product,
    reconstruct_elements,
    scale,
    share_elements,
)
from quorate.protocol.simulation import SeededRandomness

ELEMENTS = st.integers(0, 255)


def test_products_of_the_standard():
    # FIPS 197, section 4.2
    assert product(0x57, 0x83) == 0xC1
    assert product(0x57, 0x13) == 0xFE


def test_the_table_holds_every_product():
    x, y = (side.reshape(-1).astype(np.uint8) for side in np.meshgrid(np.arange(256), np.arange(256)))
    expected = [product(int(a), int(b)) for a, b in zip(x, y, strict=True)]
    assert multiply_elements(x, y).tolist() == expected


@given(ELEMENTS, ELEMENTS, ELEMENTS)
def test_it_is_a_ring(x, y, z):
    assert product(x, y) == product(y, x)
    assert product(x, product(y, z)) == product(product(x, y), z)
    assert product(x, y ^ z) == product(x, y) ^ product(x, z)


@given(st.integers(1, 255))
def test_it_is_a_field(x):
    assert product(x, inverse(x)) == 1


def test_zero_has_no_inverse():
    with pytest.raises(ZeroDivisionError):
        inverse(0)


def test_scaling_and_sums_leave_their_arguments_alone():
    rows = [np.arange(9, dtype=np.uint8), np.full(9, 7, dtype=np.uint8)]
    assert combine([1, 3], rows).tolist() == [value ^ product(3, 7) for value in range(9)]
    assert combine([0, 1], rows).tolist() == [7] * 9
    assert scale(rows[0], 0).tolist() == [0] * 9
    assert rows[0].tolist() == list(range(9))
    with pytest.raises(ValueError, match="rows"):
        combine([], [])


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (64, 31)])
def test_shares_reconstruct_and_wrong_ones_are_seen(parties, threshold):
    secrets = np.arange(256, dtype=np.uint8)
    randomness = SeededRandomness(5, "galois")
    rows = share_elements(secrets, parties=parties, threshold=threshold, randomness=randomness)
    shares = {PartyId(index): row for index, row in enumerate(rows, start=1)}
    assert np.array_equal(reconstruct_elements(shares, threshold=threshold), secrets)
    few = {party: shares[party] for party in list(shares)[-threshold - 1 :]}
    assert np.array_equal(reconstruct_elements(few, threshold=threshold), secrets)
    if parties > threshold + 1:
        shares[PartyId(parties)] = shares[PartyId(parties)] ^ np.uint8(1)
        with pytest.raises(InconsistentShares):
            reconstruct_elements(shares, threshold=threshold)
    with pytest.raises(ValueError, match="cannot reconstruct"):
        reconstruct_elements(dict(list(shares.items())[:threshold]), threshold=threshold)


def test_interpolation_points_differ():
    with pytest.raises(ValueError, match="differ"):
        lagrange_elements((1, 2, 1))
    with pytest.raises(ValueError, match="threshold"):
        share_elements(np.zeros(1, dtype=np.uint8), parties=3, threshold=3, randomness=bytes)
