"""Reliable broadcast of large payloads by dispersal: Cachin and Tessaro, SRDS 2005 (AVID), with Merkle branches.

The payload is cut into n fragments of which n - 2t suffice (`erasure`); a commitment is the hash of its size, of n and
t, and of the Merkle root over the fragments.

    dealer     VALUE(size, root, branch of i, fragment i) to each party i
    everyone   on the VALUE of the dealer:                      ECHO, the same for its own fragment, to all, once
               on good ECHO of n - t for one commitment:        decode, encode again; if the root is right READY to all
               on READY(commitment) of t + 1:                   READY(commitment) to all, once
               on READY(commitment) of 2t + 1, n - 2t good ECHO: decode, check the root, deliver

An echo is good when its branch leads from the fragment, at its sender's index, to the root. Against t malicious
parties, n >= 3t + 1, no synchrony: agreement, totality and validity as in `bracha`. The first honest READY follows
a check that the committed fragments are one codeword, so any n - 2t of them give every party the same payload; and
n - 2t honest parties have echoed theirs to everybody. With t + 1 liars agreement is lost, as in `bracha`.

A party sends n / (n - 2t) times the payload in all, at most 3 times, and the dealer that much more; hashes add 32
(1 + log2 n) bytes a fragment. Bracha's broadcast sends n times the payload at each party.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .effects import Send
from .erasure import ErasureCode
from .machine import Machine, Seat, say_once
from .merkle import HASH_BYTES, MerkleTree, branch_bytes, root_of

MOST_CODED_BYTES: Final = 16 << 20
"""The largest payload unless the caller says otherwise; each peer can make a party keep one fragment of it."""
_DOMAIN: Final = b"quorate/broadcast/coded/1"
_HEADER: Final = struct.Struct("<BQ32s")  # kind, size of the payload in bytes, Merkle root
_COMMITMENT: Final = struct.Struct("<BBQ32s")  # parties, fragments that suffice, size, Merkle root


class _Kind(IntEnum):
    VALUE = 0
    ECHO = 1
    READY = 2


@dataclass(frozen=True, slots=True)
class _Piece:
    """A fragment that its branch ties to a commitment."""

    commitment: bytes
    size: int
    root: bytes = field(repr=False)
    fragment: bytes = field(repr=False)


class CodedBroadcast(Machine[bytes]):
    """One broadcast of `dealer`; `output` is the payload."""

    def __init__(self, seat: Seat, dealer: PartyId, *, most_bytes: int = MOST_CODED_BYTES) -> None:
        super().__init__(seat)
        self.dealer = dealer
        self._most_bytes = most_bytes
        self._code = ErasureCode(seat.parties, needed=seat.parties - 2 * seat.threshold)
        self._branch_bytes = branch_bytes(seat.parties)
        self._started = False
        self._valued: dict[PartyId, bytes] = {}  # of the dealer only: the commitment of its VALUE
        self._echoes: dict[PartyId, bytes] = {}  # commitments
        self._readies: dict[PartyId, bytes] = {}  # commitments
        self._pieces: dict[PartyId, _Piece] = {}
        self._decoded: dict[bytes, bytes | None] = {}  # by commitment; None for fragments of no codeword
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
        if len(payload) > self._most_bytes:
            raise ValueError(f"a payload of {len(payload)} bytes; the most is {self._most_bytes}")
        self._started = True
        fragments = self._code.encode(payload)
        tree = MerkleTree(fragments)
        header = _HEADER.pack(_Kind.VALUE, len(payload), tree.root)
        for index, fragment in enumerate(fragments):
            self._send(PartyId(index + 1), b"".join((header, tree.branch(index), fragment)))
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        kind = message[:1]
        if kind == bytes([_Kind.VALUE]):
            self._handle_value(sender, message)
        elif kind == bytes([_Kind.ECHO]):
            self._handle_echo(sender, message)
        elif kind == bytes([_Kind.READY]):
            self._handle_ready(sender, message[1:])
        else:
            raise MalformedMessage("a broadcast message of unknown kind")

    def _handle_value(self, sender: PartyId, message: bytes) -> None:
        if sender != self.dealer:
            raise MalformedMessage("VALUE from a party that is not the dealer")
        piece = self._open_piece(message, holder=self.seat.identity)
        if say_once(self._valued, sender, piece.commitment, what="VALUE"):
            self._send_all(bytes([_Kind.ECHO]) + message[1:])

    def _handle_echo(self, sender: PartyId, message: bytes) -> None:
        piece = self._open_piece(message, holder=sender)
        if not say_once(self._echoes, sender, piece.commitment, what="ECHO"):
            return
        self._pieces[sender] = piece
        enough = len(self._pieces_of(piece.commitment)) >= self.seat.waited_for
        if enough and not self._is_ready and self._decode(piece.commitment) is not None:
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

    def _open_piece(self, message: bytes, *, holder: PartyId) -> _Piece:
        """The fragment in a VALUE or ECHO; raises MalformedMessage unless it is `holder`'s under its root."""
        start = _HEADER.size + self._branch_bytes
        if len(message) < start:
            raise MalformedMessage(f"a fragment in {len(message)} bytes")
        _, size, root = _HEADER.unpack_from(message)
        if size > self._most_bytes:
            raise MalformedMessage(f"a payload of {size} bytes; the most is {self._most_bytes}")
        if len(message) != start + self._code.fragment_bytes(size):
            raise MalformedMessage(f"a fragment of {len(message) - start} bytes, for a payload of {size}")
        fragment = message[start:]
        if root_of(fragment, message[_HEADER.size : start], index=holder - 1) != root:
            raise MalformedMessage("a fragment whose branch does not lead to its root")
        packed = _COMMITMENT.pack(self.seat.parties, self._code.needed, size, root)
        return _Piece(hashlib.sha256(_DOMAIN + packed).digest(), size, root, fragment)

    def _pieces_of(self, commitment: bytes) -> dict[int, _Piece]:
        return {party - 1: piece for party, piece in self._pieces.items() if piece.commitment == commitment}

    def _ready_count(self, commitment: bytes) -> int:
        return sum(1 for entry in self._readies.values() if entry == commitment)

    def _become_ready(self, commitment: bytes) -> None:
        if not self._is_ready:
            self._is_ready = True
            self._send_all(bytes([_Kind.READY]) + commitment)

    def _deliver_if_agreed(self, commitment: bytes) -> None:
        if self._output is not None or self._ready_count(commitment) < self.seat.mostly_honest:
            return
        payload = self._decode(commitment)
        if payload is not None:
            self._output = payload
            self._pieces.clear()
            self._decoded.clear()

    def _decode(self, commitment: bytes) -> bytes | None:
        """The committed payload; None while fragments are missing, and for ever when they are no codeword."""
        if commitment in self._decoded:
            return self._decoded[commitment]
        pieces = self._pieces_of(commitment)
        if len(pieces) < self._code.needed:
            return None
        first = next(iter(pieces.values()))
        payload = self._code.decode({index: piece.fragment for index, piece in pieces.items()}, size=first.size)
        is_codeword = MerkleTree(self._code.encode(payload)).root == first.root
        self._decoded[commitment] = payload if is_codeword else None
        if not is_codeword:
            self._blame(self.dealer, "dealt fragments of no codeword")
        return self._decoded[commitment]
