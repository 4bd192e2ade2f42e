"""Arithmetic under the abort scheme, what it costs, and what it refuses."""

from __future__ import annotations

import operator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254, PrimeField
from quorate.protocol.mpc import (
    ABORT,
    DOUBLE,
    PASSIVE,
    TRIPLE,
    ClientInput,
    InputFault,
    InputKind,
    Party,
    PartyId,
    Plan,
    VerificationFailed,
    accept_inputs,
    batches,
    bits_to_integer,
    draw_masks,
    equal,
    inner_products,
    less_than,
    less_than_zero,
    matrix_product,
    modulo_power,
    multiply,
    open_shares,
    output_shares,
    preprocess,
    random_bits,
    random_integers,
    random_shares,
    reveal,
    run_local,
    schemes,
    select,
    set_up,
    shift_right,
    to_bits,
    together,
    verify,
    zero_shares,
)
from quorate.protocol.mpc.abort import MAX_TRANSCRIPT_ELEMENTS, items, transcript
from quorate.protocol.mpc.preprocessing import sum_bits
from quorate.protocol.sharing import InconsistentShares, reconstruct, share
from quorate.protocol.simulation import SeededRandomness

LOW, HIGH = -(2**63), 2**63 - 1
EDGES = [LOW, LOW + 1, -(2**32), -1, 0, 1, 2**32 - 1, HIGH - 1, HIGH]
PAIRS = [(x, y) for x in EDGES for y in EDGES]
SIZES = [(1, 0), (3, 0), (3, 1), (4, 1), (5, 2), (7, 2), (7, 3)]
MERSENNE = PrimeField("mersenne61", 2**61 - 1)


@pytest.fixture(scope="module")
def guarded(committee):
    def build(parties=3, threshold=1, seed=1):
        group = committee(parties, threshold, seed=seed)
        for party in group.parties:
            party.scheme = ABORT
        return group

    return build


@pytest.fixture
def three_guarded(guarded):
    return guarded()


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_int64_edges(guarded, parties, threshold):
    group = guarded(parties, threshold)
    x, y = [pair[0] for pair in PAIRS], [pair[1] for pair in PAIRS]
    assert group.compute(less_than, x, y, bits=64) == list(map(int, map(operator.lt, x, y)))
    assert group.compute(equal, x, y, bits=64) == list(map(int, map(operator.eq, x, y)))


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.lists(st.tuples(*[st.integers(0, BN254.modulus - 1)] * 2), max_size=40), st.sampled_from(SIZES))
def test_products_of_any_elements(guarded, pairs, size):
    group = guarded(*size)
    x, y = ([pair[side] for pair in pairs] for side in (0, 1))
    half = BN254.modulus // 2
    expected = [(a * b + half) % BN254.modulus - half for a, b in pairs]
    assert group.compute(multiply, x, y) == expected


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_every_value_of_a_small_width(three_guarded, bits):
    values = list(range(-(2 ** (bits - 1)), 2 ** (bits - 1)))
    group = three_guarded
    assert group.compute(less_than_zero, values, bits=bits) == [int(value < 0) for value in values]
    power = bits - 1
    assert group.compute(modulo_power, values, bits=bits, power=power) == [v % 2**power for v in values]
    assert group.compute(shift_right, values, bits=bits, power=power) == [v >> power for v in values]
    rows = group.run(to_bits, group.share(values), bits=bits)
    again = [bits_to_integer(group.parties[i], row, signed=True) for i, row in enumerate(rows)]
    assert group.open(again) == values


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_inner_products_matrices_and_selection(guarded, parties, threshold):
    group = guarded(parties, threshold)
    x, y = list(range(-6, 6)), [3 * value + 1 for value in range(12)]
    sums = [sum(a * b for a, b in zip(x[i : i + 3], y[i : i + 3], strict=True)) for i in range(0, 12, 3)]
    assert group.compute(inner_products, x, y, length=3) == sums
    assert group.compute(inner_products, x, y, length=12) == [sum(sums)]
    product = np.array(x).reshape(4, 3) @ np.array(y).reshape(3, 4)
    assert group.compute(matrix_product, x, y, inner=3) == product.reshape(-1).tolist()
    assert group.compute(select, [1, 0], [5, 6], [7, 8]) == [5, 8]


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_random_items(guarded, parties, threshold):
    group = guarded(parties, threshold)
    bits = group.open(group.run(random_bits, 300))
    assert set(bits) == {0, 1}
    assert 90 < sum(bits) < 210
    for width in (1, 13, 70):
        values = group.open(group.run(random_integers, 40, bits=width))
        assert all(0 <= value < 2**width * (threshold + 1) for value in values)
        assert max(values).bit_length() <= sum_bits(width, threshold)
        assert max(values) >= 2**width // 2
    assert len(set(group.open(group.run(random_shares, 50)))) == 50


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (5, 2), (7, 3)])
def test_integers_of_every_small_width_are_bounded_and_spread(guarded, parties, threshold):
    for width in range(1, 9):
        values = guarded(parties, threshold).compute(random_integers, bits=width, count=400)
        assert 0 <= min(values) < 2**width // 4 + 1
        assert 2**width * 3 // 4 <= max(values) < 2 ** (width + 1)


