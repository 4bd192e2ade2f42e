"""Compilation of the kernels of proofs: lazy, cached on disk, as `quorate.protocol.field.dispatch` does it.

Each kernel carries a digest of all it depends on in its name, and `known_answers` checks it once a process, before
its first use. Transforms run in vector lanes where the CPU has them, under the same override QUORATE_KERNELS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import FunctionType
from typing import Any, Final

from quorate.protocol.field import constants as field_constants
from quorate.protocol.field.constants import DIMENSIONS, PORTABLE
from quorate.protocol.field.dispatch import KernelFault, with_lanes

G1: Final = "G1"
G2: Final = "G2"

_VECTORS: Final = {
    "evaluate": "void({table}, uint64[:, ::1], int64, int64, uint64[:, ::1])",
    "interpolate": "void({table}, uint64[:, ::1], int64, int64, uint64[:, ::1])",
    "add_at": "void({table}, int64[::1], uint64[:, ::1], uint64[:, ::1])",
}
_POINTS: Final = {
    "multi_scalar": "void({table}, {p}, int32[:, ::1], int64, {p}, {p}, {p})",
    "multiples": "void({table}, {p}, uint64[:, ::1], int64, {p}, {p})",
    "table_sums": "void({table}, {p}, uint8[:, ::1], {p}, {p})",
}
_DIMENSIONS: Final = {G1: 3, G2: 4}
_FIELD_SOURCES: Final = ("constants", "lanes", "operations", "scalar", "words")
_OWN_SOURCES: Final = ("kernels", "operations")


@lru_cache(maxsize=1)
def _digest() -> str:
    """A short digest of all that the machine code depends on."""
    import llvmlite
    import numba
    import numba.core.registry

    registry: Any = numba.core.registry
    target = registry.cpu_target.target_context.codegen().magic_tuple()
    total = hashlib.sha256(repr((numba.__version__, llvmlite.__version__, target)).encode())
    field = Path(field_constants.__file__)
    for path in [field.with_name(f"{name}.py") for name in _FIELD_SOURCES]:
        total.update(path.read_bytes())
    for path in [Path(__file__).with_name(f"{name}.py") for name in _OWN_SOURCES]:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]


@lru_cache(maxsize=32)
def vector_kernel(name: str, kernels: str) -> Callable[..., Any]:
    """A loop over vectors in a kernel set; raises KernelFault when it does not give the known answers."""
    table = f"uint64[{':, ' * (DIMENSIONS[kernels] - 1)}::1]"
    return _checked(name, kernels, _VECTORS[name].format(table=table))


@lru_cache(maxsize=32)
def point_kernel(name: str, group: str) -> Callable[..., Any]:
    """A loop over points of G1 or G2; raises KernelFault when it does not give the known answers."""
    points = f"uint64[{':, ' * (_DIMENSIONS[group] - 1)}::1]"
    return _checked(name, group, _POINTS[name].format(table="uint64[::1]", p=points))


def _checked(name: str, variant: str, signature: str) -> Callable[..., Any]:
    from .known_answers import is_right

    compiled = _load(name, variant, signature)
    if not is_right(name, variant, compiled):
        raise KernelFault(f"{name} ({variant}) gives wrong results on this machine: delete numba's cache")
    return compiled


def kernels_in_use() -> Sequence[tuple[Callable[[str, str], Callable[..., Any]], str, str]]:
    """All kernels that provers can run under the present choice: what loads it, its name and its variant."""
    sets = dict.fromkeys((PORTABLE, with_lanes("multiply", PORTABLE)))
    pairs = [(name, kernels) for kernels in sets for name in ("evaluate", "interpolate")]
    vectors: list[Any] = [(vector_kernel, name, kernels) for name, kernels in [*pairs, ("add_at", PORTABLE)]]
    return vectors + [(point_kernel, name, group) for group in (G1, G2) for name in _POINTS]


def _load(name: str, variant: str, signature: str) -> Callable[..., Any]:
    source = getattr(import_module(".kernels", __package__), name)
    function = FunctionType(source.__code__, source.__globals__, name)
    function.__qualname__ = f"{name}_{variant}_{_digest()}"
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
