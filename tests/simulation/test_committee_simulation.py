from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    PASSIVE,
    Deadlock,
    Exchange,
    InconsistentShares,
    Party,
    PartyId,
    less_than,
    multiply,
    open_shares,
    signed_integers,
)
from quorate.protocol.sharing import share
from quorate.protocol.simulation import (
    Crash,
    Crashed,
    Disconnect,
    Failed,
    Finished,
    Happening,
    Network,
    SeededRandomness,
    Stall,
    Tamper,
    simulate,
    simulated_committee,
)

X, Y = [5, -7, 2**63 - 1, 4], [6, -7, -(2**63), 3]
LESS = [1, 0, 0, 0]
COMPARISON_ROUNDS = 1 + 2 + 6 + 1  # set-up, random bits, the comparison, the opening
ONE, TWO, THREE = PartyId(1), PartyId(2), PartyId(3)


def comparison(seed, *, parties=3, threshold=1, faults=(), network=None):
    """A committee that opens X < Y."""
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed)
    deal = SeededRandomness(seed, "dealer")
    x, y = (
        share(BN254, BN254.vector(row), parties=parties, threshold=threshold, randomness=deal) for row in (X, Y)
    )

    def run(party: Party, index: int):
        less = yield from less_than(party, x[index], y[index], bits=64)
        return signed_integers(BN254, (yield from open_shares(party, less)))

    protocols = [run(party, index) for index, party in enumerate(group)]
    return simulate(protocols, seed=seed, faults=faults, network=network)


def blamed(simulation):
    """Whom each failed party named."""
    return {
        party: outcome.error.party
        for party, outcome in simulation.outcomes.items()
        if isinstance(outcome, Failed) and isinstance(outcome.error, PartyFault)
    }


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (4, 1), (5, 2)])
def test_all_parties_get_the_result(parties, threshold):
    simulation = comparison(1, parties=parties, threshold=threshold)
    assert simulation.values() == [LESS] * parties


def test_equal_seeds_give_equal_traces():
    one, again, other = comparison(7), comparison(7), comparison(8)
    assert one.trace == again.trace
    assert one.time_us == again.time_us
    assert one.trace != other.trace


def test_delays_are_within_bounds_and_channels_keep_their_order():
    network = Network(least_delay_us=10, most_delay_us=900)
    simulation = comparison(3, network=network)
    sent: dict[tuple[PartyId, PartyId], list[tuple[int, str]]] = {}
    overtaken = False
    latest_send = 0
    for event in simulation.trace:
        if event.what is Happening.SENT:
            assert event.peer is not None
            sent.setdefault((event.party, event.peer), []).append((event.time_us, event.digest))
        elif event.what is Happening.DELIVERED:
            assert event.peer is not None
            time_us, digest = sent[event.peer, event.party].pop(0)
            assert digest == event.digest
            assert event.time_us - time_us >= 10
            overtaken |= time_us < latest_send
            latest_send = max(latest_send, time_us)
    assert overtaken
    assert not any(sent.values())


@pytest.mark.parametrize("exchange", range(1, COMPARISON_ROUNDS + 1))
@pytest.mark.parametrize("reached", [(), (THREE,)])
def test_a_crash_at_any_round_is_blamed_on_the_crashed_party(exchange, reached):
    for crashed in (ONE, TWO) if reached else (ONE, TWO, THREE):
        simulation = comparison(exchange, faults=[Crash(crashed, exchange=exchange, reached=reached)])
        assert simulation.outcomes[crashed] == Crashed()
        finished = [party for party, outcome in simulation.outcomes.items() if isinstance(outcome, Finished)]
        assert blamed(simulation) == {p: crashed for p in (ONE, TWO, THREE) if p != crashed and p not in finished}
        # whoever got all messages before the crash may end well, and then rightly
        assert finished == [] or exchange == COMPARISON_ROUNDS
        assert all(simulation.outcomes[party] == Finished(LESS) for party in finished)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 60_000), st.integers(1, 5), st.integers(0, 10_000))
