"""Exchanges that end with enough replies, and conversations, under the simulator and in one process."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    Converse,
    Deadlock,
    Exchange,
    PartyId,
    begin_conversation,
    converse,
    exchange_bytes,
    exchange_more,
    exchange_until,
    run_local,
    together,
)
from quorate.protocol.mpc.mailbox import MAX_EARLY_MESSAGES, MAX_OWED, Mailbox
from quorate.protocol.simulation import (
    Crash,
    Finished,
    Lie,
    Mute,
    Network,
    Partition,
    Stall,
    simulate,
    simulated_committee,
)

ONE, TWO, THREE, FOUR = (PartyId(party) for party in (1, 2, 3, 4))


def group(parties=4, seed=1):
    return simulated_committee(BN254, parties=parties, threshold=1, seed=seed)


def counted_rounds(party, rounds, *, needed=2, deadline_ms=None):
    """Round k says "sender k" to everybody; waits for `needed` replies and returns what it got."""
    seen = []
    for number in range(rounds):
        message = bytes([party.identity, number])
        replies = yield from exchange_until(
            party,
            dict.fromkeys(party.others, message),
            dict.fromkeys(party.others, 2),
            enough=lambda got: len(got) >= needed,
            deadline_ms=deadline_ms,
        )
        seen.append(dict(replies))
    return seen


def assert_in_step(seen, rounds):
    assert len(seen) == rounds
    for number, replies in enumerate(seen):
        for sender, reply in replies.items():
            assert reply == bytes([sender, number]), "a late message was taken for one of another round"


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_late_messages_never_pass_for_those_of_a_later_round(seed):
    simulation = simulate([counted_rounds(party, 12) for party in group()], seed=seed)
    lengths = set()
    for seen in simulation.values():
        assert_in_step(seen, 12)
        lengths |= {len(replies) for replies in seen}
    assert min(lengths) >= 2


def test_a_round_ends_at_enough_and_leaves_the_slowest_out():
    faults = [Stall(THREE, 1, 1_000_000)]
    simulation = simulate([counted_rounds(party, 5) for party in group()], seed=3, faults=faults)
    assert all(THREE not in replies for replies in simulation.values()[0])
    assert_in_step(simulation.values()[2], 5)


@pytest.mark.parametrize("fault", [Mute(TWO), Crash(TWO, exchange=1), Crash(TWO, exchange=3), Mute(TWO, 3)])
def test_a_silent_or_crashed_sender_is_only_absent(fault):
    simulation = simulate([counted_rounds(party, 5) for party in group()], seed=4, faults=[fault])
    for party in (ONE, THREE, FOUR):
        outcome = simulation.outcomes[party]
        assert isinstance(outcome, Finished)
        assert_in_step(outcome.value, 5)
        assert all(set(replies) == {ONE, THREE, FOUR} - {party} for replies in outcome.value[3:])


def test_when_all_have_answered_or_are_gone_the_protocol_gets_what_there_is():
    faults = [Crash(TWO, exchange=1), Crash(THREE, exchange=1)]
    simulation = simulate([counted_rounds(party, 3) for party in group()], seed=5, faults=faults)
    outcome = simulation.outcomes[ONE]
    assert isinstance(outcome, Finished)
    assert [set(replies) for replies in outcome.value] == [{FOUR}] * 3


def test_silence_without_a_deadline_is_a_deadlock_and_with_one_it_passes():
    faults = [Mute(TWO), Mute(THREE)]
    with pytest.raises(Deadlock):
        simulate([counted_rounds(party, 3) for party in group()], seed=5, faults=faults)
    patient = [counted_rounds(party, 3, deadline_ms=50) for party in group()]
    simulation = simulate(patient, seed=5, faults=faults)
    assert all(set(replies) == {FOUR} for replies in simulation.values()[0])
    assert 150_000 <= simulation.time_us < 170_000


def test_a_reply_of_another_size_is_the_protocols_to_judge():
    faults = [Lie(TWO, lambda message, receiver: message + b"!" if receiver == ONE else message)]
    simulation = simulate([counted_rounds(party, 4, needed=3) for party in group()], seed=6, faults=faults)
    first, *others = simulation.values()
    assert [replies[TWO] for replies in first] == [bytes([2, number, 33]) for number in range(4)]
    for seen in others:
        assert_in_step(seen, 4)


def patient_rounds(party, rounds):
    """In round k, takes one reply, then one more, then all that come within 30 ms, in the same round."""
    for number in range(rounds):
        message = bytes([party.identity, number])
        everybody = dict.fromkeys(party.others, 2)
        got = yield from exchange_until(
            party, dict.fromkeys(party.others, message), everybody, enough=lambda replies: len(replies) >= 1
        )
        for needed in (1, 3):
            rest = {sender: 2 for sender in party.others if sender not in got}
            if rest:
                got |= yield from exchange_more(
                    party,
                    rest,
                    enough=lambda replies, needed=needed: len(replies) >= needed,
                    deadline_ms=30,
                )
        assert got == {sender: bytes([sender, number]) for sender in got}
        assert len(got) >= 2
    return len(got)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_a_round_can_wait_for_more_of_its_senders(seed):
    simulation = simulate([patient_rounds(party, 6) for party in group()], seed=seed)
    assert simulation.values() == [3] * 4


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_common_rounds_can_wait_for_more_of_their_senders(seed):
    def run(party):
        parts = (patient_rounds(party, 3), counted_rounds(party, 6), patient_rounds(party, 5))
        first, seen, second = yield from together(party, *parts)
        assert_in_step(seen, 6)
        return first, second

    faults = [Mute(TWO, 4)] if seed % 2 else []
    simulation = simulate([run(party) for party in group()], seed=seed, faults=faults)
    for party, outcome in simulation.outcomes.items():
        assert isinstance(outcome, Finished)
        if party != TWO:
            assert outcome.value[1] == (2 if faults else 3)


def test_one_process_can_wait_for_more():
    assert run_local([patient_rounds(party, 4) for party in group()]) == [3] * 4


def test_a_partition_that_heals_only_delays():
    faults = [Partition(frozenset({ONE, TWO}), 2_000, 900_000)]
    simulation = simulate([counted_rounds(party, 6) for party in group()], seed=6, faults=faults)
    for seen in simulation.values():
        assert_in_step(seen, 6)
    assert simulation.time_us > 900_000


def test_all_together_wait_for_each_its_own():
    """A round that needs everybody, beside one that needs two, beside one that needs nobody."""

    def run(party):
        others = party.others
        return (
            yield from together(
                party,
                exchange_bytes(party, dict.fromkeys(others, b"all"), dict.fromkeys(others, 3)),
                counted_rounds(party, 3),
                counted_rounds(party, 2, needed=0),
            )
        )

    simulation = simulate([run(party) for party in group()], seed=9)
    for all_of_them, two, none in simulation.values():
        assert len(all_of_them) == 3
        assert_in_step(two, 3)
        assert_in_step(none, 2)
        assert len(none[0]) == 3, "the common round had to wait for all"


def test_a_common_round_ends_at_the_last_deadline():
    def run(party):
        yield from together(
            party, counted_rounds(party, 1, deadline_ms=10), counted_rounds(party, 1, needed=3, deadline_ms=400)
        )

    simulation = simulate([run(party) for party in group()], seed=9, faults=[Mute(TWO)])
    assert 400_000 <= simulation.time_us < 410_000


# Conversations


def chatter(party, *, rounds=3):
    """A conversation in which each party says its number and hears of two others; rounds before and after."""
    heard = []
    for number in range(rounds):
        phase = begin_conversation(party)
        said = [(other, bytes([party.identity, phase])) for other in party.others]
        senders = set()
        while len(senders) < 2:
            got = yield from converse(party, phase, said)
            said = []
            assert got is not None
            sender, message = got
            assert message == bytes([sender, phase])
            senders.add(sender)
        heard.append(senders)
        assert_in_step((yield from counted_rounds(party, number)), number)
    return heard


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.integers(0, 10_000))
def test_conversations_and_rounds_do_not_mix(seed):
    simulation = simulate([chatter(party) for party in group()], seed=seed)
    assert all(len(heard) == 3 for heard in simulation.values())


def test_conversations_and_rounds_do_not_mix_in_one_process():
    assert all(len(heard) == 3 for heard in run_local([chatter(party) for party in group()]))


def test_statistics_count_what_conversations_carry():
    parties = group()
    run_local([chatter(party, rounds=1) for party in parties])
    assert [party.statistics.bytes_sent for party in parties] == [6] * 4
    assert [party.statistics.bytes_received for party in parties] == [4] * 4
    assert [party.statistics.rounds for party in parties] == [0] * 4


def test_a_conversation_has_a_deadline_and_ends_when_everybody_is_gone():
    def listens(party):
        if party.identity != 1:
            yield Exchange({}, {})
            return None
        return (yield from converse(party, 1, deadline_ms=20))

    assert run_local([listens(party) for party in group()]) == [None] * 4
    simulation = simulate([listens(party) for party in group()], seed=1)
    assert simulation.values()[0] is None
    assert simulation.time_us >= 20_000
    crashed = [Crash(party, exchange=1) for party in (TWO, THREE, FOUR)]

    def waits(party):
        return (yield from converse(party, 1))

    outcome = simulate([waits(party) for party in group()], seed=1, faults=crashed).outcomes[ONE]
    assert outcome == Finished(None)


def test_conversations_can_be_held_in_common_rounds():
    def run(party):
        return (yield from together(party, chatter(party), counted_rounds(party, 4), chatter(party)))

    for first, rounds, second in simulate([run(party) for party in group()], seed=12).values():
        assert len(first) == len(second) == 3
        assert_in_step(rounds, 4)


def test_talk_without_end_does_not_put_a_deadline_off():
    def talks(party):
        phase, steps = begin_conversation(party), 0
        said = [(PartyId(party.identity % party.parties + 1), b"x")]  # one for each that is heard: no flood
        while (yield from converse(party, phase, said, deadline_ms=30)) is not None:
            steps += 1
        return steps

    network = Network(least_delay_us=500, most_delay_us=900)
    simulation = simulate([talks(party) for party in group()], seed=1, network=network)
    assert min(simulation.values()) > 10
    assert 30_000 <= simulation.time_us < 40_000


# In one process


def test_one_process_takes_what_there_is_when_a_party_has_ended_or_is_silent():
    def ends(party):
        yield from ()
        return []

    parties = group()
    protocols = [ends(parties[0]), *(counted_rounds(party, 3, needed=3) for party in parties[1:])]
    for seen in run_local(protocols)[1:]:
        assert_in_step(seen, 3)
        assert all(ONE not in replies for replies in seen)

    def silent(party):
        yield Converse(1, party.others, deadline_ms=10_000)
        return []

    protocols = [silent(parties[0]), *(counted_rounds(party, 3, needed=3, deadline_ms=5) for party in parties[1:])]
    for seen in run_local(protocols)[1:]:
        assert_in_step(seen, 3)


def test_one_process_finds_a_deadlock():
    def waits(party):
        yield Converse(1, party.others)

    with pytest.raises(Deadlock) as caught:
        run_local([waits(party) for party in group(3)])
    assert caught.value.waiting == {1: [2, 3], 2: [1, 3], 3: [1, 2]}


# The mailbox


def test_a_box_drops_what_is_owed_and_keeps_conversations_apart():
    box = Mailbox()
    box.want(Exchange({}, {TWO: 1, THREE: 1}, lambda replies: THREE in replies))
    box.put(TWO, b"!", phase=2)
    assert box.take() is None
    box.put(THREE, b"c")
    assert box.take() == {THREE: b"c"}
    box.put(TWO, b"late")
    box.put(TWO, b"next")
    box.want(Exchange({}, {TWO: 1, THREE: 1}, lambda replies: True))
    assert box.take() == {TWO: b"next"}
    box.want(Converse(2, (TWO, THREE)))
    assert box.take() == {TWO: b"!"}
    box.put(THREE, b"?", phase=1)
    box.want(Converse(2, (TWO, THREE), deadline_ms=0))
    assert box.take() == {}
    with pytest.raises(ValueError, match="conversation 1 after"):
        box.want(Converse(1, (TWO,)))


def test_a_box_waits_for_more_of_the_same_round():
    box = Mailbox()
    box.want(Exchange({}, {TWO: 1, THREE: 1, FOUR: 1}, lambda replies: True))
    box.put(TWO, b"2")
    assert box.take() == {TWO: b"2"}
    box.put(THREE, b"3")
    box.want(Exchange({}, {THREE: 1}, lambda replies: True, continues=True))
    assert box.take() == {THREE: b"3"}
    with pytest.raises(ValueError, match="have answered"):
        box.want(Exchange({}, {THREE: 1}, lambda replies: True, continues=True))
    box.put(FOUR, b"late")
    box.put(FOUR, b"4")
    box.want(Exchange({}, {FOUR: 1}))
    assert box.take() == {FOUR: b"4"}


def test_a_peer_that_talks_too_much_is_taken_for_gone():
    box = Mailbox()
    for _ in range(MAX_EARLY_MESSAGES + 1):
        box.put(TWO, b"x", phase=3)
    box.want(Converse(3, (TWO,)))
    for _ in range(MAX_EARLY_MESSAGES):
        assert box.take() == {TWO: b"x"}
    assert box.take() == {}
    box.put(TWO, b"x", phase=3)
    assert box.take() == {}


def test_a_sender_that_owes_too_many_rounds_is_taken_for_gone():
    box = Mailbox()
    never = Exchange({}, {TWO: 1}, lambda replies: False)
    for _ in range(MAX_OWED + 1):
        box.want(never)
        assert box.take(late=True) == {}
    box.want(never)
    assert box.take() == {}


def test_numbers_of_conversations_are_bounded():
    party = group()[0]
    party.conversations = 0xFFFF
    with pytest.raises(ValueError, match="conversations"):
        begin_conversation(party)


def test_delays_are_those_of_the_network():
    network = Network(least_delay_us=100, most_delay_us=100)
    simulation = simulate([counted_rounds(party, 4) for party in group()], seed=1, network=network)
    assert simulation.time_us == 500
