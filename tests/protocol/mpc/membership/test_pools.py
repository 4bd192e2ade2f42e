from __future__ import annotations

import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    BIT,
    DOUBLE,
    SHARE,
    TRIPLE,
    Item,
    Party,
    PartyId,
    Plan,
    integer,
    multiply,
    preprocess,
    run_local,
)
from quorate.protocol.mpc.membership import Handover, reshare_items
from quorate.protocol.sharing import check_degree, reconstruct, share
from quorate.protocol.simulation import SeededRandomness, simulated_committee

PLAN = Plan({TRIPLE: 4, BIT: 30, integer(9): 5, SHARE: 3})
MOVE = Handover(
    tuple(PartyId(number) for number in (1, 2, 3)), 1, tuple(PartyId(number) for number in (3, 4, 5, 6, 7)), 2
)


def joint_parties():
    return [
        Party(BN254, PartyId(number), parties=7, threshold=0, randomness=SeededRandomness(2, f"party {number}"))
        for number in range(1, 8)
    ]


def made(plan):
    """What each of three parties has made, by its number."""
    members = simulated_committee(BN254, parties=3, threshold=1, seed=3)
    run_local([preprocess(member, plan) for member in members])
    return {
        member.identity: {item: member.pool.take_columns(item, count) for item, count in plan.items()}
        for member in members
    }


def handed_over(plan, items):
    dealer = SeededRandomness(9, "checks")
    checks = share(BN254, BN254.from_random_bytes(dealer(80)), parties=3, threshold=1, randomness=dealer)
    protocols = [
        reshare_items(
            party,
            MOVE,
            plan=plan,
            items=items.get(party.identity),
            checks=checks[party.identity - 1] if party.identity <= 3 else None,
        )
        for party in joint_parties()
    ]
    return run_local(protocols)


def values(held, threshold):
    return BN254.integers(reconstruct(BN254, held, threshold=threshold))


def test_items_keep_their_values_and_get_the_new_degree():
    items = made(PLAN)
    results = handed_over(PLAN, items)
    assert results[0] is None
    assert results[1] is None
    for item, count in PLAN.items():
        columns = len(items[PartyId(1)][item])
        for column in range(columns):
            before = {party: own[item][column] for party, own in items.items()}
            after = {PartyId(point): results[member - 1][item][column] for point, member in enumerate(MOVE.new, 1)}
            assert values(before, 1) == values(after, 2)
            assert len(after[PartyId(1)]) == count
            assert not check_degree(BN254, after, degree=1)


def test_the_new_committee_computes_with_them():
    results = handed_over(PLAN, made(PLAN))
    fresh = simulated_committee(BN254, parties=5, threshold=2, seed=4)
    for point, member in enumerate(MOVE.new):
        for item, columns in results[member - 1].items():
            fresh[point].pool.put(item, *columns)
    assert fresh[0].pool.stock == PLAN
    triples = [party.pool.take_columns(TRIPLE, 4) for party in fresh]
    products = run_local([multiply(party, a, b) for party, (a, b, _) in zip(fresh, triples, strict=True)])
    held = {PartyId(point): own for point, own in enumerate(products, 1)}
    expected = {PartyId(point): own[2] for point, own in enumerate(triples, 1)}
    assert values(held, 2) == values(expected, 2)


def test_an_empty_plan_hands_over_nothing():
    results = handed_over(Plan(), {PartyId(number): {} for number in (1, 2, 3)})
    assert results[:2] == [None, None]
    assert results[2:] == [{}] * 5


@pytest.mark.parametrize("item", [DOUBLE, Item("dual bit")])
def test_what_has_another_degree_or_field_is_refused(item):
    party = joint_parties()[6]
    with pytest.raises(ValueError, match="cannot be handed over"):
        next(reshare_items(party, MOVE, plan=Plan({item: 1}), items=None, checks=None))


def test_columns_that_are_not_those_of_the_plan_are_refused():
    party = joint_parties()[0]
    for items in ({}, {SHARE: (BN254.zeros(2),)}):
        with pytest.raises(ValueError, match="not those of the plan"):
            next(reshare_items(party, MOVE, plan=Plan(shares=3), items=items, checks=BN254.zeros(2)))
