from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import COIN
from quorate.marketplace import BidPolicy, Decline, DeclineCause, Load, Offer, Price, Work, decide

from .conftest import NOW, Member, make_request

REQUEST = make_request(Member.of("requestor")).request
POLICY: dict[str, Any] = {"prices": {COIN: Price(base=100)}, "collateral_caps": {COIN: 10_000}}
LOAD: dict[str, Any] = {"balance": {COIN: 10_000}}
WORK = Work(multiplications=1_500_000, clients=3, memory_bytes=1000)


def outcome(
    policy: dict[str, Any] | None = None, load: dict[str, Any] | None = None, now: int = NOW
) -> Offer | Decline:
    made = BidPolicy(**{**POLICY, **(policy or {})})
    return decide(made, REQUEST, work=WORK, load=Load(**{**LOAD, **(load or {})}), now=now)


def test_a_price_adds_up() -> None:
    price = Price(base=100, per_million_multiplications=7, per_client=20)
    assert price.of(Work(0, 0)) == 100
    assert price.of(WORK) == 100 + 11 + 60
    assert outcome({"prices": {COIN: price}}) == Offer(171, NOW + 600)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 50))
def test_more_work_never_costs_less(multiplications: int, more: int, clients: int) -> None:
    price = Price(base=1, per_million_multiplications=3, per_client=2)
    assert price.of(Work(multiplications, clients)) <= price.of(Work(multiplications + more, clients + 1))


@pytest.mark.parametrize(
    ("policy", "load", "now", "cause"),
    [
        ({"deny": frozenset({REQUEST.requestor})}, {}, NOW, DeclineCause.REQUESTOR),
        ({"allow": frozenset({bytes(20)})}, {}, NOW, DeclineCause.REQUESTOR),
        ({"programs": frozenset()}, {}, NOW, DeclineCause.PROGRAM),
        ({"prices": {bytes(19) + b"x": Price(base=1)}}, {}, NOW, DeclineCause.TOKEN),
        ({}, {}, NOW + 600, DeclineCause.TIME),
        ({"least_working_s": 3001}, {}, NOW, DeclineCause.TIME),
        ({}, {"sessions": 3, "open_bids": 1}, NOW, DeclineCause.CAPACITY),
        ({"memory_bytes": 1500}, {"memory_bytes": 501}, NOW, DeclineCause.CAPACITY),
        ({"collateral_caps": {}}, {}, NOW, DeclineCause.COLLATERAL),
        ({"collateral_caps": {COIN: 999}}, {"committed": {COIN: 500}}, NOW, DeclineCause.COLLATERAL),
        ({}, {"balance": {}}, NOW, DeclineCause.COLLATERAL),
        ({}, {"balance": {COIN: 999}, "bid_collateral": {COIN: 500}}, NOW, DeclineCause.COLLATERAL),
        ({"prices": {COIN: Price(base=2999)}}, {}, NOW, DeclineCause.PRICE),
        ({"most_collateral_per_price": 4}, {}, NOW, DeclineCause.COLLATERAL),
    ],
)
def test_a_request_is_declined_for_a_reason(
    policy: dict[str, Any], load: dict[str, Any], now: int, cause: DeclineCause
) -> None:
    declined = outcome(policy, load, now)
    assert isinstance(declined, Decline)
    assert declined.cause is cause
    assert declined.reason


def test_at_its_bounds_a_request_is_taken() -> None:
    assert isinstance(outcome({"prices": {COIN: Price(base=2998)}}), Offer)
    assert isinstance(outcome({"allow": frozenset({REQUEST.requestor})}), Offer)
    assert isinstance(outcome({"most_collateral_per_price": 5}), Offer)
    assert isinstance(outcome({}, {"sessions": 2, "open_bids": 1, "balance": {COIN: 500}}), Offer)
    assert outcome({"bid_lifetime_s": 10**6}) == Offer(100, REQUEST.deadline)


@given(st.lists(st.integers(1, 400), max_size=20))
def test_open_bids_never_promise_more_than_there_is(collaterals: list[int]) -> None:
    committed = 0
    policy = BidPolicy(prices={COIN: Price(base=1)}, collateral_caps={COIN: 900}, sessions=256)
    for place, collateral in enumerate(collaterals):
        request = make_request(Member.of("requestor"), nonce=place, collateral=collateral).request
        load = Load(
            open_bids=place, committed={COIN: committed}, bid_collateral={COIN: committed}, balance={COIN: 1000}
        )
        if isinstance(decide(policy, request, work=WORK, load=load, now=NOW), Offer):
            committed += collateral
    assert committed <= 900


@pytest.mark.parametrize("values", [{"base": 0}, {"base": 1, "per_client": -1}])
def test_prices_that_pay_for_nothing_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        Price(**values)


@pytest.mark.parametrize(
    "values", [{"sessions": 0}, {"sessions": 257}, {"bid_lifetime_s": 0}, {"least_working_s": 0}]
)
def test_policies_out_of_bounds_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        BidPolicy(prices={}, **values)  # type: ignore[arg-type]  # the names are keys of the test's table
