from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import CodedBroadcast, ErasureCode, ReliableBroadcast, Seat, Send
from quorate.protocol.broadcast.merkle import MerkleTree
from quorate.protocol.sharing import PartyId

from .network import CHANGES, SIZES, Actor, Coalition, Meddler, Network, seats

Broadcast: TypeAlias = ReliableBroadcast | CodedBroadcast
KINDS: list[type[ReliableBroadcast] | type[CodedBroadcast]] = [ReliableBroadcast, CodedBroadcast]
DEALER = PartyId(1)


def committee(kind: Any, parties: int, threshold: int) -> dict[PartyId, Broadcast]:
    return {party: kind(seat, DEALER, most_bytes=100_000) for party, seat in seats(parties, threshold).items()}


def agreed(honest: dict[PartyId, Broadcast]) -> bytes | None:
    """The one output; fails unless all or none delivered, and all the same."""
    outputs = {machine.output for machine in honest.values()}
    assert len(outputs) == 1, "agreement or totality is broken"
    return outputs.pop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (2, 0), *SIZES, (11, 3)])
@pytest.mark.parametrize("size", [0, 1, 1000, 40_000])
def test_an_honest_dealer_reaches_everybody_but_the_crashed(
    kind: Any, parties: int, threshold: int, size: int
) -> None:
    payload = Random(size).randbytes(size)
    for seed in range(3):
        machines = committee(kind, parties, threshold)
        others = Random(seed).sample(sorted(machines)[1:], parties - 1 - threshold)
        alive = {party: machines[party] for party in (DEALER, *others)}
        network = Network(alive, seed=seed)
        network.post(DEALER, machines[DEALER].start(payload))
        network.run()
        assert agreed(alive) == payload
        assert not any(machine.faults for machine in alive.values())


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_meddlers_do_not_stop_an_honest_dealer(kind: Any, parties: int, threshold: int, name: str) -> None:
    payload = b"the payload of an honest dealer" * 9
    for seed in range(3):
        honest = committee(kind, parties, threshold)
        actors: dict[PartyId, Actor] = dict(honest)
        for liar in Random(seed).sample(sorted(honest)[1:], threshold):
            actors[liar] = Meddler(honest.pop(liar), CHANGES[name], seed=seed + liar)
        network = Network(actors, seed=seed)
        network.post(DEALER, honest[DEALER].start(payload))
        network.run()
        assert agreed(honest) == payload
        assert not any(set(machine.faults) & set(honest) for machine in honest.values()), (
            "an honest one was blamed"
        )


@pytest.mark.parametrize("name", sorted(CHANGES))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_a_meddling_dealer_makes_all_or_none_deliver(kind: Any, parties: int, threshold: int, name: str) -> None:
    for seed in range(5):
        honest = committee(kind, parties, threshold)
        actors: dict[PartyId, Actor] = dict(honest)
        dealer = Meddler(honest[DEALER], CHANGES[name], seed=seed)
        start = honest[DEALER].start
        for liar in (DEALER, *Random(seed).sample(sorted(honest)[1:], threshold - 1)):
            actors[liar] = dealer if liar == DEALER else Meddler(honest[liar], CHANGES[name], seed=seed + liar)
            del honest[liar]
        network = Network(actors, seed=seed)
        network.post(DEALER, dealer.change(start(b"abc" * 50)))
        network.run()
        agreed(honest)


def run_coalition(
    kind: Any, parties: int, threshold: int, *, liars: int, hears: int, seed: int
) -> set[bytes | None]:
    """What the honest parties deliver when parties 1..liars tell one payload to 1..hears and another to the rest."""
    honest = committee(kind, parties, threshold)
    first, second = committee(kind, parties, threshold), committee(kind, parties, threshold)
    members = sorted(honest)[:liars]
    coalition = Coalition(first, second, members=members, hears_first=sorted(honest)[:hears])
    network = coalition.network(
        {party: machine for party, machine in honest.items() if party not in members}, seed
    )
    coalition.say(0, DEALER, first[DEALER].start(b"first"))
    coalition.say(1, DEALER, second[DEALER].start(b"other"))
    network.run()
    return {honest[party].output for party in honest if party not in members}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@given(seed=st.integers(0, 10**6), hears=st.integers(1, 10))
