from __future__ import annotations

import struct
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import BinaryAgreement, Send
from quorate.protocol.sharing import PartyId

from .network import CHANGES, SIZES, Actor, Coalition, InsecureTestCoins, InsecureTestToss, Meddler, Network, seats


def agreements(parties: int, threshold: int, seed: int) -> dict[PartyId, BinaryAgreement]:
    return {
        party: BinaryAgreement(seat, coins=InsecureTestCoins(seat, seed))
        for party, seat in seats(parties, threshold).items()
    }


def run_with_coalition(
    parties: int, threshold: int, proposals: dict[PartyId, bool], *, liars: int, hears: int, seed: int
) -> set[bool | None]:
    """What the honest parties decide; the last `liars` parties play 1 with parties 1..hears, and 0 with the rest."""
    honest = agreements(parties, threshold, seed)
    runs = [agreements(parties, threshold, seed) for _ in range(2)]
    members = sorted(honest)[parties - liars :]
    for member in members:
        del honest[member]
    coalition = Coalition(runs[0], runs[1], members=members, hears_first=sorted(honest)[:hears])
    network = coalition.network(honest, seed)
    for member in members:
        coalition.say(0, member, runs[0][member].start(True))
        coalition.say(1, member, runs[1][member].start(False))
    for party, machine in honest.items():
        network.post(party, machine.start(proposals[party]))
    network.run()
    assert all(machine.finished for machine in honest.values()), "an honest party did not halt"
    return {machine.output for machine in honest.values()}


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@given(seed=st.integers(0, 10**6), bits=st.integers(0, 2**10 - 1), hears=st.integers(0, 7))
@settings(max_examples=30)
def test_honest_parties_decide_one_value_in_spite_of_a_coalition(
    parties: int, threshold: int, seed: int, bits: int, hears: int
) -> None:
    proposals = {PartyId(party): bool(bits >> party & 1) for party in range(1, parties + 1)}
    outputs = run_with_coalition(parties, threshold, proposals, liars=threshold, hears=hears, seed=seed)
    assert outputs in ({True}, {False})


@pytest.mark.parametrize("value", [False, True])
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_a_unanimous_proposal_wins_against_a_coalition(parties: int, threshold: int, value: bool) -> None:
    for seed in range(9):
        proposals = {PartyId(party): value for party in range(1, parties + 1)}
        outputs = run_with_coalition(parties, threshold, proposals, liars=threshold, hears=seed % 4, seed=seed)
        assert outputs == {value}


