"""The frames of a channel, without any I/O.

A frame is a 32-bit little-endian word and a body. The two highest bits of the word are its kind (0 a message,
1 a heartbeat), the other 30 the length of the body in bytes; a heartbeat has none.
"""

from __future__ import annotations

import struct
from typing import Final

MESSAGE: Final = 0
HEARTBEAT: Final = 1
MOST_BODY: Final = (1 << 30) - 1
_WORD: Final = struct.Struct("<I")
HEARTBEAT_FRAME: Final = _WORD.pack(HEARTBEAT << 30)
HEADER_BYTES: Final = _WORD.size


class FrameError(ValueError):
    """Bytes that are no frame of this channel; the text says why."""


def header(size: int) -> bytes:
    """What goes before a message of `size` bytes."""
    return _WORD.pack(size)


class FrameReader:
    """Cuts received bytes into messages of at most `most_bytes`."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.error = ""
        """Why the bytes are no frames of this channel; empty while they are."""
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes of a frame that is not complete yet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that `data` completes, in order; a bad header sets `error` and ends the cutting."""
        if not self._buffer and len(data) >= HEADER_BYTES:
            (word,) = _WORD.unpack_from(data)
            if word == len(data) - HEADER_BYTES and word <= self._most_bytes:
                return [data[HEADER_BYTES:]]
        self._buffer += data
        messages: list[bytes] = []
        at, end = 0, len(self._buffer)
        while end - at >= HEADER_BYTES:
            (word,) = _WORD.unpack_from(self._buffer, at)
            size = self._size(word)
            if self.error or end - at - HEADER_BYTES < size:
                break
            at += HEADER_BYTES
            if word >> 30 == MESSAGE:
                messages.append(bytes(memoryview(self._buffer)[at : at + size]))
            at += size
        del self._buffer[:at]
        return messages

    def _size(self, word: int) -> int:
        kind, size = word >> 30, word & MOST_BODY
        if kind > HEARTBEAT or (kind == HEARTBEAT and size):
            self.error = f"a frame of unknown kind, header {word:#010x}"
        elif size > self._most_bytes:
            self.error = f"a message of {size} bytes, over the limit of {self._most_bytes}"
        return size