def test_integers_without_common_keys(guarded, monkeypatch):
    monkeypatch.setattr(items, "has_few_keys", lambda parties, threshold: False)
    group = guarded(5, 2)
    for width in (1, 70):
        values = group.compute(random_integers, bits=width, count=40)
        assert 2**width // 2 <= max(values) < 3 * 2**width
    assert group.first.transcript.keys is None
    assert group.compute(less_than_zero, [-5, 0, 5], bits=16) == [1, 0, 0]


def test_protocols_side_by_side_agree_on_one_set_of_keys(three_guarded):
    def several(party):
        return (yield from together(party, *(random_integers(party, 3, bits=width) for width in (4, 5, 60))))

    rows = three_guarded.run(several)
    for place, width in enumerate((4, 5, 60)):
        assert max(three_guarded.open([row[place] for row in rows])) < 2 ** (width + 1)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_triples(guarded, parties, threshold):
    group = guarded(parties, threshold)
    group.run(preprocess, Plan(triples=5))
    rows = [party.pool.take_columns(TRIPLE, 5) for party in group.parties]
    a, b, c = (group.open([row[place] for row in rows]) for place in range(3))
    assert len(set(a) | set(b)) == 10
    assert all((x * y - z) % BN254.modulus == 0 for x, y, z in zip(a, b, c, strict=True))


def test_production_in_steps(three_guarded, monkeypatch):
    monkeypatch.setattr(batches, "MAX_ROUND_ELEMENTS", 64)
    plan = Plan(bits=150, integers={3: 20, 70: 3, 9: 10}, shares=100)
    three_guarded.run(preprocess, plan)
    assert three_guarded.first.pool.stock == plan
    assert max(three_guarded.open(three_guarded.run(random_integers, 10, bits=9))) < 2**10
    assert max(three_guarded.open(three_guarded.run(random_integers, 3, bits=70))) > 2**60


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_outputs_are_re_randomised_by_true_zeros(guarded, parties, threshold):
    group = guarded(parties, threshold)
    assert group.open(group.run(zero_shares, 20)) == [0] * 20
    shares = group.run(output_shares, group.share([5, -6]))
    decoded = reconstruct(BN254, {PartyId(i): row for i, row in enumerate(shares, 1)}, threshold=threshold)
    assert BN254.integers(decoded) == [5, BN254.modulus - 6]


def test_the_scheme_is_found_by_its_name():
    assert schemes["abort"] is ABORT
    assert ABORT.name == "abort"


# Costs


def test_verification_costs_few_bytes_and_rounds(three_guarded):
    group = three_guarded
    x = group.share(range(5000))
    group.run(set_up)
    before = group.first.statistics.bytes_sent
    group.run(multiply, x, x)
    assert group.first.statistics.bytes_sent - before == 5000 * 32
    rounds = group.first.statistics.rounds
    group.run(verify)
    assert group.first.statistics.bytes_sent - before < 5300 * 32
    assert group.first.statistics.rounds - rounds == 4 + 2 * 2  # 5000 to 157 to 5
    group.run(verify)
    assert group.first.statistics.rounds - rounds == 4 + 2 * 2


def test_a_matrix_product_is_verified_as_one_inner_product(three_guarded):
    group = three_guarded
    x = group.share(range(400))
    group.run(matrix_product, x, x, inner=20)
    assert group.first.transcript.begin().size == 20


def test_a_full_transcript_is_verified_at_once(three_guarded, monkeypatch):
    monkeypatch.setattr(transcript, "MAX_TRANSCRIPT_ELEMENTS", 300)
    group = three_guarded
    x, values = group.share(range(90)), list(range(90))
    rounds = [group.first.statistics.rounds]
    for _ in range(3):
        group.run(multiply, x, x)
        rounds.append(group.first.statistics.rounds)
    assert [after - before > 2 for before, after in pairwise(rounds)] == [False, True, False]
    assert group.open(group.run(multiply, x, x)) == [value**2 for value in values]
    assert group.first.transcript.is_empty
    assert MAX_TRANSCRIPT_ELEMENTS * 32 < 100 << 20


def test_vectors_may_be_changed_after_they_were_multiplied(three_guarded):
    group = three_guarded
    x = group.share([3, 4])
    products = group.run(multiply, x, x)
    opened = [row.copy() for row in products]
    for row in [*x, *products]:
        row[:] = 0
    assert group.open(opened) == [9, 16]


