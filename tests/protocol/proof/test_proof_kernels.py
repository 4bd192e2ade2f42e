"""Transforms and sums of multiples against plain integers, py_ecc and quorate.protocol.curve."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.curve import BN254_G1
from quorate.protocol.field import BN254, BN254_BASE, KernelFault
from quorate.protocol.proof import dispatch, msm
from quorate.protocol.proof.errors import MalformedPoint
from quorate.protocol.proof.ntt import Domain, domain, root_of_unity
from quorate.protocol.proof.points import (
    G1,
    G2,
    PointGroup,
    Points,
    pair_add,
    pair_inverse,
    pair_power,
    pair_times,
)
from quorate.protocol.proof.warm import warm

R = BN254.modulus
P = BN254_BASE.modulus


def naive(coefficients: list[int], root: int, shift: int) -> list[int]:
    places = [shift * pow(root, index, R) % R for index in range(len(coefficients))]
    return [sum(c * pow(place, power, R) for power, c in enumerate(coefficients)) % R for place in places]


@pytest.mark.parametrize("log_size", range(7))
@pytest.mark.parametrize("shift", [1, 5])
def test_transforms_are_evaluations(log_size: int, shift: int) -> None:
    generator = random.Random(log_size)
    coefficients = [generator.randrange(R) for _ in range(1 << log_size)]
    values = domain(log_size).evaluate(BN254.vector(coefficients), shift)
    assert BN254.integers(values) == naive(coefficients, root_of_unity(log_size), shift)
    assert BN254.integers(domain(log_size).interpolate(values, shift)) == coefficients


def test_large_transforms_are_inverse_and_linear() -> None:
    generator = random.Random(1)
    x = BN254.from_random_bytes(generator.randbytes(40 << 12))
    y = BN254.from_random_bytes(generator.randbytes(40 << 12))
    large = domain(12)
    left = large.evaluate(BN254.add(x, y), 7)
    assert (left == BN254.add(large.evaluate(x, 7), large.evaluate(y, 7))).all()
    assert (large.interpolate(left, 7) == BN254.add(x, y)).all()
    assert (left[large.order] == large.bitwise_evaluate(BN254.add(x, y), 7)).all()


def test_domains_have_bounds() -> None:
    with pytest.raises(ValueError, match="2\\^22"):
        Domain(22)
    with pytest.raises(ValueError, match="8 elements for a domain of 4"):
        domain(2).evaluate(BN254.zeros(8))
    assert pow(root_of_unity(21), 1 << 20, R) == R - 1


def points_of(group: PointGroup, logarithms: list[int]) -> Points:
    return msm.fixed_multiples(group, group.generator, msm.scalar_words(logarithms))


def test_fixed_multiples_of_g1_agree_with_the_curve() -> None:
    logarithms = [0, 1, 2, R - 1, 1 << 200, 12345]
    expected = [BN254_G1.multiply_base(value) for value in logarithms]
    found = G1.integers(points_of(G1, logarithms))
    assert found == [None if point.is_identity else point.coordinates for point in expected]


def test_multiples_of_g2_agree_with_py_ecc() -> None:
    oracle = pytest.importorskip("py_ecc.optimized_bn128")
    logarithms = [1, 3, R - 1, 1 << 200]
    expected = []
    for value in logarithms:
        x, y = oracle.normalize(oracle.multiply(oracle.G2, value))
        expected.append((tuple(map(int, x.coeffs)), tuple(map(int, y.coeffs))))
    assert G2.integers(points_of(G2, logarithms)) == expected


SCALARS = st.one_of(st.integers(0, 3), st.integers(R - 3, R - 1), st.integers(0, R - 1))


@pytest.mark.parametrize("group", [G1, G2])
@settings(max_examples=15, deadline=None)
@given(terms=st.lists(st.tuples(st.sampled_from([0, 1, 2, R - 1, R - 2]), SCALARS), max_size=40))
def test_sums_meet_equal_opposite_and_infinite_points(group: PointGroup, terms: list[tuple[int, int]]) -> None:
    points = points_of(group, [logarithm for logarithm, _ in terms])
    found = msm.sum_of_multiples(group, points, msm.scalar_words([scalar for _, scalar in terms]))
    assert (found == points_of(group, [sum(a * b for a, b in terms)])).all()


@pytest.mark.parametrize("group", [G1, G2])
def test_a_longer_sum(group: PointGroup) -> None:
    generator = random.Random(3)
    logarithms, scalars = ([generator.randrange(R) for _ in range(700)] for _ in range(2))
    found = msm.sum_of_multiples(group, points_of(group, logarithms), msm.scalar_words(scalars))
    total = sum(a * b for a, b in zip(logarithms, scalars, strict=True))
    assert (found == points_of(group, [total])).all()


@given(scalars=st.lists(SCALARS, max_size=5), width=st.integers(2, 14))
@settings(deadline=None)
def test_signed_digits_make_the_scalar(scalars: list[int], width: int) -> None:
    digits = msm.signed_digits(msm.scalar_words(scalars), width)
    totals = [sum(int(d) << (width * w) for w, d in enumerate(column)) for column in digits.T]
    assert totals == scalars
    assert not digits.size or np.abs(digits).max() <= 1 << (width - 1)


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="1 scalars for 2 points"):
        msm.sum_of_multiples(G1, points_of(G1, [1, 2]), msm.scalar_words([1]))


@pytest.mark.parametrize("group", [G1, G2])
def test_points_of_the_group_pass(group: PointGroup) -> None:
    points = points_of(group, [0, 1, 5, R - 1])
    group.check(points, "points")
    with pytest.raises(MalformedPoint, match=r"points\[0\]: infinity"):
        group.check(points, "points", infinity=False)
    assert (group.array(group.integers(points)) == points).all()


@pytest.mark.parametrize("group", [G1, G2])
def test_points_off_the_curve_are_refused(group: PointGroup) -> None:
    points = points_of(group, [1, 2, 3])
    points[1, 1] = points[2, 1]
    with pytest.raises(MalformedPoint, match=r"key\[1\]: not on the curve"):
        group.check(points, "key")


def test_coordinates_above_the_modulus_are_refused() -> None:
    points = points_of(G1, [1, 2, 3])
    points[2, 0] = np.frombuffer(P.to_bytes(32, "little"), dtype=np.uint64)
    with pytest.raises(MalformedPoint, match=r"key\[2\]: a coordinate is not below the modulus"):
        G1.check(points, "key")


def square_root(value: tuple[int, int]) -> tuple[int, int] | None:
    """A root in F_p^2 by its norm, where there is one."""
    a, b = value
    norm = pow(a * a + b * b, (P + 1) // 4, P)
    for sign in (1, -1):
        x = pow((a + sign * norm) * pow(2, -1, P) % P, (P + 1) // 4, P)
        root = (x, b * pow(2 * x, -1, P) % P) if x else None
        if root and pair_times(root, root) == (a % P, b % P):
            return root
    return None


def test_points_outside_the_subgroup_are_refused() -> None:
    strangers = []
    for x in range(1, 30):
        cube = pair_power((x, 1), 3)
        root = square_root(((cube[0] + G2.b[0]) % P, (cube[1] + G2.b[1]) % P))
        if root is not None:
            strangers.append(((x, 1), root))
    assert len(strangers) > 3
    points = np.concatenate([G2.generator, G2.array(strangers)])
    with pytest.raises(MalformedPoint, match=r"key\[1\]: outside the subgroup G2"):
        G2.check(points, "key")


def test_chord_and_tangent_agree_with_the_curve() -> None:
    point, total = G1.integers(G1.generator)[0], None
    for number in range(1, 6):
        total = pair_add(total, point)
        assert total == BN254_G1.multiply_base(number).coordinates
    assert pair_add(total, (total[0], P - total[1])) is None
    assert pair_times((3, 4), pair_inverse((3, 4))) == (1, 0)


def test_every_kernel_can_be_loaded_before_it_is_needed() -> None:
    seen: list[tuple[int, int, str]] = []
    warm(lambda done, total, name: seen.append((done, total, name)))
    assert [done for done, _, _ in seen] == list(range(1, seen[0][1] + 1))
    assert {"G2 multi_scalar", "portable evaluate"} <= {name for _, _, name in seen}


def test_a_kernel_with_wrong_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "_load", lambda *_: lambda *_: None)
    dispatch.point_kernel.cache_clear()
    with pytest.raises(KernelFault, match=r"multiples \(G1\) gives wrong results"):
        dispatch.point_kernel("multiples", "G1")
    dispatch.point_kernel.cache_clear()
