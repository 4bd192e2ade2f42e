"""What a way of shuffling offers: uniform orders that nobody knows, forwards and backwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.party import Party, Protocol

from .columns import Places


class Shuffle(ABC):
    """One secret order of a table's rows, for use there and back.

    Open what was permuted by it once only: two permutations opened in one order tell how they differ.
    """

    __slots__ = ()

    @abstractmethod
    def permute(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """The rows in this order, freshly shared."""

    @abstractmethod
    def permute_back(self, party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
        """The inverse of `permute`."""


class Shuffles(ABC):
    """A source of secret orders."""

    __slots__ = ()

    @abstractmethod
    def draw(self, party: Party, rows: int) -> Protocol[Shuffle]:
        """A fresh uniform order of `rows` rows."""


def random_order(read: Callable[[int], bytes], rows: int) -> Places:
    """A uniform permutation: the order of random words, drawn again in the rare case that two are equal."""
    while True:
        words = np.frombuffer(read(8 * rows), dtype="<u8")
        order = np.argsort(words)
        ordered = words[order]
        if not np.any(ordered[1:] == ordered[:-1]):
            return order
