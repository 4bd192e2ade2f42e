from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from tests.protocol.broadcast.network import CHANGES, Meddler, Network, seats

from quorate.protocol.broadcast import Send
from quorate.protocol.codec import decode_one_of, encode
from quorate.protocol.curve import BN254_G1, ED25519, P256, SECP256K1
from quorate.protocol.field import BN254
from quorate.protocol.sharing import PartyId
from quorate.protocol.sharing import reconstruct as reconstruct_vectors
from quorate.protocol.verifiable import Scheme, SharedSecrets, VerifiableSharing, reconstruct
from quorate.protocol.verifiable.avss import MAX_SECRETS, Echo, Propose, Ready

from .committee import randomness

SIZES = [(4, 1), (7, 2)]
DEALER = PartyId(2)
SECRETS = [42, SECP256K1.order - 1]


def sharings(
    parties: int, threshold: int, *, scheme: Scheme = Scheme.PEDERSEN, seed: int = 1
) -> dict[PartyId, VerifiableSharing]:
    return {
        party: VerifiableSharing(
            seat,
            DEALER,
            curve=SECP256K1,
            scheme=scheme,
            randomness=randomness(seed, f"party {party}"),
            count=len(SECRETS),
        )
        for party, seat in seats(parties, threshold).items()
    }


def agreed(machines: dict[PartyId, VerifiableSharing], honest: list[PartyId]) -> SharedSecrets | None:
    """What the honest parties hold: all or none of them; any t + 1 of them open the same secrets."""
    outputs = {party: machines[party].output for party in honest}
    if all(output is None for output in outputs.values()):
        return None
    held = {party: output for party, output in outputs.items() if output is not None}
    assert set(held) == set(honest), "some completed and others did not"
    commitments = held[honest[0]].commitments
    threshold = machines[honest[0]].seat.threshold
    opened = []
    for party, output in held.items():
        assert output.commitments == commitments
        assert all(c.admits(party, share) for c, share in zip(commitments, output.shares, strict=True))
    for chosen in (honest[: threshold + 1], honest[-threshold - 1 :]):
        shares = {party: held[party].shares for party in chosen}
        opened.append(reconstruct(commitments, shares, randomness=randomness(1, "weights")).secrets)
    assert opened[0] == opened[1]
    for machine in (machines[party] for party in honest):
        assert not set(machine.faults) & set(honest), machine.faults
    return SharedSecrets(opened[0], commitments)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("seed", range(3))
def test_an_honest_dealer_shares_its_secrets(parties, threshold, scheme, seed):
    machines = sharings(parties, threshold, scheme=scheme, seed=seed)
    network = Network(machines, seed=seed)
    network.post(DEALER, machines[DEALER].start(SECRETS))
    network.run()
    outcome = agreed(machines, sorted(machines))
    assert outcome is not None
    assert [secret.value for secret in outcome.shares] == SECRETS
    assert all(machine.finished for machine in machines.values())


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_silent_parties_do_not_stop_it(parties, threshold, seed):
    machines = sharings(parties, threshold, seed=seed)
    silent = [party for party in sorted(machines) if party != DEALER][-threshold:]
    present = {party: machine for party, machine in machines.items() if party not in silent}
    network = Network(present, seed=seed)
    network.post(DEALER, machines[DEALER].start(SECRETS))
    network.run()
    outcome = agreed(machines, sorted(present))
    assert outcome is not None
    assert [secret.value for secret in outcome.shares] == SECRETS


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("dealer_lies", [False, True])
def test_lying_parties(change, parties, threshold, dealer_lies):
    """With an honest dealer all complete; with a lying one all honest parties complete, or none does."""
    for seed in range(2):
        machines = sharings(parties, threshold, seed=seed)
        others = [party for party in sorted(machines) if party != DEALER]
        liars = [DEALER, *others][:threshold] if dealer_lies else others[:threshold]
        honest = [party for party in sorted(machines) if party not in liars]
        actors = dict(machines) | {liar: Meddler(machines[liar], change, seed=seed) for liar in liars}
        network = Network(actors, seed=seed)
        sends = machines[DEALER].start(SECRETS)
        network.post(DEALER, actors[DEALER].change(sends) if dealer_lies else sends)
        network.run()
        outcome = agreed(machines, honest)
        assert dealer_lies or outcome is not None
        if not dealer_lies:
            assert [secret.value for secret in outcome.shares] == SECRETS