@settings(max_examples=25)
def test_an_equivocating_dealer_and_its_helpers_cannot_split_the_honest(
    kind: Any, parties: int, threshold: int, seed: int, hears: int
) -> None:
    outputs = run_coalition(kind, parties, threshold, liars=threshold, hears=hears, seed=seed)
    assert outputs in ({b"first"}, {b"other"}, {None})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_one_liar_more_than_the_threshold_splits_the_honest(kind: Any, parties: int, threshold: int) -> None:
    """The check above can fail: t + 1 liars make each half of the honest parties deliver another payload."""
    hears = threshold + 1 + threshold
    outputs = run_coalition(kind, parties, threshold, liars=threshold + 1, hears=hears, seed=0)
    assert outputs >= {b"first", b"other"}


# The coded broadcast, message by message


def pieces_of(payload: bytes, *, size: int | None = None, fragments: list[bytes] | None = None) -> list[bytes]:
    """The bodies of the four VALUE messages of a dealer with n = 4 and t = 1, honest or not."""
    fragments = ErasureCode(4, needed=2).encode(payload) if fragments is None else fragments
    tree = MerkleTree(fragments)
    header = struct.pack("<Q32s", len(payload) if size is None else size, tree.root)
    return [header + tree.branch(index) + fragment for index, fragment in enumerate(fragments)]


def coded() -> CodedBroadcast:
    return CodedBroadcast(Seat(PartyId(2), parties=4, threshold=1), DEALER, most_bytes=1000)


def test_the_wire_form_is_as_described() -> None:
    seat = Seat(DEALER, parties=4, threshold=1)
    sends = CodedBroadcast(seat, DEALER).start(b"some payload")
    bodies = pieces_of(b"some payload")
    values = {send.receiver: send.message for send in sends if send.message[0] == 0}
    assert values == {PartyId(index + 1): b"\0" + body for index, body in enumerate(bodies) if index}
    echoes = [send.message for send in sends if send.message[0] == 1]
    assert echoes == [b"\1" + bodies[0]] * 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda body: body[:-1], "a fragment of"),
        (lambda body: body[:20], "a piece of 20 bytes"),
        (lambda body: body[:-1] + bytes([body[-1] ^ 1]), "does not lead"),
        (lambda body: body[:50] + bytes([body[50] ^ 1]) + body[51:], "does not lead"),
        (lambda body: struct.pack("<Q", 1001) + body[8:], "the most is 1000"),
        (lambda body: struct.pack("<Q", 2**64 - 1) + body[8:], "the most is 1000"),
    ],
)
def test_a_fragment_that_is_not_committed_is_refused(change: Callable[[bytes], bytes], reason: str) -> None:
    machine = coded()
    body = change(pieces_of(b"some payload")[2])
    assert machine.receive(PartyId(3), b"\1" + body) == []
    assert reason in machine.faults[PartyId(3)]


def test_a_fragment_of_another_party_is_refused() -> None:
    machine = coded()
    machine.receive(PartyId(3), b"\1" + pieces_of(b"some payload")[3])
    assert "does not lead" in machine.faults[PartyId(3)]


def test_a_dealer_of_fragments_that_are_no_codeword_is_named_and_nobody_gets_ready() -> None:
    fragments = ErasureCode(4, needed=2).encode(b"some payload")
    fragments[3] = bytes(6)
    bodies = pieces_of(b"some payload", fragments=fragments)
    machine = coded()
    sends = machine.receive(DEALER, b"\0" + bodies[1])
    for sender in (1, 3, 4):
        sends += machine.receive(PartyId(sender), b"\1" + bodies[sender - 1])
    assert {send.message[0] for send in sends} == {1}
    assert machine.faults == {DEALER: "dealt fragments of no codeword"}
    assert machine.output is None


