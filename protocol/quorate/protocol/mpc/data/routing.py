"""A permutation network and how to set its switches: every setting permutes, and every permutation has one.

[Benes 1965; for any number of rows Beauquier, Darrot, Arbitrary Size Waksman Networks, Parallel Processing Letters
2002.] A network of m rows exchanges or keeps each pair of neighbours, sends one of each pair through a network of
m/2 rows and the other through another, and exchanges or keeps the pairs again. An odd last row goes through the
second, larger part. All networks of one depth switch side by side: 2 ceil(log2(m)) - 1 layers, about m log2(m)
switches. The switches are found by walking the cycles that the pairs at both ends make.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .columns import Places

_CACHED_SIZES: Final = 16


@lru_cache(maxsize=_CACHED_SIZES)
def routing_layers(rows: int) -> tuple[tuple[Places, Places], ...]:
    """The switches: in each layer, which places are exchanged with which others."""
    first: list[tuple[Places, Places]] = []
    second: list[tuple[Places, Places]] = []
    networks: list[Places] = [np.arange(rows, dtype=np.intp)]
    while any(len(places) > 1 for places in networks):
        networks = [places for places in networks if len(places) > 1]
        larger = [places for places in networks if len(places) > 2]
        first.append(_pairs(networks))
        if larger:
            second.append(_pairs(larger))
        networks = [part for places in larger for part in _parts(places)]
    return (*first, *reversed(second))


def _pairs(networks: Sequence[Places]) -> tuple[Places, Places]:
    left = [places[: len(places) // 2 * 2 : 2] for places in networks]
    right = [places[1::2] for places in networks]
    return np.concatenate(left), np.concatenate(right)


def _parts(places: Places) -> tuple[Places, Places]:
    """The places of the two networks inside: one of each pair, and an odd last one in the second."""
    paired = len(places) // 2 * 2
    return places[:paired:2], np.concatenate([places[1:paired:2], places[paired:]])


def switches(rows: int) -> int:
    """How many switches a network of so many rows has."""
    return sum(len(left) for left, _ in routing_layers(rows))


def route(destinations: Sequence[int]) -> NDArray[np.bool_]:
    """The setting, layer by layer, that moves row i to `destinations[i]`."""
    first: list[list[int]] = []
    second: list[list[int]] = []
    networks = [list(destinations)]
    while any(len(network) > 1 for network in networks):
        before: list[int] = []
        after: list[int] = []
        inside: list[list[int]] = []
        for network in networks:
            if len(network) == 2:
                before.append(network[0])
            elif len(network) > 2:
                sides, source = _sides(network)
                pairs = range(0, len(network) - 1, 2)
                before += [sides[row] for row in pairs]
                after += [sides[source[place]] for place in pairs]
                inside += _parts_of_route(network, sides)
        first.append(before)
        second.append(after)
        networks = inside
    settings = [*first, *reversed(second)]
    return np.array([bit for layer in settings for bit in layer], dtype=np.bool_)


def _sides(network: Sequence[int]) -> tuple[list[int], list[int]]:
    """Through which part each row goes, and the inverse permutation.

    The rows of a pair, at either end, go through different parts; an odd last one goes through the second. Where
    there is one, the walk from it ends at the row whose place is the odd last one.
    """
    rows = len(network)
    source = [0] * rows
    for row, place in enumerate(network):
        source[place] = row
    unpaired = rows - 1 if rows % 2 else rows
    sides = [-1] * rows
    for start in (rows - 1, *range(rows)):
        row, side = start, int(start == unpaired)
        while sides[row] < 0:
            sides[row] = side
            if network[row] == unpaired:
                break
            partner = source[network[row] ^ 1]
            sides[partner] = 1 - side
            row = partner ^ 1
    return sides, source


def _parts_of_route(network: Sequence[int], sides: Sequence[int]) -> list[list[int]]:
    """The permutations of the two networks inside."""
    pairs = range(0, len(network) - 1, 2)
    upper = [network[row + sides[row]] // 2 for row in pairs]
    lower = [network[row + 1 - sides[row]] // 2 for row in pairs]
    if len(network) % 2:
        lower.append(network[-1] // 2)
    return [upper, lower]
