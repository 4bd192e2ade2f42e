"""What a party remembers of its products until they are verified, and how one random combination joins them.

A claim says that shared values satisfy an equation of inner products: element-wise products, runs of inner
products, or a product of matrices. Weighted by coefficients that nobody could foresee, the claims of a transcript
add up to one: that a single inner product of two long vectors of shares equals one shared value. A product of
matrices A B = C enters as (u A)(B v) = u C v for random vectors u and v [Freivalds 1977], which is as long as the
inner size, and takes as many steps as A, B and C have elements.

The coefficients are b_i a_j for random vectors a and b, so that few elements are expanded. The sum of the errors,
so weighted, is a polynomial of degree 2 in a and b, 4 for matrices: it is zero for wrong claims with a probability
of at most 4/p [Schwartz 1980, Zippel 1979].
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.pool import Stock
from quorate.protocol.mpc.prss import SubsetKeys
from quorate.protocol.mpc.seeds import Stream

MAX_TRANSCRIPT_ELEMENTS: Final = 3 << 20
"""The elements of claims that are remembered (96 MiB over four limbs); one claim more and they are verified."""
_BLOCK: Final = 1 << 10


class VerificationFailed(ProtocolAbort):
    """What was computed does not fit together, so some party deviated; nothing was released, nobody can be named."""


def coefficients(modular: PrimeField, stream: Stream, count: int) -> Vector:
    """`count` coefficients b_i a_j from one stream, of which a combination hides nothing (see the module)."""
    if count <= _BLOCK:
        return stream.elements(modular, count)
    inner, outer = stream.elements(modular, _BLOCK), stream.elements(modular, -(-count // _BLOCK))
    return modular.matrix_product(outer, inner, inner=1)[:count]


@dataclass(frozen=True, slots=True)
class InnerProduct:
    """The claim that the inner product of two equally long vectors of shares is `total`, shape (1, limbs)."""

    left: Vector = field(repr=False)
    right: Vector = field(repr=False)
    total: Vector = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim(ABC):
    """That shares z are, in one of two ways, the products of shares x and y."""

    x: Vector = field(repr=False)
    y: Vector = field(repr=False)
    z: Vector = field(repr=False)

    @property
    def elements(self) -> int:
        """How many elements it is made of."""
        return len(self.x) + len(self.y) + len(self.z)

    @property
    @abstractmethod
    def size(self) -> int:
        """The length of the inner product that it becomes."""

    @abstractmethod
    def combined(self, modular: PrimeField, stream: Stream) -> InnerProduct:
        """One random combination of its equations."""

    def kept(self) -> Claim:
        """The same claim about vectors of its own: who computed them may go on to change them in place."""
        x = self.x.copy()
        y = x if self.y is self.x else self.y.copy()
        return dataclasses.replace(self, x=x, y=y, z=x if self.z is self.x else self.z.copy())


@dataclass(frozen=True, slots=True)
class ProductClaim(Claim):
    """That the inner product of each run of `length` elements of x with the same run of y is an element of z."""

    length: int = 1

    @property
    def size(self) -> int:
        """The number of elements of x."""
        return len(self.x)

    def combined(self, modular: PrimeField, stream: Stream) -> InnerProduct:
        """Every equation weighted by a coefficient of its own."""
        weights = coefficients(modular, stream, len(self.z))
        if len(self.z) == 1:
            left = modular.scale(self.x, modular.integers(weights)[0])
        else:
            spread = weights if self.length == 1 else np.repeat(weights, self.length, axis=0)
            left = modular.mul(spread, self.x)
        return InnerProduct(left, self.y, modular.dot(weights, self.z))


@dataclass(frozen=True, slots=True)
class MatrixClaim(Claim):
    """That the matrix z is the product of x, of `inner` columns, and y, of `inner` rows, all row by row."""

    inner: int = field(kw_only=True)

    @property
    def size(self) -> int:
        """The inner size."""
        return self.inner

    def combined(self, modular: PrimeField, stream: Stream) -> InnerProduct:
        """(u x)(y v) = u z v for random vectors u and v."""
        rows, columns = len(self.x) // self.inner, len(self.y) // self.inner
        u, v = (coefficients(modular, stream, count) for count in (rows, columns))
        left = modular.matrix_product(u, self.x, inner=rows)
        right = modular.matrix_product(self.y, v, inner=columns)
        return InnerProduct(left, right, modular.dot(modular.matrix_product(u, self.z, inner=rows), v))


@dataclass(frozen=True, slots=True)
class Batch:
    """What one verification covers: claims, and sharings of which nothing is claimed but the degree."""

    claims: Sequence[Claim] = field(repr=False)
    sharings: Sequence[Vector] = field(repr=False)

    @property
    def size(self) -> int:
        """The length of the inner product that its claims become."""
        return sum(claim.size for claim in self.claims)

    def combined(self, modular: PrimeField, stream: Stream, *, multiple: int) -> InnerProduct:
        """Its claims as one, padded with zeros to a multiple of `multiple` elements."""
        padded = -(-self.size // multiple) * multiple
        left, right, total = modular.zeros(padded), modular.zeros(padded), modular.zeros(1)
        start = 0
        for claim in self.claims:
            part = claim.combined(modular, stream)
            left[start : start + claim.size] = part.left
            right[start : start + claim.size] = part.right
            total = modular.add(total, part.total)
            start += claim.size
        return InnerProduct(left, right, total)


class Transcript:
    """One party's claims that are not verified yet, what verifications and random items need, and how it went."""

    __slots__ = ("_claims", "_elements", "_sharings", "failed", "keys", "masks", "running")

    def __init__(self) -> None:
        self._claims: list[Claim] = []
        self._sharings: list[Vector] = []
        self._elements = 0
        self.masks = Stock()
        self.keys: SubsetKeys | None = None
        self.running = False
        self.failed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to be verified."""
        return not self._claims and not self._sharings

    @property
    def is_full(self) -> bool:
        """Whether more is remembered than MAX_TRANSCRIPT_ELEMENTS."""
        return self._elements > MAX_TRANSCRIPT_ELEMENTS

    def add_claim(self, claim: Claim) -> None:
        """Remember a claim: by copies, unless it fills the transcript and so is verified before anything else."""
        self._elements += claim.elements
        self._claims.append(claim if self.is_full else claim.kept())

    def add_sharing(self, sharing: Vector) -> None:
        """Remember dealt sharings whose degree has to be checked."""
        self._sharings.append(sharing.copy())
        self._elements += len(sharing)

    def begin(self) -> Batch:
        """Take everything out for a verification; it is running from now on."""
        batch = Batch(self._claims, self._sharings)
        self._claims, self._sharings, self._elements = [], [], 0
        self.running = True
        return batch

    def end(self, *, passed: bool) -> None:
        """The verification is over; one that did not pass, or was cut off, leaves the transcript failed."""
        self.running = False
        self.failed = self.failed or not passed
