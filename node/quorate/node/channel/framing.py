"""A channel: whole messages over one stream, with bounds, heartbeats and named reasons.

Three tasks own the stream for as long as the channel lives; `send` and `receive` only touch queues, so either
may be cancelled at any time and neither loses, repeats or halves a message. Both queues are bounded in bytes.
A full outgoing queue makes `send` wait. A full incoming queue stops reading, so that the peer waits in turn; or,
with `cut_when_full`, everything is always read, and a peer that runs too far ahead is cut.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import trio

from quorate.node.mesh.errors import ChannelError, MessageTooLarge, StreamBroken
from quorate.node.mesh.scopes import open_scope, service_nursery, shielded
from quorate.node.mesh.transport import ByteStream
from quorate.node.tasks import TaskStatus

from .frames import HEADER_BYTES, HEARTBEAT_FRAME, FrameError, FrameReader, header

_COALESCE_BYTES: Final = 128 * 1024
_AT_ONCE_BYTES: Final = 32 * 1024
_READ_BYTES: Final = 1 << 20
_YIELD_EVERY: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelConfig:
    """The bounds of one channel, in bytes and seconds."""

    most_message_bytes: int = 16 * 1024 * 1024
    most_queued_out_bytes: int = 4 * 1024 * 1024
    """`send` waits above this; one larger message may still pass alone."""
    most_queued_in_bytes: int = 64 * 1024 * 1024
    cut_when_full: bool = False
    heartbeat_s: float = 1.0
    silence_s: float = 6.0
    """A peer from which nothing came for this long is cut; 0 leaves that to the connection."""
    close_s: float = 5.0
    """How long closing waits for the outgoing queue to leave."""


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """Counters of one channel; bytes include frame headers and heartbeats."""

    messages_in: int
    messages_out: int
    bytes_in: int
    bytes_out: int
    queued_in_bytes: int
    queued_out_bytes: int


class Channel:
    """Messages over one stream; use `open_channel`, or run `run` in a nursery."""

    def __init__(
        self, stream: ByteStream, config: ChannelConfig, *, inspect: Callable[[bytes], None] | None = None
    ) -> None:
        """`inspect` sees each message as it arrives, and cuts the peer by raising FrameError."""
        self.stream = stream
        self.config = config
        self._inspect = inspect
        self._reader = FrameReader(config.most_message_bytes)
        self._incoming: deque[bytes] = deque()
        self._outgoing: deque[bytes] = deque()
        self._in_bytes = self._out_bytes = 0
        self._arrived = trio.lowlevel.ParkingLot()
        self._drained = trio.lowlevel.ParkingLot()
        self._room_out = trio.lowlevel.ParkingLot()
        self._work = trio.lowlevel.ParkingLot()
        self._flushed = trio.lowlevel.ParkingLot()
        self._failure: tuple[str, bool] | None = None
        self._ended_in = self._ended_out = False
        self._writing = self._beat_due = self._paused = False
        self._heard = self._said = False
        self._messages_in = self._messages_out = self._total_in = self._total_out = 0
        self._scope = open_scope()
        self.finished = trio.Event()

    @property
    def peer_id(self) -> str:
        """The authenticated peer id of the other end."""
        return self.stream.peer_id

    @property
    def statistics(self) -> ChannelStatistics:
        """Counters so far."""
        return ChannelStatistics(
            messages_in=self._messages_in,
            messages_out=self._messages_out,
            bytes_in=self._total_in,
            bytes_out=self._total_out,
            queued_in_bytes=self._in_bytes,
            queued_out_bytes=self._out_bytes,
        )

    @property
    def failure(self) -> str:
        """Why the channel is over, if it failed; else empty."""
        return self._failure[0] if self._failure else ""

    # --- for the user

    async def send(self, message: bytes) -> None:
        """Queue `message`, waiting while the queue is full.

        Raises MessageTooLarge, StreamBroken when the channel is over, ChannelError when the peer broke it.
        """
        if len(message) > self.config.most_message_bytes:
            raise MessageTooLarge("a message", size=len(message), limit=self.config.most_message_bytes)
        if self._messages_out % _YIELD_EVERY:
            await trio.lowlevel.checkpoint_if_cancelled()
        else:
            await trio.lowlevel.checkpoint()
        while self._out_bytes and self._out_bytes + len(message) > self.config.most_queued_out_bytes:
            self._check_sendable()
            await self._room_out.park()
        self._check_sendable()
        self._messages_out += 1
        if not self._sent_at_once(message):
            self._outgoing.append(message)
            self._out_bytes += len(message)
            self._work.unpark()

    def _sent_at_once(self, message: bytes) -> bool:
        """A small message on an idle channel skips the queue and its task switch."""
        if self._outgoing or self._writing or len(message) > _AT_ONCE_BYTES:
            return False
        if not self.stream.send_now(header(len(message)) + message):
            return False
        self._said = True
        self._total_out += HEADER_BYTES + len(message)
        return True

    async def receive(self) -> bytes:
        """The next message; trio.EndOfChannel after the peer's last.

        Messages that arrived before a failure are still delivered; then StreamBroken or ChannelError is raised.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._incoming:
            self._raise_failure()
            if self._ended_in:
                raise trio.EndOfChannel
            await self._arrived.park()
        message = self._incoming.popleft()
        self._in_bytes -= len(message)
        self._drained.unpark()
        return message

    def end_sending(self) -> None:
        """Half-close: send what is queued, then tell the peer that nothing follows."""
        self._ended_out = True
        self._work.unpark()
        self._room_out.unpark_all()

    async def flush(self) -> None:
        """Wait until everything queued has been handed to the stream, or the channel is over."""
        await trio.lowlevel.checkpoint_if_cancelled()
        while (self._outgoing or self._writing) and self._failure is None:
            await self._flushed.park()

    async def aclose(self) -> None:
        """Send what is queued, for at most `close_s`, then end the channel and its tasks."""
        self.end_sending()
        with trio.move_on_after(self.config.close_s):
            await self.flush()
        self._scope.cancel()

    def cut(self, reason: str) -> None:
        """End the channel as the peer's fault; the stream is reset."""
        self._fail(reason, by_peer=True)
        self.stream.reset()

    # --- the tasks

    async def run(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the stream until the channel ends, however it ends."""
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._read)
                    nursery.start_soon(self._write)
                    nursery.start_soon(self._beat)
                    task_status.started(None)
        finally:
            self._fail("the channel was closed", by_peer=False)
            self.stream.close()
            self.finished.set()

    async def _read(self) -> None:
        try:
            while True:
                data = await self.stream.receive(_READ_BYTES)
                if not data:
                    break
                self._heard = True
                self._total_in += len(data)
                self._take(self._reader.feed(data))
                if self._reader.error:
                    raise FrameError(self._reader.error)
                await self._wait_for_room()
            if self._reader.pending_bytes:
                raise FrameError("its stream ended inside a message")
            self._ended_in = True
            self._arrived.unpark_all()
        except FrameError as error:
            self.cut(str(error))
        except StreamBroken as error:
            self._fail(error.reason, by_peer=False)

    def _take(self, messages: list[bytes]) -> None:
        for message in messages:
            if self._inspect is not None:
                self._inspect(message)
            self._incoming.append(message)
            self._in_bytes += len(message)
            self._messages_in += 1
        if messages:
            self._arrived.unpark(count=len(messages))

    async def _wait_for_room(self) -> None:
        if self._in_bytes <= self.config.most_queued_in_bytes:
            return
        if self.config.cut_when_full:
            raise FrameError(f"it is more than {self.config.most_queued_in_bytes} bytes ahead of us")
        self._paused = True
        while self._in_bytes > self.config.most_queued_in_bytes // 2:
            await self._drained.park()
        self._paused = False

    async def _write(self) -> None:
        try:
            while not (self._ended_out and not self._outgoing):
                if self._outgoing or self._beat_due:
                    await self._write_batch()
                else:
                    await self._work.park()
            self.stream.end_sending()
        except StreamBroken as error:
            self._fail(error.reason, by_peer=False)

    async def _write_batch(self) -> None:
        parts: list[bytes] = [] if self._outgoing else [HEARTBEAT_FRAME]
        size = sum(map(len, parts))
        while self._outgoing and size < _COALESCE_BYTES:
            message = self._outgoing.popleft()
            parts += header(len(message)), message
            size += HEADER_BYTES + len(message)
            self._out_bytes -= len(message)
        self._writing, self._beat_due, self._said = True, False, True
        self._room_out.unpark_all()
        self._total_out += size
        if len(parts) == 2 and size > _COALESCE_BYTES:
            await self.stream.send(parts[0])
            await self.stream.send(parts[1])
        else:
            await self.stream.send(b"".join(parts))
        self._writing = False
        if not self._outgoing:
            self._flushed.unpark_all()

    async def _beat(self) -> None:
        """Ask for a heartbeat after a quiet interval; count the peer's, so that a stall of ours counts once."""
        most_silent = max(1, round(self.config.silence_s / self.config.heartbeat_s))
        silent = 0
        while self._failure is None:
            await trio.sleep(self.config.heartbeat_s)
            if not (self._said or self._writing or self._ended_out):
                self._beat_due = True
                self._work.unpark()
            excused = self._heard or self._paused or self._ended_in
            silent = 0 if excused else silent + 1
            self._said = self._heard = False
            if self.config.silence_s and silent >= most_silent:
                self.cut(f"it was silent for {self.config.silence_s:g} s")

    # --- failing

    def _check_sendable(self) -> None:
        self._raise_failure()
        if self._ended_out:
            raise StreamBroken(self.peer_id, self.stream.protocol, "the channel is closed for sending")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            reason, by_peer = self._failure
            if by_peer:
                raise ChannelError(self.peer_id, reason)
            raise StreamBroken(self.peer_id, self.stream.protocol, reason)

    def _fail(self, reason: str, *, by_peer: bool) -> None:
        if self._failure is None:
            self._failure = (reason, by_peer)
            self._scope.cancel()
        for lot in (self._arrived, self._drained, self._room_out, self._work, self._flushed):
            lot.unpark_all()


@asynccontextmanager
async def open_channel(
    stream: ByteStream, config: ChannelConfig | None = None, *, inspect: Callable[[bytes], None] | None = None
) -> AsyncIterator[Channel]:
    """A running channel over `stream`; the exit sends what is queued and closes both."""
    channel = Channel(stream, config or ChannelConfig(), inspect=inspect)
    async with service_nursery() as nursery:
        await nursery.start(channel.run)
        try:
            yield channel
        finally:
            with shielded():
                await channel.aclose()
