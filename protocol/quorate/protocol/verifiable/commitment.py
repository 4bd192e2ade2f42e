"""Commitments to polynomials: what makes a Shamir sharing verifiable.

A dealer shares a secret by f of degree t and publishes a commitment to each coefficient. Party i's share f(i) is then
bound by the sum of i^j C_j, which anybody computes.

Feldman [FOCS 1987]: C_j = f_j G. Binding without condition; the secret's multiple C_0 is public, so that it hides the
secret only as far as logarithms are hard and the secret is uniform: never commit a password or a small number so.

Pedersen [CRYPTO 1991]: C_j = f_j G + f'_j H with a second polynomial f'. Hides without condition; binds while nobody
knows the logarithm of H to G. A share is then the pair (f(i), f'(i)).

Whom it withstands: a dealer that deals shares of no one polynomial, and holders that open other shares, however many
they are, are found by whoever verifies, given that everybody has the same commitment. That is the business of a
broadcast (see `avss`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from quorate.protocol.curve import Curve, Point
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import MAX_PARTIES, PartyId

MAX_THRESHOLD: Final = MAX_PARTIES - 1


class Scheme(Enum):
    """Which commitment: Feldman's, that shows the secret's multiple, or Pedersen's, that hides everything."""

    FELDMAN = "feldman"
    PEDERSEN = "pedersen"

    @property
    def components(self) -> int:
        """Scalars in a share: the value, and under Pedersen its blinding."""
        return 1 if self is Scheme.FELDMAN else 2

    def commit(self, curve: Curve, share: Share) -> Point:
        """The commitment to one pair of scalars; raises ValueError for a blinding under Feldman."""
        if self is Scheme.PEDERSEN:
            return curve.commit(share.value, share.blinding)
        if share.blinding:
            raise ValueError("Feldman's commitment has no blinding")
        return curve.multiply_base(share.value)


@dataclass(frozen=True, slots=True)
class Share:
    """A value of the secret polynomial and, under Pedersen, of the blinding one."""

    value: int = field(repr=False)
    blinding: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True)
class Commitment:
    """Commitments to the coefficients of one polynomial of degree `threshold`, the constant first."""

    curve: Curve
    scheme: Scheme
    points: tuple[Point, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not 1 <= len(self.points) <= MAX_THRESHOLD + 1:
            raise ValueError(
                f"a commitment to {len(self.points)} coefficients; there are 1 to {MAX_THRESHOLD + 1}"
            )

    @property
    def threshold(self) -> int:
        """The degree of the polynomial: so many shares tell nothing."""
        return len(self.points) - 1

    @property
    def secret(self) -> Point:
        """The commitment to the secret: under Feldman, the secret times the generator."""
        return self.points[0]

    def of_share(self, party: PartyId) -> Point:
        """The commitment to party `party`'s share."""
        powers = [party**exponent for exponent in range(len(self.points))]
        return self.curve.sum_of_products(powers, self.points)

    def admits(self, party: PartyId, share: Share) -> bool:
        """Whether this is party `party`'s share; for many at once `verification` is faster."""
        if self.scheme is Scheme.FELDMAN and share.blinding:
            return False
        return self.scheme.commit(self.curve, share) == self.of_share(party)

    def encode(self) -> bytes:
        """The points one after another."""
        return b"".join(point.encode() for point in self.points)

    def __add__(self, other: Commitment) -> Commitment:
        if (self.curve, self.scheme, self.threshold) != (other.curve, other.scheme, other.threshold):
            raise ValueError("commitments of different curves, schemes or degrees")
        pairs = zip(self.points, other.points, strict=True)
        return Commitment(self.curve, self.scheme, tuple(left + right for left, right in pairs))


def decode_commitment(data: bytes, *, curve: Curve, scheme: Scheme, threshold: int) -> Commitment:
    """A commitment of untrusted bytes; raises MalformedMessage for a wrong size or a point outside the group."""
    return Commitment(curve, scheme, decode_points(data, curve=curve, count=threshold + 1))


def decode_points(data: bytes, *, curve: Curve, count: int) -> tuple[Point, ...]:
    """`count` elements of untrusted bytes, the identity included; raises MalformedMessage as `Curve.decode` does."""
    size = curve.size_bytes
    if len(data) != count * size:
        raise MalformedMessage(f"{len(data)} bytes are not {count} points of {curve.name}")
    return tuple(curve.decode(data[start : start + size], identity=True) for start in range(0, len(data), size))


def sum_commitments(commitments: Iterable[Commitment]) -> Commitment:
    """The commitment to the sum of the polynomials; raises ValueError without any."""
    total: Commitment | None = None
    for commitment in commitments:
        total = commitment if total is None else total + commitment
    if total is None:
        raise ValueError("a sum of no commitments")
    return total
