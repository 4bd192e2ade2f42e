"""Reconstruction and error decoding: a Shamir sharing is a Reed-Solomon codeword (McEliece and Sarwate, 1981).

Of m shares at degree t, up to `(m - t - 1) // 2` wrong ones can be found. Wrong shares sit in few parties, so one
inconsistent column is decoded (Berlekamp and Welch), its wrong parties are left out, and the rest is checked as
vectors again; at most t columns are decoded however long the batch. `reconstruct` tolerates no wrong share and
names whose it is where it can; `decode` goes on without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorate.protocol.field import PrimeField, Vector

from .points import PartyId, lagrange_coefficients
from .shamir import InconsistentShares, check_degree


@dataclass(frozen=True, slots=True)
class Decoded:
    """The secrets, and the parties whose shares were wrong."""

    secrets: Vector
    wrong: frozenset[PartyId]


def reconstruct(field: PrimeField, shares: Mapping[PartyId, Vector], *, threshold: int) -> Vector:
    """The secrets, from the vectors of shares of at least `threshold + 1` parties.

    Raises InconsistentShares unless all given shares agree, and ValueError when too few are given.
    """
    if len(shares) <= threshold:
        raise ValueError(f"{len(shares)} shares cannot reconstruct at threshold {threshold}")
    if not check_degree(field, shares, degree=threshold):
        raise InconsistentShares(sorted(decode(field, shares, threshold=threshold).wrong))
    return _interpolate(field, shares, threshold=threshold)


def _interpolate(field: PrimeField, shares: Mapping[PartyId, Vector], *, threshold: int) -> Vector:
    base = sorted(shares)[: threshold + 1]
    return field.combine(lagrange_coefficients(field.modulus, base), [shares[point] for point in base])


def decode(field: PrimeField, shares: Mapping[PartyId, Vector], *, threshold: int) -> Decoded:
    """The secrets in spite of wrong parties: `threshold` of them from `3 threshold + 1` shares on.

    Of m shares, `m - 2 threshold - 1` may be wrong, so that t + 1 honest ones are among those that agree; none of
    fewer than 2t + 2. Raises InconsistentShares when more are wrong than can be named, and
    ValueError when fewer than `threshold + 1` shares are given.
    """
    if len(shares) <= threshold:
        raise ValueError(f"{len(shares)} shares cannot reconstruct at threshold {threshold}")
    good = dict(shares)
    budget = max(0, min(threshold, len(shares) - 2 * threshold - 1))
    while not check_degree(field, good, degree=threshold):
        wrong = wrong_in_one_column(field, good, threshold=threshold, most=budget - (len(shares) - len(good)))
        if not wrong:
            raise InconsistentShares
        good = {party: vector for party, vector in good.items() if party not in wrong}
    secrets = _interpolate(field, good, threshold=threshold)
    return Decoded(secrets, frozenset(shares) - frozenset(good))


def wrong_in_one_column(
    field: PrimeField, shares: Mapping[PartyId, Vector], *, threshold: int, most: int
) -> frozenset[PartyId]:
    """The wrong parties of the first inconsistent column; empty when it has more than `most`.

    They are unique when there are at least `threshold + 1 + 2 most` shares.
    """
    column = _first_inconsistent_column(field, shares, threshold=threshold)
    points = sorted(shares)
    values = [field.integers(shares[point][column : column + 1])[0] for point in points]
    for errors in range(1, most + 1):
        polynomial = _berlekamp_welch(points, values, degree=threshold, errors=errors, modulus=field.modulus)
        if polynomial is not None:
            wrong = {
                point
                for point, value in zip(points, values, strict=True)
                if _evaluate(polynomial, point, field.modulus) != value
            }
            if len(wrong) <= errors:
                return frozenset(wrong)
    return frozenset()


def _first_inconsistent_column(field: PrimeField, shares: Mapping[PartyId, Vector], *, threshold: int) -> int:
    points = sorted(shares)
    base = points[: threshold + 1]
    rows = [shares[point] for point in base]
    first = len(rows[0])
    for point in points[threshold + 1 :]:
        expected = field.combine(lagrange_coefficients(field.modulus, base, at=point), rows)
        differing = np.flatnonzero((expected != shares[point]).any(axis=1))
        if len(differing):
            first = min(first, int(differing[0]))
    return first


def _berlekamp_welch(
    points: Sequence[int], values: Sequence[int], *, degree: int, errors: int, modulus: int
) -> list[int] | None:
    """The polynomial of `degree` that misses at most `errors` of the values; None when there is none.

    Solves `Q(x) = y E(x)` for a monic E of degree `errors` and Q of degree `degree + errors`; then P = Q / E.
    """
    unknowns = degree + errors + 1
    system = []
    for point, value in zip(points, values, strict=True):
        row = [pow(point, exponent, modulus) for exponent in range(unknowns)]
        row += [-value * pow(point, exponent, modulus) % modulus for exponent in range(errors)]
        system.append([*row, value * pow(point, errors, modulus) % modulus])
    solution = _solve(system, modulus)
    if solution is None:
        return None
    return _divide(solution[:unknowns], [*solution[unknowns:], 1], modulus)


def _solve(system: list[list[int]], modulus: int) -> list[int] | None:
    """One solution of an augmented linear system, free unknowns at zero; None when it has none."""
    unknowns = len(system[0]) - 1
    pivots: list[int] = []
    for column in range(unknowns):
        rank = len(pivots)
        pivot = next((row for row in range(rank, len(system)) if system[row][column]), None)
        if pivot is None:
            continue
        system[rank], system[pivot] = system[pivot], system[rank]
        inverse = pow(system[rank][column], -1, modulus)
        system[rank] = [entry * inverse % modulus for entry in system[rank]]
        for row, entries in enumerate(system):
            factor = entries[column]
            if row != rank and factor:
                lead = system[rank]
                system[row] = [(a - factor * b) % modulus for a, b in zip(entries, lead, strict=True)]
        pivots.append(column)
    if any(row[-1] for row in system[len(pivots) :]):
        return None
    solution = [0] * unknowns
    for row, column in enumerate(pivots):
        solution[column] = system[row][-1]
    return solution


def _divide(numerator: Sequence[int], monic: Sequence[int], modulus: int) -> list[int] | None:
    """The quotient by a monic polynomial, low coefficient first; None when the division leaves a remainder."""
    remainder = list(numerator)
    size = len(monic) - 1
    quotient = [0] * (len(remainder) - size)
    for shift in reversed(range(len(quotient))):
        factor = quotient[shift] = remainder[shift + size]
        for index, coefficient in enumerate(monic):
            remainder[shift + index] = (remainder[shift + index] - factor * coefficient) % modulus
    return None if any(remainder) else quotient


def _evaluate(polynomial: Sequence[int], point: int, modulus: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * point + coefficient) % modulus
    return value
