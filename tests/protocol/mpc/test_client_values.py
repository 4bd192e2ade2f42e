from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault, ProgramError
from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    MAX_INPUT_BITS,
    MAX_INPUT_MASKS,
    ClientInput,
    ClientOutput,
    InconsistentShares,
    InputFault,
    InputKind,
    PartyId,
    accept_inputs,
    draw_masks,
    mask_count,
    output_shares,
    run_local,
    signed_integers,
)

INT64, BOOLEAN, ELEMENT = InputKind(64, signed=True), InputKind(1), InputKind()
KINDS = [INT64, INT64, BOOLEAN, ELEMENT, ELEMENT, InputKind(8), InputKind(8, signed=True)]
VALUES = [-(2**63), 2**63 - 1, 1, -5, 2**200, 255, -128]


class Clients:
    """The clients of one committee, from their masks to what the parties make of their messages."""

    def __init__(self, group, kinds):
        self.group = group
        self.kinds = kinds
        self.masks = group.run(draw_masks, kinds)

    def bodies(self, client):
        index = sorted(self.kinds).index(client)
        rows = [own[index].shares for own in self.masks]
        return {PartyId(number): BN254.to_bytes(row) for number, row in enumerate(rows, start=1)}

    def message(self, client, values):
        size = {"parties": len(self.group.parties), "threshold": self.group.threshold}
        return ClientInput(BN254, self.kinds[client], **size).mask(values, self.bodies(client))

    def accept(self, *messages):
        """Each of `messages` is one party's view, in order; fewer repeat the last one."""
        views = [messages[min(i, len(messages) - 1)] for i in range(len(self.group.parties))]
        triples = zip(self.group.parties, self.masks, views, strict=True)
        return run_local([accept_inputs(party, masks, view) for party, masks, view in triples])

    def opened(self, accepted, client):
        return self.group.open([own[client] for own in accepted])


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (4, 1), (5, 2), (7, 3)])
def test_inputs_arrive(committee, parties, threshold):
    clients = Clients(committee(parties, threshold), {0: KINDS, 3: [BOOLEAN], 7: [ELEMENT]})
    messages = {0: clients.message(0, VALUES), 3: clients.message(3, [0]), 7: clients.message(7, [9])}
    before = clients.group.first.statistics.rounds
    accepted = clients.accept(messages)
    assert clients.group.first.statistics.rounds - before == (4 if parties > 1 else 0)
    assert clients.opened(accepted, 0) == VALUES
    assert clients.opened(accepted, 3) == [0]
    assert clients.opened(accepted, 7) == [9]


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1, max_size=4), st.integers(0, 9))
def test_any_integers_arrive(committee, values, seed):
    clients = Clients(committee(3, 1, seed=seed), {0: [InputKind(32, signed=True)] * len(values)})
    assert clients.opened(clients.accept({0: clients.message(0, values)}), 0) == values


def test_field_elements_alone_need_no_bit_check(three):
    clients = Clients(three, {0: [ELEMENT]})
    before = three.first.statistics.rounds
    assert clients.opened(clients.accept({0: clients.message(0, [77])}), 0) == [77]
    assert three.first.statistics.rounds - before == 2


# The bits of 0 as a signed integer of 64 bits and of false: place 63 is 1, since the offset is added.
@pytest.mark.parametrize(
    ("place", "added"),
    [(0, 2), (0, -1), (0, BN254.modulus // 2), (63, 1), (63, -2), (64, 2), (64, -1), (64, 2**64)],
)
def test_a_non_bit_names_its_client(three, place, added):
    clients = Clients(three, {0: [INT64], 1: [INT64, BOOLEAN], 2: [ELEMENT]})
    honest = {0: clients.message(0, [-1]), 1: clients.message(1, [0, 0]), 2: clients.message(2, [3])}
    forged = BN254.from_bytes(honest[1], 65)
    forged[place] = BN254.add_constant(forged[place : place + 1], added)[0]
    with pytest.raises(InputFault) as caught:
        clients.accept(honest | {1: BN254.to_bytes(forged)})
    assert caught.value.client == 1
    assert "range" in caught.value.reason


def test_another_bit_is_another_value_in_range(three):
    clients = Clients(three, {0: [INT64]})
    forged = BN254.from_bytes(clients.message(0, [0]), 64)
    forged[63] = BN254.add_constant(forged[63:], -1)[0]
    assert clients.opened(clients.accept({0: BN254.to_bytes(forged)}), 0) == [-(2**63)]


def test_every_party_names_the_client_that_equivocates(three):
    clients = Clients(three, {0: [BOOLEAN], 1: [BOOLEAN]})
    one, other = clients.message(1, [0]), clients.message(1, [1])
    good = clients.message(0, [1])
    for views in ([one, other, other], [one, one, other], [other, one, one]):
        group_views = [{0: good, 1: view} for view in views]
        protocols = [
            accept_inputs(party, masks, view)
            for party, masks, view in zip(three.parties, clients.masks, group_views, strict=True)
        ]
        exchanges = [next(protocol) for protocol in protocols]
        for number, protocol in enumerate(protocols, start=1):
            replies = {
                PartyId(sender): exchange.outgoing[PartyId(number)]
                for sender, exchange in enumerate(exchanges, start=1)
                if sender != number
            }
            with pytest.raises(InputFault) as caught:
                protocol.send(replies)
            assert caught.value.client == 1
            assert "different" in caught.value.reason


@pytest.mark.parametrize("message", [b"", b"\xff" * 32, b"\0" * 64], ids=["empty", "too large", "long"])
def test_a_malformed_message_names_its_client(three, message):
    clients = Clients(three, {4: [BOOLEAN]})
    with pytest.raises(InputFault) as caught:
        clients.accept({4: message})
    assert caught.value.client == 4


def test_an_absent_message_is_the_callers_error(three):
    with pytest.raises(KeyError):
        Clients(three, {0: [BOOLEAN]}).accept({})


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (INT64, 2**63),
        (INT64, -(2**63) - 1),
        (BOOLEAN, 2),
        (BOOLEAN, -1),
        (InputKind(8), 256),
        (InputKind(8, signed=True), 128),
    ],
)
def test_an_honest_client_refuses_a_value_out_of_range_without_quoting_it(three, kind, value):
    clients = Clients(three, {0: [kind]})
    with pytest.raises(ProgramError, match="range") as caught:
        clients.message(0, [value])
    assert str(value) not in str(caught.value)


