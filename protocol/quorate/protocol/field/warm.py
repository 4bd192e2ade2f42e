"""Compile every kernel before it is needed: seconds at the first start of a machine, a moment from the cache."""

from __future__ import annotations

from collections.abc import Callable

from .dispatch import kernel, kernels_in_use


def warm(progress: Callable[[int, int, str], None]) -> None:
    """Load or compile every kernel that this CPU uses; reports (done, total, name) after each of them."""
    work = kernels_in_use()
    for done, (name, kernels) in enumerate(work, start=1):
        kernel(name, kernels)
        progress(done, len(work), f"{kernels} {name}")
