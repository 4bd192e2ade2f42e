"""Settlement under a mock clock: seats take turns, one pays, and a chain that is away is waited for."""

from types import SimpleNamespace

import pytest
import trio
from trio.testing import MockClock

from quorate.contracts import Attestation, Domain, Fault, RequestState
from quorate.node.chain import ChainUnreachable
from quorate.node.chain.errors import TransactionReverted
from quorate.node.keys import ChainKey, Secret
from quorate.node.session.settlement import STAGGER_S, Settlement
from quorate.node.session.tally import NO_MEMBER, SignatureTally

DOMAIN = Domain(31337, bytes(range(20)))
REQUEST, RESULT = bytes(range(32)), b"\x01" * 32
KEYS = [ChainKey(Secret(bytes(31) + bytes([number]))) for number in range(1, 5)]
MEMBERS = [key.account for key in KEYS]
BLOCK_S = 0.5


@pytest.fixture
def autojump_clock():
    return MockClock(autojump_threshold=0)


class Market:
    """A market that settles once; every seat has it in common. `away` counts calls that do not reach it."""

    def __init__(self):
        self.now = RequestState.LOCKED
        self.sent = []
        self.away = 0
        self.refuses = 0

    async def _reach(self):
        await trio.lowlevel.checkpoint()
        if self.away:
            self.away -= 1
            raise ChainUnreachable("http://chain", "connection refused")

    async def state(self, request_id):
        assert request_id == REQUEST
        await self._reach()
        return self.now

    async def _settle(self, kind, subject, signatures, after):
        await self._reach()
        if self.refuses:
            self.refuses -= 1
            raise TransactionReverted("settle", name="WrongState", arguments={}, advice="read its state again")
        self.sent.append((kind, subject, len(signatures), trio.current_time()))
        await trio.sleep(BLOCK_S)
        self.now = after
        return SimpleNamespace(hash=b"\x05" * 32, gas_used=1)

    async def fulfil(self, request_id, digest, signatures, *, intent):
        return await self._settle("fulfil", digest, signatures, RequestState.FULFILLED)

    async def report_fault(self, request_id, accused, signatures, *, intent):
        return await self._settle("fault", accused, signatures, RequestState.FAULTED)


def settlements(market, *, seats=range(4)):
    return [Settlement(SignatureTally(DOMAIN, REQUEST, MEMBERS, 1), market, own=MEMBERS[seat]) for seat in seats]


def attest(settlement, *members):
    for key in (KEYS[place] for place in members):
        signature = key.sign_digest(Attestation(REQUEST, RESULT).digest(DOMAIN))
        settlement.tally.attest(key.account, digest=RESULT, signature=signature)
    settlement.wake()


def accuse(settlement, accused, *members):
    for key in (KEYS[place] for place in members):
        signature = key.sign_digest(Fault(REQUEST, accused).digest(DOMAIN))
        settlement.tally.accuse(key.account, accused=accused, signature=signature)
    settlement.wake()


async def run_all(seats):
    with trio.fail_after(300):
        async with trio.open_nursery() as nursery:
            for seat in seats:
                nursery.start_soon(seat.run)


async def test_only_the_first_seat_pays_when_all_are_there(autojump_clock):
    market = Market()
    seats = settlements(market)
    for seat in seats:
        attest(seat, 0, 1)
    await run_all(seats)
    assert [(kind, subject, count) for kind, subject, count, _ in market.sent] == [("fulfil", RESULT, 2)]
    assert {seat.outcome for seat in seats} == {RequestState.FULFILLED}


async def test_the_next_seat_takes_over_from_one_that_is_away(autojump_clock):
    market = Market()
    seats = settlements(market, seats=(2, 3))
    for seat in seats:
        attest(seat, 0, 1)
    await run_all(seats)
    [(_, _, _, sent_at)] = market.sent
    assert sent_at - 2 * STAGGER_S == pytest.approx(0, abs=1)


async def test_the_accused_has_no_turn_before_the_others(autojump_clock):
    market = Market()
    seats = settlements(market)
    for seat in seats:
        accuse(seat, MEMBERS[0], 1, 2)
    await run_all(seats)
    [(kind, accused, count, sent_at)] = market.sent
    assert (kind, accused, count) == ("fault", MEMBERS[0], 2)
    assert sent_at < STAGGER_S
    assert {seat.outcome for seat in seats} == {RequestState.FAULTED}


async def test_a_fault_of_nobody_is_reported_too(autojump_clock):
    market = Market()
    [seat] = settlements(market, seats=(0,))
    accuse(seat, NO_MEMBER, 1, 2)
    await run_all([seat])
    assert market.sent[0][:2] == ("fault", NO_MEMBER)


async def test_a_result_goes_before_a_fault(autojump_clock):
    market = Market()
    [seat] = settlements(market, seats=(0,))
    accuse(seat, MEMBERS[3], 1, 2)
    attest(seat, 0, 1)
    await run_all([seat])
    assert market.sent[0][0] == "fulfil"


async def test_t_signatures_send_nothing(autojump_clock):
    market = Market()
    [seat] = settlements(market, seats=(0,))
    attest(seat, 0)
    with trio.move_on_after(120) as scope:
        await seat.run()
    assert scope.cancelled_caught
    assert market.sent == []


async def test_a_signature_that_comes_late_wakes_it(autojump_clock):
    market = Market()
    [seat] = settlements(market, seats=(0,))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(seat.run)
        await trio.sleep(30)
        attest(seat, 0, 1)
    assert market.sent[0][3] == pytest.approx(30, abs=1)


@pytest.mark.parametrize("calls", [1, 2, 25])
async def test_a_chain_that_is_away_for_a_while_is_waited_for(autojump_clock, calls):
    market = Market()
    market.away = calls
    [seat] = settlements(market, seats=(0,))
    attest(seat, 0, 1)
    await run_all([seat])
    assert len(market.sent) == 1
    assert seat.outcome is RequestState.FULFILLED


async def test_a_refused_submission_is_looked_into_and_not_fatal(autojump_clock):
    market = Market()
    market.refuses = 3
    [seat] = settlements(market, seats=(0,))
    attest(seat, 0, 1)
    await run_all([seat])
    assert seat.outcome is RequestState.FULFILLED


async def test_what_others_settled_ends_it_without_a_transaction(autojump_clock):
    market = Market()
    market.now = RequestState.EXPIRED
    [seat] = settlements(market, seats=(0,))
    attest(seat, 0, 1)
    await run_all([seat])
    assert (market.sent, seat.outcome) == ([], RequestState.EXPIRED)
