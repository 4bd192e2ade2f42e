"""Normalisation: secret positive integers brought to one length by a secret power of two.

[Catrina, de Hoogh, Improved Primitives for Secure Multiparty Integer Computation, SCN 2010, section 5: suffix or
and normalisation.] The bits of x tell at which place its leading one is, without telling anybody: mark i is the or
of bit i and all above it, and what depends on the length alone is a sum of the marks with public weights.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.mpc.operations import multiply
from quorate.protocol.mpc.party import Party, Protocol


def suffix_or(party: Party, rows: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The or of row i and all rows after it, for each i: ceil(log2(rows)) rounds [Sklansky 1960]."""
    limbs = party.field.limbs
    places, count = len(rows), len(rows[0])
    table = np.stack(rows[::-1])  # from the highest bit down, so that suffixes are prefixes
    span = 1
    while span < places:
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = np.array([place for place in range(places) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        left, right = table[upper].reshape(-1, limbs), table[lower].reshape(-1, limbs)
        both = yield from multiply(party, left, right)
        table[upper] = party.field.combine([1, 1, -1], [left, right, both]).reshape(-1, count, limbs)
        span *= 2
    return list(table[::-1])


def leading_weight(party: Party, marks: Sequence[Vector], weights: Sequence[int], *, otherwise: int) -> Vector:
    """weights[i] for values whose leading one is at place i, `otherwise` for zero; without communication."""
    steps = [weight - below for below, weight in zip([otherwise, *weights], weights, strict=False)]
    return party.field.add_constant(party.field.combine(steps, marks), otherwise)
