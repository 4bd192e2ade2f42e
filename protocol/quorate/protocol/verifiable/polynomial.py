"""Polynomials over the integers modulo a group's order: evaluation and interpolation, coefficients low first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from quorate.protocol.curve import Curve
from quorate.protocol.sharing import PartyId, lagrange_coefficients


def random_polynomial(
    curve: Curve, constant: int, *, degree: int, randomness: Callable[[int], bytes]
) -> tuple[int, ...]:
    """A uniform polynomial of at most `degree` with this value at 0."""
    return (constant % curve.order, *(curve.random_scalar(randomness) for _ in range(degree)))


def evaluate(coefficients: Sequence[int], point: int, *, order: int) -> int:
    """The value at `point` modulo `order`."""
    value = 0
    for coefficient in reversed(coefficients):
        value = value * point + coefficient
    return value % order


def interpolate(values: Mapping[PartyId, int], *, order: int, at: int = 0) -> int:
    """The value at `at` of the polynomial of degree below len(values) through these points."""
    points = sorted(values)
    coefficients = lagrange_coefficients(order, points, at=at)
    return sum(c * values[point] for c, point in zip(coefficients, points, strict=True)) % order


def coefficient_matrix(points: Sequence[PartyId], *, order: int) -> list[list[int]]:
    """The rows by which values at `points` give the coefficients of their polynomial: the inverse of Vandermonde."""
    columns = []
    for point in points:
        others = [other for other in points if other != point]
        column, scale = [1], 1
        for other in others:  # times (X - other)
            column = [below - other * here for below, here in zip([0, *column], [*column, 0], strict=True)]
            scale = scale * (point - other) % order
        inverse = pow(scale, -1, order)
        columns.append([entry * inverse % order for entry in column])
    return [list(row) for row in zip(*columns, strict=True)]
