from __future__ import annotations

import numpy as np
import pytest

from quorate.protocol.field import BN254, MERSENNE61
from quorate.protocol.mpc import (
    DOUBLE,
    TRIPLE,
    Party,
    PartyId,
    Plan,
    atlas,
    batches,
    inner_products,
    matrix_product,
    multiply,
    open_shares,
    preprocess,
    run_local,
    set_up,
)
from quorate.protocol.mpc.passive import open_degree
from quorate.protocol.sharing import share
from quorate.protocol.simulation import SeededRandomness

SIZES = [(3, 1), (6, 1), (6, 2), (7, 3), (9, 2), (16, 5), (16, 7)]


@pytest.fixture(autouse=True)
def kings_for_every_batch(monkeypatch):
    monkeypatch.setattr(atlas, "KINGS_FROM_COUNT", 1)
    monkeypatch.setattr(atlas, "KINGS_FROM_ELEMENTS", 0)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("count", [1, 5, 40])
def test_products(committee, parties, threshold, count):
    values = [(-3) ** index for index in range(count)]
    group = committee(parties, threshold)
    assert group.compute(multiply, values, values) == [value * value for value in values]
    assert group.compute(inner_products, values, values, length=count) == [sum(value * value for value in values)]


def test_a_matrix_product_takes_a_double_sharing_a_result(committee):
    group = committee(7, 3)
    group.run(preprocess, Plan({DOUBLE: 6}))
    assert group.compute(matrix_product, [1, 2, 3, 4, 5, 6], [1, 0, -1, 2, 5, 7], inner=3) == [14, 25, 29, 52]
    assert group.first.pool.stock[DOUBLE] == 2


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_it_sends_what_it_says(committee, parties, threshold):
    group = committee(parties, threshold)
    count = 3 * parties
    group.run(preprocess, Plan({DOUBLE: count}))
    x = group.share(range(count))
    before = [(party.statistics.bytes_sent, party.statistics.rounds) for party in group.parties]
    group.run(multiply, x, x)
    for party, (sent, rounds) in zip(group.parties, before, strict=True):
        assert party.statistics.bytes_sent - sent == 3 * 32 * (2 * threshold + parties - 1 - threshold)
        assert party.statistics.rounds - rounds == 2


def test_double_sharings_for_two_t_plus_one_parties_cost_little(committee):
    group = committee(7, 3)
    group.run(set_up)
    before = group.first.statistics.bytes_sent
    group.run(preprocess, Plan({DOUBLE: 400}))
    # 100 dealings of a random value to the two parties of seven that no seed serves; zero sharings cost nothing
    assert group.first.statistics.bytes_sent - before == 2 * 100 * 32


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 1), (7, 3)])
def test_doubles_share_one_value_at_two_degrees(committee, parties, threshold):
    group = committee(parties, threshold)
    group.run(preprocess, Plan({DOUBLE: 20}))
    columns = [party.pool.take_columns(DOUBLE, 20) for party in group.parties]
    low = group.run(open_degree, [own[0] for own in columns], degree=threshold)
    high = group.run(open_degree, [own[1] for own in columns], degree=2 * threshold)
    assert np.array_equal(low[0], high[0])
    assert len({tuple(row) for row in low[0].tolist()}) == 20


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (7, 3)])
def test_triples(committee, parties, threshold):
    group = committee(parties, threshold)
    group.run(preprocess, Plan(triples=15))
    columns = [party.pool.take_columns(TRIPLE, 15) for party in group.parties]
    a, b, c = (BN254.vector(group.open([own[place] for own in columns])) for place in range(3))
    assert np.array_equal(BN254.mul(a, b), c)
    assert len({tuple(row) for row in a.tolist()}) == 15


def test_long_vectors_are_cut_and_joined(committee, monkeypatch):
    values = list(range(-20, 21))
    whole = committee(7, 2).compute(multiply, values, values)
    monkeypatch.setattr(batches, "MAX_ROUND_ELEMENTS", 4)
    assert committee(7, 2).compute(multiply, values, values) == whole == [value * value for value in values]


def test_it_works_in_a_small_field():
    shares = share(
        MERSENNE61, MERSENNE61.vector(range(30)), parties=7, threshold=3, randomness=SeededRandomness(2, "a")
    )
    parties = [
        Party(MERSENNE61, PartyId(index), parties=7, threshold=3, randomness=SeededRandomness(index, "party"))
        for index in range(1, 8)
    ]
    products = run_local([multiply(party, own, own) for party, own in zip(parties, shares, strict=True)])
    opened = run_local([open_shares(party, own) for party, own in zip(parties, products, strict=True)])
    assert MERSENNE61.integers(opened[3]) == [value * value for value in range(30)]


def test_the_king_sees_uniform_sums(committee):
    for value in (0, 1):
        group = committee(7, 3, seed=6)
        shares = group.share([value] * 7000)
        seen = []

        def watched(protocol, seen=seen):
            try:
                exchange = next(protocol)
                while True:
                    replies = yield exchange
                    seen.extend(message for message in replies.values() if len(message) % 32 == 0)
                    exchange = protocol.send(replies)
            except StopIteration as stop:
                return stop.value

        run_local(
            [
                watched(multiply(party, own, own)) if party.identity == 2 else multiply(party, own, own)
                for party, own in zip(group.parties, shares, strict=True)
            ]
        )
        words = np.frombuffer(b"".join(seen), dtype=np.uint64)[::4]
        counts = np.bincount((words & np.uint64(15)).astype(np.int64), minlength=16)
        expected = counts.sum() / 16
        assert counts.sum() > 7000
        assert float(((counts - expected) ** 2 / expected).sum()) < 60


def test_small_batches_and_committees_reshare(committee, monkeypatch):
    monkeypatch.undo()
    least = atlas.KINGS_FROM_COUNT
    assert not atlas.uses_kings(committee(7, 3).first, least - 1)
    assert atlas.uses_kings(committee(7, 3).first, least)
    for size in ((3, 1), (5, 2), (9, 0), (9, 1)):
        assert not atlas.uses_kings(committee(*size).first, 1 << 19)
