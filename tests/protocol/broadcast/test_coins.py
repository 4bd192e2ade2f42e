from __future__ import annotations

import hashlib
from collections.abc import Callable
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.broadcast import BinaryAgreement, CoinSupply, Seat, ShareCoins, Toss
from quorate.protocol.broadcast.threshold_coin import CoinKey, ThresholdCoins
from quorate.protocol.curve import ED25519, SECP256K1, Curve
from quorate.protocol.field import BN254
from quorate.protocol.sharing import PartyId, share
from quorate.protocol.simulation import SeededRandomness

from .network import CHANGES, SIZES, Actor, Meddler, Network, seats

INSTANCES = 2


def share_coins(parties: int, threshold: int, seed: int, tosses: int = 4) -> dict[PartyId, CoinSupply]:
    secrets = BN254.vector(range(100, 100 + INSTANCES * tosses))
    dealer = SeededRandomness(seed, "dealer")
    stocks = share(BN254, secrets, parties=parties, threshold=threshold, randomness=dealer)
    return {
        party: ShareCoins(seat, BN254, stock=stocks[party - 1], instances=INSTANCES)
        for party, seat in seats(parties, threshold).items()
    }


def keys(curve: Curve, parties: int, threshold: int, seed: int) -> dict[PartyId, CoinKey]:
    random = Random(seed)
    coefficients = [random.randrange(curve.order) for _ in range(threshold + 1)]
    shares = {
        point: sum(c * point**power for power, c in enumerate(coefficients)) % curve.order
        for point in range(1, parties + 1)
    }
    public = [curve.multiply_base(value) for value in shares.values()]
    return {PartyId(point): CoinKey(curve, value, public) for point, value in shares.items()}


def threshold_coins(parties: int, threshold: int, seed: int) -> dict[PartyId, CoinSupply]:
    dealt = keys(SECP256K1, parties, threshold, seed)
    return {
        party: ThresholdCoins(seat, dealt[party], session=b"a session")
        for party, seat in seats(parties, threshold).items()
    }


Dealer: TypeAlias = Callable[[int, int, int], dict[PartyId, CoinSupply]]
SUPPLIES: list[Dealer] = [share_coins, threshold_coins]


def tossed(supplies: dict[PartyId, CoinSupply], instance: int, number: int) -> dict[PartyId, Toss]:
    return {party: supply.toss(instance, number) for party, supply in supplies.items()}


@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize("name", ["flip_bits", "flip_all", "replay", "withhold", "grow", "babble"])
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_everybody_sees_the_same_bit_in_spite_of_liars(
    supply: Dealer, name: str, parties: int, threshold: int
) -> None:
    supplies = supply(parties, threshold, 5)
    for seed in range(3):
        honest = tossed(supplies, 0, seed)
        actors: dict[PartyId, Actor] = dict(honest)
        liars = Random(seed).sample(sorted(honest), threshold)
        network = Network(actors, seed=seed)
        for party, machine in list(honest.items()):
            sends = machine.start()
            if party in liars:
                meddler = Meddler(machine, CHANGES[name], seed=seed)
                network.actors[party] = meddler
                sends = meddler.change(sends)
                del honest[party]
            network.post(party, sends)
        network.run()
        assert {machine.output for machine in honest.values()} in ({True}, {False})
        assert all(machine.finished for machine in honest.values())
        assert all(set(machine.faults) <= set(liars) for machine in honest.values())


@pytest.mark.parametrize("supply", SUPPLIES)
def test_t_contributions_open_nothing_and_what_came_early_counts(supply: Dealer) -> None:
    machines = tossed(supply(7, 2, 5), 1, 0)
    needed = 2 if supply is threshold_coins else 4  # beside one's own
    late, later = machines[PartyId(7)], machines[PartyId(6)]
    seen = []
    for party in range(1, needed + 1):
        for send in machines[PartyId(party)].start():
            if send.receiver in (6, 7):
                assert machines[send.receiver].receive(PartyId(party), send.message) == []
        if party == needed - 1:
            assert len(late.start()) == 6
            with pytest.raises(ValueError, match="starts once"):
                late.start()
        seen.append((late.output, late.finished))
    assert seen[:-1] == [(None, False)] * (needed - 1)
    assert seen[-1] in ((True, True), (False, True))
    assert not later.finished, "its own share is not out"
    assert len(later.start()) == 6
    assert (later.output, later.finished) == seen[-1]


