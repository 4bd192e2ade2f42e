"""What a holder deals in one segment of robust preprocessing: families of polynomials, and what they have in common.

    LOW     degree t     operands, shares, zeros, doubles, products, and one that masks a check
    HIGH    degree 2t    the values of the doubles, a zero and a random one that mask checks
    WIDE    degree 2t'   the values of the products, masks of zero, and one that masks a check
    INNER   degree t'    the values of the operands, and one that masks a check; only if t' < t

Once parties were excluded, n' holders are left of whom t' < t may be corrupted. Products of sharings of degree t would
have too few holders then, n' - t' < 2t + 1; so operands of products are dealt at degree t' as well, multiplied there,
and reduced by values at degrees t and 2t' [as in Beerliova-Trubiniova, Hirt, TCC 2008]. What goes into the pool is of
degree t always: a mask of a lower degree would not hide the sharings of degree t of values from before.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from quorate.protocol.field import Vector


class Family(IntEnum):
    """The families, in the order of a message."""

    LOW = 0
    HIGH = 1
    WIDE = 2
    INNER = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """How many items every holder deals, for thresholds t and t'."""

    threshold: int
    inner: int
    operands: int = 0
    shares: int = 0
    zeros: int = 0
    doubles: int = 0
    products: int = 0
    masks: int = 0

    @property
    def has_inner(self) -> bool:
        """Whether operands are dealt a second time; otherwise they are multiplied as they are."""
        return self.inner < self.threshold

    @property
    def families(self) -> tuple[Family, ...]:
        """The families that are dealt."""
        return tuple(Family) if self.has_inner else (Family.LOW, Family.HIGH, Family.WIDE)

    @property
    def degrees(self) -> tuple[int, ...]:
        """The degree of each family."""
        return self.threshold, 2 * self.threshold, 2 * self.inner, self.inner

    @property
    def counts(self) -> tuple[int, ...]:
        """How many polynomials each family has."""
        low = self.operands + self.shares + self.zeros + self.doubles + self.products + 1
        inner = self.operands + 1 if self.has_inner else 0
        return low, self.doubles + 2, self.products + self.masks + 1, inner

    @property
    def operands_at(self) -> slice:
        """Where the operands of products are in LOW; in INNER they come first as well."""
        return slice(0, self.operands)

    @property
    def shares_at(self) -> slice:
        """Where the shares are in LOW."""
        return slice(self.operands, self.operands + self.shares)

    @property
    def zeros_at(self) -> slice:
        """Where the zeros are in LOW."""
        return slice(self.shares_at.stop, self.shares_at.stop + self.zeros)

    @property
    def doubles_at(self) -> slice:
        """Where the doubles are in LOW; in HIGH they come first."""
        return slice(self.zeros_at.stop, self.zeros_at.stop + self.doubles)

    @property
    def products_at(self) -> slice:
        """Where the products are in LOW; in WIDE they come first, and the masks next."""
        return slice(self.doubles_at.stop, self.doubles_at.stop + self.products)

    @property
    def operand_family(self) -> Family:
        """The family in which operands are multiplied."""
        return Family.INNER if self.has_inner else Family.LOW

    def split(self, row: Vector) -> list[Vector]:
        """A holder's shares by family, from its whole row."""
        parts: list[Vector] = []
        start = 0
        for count in self.counts[: len(self.families)]:
            parts.append(row[start : start + count])
            start += count
        return parts
