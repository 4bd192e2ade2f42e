"""Shamir's sharing (How to Share a Secret, 1979) of vectors of field elements, one polynomial an element.

Any `threshold` shares are independent of the secrets; `threshold + 1` determine them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import PrimeField, Vector

from .points import MAX_PARTIES, PartyId, lagrange_coefficients


class InconsistentShares(ProtocolAbort):
    """Shares do not lie on one polynomial; `suspects` are the parties whose shares are off, empty when unknown.

    A suspect is named only when at least `3 threshold + 1` shares came, so that up to `threshold` wrong ones are
    unique. A share can be wrong because its holder lies, or because another party dealt it a wrong one.
    """

    def __init__(self, suspects: Sequence[PartyId] = ()) -> None:
        self.suspects = tuple(suspects)
        named = ", ".join(str(party) for party in self.suspects)
        detail = f"those of party {named} are off" if named else "too few came to tell whose is off"
        super().__init__(f"the shares do not lie on one polynomial of the agreed degree; {detail}")


def share(
    field: PrimeField,
    secrets: Vector,
    *,
    parties: int,
    threshold: int,
    randomness: Callable[[int], bytes],
) -> list[Vector]:
    """Share each of `secrets`, shape (count, limbs); returns party i's shares at index i - 1.

    `randomness(size)` gives that many uniform bytes. Raises ValueError for a threshold that no committee of
    `parties` can have.
    """
    if not 0 <= threshold < parties <= MAX_PARTIES:
        raise ValueError(f"no threshold {threshold} among {parties} parties")
    count = len(secrets)
    rows = [secrets, *(field.from_random_bytes(randomness(field.random_bytes * count)) for _ in range(threshold))]
    powers = [[point**exponent for exponent in range(threshold + 1)] for point in range(1, parties + 1)]
    return field.matrix(powers, rows)


def check_degree(field: PrimeField, shares: Mapping[PartyId, Vector], *, degree: int) -> bool:
    """Whether the shares, one equally long vector a party, lie on polynomials of degree at most `degree`."""
    points = sorted(shares)
    base = points[: degree + 1]
    rows = [shares[point] for point in base]
    for point in points[degree + 1 :]:
        expected = field.combine(lagrange_coefficients(field.modulus, base, at=point), rows)
        if not np.array_equal(expected, shares[point]):
            return False
    return True