def test_one_liar_more_than_the_threshold_splits_the_honest() -> None:
    """Beyond the threshold the checks of these tests do fail."""
    for parties, threshold in SIZES:
        honest = parties - threshold - 1
        proposals = {PartyId(party): party <= honest // 2 for party in range(1, honest + 1)}
        outputs = run_with_coalition(parties, threshold, proposals, liars=threshold + 1, hears=honest // 2, seed=0)
        assert outputs == {True, False}


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_meddlers_neither_split_nor_stop_the_honest(parties: int, threshold: int, name: str) -> None:
    for seed in range(6):
        machines = agreements(parties, threshold, seed)
        liars = Random(seed).sample(sorted(machines), threshold)
        actors: dict[PartyId, Actor] = dict(machines)
        meddlers = {liar: Meddler(machines[liar], CHANGES[name], seed=seed + liar) for liar in liars}
        actors.update(meddlers)
        network = Network(actors, seed=seed)
        for party, machine in machines.items():
            sends = machine.start(Random(seed * party).random() < 0.5)
            network.post(party, meddlers[party].change(sends) if party in meddlers else sends)
        network.run()
        honest = [machine for party, machine in machines.items() if party not in liars]
        assert {machine.output for machine in honest} in ({True}, {False})
        assert all(machine.finished for machine in honest)
        assert all(set(machine.faults) <= set(liars) for machine in honest), "an honest party was blamed"


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_crashed_parties_stop_nobody(parties: int, threshold: int) -> None:
    for seed in range(9):
        machines = agreements(parties, threshold, seed)
        alive = {party: machines[party] for party in Random(seed).sample(sorted(machines), parties - threshold)}
        network = Network(alive, seed=seed)
        for party, machine in alive.items():
            network.post(party, machine.start(party % 2 == 0))
        network.run()
        assert {machine.output for machine in alive.values()} in ({True}, {False})
        assert all(machine.finished for machine in alive.values())


def test_a_unanimous_committee_tosses_no_coin(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_toss(self: InsecureTestToss) -> list[Send]:
        raise AssertionError("a coin was tossed")

    monkeypatch.setattr(InsecureTestToss, "start", no_toss)
    machines = agreements(4, 1, 0)
    network = Network(machines, seed=0)
    for party, machine in machines.items():
        network.post(party, machine.start(True))
    network.run()
    assert {machine.output for machine in machines.values()} == {True}


def test_a_party_that_never_starts_learns_the_decision() -> None:
    for seed in range(6):
        machines = agreements(4, 1, seed)
        network = Network(machines, seed=seed)
        for party in (1, 2, 3):
            network.post(PartyId(party), machines[PartyId(party)].start(party == 1))
        network.run()
        assert machines[PartyId(4)].finished
        assert {machine.output for machine in machines.values()} in ({True}, {False})


def said(sends: list[Send]) -> list[tuple[int, ...]]:
    """The messages (kind, round, value) to one of the receivers."""
    return [struct.unpack("<BBB", send.message) for send in sends if send.receiver == 7]


def test_each_step_waits_for_its_quorum() -> None:
    """n = 7, t = 2, seen from party 1: 2t + 1 = n - t = 5 with its own, t + 1 = 3 to relay."""
    machine = agreements(7, 2, 0)[PartyId(1)]
    assert said(machine.start(True)) == [(0, 0, 1)]
    for number, coin in ((0, 1), (1, 0)):
        heard: list[list[tuple[int, ...]]] = []
        for sender in (2, 3, 4, 5):  # the estimate, which party 1 has said already
            heard.append(said(machine.receive(PartyId(sender), struct.pack("<BBB", 0, number, 1))))
        assert heard == [[], [], [], [(1, number, 1)]]
        for sender in (2, 3, 4, 6):  # the other value, which it relays
            heard.append(said(machine.receive(PartyId(sender), struct.pack("<BBB", 0, number, 0))))
        assert heard[4:] == [[], [], [(0, number, 0)], []]
        for sender in (2, 3, 4, 5):
            heard.append(said(machine.receive(PartyId(sender), struct.pack("<BBB", 1, number, sender % 2))))
        assert heard[8:] == [[], [], [], [(2, number, 3)]]
        for sender in (2, 3, 4, 5):
            heard.append(said(machine.receive(PartyId(sender), struct.pack("<BBB", 2, number, 3))))
        # both values are alive, so the estimate of the next round is the coin
        assert heard[12:] == [[], [], [], [(0, number + 1, coin)]]
    assert machine.output is None


def test_a_single_value_is_decided_only_if_the_coin_agrees() -> None:
    machine = agreements(7, 2, 0)[PartyId(1)]
    machine.start(False)
    for number in (0, 1):
        assert machine.output is None
        sends = []
        for kind, value in ((0, 0), (1, 0), (2, 1)):
            for sender in (2, 3, 4, 5):
                sends += said(machine.receive(PartyId(sender), struct.pack("<BBB", kind, number, value)))
        assert (0, number + 1, 0) in sends, "the estimate stays"
    assert machine.output is False
    assert not machine.finished
    halted = []
    for sender in (2, 3, 4, 5):
        machine.receive(PartyId(sender), struct.pack("<BBB", 4, 0, 0))
        halted.append(machine.finished)
    assert halted == [False, False, False, True]


def test_values_that_were_not_accepted_do_not_count() -> None:
    machine = agreements(7, 2, 0)[PartyId(1)]
    machine.start(True)
    for sender in (2, 3, 4, 5):
        machine.receive(PartyId(sender), struct.pack("<BBB", 0, 0, 1))
    heard = []
    for sender, value in ((2, 0), (3, 0), (4, 1), (5, 1), (6, 1), (7, 1)):
        sends = machine.receive(PartyId(sender), struct.pack("<BBB", 1, 0, value))
        heard.append([struct.unpack("<BBB", send.message) for send in sends if send.receiver == 2])
    assert heard == [[], [], [], [], [], [(2, 0, 2)]], "five of the accepted value, its own among them"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"", "0 bytes"),
        (b"\x00\x00", "2 bytes"),
        (b"\x00\x00\x02", "no such value"),
        (b"\x00\x00\x01\x00", "no such value"),
        (b"\x00\xff\x01", "round 255"),
        (b"\x02\x00\x00", "unknown kind"),
        (b"\x02\x00\x04", "no such value"),
        (b"\x03\x00\x00abc", "fixed"),
        (b"\x04\x01\x00", "unknown kind"),
        (b"\x05\x00\x00", "unknown kind"),
    ],
)
def test_each_malformed_message_is_noted(message: bytes, reason: str) -> None:
    machine = agreements(4, 1, 0)[PartyId(1)]
    assert machine.receive(PartyId(2), message) == []
    assert reason in machine.faults[PartyId(2)]


@pytest.mark.parametrize(("kind", "other"), [(1, 0), (2, 3), (4, 0)])
def test_equivocation_is_noted_and_repetition_is_not(kind: int, other: int) -> None:
    machine = agreements(4, 1, 0)[PartyId(1)]
    machine.receive(PartyId(2), struct.pack("<BBB", kind, 0, 1))
    machine.receive(PartyId(2), struct.pack("<BBB", kind, 0, 1))
    assert not machine.faults
    machine.receive(PartyId(2), struct.pack("<BBB", kind, 0, other))
    assert "two different" in machine.faults[PartyId(2)]


def test_misuse_by_the_driver_is_refused() -> None:
    machine = agreements(4, 1, 0)[PartyId(1)]
    machine.start(True)
    with pytest.raises(ValueError, match="starts once"):
        machine.start(True)
    for stranger in (0, 1, 5):
        with pytest.raises(ValueError, match="no peer"):
            machine.receive(PartyId(stranger), b"")