def rewrite(kind: type, field: str, *, receivers: Callable[[PartyId], bool]) -> Callable[..., list[Send]]:
    """A change that adds 1 to the last scalar (or flips the last bit of a hash) in one field of one message type."""

    def change(random: Random, send: Send, history: object) -> list[Send]:
        message = decode_one_of((Propose, Echo, Ready), send.message)
        if not isinstance(message, kind) or not receivers(send.receiver):
            return [send]
        parts = {name: getattr(message, name) for name in message.__slots__}
        parts[field] = parts[field][:-1] + bytes([parts[field][-1] ^ 1])
        return [Send(send.receiver, encode(kind(**parts)))]

    return change


PLACES = [(Propose, "rows"), (Propose, "commitments"), (Echo, "digest"), (Echo, "points")]
PLACES += [(Ready, "commitments"), (Ready, "points")]


@pytest.mark.parametrize(("kind", "field"), PLACES, ids=[f"{kind.__name__}.{field}" for kind, field in PLACES])
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_a_lie_in_every_field(kind, field, parties, threshold):
    machines = sharings(parties, threshold, scheme=Scheme.FELDMAN)
    dealer_lies = kind is Propose
    liar = DEALER if dealer_lies else PartyId(1)
    honest = [party for party in sorted(machines) if party != liar]
    meddler = Meddler(machines[liar], rewrite(kind, field, receivers=lambda receiver: True), seed=1)
    network = Network(dict(machines) | {liar: meddler}, seed=0)
    sends = machines[DEALER].start(SECRETS)
    network.post(DEALER, meddler.change(sends) if dealer_lies else sends)
    network.run()
    outcome = agreed(machines, honest)
    if dealer_lies:
        assert outcome is None
        assert all(machines[party].faults[DEALER] for party in honest)
    else:
        assert outcome is not None
        noted = [party for party in honest if liar in machines[party].faults]
        assert field == "digest" or noted, "nobody noticed the lie"


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("seed", range(3))
def test_a_party_that_the_dealer_cheats_recovers_its_share(parties, threshold, seed):
    """The dealer gives wrong rows to t parties; the others' points give them their shares all the same."""
    machines = sharings(parties, threshold, seed=seed)
    cheated = [party for party in sorted(machines) if party != DEALER][:threshold]
    network = Network(machines, seed=seed)
    change = rewrite(Propose, "rows", receivers=lambda receiver: receiver in cheated)
    network.post(DEALER, Meddler(machines[DEALER], change, seed=seed).change(machines[DEALER].start(SECRETS)))
    network.run()
    outcome = agreed(machines, [party for party in sorted(machines) if party != DEALER])
    assert outcome is not None
    assert [secret.value for secret in outcome.shares] == SECRETS
    for party in sorted(machines):  # a cheated party may be done before the dealer's word comes
        assert set(machines[party].faults) <= ({DEALER} if party in cheated else set())


@pytest.mark.parametrize("seed", range(6))
def test_a_dealer_of_two_faces(seed):
    """Two dealings, each to some parties: never do two honest parties complete with different commitments."""
    machines = sharings(4, 1, seed=seed)
    second = sharings(4, 1, seed=seed + 100)[DEALER]
    first_sends, second_sends = machines[DEALER].start(SECRETS), second.start([1, 2])
    hears_first = {PartyId(1)} if seed % 2 else {PartyId(1), PartyId(3)}

    class TwoFaces:
        def receive(self, sender: PartyId, message: bytes) -> list[Send]:
            return self.split(machines[DEALER].receive(sender, message), second.receive(sender, message))

        def split(self, left: list[Send], right: list[Send]) -> list[Send]:
            own = [send for send in left if send.receiver in hears_first]
            return own + [send for send in right if send.receiver not in hears_first]

    liar = TwoFaces()
    network = Network(dict(machines) | {DEALER: liar}, seed=seed)
    network.post(DEALER, liar.split(first_sends, second_sends))
    network.run()
    agreed(machines, [party for party in sorted(machines) if party != DEALER])


