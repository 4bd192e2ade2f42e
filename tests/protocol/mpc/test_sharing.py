from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254, Vector
from quorate.protocol.sharing import (
    InconsistentShares,
    PartyId,
    decode,
    lagrange_coefficients,
    lagrange_fractions,
    reconstruct,
    share,
)
from quorate.protocol.simulation import SeededRandomness

ELEMENTS = st.integers(0, BN254.modulus - 1)
COMMITTEES = st.sampled_from([(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 2), (10, 3), (13, 4), (16, 7), (64, 21)])


def deal(values: list[int], parties: int, threshold: int, seed: int = 1) -> dict[PartyId, Vector]:
    shares = share(
        BN254,
        BN254.vector(values),
        parties=parties,
        threshold=threshold,
        randomness=SeededRandomness(seed, "dealer"),
    )
    return {PartyId(number): row for number, row in enumerate(shares, start=1)}


def spoil(shares: dict[PartyId, Vector], party: int, column: int) -> None:
    changed = shares[PartyId(party)].copy()
    changed[column] = BN254.add_constant(changed[column : column + 1], 1)[0]
    shares[PartyId(party)] = changed


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.lists(ELEMENTS, min_size=1, max_size=4), COMMITTEES, st.randoms(use_true_random=False))
def test_any_threshold_plus_one_shares_reconstruct(values, committee, random):
    parties, threshold = committee
    shares = deal(values, parties, threshold)
    for size in (threshold + 1, parties):
        chosen = random.sample(sorted(shares), size)
        some = {party: shares[party] for party in chosen}
        assert BN254.integers(reconstruct(BN254, some, threshold=threshold)) == values


def test_lagrange_coefficients_at_zero_are_signed_binomials():
    for count in range(1, 12):
        expected = tuple((-1) ** (point - 1) * comb(count, point) for point in range(1, count + 1))
        assert lagrange_coefficients(BN254.modulus, range(1, count + 1)) == expected


def test_a_fractional_coefficient_is_its_field_element():
    assert lagrange_fractions((1, 3)) == (Fraction(3, 2), Fraction(-1, 2))
    first, second = lagrange_coefficients(BN254.modulus, (1, 3))
    assert (2 * first - 3) % BN254.modulus == 0
    assert (2 * second + 1) % BN254.modulus == 0


def test_equal_points_are_refused():
    with pytest.raises(ValueError, match="must differ"):
        lagrange_fractions((1, 2, 1))


def test_an_impossible_threshold_is_refused():
    with pytest.raises(ValueError, match="no threshold"):
        deal([1], 3, 3)


def test_too_few_shares_are_refused():
    shares = deal([5], 5, 2)
    few = {party: shares[party] for party in sorted(shares)[:2]}
    for function in (reconstruct, decode):
        with pytest.raises(ValueError, match="cannot reconstruct"):
            function(BN254, few, threshold=2)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.sampled_from([(4, 1), (5, 1), (7, 2), (10, 3), (13, 4)]), st.data())
def test_up_to_threshold_wrong_parties_are_named_and_corrected(committee, data):
    parties, threshold = committee
    values = [0, 1, BN254.modulus - 1, 7, 8]
    shares = deal(values, parties, threshold)
    wrong = data.draw(st.sets(st.integers(1, parties), min_size=1, max_size=threshold))
    for party in wrong:
        for column in data.draw(st.sets(st.integers(0, 4), min_size=1)):
            spoil(shares, party, column)
    decoded = decode(BN254, shares, threshold=threshold)
    assert decoded.wrong == wrong
    assert BN254.integers(decoded.secrets) == values
    with pytest.raises(InconsistentShares) as caught:
        reconstruct(BN254, shares, threshold=threshold)
    assert set(caught.value.suspects) == wrong


def test_in_between_some_wrong_parties_are_named_and_more_are_not():
    """Six shares at threshold two: one liar leaves five that agree, so three honest ones among them."""
    shares = deal([3, 4], 6, 2)
    spoil(shares, 2, 1)
    assert decode(BN254, shares, threshold=2).wrong == {2}
    spoil(shares, 5, 0)
    with pytest.raises(InconsistentShares):
        decode(BN254, shares, threshold=2)


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2), (9, 4)])
def test_a_wrong_share_is_found_but_not_named_by_a_small_committee(parties, threshold):
    shares = deal([3, 4], parties, threshold)
    spoil(shares, 2, 1)
    with pytest.raises(InconsistentShares) as caught:
        reconstruct(BN254, shares, threshold=threshold)
    assert caught.value.suspects == ()


def test_more_wrong_parties_than_the_threshold_are_not_explained_away():
    shares = deal([3] * 3, 7, 2)
    for party, column in ((1, 0), (2, 1), (5, 2)):
        spoil(shares, party, column)
    with pytest.raises(InconsistentShares) as caught:
        decode(BN254, shares, threshold=2)
    assert caught.value.suspects == ()


def test_errors_do_not_quote_shares():
    shares = deal([123456789], 4, 1)
    spoil(shares, 3, 0)
    with pytest.raises(InconsistentShares) as caught:
        reconstruct(BN254, shares, threshold=1)
    text = str(caught.value)
    assert "party 3" in text
    assert not any(str(number) in text for row in shares.values() for number in BN254.integers(row))


def test_shares_of_one_party_are_uniform_in_the_low_bits():
    for value in (0, BN254.modulus // 2):
        row = deal([value] * 4096, 3, 1, seed=9)[PartyId(2)]
        counts = np.bincount([number & 15 for number in BN254.integers(row)], minlength=16)
        assert ((counts - 256.0) ** 2 / 256.0).sum() < 50
