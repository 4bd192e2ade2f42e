"""Compile every kernel before it is needed: seconds at the first start of a machine, a moment from the cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .dispatch import kernel, kernels_in_use
from .named import BN254
from .prime import PrimeField


def warm(progress: Callable[[int, int, str], None], fields: Sequence[PrimeField] = (BN254,)) -> None:
    """Load or compile every kernel that fields use on this CPU; reports (done, total, name) after each of them."""
    work = list(dict.fromkeys(key for field in fields for key in kernels_in_use(field.kernel_set)))
    for done, (name, kernels) in enumerate(work, start=1):
        kernel(name, kernels)
        progress(done, len(work), f"{kernels} {name}")