@pytest.mark.parametrize("wrong", [1, 3])
def test_a_wrong_size_under_the_right_root_is_another_commitment(wrong: int) -> None:
    """11 and 12 bytes give fragments of one size; the padding tells them apart."""
    machine = coded()
    honest, other = pieces_of(b"some payload"), pieces_of(b"some payload", size=11)
    sends = machine.receive(DEALER, b"\0" + honest[1])
    for sender in (1, 3, 4):
        bodies = other if sender == wrong else honest
        sends += machine.receive(PartyId(sender), b"\1" + bodies[sender - 1])
    assert [send.message[0] for send in sends] == [1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("kind", KINDS)
def test_messages_out_of_protocol_are_noted(kind: Any) -> None:
    for message, reason in ((b"", "unknown kind"), (b"\7", "unknown kind"), (b"\0abc", "not the dealer")):
        machine = kind(Seat(PartyId(2), parties=4, threshold=1), DEALER, most_bytes=10)
        assert machine.receive(PartyId(3), message) == []
        assert reason in machine.faults[PartyId(3)]
    machine = kind(Seat(PartyId(2), parties=4, threshold=1), DEALER, most_bytes=10)
    machine.receive(PartyId(3), b"\2" + bytes(32))
    machine.receive(PartyId(3), b"\2" + bytes(32))
    assert not machine.faults
    machine.receive(PartyId(3), b"\2" + bytes([1] * 32))
    machine.receive(PartyId(4), b"\2short")
    machine.receive(DEALER, b"\1" + bytes(5000))
    assert set(machine.faults) == {1, 3, 4}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("parties", "threshold"), [(7, 2), (8, 2), (10, 3)])
def test_quorums_are_exact(kind: Any, parties: int, threshold: int) -> None:
    """READY at t + 1 readies and not before; delivery at 2t + 1, one's own counted."""
    machines = committee(kind, parties, threshold)
    start = machines[DEALER].start(b"a payload")
    seen: dict[PartyId, list[bytes]] = {}
    network = Network({party: Tap(machine, seen) for party, machine in machines.items()}, seed=0)
    network.post(DEALER, start)
    network.run()
    listener = committee(kind, parties, threshold)[PartyId(2)]
    listener.receive(DEALER, next(send.message for send in start if send.receiver == 2))
    for sender in range(3, 3 + parties - 2 * threshold - 1):  # enough echoes to know the payload, with its own
        echo = next(message for message in seen[PartyId(sender)] if message[0] == 1)
        assert listener.receive(PartyId(sender), echo) == [], "too few echoes to be ready"
    for count, sender in enumerate([1, *range(3, parties + 1)], start=1):
        ready = next(message for message in seen[PartyId(sender)] if message[0] == 2)
        sends = listener.receive(PartyId(sender), ready)
        assert bool(sends) == (count == threshold + 1)
        with_own = count + (count > threshold)
        assert (listener.output is not None) == (with_own >= 2 * threshold + 1)
    assert listener.output == b"a payload"


class Tap:
    """Passes messages on and keeps what the party sends."""

    def __init__(self, machine: Broadcast, seen: dict[PartyId, list[bytes]]) -> None:
        self._machine = machine
        self._seen = seen.setdefault(machine.seat.identity, [])

    def receive(self, sender: PartyId, message: bytes) -> list[Send]:
        sends = self._machine.receive(sender, message)
        self._seen.extend(send.message for send in sends)
        return sends


@pytest.mark.parametrize("kind", KINDS)
def test_misuse_by_the_caller_is_refused(kind: Any) -> None:
    machine = kind(Seat(DEALER, parties=4, threshold=1), DEALER, most_bytes=10)
    with pytest.raises(ValueError, match="the most is 10"):
        machine.start(bytes(11))
    machine.start(b"x")
    with pytest.raises(ValueError, match="starts once"):
        machine.start(b"x")
    with pytest.raises(ValueError, match="is the dealer"):
        kind(Seat(PartyId(2), parties=4, threshold=1), DEALER).start(b"x")
    with pytest.raises(ValueError, match="needs 4 parties"):
        Seat(DEALER, parties=3, threshold=1)


@pytest.mark.parametrize("kind", KINDS)
@given(messages=st.lists(st.tuples(st.integers(1, 4), st.binary(max_size=120)), max_size=30))
def test_arbitrary_bytes_never_raise(kind: Any, messages: list[tuple[int, bytes]]) -> None:
    machine = kind(Seat(PartyId(2), parties=4, threshold=1), DEALER, most_bytes=100)
    for sender, message in messages:
        if sender != 2:
            machine.receive(PartyId(sender), message)
    assert set(machine.faults) <= {1, 3, 4}


def test_the_coded_broadcast_sends_less_than_three_times_the_payload_a_party() -> None:
    size = 60_000
    spent = {}
    for kind in KINDS:
        machines = committee(kind, 10, 3)
        network = Network(machines, seed=0)
        network.post(DEALER, machines[DEALER].start(bytes(size)))
        network.run()
        spent[kind] = network.bytes_sent[PartyId(2)]
    assert spent[CodedBroadcast] < 3 * size
    assert spent[ReliableBroadcast] > 9 * size
