"""Which kernel set runs, and its compilation: lazy, cached on disk, checked against known answers.

A field has a base set, which handles one element at a time. Vectors of eight or more elements have the set of
vector lanes where the CPU has the instructions. The environment variable QUORATE_KERNELS may be `portable` or
`ifma`; without it, the CPU decides.

numba caches machine code beside the sources, or in the user's cache folder when that is not writable. Its index is
keyed by CPU, but notices changes only in the file of a kernel itself, and two processes that add different entries
to one index may mix them up. So each kernel carries a digest in its name, of the sources, the versions and the CPU:
one index file then has one entry, and a race between processes writes the same thing twice.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Final

import numpy as np

from quorate.protocol.errors import QuorateProtocolError

from .constants import (
    DIMENSIONS,
    IFMA,
    IFMA_WORD,
    LANE_BITS,
    LANE_SETS,
    LANES,
    PORTABLE,
    Words,
    factor_shift,
    lane_limbs_of,
)
from .known_answers import is_right

OVERRIDE: Final = "QUORATE_KERNELS"

_SIGNATURES: Final = {
    "add": "void({table}, {v}, {v}, {v})",
    "subtract": "void({table}, {v}, {v}, {v})",
    "subtract_from": "void({table}, {v}, {v}, {v})",
    "add_constant": "void({table}, {v}, {v}, {v})",
    "address": "uintp({v})",
    "total": "void({table}, {v}, {v})",
    "prefix_products": "void({table}, {v}, {v})",
    "inverses": "void({table}, {v}, {v}, {v}, {v})",
    "copy_checked": "int64({table}, {read}, {v})",
    "multiply": "void({table}, {v}, {v}, {v})",
    "scale": "void({table}, {v}, {v}, {v})",
    "dot": "void({table}, {v}, {v}, {v})",
    "from_random": "void({table}, {read}, {v})",
    "weighted_sums": "void({table}, int64[:, ::1], int64[::1], uintp[::1], {v}, {stack})",
    "multiply_and_share": "void({table}, {v}, {v}, int64[:, ::1], uintp[::1], {v}, {stack})",
    "matrix": "void({table}, {v}, uintp[::1], {v}, {stack})",
}
_WITH_LANES: Final = {
    IFMA: frozenset({"multiply", "scale", "dot", "from_random", "weighted_sums", "multiply_and_share", "matrix"}),
    IFMA_WORD: frozenset({"multiply", "scale", "dot", "weighted_sums", "multiply_and_share", "matrix"}),
}
"""What gains from vector lanes: the rest is bounded by memory, or goes from row to row."""
_SOURCES: Final = ("constants", "kernels", "lanes", "operations", "scalar", "words")


class KernelFault(QuorateProtocolError):
    """The vector kernels cannot run here, or compute wrong results; the environment is at fault."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"field kernels: {reason}")
        self.reason = reason


def factor_table(factors: Words, kernels: str, *, modulus: int) -> Words:
    """Elements as the table that `matrix` of a kernel set takes: the same rows, or the limbs of factors in lanes."""
    count, shift = lane_limbs_of(kernels), factor_shift(modulus)
    if not count:
        return factors
    limbs = np.empty((factors.shape[0], count), dtype=np.uint64)
    mask = np.uint64((1 << LANE_BITS) - 1)
    words = factors.T
    limbs[:, 0] = (words[0] << np.uint64(shift)) & mask
    for position in range(1, count):
        word, offset = divmod(position * LANE_BITS - shift, 64)
        limb = words[word] >> np.uint64(offset)
        if offset > 64 - LANE_BITS:
            limb |= words[word + 1] << np.uint64(64 - offset)
        limbs[:, position] = limb & mask
    return limbs


