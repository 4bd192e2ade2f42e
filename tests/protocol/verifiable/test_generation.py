from __future__ import annotations

import dataclasses
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from tests.protocol.broadcast.network import CHANGES, InsecureTestCoins, Meddler, Network, seats

from quorate.protocol.broadcast import Send
from quorate.protocol.codec import decode, encode
from quorate.protocol.curve import CURVES, ED25519, P256, Curve
from quorate.protocol.sharing import PartyId
from quorate.protocol.verifiable import FROST_ED25519, KeyGeneration, KeyShare, sign_schnorr
from quorate.protocol.verifiable.generation import MAX_SESSION_BYTES, PublicShare

from .committee import private_key, randomness
from .network import run_signers

SIZES = [(4, 1), (7, 2)]


def generations(
    parties: int, threshold: int, *, curve: Curve = P256, seed: int = 1, session: bytes = b"session"
) -> dict[PartyId, KeyGeneration]:
    return {
        party: KeyGeneration(
            seat,
            curve=curve,
            coins=InsecureTestCoins(seat, seed),
            randomness=randomness(seed, f"party {party}"),
            session=session,
        )
        for party, seat in seats(parties, threshold).items()
    }


def agreed(machines: dict[PartyId, KeyGeneration], honest: list[PartyId]) -> dict[PartyId, KeyShare]:
    """The key shares of the honest parties: all have one, and any t + 1 of them are of the same key."""
    held = {}
    for party in honest:
        output = machines[party].output
        assert output is not None, f"party {party} has no key"
        held[party] = output
        assert not set(machines[party].faults) & set(honest), machines[party].faults
        assert machines[party].finished
    first = held[honest[0]]
    assert all(share.commitment == first.commitment for share in held.values())
    assert len({machines[party].dealers for party in honest}) == 1
    for chosen in (honest[: first.threshold + 1], honest[-first.threshold - 1 :]):
        key = private_key({party: held[party] for party in chosen})
        assert first.curve.generator * key == first.public_key
    return held


def run(machines, *, seed: int, liars=(), change=None) -> dict[PartyId, KeyShare]:
    actors = dict(machines) | {liar: Meddler(machines[liar], change, seed=seed) for liar in liars}
    network = Network(actors, seed=seed)
    for party, machine in machines.items():
        sends = machine.start()
        network.post(party, actors[party].change(sends) if party in liars else sends)
    network.run()
    return agreed(machines, [party for party in sorted(machines) if party not in liars])


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_all_have_shares_of_one_key(parties, threshold, seed):
    machines = generations(parties, threshold, seed=seed)
    held = run(machines, seed=seed)
    dealers = machines[PartyId(1)].dealers
    assert dealers is not None
    assert len(dealers) >= parties - threshold
    assert held[PartyId(1)].threshold == threshold
    other = run(generations(parties, threshold, seed=seed + 50), seed=seed)
    assert other[PartyId(1)].public_key != held[PartyId(1)].public_key


@pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
def test_on_every_curve(curve):
    held = run(generations(4, 1, curve=curve), seed=0)
    assert held[PartyId(1)].curve is curve


def test_such_a_key_signs():
    held = run(generations(4, 1, curve=ED25519), seed=1)
    signers = [PartyId(2), PartyId(4)]
    protocols = {
        party: sign_schnorr(FROST_ED25519, held[party], b"hello", signers=signers, randomness=randomness(1, party))
        for party in signers
    }
    signature = run_signers(protocols)[PartyId(2)]
    Ed25519PublicKey.from_public_bytes(held[PartyId(1)].public_key.encode()).verify(signature, b"hello")


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("seed", range(2))
def test_silent_parties(parties, threshold, seed):
    machines = generations(parties, threshold, seed=seed)
    for party in sorted(machines)[-threshold:]:
        del machines[party]
    network = Network(machines, seed=seed)
    for party, machine in machines.items():
        network.post(party, machine.start())
    network.run()
    agreed(machines, sorted(machines))


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_lying_parties(change):
    run(generations(4, 1, seed=3), seed=3, liars=[PartyId(2)], change=change)
    run(generations(7, 2, seed=4), seed=4, liars=[PartyId(1), PartyId(5)], change=change)


def public_share_lie(random: Random, send: Send, history: object) -> list[Send]:
    """The public share plus the generator, with the proof of the right one."""
    if send.message[:1] != b"\x02":
        return [send]
    message = decode(PublicShare, send.message[1:])
    point = P256.decode(message.point) + P256.generator
    return [Send(send.receiver, b"\x02" + encode(dataclasses.replace(message, point=point.encode())))]


def no_point(random: Random, send: Send, history: object) -> list[Send]:
    if send.message[:1] != b"\x02":
        return [send]
    message = decode(PublicShare, send.message[1:])
    return [Send(send.receiver, b"\x02" + encode(dataclasses.replace(message, point=b"\x05" * 33)))]


@pytest.mark.parametrize("lie", [public_share_lie, no_point])
@pytest.mark.parametrize("seed", range(3))
def test_a_wrong_public_share_has_no_effect(lie, seed):
    machines = generations(4, 1, seed=seed)
    run(machines, seed=0, liars=[PartyId(1)], change=lie)
    assert any(PartyId(1) in machines[PartyId(party)].faults for party in (2, 3, 4)), "nobody saw the lie in time"


class Recorder(Network):
    """Keeps every message, in the order in which they were sent."""

    def __init__(self, actors, *, seed: int) -> None:
        super().__init__(actors, seed=seed)
        self.sent: list[bytes] = []

    def post(self, sender, sends) -> None:
        kept = list(sends)
        self.sent.extend(send.message for send in kept)
        super().post(sender, kept)


def test_nothing_shows_the_key_before_the_dealers_are_agreed_on():
    """Each dealer's multiple of the generator, and each public share, is first seen in the last part, if at all."""
    machines = generations(4, 1, seed=5)
    network = Recorder(machines, seed=0)
    for party, machine in machines.items():
        network.post(party, machine.start())
    network.run()
    held = agreed(machines, sorted(machines))
    early = b"".join(message for message in network.sent if message[:1] != b"\x02")
    last = b"".join(message for message in network.sent if message[:1] == b"\x02")
    for share in held.values():
        point = share.public_share(share.identity).encode()
        assert point not in early
        assert point in last
    assert held[PartyId(1)].public_key.encode() not in early


def test_another_session_has_other_proofs():
    machines = generations(4, 1)
    stranger = generations(4, 1, session=b"another")[PartyId(4)]
    mixed = dict(machines) | {PartyId(4): stranger}
    network = Network(mixed, seed=0)
    for party, machine in mixed.items():
        network.post(party, machine.start())
    network.run()
    agreed(machines, [PartyId(1), PartyId(2), PartyId(3)])


def test_a_proof_is_of_one_party_in_one_session():
    contexts = {
        machine._context(PartyId(party))
        for session in (b"", b"a", b"ab", b"session")
        for machine in (generations(4, 1, session=session)[PartyId(1)],)
        for party in range(1, 5)
    }
    assert len(contexts) == 16


def test_misuse():
    machine = generations(4, 1)[PartyId(1)]
    machine.start()
    with pytest.raises(ValueError, match="starts once"):
        machine.start()
    with pytest.raises(ValueError, match="the most is 64"):
        generations(4, 1, session=bytes(MAX_SESSION_BYTES + 1))
    for data in (b"", b"\x07", b"\x00", b"\x00\x09", b"\x02\x00"):
        other = generations(4, 1)[PartyId(1)]
        assert not other.receive(PartyId(2), data)
        assert PartyId(2) in other.faults
