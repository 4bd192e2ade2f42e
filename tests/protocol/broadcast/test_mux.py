from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol.broadcast import BinaryAgreement, CodedBroadcast, Machine, Mux, ReliableBroadcast, Seat, Send
from quorate.protocol.sharing import PartyId

from .network import SIZES, InsecureTestCoins, Network, seats

SEAT = Seat(PartyId(1), parties=4, threshold=1)


class Recorder(Machine[bytes]):
    """Keeps what it hears, answers each message, and finishes at `last`."""

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self.heard: list[tuple[PartyId, bytes]] = []

    @property
    def finished(self) -> bool:
        return bool(self.heard) and self.heard[-1][1] == b"last"

    def _handle(self, sender: PartyId, message: bytes) -> None:
        self.heard.append((sender, message))
        self._send(sender, b"heard " + message)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_many_instances_share_a_stream_and_may_be_opened_late(parties: int, threshold: int) -> None:
    for seed in range(3):
        random = Random(seed)
        all_seats = seats(parties, threshold)
        muxes = {party: Mux(seat) for party, seat in all_seats.items()}
        network = Network(muxes, seed=seed)
        machines: dict[tuple[PartyId, bytes], Machine[object]] = {}
        opening = [(party, index) for party in muxes for index in range(3)]
        random.shuffle(opening)
        for party, index in opening:
            seat, tag = all_seats[party], b"instance %d" % index
            machine: CodedBroadcast | ReliableBroadcast | BinaryAgreement
            if index == 2:
                machine = BinaryAgreement(seat, coins=InsecureTestCoins(seat, seed))
                start = machine.start(party % 2 == 0)
            else:
                machine = (ReliableBroadcast, CodedBroadcast)[index](seat, PartyId(2))
                start = machine.start(b"payload %d" % index) if party == 2 else []
            machines[party, tag] = machine
            network.post(party, muxes[party].open(tag, machine))
            network.post(party, muxes[party].label(tag, start))
            if random.random() < 0.3:
                network.run()
        network.run()
        for index in range(3):
            outputs = {machines[party, b"instance %d" % index].output for party in muxes}
            assert len(outputs) == 1
            assert outputs in ({b"payload %d" % index}, {True}, {False})
        assert all(not mux.open_tags and not mux.faults for mux in muxes.values())


def test_early_messages_come_in_their_order_when_the_instance_opens() -> None:
    mux, machine = Mux(SEAT), Recorder(SEAT)
    for text in (b"one", b"two"):
        assert mux.receive(PartyId(3), b"\3tag" + text) == []
    assert mux.receive(PartyId(3), b"\5other!") == []
    assert mux.open(b"tag", machine) == [Send(PartyId(3), b"\3tagheard one"), Send(PartyId(3), b"\3tagheard two")]
    assert machine.heard == [(3, b"one"), (3, b"two")]
    assert mux.receive(PartyId(2), b"\3tag") == [Send(PartyId(2), b"\3tagheard ")]


def test_a_finished_instance_is_dropped_but_not_forgotten() -> None:
    mux, machine = Mux(SEAT), Recorder(SEAT)
    mux.open(b"tag", machine)
    mux.receive(PartyId(2), b"\3taglast")
    assert not mux.open_tags
    assert mux.receive(PartyId(2), b"\3tagmore") == []
    assert machine.heard == [(2, b"last")]
    with pytest.raises(ValueError, match="opened before"):
        mux.open(b"tag", Recorder(SEAT))
    closed = Recorder(SEAT)
    mux.open(b"closed", closed)
    mux.close(b"closed")
    mux.receive(PartyId(2), b"\6closedmore")
    assert not closed.heard
    with pytest.raises(KeyError):
        mux.close(b"never")


def test_a_flood_of_early_messages_costs_only_its_sender() -> None:
    mux = Mux(SEAT, most_early_messages=5, most_early_bytes=1000)
    for index in range(9):
        mux.receive(PartyId(2), b"\1a%d" % index)
    mux.receive(PartyId(3), b"\1a" + bytes(1000))
    mux.receive(PartyId(4), b"\1akept")
    assert set(mux.faults) == {2, 3}
    machine = Recorder(SEAT)
    mux.open(b"a", machine)
    assert machine.heard == [*((2, b"%d" % index) for index in range(5)), (4, b"kept")]
    # what was handed over makes room again
    for index in range(5):
        mux.receive(PartyId(2), b"\1b%d" % index)
    later = Recorder(SEAT)
    mux.open(b"b", later)
    assert len(later.heard) == 5


def test_limits_and_tags() -> None:
    mux = Mux(SEAT, most_instances=2)
    for tag in (b"", bytes(65)):
        with pytest.raises(ValueError, match="1 to 64 bytes"):
            mux.open(tag, Recorder(SEAT))
    mux.open(b"a", Recorder(SEAT))
    mux.open(bytes(64), Recorder(SEAT))
    with pytest.raises(ValueError, match="at most 2 instances"):
        mux.open(b"c", Recorder(SEAT))
    for stranger in (0, 1, 5):
        with pytest.raises(ValueError, match="no peer"):
            mux.receive(PartyId(stranger), b"\1a")


def test_faults_of_an_instance_are_faults_of_the_stream() -> None:
    mux = Mux(SEAT)
    mux.open(b"a", ReliableBroadcast(SEAT, PartyId(2)))
    mux.receive(PartyId(3), b"\1a\7")
    assert mux.faults == {3: "a broadcast message of unknown kind"}


@given(messages=st.lists(st.tuples(st.integers(2, 4), st.binary(max_size=80)), max_size=30))
def test_arbitrary_bytes_never_raise(messages: list[tuple[int, bytes]]) -> None:
    mux = Mux(SEAT)
    mux.open(b"a", ReliableBroadcast(SEAT, PartyId(2)))
    for sender, message in messages:
        mux.receive(PartyId(sender), message)
        mux.receive(PartyId(sender), b"\1a" + message)
    assert set(mux.faults) <= {sender for sender, _ in messages}


def test_a_message_to_several_receivers_is_labelled_once() -> None:
    text = b"long"
    first, second = Mux(SEAT).label(b"a", [Send(PartyId(2), text), Send(PartyId(3), text)])
    assert first.message == b"\1along"
    assert first.message is second.message
