"""A holder for secret bytes that does not give them away by accident."""

from __future__ import annotations

import hmac
from typing import Final, NoReturn, SupportsIndex

HIDDEN: Final = "<secret>"
"""What a secret shows of itself in repr, str, formatting and logs."""


class Secret:
    """Secret bytes: hidden in repr and str, not picklable, compared in constant time; `reveal()` is the way out.

    Python cannot wipe immutable bytes, so a secret lives until it is collected; this class guards against logs,
    tracebacks and pickles, not against a debugger on the same machine.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def reveal(self) -> bytes:
        """The secret bytes; call it at the point of use and keep no copy."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value, other._value)

    __hash__ = None  # type: ignore[assignment]  # a secret is no dictionary key: hashes leak equality

    def __repr__(self) -> str:
        return HIDDEN

    def __format__(self, specification: str) -> str:
        return HIDDEN

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")
