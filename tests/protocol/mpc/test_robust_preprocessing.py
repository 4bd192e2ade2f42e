"""Robust preprocessing: every way to spoil a segment is localised, and what is made after it is right."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    BIT,
    DOUBLE,
    ROBUST,
    SHARE,
    TRIPLE,
    ZERO,
    PartyId,
    Plan,
    integer,
    open_shares,
    preprocess,
    random_shares,
)
from quorate.protocol.mpc.robust import agreement, dealing, open_robustly, products
from quorate.protocol.mpc.robust.agreement import agree_on_reports
from quorate.protocol.mpc.robust.layout import Family
from quorate.protocol.simulation import Crash, Failed, Finished, Lie, Mute, simulate, simulated_committee

PLAN = Plan({DOUBLE: 4, ZERO: 3}, bits=6, shares=5, triples=9, integers={5: 2})


def opens_everything(party):
    """Makes PLAN, opens all of it, and returns the values by item, column by column."""
    yield from preprocess(party, PLAN)
    opened = {}
    for item, count in PLAN.items():
        columns = party.pool.take_columns(item, count)
        degrees = [party.threshold] * len(columns)
        if item == DOUBLE:
            degrees[1] *= 2
            if party.parties <= 4 * party.threshold:  # too few parties to open the second one robustly
                del degrees[1]
        values = []
        for column, degree in zip(columns, degrees, strict=False):
            values.append(BN254.integers((yield from open_robustly(party, column, degree=degree))))
        opened[item] = values
    return opened


def check_values(opened):
    a, b, ab = opened[TRIPLE]
    assert [x * y % BN254.modulus for x, y in zip(a, b, strict=True)] == ab
    assert len({*a, *b, *ab}) == 27
    assert set(opened[BIT][0]) <= {0, 1}
    assert opened[ZERO] == [[0] * 3]
    assert all(value < 32 for value in opened[integer(5)][0])
    assert len(set(opened[SHARE][0])) == 5
    assert all(column == opened[DOUBLE][0] for column in opened[DOUBLE])


def preprocessed(parties=4, threshold=1, *, faults=(), faulty=(), seed=1):
    """The committee after everything is opened; honest parties agree on all of it."""
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed, scheme=ROBUST)
    simulation = simulate([opens_everything(party) for party in group], seed=seed, faults=faults)
    values = []
    for party, outcome in simulation.outcomes.items():
        if party not in faulty:
            assert isinstance(outcome, Finished), outcome
            values.append(outcome.value)
    assert all(value == values[0] for value in values)
    check_values(values[0])
    honest = [party for party in group if party.identity not in faulty]
    assert len({(party.standing.holders, party.standing.most_wrong) for party in honest}) == 1
    return honest[0].standing, simulation


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 0), (4, 1), (5, 1), (7, 2), (11, 3)])
def test_everything_is_made_and_right(parties, threshold):
    standing, _ = preprocessed(parties, threshold)
    assert standing.excluded == {}


def test_large_plans_go_in_segments(monkeypatch):
    monkeypatch.setattr("quorate.protocol.mpc.robust.production.MAX_SEGMENT", 3)
    preprocessed()


def test_what_is_made_on_demand_is_rounded_up_and_kept():
    group = simulated_committee(BN254, parties=4, threshold=1, seed=1, scheme=ROBUST)

    def run(party):
        return BN254.integers((yield from open_shares(party, (yield from random_shares(party, 3)))))

    values = simulate([run(party) for party in group], seed=1).values()
    assert values[0] == values[3]
    assert {party.pool.stock.shares for party in group} == {61}


def test_other_items_are_refused():
    party = simulated_committee(BN254, parties=4, threshold=1, seed=1, scheme=ROBUST)[0]
    with pytest.raises(ValueError, match="makes no dual bit"):
        next(ROBUST.produce(party, Plan({type(BIT)("dual bit"): 1})))


# Faults in messages


def of_size(size, change):
    """Lie in exchanges of that size only."""
    return lambda message, receiver: change(message, receiver) if len(message) == size else message


def wrong_once(message, receiver):
    """Another last element, to party 2 alone."""
    return message[:-32] + bytes([message[-32] ^ 1]) + message[-31:] if receiver == 2 else message


def absent_once(message, receiver):
    return b"" if receiver == 2 else message


def dealing_bytes(parties, threshold):
    """The size of a dealing of PLAN before anybody is excluded."""
    rows = parties - threshold
    each = {name: -(-count // rows) for name, count in {"t": 9, "b": 16, "s": 5, "z": 3, "d": 4}.items()}
    low = 2 * each["t"] + each["b"] + each["s"] + each["z"] + each["d"] + each["t"] + 1
    return 32 * (low + each["d"] + 2 + each["t"] + each["b"] + 1)


def product_bytes(parties, threshold):
    rows = parties - threshold
    return 32 * rows * (-(-9 // rows) + -(-16 // rows))


@pytest.mark.parametrize("change", [wrong_once, absent_once])
@pytest.mark.parametrize("size_of", [dealing_bytes, product_bytes])
@pytest.mark.parametrize(("parties", "threshold"), [(4, 1), (7, 2)])
def test_a_wrong_message_between_two_excludes_both(parties, threshold, size_of, change):
    fault = Lie(PartyId(3), of_size(size_of(parties, threshold), change))
    standing, _ = preprocessed(parties, threshold, faults=[fault], faulty={3})
    assert set(standing.excluded) == {2, 3}
    assert standing.most_wrong == threshold - 1
    assert standing.liars == {}


def test_two_pairs_are_excluded_one_after_another():
    faults = [
        Lie(PartyId(3), lambda m, r: wrong_once(m, r) if len(m) > 1000 else m),
        Lie(PartyId(5), lambda m, r: m[:-1] if r == 6 and len(m) > 200 else m),
    ]
    standing, _ = preprocessed(7, 2, faults=faults, faulty={3, 5})
    assert {3, 5} <= set(standing.excluded)
    assert standing.most_wrong == 0
    assert len(standing.holders) >= 3


@pytest.mark.parametrize(("parties", "threshold"), [(4, 1), (7, 2)])
@pytest.mark.parametrize("fault", [Mute, Crash])
def test_the_silent_are_excluded_alone(parties, threshold, fault):
    faulty = {PartyId(party) for party in range(2, 2 + threshold)}
    faults = [fault(party, exchange=1) for party in faulty]
    standing, simulation = preprocessed(parties, threshold, faults=faults, faulty=faulty)
    assert set(standing.excluded) == set(standing.liars) == faulty
    most_ms = dealing.DEALING_DEADLINE_MS + agreement.AGREEMENT_DEADLINE_MS
    assert simulation.time_us < 1000 * (most_ms + 1000), "deadlines are waited for once"


# Faults in what is dealt, said and opened: one party runs another program


def patched(monkeypatch, module, name, liar, lie):
    """Party `liar` uses `lie(result, party)` of what the function returns."""
    honest = getattr(module, name)

    def function(*arguments, **options):
        party = next(argument for argument in arguments if hasattr(argument, "identity"))
        result = honest(*arguments, **options)
        return lie(result, party) if party.identity == liar else result

    monkeypatch.setattr(module, name, function)


ZERO_AT = 2 * 3 + 6 + 2
"""The first zero of PLAN among what four dealers deal at degree t: behind operands, and shares."""


def plus_one(vector):
    return BN254.add_constant(vector, 1)


@pytest.mark.parametrize(
    ("family", "place"),
    [(Family.LOW, "zeros_at"), (Family.HIGH, "doubles"), (Family.WIDE, "products"), (Family.WIDE, "masks")],
)
@pytest.mark.parametrize("liar", [1, 4])
def test_a_dealer_of_other_values_contradicts_everybody(monkeypatch, family, place, liar):
    """A zero that is none, values at two degrees that differ: F has no constant to admit it."""

    def lie(polynomials, party):
        index = {"zeros_at": ZERO_AT, "doubles": 0, "products": 0, "masks": -2}[place]
        constants = polynomials[family][0]
        constants[index] = plus_one(constants[[index]])[0]
        return polynomials

    patched(monkeypatch, dealing, "_draw", liar, lie)
    standing, _ = preprocessed(faulty={liar})
    assert set(standing.excluded) == {liar}


def test_a_dealer_of_too_high_a_degree_contradicts_everybody(monkeypatch):
    def lie(rows, party):
        return {holder: BN254.add_constant(row, holder**9) for holder, row in rows.items()}

    patched(monkeypatch, dealing, "_evaluate", 2, lie)
    standing, _ = preprocessed(faulty={2})
    assert set(standing.excluded) == {2}


@pytest.mark.parametrize("statement", [b"", b"\xff" * 32 * 20, b"\xff" * 7])
def test_a_malformed_report_proves_its_speaker_wrong(monkeypatch, statement):
    patched(
        monkeypatch, dealing, "_statement", 3, lambda said, party: statement[: len(said)].ljust(len(said), b"\xff")
    )
    standing, _ = preprocessed(faulty={3})
    assert set(standing.excluded) == set(standing.liars) == {3}


def test_a_complaint_about_a_right_column_proves_its_reporter_wrong(monkeypatch):
    honest = products._report

    def report(party, holders, received, *, degree):
        if party.identity != 4 or len(holders) < 4:
            return honest(party, holders, received, degree=degree)
        shares = [BN254.to_bytes(received[holder][:1]) for holder in holders]
        return bytes([2]) + bytes(4) + b"".join(shares)

    monkeypatch.setattr(products, "_report", report)
    standing, _ = preprocessed(faulty={4})
    assert set(standing.excluded) == set(standing.liars) == {4}
    assert "shares that are right" in standing.liars[4]


def test_a_complaint_with_invented_shares_contradicts_a_sender(monkeypatch):
    honest = products._report

    def report(party, holders, received, *, degree):
        if party.identity != 4 or len(holders) < 4:
            return honest(party, holders, received, degree=degree)
        shares = [BN254.to_bytes(plus_one(received[holder][:1])) for holder in holders]
        return bytes([2]) + bytes(4) + b"".join(shares)

    monkeypatch.setattr(products, "_report", report)
    standing, _ = preprocessed(faulty={4})
    assert 4 in standing.excluded


@pytest.mark.parametrize(
    "report", [b"", b"\x07", b"\x01\x09", b"\x02\xff\xff\xff\xff", b"\x02" + bytes(4) + b"\xff" * 128]
)
def test_a_complaint_that_is_none_proves_its_reporter_wrong(monkeypatch, report):
    patched(monkeypatch, products, "_report", 1, lambda said, party: report)
    standing, _ = preprocessed(faulty={1})
    assert set(standing.excluded) == set(standing.liars) == {1}


@pytest.mark.parametrize("change", [plus_one, lambda vector: vector[::-1]])
def test_a_party_that_opens_wrong_products_to_all_is_found_whatever_it_says_then(monkeypatch, change):
    size = product_bytes(4, 1)

    def lie(message, receiver):
        if len(message) != size:
            return message
        vector = BN254.from_bytes(message, size // 32)
        return BN254.to_bytes(np.ascontiguousarray(change(vector)))

    standing, _ = preprocessed(faults=[Lie(PartyId(2), lie)], faulty={2})
    assert 2 in standing.excluded

    def other_account(said, party):
        return BN254.to_bytes(plus_one(BN254.from_bytes(said, len(said) // 32)))

    patched(monkeypatch, products, "_account", 2, other_account)
    standing, _ = preprocessed(faults=[Lie(PartyId(2), lie)], faulty={2})
    assert 2 in standing.excluded


def test_more_culprits_than_the_committee_withstands_stop_it():
    group = simulated_committee(BN254, parties=4, threshold=1, seed=1, scheme=ROBUST)
    faults = [Lie(PartyId(2), of_size(dealing_bytes(4, 1), lambda m, r: b"")) for _ in range(1)]
    faults.append(Lie(PartyId(1), lambda m, r: b"" if r == 3 and len(m) > 500 else m))
    simulation = simulate([opens_everything(party) for party in group], seed=1, faults=faults)
    failed = [outcome for outcome in simulation.outcomes.values() if isinstance(outcome, Failed)]
    finished = [outcome for outcome in simulation.outcomes.values() if isinstance(outcome, Finished)]
    assert all(isinstance(outcome.error, ProtocolAbort) for outcome in failed)
    assert failed or finished


# Agreement


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (4, 1), (7, 2)])
def test_reports_of_all_honest_speakers_count_and_are_the_same_everywhere(parties, threshold, seed):
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed, scheme=ROBUST)
    speakers = tuple(PartyId(party) for party in range(1, parties + 1))

    def flips(message, receiver):
        return message[:-1] + bytes([message[-1] ^ receiver % 2]) if message else message

    liars = [PartyId(parties - index) for index in range(threshold)]
    faults = [Lie(liar, flips, exchange=index * 9 + 1) for index, liar in enumerate(liars)]
    protocols = [agree_on_reports(party, speakers, bytes([party.identity]) * 40) for party in group]
    simulation = simulate(protocols, seed=seed, faults=faults)
    outputs = [simulation.outcomes[party].value for party in speakers if party not in liars]
    assert all(output == outputs[0] for output in outputs)
    for party in speakers:
        if party not in liars:
            assert outputs[0][party] == bytes([party]) * 40


def test_an_agreement_with_nobody_left_stops():
    group = simulated_committee(BN254, parties=4, threshold=1, seed=1, scheme=ROBUST)
    speakers = tuple(PartyId(party) for party in range(1, 5))
    protocols = [agree_on_reports(party, speakers, b"?") for party in group]
    faults = [Crash(PartyId(party), exchange=1) for party in (2, 3, 4)]
    outcome = simulate(protocols, seed=1, faults=faults).outcomes[PartyId(1)]
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ProtocolAbort)
