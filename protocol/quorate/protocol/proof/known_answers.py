"""Each kernel of proofs against Python integers, once per process, before its first use.

A miscompiled kernel would not fail: it would waste a proof, or accept a point that it must refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import Any, Final

import numpy as np

from quorate.protocol.field import BN254
from quorate.protocol.field.constants import constants_of, split

from . import dispatch

_SIZE: Final = 32
_SEED: Final = 0x1F3D5B79


def is_right(name: str, variant: str, compiled: Callable[..., Any]) -> bool:
    """Whether the compiled kernel `name` gives the known answers."""
    if name == "add_at":
        return _adds(compiled, variant)
    check = _transforms if name in ("evaluate", "interpolate") else _points
    return check(name, variant, compiled)


def _numbers(count: int) -> list[int]:
    """Elements, the first ones at the edges."""
    edges = [0, 1, BN254.modulus - 1]
    drawn = accumulate(range(count), lambda value, _: (value * value + _SEED) % BN254.modulus, initial=_SEED)
    return [*edges, *drawn][:count]


def _adds(compiled: Callable[..., Any], kernels: str) -> bool:
    numbers, out = _numbers(4), BN254.zeros(2)
    places = np.array([0, 1, 1, 1], dtype=np.int64)
    compiled(constants_of(BN254.modulus, kernels), places, BN254.vector(numbers), out)
    return BN254.integers(out) == [numbers[0], sum(numbers[1:]) % BN254.modulus]


def _transforms(name: str, kernels: str, compiled: Callable[..., Any]) -> bool:
    """One step of 16 butterflies, the first or the last of a transform of 32, in lanes and one at a time."""
    numbers, half, p = _numbers(_SIZE), _SIZE // 2, BN254.modulus
    factor = numbers[-1]
    x = BN254.vector(numbers)
    compiled(constants_of(p, kernels), BN254.vector([factor]), half, half, x)
    pairs = list(zip(numbers[:half], numbers[half:], strict=True))
    if name == "evaluate":
        expected = [(a + factor * b) % p for a, b in pairs] + [(a - factor * b) % p for a, b in pairs]
    else:
        expected = [(a + b) % p for a, b in pairs] + [(a - b) * factor % p for a, b in pairs]
    return BN254.integers(x) == expected


def _points(name: str, group_name: str, compiled: Callable[..., Any]) -> bool:
    """Small multiples of the generator, so that sums meet equal points, opposite ones and infinity."""
    from .points import G1, G2, TABLE, Affine, pair_add

    group, order, expected = G1 if group_name == dispatch.G1 else G2, BN254.modulus, [0]
    generator, one = group.generator, group.one
    out = np.empty(group.shape(4, 4), dtype=np.uint64)
    if name == "multiples":
        points = np.concatenate([generator] * 3 + [np.zeros_like(generator)])
        scalars = [split(scalar, 64, 4) for scalar in (order, order + 3, 2, 5)]
        compiled(TABLE, points, np.array(scalars, dtype=np.uint64), 256, one, out)
        expected = [0, 3, 2, 0]
    elif name == "table_sums":
        digits = np.array([[1, 1], [2, 1], [0, 2], [0, 0]], dtype=np.uint8)
        compiled(TABLE, np.concatenate([generator] * 4), digits, one, out)
        expected = [2, 2, 1, 0]
    else:
        points = np.concatenate([generator] * 4 + [np.zeros_like(generator)])
        digits = np.array([[1, 1, -2, 2, 1], [1, -1, 2, 0, 2]], dtype=np.int32)
        buckets = np.empty(group.shape(2, 4), dtype=np.uint64)
        compiled(TABLE, points, digits, 2, one, buckets, out)
        expected = [2 + 4 * 2]
    multiples: list[Affine] = [None]
    while len(multiples) <= max(expected):
        multiples.append(pair_add(multiples[-1], group.integers(generator)[0]))
    return group.integers(group.affine(out[: len(expected)])) == [multiples[number] for number in expected]
