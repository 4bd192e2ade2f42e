from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import Dispersal, Dispersed, ErasureCode, Retrieval, Retrieved, Seat, Send
from quorate.protocol.broadcast.merkle import MerkleTree
from quorate.protocol.broadcast.pieces import Cutter
from quorate.protocol.sharing import PartyId

from .network import CHANGES, SIZES, Actor, Coalition, Meddler, Network, seats

DEALER = PartyId(1)


def dispersals(parties: int, threshold: int) -> dict[PartyId, Dispersal]:
    return {
        party: Dispersal(seat, DEALER, most_bytes=100_000) for party, seat in seats(parties, threshold).items()
    }


def held(machines: dict[PartyId, Dispersal]) -> dict[PartyId, Dispersed]:
    """What each holds; fails unless all or none ended, with one commitment."""
    outputs = {party: machine.output for party, machine in machines.items()}
    done = {party: output for party, output in outputs.items() if output is not None}
    assert len(done) in (0, len(outputs)), "totality is broken"
    assert len({output.commitment for output in done.values()}) <= 1, "agreement is broken"
    return done


def retrieved(
    holders: dict[PartyId, Dispersed], parties: int, threshold: int, *, seed: int, change: str = "replay"
) -> set[Retrieved | None]:
    """What honest receivers get of the holders; the missing parties are liars that meddle with their pieces."""
    receivers = [PartyId(1), PartyId(2), PartyId(parties)]
    borrowed = next(iter(holders.values()))
    machines = {
        party: Retrieval(seat, holders.get(party, Dispersed(borrowed.commitment, None)), receivers=receivers)
        for party, seat in seats(parties, threshold).items()
    }
    network = Network(machines, seed=seed)
    for party, machine in machines.items():
        sends = machine.start()
        if party not in holders and borrowed.piece is not None:
            lies = [Send(receiver, borrowed.piece.encoded) for receiver in receivers if receiver != party]
            sends = Meddler(machine, CHANGES[change], seed=seed).change(lies)
        network.post(party, sends)
    network.run()
    honest = {party: machines[party] for party in holders}
    assert all(machine.finished for machine in honest.values())
    return {honest[party].output for party in honest if party in (1, 2, parties)}


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_a_payload_survives_liars_and_comes_back(parties: int, threshold: int, name: str) -> None:
    payload = Random(parties).randbytes(5000)
    for seed in range(3):
        honest = dispersals(parties, threshold)
        actors: dict[PartyId, Actor] = dict(honest)
        for liar in Random(seed).sample(sorted(honest)[1:], threshold):
            actors[liar] = Meddler(honest.pop(liar), CHANGES[name], seed=seed + liar)
        network = Network(actors, seed=seed)
        network.post(DEALER, honest[DEALER].start(payload))
        network.run()
        holders = held(honest)
        assert holders
        assert retrieved(holders, parties, threshold, seed=seed, change=name) == {Retrieved(payload)}
        assert all(not set(machine.faults) & set(honest) for machine in honest.values())


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@given(seed=st.integers(0, 10**6), hears=st.integers(1, 10))
@settings(max_examples=20)
def test_a_coalition_with_the_dealer_cannot_split_the_honest(
    parties: int, threshold: int, seed: int, hears: int
) -> None:
    honest = dispersals(parties, threshold)
    first, second = dispersals(parties, threshold), dispersals(parties, threshold)
    members = sorted(honest)[:threshold]
    for member in members:
        del honest[member]
    coalition = Coalition(first, second, members=members, hears_first=sorted(first)[:hears])
    network = coalition.network(honest, seed)
    coalition.say(0, DEALER, first[DEALER].start(b"first"))
    coalition.say(1, DEALER, second[DEALER].start(b"other"))
    network.run()
    holders = held(honest)
    if holders:
        results = retrieved(holders, parties, threshold, seed=seed)
        assert results in ({Retrieved(b"first")}, {Retrieved(b"other")})


def test_one_liar_more_than_the_threshold_splits_the_honest() -> None:
    honest = dispersals(4, 1)
    first, second = dispersals(4, 1), dispersals(4, 1)
    members = [PartyId(1), PartyId(2)]
    coalition = Coalition(first, second, members=members, hears_first=[PartyId(3)])
    network = coalition.network({party: honest[party] for party in (PartyId(3), PartyId(4))}, 0)
    coalition.say(0, DEALER, first[DEALER].start(b"first"))
    coalition.say(1, DEALER, second[DEALER].start(b"other"))
    network.run()
    outputs = [honest[PartyId(party)].output for party in (3, 4)]
    assert outputs[0] is not None
    assert outputs[1] is not None
    assert outputs[0].commitment != outputs[1].commitment


