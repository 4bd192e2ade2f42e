"""Verifiable information dispersal: a payload that the committee holds in pieces, and its retrieval.

AVID (Cachin and Tessaro, SRDS 2005) in the form that leaves the check of the code to retrieval (AVID-M; Yang, Park,
Alizadeh, Kannan and Tse, NSDI 2022). Pieces and commitments are those of `pieces`.

    dealer     VALUE(piece i) to each party i
    everyone   on VALUE(its own piece) of the dealer:   keep the piece; ECHO(c) to all, once
               on ECHO(c) of n - t:                     READY(c) to all, once
               on READY(c) of t + 1:                    READY(c) to all, once
               on READY(c) of 2t + 1:                   the payload under c is dispersed

    retrieval  everyone sends its piece to each receiver; a receiver joins n - 2t good ones

Against t malicious parties, n >= 3t + 1, no synchrony: when an honest party ends the dispersal, all do, with the same
c; when the dealer is honest, all do. From then on every receiver that n - t parties serve retrieves the same thing:
the payload of an honest dealer, or, of a dishonest one, some payload or the verdict that c is of no codeword. With
t + 1 liars the parties may end with different c, and a payload may be lost.

A party receives 1 / (n - 2t) of the payload and some hashes until the payload is wanted, against n / (n - 2t) times
the payload in `coded`. Dispersal does not hide the payload: a piece is a part of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Dispersed:
    """A payload that the committee holds: its commitment, and this party's piece unless the dealer kept it back."""

    commitment: bytes
    piece: Piece | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was behind a commitment; the payload is None when the dealer committed to no codeword."""

    payload: bytes | None = field(repr=False)


class Dispersal(Machine[Dispersed]):
    """One dispersal by `dealer`; `output` says what is held."""

    def __init__(self, seat: Seat, dealer: PartyId, *, most_bytes: int = MOST_CODED_BYTES) -> None:
        super().__init__(seat)
        self.dealer = dealer
        self._cutter = Cutter(seat, most_bytes=most_bytes)
        self._started = False
        self._pieces: dict[PartyId, Piece] = {}  # of the dealer only
        self._echoes: dict[PartyId, bytes] = {}
        self._readies: dict[PartyId, bytes] = {}
        self._is_ready = False

    @property
    def finished(self) -> bool:
        """Once it is dispersed: whoever still waits has n - t readies on the way."""
        return self._output is not None

    def start(self, payload: bytes) -> list[Send]:
        """Begin, as the dealer. Raises ValueError at another party, for a second call or a payload too large."""
        if self.seat.identity != self.dealer:
            raise ValueError(f"party {self.dealer} is the dealer, not party {self.seat.identity}")
        if self._started:
            raise ValueError("a dispersal starts once")
        pieces = self._cutter.cut(payload)
        self._started = True
        for receiver, piece in pieces.items():
            self._send(receiver, bytes([_Kind.VALUE]) + piece)
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        kind, body = message[:1], message[1:]
        if kind == bytes([_Kind.VALUE]):
            self._handle_value(sender, body)
        elif len(body) != HASH_BYTES or kind not in (bytes([_Kind.ECHO]), bytes([_Kind.READY])):
            raise MalformedMessage("a dispersal message of unknown kind, or without a commitment")
        elif kind == bytes([_Kind.ECHO]):
            if self._count(self._echoes, sender, body, what="ECHO") >= self.seat.waited_for:
                self._become_ready(body)
        else:
            readies = self._count(self._readies, sender, body, what="READY")
            if readies >= self.seat.one_honest:
                self._become_ready(body)
            if readies >= self.seat.mostly_honest and self._output is None:
                piece = self._pieces.get(self.dealer)
                self._output = Dispersed(body, piece if piece and piece.commitment == body else None)

    def _handle_value(self, sender: PartyId, encoded: bytes) -> None:
        if sender != self.dealer:
            raise MalformedMessage("VALUE from a party that is not the dealer")
        piece = self._cutter.open(encoded, holder=self.seat.identity)
        if say_once(self._pieces, sender, piece, what="VALUE"):
            self._send_all(bytes([_Kind.ECHO]) + piece.commitment)

    def _count(self, said: dict[PartyId, bytes], sender: PartyId, commitment: bytes, *, what: str) -> int:
        say_once(said, sender, commitment, what=what)
        return sum(1 for entry in said.values() if entry == commitment)

    def _become_ready(self, commitment: bytes) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._send_all(bytes([_Kind.READY]) + commitment)


class Retrieval(Machine[Retrieved]):
    """The retrieval of `dispersed` by `receivers`, whom all parties know alike; opened when it is dispersed here."""

    def __init__(
        self,
        seat: Seat,
        dispersed: Dispersed,
        *,
        receivers: Iterable[PartyId],
        most_bytes: int = MOST_CODED_BYTES,
    ) -> None:
        super().__init__(seat)
        self._dispersed = dispersed
        self._receivers = frozenset(receivers)
        self._cutter = Cutter(seat, most_bytes=most_bytes)
        self._started = False
        self._pieces: dict[PartyId, Piece] = {}

    @property
    def finished(self) -> bool:
        """Once this party's piece is out and, at a receiver, the payload is here."""
        return self._started and (self._output is not None or self.seat.identity not in self._receivers)

    def start(self) -> list[Send]:
        """Send this party's piece, if it has one, to the receivers. Raises ValueError for a second call."""
        if self._started:
            raise ValueError("a retrieval starts once")
        self._started = True
        if self._dispersed.piece is not None:
            for receiver in sorted(self._receivers):
                self._send(receiver, self._dispersed.piece.encoded)
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        if self.seat.identity not in self._receivers:
            raise MalformedMessage("a piece for a party that is no receiver")
        piece = self._cutter.open(message, holder=sender)
        if piece.commitment != self._dispersed.commitment:
            raise MalformedMessage("a piece of something else")
        self._pieces[sender] = piece
        if len(self._pieces) >= self._cutter.needed and self._output is None:
            self._output = Retrieved(self._cutter.join(self._pieces))
            self._pieces.clear()