def test_protocols_side_by_side_wait_for_one_verification(three_guarded):
    group = three_guarded
    x, y = group.share([3, 4]), group.share([5, 6])
    a, b = group.run(multiply, x, x), group.run(multiply, y, y)
    before = group.first.statistics.rounds

    def both(party: Party, first, second):
        return (yield from together(party, reveal(party, first), reveal(party, second)))

    for one, other in group.run(both, a, b):
        assert BN254.integers(one) == [9, 16]
        assert BN254.integers(other) == [25, 36]
    assert group.first.statistics.rounds - before == 4 + 1


def test_a_verification_that_is_cut_off_leaves_nothing_usable(three_guarded):
    group = three_guarded
    x = group.share([3, 4])
    group.run(multiply, x, x)
    interrupted = verify(group.first)
    next(interrupted)
    interrupted.close()
    for operation in (open_shares(group.first, x[0]), zero_shares(group.first, 1), verify(group.first)):
        with pytest.raises(VerificationFailed, match="earlier"):
            next(operation)


# Bounds


def test_small_fields_and_dishonest_majorities_are_refused():
    small = PrimeField("small", 4_294_967_291)
    options = {"parties": 3, "threshold": 1, "randomness": bytes}
    with pytest.raises(ValueError, match="50"):
        Party(small, PartyId(1), scheme=ABORT, **options)
    Party(small, PartyId(1), scheme=PASSIVE, **options)
    with pytest.raises(ValueError, match="5 parties"):
        Party(BN254, PartyId(1), parties=4, threshold=2, randomness=bytes, scheme=ABORT)


def test_a_field_of_61_bits():
    randomness = SeededRandomness(1, "dealer")
    parties = [
        Party(
            MERSENNE,
            PartyId(identity),
            parties=3,
            threshold=1,
            scheme=ABORT,
            randomness=SeededRandomness(1, f"party {identity}"),
        )
        for identity in (1, 2, 3)
    ]
    values = [0, 1, 2**60, MERSENNE.modulus - 1] * 30
    shares = share(MERSENNE, MERSENNE.vector(values), parties=3, threshold=1, randomness=randomness)

    def square(party, x):
        return (yield from reveal(party, (yield from multiply(party, x, x))))

    for opened in run_local([square(party, row) for party, row in zip(parties, shares, strict=True)]):
        assert MERSENNE.integers(opened) == [value**2 % MERSENNE.modulus for value in values]


def test_items_of_other_kinds_are_refused(three_guarded):
    with pytest.raises(ValueError, match="abort scheme makes no double"):
        three_guarded.run(preprocess, Plan({DOUBLE: 1}))


def test_reprs_show_no_shares(three_guarded):
    group = three_guarded
    x = group.share([3, 4])
    group.run(multiply, x, x)
    batch = group.first.transcript.begin()
    for shown in (repr(group.first), repr(batch), repr(batch.claims[0])):
        assert "array" not in shown


# Clients


def ask(group, kinds, values, *, change=None):
    """The masked input of one client whose mask shares `change` may alter, and the masks."""
    masks = group.run(draw_masks, {7: kinds})
    messages = {PartyId(i): BN254.to_bytes(own[0].shares) for i, own in enumerate(masks, 1)}
    if change is not None:
        messages = change(messages)
    client = ClientInput(BN254, kinds, parties=len(group.parties), threshold=group.threshold)
    return client.mask(values, messages), masks


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (4, 1), (5, 2)])
def test_inputs_of_clients(guarded, parties, threshold):
    group = guarded(parties, threshold)
    kinds = [InputKind(8, signed=True), InputKind(), InputKind(1)]
    message, masks = ask(group, kinds, [-100, 2**100, 1])
    accepted = group.run(accept_inputs, masks, {7: message})
    assert group.open([shares[7] for shares in accepted]) == [-100, 2**100, 1]


def test_a_client_sees_a_wrong_mask_share(three_guarded):
    def change(messages):
        wrong = BN254.add_constant(BN254.from_bytes(messages[PartyId(2)], 8), 1)
        return messages | {PartyId(2): BN254.to_bytes(wrong)}

    with pytest.raises(InconsistentShares):
        ask(three_guarded, [InputKind(8)], [5], change=change)


def test_a_client_that_sends_a_non_bit_is_named(three_guarded):
    message, masks = ask(three_guarded, [InputKind(8)], [5])
    wrong = BN254.to_bytes(BN254.add_constant(BN254.from_bytes(message, 8), 2))
    with pytest.raises(InputFault) as caught:
        three_guarded.run(accept_inputs, masks, {7: wrong})
    assert caught.value.client == 7


def test_the_documented_example_runs():
    page = (Path(__file__).parents[3] / "docs" / "mpc-abort.md").read_text(encoding="utf-8")
    example = page.split("```python\n", 1)[1].split("```", 1)[0]
    exec(compile(example, "docs/mpc-abort.md", "exec"), {})
