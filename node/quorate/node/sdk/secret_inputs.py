"""What a client may give: numbers, sequences of them, NumPy arrays, pandas frames; all become exact numbers.

Nested values are read row by row. A float stands for the binary fraction that it is; where the program reads a
fixed-point number, the nearest multiple of 2^-16 is shared. pandas is not needed: whatever has `to_numpy` is read by
it. No error quotes a value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import numpy as np

from quorate.node.errors import UsageError
from quorate.node.project.values import MAX_VALUES, Number

MAX_NESTING: Final = 8
"""How deep sequences may be nested."""

InputValues = (
    Any  # a number, a sequence, an array or a frame: pandas is no dependency, so its types cannot be named
)


def secret_numbers(values: InputValues) -> tuple[Number, ...]:
    """The numbers in `values`, row by row; raises UsageError for anything else, and for too many."""
    numbers: list[Number] = []
    for number in _flat(values, MAX_NESTING):
        numbers.append(number)
        if len(numbers) > MAX_VALUES:
            raise UsageError("a client gives too many values", why=f"the most is {MAX_VALUES}", todo="give fewer")
    return tuple(numbers)


def _flat(values: Any, depth: int) -> Iterator[Number]:  # Any: see InputValues
    if isinstance(values, np.generic):
        yield _number(values.item())
    elif isinstance(values, np.ndarray):
        yield from _array(values)
    elif callable(getattr(values, "to_numpy", None)):
        yield from _array(np.asarray(values.to_numpy()))
    elif isinstance(values, Sequence) and not isinstance(values, str | bytes | bytearray):
        if depth == 0:
            raise UsageError("an input is nested too deep", why=f"the most is {MAX_NESTING}", todo="flatten it")
        for item in values:
            yield from _flat(item, depth - 1)
    else:
        yield _number(values)


def _array(array: np.ndarray[Any, Any]) -> Iterator[Number]:  # Any: every shape and type; checked below
    if array.dtype.kind not in "biufO":
        raise UsageError(
            f"an array of {array.dtype} is no input",
            why="inputs are integers, bools and finite floats",
            todo="convert it first",
        )
    if array.size > MAX_VALUES:
        raise UsageError("a client gives too many values", why=f"the most is {MAX_VALUES}", todo="give fewer")
    for item in array.ravel(order="C").tolist():
        yield _number(item)


def _number(value: object) -> Number:
    """An integer as a Fraction too, so that it is the number itself where a fixed-point number is wanted."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | Fraction):
        return Fraction(value)
    if isinstance(value, float) and math.isfinite(value):
        return Fraction(value)
    if isinstance(value, Decimal) and value.is_finite():
        return Fraction(value)
    raise UsageError(
        f"an input of type {type(value).__name__} is no number",
        why="inputs are integers, bools, fractions and finite floats",
        todo="convert it first",
    )
