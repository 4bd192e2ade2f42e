"""Reliable broadcast of large payloads by dispersal: Cachin and Tessaro, SRDS 2005 (AVID), with Merkle branches.

The payload is cut into n pieces of which n - 2t suffice, all tied to one commitment c (`pieces`).

    dealer     VALUE(piece i) to each party i
    everyone   on VALUE(its own piece) of the dealer:               ECHO(piece) to all, once
               on ECHO(their pieces) of n - t, under one c:         join them; if c is of a codeword READY(c) to all
               on READY(c) of t + 1:                                READY(c) to all, once
               on READY(c) of 2t + 1 and ECHO of n - 2t, under c:   join them, check, deliver

Against t malicious
parties, n >= 3t + 1, no synchrony: agreement, totality and validity as in `bracha`. The first honest READY follows
a check that c is of a codeword, so any n - 2t pieces give every party the same payload; and n - 2t honest parties
have echoed theirs to everybody. With t + 1 liars agreement is lost, as in `bracha`.

A party sends n / (n - 2t) times the payload in all, at most 3 times, and the dealer that much more; hashes add 32
(1 + log2 n) bytes a fragment. Bracha's broadcast sends n times the payload at each party.
"""

from __future__ import annotations

from enum import IntEnum

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .effects import Send
from .machine import Machine, Seat, say_once
from .merkle import HASH_BYTES
from .pieces import MOST_CODED_BYTES, Cutter, Piece


class _Kind(IntEnum):
    VALUE = 0
    ECHO = 1
    READY = 2


class CodedBroadcast(Machine[bytes]):
    """One broadcast of `dealer`; `output` is the payload."""

    def __init__(self, seat: Seat, dealer: PartyId, *, most_bytes: int = MOST_CODED_BYTES) -> None:
        super().__init__(seat)
        self.dealer = dealer
        self._cutter = Cutter(seat, most_bytes=most_bytes)
        self._started = False
        self._valued: dict[PartyId, bytes] = {}  # of the dealer only: the commitment of its VALUE
        self._echoes: dict[PartyId, bytes] = {}  # commitments
        self._readies: dict[PartyId, bytes] = {}  # commitments
        self._pieces: dict[PartyId, Piece] = {}
        self._joined: dict[bytes, bytes | None] = {}  # by commitment; None for fragments of no codeword
        self._is_ready = False

    @property
    def finished(self) -> bool:
        """From delivery on: whoever still waits has n - 2t honest echoes and n - t readies on the way."""
        return self._output is not None

    def start(self, payload: bytes) -> list[Send]:
        """Begin, as the dealer. Raises ValueError at another party, for a second call or a payload too large."""
        if self.seat.identity != self.dealer:
            raise ValueError(f"party {self.dealer} is the dealer, not party {self.seat.identity}")
        if self._started:
            raise ValueError("a broadcast starts once")
        pieces = self._cutter.cut(payload)
        self._started = True
        for receiver, piece in pieces.items():
            self._send(receiver, bytes([_Kind.VALUE]) + piece)
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        kind = message[:1]
        if kind == bytes([_Kind.VALUE]):
            self._handle_value(sender, message[1:])
        elif kind == bytes([_Kind.ECHO]):
            self._handle_echo(sender, message[1:])
        elif kind == bytes([_Kind.READY]):
            self._handle_ready(sender, message[1:])
        else:
            raise MalformedMessage("a broadcast message of unknown kind")

    def _handle_value(self, sender: PartyId, encoded: bytes) -> None:
        if sender != self.dealer:
            raise MalformedMessage("VALUE from a party that is not the dealer")
        piece = self._cutter.open(encoded, holder=self.seat.identity)
        if say_once(self._valued, sender, piece.commitment, what="VALUE"):
            self._send_all(bytes([_Kind.ECHO]) + encoded)

    def _handle_echo(self, sender: PartyId, encoded: bytes) -> None:
        piece = self._cutter.open(encoded, holder=sender)
        if not say_once(self._echoes, sender, piece.commitment, what="ECHO"):
            return
        self._pieces[sender] = piece
        enough = len(self._pieces_of(piece.commitment)) >= self.seat.waited_for
        if enough and not self._is_ready and self._join(piece.commitment) is not None:
            self._become_ready(piece.commitment)
        self._deliver_if_agreed(piece.commitment)

    def _handle_ready(self, sender: PartyId, commitment: bytes) -> None:
        if len(commitment) != HASH_BYTES:
            raise MalformedMessage("READY without a commitment")
        if not say_once(self._readies, sender, commitment, what="READY"):
            return
        if self._ready_count(commitment) >= self.seat.one_honest:
            self._become_ready(commitment)
        self._deliver_if_agreed(commitment)

    def _pieces_of(self, commitment: bytes) -> dict[PartyId, Piece]:
        return {party: piece for party, piece in self._pieces.items() if piece.commitment == commitment}

    def _ready_count(self, commitment: bytes) -> int:
        return sum(1 for entry in self._readies.values() if entry == commitment)

    def _become_ready(self, commitment: bytes) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._send_all(bytes([_Kind.READY]) + commitment)

    def _deliver_if_agreed(self, commitment: bytes) -> None:
        if self._output is not None or self._ready_count(commitment) < self.seat.mostly_honest:
            return
        payload = self._join(commitment)
        if payload is not None:
            self._output = payload
            self._pieces.clear()
            self._joined.clear()

    def _join(self, commitment: bytes) -> bytes | None:
        """The committed payload; None while fragments are missing, and for ever when they are no codeword."""
        if commitment in self._joined:
            return self._joined[commitment]
        pieces = self._pieces_of(commitment)
        if len(pieces) < self._cutter.needed:
            return None
        payload = self._joined[commitment] = self._cutter.join(pieces)
        if payload is None:
            self._blame(self.dealer, "dealt fragments of no codeword")
        return payload