def test_bits_of_opened_shares_are_those_of_the_secret() -> None:
    for place in range(INSTANCES * 4):
        machines = tossed(share_coins(4, 1, 9), place // 4, place % 4)
        network = Network(machines, seed=place)
        for party, machine in machines.items():
            network.post(party, machine.start())
        network.run()
        secret = (100 + place).to_bytes(32, "little")
        expected = bool(hashlib.sha256(b"quorate/coin/share/1" + secret).digest()[0] & 1)
        assert {machine.output for machine in machines.values()} == {expected}


@pytest.mark.parametrize("curve", [SECP256K1, ED25519], ids=lambda curve: curve.name)
def test_any_contributions_interpolate_the_key_times_the_base(curve: Curve) -> None:
    dealt = keys(curve, 7, 2, 3)
    first: list[bool | None] = []
    for chosen in ([1, 2, 3], [7, 5, 2], [4, 6, 7]):
        bits = []
        for number in range(8):
            toss = {
                party: ThresholdCoins(seat, dealt[party], session=b"s").toss(3, number)
                for party, seat in seats(7, 2).items()
            }
            listener = next(party for party in toss if party not in chosen)
            for party in chosen:
                message = next(s.message for s in toss[PartyId(party)].start() if s.receiver == listener)
                toss[listener].receive(PartyId(party), message)
            toss[listener].start()
            bits.append(toss[listener].output)
        first = first or bits
        assert bits == first
    assert set(first) == {True, False}


def test_names_of_sessions_instances_and_numbers_give_other_messages() -> None:
    dealt = keys(SECP256K1, 4, 1, 3)
    seat = Seat(PartyId(1), parties=4, threshold=1)
    messages = {
        ThresholdCoins(seat, dealt[PartyId(1)], session=session).toss(instance, number).start()[0].message
        for session in (b"", b"s", b"\0s")
        for instance in (0, 1)
        for number in (0, 1)
    }
    assert len(messages) == 12
    again = ThresholdCoins(seat, dealt[PartyId(1)], session=b"s").toss(0, 0).start()[0].message
    assert again in messages, "a repeated proof is the same proof"


@given(st.data())
@settings(max_examples=30)
def test_no_changed_contribution_is_taken(data: st.DataObject) -> None:
    supplies = threshold_coins(4, 1, 5)
    receiver = supplies[PartyId(1)].toss(0, 0)
    message = bytearray(supplies[PartyId(2)].toss(0, 0).start()[0].message)
    message[data.draw(st.integers(0, len(message) - 1))] ^= data.draw(st.integers(1, 255))
    if data.draw(st.booleans()):
        receiver.start()
    receiver.receive(PartyId(2), bytes(message))
    if not receiver.faults:
        receiver.start()
    assert set(receiver.faults) == {2}
    assert receiver.output is None


def test_contributions_of_other_tosses_and_parties_are_refused() -> None:
    supplies = threshold_coins(4, 1, 5)
    receiver = supplies[PartyId(1)].toss(0, 0)
    receiver.receive(PartyId(2), supplies[PartyId(2)].toss(0, 1).start()[0].message)
    receiver.receive(PartyId(3), supplies[PartyId(4)].toss(0, 0).start()[0].message)
    assert not receiver.faults, "nothing is checked before the coin is wanted"
    receiver.start()
    assert receiver.output is None
    assert set(receiver.faults) == {2, 3}
    assert all("does not hold" in reason for reason in receiver.faults.values())


@pytest.mark.parametrize("supply", SUPPLIES)
@given(messages=st.lists(st.tuples(st.integers(2, 4), st.binary(max_size=110)), max_size=10))
@settings(max_examples=40)
def test_arbitrary_bytes_never_raise(supply: Dealer, messages: list[tuple[int, bytes]]) -> None:
    machine = supply(4, 1, 5)[PartyId(1)].toss(0, 0)
    for index, (sender, message) in enumerate(messages):
        machine.receive(PartyId(sender), message)
        if index == 3:
            machine.start()
    assert set(machine.faults) <= {sender for sender, _ in messages}


@pytest.mark.parametrize("supply", SUPPLIES)
@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_agreements_end_on_these_coins(supply: Dealer, parties: int, threshold: int) -> None:
    for seed in range(4):
        supplies = supply(parties, threshold, seed)
        machines = {
            party: BinaryAgreement(seat, coins=supplies[party], instance=1)
            for party, seat in seats(parties, threshold).items()
        }
        network = Network(machines, seed=seed)
        for party, machine in machines.items():
            network.post(party, machine.start(party % 2 == 0))
        network.run()
        assert {machine.output for machine in machines.values()} in ({True}, {False})
        assert all(machine.finished and not machine.faults for machine in machines.values())


def test_wrong_stocks_and_keys_are_refused() -> None:
    seat = Seat(PartyId(1), parties=4, threshold=1)
    with pytest.raises(ValueError, match="no stock"):
        ShareCoins(seat, BN254, stock=BN254.zeros(3), instances=4)
    coins = ShareCoins(seat, BN254, stock=BN254.zeros(9), instances=2)
    assert coins.tosses == 4
    for instance, number in ((2, 0), (0, 4), (-1, 0)):
        with pytest.raises(ValueError, match="has no toss"):
            coins.toss(instance, number)
    dealt = keys(SECP256K1, 4, 1, 3)
    with pytest.raises(ValueError, match="not that of party 1"):
        ThresholdCoins(seat, dealt[PartyId(2)], session=b"")
    with pytest.raises(ValueError, match="public shares"):
        ThresholdCoins(seat, CoinKey(SECP256K1, 1, []), session=b"")
    with pytest.raises(ValueError, match="at most 64"):
        ThresholdCoins(seat, dealt[PartyId(1)], session=bytes(65))
    assert str(dealt[PartyId(1)].share) not in repr(dealt[PartyId(1)])