def test_a_crash_at_any_time_never_gives_a_wrong_result(time_us, crashed, seed):
    simulation = comparison(seed, parties=5, threshold=2, faults=[Crash(PartyId(crashed), time_us=time_us)])
    for party, outcome in simulation.outcomes.items():
        if isinstance(outcome, Finished):
            assert outcome.value == LESS
        elif isinstance(outcome, Failed):
            assert isinstance(outcome.error, PartyFault)
            assert outcome.error.party == crashed
        else:
            assert party == crashed


@pytest.fixture
def in_the_field(monkeypatch):
    """Comparisons in the prime field, so that every message is of field elements; any bytes are ones of GF(2^8)."""
    monkeypatch.setattr(type(PASSIVE), "computes_on_bytes", False)


@pytest.mark.parametrize("time_us", [0, 1, 3_000, 5_000, 9_000, 12_000, 15_000])
def test_a_broken_connection_is_blamed_on_one_of_its_ends(time_us):
    simulation = comparison(2, faults=[Disconnect(ONE, THREE, time_us)])
    blames = blamed(simulation)
    assert blames[ONE] in (ONE, THREE)
    assert blames[THREE] in (ONE, THREE)
    assert blames[TWO] in (ONE, THREE)
    assert {blames[ONE], blames[THREE]} & {ONE, THREE}
    assert any(event.what is Happening.DISCONNECTED for event in simulation.trace)
    assert not any(
        event.what is Happening.DELIVERED and {event.party, event.peer} == {ONE, THREE} and event.time_us > time_us
        for event in simulation.trace
    )


def test_a_pause_below_the_timeout_is_survived_and_a_longer_one_is_blamed(in_the_field):
    network = Network(timeout_us=1_000_000)
    short = comparison(4, faults=[Stall(TWO, 5, 900_000)], network=network)
    assert short.values() == [LESS] * 3
    long = comparison(4, faults=[Stall(TWO, 5, 9_000_000)], network=network)
    blames = blamed(long)
    assert blames[ONE] == blames[THREE] == TWO


@pytest.mark.parametrize("exchange", range(1, COMPARISON_ROUNDS + 1))
def test_a_message_of_another_size_is_blamed_on_its_sender(exchange):
    for receiver in (TWO, THREE):
        faults = [Tamper(ONE, receiver, exchange, lambda message: message + b"\0")]
        simulation = comparison(6, faults=faults)
        hit = any(event.what is Happening.TAMPERED for event in simulation.trace)
        assert hit == (receiver in blamed(simulation))
        if hit:
            assert set(blamed(simulation).values()) == {ONE}


@pytest.mark.parametrize("exchange", range(2, COMPARISON_ROUNDS + 1))
def test_a_message_that_is_no_field_element_is_blamed_on_its_sender(in_the_field, exchange):
    faults = [Tamper(ONE, TWO, exchange, lambda message: b"\xff" * len(message))]
    simulation = comparison(6, faults=faults)
    hit = any(event.what is Happening.TAMPERED for event in simulation.trace)
    assert hit == (TWO in blamed(simulation))
    assert set(blamed(simulation).values()) <= {ONE}


def test_a_changed_seed_is_seen_at_the_first_opening():
    """Seeds are any bytes: dealer and receiver expand different streams, and nothing they share fits together."""
    simulation = comparison(6, faults=[Tamper(ONE, THREE, 1, lambda message: bytes(len(message)))])
    for outcome in simulation.outcomes.values():
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, ProtocolAbort)


def flip(message: bytes) -> bytes:
    """Another element in place of the first: it stays below the modulus, as the top byte is untouched."""
    return bytes([message[0] ^ 1]) + message[1:]


