"""Yamux between two ends in memory: any cut of the bytes, every violation, windows, credit and the ledger."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
import trio

from quorate.node.mesh import Mesh, MuxerLimits  # noqa: F401  # quiets the import of libp2p
from quorate.node.mesh.unread import UnreadLedger

from libp2p.io.exceptions import ConnectionClosedError  # isort: skip
from libp2p.peer.id import ID  # isort: skip
from libp2p.stream_muxer.exceptions import MuxedStreamEOF, MuxedStreamError, MuxedStreamReset  # isort: skip
from quorate.node.mesh.yamux import ACK, DATA, FIN, GO_AWAY, HEADER, PING, RST, SYN, WINDOW_UPDATE, Yamux  # isort: skip
from quorate.node.mesh.yamux_stream import INITIAL_WINDOW  # isort: skip


class MemorySession:
    """What Yamux needs of a NoiseSession; cuts what it carries into pieces of random sizes."""

    def __init__(self, *, is_initiator: bool, seed: int) -> None:
        self.is_initiator = is_initiator
        self.backlog_bytes = 0
        self.other: MemorySession = self
        self._random = random.Random(seed)
        self._bytes = bytearray()
        self._closed = False
        self._changed = trio.lowlevel.ParkingLot()

    def send(self, plaintext: bytes) -> None:
        if self._closed:
            raise ConnectionClosedError("closed", transport="memory")
        self.other._bytes += plaintext
        self.other._changed.unpark_all()

    async def receive(self) -> list[bytes]:
        while not self._bytes:
            if self._closed or self.other._closed:
                return []
            await self._changed.park()
        pieces: list[bytes] = []
        while self._bytes and len(pieces) < 3:
            size = self._random.choice([1, 5, 12, 13, 100, 70_000])
            pieces.append(bytes(self._bytes[:size]))
            del self._bytes[:size]
        await trio.lowlevel.checkpoint()
        return pieces

    async def flush_forever(self, progress: object) -> None:
        await trio.sleep_forever()

    def abort(self) -> None:
        self._closed = True
        for each in (self, self.other):
            each._changed.unpark_all()

    def get_remote_address(self) -> None:
        return None


@asynccontextmanager
async def connection(
    seed: int = 0, limits: MuxerLimits | None = None, **options: Any
) -> AsyncIterator[tuple[Yamux, Yamux]]:
    """Two running ends."""
    ends = [MemorySession(is_initiator=first, seed=seed) for first in (True, False)]
    ends[0].other, ends[1].other = ends[1], ends[0]
    muxers = [
        Yamux(cast(Any, end), ID(b"peer"), limits=limits or MuxerLimits(silence_s=60), **options) for end in ends
    ]
    async with trio.open_nursery() as nursery:
        for muxer in muxers:
            nursery.start_soon(muxer.start)
        yield muxers[0], muxers[1]
        nursery.cancel_scope.cancel()


async def read_all(stream: Any) -> bytes:
    data = bytearray()
    while True:
        try:
            data += await stream.read(1000)
        except MuxedStreamEOF:
            return bytes(data)


@pytest.mark.parametrize("seed", range(4))
async def test_streams_survive_any_cut_of_their_bytes(seed: int, autojump_clock: object) -> None:
    generator = random.Random(seed)
    sent = [generator.randbytes(generator.choice([0, 1, 1000, 300_000, 700_000])) for _ in range(6)]
    async with connection(seed) as (near, far), trio.open_nursery() as nursery:

        async def echo() -> None:
            while True:
                nursery.start_soon(answer, await far.accept_stream())

        async def answer(stream: Any) -> None:
            data = await read_all(stream)
            await stream.write(data)
            await stream.close()

        async def ask(data: bytes) -> None:
            stream = await near.open_stream()
            await stream.write(data)
            await stream.close()
            assert await read_all(stream) == data

        nursery.start_soon(echo)
        async with trio.open_nursery() as asking:
            for data in sent:
                asking.start_soon(ask, data)
        nursery.cancel_scope.cancel()
    assert near.streams == far.streams == {}
    assert near._owed == far._owed == far.streams_in == 0
    assert near._unread.total == far._unread.total == 0


def frame(kind: int, flags: int, stream: int, length: int, body: bytes = b"", version: int = 0) -> bytes:
    return HEADER.pack(version, kind, flags, stream, length) + body


OPEN = frame(WINDOW_UPDATE, SYN, 1, 0)


@pytest.mark.parametrize(
    "wire",
    [
        frame(DATA, 0, 1, 0, version=1),
        frame(9, 0, 1, 0),
        frame(WINDOW_UPDATE, SYN, 2, 0),
        frame(WINDOW_UPDATE, SYN, 0, 0),
        OPEN + OPEN,
        OPEN + frame(WINDOW_UPDATE, SYN, 3, 0) + OPEN,
        OPEN + frame(WINDOW_UPDATE, 0, 1, 0xFFFFFFFF),
        OPEN + frame(DATA, 0, 1, INITIAL_WINDOW + 1),
        OPEN + frame(DATA, 0, 1, INITIAL_WINDOW, bytes(INITIAL_WINDOW)) + frame(DATA, 0, 1, 1, b"x"),
        frame(DATA, 0, 77, 0xFFFFFFFF),
        frame(DATA, SYN, 1, INITIAL_WINDOW + 1),
        b"\xff" * 12,
    ],
    ids=[
        "version", "kind", "our ids", "id 0", "same id", "old id", "window overflow",
        "beyond the window", "beyond what is left", "huge on a dead stream", "beyond with syn", "ones",
    ],
)  # fmt: skip
async def test_violations_end_the_connection(wire: bytes, autojump_clock: object) -> None:
    async with connection() as (near, far):
        cast(Any, near.secured_conn).send(wire)
        with trio.fail_after(100):
            await far.event_closed.wait()
        assert "broke the yamux protocol" in far.reason
        with trio.fail_after(100):
            await near.event_closed.wait()
        assert far._unread.total == 0


async def test_frames_that_mean_nothing_are_ignored(autojump_clock: object) -> None:
    """Data, credit and ends for streams that are gone, stray pongs, flags that we do not use."""
    async with connection() as (near, far):
        for wire in (
            frame(DATA, 0, 9, 5, b"stale"),
            frame(WINDOW_UPDATE, 0, 9, 1000),
            frame(WINDOW_UPDATE, FIN, 9, 0),
            frame(WINDOW_UPDATE, RST, 9, 0),
            frame(WINDOW_UPDATE, ACK, 9, 0),
            frame(PING, ACK, 0, 12345),
        ):
            cast(Any, near.secured_conn).send(wire)
        stream = await near.open_stream()
        await stream.write(b"hello")
        assert await (await far.accept_stream()).read() == b"hello"


async def test_goodbye_ends_the_connection_and_keeps_what_arrived(autojump_clock: object) -> None:
    async with connection() as (near, far):
        whole, half = await near.open_stream(), await near.open_stream()
        await whole.write(b"all of it")
        await whole.close()
        await half.write(b"a part")
        inbound = [await far.accept_stream() for _ in range(2)]
        await near.close()
        with trio.fail_after(100):
            await far.event_closed.wait()
        assert far.reason == "the peer said goodbye"
        assert await inbound[0].read() == b"all of it"
        with pytest.raises(MuxedStreamEOF):
            await inbound[0].read()
        assert await inbound[1].read() == b"a part"
        with pytest.raises(MuxedStreamReset, match="goodbye"):
            await inbound[1].read()
        with pytest.raises(MuxedStreamError):
            await far.open_stream()
        assert frame(GO_AWAY, 0, 0, 0)  # the frame that said it


async def test_the_window_grows_only_for_bulk_and_only_within_the_grant(autojump_clock: object) -> None:
    limits = MuxerLimits(window_bytes=1 << 20, most_granted_bytes=3 << 20, silence_s=60)
    async with connection(limits=limits) as (near, far):
        for _ in range(5):
            stream = await near.open_stream()
            other = await far.accept_stream()
            for _ in range(40):
                await stream.write(bytes(20_000))
                read = 0
                while read < 20_000:
                    read += len(await other.read())
        windows = sorted(each.window for each in far.streams.values())
        assert windows == [INITIAL_WINDOW] * 2 + [1 << 20] * 3
        quiet = await near.open_stream()
        await quiet.write(b"x")
        assert await (await far.accept_stream()).read() == b"x"
        assert far.streams[quiet.stream_id].window == INITIAL_WINDOW


async def test_a_peer_that_floods_pings_and_reads_nothing_is_cut(autojump_clock: object) -> None:
    async with connection() as (near, far):
        session = cast(Any, far.secured_conn)
        deliver, backlog = session.send, []

        def stuck(plaintext: bytes) -> None:
            backlog.append(plaintext)
            session.backlog_bytes += len(plaintext)

        session.send = stuck
        for number in range(far.limits.most_backlog_bytes // HEADER.size + 2):
            cast(Any, near.secured_conn).send(frame(PING, SYN, 0, number & 0xFFFF))
        with trio.fail_after(1000):
            await far.event_closed.wait()
        assert far.reason == "the peer does not read"
        assert deliver is not stuck


def test_the_ledger_names_the_fattest() -> None:
    class Connection:
        def cut(self, reason: str) -> None:
            raise AssertionError

    ledger, fat, thin = UnreadLedger(100), Connection(), Connection()
    assert ledger.add(fat, 70) is None
    assert ledger.add(thin, 30) is None
    assert ledger.add(thin, 1) is fat
    ledger.drop(fat)
    ledger.remove(fat, 5)
    assert ledger.total == 31
    ledger.remove(thin, 31)
    assert ledger.total == 0
