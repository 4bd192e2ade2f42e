"""Compile every kernel before it is needed: seconds at the first start of a machine, a moment from the cache."""

from __future__ import annotations

from collections.abc import Callable

from .dispatch import IFMA, KERNELS, PORTABLE, kernel, preferred


def warm(progress: Callable[[int, int, str], None]) -> None:
    """Load or compile the kernels that this CPU uses; reports (done, total, name) after each of them."""
    sets = [PORTABLE] if preferred() == PORTABLE else [PORTABLE, IFMA]
    work = [(name, kernels) for kernels in sets for name in KERNELS]
    for done, (name, kernels) in enumerate(work, start=1):
        kernel(name, kernels)
        progress(done, len(work), f"{kernels} {name}")
