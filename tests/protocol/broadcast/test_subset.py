from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import CommonSubset, ReliableBroadcast, Seat, SetAgreement
from quorate.protocol.sharing import PartyId

from .network import CHANGES, SIZES, Actor, Coalition, InsecureTestCoins, Meddler, Network, seats


def subsets(parties: int, threshold: int, seed: int, **options: Any) -> dict[PartyId, CommonSubset]:
    return {
        party: CommonSubset(seat, coins=InsecureTestCoins(seat, seed), **options)
        for party, seat in seats(parties, threshold).items()
    }


def contribution(party: int) -> bytes:
    return f"what party {party} gives".encode() * party


def agreed(machines: Mapping[PartyId, CommonSubset]) -> Mapping[PartyId, bytes]:
    """The one output of these machines, all of which have finished."""
    assert all(machine.finished for machine in machines.values())
    outputs = [machine.output for machine in machines.values()]
    assert outputs[0] is not None
    assert all(output == outputs[0] for output in outputs)
    return outputs[0]


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (2, 0), *SIZES])
def test_contributions_of_an_agreed_set_in_spite_of_crashes(parties: int, threshold: int) -> None:
    for seed in range(6):
        machines = subsets(parties, threshold, seed)
        crashed = Random(seed).sample(sorted(machines), threshold)
        alive = {party: machine for party, machine in machines.items() if party not in crashed}
        network = Network(alive, seed=seed)
        for party, machine in alive.items():
            network.post(party, machine.start(contribution(party)))
        network.run()
        assert agreed(alive) == {party: contribution(party) for party in alive}
        assert not any(machine.faults for machine in alive.values())


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_meddlers_neither_split_nor_stop_the_honest(parties: int, threshold: int, name: str) -> None:
    for seed in range(3 if parties < 10 else 1):
        machines = subsets(parties, threshold, seed)
        honest = dict(machines)
        actors: dict[PartyId, Actor] = dict(machines)
        network = Network(actors, seed=seed)
        liars = Random(seed).sample(sorted(machines), threshold)
        for party, machine in machines.items():
            sends = machine.start(contribution(party))
            if party in liars:
                del honest[party]
                meddler = Meddler(machine, CHANGES[name], seed=seed + party)
                network.actors[party] = meddler
                sends = meddler.change(sends)
            network.post(party, sends)
        network.run()
        output = agreed(honest)
        assert len(output) >= parties - threshold
        assert all(payload == contribution(party) for party, payload in output.items() if party in honest)
        assert all(set(machine.faults) <= set(liars) for machine in honest.values()), "an honest one was blamed"


@pytest.mark.parametrize("broadcast", [None, ReliableBroadcast])
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@given(seed=st.integers(0, 10**6), hears=st.integers(0, 7))
@settings(max_examples=6)
def test_a_coalition_cannot_split_the_honest(
    broadcast: Any, parties: int, threshold: int, seed: int, hears: int
) -> None:
    options = {} if broadcast is None else {"broadcast": broadcast}
    honest = subsets(parties, threshold, seed, **options)
    runs = [subsets(parties, threshold, seed, **options) for _ in range(2)]
    members = sorted(honest)[parties - threshold :]
    for member in members:
        del honest[member]
    coalition = Coalition(runs[0], runs[1], members=members, hears_first=sorted(honest)[:hears])
    network = coalition.network(honest, seed)
    for member in members:
        coalition.say(0, member, runs[0][member].start(b"one story"))
        coalition.say(1, member, runs[1][member].start(b"another"))
    for party, machine in honest.items():
        network.post(party, machine.start(contribution(party)))
    network.run()
    output = agreed(honest)
    assert len(output) >= parties - threshold
    assert all(payload == contribution(party) for party, payload in output.items() if party in honest)
    assert all(payload in (b"one story", b"another") for party, payload in output.items() if party in members)


