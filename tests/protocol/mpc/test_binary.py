from __future__ import annotations

import numpy as np
import pytest

from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import InconsistentShares, Plan, byte_dealing, dual_items, preprocess, run_local, set_up
from quorate.protocol.mpc.binary import (
    bits_to_bytes,
    dual_bits,
    multiply_bytes,
    open_bytes,
    random_byte_bits,
    random_bytes,
    to_byte_bits,
    to_field_bits,
)
from quorate.protocol.mpc.galois import multiply_elements, product, share_elements
from quorate.protocol.mpc.pool import BYTE, BYTE_BIT, DUAL_BIT, dual_integer, exact_integer
from quorate.protocol.mpc.scheme import Scheme
from quorate.protocol.simulation import SeededRandomness

SIZES = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3), (9, 2)]
RANDOM = np.random.default_rng(8)


def shared(group, values):
    randomness = SeededRandomness(3, "bytes")
    parties = len(group.parties)
    return share_elements(values, parties=parties, threshold=group.threshold, randomness=randomness)


def opened(group, shares):
    first, *others = group.run(open_bytes, shares)
    assert all(np.array_equal(first, other) for other in others)
    return first


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_products_of_bytes(committee, parties, threshold):
    group = committee(parties, threshold)
    x, y = RANDOM.integers(0, 256, (2, 500), dtype=np.uint8)
    shares = group.run(multiply_bytes, shared(group, x), shared(group, y))
    assert np.array_equal(opened(group, shares), multiply_elements(x, y))
    again = group.run(multiply_bytes, shares, shares)
    assert opened(group, again).tolist() == [product(v, v) for v in multiply_elements(x, y).tolist()]


def test_a_product_costs_a_byte_for_each_receiver_without_a_seed(committee):
    group = committee(5, 2)
    group.run(set_up)
    shares = shared(group, np.arange(100, dtype=np.uint8))
    before = group.first.statistics.bytes_sent
    group.run(multiply_bytes, shares, shares)
    assert group.first.statistics.bytes_sent - before == 2 * 100
    assert group.first.statistics.rounds == 2


def test_long_arrays_are_cut_and_joined(three, monkeypatch):
    monkeypatch.setattr(byte_dealing, "MAX_ROUND_BYTES", 4)
    x = np.arange(11, dtype=np.uint8)
    three.run(set_up)
    shares = three.run(multiply_bytes, shared(three, x), shared(three, x))
    assert three.first.statistics.rounds == 1 + 3
    assert np.array_equal(opened(three, shares), multiply_elements(x, x))


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_random_bytes_and_bits(committee, parties, threshold):
    group = committee(parties, threshold)
    values = opened(group, group.run(random_bytes, 2000))
    assert len(set(values.tolist())) > 240
    bits = opened(group, group.run(random_byte_bits, 400))
    assert set(bits.tolist()) == {0, 1}
    assert 130 < int(bits.sum()) < 270


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_dual_bits_are_the_same_in_both_fields(committee, parties, threshold):
    group = committee(parties, threshold)
    pairs = group.run(dual_bits, 300)
    in_field = group.open([pair[0] for pair in pairs])
    in_bytes = opened(group, [pair[1] for pair in pairs])
    assert in_field == in_bytes.tolist()
    assert 90 < sum(in_field) < 210


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2)])
def test_bits_go_from_one_field_to_the_other_and_back(committee, parties, threshold):
    group = committee(parties, threshold)
    bits = [0, 1, 1, 0, 1]
    in_field = group.run(to_field_bits, shared(group, np.array(bits, dtype=np.uint8)))
    assert group.open(in_field) == bits
    assert opened(group, group.run(to_byte_bits, in_field)).tolist() == bits


def test_bits_make_bytes(three):
    values = np.arange(256, dtype=np.uint8)
    rows = np.unpackbits(values[:, np.newaxis], axis=1, bitorder="little").T
    shares = shared(three, np.ascontiguousarray(rows).reshape(-1))
    made = [bits_to_bytes(row.reshape(8, 256)) for row in shares]
    assert np.array_equal(opened(three, made), values)


def test_nothing_costs_nothing(three):
    empty = [np.zeros(0, dtype=np.uint8)] * 3
    assert [len(row) for row in three.run(multiply_bytes, empty, empty)] == [0, 0, 0]
    assert [len(row) for row in three.run(open_bytes, empty)] == [0, 0, 0]
    assert [len(row) for row in three.run(random_bytes, 0)] == [0, 0, 0]
    assert [len(pair[0]) + len(pair[1]) for pair in three.run(dual_bits, 0)] == [0, 0, 0]
    assert three.first.statistics.rounds == 0


