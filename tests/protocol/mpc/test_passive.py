from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault
from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    Deadlock,
    Exchange,
    InconsistentShares,
    Party,
    PartyId,
    batches,
    inner_products,
    matrix_product,
    multiply,
    open_shares,
    set_up,
    together,
)
from quorate.protocol.mpc.dealing import Dealt, plan_dealing
from quorate.protocol.mpc.passive import open_degree, reduce_degree
from quorate.protocol.mpc.random_sharings import deal_random, deal_zero
from quorate.protocol.sharing import reconstruct

SIZES = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (5, 2), (7, 3), (9, 2), (16, 5), (16, 7)]
ELEMENTS = st.integers(0, BN254.modulus - 1)


def centred(value: int) -> int:
    value %= BN254.modulus
    return value - BN254.modulus if value > BN254.modulus // 2 else value


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_products(committee, parties, threshold):
    values = [0, 1, -1, 2**63 - 1, -(2**63), BN254.modulus // 2, 12345]
    others = [7, -1, -1, 2**63 - 1, -(2**63), 2, 0]
    expected = [centred(x * y) for x, y in zip(values, others, strict=True)]
    assert committee(parties, threshold).compute(multiply, values, others) == expected


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(st.tuples(ELEMENTS, ELEMENTS), max_size=5), st.sampled_from(SIZES), st.integers(0, 99))
def test_products_of_any_elements(committee, pairs, size, seed):
    x, y = ([pair[side] for pair in pairs] for side in (0, 1))
    assert committee(*size, seed=seed).compute(multiply, x, y) == [centred(a * b) for a, b in pairs]


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (4, 1), (5, 1), (5, 2), (7, 3), (16, 5)])
def test_a_dealer_sends_n_minus_1_minus_t_elements(committee, parties, threshold):
    group = committee(parties, threshold)
    group.run(set_up)
    x, y = group.share([3] * 10), group.share([4] * 10)
    before = [party.statistics.bytes_sent for party in group.parties]
    group.run(multiply, x, y)
    for party, sent in zip(group.parties, before, strict=True):
        is_dealer = party.identity <= 2 * threshold + 1
        expected = 10 * 32 * (parties - 1 - threshold) if is_dealer else 0
        assert party.statistics.bytes_sent - sent == expected
        assert party.statistics.rounds == 2
        assert party.statistics.multiplications == 10


def test_statistics_of_an_opening(three):
    three.open(three.share([1, 2, 3]))
    statistics = three.first.statistics
    assert (statistics.rounds, statistics.opened) == (1, 3)
    assert statistics.bytes_sent == statistics.bytes_received == 2 * 3 * 32


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_random_sharings_have_the_degree_and_differ(committee, parties, threshold):
    group = committee(parties, threshold)
    values = group.open(group.run(deal_random, 12))
    assert len(set(values)) == 12


def test_three_parties_deal_random_sharings_in_silence(three):
    three.run(set_up)
    three.run(deal_random, 100)
    assert three.first.statistics.rounds == 1
    assert three.first.statistics.bytes_sent == 2 * 16


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_zero_sharings_open_to_zero_at_both_degrees(committee, parties, threshold):
    for degree in (threshold, 2 * threshold):
        group = committee(parties, threshold)
        shares = group.run(deal_zero, 9, degree=degree)
        opened = group.run(open_degree, shares, degree=degree)
        assert not any(row.any() for row in opened)
        if degree:
            assert all(row.any() for row in shares)


def test_a_zero_sharing_of_degree_2t_is_not_one_of_degree_t(committee):
    group = committee(5, 2)
    shares = group.run(deal_zero, 3, degree=4)
    with pytest.raises(InconsistentShares):
        reconstruct(BN254, {PartyId(i): row for i, row in enumerate(shares, start=1)}, threshold=2)


def test_a_sum_of_products_costs_one_multiplication(three):
    rows = [three.share([value, -value]) for value in range(1, 6)]
    local = []
    for index in range(3):
        total = BN254.zeros(2)
        for row in rows:
            total = BN254.add(total, BN254.mul(row[index], row[index]))
        local.append(total)
    assert three.open(three.run(reduce_degree, local)) == [55, 55]


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_an_inner_product_costs_one_multiplication(committee, parties, threshold):
    group = committee(parties, threshold)
    x, y = [1, 2, 3, -4, 5, 6], [7, -8, 9, 10, 11, 12]
    assert group.compute(inner_products, x, y, length=3) == [18, 87]
    assert group.first.statistics.multiplications == 2


def test_a_matrix_product_costs_an_element_a_result(three):
    x, y = [1, 2, 3, 4, 5, 6], [1, 0, -1, 2, 5, 7]
    assert three.compute(matrix_product, x, y, inner=3) == [14, 25, 29, 52]
    assert three.first.statistics.multiplications == 4


