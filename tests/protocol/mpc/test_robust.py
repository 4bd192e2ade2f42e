"""Robust computing under every kind of liar: all honest parties end, with the right values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    DOUBLE,
    TRIPLE,
    PartyId,
    Plan,
    less_than,
    multiply,
    open_shares,
    preprocess,
    signed_integers,
)
from quorate.protocol.mpc.robust import ROBUST
from quorate.protocol.sharing import share
from quorate.protocol.simulation import (
    Crash,
    Finished,
    Lie,
    Mute,
    Network,
    Partition,
    SeededRandomness,
    Stall,
    simulate,
    simulated_committee,
)

COMMITTEES = [(4, 1), (5, 1), (7, 2), pytest.param(10, 3, marks=pytest.mark.slow)]
X, Y = [5, -7, 3, 0], [6, -7, -100, 1]
PRODUCTS = [x * y for x, y in zip(X, Y, strict=True)]


def session(parties, threshold, seed, program, *, faults=(), network=None):
    """Each party runs `program(party, its shares of X, of Y)`."""
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed, scheme=ROBUST)
    deal = SeededRandomness(seed, "dealer")
    x, y = (
        share(BN254, BN254.vector(row), parties=parties, threshold=threshold, randomness=deal) for row in (X, Y)
    )
    protocols = [program(party, one, other) for party, one, other in zip(group, x, y, strict=True)]
    return group, simulate(protocols, seed=seed, faults=faults, network=network)


def honest_values(simulation, faulty):
    values = []
    for party, outcome in simulation.outcomes.items():
        if party not in faulty:
            assert isinstance(outcome, Finished), f"party {party}: {outcome}"
            values.append(outcome.value)
    return values


def opens_products(party, x, y):
    """Products and a product of products."""
    once = yield from multiply(party, x, y)
    twice = yield from multiply(party, once, x)
    first = signed_integers(BN254, (yield from open_shares(party, once)))
    return first, signed_integers(BN254, (yield from open_shares(party, twice)))


RIGHT = (PRODUCTS, [product * x for product, x in zip(PRODUCTS, X, strict=True)])


# Ways to lie


def shifted(message, receiver):
    """Every element plus one: other canonical elements, the same error everywhere."""
    if len(message) % 32 or not message:
        return message
    return BN254.to_bytes(BN254.add_constant(BN254.from_bytes(message, len(message) // 32), 1))


def scattered(message, receiver):
    """A different error for each receiver."""
    if len(message) % 32 or not message:
        return message
    vector = BN254.from_bytes(message, len(message) // 32)
    return BN254.to_bytes(BN254.add_constant(vector, 1 + receiver**5))


def one_element(message, receiver):
    """The last element alone, towards odd receivers."""
    if len(message) % 32 or not message or receiver % 2 == 0:
        return message
    return message[:-32] + bytes([message[-32] ^ 1]) + message[-31:]


def non_canonical(message, receiver):
    return b"\xff" * len(message)


def longer(message, receiver):
    return message + b"\0"


def cut(message, receiver):
    return message[:-1]


def empty(message, receiver):
    return b""


def flipped(message, receiver):
    """A bit in the middle of every message, those of agreements too."""
    if not message:
        return message
    middle = len(message) // 2
    return message[:middle] + bytes([message[middle] ^ 1]) + message[middle + 1 :]


LIES = [shifted, scattered, one_element, non_canonical, longer, cut, empty, flipped]


def lies_of(threshold, change, *, parties):
    """The last t parties lie."""
    return [Lie(PartyId(parties - index), change) for index in range(threshold)]


def last(parties, threshold):
    return {PartyId(parties - index) for index in range(threshold)}


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (2, 0), *COMMITTEES])
def test_honest_parties_compute(parties, threshold):
    group, simulation = session(parties, threshold, 1, opens_products)
    assert honest_values(simulation, ()) == [RIGHT] * parties
    assert all(party.suspects == {} for party in group)
    assert all(party.pool.stock == group[0].pool.stock for party in group)


@pytest.mark.parametrize(
    ("parties", "threshold", "change"),
    [
        *((4, 1, change) for change in LIES),
        *((5, 1, change) for change in (shifted, scattered, flipped)),
        *((7, 2, change) for change in (shifted, scattered, one_element)),
        *(pytest.param(10, 3, change, marks=pytest.mark.slow) for change in (shifted, flipped)),
    ],
)
def test_t_parties_that_lie_in_everything_change_nothing(parties, threshold, change):
    faulty = last(parties, threshold)
    faults = lies_of(threshold, change, parties=parties)
    group, simulation = session(parties, threshold, 2, opens_products, faults=faults)
    assert set(map(str, honest_values(simulation, faulty))) == {str(RIGHT)}
    holders = {party.standing.holders for party in group if party.identity not in faulty}
    assert len(holders) == 1, "the honest parties agree on who was excluded"


@pytest.mark.parametrize(("parties", "threshold"), COMMITTEES)
def test_t_parties_that_are_silent_from_the_start_change_nothing(parties, threshold):
    faults = [Mute(party) for party in last(parties, threshold)]
    group, simulation = session(parties, threshold, 3, opens_products, faults=faults)
    assert set(map(str, honest_values(simulation, last(parties, threshold)))) == {str(RIGHT)}
    assert set(group[0].suspects) == last(parties, threshold)


@pytest.mark.parametrize("exchange", [*range(1, 16, 2), *range(20, 100, 13)])
def test_a_crash_at_any_step_changes_nothing(exchange):
    reached = (PartyId(1),) if exchange % 4 == 1 else ()
    faults = [Crash(PartyId(2), exchange=exchange, reached=reached)]
    _, simulation = session(4, 1, exchange, opens_products, faults=faults)
    assert honest_values(simulation, {2}) == [RIGHT] * 3


@pytest.mark.parametrize("exchange", [1, 7, 60, 120])
def test_t_parties_that_crash_or_fall_silent_one_after_another_change_nothing(exchange):
    faults = [Crash(PartyId(2), exchange=exchange), Mute(PartyId(6), exchange + 25)]
    _, simulation = session(7, 2, exchange, opens_products, faults=faults)
    assert honest_values(simulation, {2, 6}) == [RIGHT] * 5


@pytest.mark.slow
@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.sampled_from(LIES), st.integers(1, 7), st.integers(1, 7), st.integers(1, 60))
def test_liars_anywhere_at_any_time_change_nothing(seed, change, first, second, exchange):
    faults = [Lie(PartyId(first), change, exchange), Lie(PartyId(second), scattered, exchange // 2)]
    _, simulation = session(7, 2, seed, opens_products, faults=faults)
    assert set(map(str, honest_values(simulation, {first, second}))) == {str(RIGHT)}


@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_a_party_that_sends_noise_changes_nothing(seed):
    noise = SeededRandomness(seed, "noise")

    def change(message, receiver):
        kind = noise.between(0, 3)
        if kind == 0:
            return noise(len(message))
        return noise(noise.between(0, 80)) if kind == 1 else message

    _, simulation = session(4, 1, seed, opens_products, faults=[Lie(PartyId(3), change)])
    assert honest_values(simulation, {3}) == [RIGHT] * 3


def test_slow_links_partitions_and_pauses_only_delay():
    network = Network(least_delay_us=10, most_delay_us=800_000)
    faults = [Partition(frozenset({PartyId(1)}), 100_000, 3_000_000), Stall(PartyId(3), 12, 1_000_000)]
    group, simulation = session(4, 1, 5, opens_products, faults=faults, network=network)
    assert honest_values(simulation, ()) == [RIGHT] * 4
    assert all(party.suspects == {} for party in group)


@pytest.mark.parametrize("change", [shifted, scattered, flipped])
def test_comparison_runs_beside_a_liar(change):
    def compares(party, x, y):
        less = yield from less_than(party, x, y, bits=8)
        return signed_integers(BN254, (yield from open_shares(party, less)))

    _, simulation = session(4, 1, 6, compares, faults=[Lie(PartyId(4), change)])
    assert honest_values(simulation, {4}) == [[1, 0, 0, 1]] * 3


@pytest.mark.parametrize("parties", [4, 5])
def test_the_online_phase_needs_no_clock(parties):
    """Two parties never get another message of a third after preprocessing, and no deadline passes."""
    begun: dict[int, int] = {}

    def run(party, x, y):
        yield from preprocess(party, Plan(triples=8, counts={DOUBLE: 8}))
        begun[party.identity] = party.statistics.rounds
        return (yield from opens_products(party, x, y))

    def silent_online(message, receiver):
        return message if len(begun) < parties else b""

    _, simulation = session(parties, 1, 7, run, faults=[Lie(PartyId(2), silent_online)])
    assert honest_values(simulation, {2}) == [RIGHT] * (parties - 1)
    assert simulation.time_us < 200_000


def test_more_liars_than_t_break_it():
    """The limit: with two of four, a wrong value can pass, or the parties stop."""
    faults = [Lie(PartyId(3), shifted, 60), Lie(PartyId(4), shifted, 60)]
    _, simulation = session(4, 1, 8, opens_products, faults=faults)
    values = [outcome.value for outcome in simulation.outcomes.values() if isinstance(outcome, Finished)]
    assert any(value != RIGHT for value in values) or len(values) < 4


@pytest.mark.parametrize(("parties", "threshold", "item"), [(4, 1, TRIPLE), (5, 1, DOUBLE), (7, 2, TRIPLE)])
def test_a_product_takes_a_triple_or_where_there_are_enough_parties_a_double(parties, threshold, item):
    def run(party, x, y):
        yield from preprocess(party, Plan({item: 9}))
        yield from multiply(party, x, y)
        return party.pool.stock[item]

    _, simulation = session(parties, threshold, 9, run)
    assert honest_values(simulation, ()) == [5] * parties


def test_small_committees_and_fields_are_refused():
    with pytest.raises(ValueError, match="threshold 1 needs 4"):
        simulated_committee(BN254, parties=3, threshold=1, seed=1, scheme=ROBUST)


def test_the_example_of_the_page_runs():
    page = (Path(__file__).parents[3] / "docs" / "mpc-robust.md").read_text(encoding="utf-8")
    example = page.split("```python\n")[1].split("```")[0]
    exec(compile(example, "docs/mpc-robust.md", "exec"), {})
