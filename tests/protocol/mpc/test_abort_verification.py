"""The verification of the abort scheme: complete, sound against single errors, and blind to the inputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254, PrimeField
from quorate.protocol.mpc import ABORT, VerificationFailed, less_than_zero, multiply, run_local, verify
from quorate.protocol.mpc.abort import verification
from quorate.protocol.mpc.abort.transcript import Batch, MatrixClaim, ProductClaim, coefficients
from quorate.protocol.mpc.abort.verification import _polynomial_product, factors_for, transcript_of
from quorate.protocol.mpc.seeds import Stream

MERSENNE = PrimeField("mersenne61", 2**61 - 1)
CELLS = 16
GENEROUS = 60.0
"""For 15 degrees of freedom, exceeded with probability below 10^-6."""


@pytest.fixture(scope="module")
def guarded(committee):
    def build(parties=3, threshold=1, seed=1):
        group = committee(parties, threshold, seed=seed)
        for party in group.parties:
            party.scheme = ABORT
        return group

    return build


def claim(group, kind, x, y, z, **size):
    """Put a claim over shared values into every party's transcript."""
    for party, *rows in zip(group.parties, group.share(x), group.share(y), group.share(z), strict=True):
        transcript_of(party).add_claim(kind(*rows, **size))


def holds(group):
    """Whether the verification passes."""
    try:
        run_local([verify(party) for party in group.parties])
    except VerificationFailed:
        return False
    return True


@pytest.mark.parametrize("factor", [1, 7, 31, 32, 33, 1000, 1024, 1025, 32 * 1024 + 1])
def test_claims_of_every_size(guarded, factor):
    values = [value - 20 for value in range(factor)]
    group = guarded()
    claim(group, ProductClaim, values, values[::-1], [a * b for a, b in zip(values, values[::-1], strict=True)])
    assert holds(group)
    assert group.first.transcript.is_empty


@pytest.mark.parametrize(("parties", "threshold"), [(3, 1), (4, 1), (5, 2), (7, 3)])
@pytest.mark.parametrize("place", [0, 3, 39])
def test_one_wrong_product_fails(guarded, parties, threshold, place):
    group = guarded(parties, threshold)
    values = list(range(40))
    products = [value * value for value in values]
    products[place] += 1
    claim(group, ProductClaim, values, values, products)
    assert not holds(group)


def test_errors_that_cancel_without_weights_fail(guarded):
    group = guarded()
    claim(group, ProductClaim, [1, 2], [3, 4], [3 + 5, 8 - 5])
    assert not holds(group)


def test_inner_products_and_matrices(guarded):
    x, y = list(range(12)), [5 - value for value in range(12)]
    sums = [sum(a * b for a, b in zip(x[i : i + 4], y[i : i + 4], strict=True)) for i in (0, 4, 8)]
    matrix = (np.array(x).reshape(3, 4) @ np.array(y).reshape(4, 3)).reshape(-1).tolist()
    for wrong in (False, True):
        group = guarded()
        claim(group, ProductClaim, x, y, [sums[0], sums[1], sums[2] + wrong], length=4)
        assert holds(group) is not wrong
        group = guarded()
        claim(group, MatrixClaim, x, y, [*matrix[:-1], matrix[-1] + wrong], inner=4)
        assert holds(group) is not wrong


def test_claims_of_all_kinds_at_once(guarded):
    group = guarded(5, 2)
    claim(group, ProductClaim, [2, 3], [4, 5], [8, 15])
    claim(group, ProductClaim, [1, 2, 3], [4, 5, 6], [32], length=3)
    claim(group, MatrixClaim, [1, 2, 3, 4], [1, 0, 0, 1], [1, 2, 3, 4], inner=2)
    assert holds(group)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 9), st.integers(1, 5), st.integers(0, 2**32))
def test_polynomial_products(count, size, seed):
    source = np.random.default_rng(seed)
    left, right = (source.integers(0, 2**40, (count, size)).tolist() for _ in range(2))
    expected = [
        sum(a * b for i in range(count) if 0 <= k - i < count for a, b in zip(left[i], right[k - i], strict=True))
        for k in range(2 * count - 1)
    ]
    vectors = [[BN254.vector(row) for row in rows] for rows in (left, right)]
    assert BN254.integers(_polynomial_product(BN254, *vectors)) == expected


def test_long_chunks_are_multiplied_alike(monkeypatch):
    rows = [[BN254.vector(range(start, start + 9)) for start in range(base, base + 4)] for base in (0, 50)]
    whole = _polynomial_product(BN254, *rows)
    monkeypatch.setattr(verification, "_DOTS_FROM", 1)
    assert np.array_equal(_polynomial_product(BN254, *rows), whole)


