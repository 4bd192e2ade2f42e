"""The functions behind NATIVE and NATIVE_SECRET, by number.

The numbers are part of the bytecode format and never change meaning: another order is another version of the format
(`binary.VERSION`).
"""

from __future__ import annotations

from typing import Final

from .collections import COLLECTIONS
from .crypto import CRYPTO
from .elements import ELEMENTS
from .native import Native
from .session import SESSION
from .texts import TEXTS

NATIVES: Final[tuple[Native, ...]] = (*COLLECTIONS, *TEXTS, *ELEMENTS, *CRYPTO, *SESSION)
"""Every native; an instruction names one by its place here."""

NUMBERS: Final = {native.name: number for number, native in enumerate(NATIVES)}
"""The number of each native by its name."""

__all__ = ["NATIVES", "NUMBERS", "Native"]
