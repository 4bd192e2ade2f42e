"""Yamux over Noise: the frames of one connection as plain state, and three tasks that move its bytes.

Everything a peer sends passes through `Yamux._feed`, which never waits; everything that goes out passes through
`NoiseSession.send`, which never waits either. So no lock is held across a network operation, no frame can be
half sent, and cancelling whoever reads or writes a stream cannot hurt the connection.

What differs from libp2p's own muxer, each answering a measured failure of it:
- bytes beyond a window end the connection, at the header, before they are buffered;
- the window grows on streams that carry bulk only, and only within what the connection may owe in total;
- window updates are batched, half a window at a time; one frame is one Noise record;
- a reader that does not read makes its writer wait, for as long as it takes;
- one more stream than allowed is reset at once, inbound, and refused at once, outbound;
- a peer that is silent for `silence_s`, while we ping it every `ping_s`, is cut.

Specification: https://github.com/hashicorp/yamux/blob/master/spec.md
"""

from __future__ import annotations

import logging
import struct
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

import trio
from libp2p.abc import IMuxedConn
from libp2p.connection_types import ConnectionType
from libp2p.io.exceptions import ConnectionClosedError
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable, MuxedStreamError
from multiaddr import Multiaddr

from .config import MuxerLimits
from .noise import MOST_PLAINTEXT, NoiseSession
from .unread import UnreadLedger
from .yamux_stream import INITIAL_WINDOW, YamuxStream

_log = logging.getLogger(__name__)

DATA, WINDOW_UPDATE, PING, GO_AWAY = range(4)
SYN, ACK, FIN, RST = 1, 2, 4, 8
NORMAL, PROTOCOL_ERROR = 0, 1
HEADER: Final = struct.Struct("!BBHII")
MOST_BODY: Final = MOST_PLAINTEXT - HEADER.size
"""Payload bytes of a DATA frame that still fits one Noise record."""
_MOST_SEND_WINDOW: Final = 1 << 31
_YIELD_BYTES: Final = 512 * 1024
_CLOSE_S: Final = 1.0


class YamuxViolation(Exception):
    """The peer broke the yamux protocol; the text says how."""


