"""A party's stock of preprocessed shares: counted by kind, and handed out once.

An item is one random value, or a few that belong together (a triple, a bit in two fields): `columns` arrays with
one entry an item each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector

Column: TypeAlias = NDArray[Any]
"""An array whose first axis counts items: shares of shape (count, limbs), or bytes of shape (count,)."""


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A kind of preprocessed item: its name, and the width in bits of a bounded integer (0 for all others)."""

    name: str
    width: int = 0


BIT: Final = Item("bit")
"""A share of a uniform bit."""
SHARE: Final = Item("share")
"""A share of a uniform field element that nobody knows."""
TRIPLE: Final = Item("triple")
"""Shares of a, b and ab, for uniform a and b: three columns."""
DOUBLE: Final = Item("double")
"""Shares of one uniform value at degrees t and 2t: two columns."""
DUAL_BIT: Final = Item("dual_bit")
"""Shares of a uniform bit in the prime field and over GF(2^8): two columns."""
BYTE: Final = Item("byte")
"""A share of a uniform element of GF(2^8)."""
BYTE_BIT: Final = Item("byte_bit")
"""A share over GF(2^8) of a uniform bit."""


def integer(width: int) -> Item:
    """A share of a random integer that hides like a uniform one of `width` bits. ValueError for less than one."""
    if width < 1:
        raise ValueError("a bounded integer has at least one bit")
    return Item("integer", width)


def dual_integer(width: int) -> Item:
    """A random integer that hides like a uniform one of `width` bits, shared in both fields.

    Two columns: shares in the prime field; and over GF(2^8), of shape (count, width), shares of its bits modulo
    2^width. ValueError for less than one bit.
    """
    if width < 1:
        raise ValueError("a bounded integer has at least one bit")
    return Item("dual_integer", width)


def exact_integer(width: int) -> Item:
    """A random integer below 2^width that is shared in both fields with all its bits.

    Columns as those of `dual_integer`. It hides like a uniform one of width - c bits, where c bits hold t.
    """
    if width < 1:
        raise ValueError("a bounded integer has at least one bit")
    return Item("exact_integer", width)


class Plan(Mapping[Item, int]):
    """How many items of each kind a program needs; kinds with no items are left out. Plans add.

    Raises ValueError for a negative count, and for integers of less than one bit.
    """

    __slots__ = ("_counts",)

    def __init__(
        self,
        counts: Mapping[Item, int] | None = None,
        *,
        bits: int = 0,
        integers: Mapping[int, int] | None = None,
        shares: int = 0,
        triples: int = 0,
    ) -> None:
        named = {BIT: bits, SHARE: shares, TRIPLE: triples}
        named |= {integer(width): count for width, count in (integers or {}).items()}
        for item, count in (counts or {}).items():
            named[item] = named.get(item, 0) + count
        if min(named.values()) < 0:
            raise ValueError("a plan has no negative counts")
        self._counts = {item: named[item] for item in sorted(named) if named[item]}

    def __getitem__(self, item: Item) -> int:
        """How many items of a kind; 0 for what is not in the plan."""
        return self._counts.get(item, 0)

    def __contains__(self, item: object) -> bool:
        return item in self._counts

    def __iter__(self) -> Iterator[Item]:
        return iter(self._counts)

    def __len__(self) -> int:
        return len(self._counts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self._counts == other._counts

    def __hash__(self) -> int:
        return hash(tuple(self._counts.items()))

    def __repr__(self) -> str:
        names = (f"{item.name}{item.width or ''}={count}" for item, count in self._counts.items())
        return f"Plan({', '.join(names)})"

    def __add__(self, other: Plan) -> Plan:
        return Plan({item: self[item] + other[item] for item in {*self, *other}})

    def times(self, factor: int) -> Plan:
        """The plan of `factor` repetitions."""
        return Plan({item: count * factor for item, count in self._counts.items()})

    def missing_from(self, stock: Plan) -> Plan:
        """What this plan asks for beyond `stock`."""
        return Plan({item: max(0, count - stock[item]) for item, count in self._counts.items()})

    @property
    def bits(self) -> int:
        """How many random bits."""
        return self[BIT]

    @property
    def shares(self) -> int:
        """How many random field elements."""
        return self[SHARE]

    @property
    def triples(self) -> int:
        """How many Beaver triples."""
        return self[TRIPLE]

    @property
    def integers(self) -> Mapping[int, int]:
        """How many bounded integers, by width."""
        return self.widths("integer")

    def widths(self, name: str) -> Mapping[int, int]:
        """How many items of one name, by width."""
        return {item.width: count for item, count in self._counts.items() if item.name == name}

    @property
    def total(self) -> int:
        """How many items of all kinds."""
        return sum(self._counts.values())

    @property
    def is_empty(self) -> bool:
        """Whether it asks for nothing."""
        return not self._counts


class Stock:
    """A queue of items of one kind; what is taken is gone."""

    __slots__ = ("_parts", "count")

    def __init__(self) -> None:
        self._parts: deque[tuple[Column, ...]] = deque()
        self.count = 0

    def put(self, *columns: Column) -> None:
        """Add items at the end, given by their columns. Raises ValueError for columns of unequal lengths."""
        count = len(columns[0])
        if any(len(column) != count for column in columns):
            raise ValueError("the columns of items must have one length")
        if count:
            self._parts.append(columns)
            self.count += count

    def take(self, count: int) -> tuple[Column, ...]:
        """The columns of the oldest `count` items, at least one. Raises IndexError when there are fewer."""
        if not 1 <= count <= self.count:
            raise IndexError(f"{count} items were asked of a stock of {self.count}")
        self.count -= count
        parts: list[tuple[Column, ...]] = []
        while count:
            columns = self._parts.popleft()
            if len(columns[0]) > count:
                self._parts.appendleft(tuple(column[count:] for column in columns))
                columns = tuple(column[:count] for column in columns)
            parts.append(columns)
            count -= len(columns[0])
        if len(parts) == 1:
            return parts[0]
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


class Preprocessing:
    """The stocks of all kinds of items."""

    __slots__ = ("_limbs", "_stocks")

    def __init__(self, limbs: int = 4) -> None:
        self._limbs = limbs
        self._stocks: dict[Item, Stock] = {}

    def put(self, item: Item, *columns: Column) -> None:
        """Add items of one kind, given by their columns."""
        self._stocks.setdefault(item, Stock()).put(*columns)

    def take(self, item: Item, count: int) -> Vector:
        """The oldest `count` shares of an item of one column. Raises IndexError when there are fewer."""
        if count == 0:
            return np.empty((0, self._limbs), dtype=np.uint64)
        (column,) = self.take_columns(item, count)
        return column

    def take_columns(self, item: Item, count: int) -> tuple[Column, ...]:
        """The columns of the oldest `count` >= 1 items. Raises IndexError when there are fewer."""
        return self._stocks.setdefault(item, Stock()).take(count)

    @property
    def stock(self) -> Plan:
        """How much is left of everything."""
        return Plan({item: stock.count for item, stock in self._stocks.items()})
