from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.mpc import BIT, SHARE, PartyId, Plan, integer, run_local
from quorate.protocol.mpc.stockpile import MAX_BATCHES, Batch, Draw, agree_on_draws
from quorate.protocol.simulation import Failed, Tamper, simulate

ONE, TWO, THREE = (bytes([number]) * 16 for number in (1, 2, 3))


def batch(name, made, used=None):
    return Batch(name, made, used or Plan())


def agreed(group, plan, holdings):
    """What all parties agree on, given what each holds."""
    results = run_local(
        [agree_on_draws(party, plan, held) for party, held in zip(group.parties, holdings, strict=True)]
    )
    assert all(result == results[0] for result in results)
    return results[0]


def test_items_come_from_where_the_party_that_used_most_stopped(three):
    made = Plan(bits=100, shares=50)
    holdings = [
        [batch(ONE, made, Plan(bits=10))],
        [batch(ONE, made, Plan(bits=40, shares=5))],
        [batch(ONE, made)],
    ]
    draws = agreed(three, Plan(bits=30, shares=60), holdings)
    assert draws == (Draw(ONE, BIT, 40, 30), Draw(ONE, SHARE, 5, 45))


def test_a_batch_that_somebody_lacks_is_not_used(three):
    made = Plan(bits=100)
    both = [batch(ONE, made), batch(TWO, made)]
    assert agreed(three, Plan(bits=150), [both, both[1:], both]) == (Draw(TWO, BIT, 0, 100),)
    assert agreed(three, Plan(bits=150), [both, [], both]) == ()


def test_several_batches_are_used_in_the_order_of_their_names(three):
    batches = [batch(name, Plan({integer(9): 10}), Plan({integer(9): 3})) for name in (THREE, ONE, TWO)]
    draws = agreed(three, Plan({integer(9): 16}), [batches, batches[::-1], batches])
    assert draws == (
        Draw(ONE, integer(9), 3, 7),
        Draw(TWO, integer(9), 3, 7),
        Draw(THREE, integer(9), 3, 2),
    )


def test_a_lone_party_needs_no_round(committee):
    group = committee(1, 0)
    assert agreed(group, Plan(bits=5), [[batch(ONE, Plan(bits=3))]]) == (Draw(ONE, BIT, 0, 3),)
    assert group.first.statistics.rounds == 0


def test_more_batches_than_may_be_are_not_offered(three):
    batches = [batch(bytes([number]) * 16, Plan(bits=1)) for number in range(1, MAX_BATCHES + 5)]
    assert len(agreed(three, Plan(bits=99), [batches] * 3)) == MAX_BATCHES


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=3, max_size=3), st.integers(1, 60))
def test_nothing_that_anybody_used_is_drawn(committee, states, wanted):
    holdings = [
        [batch(ONE, Plan(bits=40), Plan(bits=first)), batch(TWO, Plan(bits=40), Plan(bits=second))]
        for first, second in states
    ]
    draws = agreed(committee(3, 1), Plan(bits=wanted), holdings)
    total = 0
    for draw in draws:
        used = [held.used.bits for holding in holdings for held in holding if held.name == draw.batch]
        assert draw.first >= max(used)
        assert draw.first + draw.count <= 40
        total += draw.count
    assert total == min(wanted, sum(40 - max(state[side] for state in states) for side in (0, 1)))


def changed(place, value):
    def change(message: bytes) -> bytes:
        return message[:place] + value + message[place + len(value) :]

    return change


def run_with(three, fault):
    held = [batch(ONE, Plan(bits=9), Plan(bits=2))]
    protocols = [agree_on_draws(party, Plan(bits=5), held) for party in three.parties]
    return simulate(protocols, seed=1, faults=[fault]).outcomes


def test_a_story_told_to_one_party_only_is_noticed(three):
    outcomes = run_with(three, Tamper(PartyId(2), PartyId(3), exchange=1, change=changed(19, b"\x07")))
    errors = [outcome.error for outcome in outcomes.values() if isinstance(outcome, Failed)]
    assert any(isinstance(error, ProtocolAbort) and "different things" in str(error) for error in errors)


@pytest.mark.parametrize("value", [b"\x00\x00\x00\x0a", b"\xff\xff\xff\xff"])
def test_more_used_than_made_names_the_party(three, value):
    held = [batch(ONE, Plan(bits=9), Plan(bits=int.from_bytes(value, "big")))]
    good = [batch(ONE, Plan(bits=9))]
    protocols = [
        agree_on_draws(party, Plan(bits=5), held if party.identity == 2 else good) for party in three.parties
    ]
    with pytest.raises(PartyFault) as caught:
        run_local(protocols)
    assert caught.value.party == 2