def test_operations_refuse_shapes_that_do_not_fit(three):
    one, two = three.share([1, 2, 3]), three.share([1, 2])
    with pytest.raises(ValueError, match="lengths must be equal"):
        three.run(multiply, one, two)
    with pytest.raises(ValueError, match="no runs of 2"):
        three.run(inner_products, one, one, length=2)
    with pytest.raises(ValueError, match="inner size 2"):
        three.run(matrix_product, one, two, inner=2)


def test_long_vectors_are_cut_and_joined(three, monkeypatch):
    monkeypatch.setattr(batches, "MAX_ROUND_ELEMENTS", 4)
    values = list(range(-5, 6))
    assert three.compute(multiply, values, values) == [value * value for value in values]
    assert three.first.statistics.rounds == 1 + 3 + 3


def test_a_plan_has_small_integer_coefficients_that_interpolate():
    for dealt in Dealt:
        plan = plan_dealing(2, parties=7, degree=3, dealt=dealt, weight=-35)
        assert 2 not in plan.seeded
        assert sorted((*plan.seeded, *plan.computed)) == list(range(1, 8))
        assert plan.computed[0] == 2
        assert all(abs(entry) < 1 << 30 for row in plan.coefficients for entry in row)


def test_together_shares_rounds_and_keeps_results_apart(three):
    x, y = three.share([2, 3]), three.share([5, 7])
    three.run(set_up)
    before = three.first.statistics.rounds

    def chain(party: Party, a, b):
        product = yield from multiply(party, a, b)
        return (yield from multiply(party, product, b))

    def side_by_side(party: Party, a, b):
        return (yield from together(party, multiply(party, a, b), chain(party, a, b), open_shares(party, a)))

    results = three.run(side_by_side, x, y)
    assert three.first.statistics.rounds - before == 2
    assert three.open([row[0] for row in results]) == [10, 21]
    assert three.open([row[1] for row in results]) == [50, 147]
    assert BN254.integers(results[1][2]) == [2, 3]


def test_together_ends_all_protocols_when_one_fails(three):
    closed = []

    def patient(party: Party):
        try:
            yield Exchange({}, {})
            yield Exchange({}, {})
        finally:
            closed.append(party.identity)

    def failing(party: Party):
        yield Exchange({}, {})
        raise PartyFault(3, "test")

    with pytest.raises(PartyFault, match="party 3"):
        three.run(lambda party: together(party, patient(party), failing(party)))
    assert closed


@pytest.mark.parametrize(
    "message",
    [b"", b"\0" * 31, b"\0" * 33, b"\xff" * 32, BN254.modulus.to_bytes(32, "little"), None],
    ids=["empty", "short", "long", "too large", "the modulus", "absent"],
)
def test_malformed_messages_name_their_sender(three, message):
    protocol = open_shares(three.first, three.share([5])[0])
    exchange = next(protocol)
    assert exchange.incoming == {2: 32, 3: 32}
    replies = {PartyId(2): BN254.to_bytes(BN254.vector([1]))}
    if message is not None:
        replies[PartyId(3)] = message
    with pytest.raises(PartyFault) as caught:
        protocol.send(replies)
    assert caught.value.party == 3


def test_an_opening_with_a_wrong_share_stops(committee):
    for size, suspects in (((3, 1), ()), ((4, 1), (2,))):
        group = committee(*size)
        shares = group.share([5, 6])
        shares[1] = BN254.add_constant(shares[1], 1)
        with pytest.raises(InconsistentShares) as caught:
            group.open(shares)
        assert caught.value.suspects == suspects


def test_a_protocol_that_waits_for_nobody_in_vain_is_a_deadlock(three):
    def waits(party: Party):
        yield Exchange({}, {PartyId(party.identity % 3 + 1): 4})

    with pytest.raises(Deadlock) as caught:
        three.run(waits)
    assert caught.value.waiting == {1: [2], 2: [3], 3: [1]}


@pytest.mark.parametrize(
    "options",
    [
        {"identity": 0, "parties": 3, "threshold": 1},
        {"identity": 4, "parties": 3, "threshold": 1},
        {"identity": 1, "parties": 4, "threshold": 2},
        {"identity": 1, "parties": 65, "threshold": 1},
        {"identity": 1, "parties": 3, "threshold": -1},
        {"identity": 1, "parties": 3, "threshold": 1, "kappa": 0},
    ],
)
def test_impossible_committees_are_refused(options):
    identity = PartyId(options.pop("identity"))
    with pytest.raises(ValueError, match=r"party|parties|threshold|kappa"):
        Party(BN254, identity, randomness=bytes, **options)


def test_reprs_show_no_secrets(three):
    three.run(set_up)
    assert "seeds" not in repr(three.first)
    assert "randomness" not in repr(three.first)