def test_a_changed_share_in_an_opening_stops_the_receiver():
    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    rows = share(BN254, BN254.vector([9]), parties=3, threshold=1, randomness=SeededRandomness(1, "dealer"))
    protocols = [open_shares(party, rows[index]) for index, party in enumerate(group)]
    simulation = simulate(protocols, seed=1, faults=[Tamper(ONE, TWO, 1, flip)])
    outcome = simulation.outcomes[TWO]
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, InconsistentShares)
    assert isinstance(simulation.outcomes[ONE], Finished)


def test_one_changed_subshare_of_a_product_is_seen_when_the_product_is_opened():
    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    rows = share(BN254, BN254.vector([9]), parties=3, threshold=1, randomness=SeededRandomness(1, "dealer"))

    def square(party: Party, own):
        return (yield from open_shares(party, (yield from multiply(party, own, own))))

    protocols = [square(party, rows[index]) for index, party in enumerate(group)]
    simulation = simulate(protocols, seed=1, faults=[Tamper(ONE, TWO, 2, flip)])
    assert any(event.what is Happening.TAMPERED for event in simulation.trace)
    for outcome in simulation.outcomes.values():
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, ProtocolAbort)


def test_an_error_that_is_multiplied_on_is_beyond_passive_security():
    """The limit that the protocol states: the resharing of a wrong share is a consistent sharing."""
    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    rows = share(BN254, BN254.vector([9]), parties=3, threshold=1, randomness=SeededRandomness(1, "dealer"))

    def fourth_power(party: Party, own):
        squared = yield from multiply(party, own, own)
        return (yield from open_shares(party, (yield from multiply(party, squared, squared))))

    protocols = [fourth_power(party, rows[index]) for index, party in enumerate(group)]
    simulation = simulate(protocols, seed=1, faults=[Tamper(ONE, TWO, 2, flip)])
    opened = [BN254.integers(value) for value in simulation.values()]
    assert opened[0] == opened[1] == opened[2] != [9**4]


def test_a_party_that_aborts_tells_the_others():
    def one(party: Party):
        yield Exchange({}, {})
        if party.identity == 1:
            raise ProtocolAbort("test")
        yield Exchange({}, {ONE: 1})

    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    simulation = simulate([one(party) for party in group], seed=1)
    for outcome in simulation.outcomes.values():
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, ProtocolAbort)
    with pytest.raises(ProtocolAbort, match="test"):
        simulation.values()


def test_a_deadlock_is_found():
    def waits(party: Party):
        yield Exchange({}, {PartyId(party.identity % 3 + 1): 4})

    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    with pytest.raises(Deadlock) as caught:
        simulate([waits(party) for party in group], seed=1)
    assert caught.value.waiting == {1: [2], 2: [3], 3: [1]}


def test_a_defect_is_not_taken_for_a_fault():
    def broken(party: Party):
        yield Exchange({}, {})
        raise KeyError(party.identity)

    group = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    with pytest.raises(KeyError):
        simulate([broken(party) for party in group], seed=1)


def test_a_crashed_party_has_no_value():
    simulation = comparison(1, faults=[Crash(ONE, exchange=1), Crash(TWO, exchange=1), Crash(THREE, exchange=1)])
    with pytest.raises(ValueError, match="crashed"):
        simulation.values()


def test_impossible_faults_and_networks_are_refused():
    for options in ({}, {"exchange": 1, "time_us": 1}):
        with pytest.raises(ValueError, match="at a"):
            Crash(ONE, **options)
    with pytest.raises(ValueError, match="delays"):
        Network(least_delay_us=9, most_delay_us=3)


def test_seeded_randomness_repeats_and_purposes_differ():
    one, again, other = (SeededRandomness(5, purpose) for purpose in ("a", "a", "b"))
    first = one(40)
    assert first == again(40) != other(40)
    assert one(40) != first
    assert all(3 <= one.between(3, 6) <= 6 for _ in range(50))
