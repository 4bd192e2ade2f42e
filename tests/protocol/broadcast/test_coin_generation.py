from __future__ import annotations

from random import Random

import pytest

from quorate.protocol.broadcast import BinaryAgreement, Seat
from quorate.protocol.broadcast.coin_generation import CoinGeneration, coin_key_of
from quorate.protocol.broadcast.threshold_coin import CoinKey, ThresholdCoins
from quorate.protocol.curve import SECP256K1
from quorate.protocol.sharing import PartyId, lagrange_coefficients
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.verifiable.commitment import Commitment, Scheme
from quorate.protocol.verifiable.key import KeyShare

from .network import CHANGES, Actor, Coalition, Meddler, Network, seats


def generations(parties: int, threshold: int, seed: int) -> dict[PartyId, CoinGeneration]:
    return {
        party: CoinGeneration(seat, randomness=SeededRandomness(seed, f"party {party}"), session=b"first")
        for party, seat in seats(parties, threshold).items()
    }


def check_one_key(machines: dict[PartyId, CoinGeneration], threshold: int) -> dict[PartyId, CoinKey]:
    """The keys: all ended, one public key, and any t + 1 shares give its logarithm."""
    assert all(machine.finished for machine in machines.values())
    keys = {party: machine.output for party, machine in machines.items() if machine.output is not None}
    assert len(keys) == len(machines)
    public = next(iter(keys.values())).public_shares
    assert all(list(key.public_shares) == list(public) for key in keys.values())
    for party, key in keys.items():
        assert SECP256K1.multiply_base(key.share) == public[party - 1]
    order = SECP256K1.order
    secrets = set()
    for chosen in (sorted(keys)[: threshold + 1], sorted(keys)[-threshold - 1 :]):
        coefficients = lagrange_coefficients(order, chosen)
        secrets.add(sum(c * keys[p].share for c, p in zip(coefficients, chosen, strict=True)) % order)
    assert len(secrets) == 1
    return keys


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (4, 1), (7, 2)])
def test_a_key_from_nothing_serves_agreements(parties: int, threshold: int) -> None:
    for seed in range(3):
        machines = generations(parties, threshold, seed)
        crashed = Random(seed).sample(sorted(machines), threshold)
        alive = {party: machine for party, machine in machines.items() if party not in crashed}
        network = Network(alive, seed=seed)
        for party, machine in alive.items():
            network.post(party, machine.start())
        network.run()
        keys = check_one_key(alive, threshold)
        agreements = {
            party: BinaryAgreement(
                machine.seat, coins=ThresholdCoins(machine.seat, keys[party], session=b"second")
            )
            for party, machine in alive.items()
        }
        network = Network(agreements, seed=seed)
        for party, agreement in agreements.items():
            network.post(party, agreement.start(party % 2 == 0))
        network.run()
        assert {agreement.output for agreement in agreements.values()} in ({True}, {False})


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_meddlers_neither_split_nor_stop_the_honest(name: str) -> None:
    for seed in range(3):
        honest = generations(4, 1, seed)
        actors: dict[PartyId, Actor] = dict(honest)
        network = Network(actors, seed=seed)
        liar = Random(seed).choice(sorted(honest))
        for party, machine in list(honest.items()):
            sends = machine.start()
            if party == liar:
                meddler = Meddler(honest.pop(party), CHANGES[name], seed=seed)
                network.actors[party] = meddler
                sends = meddler.change(sends)
            network.post(party, sends)
        network.run()
        check_one_key(honest, 1)
        assert all(set(machine.faults) <= {liar} for machine in honest.values())


