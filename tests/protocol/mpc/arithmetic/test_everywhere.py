"""Every operation once, under each scheme, at kappa 64, in a larger committee; its plan, its rounds, its bounds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import pytest

from quorate.protocol.field import PrimeField
from quorate.protocol.mpc import arithmetic as a
from quorate.protocol.mpc import (
    bits_to_integer,
    open_shares,
    preprocess,
    run_local,
    schemes,
    set_up,
    signed_integers,
)
from quorate.protocol.mpc.arithmetic import (
    bitwise,
    costs,
    division,
    functions,
    order,
    roots,
    trigonometry,
    truncation,
)
from quorate.protocol.simulation import simulated_committee

X = [-(2**31), 2**31 - 1, -100, 7, 0, 65535]
Y = [-1, 3, 7, -100, 0, 2**31 - 1]
AMOUNTS = [0, 31, 5, 1, 16, 30]
P = [2**31 - 1, 1, 65536, 3 * 65536, 12345, 10**6]
S = [-100000, 0, 65536, 300000, -1, 2**31 - 1]


def wrap32(value):
    return a.INT32.wrap(value)


def logical(x, amount):
    return wrap32((x % 2**32) >> amount)


def zero_rounded(x, y):
    return 0 if y == 0 else abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)


@dataclass(frozen=True)
class Case:
    name: str
    operation: Any
    columns: tuple
    expected: Any
    options: dict = field(default_factory=dict)
    off_by: float = 0
    relative: float = 0

    def __str__(self):
        return self.name


def exact(operation, *columns, expected, name="", **options):
    name = name or operation.__name__
    return Case(name, operation, columns, [expected(*row) for row in zip(*columns, strict=True)], options)


def near(operation, *columns, expected, of=a.FIX32, off_by=0.6, relative=0.0, **options):
    def scaled(*row):
        return expected(*(value / 2**of.fraction_bits for value in row)) * 2**of.fraction_bits

    wanted = [scaled(*row) for row in zip(*columns, strict=True)]
    return Case(operation.__name__, operation, columns, wanted, {"of": of, **options}, off_by, relative)


def saturated_exponential(base):
    return lambda x: base ** min(x, 15 * math.log(2, base))


def first_least(party, x, **options):
    return (yield from a.least_of_rows(party, x, **options))[1]


CASES = [
    exact(a.less, X, Y, expected=lambda x, y: x < y, of=a.INT32),
    exact(a.less_or_equal, X, Y, expected=lambda x, y: x <= y, of=a.INT32),
    exact(a.greater, X, Y, expected=lambda x, y: x > y, of=a.INT32),
    exact(a.greater_or_equal, X, Y, expected=lambda x, y: x >= y, of=a.INT32),
    exact(a.equals, X, Y, expected=lambda x, y: x == y, of=a.INT32),
    exact(a.differs, X, Y, expected=lambda x, y: x != y, of=a.INT32),
    exact(a.sign, X, expected=lambda x: (x > 0) - (x < 0), of=a.INT32),
    exact(a.absolute, X, expected=abs, of=a.INT32),
    exact(a.minimum, X, Y, expected=min, of=a.INT32),
    exact(a.maximum, X, Y, expected=max, of=a.INT32),
    exact(a.clamp, X, expected=lambda x: max(-9, min(x, 99)), least=-9, most=99, of=a.INT32),
    Case("least_of_rows", first_least, (X,), [0, 1], {"length": 3, "of": a.INT32}),
    exact(a.wrap, [9 * x for x in X], expected=lambda x: wrap32(x), of=a.INT32, bits=40),
    exact(a.fits, [9 * x for x in X], expected=lambda x: -(2**31) <= x < 2**31, of=a.INT32, bits=40),
    exact(a.power, X, expected=lambda x: x**5, exponent=5),
    exact(a.power_by_secret, Y, [0, 5, 3, 2, 7, 1], expected=pow, of=a.IntegerType(3, signed=False)),
    exact(a.bit_and, X, Y, expected=lambda x, y: x & y, of=a.INT32),
    exact(a.bit_or, X, Y, expected=lambda x, y: x | y, of=a.INT32),
    exact(a.bit_xor, X, Y, expected=lambda x, y: x ^ y, of=a.INT32),
    exact(a.bit_and_mask, X, expected=lambda x: x & 0x55555, mask=0x55555, of=a.INT32),
    exact(a.parity, X, expected=lambda x: x & 1, of=a.INT32),
    exact(a.bit_count, X, expected=lambda x: (x % 2**32).bit_count(), of=a.INT32),
    exact(a.bit_length, X, expected=lambda x: x.bit_length(), of=a.INT32),
    exact(a.shift_left, X, expected=lambda x: wrap32(x << 9), amount=9, of=a.INT32),
    exact(a.shift_right, X, expected=lambda x: x >> 9, amount=9, of=a.INT32),
    exact(a.shift_right_logical, X, expected=lambda x: logical(x, 9), amount=9, of=a.INT32),
    exact(a.shift_left_by_secret, X, AMOUNTS, expected=lambda x, k: wrap32(x << k), of=a.INT32),
    exact(a.shift_right_by_secret, X, AMOUNTS, expected=lambda x, k: x >> k, of=a.INT32),
    exact(a.shift_right_logical_by_secret, X, AMOUNTS, expected=logical, of=a.INT32),
    exact(a.divide, X, Y, expected=lambda x, y: x // y if y else 0, of=a.INT32),
    exact(a.divide, X, Y, expected=zero_rounded, name="divide to zero", of=a.INT32, rounding=a.Rounding.ZERO),
    exact(a.remainder, X, Y, expected=lambda x, y: x % y if y else x, of=a.INT32),
    exact(a.division_valid, Y, expected=bool, of=a.INT32),
    exact(a.divide_by, X, expected=lambda x: x // -10, divisor=-10, of=a.INT32),
    exact(a.remainder_by, X, expected=lambda x: x % 1000, divisor=1000, of=a.INT32),
    exact(a.integer_square_root, P, expected=math.isqrt, of=a.INT32),
    near(a.fixed_multiply, S, [70000, -5, 90000, 1, 2, -3], expected=lambda x, y: x * y, off_by=1),
    near(a.fixed_scale, S[:5], expected=lambda x: x * 1.5, factor=98304, off_by=1),
    near(a.fixed_divide, S, P, expected=lambda x, y: min(x / y, 2**31), off_by=1.03),
    near(a.fixed_square_root, P, expected=math.sqrt),
    near(a.reciprocal_square_root, P, expected=lambda x: 1 / math.sqrt(x)),
    near(a.exponential, S, expected=saturated_exponential(math.e), relative=4e-5),
    near(a.binary_exponential, S, expected=saturated_exponential(2), relative=4e-5),
    near(a.logarithm, P, expected=math.log),
    near(a.binary_logarithm, P, expected=math.log2),
    near(a.sigmoid, S, expected=lambda x: 1 / (1 + math.exp(-x))),
    near(a.hyperbolic_tangent, S, expected=math.tanh),
    near(a.sine, S, expected=math.sin),
    near(a.cosine, S, expected=math.cos),
]
SOME_NAMES = {
    "minimum",
    "bit_xor",
    "shift_left_by_secret",
    "divide",
    "divide_by",
    "integer_square_root",
    "reciprocal_square_root",
    "exponential",
    "logarithm",
    "sigmoid",
    "sine",
}
SOME = [case for case in CASES if case.name in SOME_NAMES]


def check(group, case):
    if case.name == "fixed_divide":
        # quotients beyond the type are wrong numbers: leave them out
        keep = [place for place, wanted in enumerate(case.expected) if abs(wanted) < 2**31]
        columns = [[column[place] for place in keep] for column in case.columns]
        expected = [case.expected[place] for place in keep]
    else:
        columns, expected = case.columns, case.expected
    results = group.compute(case.operation, *columns, **case.options)
    assert len(results) == len(expected)
    for result, wanted in zip(results, expected, strict=True):
        assert abs(result - wanted) <= case.off_by + case.relative * abs(wanted), (case.columns, results, expected)


@pytest.fixture(scope="module")
def cautious(committee):
    group = committee(3, 1, seed=64)
    for party in group.parties:
        party.kappa = 64
    return group


@pytest.mark.parametrize("case", CASES, ids=str)
def test_at_kappa_64(cautious, case):
    check(cautious, case)


@pytest.fixture(scope="module")
def five(committee):
    return committee(5, 2)


@pytest.mark.parametrize("case", SOME, ids=str)
def test_five_parties(five, case):
    check(five, case)


@pytest.mark.parametrize("filling", [0x00, 0xFF])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_with_the_least_and_the_greatest_masks(committee, case, filling):
    """Loose truncations err to one side by as much as they can."""
    group = committee(5, 2)
    for party in group.parties:
        party.randomness = lambda size: bytes([filling]) * size
    check(group, case)


@pytest.mark.parametrize("case", SOME, ids=str)
@pytest.mark.parametrize("name", sorted(schemes))
def test_under_each_scheme(committee, name, case):
    group = committee(4, 1)
    for party in group.parties:
        party.scheme = schemes[name]
    check(group, case)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_plans_are_exact_and_so_are_the_rounds(committee, case):
    group = committee(3, 1)
    lengths = [case.options.get("length", 1)] * len(case.columns)
    times = len(case.columns[0]) // lengths[0]
    cost = a.cost_of(group.first, case.operation, *lengths, **case.options).times(times)
    assert a.plan_of(group.first, case.operation, *lengths, **case.options).times(times) == cost.plan
    shares = [group.share(column) for column in case.columns]
    group.run(set_up)
    group.run(preprocess, cost.plan)
    statistics = group.first.statistics
    before = (statistics.rounds, statistics.opened)
    group.run(case.operation, *shares, **case.options)
    assert group.first.pool.stock.is_empty
    assert (statistics.rounds - before[0], statistics.opened - before[1]) == (cost.rounds, cost.opened)


def test_long_batches_go_in_pieces(three, monkeypatch):
    monkeypatch.setattr(costs, "MAX_PIECE_ITEMS", 500)
    x, y = list(range(-20, 20)), [7] * 40
    assert three.compute(a.divide, x, y, of=a.INT64) == [value // 7 for value in x]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_empty_batches(committee, case):
    group = committee(3, 1)
    if case.name == "least_of_rows":
        assert group.compute(case.operation, [], **case.options) == []
        return
    assert group.compute(case.operation, *([] for _ in case.columns), **case.options) == []


def test_unequal_lengths_are_refused(three):
    with pytest.raises(ValueError, match="lengths must be equal"):
        three.compute(a.divide, [1, 2], [3], of=a.INT8)


# What is masked is in its bounds, whatever the operands of the type are: nothing else keeps it hidden.

SPIED = (
    "less_than_zero",
    "modulo_power",
    "shift_right",
    "shift_right_by",
    "to_bits",
    "byte_bits",
    "truncate",
    "truncate_loosely",
    "truncate_nearest",
)
MODULES = [a.truncation, a.fixed, a.integers, bitwise, division, functions, order, roots, trigonometry]
MODULES += [a.normalisation, a.reciprocal, a.polynomials, order.compare]


@pytest.fixture
def spied(monkeypatch):
    """Operations that mask a value open it first, and note those out of bounds."""
    exceeded, seen = [], []

    def spy(name, operation):
        def spying(party, x, **options):
            if "bits" not in options:  # an operation of a type, which comes to one of these
                return (yield from operation(party, x, **options))
            opened = yield from open_shares(party, x)
            bound = 1 << (options["bits"] - 1)
            values = signed_integers(party.field, opened)
            seen.append(name)
            exceeded.extend((name, value, options) for value in values if not -bound <= value < bound)
            return (yield from operation(party, x, **options))

        return spying

    for module in MODULES:
        for name in SPIED:
            if callable(operation := getattr(module, name, None)):
                monkeypatch.setattr(module, name, spy(f"{module.__name__}.{name}", operation))
    yield exceeded
    assert seen
    costs._dry_cost.cache_clear()  # what was measured while the spies opened values


EDGES = [-(2**31), -(2**31) + 1, -65536, -1, 0, 1, 2, 3, 65535, 65536, 2**30, 2**31 - 1]


UNSPIED = {"equals", "differs", "division_valid"}
MASKING = [case for case in CASES if case.options.get("of") in (a.INT32, a.FIX32) and case.name not in UNSPIED]


@pytest.mark.parametrize("case", MASKING, ids=str)
def test_what_is_masked_is_in_bounds(committee, spied, case):
    costs._dry_cost.cache_clear()
    group = committee(5, 2)
    if "secret" in case.name:
        columns = [EDGES, [0, 31] * (len(EDGES) // 2)]
    elif len(case.columns) == 2:
        columns = [[x for x in EDGES for _ in EDGES], EDGES * len(EDGES)]
    else:
        columns = [EDGES]
    group.compute(case.operation, *columns, **case.options)
    assert spied == []


SMALL = PrimeField("mersenne61", 2**61 - 1)


def small_group(committee):
    group = committee(3, 1)
    group.parties = simulated_committee(SMALL, parties=3, threshold=1, seed=1)
    return group


def test_a_small_field_has_room_for_narrow_types_only(committee):
    parties = small_group(committee).parties

    def first(operation, **options):
        x = [SMALL.full(1, 100)] * 3  # a constant is a sharing of itself
        return run_local([operation(party, own, **options) for party, own in zip(parties, x, strict=True)])

    rows = first(a.bits_of, of=a.INT8)
    joined = [bits_to_integer(party, row, signed=True) for party, row in zip(parties, rows, strict=True)]
    opened = run_local([open_shares(party, own) for party, own in zip(parties, joined, strict=True)])
    assert SMALL.integers(opened[0]) == [100]
    for operation, options in (
        (a.absolute, {"of": a.INT32}),
        (a.exponential, {"of": a.FIX32}),
        (a.integer_square_root, {"of": a.INT64}),
        (truncation.truncate, {"bits": 30, "power": 8}),
    ):
        with pytest.raises(ValueError, match="kappa 40"):
            first(operation, **options)
