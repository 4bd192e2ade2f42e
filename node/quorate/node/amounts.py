"""Amounts of ether, written by people and kept as integers of wei."""

from __future__ import annotations

import re
from typing import Final, NewType

Wei = NewType("Wei", int)
"""An amount in wei, 0 to 2^256 - 1."""

MAX_WEI: Final = (1 << 256) - 1
UNITS: Final = {"wei": 0, "gwei": 9, "ether": 18}
"""The units that an amount may carry, with the decimal places each has above wei."""
SHOWN_DECIMALS: Final = 6
"""The most decimals that an amount is shown with; an amount that needs more is shown in a smaller unit."""
_AMOUNT: Final = re.compile(
    r"(?P<digits>[0-9]{1,78}(?:_[0-9]{1,78}){0,20})(?:\.(?P<fraction>[0-9]{1,18}))? *(?P<unit>[a-z]+)?"
)


def parse_amount(text: str) -> Wei:
    """The wei of `text`, such as "0.5 ether", "20 gwei" or "1000"; ValueError says what is wrong."""
    match = _AMOUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError('not an amount such as "0.5 ether", "20 gwei" or "1000 wei"')
    unit = match["unit"] or "wei"
    if unit not in UNITS:
        raise ValueError(f"the unit {unit!r} is none of {', '.join(UNITS)}")
    places, fraction = UNITS[unit], match["fraction"] or ""
    if len(fraction.rstrip("0")) > places:
        raise ValueError("less than one wei is not payable")
    amount = int(match["digits"].replace("_", "")) * 10**places
    amount += int(fraction.ljust(places, "0")[:places] or "0")
    if amount > MAX_WEI:
        raise ValueError("more than 2^256 - 1 wei")
    return Wei(amount)


def format_amount(amount: int) -> str:
    """`amount` of wei, exact, in the largest unit that takes at most six decimals: "1.5 ether", "7 wei"."""
    for unit in ("ether", "gwei"):
        step = 10 ** (UNITS[unit] - SHOWN_DECIMALS)
        if amount >= step * 100 and amount % step == 0:
            whole, fraction = divmod(amount // step, 10**SHOWN_DECIMALS)
            decimals = str(fraction).zfill(SHOWN_DECIMALS).rstrip("0")
            return f"{whole}.{decimals} {unit}" if decimals else f"{whole} {unit}"
    return f"{amount} wei"