@lru_cache(maxsize=1)
def preferred() -> str:
    """The kernel set for long vectors; raises KernelFault when QUORATE_KERNELS asks for what is not there."""
    choice = os.environ.get(OVERRIDE, "")
    if choice not in ("", PORTABLE, IFMA):
        raise KernelFault(f"{OVERRIDE}={choice} is unknown: use {PORTABLE} or {IFMA}, or unset it")
    if choice == PORTABLE:
        return PORTABLE
    available = has_ifma()
    if choice == IFMA and not available:
        raise KernelFault(f"{OVERRIDE}={IFMA}, but this CPU has no AVX-512-IFMA: unset {OVERRIDE}")
    return IFMA if available else PORTABLE


def choose(name: str, count: int, base: str) -> str:
    """The kernel set for a kernel on `count` elements of a field with that base set: lanes need eight at least."""
    return base if count < LANES else with_lanes(name, base)


def with_lanes(name: str, base: str) -> str:
    """The kernel set for a kernel on long vectors of a field with that base set."""
    return LANE_SETS[base] if name in _WITH_LANES[LANE_SETS[base]] and preferred() == IFMA else base


def kernels_in_use(base: str = PORTABLE) -> list[tuple[str, str]]:
    """All kernels (name, set) that fields with that base set can run under the present choice."""
    own = [(name, PORTABLE if name == "address" else base) for name in _SIGNATURES]
    lanes = [(name, with_lanes(name, base)) for name in _SIGNATURES]
    return own + [(name, kernels) for name, kernels in lanes if kernels != base]


def _target() -> tuple[str, str, str]:
    """The triple, name and features of the CPU that numba compiles for, which its own settings may restrict."""
    import numba.core.registry

    registry: Any = numba.core.registry
    triple, name, features = registry.cpu_target.target_context.codegen().magic_tuple()
    return str(triple), str(name), str(features)


def has_ifma() -> bool:
    """Whether the CPU, as numba sees it, has AVX-512-IFMA."""
    features = _target()[2].split(",")
    return all(f"+{feature}" in features for feature in ("avx512f", "avx512ifma"))


@lru_cache(maxsize=1)
def _digest() -> str:
    """A short digest of all that the machine code of the kernels depends on."""
    import llvmlite
    import numba

    total = hashlib.sha256(repr((numba.__version__, llvmlite.__version__, _target())).encode())
    for name in _SOURCES:
        total.update(Path(__file__).with_name(f"{name}.py").read_bytes())
    return total.hexdigest()[:16]


@lru_cache(maxsize=len(DIMENSIONS) * len(_SIGNATURES))
def kernel(name: str, kernels: str) -> Callable[..., Any]:
    """The kernel `name` of a kernel set: at the first call compiled or read from the cache, and checked.

    Raises KernelFault when it does not give the known answers.
    """
    compiled = _load(name, kernels)
    if not is_right(name, kernels, compiled, factor_table=factor_table):
        raise KernelFault(
            f"{name} ({kernels}) gives wrong results on this machine: delete numba's cache, "
            f"or set {OVERRIDE}={PORTABLE} if only {IFMA} fails"
        )
    return compiled


def _load(name: str, kernels: str) -> Callable[..., Any]:
    module = import_module(".kernels", __package__)
    read_only = "Array(uint64, 2, 'C', readonly=True)"
    table = f"uint64[{':, ' * (DIMENSIONS[kernels] - 1)}::1]"
    types = {"table": table, "v": "uint64[:, ::1]", "stack": "uint64[:, :, ::1]", "read": read_only}
    signature = _SIGNATURES[name].format(**types)
    source = getattr(module, name)
    function = FunctionType(source.__code__, source.__globals__, name)
    function.__qualname__ = f"{name}_{kernels}_{_digest()}"
    try:
        return _compiled(signature, function, cache=True)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return _compiled(signature, function, cache=False)  # no folder is writable


def _compiled(signature: str, function: Callable[..., Any], *, cache: bool) -> Callable[..., Any]:
    import numba

    njit: Any = numba.njit
    compiled: Callable[..., Any] = njit([signature], nogil=True, cache=cache)(function)
    return compiled