def test_the_dealers_word_counts_once():
    machines = sharings(4, 1)
    dealer = machines[DEALER]
    messages = {send.receiver: send.message for send in dealer.start(SECRETS)[:3]}  # its ECHO follow
    receiver = machines[PartyId(1)]
    assert receiver.receive(DEALER, messages[PartyId(1)])
    assert not receiver.receive(DEALER, messages[PartyId(1)])
    other = sharings(4, 1, seed=9)[DEALER].start(SECRETS)
    assert not receiver.receive(DEALER, other[0].message)
    assert not receiver.faults
    stranger = machines[PartyId(3)]
    assert not stranger.receive(PartyId(4), messages[PartyId(3)])
    assert "not the dealer" in stranger.faults[PartyId(4)]


def test_a_wrong_proposal_is_heard_once_too():
    """So that a dealer cannot fill memory with commitments that bind nothing."""
    receiver = sharings(4, 1)[PartyId(1)]
    for seed in range(5):
        sends = sharings(4, 1, seed=seed)[DEALER].start(SECRETS)
        change = rewrite(Propose, "rows", receivers=lambda party: True)
        for send in change(Random(1), sends[0], []):
            assert not receiver.receive(DEALER, send.message)
    assert len(receiver._candidates) == 1


@pytest.mark.parametrize("data", [b"", b"\0", b"\x93\xa7Propose\xc4\0\xc4\0", b"\xff" * 50])
def test_malformed_messages_are_noted(data):
    machine = sharings(4, 1)[PartyId(1)]
    assert not machine.receive(DEALER, data)
    assert DEALER in machine.faults


def test_misuse():
    machines = sharings(4, 1)
    with pytest.raises(ValueError, match="party 2 is the dealer"):
        machines[PartyId(1)].start(SECRETS)
    with pytest.raises(ValueError, match="1 secrets in a sharing of 2"):
        machines[DEALER].start([1])
    machines[DEALER].start(SECRETS)
    with pytest.raises(ValueError, match="starts once"):
        machines[DEALER].start(SECRETS)
    seat = seats(4, 1)[PartyId(1)]
    for count in (0, MAX_SECRETS + 1):
        with pytest.raises(ValueError, match="do not go into one sharing"):
            VerifiableSharing(
                seat, DEALER, curve=P256, scheme=Scheme.FELDMAN, randomness=randomness(1, "x"), count=count
            )
    with pytest.raises(ValueError, match="party 5 is not in a committee"):
        VerifiableSharing(seat, PartyId(5), curve=P256, scheme=Scheme.FELDMAN, randomness=randomness(1, "x"))


def test_secrets_are_not_shown():
    machines = sharings(4, 1)
    for send in machines[DEALER].start(SECRETS):
        message = decode_one_of((Propose, Echo, Ready), send.message)
        assert "rows" not in repr(message)
        assert "message" not in repr(send)


def test_a_committee_of_one():
    seat = seats(1, 0)[PartyId(1)]
    machine = VerifiableSharing(
        seat, PartyId(1), curve=ED25519, scheme=Scheme.FELDMAN, randomness=randomness(1, "x")
    )
    assert machine.start([5]) == []
    assert machine.output is not None
    assert machine.output.shares[0].value == 5


def test_shares_on_bn254_are_shares_of_the_field():
    machines = {
        party: VerifiableSharing(
            seat, DEALER, curve=BN254_G1, scheme=Scheme.FELDMAN, randomness=randomness(1, party), count=3
        )
        for party, seat in seats(4, 1).items()
    }
    network = Network(machines, seed=0)
    network.post(DEALER, machines[DEALER].start([4, 5, 6]))
    network.run()
    rows = {
        party: BN254.vector([share.value for share in machine.output.shares])
        for party, machine in machines.items()
    }
    assert BN254.integers(reconstruct_vectors(BN254, rows, threshold=1)) == [4, 5, 6]
