"""The bids of the demonstration: which are taken, and what must come of them. Light, since it is asked first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from quorate.node.errors import UsageError
from quorate.registry.manifest import TYPES

DEFAULT_BIDS: Final = {"alice": (120,), "bob": (95,), "carol": (101,)}
MIN_BIDS: Final = 2
MAX_BIDS: Final = 50
PARTIES: Final = 5
"""The size of the committee."""


def check_bids(bids: Mapping[str, Sequence[int]]) -> None:
    """Raise UsageError unless there are 2 to 50 bids of one value each, in the range of the program.

    The message names the client and never quotes the bid.
    """
    if not MIN_BIDS <= len(bids) <= MAX_BIDS:
        raise UsageError(
            f"{len(bids)} bids", why=f"the auction takes {MIN_BIDS} to {MAX_BIDS}", todo="repeat --bid NAME=VALUE"
        )
    least, most = TYPES["uint32"]
    for name, values in bids.items():
        if len(values) != 1:
            raise UsageError(
                f"{name} gives {len(values)} bids", why="each client bids once", todo="give one value"
            )
        if not least <= values[0] <= most:
            raise UsageError(
                f"the bid of {name} is out of range",
                why=f"a bid is a whole number from {least} to {most}",
                todo="give a bid in that range",
            )


def expected_result(bids: Mapping[str, Sequence[int]]) -> tuple[str, int]:
    """The winner (the first of equal bids) and the second-highest bid, computed in the clear to check against."""
    names, values = list(bids), [value[0] for value in bids.values()]
    winner = max(range(len(values)), key=lambda place: (values[place], -place))
    return names[winner], max(value for place, value in enumerate(values) if place != winner)