def test_all_come_to_the_same_verdict_on_a_dealer_of_no_codeword() -> None:
    fragments = ErasureCode(4, needed=2).encode(b"some payload")
    fragments[3] = bytes(6)
    tree = MerkleTree(fragments)
    header = (12).to_bytes(8, "little") + tree.root
    all_seats = seats(4, 1)
    pieces = {
        party: Cutter(seat, most_bytes=99).open(
            header + tree.branch(party - 1) + fragments[party - 1], holder=party
        )
        for party, seat in all_seats.items()
    }
    dispersed = {party: Dispersed(piece.commitment, piece) for party, piece in pieces.items()}
    for first in (2, 3, 4):
        machine = Retrieval(all_seats[DEALER], dispersed[DEALER], receivers=[DEALER])
        machine.start()
        machine.receive(PartyId(first), pieces[PartyId(first)].encoded)
        assert machine.output == Retrieved(None)


def test_pieces_that_do_not_belong_are_refused() -> None:
    all_seats = seats(4, 1)
    cutter = Cutter(all_seats[DEALER], most_bytes=99)
    right, other = cutter.cut(b"some payload"), cutter.cut(b"another one!")
    own = cutter.open(right[DEALER], holder=DEALER)
    machine = Retrieval(all_seats[DEALER], Dispersed(own.commitment, own), receivers=[DEALER])
    assert machine.start() == []
    machine.receive(PartyId(2), right[PartyId(3)])
    machine.receive(PartyId(3), other[PartyId(3)])
    machine.receive(PartyId(4), b"")
    assert set(machine.faults) == {2, 3, 4}
    outputs = [machine.output]
    machine.receive(PartyId(2), right[PartyId(2)])
    outputs.append(machine.output)
    assert outputs == [None, Retrieved(b"some payload")]
    bystander = Retrieval(all_seats[PartyId(2)], Dispersed(own.commitment, None), receivers=[DEALER])
    bystander.receive(PartyId(3), right[PartyId(3)])
    assert "no receiver" in bystander.faults[PartyId(3)]
    assert bystander.start() == []
    assert bystander.finished
    with pytest.raises(ValueError, match="starts once"):
        bystander.start()


def test_dispersal_thresholds_and_misuse() -> None:
    machine = Dispersal(Seat(PartyId(2), parties=7, threshold=2), DEALER)
    commitment = bytes(32)
    heard, outputs = [], []
    for sender in (1, 3, 4, 5):
        heard.append(len(machine.receive(PartyId(sender), b"\2" + commitment)))
        outputs.append(machine.output)
    assert heard == [0, 0, 6, 0], "three readies make it ready"
    assert outputs == [None, None, None, Dispersed(commitment, None)], "five with its own end it"
    machine = Dispersal(Seat(PartyId(2), parties=7, threshold=2), DEALER)
    heard = [len(machine.receive(PartyId(sender), b"\1" + commitment)) for sender in (1, 3, 4, 5, 6)]
    assert heard == [0, 0, 0, 0, 6], "n - t echoes make it ready"
    for message in (b"", b"\1", b"\3" + commitment, b"\0abc", b"\2" + bytes(31)):
        fresh = Dispersal(Seat(PartyId(2), parties=7, threshold=2), DEALER)
        assert fresh.receive(PartyId(3), message) == []
        assert PartyId(3) in fresh.faults
    with pytest.raises(ValueError, match="is the dealer"):
        Dispersal(Seat(PartyId(2), parties=4, threshold=1), DEALER).start(b"")
    dealer = Dispersal(Seat(DEALER, parties=4, threshold=1), DEALER, most_bytes=3)
    with pytest.raises(ValueError, match="the most is 3"):
        dealer.start(b"four")
    dealer.start(b"abc")
    with pytest.raises(ValueError, match="starts once"):
        dealer.start(b"abc")


def test_a_party_receives_its_piece_and_hashes_only() -> None:
    size = 60_000
    machines = dispersals(10, 3)
    network = Network(machines, seed=0)
    network.post(DEALER, machines[DEALER].start(bytes(size)))
    network.run()
    assert network.bytes_sent[DEALER] < 9 * (size // 4 + 300)
    assert network.bytes_sent[PartyId(2)] < 9 * 2 * 40