class Yamux(IMuxedConn):
    """One connection and its streams; libp2p's swarm drives it through IMuxedConn."""

    def __init__(
        self,
        conn: NoiseSession,
        peer_id: ID,
        *,
        limits: MuxerLimits | None = None,
        most_streams_in: int = 256,
        unread: UnreadLedger | None = None,
    ) -> None:
        self.secured_conn = conn
        self.peer_id = peer_id
        self.limits = limits or MuxerLimits()
        self.most_streams_in = most_streams_in
        self.event_started = trio.Event()
        self.event_closed = trio.Event()
        self.on_close: Callable[[], Awaitable[None]] | None = None
        self.reason = ""
        self.streams: dict[int, YamuxStream] = {}
        self.streams_in = 0
        self.streams_refused = 0
        self.round_trip_s = 0.0
        self._next_id = 1 if conn.is_initiator else 2
        self._last_peer_id = 0
        self._accepted: deque[YamuxStream] = deque()
        self._parked = trio.lowlevel.ParkingLot()  # accept_stream
        self._congested = trio.lowlevel.ParkingLot()  # writers
        self._inbox = bytearray()
        self._body_left = 0
        self._body_of: YamuxStream | None = None
        self._body_flags = 0
        self._unread = unread or UnreadLedger(self.limits.most_unread_bytes)
        self._owed = 0
        self._heard = False
        self._ping_sent: float | None = None
        self._since_yield = 0

    # --- what the swarm calls

    @property
    def is_initiator(self) -> bool:
        """Whether we dialled."""
        return self.secured_conn.is_initiator

    @property
    def is_established(self) -> bool:
        """Whether streams can be opened."""
        return self.event_started.is_set() and not self.event_closed.is_set()

    @property
    def is_closed(self) -> bool:
        """Whether the connection is over."""
        return self.event_closed.is_set()

    def get_transport_addresses(self) -> list[Multiaddr]:
        """The address of the peer's end."""
        address = self.get_remote_address()
        if address is None:
            return []
        host, port = address
        return [Multiaddr(f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}")]

    def get_connection_type(self) -> ConnectionType:
        """Always direct."""
        return ConnectionType.DIRECT

    def get_remote_address(self) -> tuple[str, int] | None:
        """Host and port of the peer's end."""
        return self.secured_conn.get_remote_address()

    async def start(self) -> None:
        """Move bytes until the connection ends, however it ends."""
        self.event_started.set()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._read_forever)
                nursery.start_soon(self._write_forever)
                nursery.start_soon(self._keep_alive)
                await self.event_closed.wait()
                nursery.cancel_scope.cancel()
        except* Exception as failures:  # whatever it is, it must not take the other connections along
            _log.error("a connection failed: %r", failures.exceptions)
        finally:
            self._end("the connection was shut down")
        if self.on_close is not None:
            await self.on_close()

    async def close(self) -> None:
        """Say goodbye, let what is queued leave for a moment, and close the socket."""
        if self.event_closed.is_set():
            return
        self._try_send(GO_AWAY, 0, 0, NORMAL)
        with trio.move_on_after(_CLOSE_S):
            while self.secured_conn.backlog_bytes and not self.event_closed.is_set():
                await trio.sleep(0.01)
        self._end("we closed the connection")
        await trio.lowlevel.checkpoint()

    async def open_stream(self) -> YamuxStream:
        """A new stream; MuxedStreamError when the connection is over or has too many of ours."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.event_closed.is_set():
            raise MuxedStreamError(f"the connection is closed: {self.reason}")
        if len(self.streams) - self.streams_in >= self.limits.most_streams_out:
            raise MuxedStreamError(f"{self.limits.most_streams_out} streams of ours are open on this connection")
        stream = YamuxStream(self, self._next_id, inbound=False)
        self._next_id += 2
        self.streams[stream.stream_id] = stream
        self._owed += INITIAL_WINDOW
        self.send_frame(WINDOW_UPDATE, SYN, stream.stream_id, 0)
        return stream

    async def accept_stream(self) -> YamuxStream:
        """The next stream that the peer opened; MuxedConnUnavailable once the connection is over."""
        while not self._accepted:
            if self.event_closed.is_set():
                raise MuxedConnUnavailable("the connection is closed")
            await self._parked.park()
        return self._accepted.popleft()

    # --- going out

    def send_frame(self, kind: int, flags: int, stream_id: int, length: int, body: bytes = b"") -> None:
        """Send one frame now; a broken socket ends the connection and raises MuxedStreamError."""
        try:
            self.secured_conn.send(HEADER.pack(0, kind, flags, stream_id, length) + body)
        except ConnectionClosedError as error:
            self._end(str(error))
            raise MuxedStreamError(str(error)) from error
        if self.secured_conn.backlog_bytes > self.limits.most_backlog_bytes:
            self._end("the peer does not read")
            raise MuxedStreamError("the peer does not read")

    def _try_send(self, kind: int, flags: int, stream_id: int, length: int) -> None:
        if not self.event_closed.is_set():
            try:
                self.send_frame(kind, flags, stream_id, length)
            except MuxedStreamError:
                return

    @property
    def has_room(self) -> bool:
        """Whether the socket is not congested."""
        return self.secured_conn.backlog_bytes < self.limits.congested_bytes

    async def room_to_send(self, size: int) -> None:
        """Wait while the socket is congested; let other tasks run now and then."""
        while not (self.has_room or self.event_closed.is_set()):
            await self._congested.park()
        self._since_yield += size
        if self._since_yield >= _YIELD_BYTES:
            self._since_yield = 0
            await trio.lowlevel.checkpoint()

    def send_body(self, stream: YamuxStream, body: bytes) -> None:
        """One DATA frame of at most MOST_BODY bytes."""
        self.send_frame(DATA, 0, stream.stream_id, len(body), body)

    def send_credit(self, stream: YamuxStream, credit: int) -> None:
        """Allow the peer `credit` more bytes on `stream`."""
        self._try_send(WINDOW_UPDATE, 0, stream.stream_id, credit)

    def send_fin(self, stream: YamuxStream) -> None:
        """Tell the peer that nothing more follows on `stream`."""
        self._try_send(WINDOW_UPDATE, FIN, stream.stream_id, 0)

    def send_reset(self, stream_id: int) -> None:
        """Tell the peer that a stream is dead."""
        self._try_send(WINDOW_UPDATE, RST, stream_id, 0)

    # --- what streams owe and hold

    def grow(self, extra: int) -> bool:
        """Whether a stream may get `extra` more bytes of window; the connection remembers it."""
        if self._owed + extra > self.limits.most_granted_bytes:
            return False
        self._owed += extra
        return True

    def read_from_buffer(self, size: int) -> None:
        """`size` received bytes were read or dropped."""
        self._unread.remove(self, size)

    def forget(self, stream: YamuxStream) -> None:
        """Drop a stream that is over in both directions."""
        if self.streams.pop(stream.stream_id, None) is not None:
            self._owed -= stream.window
            self.streams_in -= stream.inbound
            if self._body_of is stream:
                self._body_of = None

    # --- coming in

    async def _read_forever(self) -> None:
        try:
            while not self.event_closed.is_set():
                records = await self.secured_conn.receive()
                if not records:
                    self._end("the peer closed the connection")
                self._heard = True
                for record in records:
                    self._feed(record)
        except YamuxViolation as violation:
            self._try_send(GO_AWAY, 0, 0, PROTOCOL_ERROR)
            self._end(f"the peer broke the yamux protocol: {violation}")
        except ConnectionClosedError as error:
            self._end(str(error))

    def _feed(self, data: bytes) -> None:
        if self.event_closed.is_set():
            return
        if not self._inbox and not self._body_left and self._feed_whole_frame(data):
            return
        self._inbox += data
        inbox, at = self._inbox, 0
        while not self.event_closed.is_set():
            if self._body_left:
                part = bytes(inbox[at : at + self._body_left])
                if not part:
                    break
                at += len(part)
                self._body_left -= len(part)
                self._deliver(self._body_of, part)
                if not self._body_left:
                    self._finish_frame()
            elif len(inbox) - at >= HEADER.size:
                self._header(*HEADER.unpack_from(inbox, at))
                at += HEADER.size
            else:
                break
        del inbox[:at]

    def _feed_whole_frame(self, data: bytes) -> bool:
        """The usual case, one record holding exactly one DATA frame, without another copy."""
        if len(data) < HEADER.size or data[1] != DATA:
            return False
        version, kind, flags, stream_id, length = HEADER.unpack_from(data)
        if length != len(data) - HEADER.size or not length:
            return False
        self._header(version, kind, flags, stream_id, length)
        self._body_left = 0
        self._deliver(self._body_of, data[HEADER.size :])
        self._finish_frame()
        return True

    def _header(self, version: int, kind: int, flags: int, stream_id: int, length: int) -> None:
        if version != 0 or kind > GO_AWAY:
            raise YamuxViolation(f"version {version}, frame type {kind}")
        if kind == PING:
            self._on_ping(flags, length)
            return
        if kind == GO_AWAY:
            self._end("the peer said goodbye" if length == NORMAL else f"the peer gave up with code {length}")
            return
        stream = self._open_inbound(stream_id) if flags & SYN else self.streams.get(stream_id)
        if kind == WINDOW_UPDATE:
            if stream is not None:
                self._on_credit(stream, length)
            self._on_flags(stream, flags)
            return
        if length > (stream.receive_window if stream is not None else INITIAL_WINDOW + self.limits.window_bytes):
            raise YamuxViolation(f"{length} bytes exceed the window of stream {stream_id}")
        if stream is not None:
            stream.receive_window -= length
        self._body_of, self._body_left, self._body_flags = stream, length, flags
        if not length:
            self._finish_frame()

    def _finish_frame(self) -> None:
        stream, self._body_of = self._body_of, None
        self._on_flags(stream, self._body_flags)

    def _deliver(self, stream: YamuxStream | None, part: bytes) -> None:
        if stream is None or not stream.deliver(part):
            return
        fattest = self._unread.add(self, len(part))
        if fattest is not None:
            fattest.cut("it holds the most unread bytes, and all connections together hold too many")

    def cut(self, reason: str) -> None:
        """End the connection for `reason`."""
        self._end(reason)

    def _on_credit(self, stream: YamuxStream, credit: int) -> None:
        stream.send_window += credit
        if stream.send_window > _MOST_SEND_WINDOW:
            raise YamuxViolation(f"the window of stream {stream.stream_id} overflows")
        if credit:
            stream.writable.unpark_all()

    def _on_flags(self, stream: YamuxStream | None, flags: int) -> None:
        if stream is None:
            return
        if flags & RST:
            stream.on_reset("the peer reset the stream")
        elif flags & FIN:
            stream.on_fin()

    def _open_inbound(self, stream_id: int) -> YamuxStream | None:
        ours = self._next_id & 1
        if stream_id == 0 or stream_id & 1 == ours or stream_id <= self._last_peer_id:
            raise YamuxViolation(f"stream id {stream_id} is not a new one of its side")
        self._last_peer_id = stream_id
        if self.streams_in >= self.most_streams_in:
            self.streams_refused += 1
            self.send_reset(stream_id)
            return None
        stream = YamuxStream(self, stream_id, inbound=True)
        self.streams[stream_id] = stream
        self.streams_in += 1
        self._owed += INITIAL_WINDOW
        self._try_send(WINDOW_UPDATE, ACK, stream_id, 0)
        self._accepted.append(stream)
        self._parked.unpark()
        return stream

    def _on_ping(self, flags: int, value: int) -> None:
        if flags & SYN:
            self._try_send(PING, ACK, 0, value)
        elif flags & ACK and self._ping_sent is not None:
            self.round_trip_s = trio.current_time() - self._ping_sent
            self._ping_sent = None

    # --- the other two tasks, and the end

    async def _write_forever(self) -> None:
        try:
            await self.secured_conn.flush_forever(self._wake_writers)
        except (ConnectionClosedError, trio.ClosedResourceError, OSError) as error:
            self._end(str(error) or "the connection broke")

    def _wake_writers(self) -> None:
        if self.has_room:
            self._congested.unpark_all()

    async def _keep_alive(self) -> None:
        """Ping, and count silent intervals, so that a stall of our own loop counts as one only."""
        most_silent = max(1, round(self.limits.silence_s / self.limits.ping_s))
        silent = nonce = 0
        while not self.event_closed.is_set():
            nonce = (nonce + 1) & 0xFFFFFFFF
            self._ping_sent = trio.current_time()
            self._try_send(PING, SYN, 0, nonce)
            await trio.sleep(self.limits.ping_s)
            silent = 0 if self._heard else silent + 1
            self._heard = False
            if silent >= most_silent:
                self._end(f"the peer was silent for {self.limits.silence_s:g} s")
            self._reset_lingering()

    def _reset_lingering(self) -> None:
        now = trio.current_time()
        for stream in [*self.streams.values()]:
            if stream.closed_at is not None and now - stream.closed_at > self.limits.linger_s:
                stream.abandon()

    def _end(self, reason: str) -> None:
        if self.event_closed.is_set():
            return
        self.reason = reason
        self.event_closed.set()
        for stream in [*self.streams.values()]:
            stream.on_connection_end(reason)
        self._unread.drop(self)
        self.secured_conn.abort()
        self._inbox.clear()
        self._parked.unpark_all()
        self._congested.unpark_all()
