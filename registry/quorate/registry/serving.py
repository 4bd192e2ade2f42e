"""Archives from peer to peer: one request and one reply a piece, for the protocol id /quorate/registry/1.

A client asks for a content hash and an offset; the server answers with the archive's whole size and the bytes
from there, at most MAX_CHUNK_BYTES; the size 0 says that it has no such archive. `Download` asks until it has all,
and then verifies. What an attacker may try: a server that lies about the size or the bytes fails the hash, and has
cost the client at most MAX_ARCHIVE_BYTES; a client that asks for much pays one reply of bounded size a request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.errors import MalformedMessage

from .archive import MAX_ARCHIVE_BYTES, open_archive
from .errors import InvalidPackage
from .names import HASH_BYTES

PROTOCOL_ID: Final = "/quorate/registry/1"
"""The protocol id under which peers serve archives."""
MAX_CHUNK_BYTES: Final = 512 << 10
"""The most archive bytes in one reply."""
MAX_REQUEST_BYTES: Final = 128
"""The largest request."""
MAX_REPLY_BYTES: Final = MAX_CHUNK_BYTES + 256
"""The largest reply."""


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """Asks for the bytes of an archive from `offset` on."""

    content_hash: Annotated[bytes, Limit(size=HASH_BYTES)]
    offset: Annotated[int, Limit(most=MAX_ARCHIVE_BYTES)]


@dataclass(frozen=True, slots=True)
class ArchiveReply:
    """Bytes of an archive from `offset` on; `size` is that of the whole archive, 0 when there is none."""

    content_hash: Annotated[bytes, Limit(size=HASH_BYTES)]
    size: Annotated[int, Limit(most=MAX_ARCHIVE_BYTES)]
    offset: Annotated[int, Limit(most=MAX_ARCHIVE_BYTES)]
    data: Annotated[bytes, Limit(most=MAX_CHUNK_BYTES)]


def serve_archive(load: Callable[[bytes], bytes | None], request: bytes) -> bytes:
    """The reply to an untrusted `request`; `load` gives a verified archive by its content hash, or None.

    Raises MalformedMessage for bytes that are no request: the caller drops the peer's stream.
    """
    asked = decode(ArchiveRequest, request, most_bytes=MAX_REQUEST_BYTES)
    archive = load(asked.content_hash) or b""
    data = archive[asked.offset : asked.offset + MAX_CHUNK_BYTES]
    return encode(ArchiveReply(asked.content_hash, len(archive), asked.offset, data))


class Download:
    """The client's side of one archive: `request` gives what to ask next, `receive` takes the reply.

    It does no I/O: send what `request` returns, hand over the answer, until `request` returns None; then `result`.
    """

    def __init__(self, content_hash: bytes) -> None:
        self._hash = content_hash
        self._size: int | None = None
        self._received = bytearray()

    def request(self) -> bytes | None:
        """The next request, or None when the archive is complete."""
        if self._size is not None and len(self._received) >= self._size:
            return None
        return encode(ArchiveRequest(self._hash, len(self._received)))

    def receive(self, reply: bytes) -> None:
        """Take an untrusted `reply`; raises MalformedMessage, or InvalidPackage when the peer has none."""
        answer = decode(ArchiveReply, reply, most_bytes=MAX_REPLY_BYTES)
        if answer.content_hash != self._hash or answer.offset != len(self._received):
            raise MalformedMessage("the reply answers another request")
        if answer.size == 0:
            raise InvalidPackage(f"the peer has no archive {self._hash.hex()}")
        if self._size not in (None, answer.size):
            raise MalformedMessage("the archive changes its size between replies")
        if len(answer.data) != min(MAX_CHUNK_BYTES, answer.size - answer.offset):
            raise MalformedMessage(f"the reply has {len(answer.data)} bytes, neither a whole piece nor the rest")
        self._size = answer.size
        self._received += answer.data

    def result(self) -> bytes:
        """The verified archive; raises HashMismatch or InvalidPackage. Call it when `request` returned None."""
        archive = bytes(self._received)
        open_archive(archive, self._hash)
        return archive