@pytest.mark.parametrize("hears", [0, 1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_a_coalition_cannot_split_the_honest(seed: int, hears: int) -> None:
    honest = generations(4, 1, seed)
    runs = [generations(4, 1, seed + 100 * run) for run in (1, 2)]
    member = PartyId(4)
    del honest[member]
    coalition = Coalition(runs[0], runs[1], members=[member], hears_first=sorted(honest)[:hears])
    network = coalition.network(honest, seed)
    for run in (0, 1):
        coalition.say(run, member, runs[run][member].start())
    for party, machine in honest.items():
        network.post(party, machine.start())
    network.run()
    check_one_key(honest, 1)


def test_a_toss_waits_for_its_key_and_keeps_what_came_before() -> None:
    machines = generations(4, 1, 5)
    network = Network(machines, seed=3)
    for party, machine in machines.items():
        network.post(party, machine.start())
    network.run()
    proposer = max(machines[PartyId(1)]._keys)
    late = generations(4, 1, 5)[PartyId(1)]  # this party 1 knows no key yet
    toss = late.toss(proposer - 1, 0)
    assert toss.start() == []
    others = {party: machines[party].toss(proposer - 1, 0) for party in (PartyId(2), PartyId(3))}
    contributions = {party: other.start() for party, other in others.items()}
    for party, sends in contributions.items():
        assert toss.receive(party, next(send.message for send in sends if send.receiver == 1)) == []
        for receiver in others:
            if receiver != party:
                others[receiver].receive(party, next(send.message for send in sends if send.receiver == receiver))
    toss.receive(PartyId(4), bytes(500))
    assert set(toss.faults) == {4}
    outputs = [toss.output, others[PartyId(2)].output, others[PartyId(3)].output]
    late._keys.update(machines[PartyId(1)]._keys)
    assert [len(toss.resume()), len(toss.resume())] == [3, 0]
    outputs.append(toss.output)
    assert outputs in ([None, True, True, True], [None, False, False, False])
    with pytest.raises(ValueError, match="starts once"):
        toss.start()


@pytest.mark.parametrize("seed", range(4))
def test_an_agreement_goes_on_when_the_key_of_its_coin_comes(seed: int) -> None:
    """Estimates are kept apart until a toss is needed; one party after the other learns the key."""
    machines = generations(4, 1, 5)
    network = Network(machines, seed=3)
    for party, machine in machines.items():
        network.post(party, machine.start())
    network.run()
    proposer = max(machines[PartyId(1)]._keys)
    supplies = generations(4, 1, 5)
    agreements = {
        party: BinaryAgreement(supply.seat, coins=supply, instance=proposer - 1)
        for party, supply in supplies.items()
    }
    network = Network(agreements, seed=seed)
    for party, agreement in agreements.items():
        network.post(party, agreement.start(True))
        for number in (0, 1):  # both values stay alive in the rounds of fixed coins
            for sender in agreement.seat.others:
                for kind, value in ((0, 0), (0, 1), (1, sender % 2), (2, 3)):
                    network.post(party, agreement.receive(sender, bytes([kind, number, value])))
    network.run()
    assert {agreement.output for agreement in agreements.values()} == {None}
    assert all(agreement.resume() == [] for agreement in agreements.values())
    for party, agreement in agreements.items():
        supplies[party]._keys.update(machines[party]._keys)
        network.post(party, agreement.resume())
        network.run()
    assert {agreement.output for agreement in agreements.values()} in ({True}, {False})
    assert all(agreement.finished for agreement in agreements.values())


@pytest.mark.parametrize("payload", [b"", b"\1", b"\2\1", b"\1\1", b"\1\5", b"\0\1"])
def test_a_proposer_that_names_no_set_of_dealers_gets_no_vote(payload: bytes) -> None:
    machine = generations(4, 1, 1)[PartyId(1)]
    assert machine._dealers_in(PartyId(2), payload) == frozenset()
    assert machine.faults == {2: "named no set of t + 1 dealers"}
    assert machine._dealers_in(PartyId(3), b"\1\4") == {1, 4}


def test_messages_of_no_part_and_misuse() -> None:
    for message in (b"", b"\0", b"\0\5x", b"\1\0", b"\3\1"):
        machine = generations(4, 1, 1)[PartyId(1)]
        machine.receive(PartyId(2), message)
        assert set(machine.faults) == {2}
    machine = generations(4, 1, 1)[PartyId(1)]
    machine.start()
    with pytest.raises(ValueError, match="starts once"):
        machine.start()
    with pytest.raises(ValueError, match="at most 64"):
        CoinGeneration(Seat(PartyId(1), parties=4, threshold=1), randomness=bytes, session=bytes(65))


def test_a_generated_key_share_gives_a_coin_key() -> None:
    points = (SECP256K1.multiply_base(5), SECP256K1.multiply_base(7))
    key = KeyShare(PartyId(2), 5 + 7 * 2, Commitment(SECP256K1, Scheme.FELDMAN, points))
    coin_key = coin_key_of(key, parties=4)
    assert coin_key.share == 19
    assert list(coin_key.public_shares) == [SECP256K1.multiply_base(5 + 7 * party) for party in range(1, 5)]
