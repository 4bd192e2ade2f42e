"""What every measured operation is made of: inputs that everybody knows, and checks of what comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import Vector
from quorate.protocol.mpc import Party, Protocol, open_shares, verify
from quorate.protocol.mpc.seeds import Stream

CHECKED: Final = 64
"""How many results are opened and compared, from both ends of a batch."""
_PIECE: Final = 1 << 17


@dataclass(frozen=True, slots=True)
class Case:
    """What one party runs: `run` is measured; `check` opens its result and says whether it is right."""

    run: Callable[[], Protocol[Any]]  # Any: each operation has its own result, which only its check reads
    check: Callable[[Any], Protocol[bool]]


@dataclass(frozen=True, slots=True)
class Workbench:
    """One party, and inputs whose values everybody knows, so that results can be checked."""

    party: Party

    def values(self, count: int) -> NDArray[np.int64]:
        """The integers 7 i - 50."""
        return np.arange(count, dtype=np.int64) * 7 - 50

    def shares(self, values: NDArray[np.int64]) -> Vector:
        """This party's shares of public values, from polynomials that every party derives alike."""
        party, field = self.party, self.party.field
        streams = [Stream(bytes([degree] * 16)) for degree in range(1, party.threshold + 1)]
        powers = [party.identity**degree for degree in range(party.threshold + 1)]
        result = field.zeros(len(values))
        for start in range(0, len(values), _PIECE):
            part = values[start : start + _PIECE]
            rows = [field.from_small(part), *(stream.elements(field, len(part)) for stream in streams)]
            result[start : start + _PIECE] = field.combine(powers, rows)
        return result

    def verified(self, protocol: Protocol[Vector]) -> Protocol[Vector]:
        """The result of a protocol, verified."""
        result = yield from protocol
        yield from verify(self.party)
        return result

    def opens_to(self, shares: Vector, expected: Sequence[int]) -> Protocol[bool]:
        """Whether shares open to `expected`, modulo the field."""
        field = self.party.field
        opened = yield from open_shares(self.party, shares)
        return field.integers(opened) == [value % field.modulus for value in expected]

    def sampled(self, shares: Vector, expected: Callable[[int], int]) -> Protocol[bool]:
        """Whether the first and the last CHECKED results are what `expected` says of their places."""
        count = len(shares)
        places = sorted({*range(min(count, CHECKED)), *range(max(0, count - CHECKED), count)})
        return (yield from self.opens_to(shares[places], [expected(place) for place in places]))


def signed_values(count: int) -> NDArray[np.int64]:
    """Integers over the whole range of 32 bits, its ends among them."""
    values = (np.arange(count, dtype=np.int64) * 2654435761 + 2**31) % 2**32 - 2**31
    values[1:2] = 2**31 - 1
    values[2:3] = 0
    return values
