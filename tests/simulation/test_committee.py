"""The whole committee in one process: from sealed bids to sealed outputs, by the machines that the nodes run."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.node.programs import compile_package, input_kind
from quorate.node.store import shipped_packages
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
from quorate.protocol.mpc import ClientInput, ClientOutput, InputFault, Party, PartyId, run_local, signed_integers

REQUEST = bytes(range(32))


def client_key(client: int) -> bytes:
    return hashlib.sha256(b"client %d" % client).digest()


def public(client: int) -> bytes:
    return X25519PrivateKey.from_private_bytes(client_key(client)).public_key().public_bytes_raw()


def auction_task(clients: int, *, receive: bool = True) -> CommitteeTask:
    package = next(entry for entry in shipped_packages() if entry.manifest.name == "second-price-auction")
    kinds = tuple(input_kind(name) for name in package.manifest.input_types(()))
    slots = tuple(ClientSlot(kinds, public(client) if receive else None) for client in range(clients))
    return CommitteeTask(REQUEST, package.content_hash, compile_package(package), "main", (), slots)


def committee(parties: int, threshold: int, *, seed: int) -> list[Party]:
    return [
        Party(
            BN254,
            PartyId(identity),
            parties=parties,
            threshold=threshold,
            randomness=random.Random(seed * 1000 + identity).randbytes,
        )
        for identity in range(1, parties + 1)
    ]


def masked_by(
    task: CommitteeTask, masks: Sequence[Sequence[object]], values: Sequence[Sequence[int]]
) -> dict[int, bytes]:
    """What each client sends, from every party's shares of its masks."""
    parties = len(masks)
    messages = {}
    for client, given in enumerate(values):
        shares = {PartyId(party + 1): BN254.to_bytes(masks[party][client].shares) for party in range(parties)}  # type: ignore[attr-defined]
        machine = ClientInput(BN254, task.clients[client].inputs, parties=parties, threshold=1)
        messages[client] = machine.mask(given, shares)
    return messages


def run_auction(bids: Sequence[int], *, parties: int = 5) -> tuple[CommitteeTask, list[Conclusion], list[Party]]:
    task = auction_task(len(bids))
    members = committee(parties, 1, seed=len(bids))
    masks = run_local([prepare(member, task) for member in members])
    masked = masked_by(task, masks, [[bid] for bid in bids])
    evaluations = run_local(
        [evaluate(member, task, own, masked) for member, own in zip(members, masks, strict=True)]
    )
    conclusions = run_local(
        [conclude(member, task, own) for member, own in zip(members, evaluations, strict=True)]
    )
    return task, conclusions, members


def outputs_of(client: int, conclusions: Sequence[Conclusion], *, parties: Sequence[int]) -> list[int]:
    shares: dict[PartyId, bytes] = {}
    count = 0
    for party in parties:
        context = EnvelopeContext(REQUEST, party, client)
        envelope = conclusions[party - 1].envelopes[client]
        plain = decode(OutputPlaintext, unseal(envelope, private_key=client_key(client), context=context))
        shares[PartyId(party)], count = plain.shares, len(plain.kinds)
    decoded = ClientOutput(BN254, count, parties=len(conclusions), threshold=1).reconstruct(shares)
    return signed_integers(BN254, decoded.secrets)


@pytest.mark.parametrize(
    ("bids", "expected"),
    [
        ([120, 95, 101], [0, 101]),
        ([7, 7], [0, 7]),
        ([0, 2**32 - 1, 5, 6], [1, 6]),
        ([1, 2, 3, 4, 5, 6, 7], [6, 6]),
    ],
)
def test_the_auction_from_sealed_bids_to_sealed_outputs(bids: list[int], expected: list[int]) -> None:
    task, conclusions, _ = run_auction(bids)
    assert len({conclusion.statement.digest() for conclusion in conclusions}) == 1
    for client in range(len(bids)):
        assert outputs_of(client, conclusions, parties=[1, 2, 3, 4, 5]) == expected
        assert outputs_of(client, conclusions, parties=[2, 5]) == expected
    hashes = {(entry.party, entry.client): entry.sha256 for entry in conclusions[0].statement.envelopes}
    for party, conclusion in enumerate(conclusions, start=1):
        for client, envelope in conclusion.envelopes.items():
            assert hashes[party, client] == hashlib.sha256(envelope).digest()
    assert conclusions[0].statement.program == task.program_hash


def test_the_plan_covers_the_online_phase() -> None:
    task = auction_task(8)
    members = committee(5, 1, seed=3)
    masks = run_local([prepare(member, task) for member in members])
    before = [member.pool.stock for member in members]
    masked = masked_by(task, masks, [[bid] for bid in range(8)])
    run_local([evaluate(member, task, own, masked) for member, own in zip(members, masks, strict=True)])
    for member, stock in zip(members, before, strict=True):
        assert stock.widths("dual_integer")
        left = member.pool.stock
        assert not left.widths("integer")
        assert not left.widths("dual_integer"), "the plan is exact for a program whose course is public"


def test_a_client_that_is_absent_is_named() -> None:
    task = auction_task(3)
    members = committee(5, 1, seed=9)
    masks = run_local([prepare(member, task) for member in members])
    masked = masked_by(task, masks, [[1], [2], [3]])
    del masked[1]
    with pytest.raises(InputFault) as caught:
        run_local([evaluate(member, task, own, masked) for member, own in zip(members, masks, strict=True)])
    assert caught.value.client == 1


def test_a_bid_above_its_range_is_caught_by_the_committee_too() -> None:
    """A client that does not run our code sends 2 where a bit belongs."""
    task = auction_task(2)
    members = committee(5, 1, seed=11)
    masks = run_local([prepare(member, task) for member in members])
    masked = masked_by(task, masks, [[1], [2]])
    forged = BN254.add(BN254.from_bytes(masked[1], 32), BN254.vector([2] + [0] * 31))
    masked[1] = BN254.to_bytes(forged)
    with pytest.raises(InputFault, match="outside the range") as caught:
        run_local([evaluate(member, task, own, masked) for member, own in zip(members, masks, strict=True)])
    assert caught.value.client == 1
