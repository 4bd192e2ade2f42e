from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from quorate.protocol.broadcast import CommonSubset, ReliableBroadcast, SetAgreement
from quorate.protocol.broadcast.adapter import run_machine, seat_of
from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import BN254
from quorate.protocol.mpc import Party, PartyId, Protocol, open_shares, random_shares, run_local
from quorate.protocol.simulation import Crash, Failed, Finished, Network, simulate, simulated_committee

from .network import InsecureTestCoins

SIZES = [(1, 0), (4, 1), (7, 2)]


def committee(parties: int, threshold: int, seed: int = 1) -> list[Party]:
    return simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed)


def agree_on_contributions(party: Party) -> Protocol[Mapping[PartyId, bytes]]:
    seat = seat_of(party)
    subset = CommonSubset(seat, coins=InsecureTestCoins(seat, 3))
    return (yield from run_machine(party, subset, subset.start(b"from %d" % party.identity)))


def agree_on_members(party: Party) -> Protocol[frozenset[PartyId]]:
    """Votes for everybody but party 1, whom nobody vouches for."""
    seat = seat_of(party)
    agreement = SetAgreement(seat, coins=InsecureTestCoins(seat, 4))
    sends = [send for candidate in seat.everyone if candidate != 1 for send in agreement.vote(candidate)]
    return (yield from run_machine(party, agreement, sends))


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_an_agreement_is_a_step_of_a_protocol(parties: int, threshold: int) -> None:
    def both(party: Party) -> Protocol[tuple[Mapping[PartyId, bytes], list[int]]]:
        agreed = yield from agree_on_contributions(party)
        shares = yield from random_shares(party, 2)
        opened = yield from open_shares(party, shares)
        return agreed, BN254.integers(opened)

    results = run_local([both(party) for party in committee(parties, threshold)])
    assert all(result == results[0] for result in results)
    agreed, _ = results[0]
    assert len(agreed) >= parties - threshold
    assert all(payload == b"from %d" % party for party, payload in agreed.items())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("agree", [agree_on_contributions, agree_on_members])
def test_agreements_in_turn_on_a_simulated_network(agree: Callable[[Party], Protocol[object]], seed: int) -> None:
    def three_in_turn(party: Party) -> Protocol[list[object]]:
        results = []
        for _ in range(3):
            results.append((yield from agree(party)))
        return results

    run = simulate([three_in_turn(party) for party in committee(4, 1, seed)], seed=seed)
    values = run.values()
    assert all(value == values[0] for value in values)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("agree", [agree_on_contributions, agree_on_members])
def test_a_crash_at_any_time_stops_nobody_else(agree: Callable[[Party], Protocol[object]], seed: int) -> None:
    crashed = PartyId(1)
    run = simulate(
        [agree(party) for party in committee(4, 1, seed)],
        seed=seed,
        network=Network(),
        faults=[Crash(crashed, time_us=seed * 4_000)],
    )
    finished = [run.outcomes[PartyId(party)] for party in (2, 3, 4)]
    assert all(isinstance(outcome, Finished) for outcome in finished)
    assert all(outcome == finished[0] for outcome in finished)


def test_a_party_that_is_left_alone_says_so() -> None:
    def broadcast(party: Party) -> Protocol[bytes]:
        machine = ReliableBroadcast(seat_of(party), PartyId(1))
        return (yield from run_machine(party, machine))

    run = simulate(
        [broadcast(party) for party in committee(4, 1)],
        seed=1,
        faults=[Crash(PartyId(party), time_us=10) for party in (1, 2, 3)],
    )
    outcome = run.outcomes[PartyId(4)]
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, ProtocolAbort)
    assert "gone" in str(outcome.error)


def test_a_committee_with_too_many_liars_for_agreement_has_no_seat() -> None:
    with pytest.raises(ValueError, match="needs 7 parties"):
        seat_of(committee(5, 2)[0])
