"""Where a value may stand, as errors call it."""

from __future__ import annotations

import dataclasses
from typing import Final


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: how an error calls it, and the code if a secret stands where a clear value must."""

    what: str
    code: str
    fix: str = "reveal it with `.reveal()`"


ARGUMENT: Final = Place(
    "this argument", "E0506", "make the parameter secret, or reveal the value with `.reveal()`"
)
ITEM: Final = Place("this item", "E0510", "declare the list as list[secret ...], or reveal the value")
