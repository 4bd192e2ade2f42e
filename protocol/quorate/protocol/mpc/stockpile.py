"""Items that a committee makes ahead and keeps: batches, and the agreement on which of them a session uses.

A batch is made by all parties in one run and has one name; of each kind of item it holds `made`, of which the
first `used` are gone. Parties may have been killed at different moments, so they may hold different batches, and
may have used different numbers. Before a session takes anything, each party tells the others what it holds: the
session takes from the batches that all hold, and begins where the party that has used most has stopped. A party
then makes durable that these items are gone, before it uses one: no item is used twice, whatever happens.

Two rounds: what each holds, and a digest of all that was said. Adversary: a party that lies about what it holds
can make a session use fewer items or skip some, and never one twice; one that tells different stories is noticed
by the digest (ProtocolAbort).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as member
from typing import Final

from quorate.protocol.errors import PartyFault, ProtocolAbort

from .party import Party, Protocol
from .pool import Column, Item, Plan
from .rounds import exchange_bytes

BATCH_NAME_BYTES: Final = 16
MAX_BATCHES: Final = 16
"""The most batches of one committee; a party that has more offers the first ones, by name."""
MAX_BATCH_ITEMS: Final = 1 << 20
"""The most items of one kind in a batch."""
_COUNT_BYTES: Final = 4
_ABSENT: Final = bytes(BATCH_NAME_BYTES)
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Batch:
    """What a party holds of one batch: how many items of each kind were made, and how many of them are used."""

    name: bytes
    made: Plan
    used: Plan


@dataclass(frozen=True, slots=True)
class Draw:
    """`count` items of one kind, from place `first` of a batch on."""

    batch: bytes
    item: Item
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class Lot:
    """A new batch to keep: the columns of each kind of item."""

    name: bytes
    columns: Mapping[Item, tuple[Column, ...]] = member(repr=False)

    @property
    def made(self) -> Plan:
        """How many items of each kind it holds."""
        return Plan({item: len(columns[0]) for item, columns in self.columns.items()})


def agree_on_draws(party: Party, plan: Plan, batches: Sequence[Batch]) -> Protocol[tuple[Draw, ...]]:
    """Which items a session that needs `plan` takes from what all parties hold; the same draws at each party.

    Two rounds, or none for a lone party. Raises PartyFault for a malformed message, ProtocolAbort when somebody
    told different parties different things.
    """
    items = sorted(plan)
    own = _offer(items, batches)
    offers = [own]
    if party.parties > 1:
        replies = yield from exchange_bytes(
            party, dict.fromkeys(party.others, own), dict.fromkeys(party.others, len(own))
        )
        stories = {**replies, party.identity: own}
        digest = hashlib.sha256(b"".join(stories[speaker] for speaker in sorted(stories))).digest()
        sizes = dict.fromkeys(party.others, _DIGEST_BYTES)
        heard = yield from exchange_bytes(party, dict.fromkeys(party.others, digest), sizes)
        if any(reply != digest for reply in heard.values()):
            raise ProtocolAbort("a party told different parties different things about its stockpile")
        offers = [stories[speaker] for speaker in sorted(stories)]
    parsed = [_parse(speaker, items, offer) for speaker, offer in enumerate(offers, start=1)]
    return tuple(_draws(items, plan, parsed))


_Held = dict[bytes, list[tuple[int, int]]]
"""By batch name: for each item in order, how many are used, and how many were made."""


def _offer(items: Sequence[Item], batches: Sequence[Batch]) -> bytes:
    """The message, always of one size: MAX_BATCHES entries of a name and two counts an item."""
    entries = []
    for batch in sorted(batches, key=lambda entry: entry.name)[:MAX_BATCHES]:
        counts = b"".join(
            count.to_bytes(_COUNT_BYTES, "big") for item in items for count in (batch.used[item], batch.made[item])
        )
        entries.append(batch.name + counts)
    blank = _ABSENT + bytes(2 * _COUNT_BYTES * len(items))
    return b"".join([*entries, *[blank] * (MAX_BATCHES - len(entries))])


def _parse(speaker: int, items: Sequence[Item], offer: bytes) -> _Held:
    size = BATCH_NAME_BYTES + 2 * _COUNT_BYTES * len(items)
    held: _Held = {}
    for start in range(0, MAX_BATCHES * size, size):
        name = offer[start : start + BATCH_NAME_BYTES]
        if name == _ABSENT:
            continue
        counts = [
            int.from_bytes(offer[place : place + _COUNT_BYTES], "big")
            for place in range(start + BATCH_NAME_BYTES, start + size, _COUNT_BYTES)
        ]
        pairs = list(zip(counts[::2], counts[1::2], strict=True))
        if name in held or any(not used <= made <= MAX_BATCH_ITEMS for used, made in pairs):
            raise PartyFault(speaker, "described a stockpile that cannot be")
        held[name] = pairs
    return held


def _draws(items: Sequence[Item], plan: Plan, parsed: Sequence[_Held]) -> list[Draw]:
    common = sorted(set(parsed[0]).intersection(*parsed[1:]))
    draws = []
    for place, item in enumerate(items):
        wanted = plan[item]
        for name in common:
            first = max(held[name][place][0] for held in parsed)
            count = min(wanted, min(held[name][place][1] for held in parsed) - first)
            if count > 0:
                draws.append(Draw(name, item, first, count))
                wanted -= count
    return draws
