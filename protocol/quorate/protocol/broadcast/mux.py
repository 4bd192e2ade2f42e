"""Many named instances over one stream of messages: each message goes behind the tag of its instance.

    message = length of the tag (1 byte), tag, message of the instance

Without synchrony a peer may be far ahead, so messages of an instance that this party has not opened are kept, in
their order, until it does; each peer may fill a share of its own. Beyond that share its messages are lost and the peer
is noted: such a peer may be honest, so the share must cover how far an honest party can be ahead, and a peer that
overflowed it counts as one of the t faulty ones. An instance that has finished is forgotten but for its tag.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from quorate.protocol.sharing import PartyId

from .effects import Send
from .machine import Machine, Seat, relabel

MOST_INSTANCES: Final = 4096
"""The most instances over the life of a stream, finished ones included."""
MOST_TAG_BYTES: Final = 64
"""The longest tag, in bytes."""
MOST_EARLY_MESSAGES: Final = 4096
"""The most messages kept of one peer for instances that are not open."""
MOST_EARLY_BYTES: Final = 32 << 20
"""The most bytes kept of one peer for instances that are not open."""
_EARLY_OVERHEAD_BYTES: Final = 64


@dataclass(slots=True)
class _Early:
    """What one peer sent to instances that are not open; tags count as bytes too."""

    messages: int = 0
    size_bytes: int = 0
    by_tag: dict[bytes, list[bytes]] = field(default_factory=dict, repr=False)


class Mux:
    """The instances of one party. The limits, named as the constants, must suit all parties alike."""

    def __init__(
        self,
        seat: Seat,
        *,
        most_instances: int = MOST_INSTANCES,
        most_early_messages: int = MOST_EARLY_MESSAGES,
        most_early_bytes: int = MOST_EARLY_BYTES,
    ) -> None:
        self.seat = seat
        self._most_instances = most_instances
        self._most_early_messages = most_early_messages
        self._most_early_bytes = most_early_bytes
        self._open: dict[bytes, Machine[object]] = {}
        self._tags: set[bytes] = set()
        self._early: dict[PartyId, _Early] = {party: _Early() for party in seat.others}
        self._faults: dict[PartyId, str] = {}

    @property
    def faults(self) -> Mapping[PartyId, str]:
        """The peers that broke a protocol, or sent more ahead than is kept, with the first reason for each."""
        return MappingProxyType(self._faults)

    @property
    def open_tags(self) -> frozenset[bytes]:
        """The instances that still take messages."""
        return frozenset(self._open)

    def open(self, tag: bytes, machine: Machine[object]) -> list[Send]:
        """Add an instance and give it what came for it already; returns what it answers.

        What the machine's own `start` returns goes through `label`. Raises ValueError for a tag that was used, is
        too long, or is one too many.
        """
        if not tag or len(tag) > MOST_TAG_BYTES:
            raise ValueError(f"a tag has 1 to {MOST_TAG_BYTES} bytes, not {len(tag)}")
        if tag in self._tags:
            raise ValueError("an instance with this tag was opened before")
        if len(self._tags) >= self._most_instances:
            raise ValueError(f"a stream carries at most {self._most_instances} instances")
        self._tags.add(tag)
        self._open[tag] = machine
        sends: list[Send] = []
        for sender, early in self._early.items():
            for message in early.by_tag.pop(tag, ()):
                early.messages -= 1
                early.size_bytes -= _early_bytes(tag, message)
                sends.extend(self._deliver(tag, sender, message))
        return sends

    def close(self, tag: bytes) -> None:
        """Drop an instance; later messages for it are dropped too. Raises KeyError for a tag never opened."""
        if tag not in self._tags:
            raise KeyError("no instance with this tag was opened")
        self._open.pop(tag, None)

    def label(self, tag: bytes, sends: Iterable[Send]) -> list[Send]:
        """What an instance wants sent, as it goes over the stream."""
        return relabel(bytes([len(tag)]) + tag, sends)

    def receive(self, sender: PartyId, message: bytes) -> list[Send]:
        """Take a message of `sender`, as the channel authenticated it.

        Raises ValueError when `sender` is no other party of the committee: that is the driver's error.
        """
        if sender not in self._early:
            raise ValueError(f"party {sender} is no peer of party {self.seat.identity}")
        size = message[0] if message else 0
        if not 1 <= size <= MOST_TAG_BYTES or len(message) < 1 + size:
            self._blame(sender, "a message without a tag")
            return []
        tag, body = message[1 : 1 + size], message[1 + size :]
        if tag in self._tags:
            return self._deliver(tag, sender, body)
        self._keep(tag, sender, body)
        return []

    def _deliver(self, tag: bytes, sender: PartyId, message: bytes) -> list[Send]:
        machine = self._open.get(tag)
        if machine is None:
            return []
        sends = machine.receive(sender, message)
        for party, reason in machine.faults.items():
            self._blame(party, reason)
        if machine.finished:
            del self._open[tag]
        return self.label(tag, sends)

    def _keep(self, tag: bytes, sender: PartyId, message: bytes) -> None:
        early = self._early[sender]
        size_bytes = early.size_bytes + _early_bytes(tag, message)
        if early.messages >= self._most_early_messages or size_bytes > self._most_early_bytes:
            self._blame(sender, "more messages ahead of their instances than are kept")
            return
        early.messages += 1
        early.size_bytes = size_bytes
        early.by_tag.setdefault(tag, []).append(message)

    def _blame(self, party: PartyId, reason: str) -> None:
        self._faults.setdefault(party, reason)


def _early_bytes(tag: bytes, message: bytes) -> int:
    return len(tag) + len(message) + _EARLY_OVERHEAD_BYTES
