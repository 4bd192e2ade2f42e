"""The engines: one program runs in the clear, as a dry run that counts, or as a multi-party computation."""

from __future__ import annotations

from .clear import ClearEngine
from .counting import CountingEngine, Counts
from .mpc import MpcEngine

__all__ = ["ClearEngine", "CountingEngine", "Counts", "MpcEngine"]