def test_an_unacceptable_contribution_is_left_out() -> None:
    for seed in range(6):
        machines = subsets(4, 1, seed, is_acceptable=lambda dealer, payload: payload != b"bad")
        network = Network(machines, seed=seed)
        for party, machine in machines.items():
            network.post(party, machine.start(b"bad" if party == 2 else b"good"))
        network.run()
        assert agreed(machines) == {party: b"good" for party in machines if party != 2}


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10)
def test_an_agreed_set_has_only_members_with_an_honest_vote(parties: int, threshold: int, seed: int) -> None:
    """All vote for the same n - t in the end; some vouch for more; nobody honest vouches for the last party."""
    random = Random(seed)
    machines = {
        party: SetAgreement(seat, coins=InsecureTestCoins(seat, seed))
        for party, seat in seats(parties, threshold).items()
    }
    common = sorted(machines)[: parties - threshold]
    votes = {party: {*common, *random.sample(sorted(machines)[:-1], 2)} for party in machines}
    liars = sorted(machines)[parties - threshold :]
    for liar in liars:
        votes[liar] = set(machines)
    network = Network(machines, seed=seed)
    pending = [(party, candidate) for party in machines for candidate in votes[party]]
    random.shuffle(pending)
    for party, candidate in pending:
        network.post(party, machines[party].vote(candidate))
        network.post(party, machines[party].vote(candidate))
    network.run()
    honest = {party: machine for party, machine in machines.items() if party not in liars}
    outputs = {machine.output for machine in honest.values()}
    (output,) = outputs
    assert output is not None
    assert len(output) >= parties - threshold
    assert output <= set().union(*(votes[party] for party in honest))
    assert all(machine.finished for machine in machines.values())


def test_one_liar_more_than_the_threshold_splits_the_honest() -> None:
    runs = [subsets(4, 1, 0) for _ in range(2)]
    honest = subsets(4, 1, 0)
    members = [PartyId(3), PartyId(4)]
    for member in members:
        del honest[member]
    coalition = Coalition(runs[0], runs[1], members=members, hears_first=[PartyId(1)])
    network = coalition.network(honest, 0)
    for run, story in ((0, b"one story"), (1, b"another")):
        for member in members:
            coalition.say(run, member, runs[run][member].start(story))
    for party, machine in honest.items():
        network.post(party, machine.start(contribution(party)))
    network.run()
    first, second = (machine.output for machine in honest.values())
    assert first != second


@given(messages=st.lists(st.tuples(st.integers(2, 4), st.binary(max_size=60)), max_size=30))
def test_arbitrary_bytes_never_raise(messages: list[tuple[int, bytes]]) -> None:
    seat = Seat(PartyId(1), parties=4, threshold=1)
    for machine in (
        CommonSubset(seat, coins=InsecureTestCoins(seat, 0)),
        SetAgreement(seat, coins=InsecureTestCoins(seat, 0)),
    ):
        for sender, message in messages:
            machine.receive(PartyId(sender), message)
        assert set(machine.faults) <= {sender for sender, _ in messages}


def test_misuse_and_messages_on_nothing() -> None:
    seat = Seat(PartyId(1), parties=4, threshold=1)
    agreement = SetAgreement(seat, coins=InsecureTestCoins(seat, 0))
    assert agreement.start() == []
    with pytest.raises(ValueError, match="not in a committee"):
        agreement.vote(PartyId(5))
    for message in (b"", b"\0\0\0\0", b"\5\0\0\0"):
        machine = SetAgreement(seat, coins=InsecureTestCoins(seat, 0))
        machine.receive(PartyId(2), message)
        assert machine.faults == {2: "a message on no candidate"}
    for message in (b"", b"\0", b"\0\5", b"\2\1\0"):
        subset = CommonSubset(seat, coins=InsecureTestCoins(seat, 0))
        subset.receive(PartyId(2), message)
        assert "no broadcast" in subset.faults[PartyId(2)]
