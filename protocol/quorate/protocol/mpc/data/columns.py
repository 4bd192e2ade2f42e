"""Tables of shares: columns of equal length, permuted and joined row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import PrimeField, Vector

Places: TypeAlias = NDArray[np.intp]
"""Public row numbers, shape (rows,)."""

MAX_ROWS: Final = 1 << 18
"""The most rows of a table that is shuffled, sorted or searched."""
MAX_COLUMNS: Final = 256
"""The most columns that are moved at once."""


def check_columns(columns: Sequence[Vector]) -> int:
    """The number of rows. Raises ValueError for no columns, unequal lengths, or a table beyond the bounds."""
    if not 1 <= len(columns) <= MAX_COLUMNS:
        raise ValueError(f"a table has 1 to {MAX_COLUMNS} columns, not {len(columns)}")
    rows = len(columns[0])
    if any(len(column) != rows for column in columns):
        raise ValueError("the columns of a table must have one length")
    if rows > MAX_ROWS:
        raise ValueError(f"a table has at most {MAX_ROWS} rows, not {rows}")
    return rows


def pack(columns: Sequence[Vector]) -> Vector:
    """The table as an array of shape (rows, columns, limbs)."""
    return np.stack(columns, axis=1)


def unpack(table: Vector) -> list[Vector]:
    """The columns of an array of shape (rows, columns, limbs)."""
    return [np.ascontiguousarray(table[:, place]) for place in range(table.shape[1])]


def scatter(table: Vector, destinations: Places) -> Vector:
    """Row i at place `destinations[i]`."""
    out = np.empty_like(table)
    out[destinations] = table
    return out


def public_places(field: PrimeField, opened: Vector, *, below: int) -> Places:
    """Opened values as a permutation of 0..below-1. Raises ValueError when they are none."""
    try:
        places: Places = field.to_small(opened).astype(np.intp)
    except OverflowError:
        places = np.empty(0, dtype=np.intp)
    seen = np.zeros(below, dtype=np.bool_)
    seen[places[(places >= 0) & (places < below)]] = True
    if len(places) != below or not seen.all():
        raise ValueError(f"what was opened is no permutation of {below} rows")
    return places


def row_numbers(field: PrimeField, rows: int) -> Vector:
    """The public column 0, 1, ..., rows - 1, which is a sharing of itself."""
    return field.from_small(np.arange(rows))
