"""Robust openings alone: codewords with errors, packed batches, who is caught and who is waited for."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import ROBUST, InconsistentShares, PartyId
from quorate.protocol.mpc.robust import open_directly, open_packed, open_robustly, opening
from quorate.protocol.mpc.robust.opening import interpolate, is_consistent
from quorate.protocol.sharing import share
from quorate.protocol.simulation import (
    Crash,
    Failed,
    Finished,
    Lie,
    Mute,
    Network,
    Partition,
    SeededRandomness,
    simulate,
    simulated_committee,
)

SECRETS = [0, 1, BN254.modulus - 1, 12345, 7, 2**200]


def opened(parties, threshold, way, *, faults=(), seed=1, degree=None, times=1, network=None, wrong=None):
    """Everybody opens SECRETS `times` times; shares of `wrong` parties are off from the start."""
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed, scheme=ROBUST)
    degree = threshold if degree is None else degree
    rows = share(
        BN254, BN254.vector(SECRETS), parties=parties, threshold=degree, randomness=SeededRandomness(seed, "deal")
    )
    for party in wrong or ():
        rows[party - 1] = BN254.add_constant(rows[party - 1], party)

    def run(party, own):
        values = []
        for _ in range(times):
            values.append(BN254.integers((yield from way(party, own, degree=degree))))
        return values

    protocols = [run(party, own) for party, own in zip(group, rows, strict=True)]
    return group, simulate(protocols, seed=seed, faults=faults, network=network)


def check(simulation, faulty, times=1):
    for party, outcome in simulation.outcomes.items():
        if party not in faulty:
            assert isinstance(outcome, Finished), f"party {party}: {outcome}"
            assert outcome.value == [SECRETS] * times


WAYS = [open_directly, open_packed]
COMMITTEES = [(1, 0), (2, 0), (4, 1), (5, 1), (6, 1), (7, 2), (10, 3), (13, 4)]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("parties", "threshold"), COMMITTEES)
def test_honest_parties_open(way, parties, threshold):
    group, simulation = opened(parties, threshold, way, times=2)
    check(simulation, (), times=2)
    assert all(party.suspects == {} for party in group)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from(WAYS), st.sampled_from(COMMITTEES[2:]), st.integers(0, 1000))
def test_t_parties_with_other_shares_are_caught_by_whoever_hears_them(data, way, size, seed):
    parties, threshold = size
    liars = data.draw(st.sets(st.integers(1, parties), max_size=threshold))
    group, simulation = opened(parties, threshold, way, seed=seed, times=3, wrong=liars)
    check(simulation, liars, times=3)
    for party in group:
        if party.identity not in liars:
            assert set(party.suspects) <= liars


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.data(), st.sampled_from(WAYS), st.sampled_from(COMMITTEES[2:]), st.integers(0, 1000))
def test_t_parties_that_send_anything_or_nothing_stop_nobody(data, way, size, seed):
    parties, threshold = size
    faulty = data.draw(st.sets(st.integers(1, parties), max_size=threshold))
    noise = SeededRandomness(seed, "noise")

    def change(message, receiver):
        kind = noise.between(0, 4)
        if kind == 0:
            return message
        if kind == 1:
            return noise(noise.between(0, 200))
        if kind == 2:
            return b"\xff" * len(message)
        vector = BN254.from_bytes(message, len(message) // 32)
        return BN254.to_bytes(BN254.add_constant(vector, noise.between(0, 3)))

    faults = []
    for party in faulty:
        kind = data.draw(st.sampled_from(["lie", "mute", "crash"]))
        step = data.draw(st.integers(1, 4))
        faults.append(
            {
                "lie": Lie(PartyId(party), change),
                "mute": Mute(PartyId(party), step),
                "crash": Crash(PartyId(party), exchange=step, reached=(PartyId(1),)),
            }[kind]
        )
    group, simulation = opened(parties, threshold, way, seed=seed, times=3, faults=faults)
    check(simulation, faulty, times=3)
    for party in group:
        if party.identity not in faulty:
            assert set(party.suspects) <= faulty


def test_products_of_shares_open_where_there_are_enough_parties():
    group, simulation = opened(9, 2, open_robustly, degree=4, wrong={3, 8}, times=3)
    check(simulation, {3, 8}, times=3)
    assert set().union(*(set(party.suspects) for party in group)) <= {3, 8}


def test_nobody_waits_for_a_party_that_is_cut_off():
    faults = [Partition(frozenset({PartyId(3)}), 0, 9_000_000)]
    _, simulation = opened(4, 1, open_directly, faults=faults, times=20)
    check(simulation, (), times=20)
    last = {event.party: event.time_us for event in simulation.trace if event.what.value == "finished"}
    assert max(last[PartyId(party)] for party in (1, 2, 4)) < 1_000_000
    assert last[PartyId(3)] >= 9_000_000, "the one that was cut off catches up"


def test_a_caught_liar_is_not_waited_for_nor_used_again():
    network = Network(least_delay_us=100, most_delay_us=100)
    group, simulation = opened(4, 1, open_directly, wrong={1}, times=5, network=network)
    check(simulation, {1}, times=5)
    for party in group[1:]:
        assert party.suspects == {1: "sent a wrong share in an opening"}
        assert party.statistics.rounds == 5


def test_large_batches_of_large_committees_are_packed(monkeypatch):
    monkeypatch.setattr(opening, "PACKED_FROM_ELEMENTS", len(SECRETS))
    for parties, rounds in ((7, 1), (10, 2)):
        group, simulation = opened(parties, 2, open_robustly)
        check(simulation, ())
        assert {party.statistics.rounds for party in group} == {rounds}


@pytest.mark.parametrize("way", WAYS)
def test_more_liars_than_t_stop_an_opening_or_spoil_it(way):
    _, simulation = opened(4, 1, way, wrong={1, 2})
    for outcome in simulation.outcomes.values():
        if isinstance(outcome, Failed):
            assert isinstance(outcome.error, InconsistentShares)
        else:
            assert outcome.value != [SECRETS]


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.sets(st.integers(1, 16), min_size=1, max_size=16), st.integers(0, 6), st.integers(0, 100))
def test_codewords_are_consistent_and_interpolate_at_any_points(points, degree, seed):
    if len(points) <= degree:
        return
    rows = share(
        BN254, BN254.vector(SECRETS), parties=16, threshold=degree, randomness=SeededRandomness(seed, "deal")
    )
    values = {PartyId(point): rows[point - 1] for point in points}
    assert is_consistent(BN254, values, degree=degree)
    assert BN254.integers(interpolate(BN254, values, degree=degree)) == SECRETS
    if len(points) > degree + 1:
        spoiled = max(points)
        values[PartyId(spoiled)] = BN254.add_constant(values[PartyId(spoiled)], 1)
        assert not is_consistent(BN254, values, degree=degree)
