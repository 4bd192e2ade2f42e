"""Symmetric bivariate polynomials and commitments to them: the body of `avss`.

F(x, y) = F(y, x) of degree t in each variable, with F(0, 0) the secret. Party i's row is F(i, y), its share F(i, 0);
parties i and m both know F(i, m), so that each can vouch for a point of the other's row, and t + 1 points of a row
give it. Any t rows tell nothing of the secret. Symmetry halves what is sent [Kate, Goldberg, ICDCS 2009].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from quorate.protocol.curve import Curve, Point
from quorate.protocol.sharing import PartyId

from .commitment import Commitment, Scheme, Share
from .dealing import WEIGHT_BYTES, evaluate_shares
from .polynomial import coefficient_matrix


@dataclass(frozen=True, slots=True)
class SymmetricPolynomial:
    """Coefficients of x^j y^k at (j, k) for j <= k, row by row; those of x^k y^j are the same."""

    order: int
    threshold: int
    coefficients: tuple[Share, ...] = field(repr=False)

    def row(self, party: PartyId) -> tuple[Share, ...]:
        """The coefficients of F(party, y), that of y^0 first."""
        places = triangle(self.threshold)
        rows: list[tuple[int, int]] = [(0, 0)] * (self.threshold + 1)
        for (j, k), pair in zip(places, self.coefficients, strict=True):
            for exponent, target in {(j, k), (k, j)}:
                power = party**exponent
                value, blinding = rows[target]
                rows[target] = (value + power * pair.value, blinding + power * pair.blinding)
        return tuple(Share(value % self.order, blinding % self.order) for value, blinding in rows)


def triangle(threshold: int) -> list[tuple[int, int]]:
    """The places (j, k) with j <= k <= threshold, row by row."""
    return [(j, k) for j in range(threshold + 1) for k in range(j, threshold + 1)]


def random_bivariate(
    curve: Curve, secret: int, *, scheme: Scheme, threshold: int, randomness: Callable[[int], bytes]
) -> SymmetricPolynomial:
    """A uniform symmetric polynomial with this secret; under Pedersen with a uniform blinding one beside it."""
    pairs = []
    for index in range(len(triangle(threshold))):
        value = secret % curve.order if index == 0 else curve.random_scalar(randomness)
        blinding = curve.random_scalar(randomness) if scheme is Scheme.PEDERSEN else 0
        pairs.append(Share(value, blinding))
    return SymmetricPolynomial(curve.order, threshold, tuple(pairs))


@dataclass(frozen=True)
class BivariateCommitment:
    """Commitments to the coefficients of one symmetric polynomial, in the order of `triangle`."""

    curve: Curve
    scheme: Scheme
    threshold: int
    points: tuple[Point, ...] = field(repr=False)

    @cached_property
    def _by_place(self) -> dict[tuple[int, int], Point]:
        places = zip(triangle(self.threshold), self.points, strict=True)
        return {place: point for (j, k), point in places for place in ((j, k), (k, j))}

    def row(self, party: PartyId) -> tuple[Point, ...]:
        """The commitments to the coefficients of F(party, y)."""
        degrees = range(self.threshold + 1)
        powers = [party**exponent for exponent in degrees]
        return tuple(self.curve.sum_of_products(powers, [self._by_place[j, k] for j in degrees]) for k in degrees)

    @property
    def shares(self) -> Commitment:
        """The commitment to F(x, 0), of which party i's share is F(i, 0)."""
        points = tuple(self._by_place[j, 0] for j in range(self.threshold + 1))
        return Commitment(self.curve, self.scheme, points)


class RowVerifier:
    """Checks rows and points of one party under several commitments at once, by random weights drawn here."""

    def __init__(
        self, commitments: Sequence[BivariateCommitment], party: PartyId, *, randomness: Callable[[int], bytes]
    ) -> None:
        first = commitments[0]
        self._curve, self._scheme = first.curve, first.scheme
        self._weights = [int.from_bytes(randomness(WEIGHT_BYTES), "big") for _ in commitments]
        places = zip(*(commitment.points for commitment in commitments), strict=True)
        weighted = tuple(self._curve.sum_of_products(self._weights, place) for place in places)
        self._row = BivariateCommitment(self._curve, self._scheme, first.threshold, weighted).row(party)

    def is_row(self, rows: Sequence[Sequence[Share]]) -> bool:
        """Whether these are the coefficients of the party's rows, one a commitment."""
        columns = zip(*rows, strict=True)
        pairs = zip(columns, self._row, strict=True)
        return all(self._scheme.commit(self._curve, self._weigh(column)) == point for column, point in pairs)

    def is_point(self, sender: PartyId, points: Sequence[Share]) -> bool:
        """Whether these are the values of the party's rows at `sender`, one a commitment."""
        powers = [sender**exponent for exponent in range(len(self._row))]
        expected = self._curve.sum_of_products(powers, self._row)
        return self._scheme.commit(self._curve, self._weigh(points)) == expected

    def _weigh(self, shares: Sequence[Share]) -> Share:
        value = sum(weight * share.value for weight, share in zip(self._weights, shares, strict=True))
        blinding = sum(weight * share.blinding for weight, share in zip(self._weights, shares, strict=True))
        return Share(value % self._curve.order, blinding % self._curve.order)


def row_through(points: Mapping[PartyId, Share], *, order: int) -> tuple[Share, ...]:
    """The coefficients of the row of degree below len(points) with these values."""
    parties = sorted(points)
    rows = []
    for line in coefficient_matrix(parties, order=order):
        value = sum(c * points[party].value for c, party in zip(line, parties, strict=True))
        blinding = sum(c * points[party].blinding for c, party in zip(line, parties, strict=True))
        rows.append(Share(value % order, blinding % order))
    return tuple(rows)


def value_at(row: Sequence[Share], party: PartyId, *, order: int) -> Share:
    """The value of a row at a party's point."""
    return evaluate_shares(row, party, order=order)
