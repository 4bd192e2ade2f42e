"""A robust committee does its whole work with a member that is silent or lies, and clients get their outputs."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.node.jobs.packages import shipped_packages
from quorate.node.programs import compile_package, input_kind
from quorate.protocol.codec import decode
from quorate.protocol.committee import (
    ClientSlot,
    CommitteeTask,
    Conclusion,
    OutputPlaintext,
    conclude,
    evaluate,
    prepare,
)
from quorate.protocol.envelope import EnvelopeContext, unseal
from quorate.protocol.field import BN254
from quorate.protocol.mpc import ROBUST, ClientInput, ClientOutput, InputFault, Party, PartyId
from quorate.protocol.simulation import Crash, Failed, Finished, Tamper, simulate

REQUEST = bytes(range(32))
KEYS = [X25519PrivateKey.from_private_bytes(bytes([7 + number]) * 32) for number in range(3)]
BIDS = (70, 140, 101)
PARTIES, THRESHOLD = 4, 1


def auction() -> CommitteeTask:
    package = next(entry for entry in shipped_packages() if entry.manifest.name == "second-price-auction")
    kinds = tuple(input_kind(name) for name in package.manifest.input_types(()))
    slots = tuple(ClientSlot(kinds, key.public_key().public_bytes_raw()) for key in KEYS)
    program = compile_package(package)
    return CommitteeTask(REQUEST, package.content_hash, program, "main", (), slots, protocol="robust")


def members() -> list[Party]:
    return [
        Party(
            BN254,
            PartyId(identity),
            parties=PARTIES,
            threshold=THRESHOLD,
            randomness=random.Random(identity).randbytes,
            scheme=ROBUST,
        )
        for identity in range(1, PARTIES + 1)
    ]


def finished(protocols, faults, *, seed, honest):
    """The values of honest parties, by party; all of them must end well."""
    outcomes = simulate(protocols, seed=seed, faults=faults).outcomes
    for party in honest:
        assert isinstance(outcomes[party], Finished), outcomes[party]
    return {party: outcome.value for party, outcome in outcomes.items() if isinstance(outcome, Finished)}


def masked_inputs(task: CommitteeTask, masks, *, parties: Sequence[int]) -> dict[int, bytes]:
    messages = {}
    for client, bid in enumerate(BIDS):
        shares = {PartyId(party): BN254.to_bytes(masks[party][client].shares) for party in parties}
        machine = ClientInput(
            BN254, task.clients[client].inputs, parties=PARTIES, threshold=THRESHOLD, corrects=True
        )
        messages[client] = machine.mask([bid], shares)
    return messages


def output_of(client: int, conclusions: dict[PartyId, Conclusion]) -> list[int]:
    shares = {}
    for party, conclusion in conclusions.items():
        context = EnvelopeContext(REQUEST, party, client)
        envelope = conclusion.envelopes[client]
        hashes = {(entry.party, entry.client): entry.sha256 for entry in conclusion.statement.envelopes}
        assert hashes[party, client] == hashlib.sha256(envelope).digest()
        plain = unseal(envelope, private_key=KEYS[client].private_bytes_raw(), context=context)
        shares[party] = decode(OutputPlaintext, plain).shares
    machine = ClientOutput(BN254, 2, parties=PARTIES, threshold=THRESHOLD)
    return BN254.integers(machine.reconstruct(shares).secrets)


def spoiled(message: bytes) -> bytes:
    return bytes(byte ^ 1 for byte in message[:1]) + message[1:]


def faults_of(kind: str, liar: PartyId):
    if kind == "silent":
        return [Crash(liar, exchange=1)]
    others = [PartyId(party) for party in range(1, PARTIES + 1) if party != liar]
    return [Tamper(liar, other, exchange=number, change=spoiled) for other in others for number in range(1, 400)]


@pytest.mark.parametrize("kind", ["silent", "lies"])
@pytest.mark.parametrize("liar", [PartyId(1), PartyId(4)])
def test_an_auction_ends_well_with_a_bad_member(kind, liar):
    task, parties = auction(), members()
    honest = [PartyId(party) for party in range(1, PARTIES + 1) if party != liar]
    faults = faults_of(kind, liar)
    masks = finished([prepare(member, task) for member in parties], faults, seed=1, honest=honest)
    messages = masked_inputs(task, masks, parties=honest)
    online = [evaluate(member, task, masks.get(member.identity, masks[honest[0]]), messages) for member in parties]
    evaluations = finished(online, faults, seed=2, honest=honest)
    ends = [conclude(member, task, evaluations.get(member.identity, evaluations[honest[0]])) for member in parties]
    conclusions = finished(ends, faults, seed=3, honest=honest)
    right = {party: conclusions[party] for party in honest}
    assert len({conclusion.statement.digest() for conclusion in right.values()}) == 1
    for client in range(len(BIDS)):
        assert output_of(client, right) == [1, 101]


def prepared():
    task, parties = auction(), members()
    masks = simulate([prepare(member, task) for member in parties], seed=1).values()
    by_party = {PartyId(index): own for index, own in enumerate(masks, start=1)}
    return task, parties, masks, masked_inputs(task, by_party, parties=range(1, PARTIES + 1))


def test_a_member_that_lacks_an_input_gets_it_from_the_others():
    task, parties, masks, messages = prepared()
    some = {client: message for client, message in messages.items() if client != 1}
    protocols = [
        evaluate(member, task, own, some if member.identity == 2 else messages)
        for member, own in zip(parties, masks, strict=True)
    ]
    evaluations = simulate(protocols, seed=2).values()
    assert len(evaluations) == PARTIES


@pytest.mark.parametrize("reached", [0, 1])
def test_a_client_that_reached_too_few_members_is_named_by_all(reached):
    task, parties, masks, messages = prepared()
    some = {client: message for client, message in messages.items() if client != 1}
    protocols = [
        evaluate(member, task, own, messages if member.identity <= reached else some)
        for member, own in zip(parties, masks, strict=True)
    ]
    outcomes = simulate(protocols, seed=2).outcomes
    for outcome in outcomes.values():
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, InputFault)
        assert outcome.error.client == 1


def test_a_client_that_tells_two_halves_different_things_is_named_by_all():
    task, parties, masks, messages = prepared()
    other = dict(messages)
    other[0] = messages[0][32:] + messages[0][:32]
    protocols = [
        evaluate(member, task, own, other if member.identity <= 2 else messages)
        for member, own in zip(parties, masks, strict=True)
    ]
    outcomes = simulate(protocols, seed=2).outcomes
    for outcome in outcomes.values():
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, InputFault)
        assert outcome.error.client == 0
