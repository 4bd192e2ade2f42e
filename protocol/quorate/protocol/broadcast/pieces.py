"""A payload cut into fragments, each with a proof that it belongs to one commitment.

The n fragments are those of `erasure`, n - 2t of which suffice. A commitment is the hash of the payload's size, of n,
of n - 2t, and of the Merkle root over the fragments; so it fixes every fragment, though not that they are a codeword.
That shows when n - 2t of them are joined: what they give is encoded again, and has the same root or not. As the root
fixes the fragments, all who join, from whichever fragments, come to the same verdict and the same payload.

    piece = size of the payload (8 bytes, little-endian), root (32), branch (32 for each level), fragment
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .erasure import ErasureCode
from .machine import Seat
from .merkle import MerkleTree, branch_bytes, root_of

MOST_CODED_BYTES: Final = 16 << 20
"""The largest payload unless the caller says otherwise; each peer can make a party keep one fragment of it."""
_DOMAIN: Final = b"quorate/broadcast/pieces/1"
_HEADER: Final = struct.Struct("<Q32s")  # size of the payload in bytes, Merkle root
_COMMITMENT: Final = struct.Struct("<BBQ32s")  # parties, fragments that suffice, size, Merkle root


@dataclass(frozen=True, slots=True)
class Piece:
    """A fragment that its branch ties to a commitment, and the bytes that prove it."""

    commitment: bytes
    size: int
    root: bytes = field(repr=False)
    encoded: bytes = field(repr=False)
    fragment: memoryview = field(repr=False)  # the end of `encoded`


class Cutter:
    """Cuts payloads of at most `most_bytes` for a committee, opens pieces, and joins them."""

    def __init__(self, seat: Seat, *, most_bytes: int) -> None:
        self.needed = seat.parties - 2 * seat.threshold
        self._parties = seat.parties
        self._most_bytes = most_bytes
        self._code = ErasureCode(seat.parties, needed=self.needed)
        self._branch_bytes = branch_bytes(seat.parties)

    def cut(self, payload: bytes) -> dict[PartyId, bytes]:
        """Each party's piece, encoded. Raises ValueError for a payload too large."""
        if len(payload) > self._most_bytes:
            raise ValueError(f"a payload of {len(payload)} bytes; the most is {self._most_bytes}")
        fragments = self._code.encode(payload)
        tree = MerkleTree(fragments)
        header = _HEADER.pack(len(payload), tree.root)
        return {
            PartyId(index + 1): b"".join((header, tree.branch(index), fragment))
            for index, fragment in enumerate(fragments)
        }

    def open(self, encoded: bytes, *, holder: PartyId) -> Piece:
        """The piece in untrusted bytes; raises MalformedMessage unless it is `holder`'s under its own root."""
        start = _HEADER.size + self._branch_bytes
        if len(encoded) < start:
            raise MalformedMessage(f"a piece of {len(encoded)} bytes")
        size, root = _HEADER.unpack_from(encoded)
        if size > self._most_bytes:
            raise MalformedMessage(f"a piece of a payload of {size} bytes; the most is {self._most_bytes}")
        if len(encoded) != start + self._code.fragment_bytes(size):
            raise MalformedMessage(f"a fragment of {len(encoded) - start} bytes, for a payload of {size}")
        fragment = memoryview(encoded)[start:]
        if root_of(fragment, encoded[_HEADER.size : start], index=holder - 1) != root:
            raise MalformedMessage("a fragment whose branch does not lead to its root")
        packed = _COMMITMENT.pack(self._parties, self.needed, size, root)
        return Piece(hashlib.sha256(_DOMAIN + packed).digest(), size, root, encoded, fragment)

    def join(self, pieces: Mapping[PartyId, Piece]) -> bytes | None:
        """The payload behind `needed` or more pieces of one commitment; None when it commits to no codeword."""
        first = next(iter(pieces.values()))
        fragments = {party - 1: piece.fragment for party, piece in pieces.items()}
        payload = self._code.decode(fragments, size=first.size)
        return payload if MerkleTree(self._code.encode(payload)).root == first.root else None
