"""Quicksort with opened comparisons, after a shuffle.

[Hamada, Kikuchi, Ikarashi, Chida, Takahashi, Practically Efficient Multi-Party Sorting Protocols from Comparison
Sort Algorithms, ICISC 2012, section 4.] Once rows are in a uniform order that nobody knows, and their keys are
distinct, the results of comparisons depend on that order only, and may be opened. Keys are made distinct by
appending the number of the row before the shuffle, which also makes the sort stable. All segments of one level
are compared with their pivots in one batch; a segment of few rows is sorted by comparing all its pairs.

All that led to a comparison is verified before it is opened. Adversary: that of the shuffle and of the scheme.
"""

from __future__ import annotations

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import less_than
from quorate.protocol.mpc.operations import reveal
from quorate.protocol.mpc.party import Party, Protocol

from .columns import Places

_ALL_PAIRS: Final = 6
"""Segments of at most this many rows are sorted by all their pairs, in one level."""

Outcomes: TypeAlias = NDArray[np.bool_]


def opened_order(party: Party, keys: Vector, *, bits: int) -> Protocol[Places]:
    """The public order of distinct keys of `bits` bits that are in a uniform order: row `order[i]` is i-th."""
    segments: list[Places] = [np.arange(len(keys), dtype=np.intp)]
    while any(len(segment) > 1 for segment in segments):
        pairs = [_pairs(segment) for segment in segments]
        left = np.concatenate([pair[0] for pair in pairs])
        right = np.concatenate([pair[1] for pair in pairs])
        outcomes = yield from _opened_comparisons(party, keys[left], keys[right], bits=bits)
        following: list[Places] = []
        start = 0
        for segment, (lefts, _) in zip(segments, pairs, strict=True):
            following += _split(segment, outcomes[start : start + len(lefts)])
            start += len(lefts)
        segments = [segment for segment in following if len(segment)]
    return np.concatenate(segments) if segments else np.arange(0, dtype=np.intp)


def _opened_comparisons(party: Party, x: Vector, y: Vector, *, bits: int) -> Protocol[Outcomes]:
    """[x < y], opened: safe only for distinct keys in a uniform order."""
    opened = yield from reveal(party, (yield from less_than(party, x, y, bits=bits)))
    return ~party.field.is_zero(opened)


def _pairs(segment: Places) -> tuple[Places, Places]:
    """What to compare of one segment: all its pairs, or all its rows but the first with the first."""
    if len(segment) <= _ALL_PAIRS:
        first, second = np.triu_indices(len(segment), k=1)
        return segment[first], segment[second]
    return segment[1:], np.repeat(segment[:1], len(segment) - 1)


def _split(segment: Places, outcomes: Outcomes) -> list[Places]:
    if len(segment) > _ALL_PAIRS:
        rest = segment[1:]
        return [rest[outcomes], segment[:1], rest[~outcomes]]
    first, second = np.triu_indices(len(segment), k=1)
    smaller = np.bincount(second[outcomes], minlength=len(segment))
    smaller += np.bincount(first[~outcomes], minlength=len(segment))
    ordered = np.empty_like(segment)
    ordered[smaller] = segment
    return [ordered[place : place + 1] for place in range(len(ordered))]
