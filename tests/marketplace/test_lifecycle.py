from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from quorate.contracts import TRANSITIONS as CHAIN_TRANSITIONS
from quorate.contracts import RequestState
from quorate.marketplace import IllegalTransition, OrderEvent, OrderState, advance, observe
from quorate.marketplace.lifecycle import ON_CHAIN, TRANSITIONS, Window, is_open, transition

from .conftest import NOW, Member, make_request

REQUEST = make_request(Member.of("requestor")).request


def test_the_table_is_the_contract_s_seen_from_a_node() -> None:
    seen: dict[RequestState, set[RequestState]] = {state: set() for state in RequestState}
    for (state, _), line in TRANSITIONS.items():
        if ON_CHAIN[state] is not ON_CHAIN[line.to]:
            seen[ON_CHAIN[state]].add(ON_CHAIN[line.to])
    seen[RequestState.NONE] = {RequestState.SUBMITTED}
    assert {state: frozenset(after) for state, after in seen.items()} == CHAIN_TRANSITIONS


def test_final_states_are_the_chain_s() -> None:
    for state in OrderState:
        assert state.is_final == ON_CHAIN[state].is_final
        assert state.is_final == all(known is not state for known, _ in TRANSITIONS)


def test_only_fulfilment_pays() -> None:
    for (_, event), line in TRANSITIONS.items():
        assert line.pays == (event is OrderEvent.FULFIL) == (line.to is OrderState.FULFILLED)


@pytest.mark.parametrize("state", OrderState)
@pytest.mark.parametrize("event", OrderEvent)
def test_what_is_not_in_the_table_is_refused(state: OrderState, event: OrderEvent) -> None:
    if (state, event) in TRANSITIONS:
        assert transition(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(IllegalTransition, match=f"{state} cannot {event}"):
            transition(state, event)


def test_windows_are_the_contract_s_comparisons() -> None:
    assert [is_open(Window.BIDDING, REQUEST, now=REQUEST.bid_deadline + after) for after in (0, 1)] == [
        True,
        False,
    ]
    assert [is_open(Window.WORKING, REQUEST, now=REQUEST.deadline + after) for after in (0, 1)] == [True, False]
    assert [is_open(Window.AFTER, REQUEST, now=REQUEST.deadline + after) for after in (0, 1)] == [False, True]
    with pytest.raises(IllegalTransition, match="until the deadline for bids only"):
        advance(OrderState.SUBMITTED, OrderEvent.LOCK, request=REQUEST, now=REQUEST.bid_deadline + 1)


def test_a_journal_follows_the_chain_and_never_goes_back() -> None:
    assert observe(OrderState.SUBMITTED, RequestState.LOCKED) is OrderState.LOCKED
    assert observe(OrderState.SUBMITTED, RequestState.FULFILLED) is OrderState.FULFILLED
    assert observe(OrderState.RUNNING, RequestState.LOCKED) is OrderState.RUNNING
    assert observe(OrderState.DELIVERED, RequestState.FAULTED) is OrderState.FAULTED
    assert observe(OrderState.LOCKED, RequestState.SUBMITTED) is OrderState.LOCKED
    assert observe(OrderState.SUBMITTED, RequestState.NONE) is OrderState.SUBMITTED
    for state, chain in (
        (OrderState.FULFILLED, RequestState.LOCKED),
        (OrderState.FULFILLED, RequestState.EXPIRED),
        (OrderState.RUNNING, RequestState.CANCELLED),
        (OrderState.CANCELLED, RequestState.NONE),
    ):
        with pytest.raises(IllegalTransition, match="contradicts"):
            observe(state, chain)


class PaidAtMostOnce(RuleBasedStateMachine):
    """Any events at any times: the escrow leaves once, to the members or back to the requestor."""

    def __init__(self) -> None:
        super().__init__()
        self.state = OrderState.SUBMITTED
        self.now = NOW
        self.escrow = REQUEST.max_price
        self.paid = 0
        self.refunded = 0

    @rule(seconds=st.integers(0, 2000))
    def wait(self, seconds: int) -> None:
        self.now += seconds

    @rule(event=st.sampled_from(OrderEvent))
    def happen(self, event: OrderEvent) -> None:
        before = self.state
        try:
            self.state = advance(before, event, request=REQUEST, now=self.now)
        except IllegalTransition:
            return
        if TRANSITIONS[before, event].pays:
            self.paid += self.escrow
            self.escrow = 0
        elif self.state.is_final:
            self.refunded += self.escrow
            self.escrow = 0

    @rule(chain=st.sampled_from(RequestState))
    def look(self, chain: RequestState) -> None:
        if chain is ON_CHAIN[self.state]:
            assert observe(self.state, chain) is self.state

    @invariant()
    def money_is_conserved(self) -> None:
        assert self.paid + self.refunded + self.escrow == REQUEST.max_price
        assert (self.paid > 0) == (self.state is OrderState.FULFILLED)
        assert (self.escrow == 0) == self.state.is_final


PaidAtMostOnce.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
test_an_order_is_paid_at_most_once = PaidAtMostOnce.TestCase
