"""Multistream-select for the side that opens: both lines at once, so that a stream costs one round trip.

Specification: https://github.com/multiformats/multistream-select; a line is a varint length, the text, "\\n".
"""

from __future__ import annotations

from typing import Final

from .yamux_stream import YamuxStream

MOST_PROTOCOL_BYTES: Final = 125
"""A protocol id and its newline fit one byte of varint."""
_MULTISTREAM: Final = "/multistream/1.0.0"


class NegotiationFailed(Exception):
    """The peer does not speak the protocol, or not multistream-select; the text says which."""


async def choose(stream: YamuxStream, protocol: str) -> None:
    """Agree on `protocol`; raises NegotiationFailed, or MuxedStreamError when the stream dies."""
    await stream.write(_line(_MULTISTREAM) + _line(protocol))
    greeting = await _read_line(stream)
    if greeting != _MULTISTREAM:
        raise NegotiationFailed("the peer does not speak multistream-select 1.0.0")
    answer = await _read_line(stream)
    if answer == "na":
        raise NegotiationFailed("the peer does not serve it")
    if answer != protocol:
        raise NegotiationFailed(f"the peer answered {answer!r}")


def _line(text: str) -> bytes:
    raw = text.encode() + b"\n"
    if len(raw) > MOST_PROTOCOL_BYTES:
        raise NegotiationFailed(f"a protocol id has at most {MOST_PROTOCOL_BYTES - 1} bytes")
    return bytes([len(raw)]) + raw


async def _read_line(stream: YamuxStream) -> str:
    size = (await stream.read(1))[0]
    if size > MOST_PROTOCOL_BYTES:
        raise NegotiationFailed("the peer's answer is too long")
    line = bytearray()
    while len(line) < size:
        line += await stream.read(size - len(line))
    if not line.endswith(b"\n"):
        raise NegotiationFailed("the peer's answer is not a line")
    return line[:-1].decode(errors="replace")
