"""Closures: a function of the program with values that it remembers."""

from __future__ import annotations

from typing import Any


class Closure:
    """The number of a function and the clear values that it captured, by name; calls share and may change them."""

    __slots__ = ("captured", "function")

    def __init__(self, function: int, captured: dict[str, Any]) -> None:
        self.function = function
        self.captured = captured

    def __str__(self) -> str:
        return "<closure>"

    __repr__ = __str__
