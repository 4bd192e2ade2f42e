"""Compile every kernel of provers before it is needed: many seconds at the first start, a moment from the cache."""

from __future__ import annotations

from collections.abc import Callable

from .dispatch import kernels_in_use


def warm(progress: Callable[[int, int, str], None]) -> None:
    """Load or compile every kernel of provers and verifiers; reports (done, total, name) after each of them."""
    work = kernels_in_use()
    for done, (load, name, variant) in enumerate(work, start=1):
        load(name, variant)
        progress(done, len(work), f"{variant} {name}")
