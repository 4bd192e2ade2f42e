"""Preprocessing: random items made in bulk and ahead of use; how they are made is the scheme's business.

What is there is taken from the party's pool; what is short is made on demand, in one batch.
"""

from __future__ import annotations

from typing import Final

from quorate.protocol.field import Vector

from .masks import expand
from .party import Party, Protocol
from .pool import BIT, SHARE, Item, Plan, integer

DEMAND: Final = {
    "bit": 512,
    "integer": 16,
    "share": 64,
    "triple": 64,
    "dual_bit": 64,
    "dual_integer": 16,
    "exact_integer": 16,
}
"""The least number of items of a kind that is made when a program runs out of them."""
MAX_PLAN_ELEMENTS: Final = 1 << 24
"""The most items that one plan may ask for (512 MiB of shares)."""


def sum_bits(width: int, threshold: int) -> int:
    """How many bits hold the sum of t + 1 integers of `width` bits."""
    return width + threshold.bit_length()


def preprocess(party: Party, plan: Plan) -> Protocol[None]:
    """Add everything in `plan` to the party's pool. Raises ValueError for a plan beyond MAX_PLAN_ELEMENTS."""
    plan = _expanded(party, plan)
    if plan.total > MAX_PLAN_ELEMENTS:
        raise ValueError(f"a plan has at most {MAX_PLAN_ELEMENTS} items; preprocess in several steps")
    yield from party.scheme.produce(party, plan)


def reserve(party: Party, plan: Plan) -> Protocol[None]:
    """Make sure that the pool holds at least `plan`; what is short is made in one batch, rounded up a little.

    Take it before the next round: a protocol that runs beside this one may take it otherwise.
    """
    plan = _expanded(party, plan)
    while not (missing := plan.missing_from(party.pool.stock)).is_empty:
        yield from preprocess(party, Plan({item: _rounded(item, count) for item, count in missing.items()}))


def _expanded(party: Party, plan: Plan) -> Plan:
    return expand(plan, kappa=party.kappa, on_bytes=party.scheme.computes_on_bytes)


def _rounded(item: Item, count: int) -> int:
    return max(count, DEMAND.get(item.name, 1))


def random_bits(party: Party, count: int) -> Protocol[Vector]:
    """Shares of `count` uniform bits, from the pool or made on demand."""
    yield from reserve(party, Plan(bits=count))
    return party.pool.take(BIT, count)


def random_integers(party: Party, count: int, *, bits: int) -> Protocol[Vector]:
    """Shares of `count` integers of `sum_bits(bits, t)` bits that hide like uniform ones of `bits` bits."""
    yield from reserve(party, Plan(integers={bits: count}))
    return party.pool.take(integer(bits), count) if count else party.field.zeros(0)


def random_shares(party: Party, count: int) -> Protocol[Vector]:
    """Shares of `count` uniform field elements that nobody knows, from the pool or made on demand."""
    yield from reserve(party, Plan(shares=count))
    return party.pool.take(SHARE, count)
