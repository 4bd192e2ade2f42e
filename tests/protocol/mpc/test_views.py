"""What t parties see must not depend on the inputs: chi-square tests with seeded randomness, generous bounds."""

from __future__ import annotations

import numpy as np
import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    Party,
    byte_masks,
    compare,
    equal,
    less_than_zero,
    multiply,
    open_shares,
    run_local,
    select,
    to_bits,
)
from quorate.protocol.mpc.random_sharings import deal_random

BATCH = 3000
CELLS = 16
GENEROUS = 60.0
"""For 15 degrees of freedom, exceeded with probability below 10^-6."""


def watched(protocol, seen):
    """The protocol, with every message it receives kept."""
    try:
        exchange = next(protocol)
        while True:
            replies = yield exchange
            seen.extend(replies.values())
            exchange = protocol.send(replies)
    except StopIteration as stop:
        return stop.value


def view(committee, operation, value, watchers, **options):
    """The low bits of every element that the watching parties receive, as counts."""
    group = committee(3, 1, seed=11)
    shares = group.share([value] * BATCH)
    seen: list[bytes] = []
    protocols = []
    for party, own in zip(group.parties, shares, strict=True):
        protocol = operation(party, own, **options)
        protocols.append(watched(protocol, seen) if party.identity in watchers else protocol)
    run_local(protocols)
    data = b"".join(message for message in seen if len(message) % 32 == 0)  # seeds are shorter
    elements = np.frombuffer(data, dtype=np.uint64)[::4]
    return np.bincount((elements & np.uint64(CELLS - 1)).astype(np.int64), minlength=CELLS)


def distance_from_uniform(counts):
    expected = counts.sum() / CELLS
    return float(((counts - expected) ** 2 / expected).sum())


def square(party: Party, x):
    return (yield from multiply(party, x, x))


def choose(party: Party, x):
    return (yield from select(party, x, x, x))


def compare_self(party: Party, x, *, bits):
    return (yield from equal(party, x, x, bits=bits))


@pytest.mark.parametrize("watcher", [1, 2, 3])
@pytest.mark.parametrize("value", [0, 1, -(2**31), 2**31 - 1])
def test_received_subshares_look_uniform_whatever_the_input(committee, watcher, value):
    for operation, options in ((square, {}), (choose, {}), (less_than_zero, {"bits": 32})):
        counts = view(committee, operation, value, {watcher}, **options)
        assert distance_from_uniform(counts) < GENEROUS


def test_the_test_can_fail(committee):
    def leaks(party: Party, x):
        return (yield from open_shares(party, BN254.vector([party.identity] * len(x))))

    assert distance_from_uniform(view(committee, leaks, 0, {1})) > 1000


def two_samples(one, other, cells):
    """The chi-square distance of two samples of equal size, by equally likely cells of both together."""
    edges = np.quantile(np.concatenate([one, other]), np.linspace(0, 1, cells + 1)[1:-1])
    counts = [np.bincount(np.searchsorted(edges, sample), minlength=cells) for sample in (one, other)]
    total = counts[0] + counts[1]
    return float((((counts[0] - counts[1]) ** 2)[total > 0] / total[total > 0]).sum())


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        (less_than_zero, (-(2**31), 2**31 - 1)),
        (to_bits, (-(2**31), 2**31 - 1)),
        (compare_self, (0, 2**31 - 1)),
    ],
)
def test_opened_sums_do_not_tell_the_extremes_apart(committee, monkeypatch, operation, values):
    samples = []
    for value, seed in zip(values, (21, 22), strict=True):
        opened: list[list[int]] = []

        def recorded(party, x, opened=opened):
            result = yield from open_shares(party, x)
            if party.identity == 1:
                opened.append(BN254.integers(result))
            return result

        for module in (compare, byte_masks):
            monkeypatch.setattr(module, "open_shares", recorded)
        group = committee(3, 1, seed=seed)
        group.run(operation, group.share([value] * BATCH), bits=32)
        samples.append(opened[0])
    for transform in (lambda number: number / 2**80, lambda number: number % 2**32, lambda number: number % 16):
        one, other = (np.array([float(transform(number)) for number in sample]) for sample in samples)
        assert two_samples(one, other, CELLS) < GENEROUS


def test_opened_sums_hide_by_kappa_bits(committee, monkeypatch):
    """With almost no statistical security the same test does tell extremes apart."""
    samples = []
    for value in (-(2**31), 2**31 - 1):
        opened: list[int] = []

        def recorded(party, x, opened=opened):
            result = yield from open_shares(party, x)
            if party.identity == 1:
                opened.extend(BN254.integers(result))
            return result

        for module in (compare, byte_masks):
            monkeypatch.setattr(module, "open_shares", recorded)
        group = committee(3, 1, seed=31)
        for party in group.parties:
            party.kappa = 1
        group.run(less_than_zero, group.share([value] * BATCH), bits=32)
        samples.append(np.array([float(number) for number in opened]))
    assert two_samples(*samples, CELLS) > 200


def test_random_sharings_look_uniform_to_each_party(committee):
    group = committee(5, 2, seed=3)
    for row in group.run(deal_random, 4000):
        counts = np.bincount((row[:, 0] & np.uint64(CELLS - 1)).astype(np.int64), minlength=CELLS)
        assert distance_from_uniform(counts) < GENEROUS
