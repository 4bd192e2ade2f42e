"""The committed bytecode, run in this process (revm) through the whole life of requests by our own bindings."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorate.contracts import (
    COIN,
    ZERO_ADDRESS,
    Attestation,
    Cancelled,
    Deposited,
    Expired,
    Fault,
    Faulted,
    Fulfilled,
    Locked,
    RequestState,
    Submitted,
    Withdrawn,
    account_of,
    calldata,
    erc20,
    sign,
)

if TYPE_CHECKING:
    from .conftest import Chain

START = 1_800_000_000
COLLATERAL = 301
PRICES = (100, 110, 120, 130, 140)
TREASURY = bytes.fromhex("7e" * 20)
RESULT = b"\x33" * 32


def attestations(chain: Chain, request_id: bytes, *members: int) -> list[bytes]:
    digest = Attestation(request_id, RESULT).digest(chain.domain)
    return [sign(digest, chain.members[index]) for index in members]


def faults(chain: Chain, request_id: bytes, accused: bytes, *members: int) -> list[bytes]:
    digest = Fault(request_id, accused).digest(chain.domain)
    return [sign(digest, chain.members[index]) for index in members]


def state(chain: Chain, request_id: bytes) -> RequestState:
    return calldata.decode_state(chain.send(chain.requestor, calldata.request_state(request_id)))


def test_submit_lock_fulfil_and_no_second_fulfil(chain: Chain) -> None:
    request, request_id = chain.locked()
    assert request_id == request.request_id(chain.domain)
    assert state(chain, request_id) is RequestState.LOCKED
    members = tuple(account_of(key) for key in chain.members)
    assert calldata.decode_committee(chain.send(chain.requestor, calldata.committee(request_id))) == (
        members,
        PRICES,
    )

    chain.send(chain.keys[3], calldata.fulfil(request_id, RESULT, attestations(chain, request_id, 4, 0, 2)))
    assert state(chain, request_id) is RequestState.FULFILLED
    assert [chain.balance(key) for key in chain.members] == [COLLATERAL + price for price in PRICES]
    assert chain.balance(chain.requestor) == request.max_price - sum(PRICES)
    again = calldata.fulfil(request_id, RESULT, attestations(chain, request_id, 0, 1, 2))
    error = chain.refusal(chain.keys[3], again)
    assert error.name == "WrongState"
    assert error.arguments["actual"] is RequestState.FULFILLED
    assert "Fulfilled" in error.advice

    peer_keys = tuple(bytes([price]) * 32 for price in PRICES)
    assert chain.events[5:] == [
        Submitted(request_id, request.requestor, request.program, request),
        Locked(request_id, members, PRICES, peer_keys),
        Fulfilled(request_id, RESULT, sum(PRICES), (1, 3, 5)),
    ]


def test_members_are_paid_out_to_the_last_unit(chain: Chain) -> None:
    request, request_id = chain.locked(token=chain.token)
    chain.send(chain.requestor, calldata.fulfil(request_id, RESULT, attestations(chain, request_id, 0, 1, 2)))
    for key in chain.keys:
        chain.send(key, calldata.withdraw(chain.token, chain.balance(key, chain.token)))
    assert isinstance(chain.events[-1], Withdrawn)
    held = chain.send(chain.requestor, erc20.balance_of(chain.market), to=chain.token)
    assert calldata.decode_amount(held) == 0
    owned = chain.send(chain.requestor, erc20.balance_of(account_of(chain.members[4])), to=chain.token)
    assert calldata.decode_amount(owned) == 10**6 + PRICES[4]
    assert request.token == chain.token


def test_a_fault_slashes_the_accused_and_ends_the_request(chain: Chain) -> None:
    request, request_id = chain.locked()
    accused = account_of(chain.members[1])
    own = chain.refusal(
        chain.requestor, calldata.report_fault(request_id, accused, faults(chain, request_id, accused, 0, 1, 2))
    )
    assert (own.name, own.arguments) == ("AccusedSigned", {"accused": accused})
    chain.send(
        chain.requestor, calldata.report_fault(request_id, accused, faults(chain, request_id, accused, 3, 0, 2))
    )
    assert chain.events[-1] == Faulted(request_id, accused, COLLATERAL, (1, 3, 4))
    assert [chain.balance(key) for key in chain.members] == [COLLATERAL, 0, COLLATERAL, COLLATERAL, COLLATERAL]
    assert chain.balance(chain.requestor) == request.max_price + COLLATERAL // 2
    treasury = chain.send(chain.requestor, calldata.balance_of(COIN, TREASURY))
    assert calldata.decode_amount(treasury) == COLLATERAL - COLLATERAL // 2


def test_a_client_fault_slashes_nobody(chain: Chain) -> None:
    request, request_id = chain.locked()
    signatures = faults(chain, request_id, ZERO_ADDRESS, 0, 1, 2)
    chain.send(chain.members[0], calldata.report_fault(request_id, ZERO_ADDRESS, signatures))
    assert chain.events[-1] == Faulted(request_id, ZERO_ADDRESS, 0, (1, 2, 3))
    assert [chain.balance(key) for key in chain.members] == [COLLATERAL] * 5
    assert chain.balance(chain.requestor) == request.max_price
    assert state(chain, request_id) is RequestState.FAULTED


def test_silence_is_slashed_after_the_deadline(chain: Chain) -> None:
    request, request_id = chain.locked()
    chain.at(request.deadline)
    assert chain.refusal(chain.requestor, calldata.expire(request_id)).name == "DeadlineNotReached"
    chain.at(request.deadline + 1)
    late = chain.refusal(
        chain.requestor, calldata.fulfil(request_id, RESULT, attestations(chain, request_id, 0, 1, 2))
    )
    assert late.name == "DeadlinePassed"
    chain.send(chain.members[0], calldata.expire(request_id))
    assert chain.events[-1] == Expired(request_id, 5 * COLLATERAL)
    assert [chain.balance(key) for key in chain.members] == [0] * 5
    assert chain.balance(chain.requestor) == request.max_price + 5 * COLLATERAL // 2


def test_a_request_without_a_committee_is_refunded(chain: Chain) -> None:
    request = chain.request(nonce=2)
    request_id = chain.send(chain.requestor, calldata.submit(request), value=request.max_price)
    chain.at(request.deadline + 1)
    chain.send(chain.members[0], calldata.expire(request_id))
    chain.at(START)
    other = chain.send(chain.requestor, calldata.submit(chain.request(nonce=3)))  # paid from the refund
    chain.send(chain.requestor, calldata.cancel(other))
    assert chain.events[-3] == Expired(request_id, 0)
    assert chain.events[-1] == Cancelled(other)
    assert chain.balance(chain.requestor) == request.max_price


def test_the_chain_computes_our_digests(chain: Chain) -> None:
    request = chain.request()
    bid = chain.bids(request)[2]
    attestation = Attestation(bid.request_id, RESULT)
    fault = Fault(bid.request_id, bid.member)
    calls: list[tuple[bytes, Any]] = [
        (calldata.encode_call("requestIdOf", request.TYPE.values(request)), request),
        (calldata.encode_call("bidDigest", bid.TYPE.values(bid)), bid),
        (calldata.encode_call("attestationDigest", *attestation.TYPE.values(attestation)), attestation),
        (calldata.encode_call("faultDigest", *fault.TYPE.values(fault)), fault),
    ]
    for data, message in calls:
        assert chain.send(chain.requestor, data) == message.digest(chain.domain)
    fields = calldata.decode_domain(chain.send(chain.requestor, calldata.domain_fields()))
    assert fields == ("Quorate Market", "1", chain.domain.chain_id, chain.market)
    assert calldata.decode_address(chain.send(chain.requestor, calldata.treasury())) == TREASURY


def test_the_record_tells_the_terms(chain: Chain) -> None:
    request, request_id = chain.locked()
    record = calldata.decode_record(chain.send(chain.requestor, calldata.record(request_id)))
    assert (record.requestor, record.token, record.deadline) == (request.requestor, COIN, request.deadline)
    assert (record.parties, record.threshold, record.state) == (5, 2, RequestState.LOCKED)
    assert (record.escrow, record.collateral) == (request.max_price, COLLATERAL)
    never = calldata.decode_record(chain.send(chain.requestor, calldata.record(bytes(32))))
    assert (never.state, never.escrow, never.committee_store) == (RequestState.NONE, 0, ZERO_ADDRESS)


def test_deposits_are_credited_and_bounded(chain: Chain) -> None:
    chain.send(chain.members[0], calldata.deposit(COIN, 5), value=5)
    assert chain.events[-1] == Deposited(COIN, account_of(chain.members[0]), 5)
    error = chain.refusal(chain.members[0], calldata.withdraw(COIN, 6))
    assert error.name == "InsufficientBalance"
    assert error.arguments == {
        "token": COIN,
        "account": account_of(chain.members[0]),
        "available": 5,
        "needed": 6,
    }
    poor = chain.refusal(chain.members[0], calldata.deposit(chain.token, 10**6 + 1))
    assert poor.name == "ERC20InsufficientAllowance"


def test_the_member_without_collateral_is_named(chain: Chain) -> None:
    request = chain.request()
    for key in chain.members[:3]:
        chain.send(key, calldata.deposit(COIN, COLLATERAL), value=COLLATERAL)
    chain.send(chain.requestor, calldata.submit(request), value=request.max_price)
    bids = chain.bids(request)
    error = chain.refusal(chain.requestor, calldata.lock(request, bids, chain.sign_bids(bids)))
    assert error.name == "InsufficientBalance"
    assert error.arguments["account"] == account_of(chain.members[3])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_bid_counts_only_as_it_was_signed(chain: Chain, data: st.DataObject) -> None:
    request = chain.request(nonce=data.draw(st.integers(0, 2**256 - 1)))
    if state(chain, request.request_id(chain.domain)) is RequestState.NONE:
        chain.send(chain.requestor, calldata.submit(request), value=request.max_price)
    bids = chain.bids(request)
    signatures = chain.sign_bids(bids)
    index = data.draw(st.integers(0, 4))
    changes: dict[str, Any] = {"price": bids[index].price + 1, "peer_key": bytes(32), "valid_until": START + 51}
    name = data.draw(st.sampled_from(sorted(changes)))
    bids[index] = dataclasses.replace(bids[index], **{name: changes[name]})
    error = chain.refusal(chain.requestor, calldata.lock(request, bids, signatures))
    assert error.name == "BidNotSigned"
    assert error.arguments["member"] == account_of(chain.members[index])


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"parties": 4}, "InvalidCommittee"),
        ({"threshold": 0}, "InvalidCommittee"),
        ({"max_price": 4}, "AmountOutOfRange"),
        ({"collateral": 0}, "AmountOutOfRange"),
        ({"bid_deadline": START}, "InvalidDeadlines"),
        ({"deadline": START + 100}, "InvalidDeadlines"),
        ({"deadline": START + 90 * 86400 + 1}, "InvalidDeadlines"),
        ({"requestor": b"\x09" * 20}, "NotRequestor"),
    ],
)
def test_terms_are_checked(chain: Chain, changes: dict[str, int], name: str) -> None:
    request = chain.request(**changes)
    error = chain.refusal(chain.requestor, calldata.submit(request), value=request.max_price)
    assert error.name == name
