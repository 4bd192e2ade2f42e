"""Opening in the exponent: from s_i G of the parties to s G, without anybody learning s.

The points s_i G of a sharing of degree t lie on a polynomial in the exponent, so the Lagrange coefficients of the
scalars serve for them. Adversary: without a commitment, points beyond t + 1 are checked against the others, so that
with 2t + 1 points t liars can stop an opening but not change it; nobody is named. With a Feldman commitment each point
is checked by itself, and a liar is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.protocol.curve import Curve, Point
from quorate.protocol.errors import PartyFault
from quorate.protocol.sharing import InconsistentShares, PartyId, lagrange_coefficients

from .commitment import Commitment
from .polynomial import coefficient_matrix


def interpolate_points(points: Mapping[PartyId, Point], *, at: int = 0) -> Point:
    """The value at `at` of the polynomial in the exponent through all these points; needs at least one."""
    curve = _curve(points)
    parties = sorted(points)
    coefficients = lagrange_coefficients(curve.order, parties, at=at)
    return curve.sum_of_products(coefficients, [points[party] for party in parties])


def open_in_exponent(points: Mapping[PartyId, Point], *, threshold: int) -> Point:
    """s G of the points s_i G of at least t + 1 parties, which must all agree.

    Raises InconsistentShares when they do not lie on one polynomial of degree `threshold`, which is no proof of
    whose is wrong, and ValueError for too few.
    """
    if len(points) <= threshold:
        raise ValueError(f"{len(points)} points cannot open at threshold {threshold}")
    parties = sorted(points)
    base = {party: points[party] for party in parties[: threshold + 1]}
    for party in parties[threshold + 1 :]:
        if interpolate_points(base, at=party) != points[party]:
            raise InconsistentShares
    return interpolate_points(base)


def open_committed(points: Mapping[PartyId, Point], *, commitment: Commitment) -> Point:
    """s G of points that a Feldman commitment binds; raises PartyFault naming the first party with a wrong one."""
    for party in sorted(points):
        if points[party] != commitment.of_share(party):
            raise PartyFault(party, "gave a point that the commitment does not bind")
    return commitment.secret


def coefficients_in_exponent(points: Mapping[PartyId, Point]) -> tuple[Point, ...]:
    """The commitments to the coefficients of the polynomial of degree below len(points) through these points."""
    curve = _curve(points)
    parties: Sequence[PartyId] = sorted(points)
    values = [points[party] for party in parties]
    rows = coefficient_matrix(parties, order=curve.order)
    return tuple(curve.sum_of_products(row, values) for row in rows)


def _curve(points: Mapping[PartyId, Point]) -> Curve:
    if not points:
        raise ValueError("no points to interpolate")
    return next(iter(points.values())).curve
