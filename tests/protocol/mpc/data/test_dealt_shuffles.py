from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.field import BN254
from quorate.protocol.mpc import ABORT, InconsistentShares, Plan, preprocess, run_local, set_up
from quorate.protocol.mpc.data.dealt_shuffles import DEALT_SHUFFLES, dealt_shuffle_plan
from quorate.protocol.mpc.data.routing import route, routing_layers, switches
from quorate.protocol.mpc.party import Exchange

ROWS = 6


def applied(destinations, setting):
    """The rows 0, 1, ... after a network with this setting."""
    rows, start = np.arange(len(destinations)), 0
    for left, right in routing_layers(len(destinations)):
        swap = setting[start : start + len(left)]
        start += len(left)
        low, high = rows[left].copy(), rows[right].copy()
        rows[left], rows[right] = np.where(swap, high, low), np.where(swap, low, high)
    assert start == len(setting) == switches(len(destinations))
    return rows.tolist()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 70).flatmap(lambda rows: st.permutations(list(range(rows)))))
def test_every_permutation_has_a_setting(destinations):
    expected = [0] * len(destinations)
    for row, place in enumerate(destinations):
        expected[place] = row
    assert applied(destinations, route(destinations)) == expected


@pytest.mark.parametrize("rows", [2, 3, 7, 16])
def test_every_setting_permutes(rows):
    random = np.random.default_rng(rows)
    for _ in range(50):
        assert sorted(applied(range(rows), random.integers(0, 2, switches(rows)).astype(bool))) == list(
            range(rows)
        )


def test_the_size_of_the_network():
    assert [switches(rows) for rows in (0, 1, 2, 3, 4, 1024)] == [0, 0, 1, 3, 6, 9728]
    assert len(routing_layers(1024)) == 19
    for left, right in routing_layers(13):
        assert len({*left.tolist(), *right.tolist()}) == 2 * len(left)


@pytest.fixture(params=["passive", "abort"])
def group(request, three):
    if request.param == "abort":
        for party in three.parties:
            party.scheme = ABORT
    three.run(set_up)
    three.run(preprocess, dealt_shuffle_plan(three.first, ROWS))
    return three


def tampered(protocol, change):
    """The protocol, with every message it sends changed by `change(round, receiver, message)`."""
    exchange, number = next(protocol), 0
    while True:
        outgoing = {to: change(number, to, message) for to, message in exchange.outgoing.items()}
        replies = yield Exchange(outgoing, exchange.incoming)
        number += 1
        try:
            exchange = protocol.send(replies)
        except StopIteration as stop:
            return stop.value


def drawn_with(group, liar, change):
    protocols = [DEALT_SHUFFLES.draw(party, ROWS) for party in group.parties]
    protocols[liar - 1] = tampered(protocols[liar - 1], change)
    return run_local(protocols)


def opening_round(group):
    """The round of the private opening: the announcements and their digests follow it and end a draw."""
    before = group.first.statistics.rounds
    group.run(DEALT_SHUFFLES.draw, ROWS)
    taken = group.first.statistics.rounds - before
    group.run(preprocess, dealt_shuffle_plan(group.first, ROWS))
    return taken - 3


def flip(message):
    return bytes([message[0] ^ 1]) + message[1:]


def test_nobody_lies(group):
    shuffles = drawn_with(group, 1, lambda number, to, message: message)
    rows = run_local(
        [own.permute(p, [x]) for p, x, own in zip(group.parties, group.share(range(ROWS)), shuffles, strict=True)]
    )
    assert sorted(group.open([row[0] for row in rows])) == list(range(ROWS))


def test_a_wrong_share_for_a_dealer_is_seen(group):
    opening = opening_round(group)
    with pytest.raises(InconsistentShares):
        drawn_with(
            group, 3, lambda number, to, message: flip(message) if (number, to) == (opening, 1) else message
        )


def test_a_dealer_that_tells_two_stories_is_seen(group):
    opening = opening_round(group)
    with pytest.raises(ProtocolAbort, match="different parties"):
        drawn_with(
            group, 1, lambda number, to, message: flip(message) if (number, to) == (opening + 1, 2) else message
        )


def test_a_short_announcement_names_the_dealer(group):
    opening = opening_round(group)
    with pytest.raises(PartyFault) as fault:
        drawn_with(group, 2, lambda number, to, message: message[:-1] if number == opening + 1 else message)
    assert fault.value.party == 2


def test_the_plan_is_what_a_shuffle_takes(three):
    three.run(set_up)
    three.run(preprocess, dealt_shuffle_plan(three.first, ROWS))
    three.run(DEALT_SHUFFLES.draw, ROWS)
    assert three.first.pool.stock == Plan()


def test_another_scheme_is_refused(elementary):
    with pytest.raises(ValueError, match="does not allow"):
        next(DEALT_SHUFFLES.draw(elementary.first, 4))


def test_a_shuffle_fits_its_rows_only(three):
    shuffle = three.run(DEALT_SHUFFLES.draw, ROWS)[0]
    with pytest.raises(ValueError, match="does not fit"):
        next(shuffle.permute(three.first, [BN254.zeros(ROWS + 1)]))
    assert "array" not in repr(shuffle)
