"""Reliable broadcast of one payload from one dealer (Bracha, Information and Computation 1987), n >= 3t + 1.

    dealer     SEND(m) to all
    everyone   on SEND(m) of the dealer:              ECHO(m) to all, once
               on ECHO(m) of more than (n + t) / 2:   READY(H(m)) to all, once
               on READY(h) of t + 1:                  READY(h) to all, once
               on READY(h) of 2t + 1, with m known:   deliver m

Against t malicious parties, with no synchrony: no two honest parties deliver different payloads (agreement); when one
delivers, all do (totality); when the dealer is honest, all deliver its payload (validity). A dishonest dealer may
make nobody deliver. READY carries a hash: 2t + 1 of them mean that an honest party saw more than (n + t) / 2 echoes,
so t + 1 honest parties sent the payload itself to everybody. With t + 1 liars agreement is lost: a dealer and t
helpers echo one payload to some and another to others.

Three steps and n^2 messages of the payload's size; `coded` sends n / (n - 2t) times the payload to each receiver
instead of n times, and is the better choice above some hundred bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .effects import Send
from .machine import Machine, Seat, say_once

MOST_PAYLOAD_BYTES: Final = 1 << 20
"""The largest payload unless the caller says otherwise; each peer can make a party keep one of that size."""
_DOMAIN: Final = b"quorate/broadcast/bracha/1"
_HASH_BYTES: Final = 32


class _Kind(IntEnum):
    SEND = 0
    ECHO = 1
    READY = 2


class ReliableBroadcast(Machine[bytes]):
    """One broadcast of `dealer`; `output` is the payload."""

    def __init__(self, seat: Seat, dealer: PartyId, *, most_bytes: int = MOST_PAYLOAD_BYTES) -> None:
        super().__init__(seat)
        self.dealer = dealer
        self._most_bytes = most_bytes
        self._sent: dict[PartyId, bytes] = {}  # of the dealer only, by hash, as the next two
        self._echoes: dict[PartyId, bytes] = {}
        self._readies: dict[PartyId, bytes] = {}
        self._payloads: dict[bytes, bytes] = {}
        self._is_ready = False

    @property
    def finished(self) -> bool:
        """From delivery on: whoever still waits has t + 1 honest echoes and n - t readies on the way."""
        return self._output is not None

    def start(self, payload: bytes) -> list[Send]:
        """Begin, as the dealer. Raises ValueError at another party, for a second call or a payload too large."""
        if self.seat.identity != self.dealer:
            raise ValueError(f"party {self.dealer} is the dealer, not party {self.seat.identity}")
        if self._sent:
            raise ValueError("a broadcast starts once")
        if len(payload) > self._most_bytes:
            raise ValueError(f"a payload of {len(payload)} bytes; the most is {self._most_bytes}")
        self._send_all(bytes([_Kind.SEND]) + payload)
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if len(message) > 1 + self._most_bytes + _HASH_BYTES:
            raise MalformedMessage(f"a broadcast message of {len(message)} bytes")
        kind, body = message[:1], message[1:]
        if kind == bytes([_Kind.SEND]):
            self._handle_send(sender, body)
        elif kind == bytes([_Kind.ECHO]):
            self._handle_echo(sender, body)
        elif kind == bytes([_Kind.READY]):
            self._handle_ready(sender, body)
        else:
            raise MalformedMessage("a broadcast message of unknown kind")

    def _handle_send(self, sender: PartyId, payload: bytes) -> None:
        if sender != self.dealer:
            raise MalformedMessage("SEND from a party that is not the dealer")
        if say_once(self._sent, sender, self._hash(payload), what="SEND"):
            self._send_all(bytes([_Kind.ECHO]) + payload)

    def _handle_echo(self, sender: PartyId, payload: bytes) -> None:
        digest = self._hash(payload)
        if not say_once(self._echoes, sender, digest, what="ECHO"):
            return
        self._payloads.setdefault(digest, payload)
        if _count(self._echoes, digest) >= self.seat.intersecting:
            self._become_ready(digest)
        self._deliver_if_agreed(digest)

    def _handle_ready(self, sender: PartyId, digest: bytes) -> None:
        if len(digest) != _HASH_BYTES:
            raise MalformedMessage("READY without a hash")
        if not say_once(self._readies, sender, digest, what="READY"):
            return
        if _count(self._readies, digest) >= self.seat.one_honest:
            self._become_ready(digest)
        self._deliver_if_agreed(digest)

    def _hash(self, payload: bytes) -> bytes:
        if len(payload) > self._most_bytes:
            raise MalformedMessage(f"a payload of {len(payload)} bytes; the most is {self._most_bytes}")
        return hashlib.sha256(_DOMAIN + payload).digest()

    def _become_ready(self, digest: bytes) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._send_all(bytes([_Kind.READY]) + digest)

    def _deliver_if_agreed(self, digest: bytes) -> None:
        agreed = _count(self._readies, digest) >= self.seat.mostly_honest
        if agreed and digest in self._payloads and self._output is None:
            self._output = self._payloads[digest]
            self._payloads.clear()


def _count(said: Mapping[PartyId, bytes], value: bytes) -> int:
    return sum(1 for entry in said.values() if entry == value)
