"""What a client takes for its order, and what a requestor says of an end without a result."""

import dataclasses
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from quorate.contracts import RequestState, checksum
from quorate.node import clients
from quorate.node.clients import NoOrder, SessionLost, _find_order
from quorate.node.jobs.network import Job
from quorate.node.jobs.report import job_json
from quorate.node.requestor import GasUse, MemberReport, NoCommittee, Outcome, RequestFailed, Terms, _Requestor
from quorate.node.session.messages import StatusReply

PROGRAM = b"\x07" * 32
OLD, NEW = b"\x01" * 32, b"\x02" * 32
MEMBER, OTHER = b"\x0a" * 20, b"\x0b" * 20


@pytest.fixture
def orders(monkeypatch):
    """A peer that shows orders, the newest first, and a chain that knows their states."""
    states = {}

    async def orders_at(node, peer, asked):
        await trio.lowlevel.checkpoint()
        return [SimpleNamespace(match=SimpleNamespace(request_id=request_id)) for request_id in reversed(states)]

    async def is_ours(node, order, program_hash):
        await trio.lowlevel.checkpoint()
        return program_hash == PROGRAM

    monkeypatch.setattr(clients, "_orders_at", orders_at)
    monkeypatch.setattr(clients, "_is_ours", is_ours)
    return states


def light_node(states):
    async def state(request_id):
        await trio.lowlevel.checkpoint()
        return states[request_id]

    return SimpleNamespace(mesh=SimpleNamespace(peers=lambda: ["peer"]), market=SimpleNamespace(state=state))


async def find(states, request_id=None, *, timeout_s=5.0):
    order = await _find_order(light_node(states), PROGRAM, request_id, timeout_s=timeout_s)
    return order.match.request_id


async def test_the_locked_order_is_taken_and_not_the_fulfilled_one(orders):
    orders.update({OLD: RequestState.LOCKED, NEW: RequestState.FULFILLED})
    assert await find(orders) == OLD


async def test_an_old_result_is_never_taken_for_the_next_request(orders, autojump_clock):
    orders[OLD] = RequestState.FULFILLED
    with pytest.raises(NoOrder, match="5 s"):
        await find(orders)


async def test_peers_that_know_of_no_orders_do_not_stand_before_those_that_do(monkeypatch, orders, autojump_clock):
    """Other clients are peers too; there may be more of them than are asked at once."""
    orders[NEW] = RequestState.LOCKED
    known = clients._orders_at
    asked = []

    async def only_the_node(node, peer, request):
        asked.append(peer)
        return await known(node, peer, request) if peer == "node" else None

    monkeypatch.setattr(clients, "_orders_at", only_the_node)
    node = light_node(orders)
    node.mesh.peers = lambda: [f"client{number}" for number in range(10)] + ["node"]
    order = await _find_order(node, PROGRAM, None, timeout_s=30)
    assert order.match.request_id == NEW
    assert len(asked) <= 11 + clients.MAX_PEERS_ASKED


async def test_by_its_id_a_fulfilled_request_is_found_again(orders):
    orders.update({OLD: RequestState.FULFILLED, NEW: RequestState.LOCKED})
    assert await find(orders, OLD) == OLD


@pytest.mark.parametrize("state", [RequestState.FAULTED, RequestState.EXPIRED, RequestState.CANCELLED])
async def test_what_failed_is_no_order(orders, autojump_clock, state):
    orders[OLD] = state
    for request_id in (None, OLD):
        with pytest.raises(NoOrder):
            await find(orders, request_id)


@pytest.fixture
def autojump_clock():
    return trio.testing.MockClock(autojump_threshold=0)


# --- the requestor's verdict


def report(party, reason, account=MEMBER):
    status = StatusReply(OLD, party, "failed", reason, (), 3, 40, 500, 600)
    return MemberReport(party, account, "peer", 7, status)


def verdict(**changes):
    requestor = _Requestor.__new__(_Requestor)
    requestor.outcome = Outcome(OLD, **changes)
    requestor._judge()


def test_a_fulfilled_request_is_no_failure():
    verdict(state=RequestState.FULFILLED)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": RequestState.FAULTED, "accused": MEMBER}, checksum(MEMBER)),
        ({"state": RequestState.FAULTED, "accused": bytes(20)}, "without blaming"),
        ({"state": RequestState.EXPIRED}, "it expired"),
    ],
)
def test_an_end_without_a_result_is_told_with_its_reasons(changes, said):
    members = [report(1, "client bob sent no input"), report(2, ""), report(3, "client bob sent no input")]
    members.append(dataclasses.replace(members[0], status=None))
    with pytest.raises(RequestFailed) as failed:
        verdict(members=members, **changes)
    assert said in failed.value.why
    assert failed.value.why.count("client bob sent no input") == 1
    assert "escrow is back" in failed.value.why
    assert failed.value.exit_code == 12


def test_errors_name_the_request_and_what_to_do():
    for error in (NoCommittee(OLD, "2 bids"), SessionLost(OLD, "it was silent"), NoOrder(3)):
        assert error.todo
        assert error.exit_code in (10, 11)
    assert "0x0101010101010101..." in str(NoCommittee(OLD, "2 bids"))


def test_terms_have_a_committee_of_five_and_a_minute():
    terms = Terms(max_price=1, collateral=2)
    assert (terms.parties, terms.threshold, terms.bidding_s, terms.working_s) == (5, 1, 20, 60)


def test_the_account_of_a_job_without_clients_or_statuses():
    outcome = Outcome(OLD, members=[], gas=[GasUse("submit", NEW, 21000)])
    account = job_json(Job(outcome), parties=5, threshold=1)
    assert account["tx"] == {"submit": f"0x{NEW.hex()}"}
    assert (account["outputs"], account["public_result"], account["bytes"], account["rounds"]) == ({}, "", {}, {})
