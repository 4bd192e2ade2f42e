"""A party's stock of preprocessed shares: counted, and handed out once."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from quorate.protocol.field import Vector

_NO_INTEGERS: Mapping[int, int] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Plan:
    """How many random items a program needs: `bits`; `integers` by width in bits; `shares` of field elements.

    Plans add. Raises ValueError for a negative count or a width below one bit.
    """

    bits: int = 0
    integers: Mapping[int, int] = field(default_factory=lambda: _NO_INTEGERS)
    shares: int = 0

    def __post_init__(self) -> None:
        if min(self.bits, self.shares, *self.integers.values(), *(width - 1 for width in self.integers)) < 0:
            raise ValueError("a plan has no negative counts, and integers of at least one bit")

    def __add__(self, other: Plan) -> Plan:
        widths = sorted({*self.integers, *other.integers})
        integers = {width: self.integers.get(width, 0) + other.integers.get(width, 0) for width in widths}
        return Plan(self.bits + other.bits, integers, self.shares + other.shares)

    def times(self, factor: int) -> Plan:
        """The plan of `factor` repetitions."""
        integers = {width: count * factor for width, count in self.integers.items()}
        return Plan(self.bits * factor, integers, self.shares * factor)

    def missing_from(self, stock: Plan) -> Plan:
        """What this plan asks for beyond `stock`."""
        integers = {
            width: count - stock.integers.get(width, 0)
            for width, count in self.integers.items()
            if count > stock.integers.get(width, 0)
        }
        return Plan(max(0, self.bits - stock.bits), integers, max(0, self.shares - stock.shares))

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not (self.bits or self.shares or any(self.integers.values()))


class Stock:
    """A queue of shares of one kind; what is taken is gone."""

    __slots__ = ("_vectors", "count")

    def __init__(self) -> None:
        self._vectors: deque[Vector] = deque()
        self.count = 0

    def put(self, vector: Vector) -> None:
        """Add shares at the end."""
        if len(vector):
            self._vectors.append(vector)
            self.count += len(vector)

    def take(self, count: int) -> Vector:
        """The oldest `count` shares, shape (count, 4). Raises IndexError when there are fewer."""
        if not 0 <= count <= self.count:
            raise IndexError(f"{count} items were asked of a stock of {self.count}")
        self.count -= count
        parts: list[Vector] = [np.empty((0, 4), dtype=np.uint64)]
        while count:
            vector = self._vectors.popleft()
            if len(vector) > count:
                self._vectors.appendleft(vector[count:])
                vector = vector[:count]
            parts.append(vector)
            count -= len(vector)
        return parts[1] if len(parts) == 2 else np.concatenate(parts)


class Preprocessing:
    """The stocks of random bits, of random integers by width, and of random field elements, all as shares."""

    __slots__ = ("bits", "integers", "shares")

    def __init__(self) -> None:
        self.bits = Stock()
        self.integers: dict[int, Stock] = {}
        self.shares = Stock()

    @property
    def stock(self) -> Plan:
        """How much is left of everything."""
        widths = {width: stock.count for width, stock in self.integers.items()}
        return Plan(self.bits.count, widths, self.shares.count)