def test_masks_hide_one_input_only(three):
    clients = Clients(three, {0: [BOOLEAN]})
    client = ClientInput(BN254, [BOOLEAN], parties=3, threshold=1)
    with pytest.raises(ProgramError, match="takes 1"):
        client.mask([1, 1], clients.bodies(0))
    client.mask([1], clients.bodies(0))
    with pytest.raises(ProgramError, match="used"):
        client.mask([0], clients.bodies(0))


def test_a_client_checks_the_mask_shares(committee):
    for size, suspects in (((3, 1), ()), ((4, 1), (2,))):
        clients = Clients(committee(*size), {0: [BOOLEAN, ELEMENT]})
        bodies = clients.bodies(0)
        bodies[PartyId(2)] = bodies[PartyId(1)]
        client = ClientInput(BN254, [BOOLEAN, ELEMENT], parties=size[0], threshold=1)
        assert client.size_bytes == 64
        with pytest.raises(InconsistentShares) as caught:
            client.mask([1, 1], bodies)
        assert caught.value.suspects == suspects
        with pytest.raises(PartyFault, match="party 3"):
            client.mask([1, 1], clients.bodies(0) | {PartyId(3): b"\xff" * 64})
        with pytest.raises(PartyFault, match="party 9"):
            client.mask([1, 1], clients.bodies(0) | {PartyId(9): b"\0" * 64})
        few = dict(list(clients.bodies(0).items())[:2])
        with pytest.raises(ProgramError, match="3 are needed"):
            client.mask([1, 1], few)


def test_input_kinds_have_bounds():
    for bits in (0, MAX_INPUT_BITS + 1):
        with pytest.raises(ValueError, match="bits"):
            InputKind(bits)
    with pytest.raises(ValueError, match="masks"):
        mask_count([INT64] * (MAX_INPUT_MASKS // 64 + 1))


def test_outputs_reach_a_client(three):
    shares = three.share([5, -6, 7])
    fresh = three.run(output_shares, shares)
    assert all((own != again).any() for own, again in zip(shares, fresh, strict=True))
    bodies = {PartyId(number): BN254.to_bytes(row) for number, row in enumerate(fresh, start=1)}
    client = ClientOutput(BN254, 3, parties=3, threshold=1)
    for left_out in (None, 1, 2, 3):
        some = {party: body for party, body in bodies.items() if party != left_out}
        decoded = client.reconstruct(some)
        assert signed_integers(BN254, decoded.secrets) == [5, -6, 7]
        assert decoded.wrong == frozenset()
    with pytest.raises(ProgramError, match="2 are needed"):
        client.reconstruct({PartyId(1): bodies[PartyId(1)]})
    bodies[PartyId(2)] = bodies[PartyId(1)]
    with pytest.raises(InconsistentShares):
        client.reconstruct(bodies)


def test_a_client_of_four_parties_corrects_and_names_a_wrong_share(committee):
    group = committee(4, 1)
    rows = group.run(output_shares, group.share([41, 42]))
    bodies = {PartyId(number): BN254.to_bytes(row) for number, row in enumerate(rows, start=1)}
    bodies[PartyId(3)] = bodies[PartyId(4)]
    decoded = ClientOutput(BN254, 2, parties=4, threshold=1).reconstruct(bodies)
    assert BN254.integers(decoded.secrets) == [41, 42]
    assert decoded.wrong == {3}
    with pytest.raises(PartyFault, match="party 1"):
        ClientOutput(BN254, 2, parties=4, threshold=1).reconstruct(bodies | {PartyId(1): b""})
