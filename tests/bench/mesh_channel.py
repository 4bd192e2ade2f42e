"""Round trips and throughput of the mesh between two processes on loopback, next to raw trio TCP in the same run.

    python tests/bench/mesh_channel.py [--json] [--quick]

Layers: `tcp` (trio sockets, nothing else), `stream` (Noise and yamux), `channel` (framing, queues, heartbeats) and
`session` (the data plane of a committee). Round trips carry 64 bytes; bulk moves one way in messages of 1 MiB.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

import trio

from quorate.node.channel import ChannelConfig, expect_sessions, open_channel, open_session
from quorate.node.mesh import ByteStream, DiscoveryConfig, GossipConfig, Mesh, MeshConfig, open_mesh

SMALL = 64
PIECE = 1 << 20
SESSION = bytes(32)
CONFIG = MeshConfig(gossip=GossipConfig(enabled=False), discovery=DiscoveryConfig(exchange=False))
Send = Callable[[bytes], Awaitable[None]]
Receive = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one layer does; `cpu_s_per_gb` is the sender's."""

    layer: str
    median_us: float
    p99_us: float
    mb_per_s: float
    cpu_s_per_gb: float


class Tcp:
    """Trio sockets."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.send: Send = stream.send_all
        self._stream = stream

    async def receive(self, size: int) -> None:
        while size:
            data = await self._stream.receive_some(min(size, PIECE))
            if not data:
                raise EOFError
            size -= len(data)


class MeshBytes:
    """A stream of the mesh."""

    def __init__(self, stream: ByteStream) -> None:
        self.send: Send = stream.send
        self._stream = stream

    async def receive(self, size: int) -> None:
        while size:
            data = await self._stream.receive(size)
            if not data:
                raise EOFError
            size -= len(data)


async def answer(send: Send, receive: Receive, *, rounds: int, pieces: int) -> None:
    """The far side of `measure`."""
    for _ in range(rounds):
        await receive(SMALL)
        await send(bytes(SMALL))
    for _ in range(pieces):
        await receive(PIECE)
    await send(bytes(SMALL))


async def measure(layer: str, send: Send, receive: Receive, *, rounds: int, pieces: int) -> Figures:
    """Round trips, then bulk, seen from the near side."""
    times: list[float] = []
    for _ in range(rounds):
        start = time.perf_counter()
        await send(bytes(SMALL))
        await receive(SMALL)
        times.append((time.perf_counter() - start) * 1e6)
    times.sort()
    piece = os.urandom(PIECE)
    start, cpu = time.perf_counter(), time.process_time()
    for _ in range(pieces):
        await send(piece)
    await receive(SMALL)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    size = pieces * PIECE
    return Figures(
        layer,
        round(statistics.median(times), 1),
        round(times[int(rounds * 0.99)], 1),
        round(size / 1e6 / seconds, 1),
        round(cpu / (size / 1e9), 2),
    )


def key(name: str) -> bytes:
    """A fixed identity."""
    return hashlib.sha256(name.encode()).digest()


async def serve(rounds: int, pieces: int) -> None:
    """The far process: every layer at once."""
    config = ChannelConfig(most_message_bytes=2 * PIECE)

    async def tcp(stream: trio.SocketStream) -> None:
        async with stream:
            end = Tcp(stream)
            await answer(end.send, end.receive, rounds=rounds, pieces=pieces)

    async def plain(stream: ByteStream) -> None:
        end = MeshBytes(stream)
        await answer(end.send, end.receive, rounds=rounds, pieces=pieces)

    async def framed(stream: ByteStream) -> None:
        async with open_channel(stream, config) as channel:

            async def receive(size: int) -> None:
                assert len(await channel.receive()) == size

            await answer(channel.send, receive, rounds=rounds, pieces=pieces)

    async with open_mesh(key("far"), CONFIG) as mesh, trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, tcp, 0)
        expect_sessions(mesh)
        mesh.serve("/bench/stream/1", plain)
        mesh.serve("/bench/channel/1", framed)
        print(listeners[0].socket.getsockname()[1], mesh.addresses[0], flush=True)
        near = sys.stdin.readline().strip()
        async with open_session(mesh, SESSION, party=2, table={1: near, 2: mesh.peer_id}, setup_s=600) as session:

            async def receive(size: int) -> None:
                assert len(await session.receive(1)) == size

            await answer(lambda data: session.send(1, data), receive, rounds=rounds, pieces=pieces)
            await session.receive(1)
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def connected(port: int, address: str) -> AsyncIterator[tuple[Mesh, str, Tcp]]:
    """The near ends."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with open_mesh(key("near"), CONFIG) as mesh, stream:
        yield mesh, await mesh.connect(address), Tcp(stream)


async def run(port: int, address: str, rounds: int, pieces: int) -> list[Figures]:
    """All layers, one after the other."""
    figures: list[Figures] = []
    sizes = {"rounds": rounds, "pieces": pieces}
    async with connected(port, address) as (mesh, far, tcp):
        figures.append(await measure("tcp", tcp.send, tcp.receive, **sizes))
        end = MeshBytes(await mesh.open_stream(far, "/bench/stream/1"))
        figures.append(await measure("stream", end.send, end.receive, **sizes))
        stream = await mesh.open_stream(far, "/bench/channel/1")
        async with open_channel(stream, ChannelConfig(most_message_bytes=2 * PIECE)) as channel:

            async def framed(size: int) -> None:
                assert len(await channel.receive()) == size

            figures.append(await measure("channel", channel.send, framed, **sizes))
        async with open_session(mesh, SESSION, party=1, table={1: mesh.peer_id, 2: far}) as session:

            async def receive(size: int) -> None:
                assert len(await session.receive(2)) == size

            figures.append(await measure("session", lambda data: session.send(2, data), receive, **sizes))
            await session.send(2, b"done")
    return figures


def show(figures: list[Figures]) -> None:
    """A table, with the ratio to raw TCP."""
    base = figures[0]
    print(f"{'layer':<10}{'median us':>11}{'p99 us':>9}{'MB/s':>9}{'CPU s/GB':>10}{'x RTT':>8}{'x MB/s':>8}")
    for each in figures:
        print(
            f"{each.layer:<10}{each.median_us:>11.0f}{each.p99_us:>9.0f}{each.mb_per_s:>9.0f}"
            f"{each.cpu_s_per_gb:>10.1f}{each.median_us / base.median_us:>8.2f}{each.mb_per_s / base.mb_per_s:>8.2f}"
        )


def main() -> None:
    """Start the far process, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and bytes")
    parser.add_argument("--far", nargs=2, type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.far:
        trio.run(serve, *arguments.far)
        return
    rounds, pieces = (300, 32) if arguments.quick else (2000, 200)
    command = [sys.executable, __file__, "--far", str(rounds), str(pieces)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as far:
        assert far.stdin is not None
        assert far.stdout is not None
        try:
            port, address = far.stdout.readline().split()
            from quorate.node.mesh import peer_id_of_private

            print(peer_id_of_private(key("near")), file=far.stdin, flush=True)
            figures = trio.run(run, int(port), address, rounds, pieces)
        finally:
            far.kill()
    if arguments.json:
        base = figures[0]
        print(
            json.dumps(
                {
                    each.layer: {
                        **asdict(each),
                        "round_trip_ratio": round(each.median_us / base.median_us, 2),
                        "throughput_ratio": round(each.mb_per_s / base.mb_per_s, 3),
                    }
                    for each in figures
                }
            )
        )
    else:
        show(figures)


if __name__ == "__main__":
    main()