def test_a_plan_is_dealt_in_steps(three, monkeypatch):
    monkeypatch.setattr(dual_items, "MAX_STEP_ITEMS", 8)
    plan = Plan({BYTE: 11, BYTE_BIT: 9, DUAL_BIT: 17})
    three.run(preprocess, plan)
    assert three.first.pool.stock == plan
    bits = opened(three, three.run(random_byte_bits, 9))
    assert set(bits.tolist()) <= {0, 1}


def test_a_wrong_share_stops_an_opening(three):
    shares = shared(three, np.arange(5, dtype=np.uint8))
    shares[2] = shares[2] ^ np.uint8(4)
    with pytest.raises(InconsistentShares):
        three.run(open_bytes, shares)


def test_a_message_of_another_size_is_blamed_on_its_sender(three):
    shares = shared(three, np.arange(5, dtype=np.uint8))
    shares[1] = shares[1][:4]
    with pytest.raises(PartyFault) as fault:
        run_local([open_bytes(party, own) for party, own in zip(three.parties, shares, strict=True)])
    assert fault.value.party in (1, 2)


def test_arrays_must_have_one_length(three):
    shares = shared(three, np.arange(5, dtype=np.uint8))
    with pytest.raises(ValueError, match="lengths must be equal"):
        three.run(multiply_bytes, shares, [row[:2] for row in shares])


def test_a_scheme_without_bytes_says_so(three, monkeypatch):
    monkeypatch.setattr(type(three.first.scheme), "multiply_bytes", Scheme.multiply_bytes)
    monkeypatch.setattr(type(three.first.scheme), "open_bytes", Scheme.open_bytes)
    shares = shared(three, np.arange(5, dtype=np.uint8))
    with pytest.raises(ValueError, match="does not compute on bytes"):
        three.run(multiply_bytes, shares, shares)
    with pytest.raises(ValueError, match="does not compute on bytes"):
        three.run(open_bytes, shares)


def test_what_a_party_receives_looks_uniform(committee):
    for value in (0, 255):
        group = committee(3, 1, seed=4)
        shares = shared(group, np.full(20_000, value, dtype=np.uint8))
        seen = []

        def watched(protocol, seen=seen):
            try:
                exchange = next(protocol)
                while True:
                    replies = yield exchange
                    seen.extend(message for message in replies.values() if len(message) == 20_000)
                    exchange = protocol.send(replies)
            except StopIteration as stop:
                return stop.value

        run_local(
            [
                watched(multiply_bytes(party, own, own))
                if party.identity == 2
                else multiply_bytes(party, own, own)
                for party, own in zip(group.parties, shares, strict=True)
            ]
        )
        counts = np.bincount(np.frombuffer(b"".join(seen), dtype=np.uint8), minlength=256)
        expected = counts.sum() / 256
        assert counts.sum() == 20_000
        assert float(((counts - expected) ** 2 / expected).sum()) < 400


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (7, 3), (9, 4)])
@pytest.mark.parametrize("width", [1, 2, 3, 13, 32])
def test_dual_integers_have_the_same_low_bits_in_both_fields(committee, parties, threshold, width):
    group = committee(parties, threshold)
    group.run(preprocess, Plan({dual_integer(width): 40}))
    columns = [party.pool.take_columns(dual_integer(width), 40) for party in group.parties]
    values = group.open([in_field for in_field, _ in columns])
    bits = opened(group, [np.ascontiguousarray(in_bytes).reshape(-1) for _, in_bytes in columns]).reshape(
        40, width
    )
    assert all(0 <= value < 2**width * (threshold + 1) for value in values)
    assert [[value >> place & 1 for place in range(width)] for value in values] == bits.tolist()
    assert len(set(values)) > 1


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2), (7, 3)])
@pytest.mark.parametrize("width", [3, 4, 13])
def test_exact_integers_have_all_their_bits(committee, parties, threshold, width):
    group = committee(parties, threshold)
    group.run(preprocess, Plan({exact_integer(width): 40}))
    columns = [party.pool.take_columns(exact_integer(width), 40) for party in group.parties]
    values = group.open([in_field for in_field, _ in columns])
    shares = [np.ascontiguousarray(in_bytes).reshape(-1) for _, in_bytes in columns]
    bits = opened(group, shares).reshape(40, width)
    assert values == [sum(int(bit) << place for place, bit in enumerate(row)) for row in bits]
    assert max(values) >= 2 ** (width - 2) // 2
    if threshold:
        with pytest.raises(ValueError, match="no sum"):
            group.run(preprocess, Plan({exact_integer(1): 1}))
