"""Functions of fixed-point numbers, against decimal arithmetic of 60 digits and against series of fractions."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from quorate.protocol.mpc import arithmetic as a
from quorate.protocol.mpc.arithmetic import approximation

LONG = a.FixedType(64, 32)
SHORT = a.FixedType(16, 8)
ODD = a.FixedType(24, 7)
TYPES = [a.FIX32, a.FIX64, LONG, ODD]
DIGITS = 60
PI = Fraction("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803")
BOUND = 0.6


def names(kind):
    return kind.name


def sine(x):
    """By the power series of the angle reduced modulo 2 pi; to 1e-40 for |x| < 1e16."""
    x -= round(x / (2 * PI)) * 2 * PI
    x = Fraction(round(x * 10**50), 10**50)
    total = term = x
    for order in range(1, 40):
        term = Fraction(round(-term * x * x / (2 * order * (2 * order + 1)) * 10**50), 10**50)
        total += term
    return total


def in_decimal(function):
    def exact(x):
        with localcontext() as context:
            context.prec = DIGITS
            return Fraction(function(Decimal(x.numerator) / Decimal(x.denominator)))

    return exact


EXACT = {
    a.exponential: in_decimal(lambda x: x.exp()),
    a.binary_exponential: in_decimal(lambda x: (x * Decimal(2).ln()).exp()),
    a.logarithm: in_decimal(lambda x: x.ln()),
    a.binary_logarithm: in_decimal(lambda x: x.ln() / Decimal(2).ln()),
    a.sigmoid: in_decimal(lambda x: 1 / (1 + (-x).exp())),
    a.hyperbolic_tangent: in_decimal(lambda x: 1 - 2 / (1 + (2 * x).exp())),
    a.sine: sine,
    a.cosine: lambda x: sine(x + PI / 2),
}


def check(group, operation, kind, values, *, relative=0.0):
    results = group.compute(operation, values, of=kind)
    for value, result in zip(values, results, strict=True):
        exact = EXACT[operation](value * kind.unit) / kind.unit
        assert abs(result - exact) <= BOUND + relative * abs(exact), (value, result, float(exact))


def grid(kind, low, high, count):
    low, high = round(low / kind.unit), round(high / kind.unit)
    step = max(1, (high - low) // count)
    values = [low, *range(low + step // 3, high, step), high]
    return [value for value in values if kind.integer.least <= value <= kind.integer.most]


def neighbours(kind):
    powers = [1 << power for power in range(kind.bits - 1)]
    values = {value + step for value in powers for step in (-1, 0, 1)} | {kind.integer.most}
    return sorted(value for value in values if 0 < value <= kind.integer.most)


@pytest.mark.parametrize("kind", TYPES, ids=names)
@pytest.mark.parametrize(
    ("operation", "base"), [(a.exponential, math.e), (a.binary_exponential, 2)], ids=["e", "2"]
)
def test_exponentials(three, kind, operation, base):
    top = math.log((2 ** (kind.bits - 1 - kind.fraction_bits)), base)
    bottom = math.log(2.0**-kind.fraction_bits, base)
    values = [*grid(kind, bottom * 1.3, top - 2 * float(kind.unit), 300), 0, 1, -1, kind.integer.least]
    values = [value for value in values if value * float(kind.unit) < top]
    check(three, operation, kind, values, relative=2.0 ** -(kind.fraction_bits + 7))


@pytest.mark.parametrize("kind", TYPES, ids=names)
def test_exponentials_saturate(three, kind):
    top = (kind.bits - 1 - kind.fraction_bits) * math.log(2)
    values = [kind.integer.most, round(top / kind.unit) + 1, round(2 * top / kind.unit)]
    for result in three.compute(a.exponential, [min(v, kind.integer.most) for v in values], of=kind):
        assert kind.integer.most * (1 - 3 * float(kind.unit)) <= result <= kind.integer.most


@pytest.mark.parametrize("kind", TYPES, ids=names)
@pytest.mark.parametrize("operation", [a.logarithm, a.binary_logarithm], ids=["e", "2"])
def test_logarithms(three, kind, operation):
    check(three, operation, kind, neighbours(kind) + grid(kind, kind.unit, 4, 200) + grid(kind, 0.9, 1.1, 50))


def test_logarithms_of_powers_of_two_are_integers_and_that_of_zero_is_bounded(three):
    values = [1 << power for power in range(63)]
    expected = [(power - 16) << 16 for power in range(63)]
    assert three.compute(a.binary_logarithm, values, of=a.FIX64) == expected
    assert three.compute(a.binary_logarithm, [0], of=a.FIX64) == [-16 << 16]


@pytest.mark.parametrize("kind", TYPES, ids=names)
@pytest.mark.parametrize("operation", [a.sigmoid, a.hyperbolic_tangent], ids=["sigmoid", "tanh"])
def test_sigmoids(three, kind, operation):
    reach = 0.8 * kind.fraction_bits
    values = grid(kind, -reach, reach, 250) + grid(kind, -0.1, 0.1, 40)
    values += [0, 1, -1, kind.integer.least, kind.integer.most]
    if kind is not ODD:
        values += [round(edge / kind.unit) for edge in (-100, 100)]
    check(three, operation, kind, [value for value in values if abs(value * kind.unit) < 1000])
    ends = three.compute(operation, [kind.integer.least, kind.integer.most], of=kind)
    one = 1 << kind.fraction_bits
    assert ends == [-one if operation is a.hyperbolic_tangent else 0, one]


@pytest.mark.parametrize("kind", TYPES, ids=names)
@pytest.mark.parametrize("operation", [a.sine, a.cosine], ids=["sin", "cos"])
def test_sines(three, kind, operation):
    values = [*grid(kind, -7, 7, 250), 0, 1, -1]
    edges = [kind.integer.least, kind.integer.most, *neighbours(kind)[::4]]
    quarters = [round(PI / 2 * turn / kind.unit) + step for turn in range(-9, 10) for step in (-1, 0, 1)]
    check(three, operation, kind, values + edges + quarters)


EVERY = [
    (a.fixed_square_root, math.sqrt, 0),
    (a.logarithm, math.log, 1),
    (a.exponential, math.exp, -32768),
    (a.sigmoid, lambda x: 1 / (1 + math.exp(-x)), -32768),
    (a.sine, math.sin, -32768),
]


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "function", "least"), EVERY, ids=lambda case: getattr(case, "__name__", ""))
def test_every_number_of_sixteen_bits(three, operation, function, least):
    values = [value for value in range(least, 32768) if operation is not a.exponential or value < 1241]
    results = three.compute(operation, values, of=SHORT)
    errors = [abs(r - function(v / 256) * 256) for v, r in zip(values, results, strict=True)]
    assert max(errors) <= BOUND


@pytest.mark.parametrize("operation", [a.exponential, a.logarithm, a.sine, a.hyperbolic_tangent])
def test_larger_committees_have_more_slack_and_the_same_errors(committee, operation):
    values = grid(a.FIX64, 0.01, 9, 60)
    check(committee(7, 3), operation, a.FIX64, values, relative=2.0**-23)


def test_costs_of_functions_are_those_of_a_few_comparisons(three):
    """No function hides a loop over bits of fraction: products and rounds, for fix64."""
    costs = {operation: a.cost_of(three.first, operation, 1, of=a.FIX64) for operation in EXACT}
    assert max(cost.rounds for cost in costs.values()) <= 60
    assert max(cost.products for cost in costs.values()) <= 700
    assert costs[a.sine].products < 60


# Polynomials


def test_constants():
    assert abs(approximation.pi() - PI) < Fraction(1, 10**70)
    with localcontext() as context:
        context.prec = 75
        assert abs(approximation.logarithm_of_two() - Fraction(Decimal(2).ln())) < Fraction(1, 10**70)


def test_a_polynomial_is_its_own_interpolation():
    polynomial = approximation.interpolate(lambda x: x * x - 3 * x + 2, Fraction(-1), Fraction(2), degree=2)
    assert polynomial.centre == Fraction(1, 2)
    for point in polynomial.points(7):
        assert abs(polynomial.at(point) - (point * point - 3 * point + 2)) < Fraction(1, 10**70)


def test_approximations_keep_their_promise():
    low, high = Fraction(1, 2), Fraction(1)
    polynomial = approximation.approximate(lambda x: x.ln(), low, high, precision=40)
    exact = EXACT[a.logarithm]
    assert all(abs(polynomial.at(x) - exact(x)) < Fraction(1, 1 << 40) for x in polynomial.points(500))


def test_a_precision_out_of_reach_is_refused(monkeypatch):
    monkeypatch.setattr(approximation, "MAX_DEGREE", 12)
    with pytest.raises(ValueError, match="degree 12"):
        approximation.approximate(lambda x: abs(x - Decimal("0.3")), Fraction(-1), Fraction(1), precision=30)
