"""One request, one reply, one stream.

A request is a 32-bit little-endian length and that many bytes, then the end of the stream. A reply is one byte of
status, a length and a body: status 0 is the answer; 1 is a refusal, whose body is a 16-bit code and a sentence.
"""

from __future__ import annotations

import logging
import struct
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import trio

from quorate.node.errors import NetworkError, PeerError
from quorate.node.mesh.errors import ChannelError, StreamBroken
from quorate.node.mesh.rate import RateLimit
from quorate.node.mesh.transport import ByteStream, Network

from .exact import read_exact

_LENGTH: Final = struct.Struct("<I")
_REPLY: Final = struct.Struct("<BI")
_CODE: Final = struct.Struct("<H")
_ANSWER, _REFUSAL = 0, 1
_MOST_SENTENCE_BYTES: Final = 512
_MOST_REFUSAL_BYTES: Final = _CODE.size + _MOST_SENTENCE_BYTES
_MOST_RATED_PEERS: Final = 4096
_log = logging.getLogger(__name__)


class RefusalCode(IntEnum):
    """Why a call was refused; a protocol's own codes start at 100."""

    REFUSED = 1
    BUSY = 2
    MALFORMED = 3
    TOO_LARGE = 4
    NOT_FOUND = 5
    INTERNAL = 6


class Refusal(Exception):
    """Raised by a handler: the caller gets `code` and `sentence`, which must hold no secret."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class RemoteRefusal(PeerError):
    """Peer `peer` refused a call with `code` (see RefusalCode) and `sentence`."""

    def __init__(self, peer: str, code: int, sentence: str) -> None:
        name = RefusalCode(code).name.lower() if code in RefusalCode.__members__.values() else str(code)
        super().__init__(peer, f"it refused a call ({name}): {sentence}")
        self.what = f"peer {peer} refused a call"
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """What a served protocol grants each peer."""

    most_request_bytes: int = 1024 * 1024
    most_reply_bytes: int = 16 * 1024 * 1024
    most_concurrent_per_peer: int = 8
    most_per_s: float = 50.0
    burst: float = 100.0
    deadline_s: float = 30.0
    """From the opening of the stream to the last byte of the reply."""


CallHandler = Callable[[str, bytes], Awaitable[bytes]]


async def call(
    network: Network,
    peer: str,
    protocol: str,
    request: bytes,
    *,
    timeout_s: float = 10.0,
    most_bytes: int = 16 * 1024 * 1024,
) -> bytes:
    """Send `request` and return the reply, of at most `most_bytes`.

    Raises RemoteRefusal when the peer says no, ChannelError when its reply breaks the protocol, DialFailed,
    StreamOpenFailed or StreamBroken when there is no reply within `timeout_s`.
    """
    stream: ByteStream | None = None
    try:
        with trio.fail_after(timeout_s):
            stream = await network.open_stream(peer, protocol, timeout_s=timeout_s)
            await stream.send(_LENGTH.pack(len(request)) + request)
            stream.end_sending()
            reply = await _read_reply(stream, most_bytes)
        stream.close()
        return reply
    except trio.TooSlowError as error:
        raise StreamBroken(peer, protocol, f"no reply within {timeout_s:g} s") from error
    except BaseException:
        if stream is not None:
            stream.reset()
        raise


async def _read_reply(stream: ByteStream, most_bytes: int) -> bytes:
    status, size = _REPLY.unpack(await read_exact(stream, _REPLY.size))
    if status == _ANSWER:
        if size > most_bytes:
            raise ChannelError(stream.peer_id, f"its reply has {size} bytes, over the limit of {most_bytes}")
        return await read_exact(stream, size)
    if status != _REFUSAL or not _CODE.size <= size <= _MOST_REFUSAL_BYTES:
        raise ChannelError(stream.peer_id, f"its reply has status {status} and {size} bytes")
    body = await read_exact(stream, size)
    sentence = "".join(c if c.isprintable() else " " for c in body[_CODE.size :].decode(errors="replace"))
    raise RemoteRefusal(stream.peer_id, _CODE.unpack_from(body)[0], sentence)


def serve_calls(
    network: Network,
    protocol: str,
    handler: CallHandler,
    *,
    limits: CallLimits | None = None,
    allow: Callable[[str], bool] | None = None,
) -> None:
    """Answer every call of `protocol` with `await handler(peer, request)`.

    A Refusal raised by the handler reaches the caller; any other exception is logged here and reaches it as
    INTERNAL, without its text. Peers over their rate or concurrency are refused as BUSY.
    """
    bounds = limits or CallLimits()
    server = _Server(handler, bounds)
    network.serve(protocol, server.answer, allow=allow, most_streams_per_peer=4 * bounds.most_concurrent_per_peer)


class _Server:
    """Concurrency and rate of one served protocol, by peer."""

    def __init__(self, handler: CallHandler, limits: CallLimits) -> None:
        self._handler = handler
        self._limits = limits
        self._running: dict[str, int] = {}
        self._rates: OrderedDict[str, RateLimit] = OrderedDict()

    async def answer(self, stream: ByteStream) -> None:
        peer = stream.peer_id
        with trio.move_on_after(self._limits.deadline_s) as deadline:
            try:
                reply = await self._handled(stream, peer)
            except Refusal as refusal:
                reply = _refusal(refusal.code, refusal.sentence)
            except NetworkError as error:
                _log.debug("%s: a call of %s broke: %s", stream.protocol, peer, error)
                stream.reset()
                return
            await stream.send(reply)
            stream.end_sending()
        if deadline.cancelled_caught:
            stream.reset()

    async def _handled(self, stream: ByteStream, peer: str) -> bytes:
        if not self._rate_of(peer).take():
            raise Refusal(RefusalCode.BUSY, f"more than {self._limits.most_per_s:g} calls a second")
        if self._running.get(peer, 0) >= self._limits.most_concurrent_per_peer:
            raise Refusal(RefusalCode.BUSY, f"more than {self._limits.most_concurrent_per_peer} calls at once")
        self._running[peer] = self._running.get(peer, 0) + 1
        try:
            return await self._run(stream, peer)
        finally:
            self._running[peer] -= 1
            if not self._running[peer]:
                del self._running[peer]

    async def _run(self, stream: ByteStream, peer: str) -> bytes:
        (size,) = _LENGTH.unpack(await read_exact(stream, _LENGTH.size))
        if size > self._limits.most_request_bytes:
            raise Refusal(RefusalCode.TOO_LARGE, f"a request has at most {self._limits.most_request_bytes} bytes")
        request = await read_exact(stream, size)
        try:
            body = await self._handler(peer, request)
        except Refusal:
            raise
        except Exception as error:
            _log.warning("%s: the handler failed for %s: %r", stream.protocol, peer, error, exc_info=error)
            raise Refusal(RefusalCode.INTERNAL, "the handler failed") from error
        if len(body) > self._limits.most_reply_bytes:
            raise Refusal(RefusalCode.TOO_LARGE, f"the reply would have {len(body)} bytes")
        return _REPLY.pack(_ANSWER, len(body)) + body

    def _rate_of(self, peer: str) -> RateLimit:
        rate = self._rates.get(peer)
        if rate is None:
            if len(self._rates) >= _MOST_RATED_PEERS:
                self._rates.popitem(last=False)
            rate = self._rates[peer] = RateLimit(self._limits.most_per_s, self._limits.burst, trio.current_time)
        return rate


def _refusal(code: int, sentence: str) -> bytes:
    body = _CODE.pack(code) + sentence.encode()[:_MOST_SENTENCE_BYTES]
    return _REPLY.pack(_REFUSAL, len(body)) + body