@pytest.mark.parametrize("field", [BN254, MERSENNE], ids=str)
def test_coefficients_follow_from_the_stream_and_differ(field):
    for count in (1, 1024, 5000):
        drawn = coefficients(field, Stream(bytes(16)), count)
        assert np.array_equal(drawn, coefficients(field, Stream(bytes(16)), count))
        assert len(set(field.integers(drawn))) == len(drawn) == count
        assert not np.array_equal(drawn, coefficients(field, Stream(b"another seed 123"), count))


def test_steps_shorten_to_a_constant_and_keep_the_error_small():
    for size in (1, 32, 33, 500, 2**14, 2**14 + 1, 10**6, 2**22, 2**32):
        length, error = size, 4
        for factor in factors_for(size):
            length = -(-length // factor)
            error += 2 * factor - 2
        assert length <= 32
        assert error + 2 * length < 2**9


def test_a_batch_is_padded(guarded):
    group = guarded()
    claim(group, ProductClaim, [1, 2, 3], [1, 2, 3], [1, 4, 9])
    batch = group.first.transcript.begin()
    assert isinstance(batch, Batch)
    combined = batch.combined(BN254, Stream(bytes(16)), multiple=8)
    assert len(combined.left) == len(combined.right) == 8
    assert not combined.left[3:].any()


# Views


def watched(protocol, seen):
    """The protocol, with every message of elements it receives kept."""
    try:
        exchange = next(protocol)
        while True:
            replies = yield exchange
            seen.extend(reply for reply in replies.values() if len(reply) % 32 == 0)
            exchange = protocol.send(replies)
    except StopIteration as stop:
        return stop.value


def low_bits(elements):
    return np.bincount((elements & np.uint64(CELLS - 1)).astype(np.int64), minlength=CELLS)


def distance_from_uniform(counts):
    expected = counts.sum() / CELLS
    return float(((counts - expected) ** 2 / expected).sum())


def square_and_verify(party, x, times):
    for _ in range(times):
        yield from multiply(party, x, x)
        yield from verify(party)


@pytest.mark.parametrize("watcher", [1, 2, 3])
@pytest.mark.parametrize("value", [0, 1, 2**31 - 1])
def test_what_a_party_receives_looks_uniform_whatever_the_input(guarded, watcher, value):
    group = guarded(seed=5)
    seen: list[bytes] = []
    protocols = []
    for party, own in zip(group.parties, group.share([value] * 40), strict=True):
        protocol = square_and_verify(party, own, 40)
        protocols.append(watched(protocol, seen) if party.identity == watcher else protocol)
    run_local(protocols)
    elements = np.frombuffer(b"".join(seen), dtype=np.uint64)[::4]
    assert len(elements) > 3000
    assert distance_from_uniform(low_bits(elements)) < GENEROUS


@pytest.mark.parametrize("value", [0, 1, 2**31 - 1])
def test_the_last_opening_of_a_verification_is_uniform(guarded, monkeypatch, value):
    """F(r) and G(r) are masked: for the input 0 they would be 0 otherwise."""
    opened = []
    honest = verification.open_degree

    def recorded(party, x, *, degree):
        result = yield from honest(party, x, degree=degree)
        if party.identity == 1 and len(x) == 3:
            opened.append(result)
        return result

    monkeypatch.setattr(verification, "open_degree", recorded)
    group = guarded(seed=6)
    group.run(square_and_verify, group.share([value] * 3), 500)
    for place in (0, 1):
        column = np.concatenate([row[place : place + 1] for row in opened])
        assert len(column) == 500
        assert distance_from_uniform(low_bits(column[:, 0])) < GENEROUS
    first, second, product = (np.concatenate([row[i : i + 1] for row in opened]) for i in range(3))
    assert np.array_equal(BN254.mul(first, second), product)


def test_a_failed_verification_tells_the_error_and_nothing_else(guarded, monkeypatch):
    """h(r) - F(r) G(r) is a multiple of the error by public coins, the same for all inputs."""
    differences = []
    for value in (0, 12345):
        opened = []
        honest = verification.open_degree

        def recorded(party, x, *, degree, opened=opened, honest=honest):
            result = yield from honest(party, x, degree=degree)
            if party.identity == 1 and len(x) == 3:
                opened.append(result)
            return result

        monkeypatch.setattr(verification, "open_degree", recorded)
        group = guarded(seed=7)
        claim(group, ProductClaim, [value], [value], [value * value + 9])
        assert not holds(group)
        monkeypatch.setattr(verification, "open_degree", honest)
        ((first, second, last),) = [BN254.integers(row) for row in opened]
        differences.append((last - first * second) % BN254.modulus)
    assert differences[0] == differences[1] != 0


def test_comparisons_leave_nothing_unverified(guarded):
    group = guarded()
    group.open(group.run(less_than_zero, group.share([3, -4]), bits=16))
    assert group.first.transcript.is_empty
