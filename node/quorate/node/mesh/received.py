"""What gossip delivers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Received:
    """One gossiped message: its topic, the peer id that signed it, and its bytes."""

    topic: str
    author: str
    data: bytes


Validator = Callable[[Received], bool]
"""Says whether a message may be delivered and forwarded; quick, pure, and never raises on purpose."""
