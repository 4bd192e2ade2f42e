"""The bytes of a session stream: one hello each way, then messages with a small fixed header.

All integers are little-endian. The session id travels once, in the hello, over a connection whose peer ids Noise
authenticated; from then on the stream itself is the session, and the header says where in it a message belongs.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from .frames import FrameError

SESSION_ID_BYTES: Final = 32
MOST_EPOCH: Final = 0xFFFF
MOST_OPERATION: Final = 0xFFFF
MOST_PARTY: Final = 0xFFFF
MOST_SEQUENCE: Final = 0xFFFFFFFF
_MAGIC: Final = b"QSN1"
_HELLO: Final = struct.Struct("<4s32sHHH")
_HEADER: Final = struct.Struct("<HHII")
HELLO_BYTES: Final = _HELLO.size
HEADER_BYTES: Final = _HEADER.size


@dataclass(frozen=True, slots=True)
class Hello:
    """Party `sender` greets party `receiver` in `epoch` of a session."""

    session: bytes
    epoch: int
    sender: int
    receiver: int

    def encode(self) -> bytes:
        """42 bytes."""
        return _HELLO.pack(_MAGIC, self.session, self.epoch, self.sender, self.receiver)


def decode_hello(data: bytes) -> Hello:
    """The hello in `data` (42 bytes); FrameError when it is none."""
    magic, session, epoch, sender, receiver = _HELLO.unpack(data)
    if magic != _MAGIC:
        raise FrameError("its first bytes are no hello of a session")
    return Hello(session, epoch, sender, receiver)


def encode_header(*, epoch: int, operation: int, sequence: int, size: int) -> bytes:
    """What goes before a payload of `size` bytes."""
    return _HEADER.pack(epoch, operation, sequence, size)


def check_header(message: bytes, *, epoch: int, sequence: int) -> int:
    """The operation of `message`; FrameError unless it is of `epoch`, has `sequence`, and has its length."""
    if len(message) < _HEADER.size:
        raise FrameError(f"a session message of {len(message)} bytes, less than its header")
    found_epoch, operation, found_sequence, size = _HEADER.unpack_from(message)
    if found_epoch != epoch:
        raise FrameError(f"a message of epoch {found_epoch} in epoch {epoch}")
    if found_sequence != sequence:
        raise FrameError(f"message {found_sequence} where {sequence} was due")
    if size != len(message) - _HEADER.size:
        raise FrameError(f"a payload of {len(message) - _HEADER.size} bytes that says {size}")
    return int(operation)
