"""Clear values as text, the way `print` and f-strings write them."""

from __future__ import annotations

from typing import Any, Final

from .limits import MAX_NESTING, Fault

MAX_SHOWN_CHARACTERS: Final = 1 << 14
"""The longest text that one value is shown as."""


def show(value: Any) -> str:
    """A clear value as `print` writes it; raises Fault when it is too long or too deep."""
    parts: list[str] = []
    _show(value, MAX_NESTING, parts)
    text = "".join(parts)
    if len(text) > MAX_SHOWN_CHARACTERS:
        raise Fault(f"a value is longer than {MAX_SHOWN_CHARACTERS} characters; print a part of it")
    return text


def _show(value: Any, depth: int, parts: list[str]) -> None:
    if len(parts) > MAX_SHOWN_CHARACTERS or depth == 0:
        raise Fault(f"a list is longer than {MAX_SHOWN_CHARACTERS} or too deep to print; print a part of it")
    if isinstance(value, list):
        parts.append("[")
        for index, item in enumerate(value):
            parts.append(", " if index else "")
            _show(item, depth - 1, parts)
        parts.append("]")
    elif isinstance(value, dict):
        parts.append("{")
        for index, (key, item) in enumerate(value.items()):
            parts.append(", " if index else "")
            _show(key, depth - 1, parts)
            parts.append(": ")
            _show(item, depth - 1, parts)
        parts.append("}")
    else:
        parts.append(f"0x{value.hex()}" if isinstance(value, bytes) else str(value))
