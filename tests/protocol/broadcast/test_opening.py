from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import Opened, open_online
from quorate.protocol.field import BN254
from quorate.protocol.sharing import PartyId

from .network import SIZES

MODULUS = BN254.modulus


def shares_of(secret: int, threshold: int, parties: int, random: Random) -> dict[PartyId, int]:
    coefficients = [secret, *(random.randrange(MODULUS) for _ in range(threshold))]
    return {
        PartyId(point): sum(c * point**power for power, c in enumerate(coefficients)) % MODULUS
        for point in range(1, parties + 1)
    }


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 0), *SIZES, (11, 3), (64, 21)])
@given(seed=st.integers(0, 2**32))
@settings(max_examples=15)
def test_a_secret_opens_as_soon_as_enough_shares_agree(parties: int, threshold: int, seed: int) -> None:
    """In any order of arrival: never a wrong secret, and never later than 2t + 1 right shares and r wrong ones."""
    random = Random(seed)
    secret = random.choice([0, 1, MODULUS - 1, random.randrange(MODULUS)])
    shares = shares_of(secret, threshold, parties, random)
    liars = set(random.sample(sorted(shares), random.randint(0, threshold)))
    for liar in liars:
        shares[liar] = (shares[liar] + random.randrange(1, MODULUS)) % MODULUS
    order = random.sample(sorted(shares), parties)
    came: dict[PartyId, int] = {}
    for party in order:
        came[party] = shares[party]
        opened = open_online(came, threshold=threshold, modulus=MODULUS)
        right = len(set(came) - liars)
        if right >= 2 * threshold + 1:
            assert opened == Opened(secret, frozenset(liars & set(came)))
        else:
            assert opened is None


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_liars_who_agree_on_another_polynomial_do_not_convince(parties: int, threshold: int) -> None:
    random = Random(parties)
    right = shares_of(5, threshold, parties, random)
    other = shares_of(6, threshold, parties, random)
    shares = {party: (other if party <= threshold else right)[party] for party in right}
    opened = open_online(shares, threshold=threshold, modulus=MODULUS)
    assert opened == Opened(5, frozenset(PartyId(party) for party in range(1, threshold + 1)))


def test_beyond_the_threshold_liars_choose_the_secret() -> None:
    """t + 1 liars with knowledge of t right shares make 2t + 1 that agree on what they like."""
    threshold = 1
    right = shares_of(5, threshold, 4, Random(1))
    points = {0: 6, 1: right[PartyId(1)]}
    slope = (points[1] - points[0]) % MODULUS
    lies = {PartyId(point): (6 + slope * point) % MODULUS for point in (2, 3)}
    opened = open_online({PartyId(1): right[PartyId(1)], **lies}, threshold=threshold, modulus=MODULUS)
    assert opened == Opened(6, frozenset())


def test_an_opened_secret_is_not_in_the_repr() -> None:
    assert "12345" not in repr(Opened(12345, frozenset()))
