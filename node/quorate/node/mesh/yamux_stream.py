"""One yamux stream: two windows, a queue of received chunks, and who waits for them."""

from __future__ import annotations

from collections import deque
from types import TracebackType
from typing import TYPE_CHECKING, Final

import trio
from libp2p.abc import IMuxedStream
from libp2p.stream_muxer.exceptions import MuxedStreamClosed, MuxedStreamEOF, MuxedStreamReset

if TYPE_CHECKING:
    from .yamux import Yamux

INITIAL_WINDOW: Final = 256 * 1024
"""What the specification grants every new stream."""
_BULK_BYTES: Final = 128 * 1024
"""A stream that received more than this carries bulk, and gets the large window."""
_MOST_BODY: Final = 65535 - 16 - 12


class YamuxStream(IMuxedStream):
    """A bidirectional byte stream inside a `Yamux` connection.

    `read` is safe to cancel. A cancelled `write` may have sent a part, but never part of a frame.
    """

    def __init__(self, conn: Yamux, stream_id: int, *, inbound: bool) -> None:
        self.conn = conn
        self.muxed_conn = conn
        self.stream_id = stream_id
        self.inbound = inbound
        self.send_window = INITIAL_WINDOW
        self.receive_window = INITIAL_WINDOW
        self.window = INITIAL_WINDOW
        self.writable = trio.lowlevel.ParkingLot()
        self.broken = ""
        """Why the stream is dead; empty while it is not."""
        self.closed_at: float | None = None
        """When we gave up both directions."""
        self._readable = trio.lowlevel.ParkingLot()
        self._chunks: deque[bytes] = deque()
        self._unread = 0
        self._received = 0
        self._to_release = 0
        self._fin_received = False
        self._fin_sent = False
        self._write_lock = trio.Lock()

    # --- what the connection calls

    def deliver(self, part: bytes) -> bool:
        """Take received bytes; False when nobody will ever read them."""
        if self.closed_at is not None or self.broken:
            return False
        self._chunks.append(part)
        self._unread += len(part)
        self._received += len(part)
        self._readable.unpark_all()
        return True

    def on_fin(self) -> None:
        """The peer sends no more."""
        self._fin_received = True
        self._readable.unpark_all()
        self._forget_if_over()

    def on_reset(self, reason: str) -> None:
        """The stream is dead, and what it had received with it."""
        self._drop_unread()
        self._fin_received = False
        self.on_connection_end(reason)

    def on_connection_end(self, reason: str) -> None:
        """Nothing more arrives and nothing can be sent; what has arrived can still be read."""
        self.broken = self.broken or reason
        self.conn.forget(self)
        self._readable.unpark_all()
        self.writable.unpark_all()

    def _forget_if_over(self) -> None:
        if self._fin_sent and self._fin_received:
            self.conn.forget(self)

    def _drop_unread(self) -> None:
        self._chunks.clear()
        self.conn.read_from_buffer(self._unread)
        self._unread = 0

    # --- reading

    async def read(self, n: int | None = -1) -> bytes:
        """At most `n` bytes (None or -1: all that is there), at least one.

        Raises MuxedStreamEOF after the peer's last byte and MuxedStreamReset when the stream died.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._chunks:
            if self._fin_received or self.closed_at is not None:
                raise MuxedStreamEOF("the stream has ended")
            if self.broken:
                raise MuxedStreamReset(self.broken)
            await self._readable.park()
        data = self._take(n)
        self._unread -= len(data)
        self.conn.read_from_buffer(len(data))
        if not (self._fin_received or self.broken):
            self._release(len(data))
        return data

    def _take(self, n: int | None) -> bytes:
        first = self._chunks[0]
        if n is None or n < 0 or n >= self._unread:
            data = first if len(self._chunks) == 1 else b"".join(self._chunks)
            self._chunks.clear()
            return data
        if n >= len(first):
            return self._chunks.popleft()
        self._chunks[0] = first[n:]
        return first[:n]

    def _release(self, size: int) -> None:
        self._to_release += size
        wanted = self.conn.limits.window_bytes
        if self.window < wanted and self._received > _BULK_BYTES and self.conn.grow(wanted - self.window):
            self._to_release += wanted - self.window
            self.window = wanted
        if self._to_release >= self.window // 2:
            credit, self._to_release = self._to_release, 0
            self.receive_window += credit
            self.conn.send_credit(self, credit)

    # --- writing

    async def write(self, data: bytes) -> None:
        """Send all of `data`, waiting for the peer's window and the socket as long as it takes.

        Raises MuxedStreamReset when the stream died and MuxedStreamClosed after `close`.
        """
        try:
            self._write_lock.acquire_nowait()
        except trio.WouldBlock:
            await self._write_lock.acquire()
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
            await self._write(data)
        finally:
            self._write_lock.release()

    def write_now(self, data: bytes) -> bool:
        """Send all of `data` if nothing has to be waited for; False, and nothing sent, otherwise."""
        if self.broken or self._fin_sent or self._write_lock.locked() or not self.conn.has_room:
            return False
        if len(data) > min(self.send_window, _MOST_BODY):
            return False
        self.send_window -= len(data)
        self.conn.send_body(self, data)
        return True

    async def _write(self, data: bytes) -> None:
        at, end = 0, len(data)
        while at < end:
            await self.conn.room_to_send(min(_MOST_BODY, end - at))
            if self.broken:
                raise MuxedStreamReset(self.broken)
            if self._fin_sent:
                raise MuxedStreamClosed("the stream is closed for sending")
            size = min(self.send_window, _MOST_BODY, end - at)
            if size <= 0:
                await self.writable.park()
                continue
            self.send_window -= size
            self.conn.send_body(self, data[at : at + size] if size < end else data)
            at += size

    # --- ending

    async def close(self) -> None:
        """Send no more; reading goes on (this is what libp2p calls close)."""
        self.end_sending()
        await trio.lowlevel.checkpoint()

    def end_sending(self) -> None:
        """Tell the peer, once, that nothing more follows."""
        if not self._fin_sent and not self.broken:
            self._fin_sent = True
            self.conn.send_fin(self)
            self.writable.unpark_all()
            self._forget_if_over()

    def give_up(self) -> None:
        """Send no more and read no more; what still comes is dropped, and after a while the peer is reset."""
        self.end_sending()
        if not self.broken and self.closed_at is None:
            self.closed_at = trio.current_time()
            self._drop_unread()
            self._readable.unpark_all()

    def abandon(self) -> None:
        """Kill the stream in both directions, now."""
        if not self.broken:
            over = self._fin_sent and self._fin_received
            self.on_reset("we reset the stream")
            if not over:
                self.conn.send_reset(self.stream_id)

    async def reset(self) -> None:
        """Kill the stream in both directions."""
        self.abandon()
        await trio.lowlevel.checkpoint()

    def set_deadline(self, ttl: int) -> None:
        """Not offered; use a cancel scope."""
        raise NotImplementedError("use a trio cancel scope")

    def get_remote_address(self) -> tuple[str, int] | None:
        """Host and port of the peer's end of the connection."""
        return self.conn.get_remote_address()

    async def __aenter__(self) -> YamuxStream:
        """Nothing to do."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Send no more."""
        self.end_sending()
