"""Preprocessed items on their way to the next committee: what is in stock need not be made again.

Bits, bounded integers, random elements and triples are values in the prime field, shared at degree t: they are
handed over as secrets are, all in one handover, with its rounds and its verification. Double sharings are not (one of
their columns has degree 2t), nor are items with a column over GF(2^8); the new committee makes those itself. An item
must be handed over once and by no party used afterwards: a pool takes it out first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import BIT, SHARE, TRIPLE, Column, Item, Plan, integer

from .handover import Handover, reshare

_COLUMNS: Final = {BIT.name: 1, SHARE.name: 1, TRIPLE.name: 3, integer(1).name: 1}
"""How many columns the items have that can be handed over."""


def reshare_items(
    party: Party,
    handover: Handover,
    *,
    plan: Plan,
    items: Mapping[Item, tuple[Column, ...]] | None,
    checks: Vector | None,
) -> Protocol[dict[Item, tuple[Vector, ...]] | None]:
    """Hand over the items of `plan`; returns this member's columns in the new committee, None if it is not in it.

    `items` are an old member's columns, `checks` its shares as in `reshare`, whose errors this raises too. Raises
    ValueError for kinds that cannot be handed over, and for columns that are not those of the plan.
    """
    if unknown := sorted({item.name for item in plan} - _COLUMNS.keys()):
        raise ValueError(f"items of kind {', '.join(unknown)} cannot be handed over; the new committee makes them")
    counts = [plan[item] for item in plan for _ in range(_COLUMNS[item.name])]
    shares = None
    if items is not None:
        columns = [column for item in plan for column in items.get(item, ())]
        if [len(column) for column in columns] != counts:
            raise ValueError("the columns are not those of the plan")
        shares = np.concatenate([party.field.zeros(0), *columns])
    fresh = yield from reshare(party, handover, count=sum(counts), shares=shares, checks=checks)
    if fresh is None:
        return None
    pieces = iter(np.split(fresh, np.cumsum(counts)[:-1]))
    return {item: tuple(next(pieces) for _ in range(_COLUMNS[item.name])) for item in plan}
