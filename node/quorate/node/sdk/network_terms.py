"""What a committee on a network is asked for."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class NetworkTerms:
    """The committee, the most to pay to all members together and what each must lock, in wei, and the time to work.

    `protocol` is passive, abort or robust; None: the program's own.
    """

    parties: int = 5
    threshold: int = 1
    protocol: str | None = None
    max_price_wei: int = 10**16
    collateral_wei: int = 10**16
    working_s: int = 60
