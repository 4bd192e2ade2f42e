"""Meshes on loopback, made from seeds, and the raw tools of an attacker."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest
import trio

from quorate.node.mesh import DiscoveryConfig, GossipConfig, Mesh, MeshConfig, Stream, StreamBroken, open_mesh

from libp2p.peer.id import ID  # isort: skip  # after the mesh, which quiets its import
from quorate.node.mesh.yamux import Yamux  # isort: skip


def seed_key(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def quiet(**changes: object) -> MeshConfig:
    """No gossip and no discovery unless asked for."""
    plain = {"gossip": GossipConfig(enabled=False), "discovery": DiscoveryConfig(exchange=False)}
    return MeshConfig(**{**plain, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def meshes(count: int, config: MeshConfig | None = None, *, name: str = "m") -> AsyncIterator[list[Mesh]]:
    """`count` unconnected meshes."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(open_mesh(seed_key(f"{name}{index}"), config or quiet()))
            for index in range(count)
        ]


async def echo(stream: Stream) -> None:
    while data := await stream.receive():
        await stream.send(data)


async def echoes(mesh: Mesh, peer: str, *, protocol: str = "/echo/1") -> bool:
    """Whether `peer` answers."""
    with trio.fail_after(20):
        stream = await mesh.open_stream(peer, protocol)
        await stream.send(b"ping")
        answer = await stream.receive()
        stream.close()
    return answer == b"ping"


def muxer(mesh: Mesh, peer: str) -> Yamux:
    """The connection object itself, for tests that misuse it."""
    return cast(Yamux, mesh._swarm.live_connections(ID.from_string(peer))[0].muxed_conn)


async def until(condition: object, *, seconds: float = 30) -> None:
    """Wait for a condition that other tasks bring about; fails the test if it never comes."""
    assert callable(condition)
    with trio.fail_after(seconds):
        while not condition():
            await trio.sleep(0.01)


def tcp_port(mesh: Mesh) -> int:
    return int(mesh.addresses[0].split("/")[4])


class MemoryStream:
    """One end of a ByteStream in memory, with a window, for tests under a mock clock."""

    protocol = "/memory/1"

    def __init__(self, peer_id: str, window: int) -> None:
        self.peer_id = peer_id
        self.window = window
        self.buffer = bytearray()
        self.other: MemoryStream = self
        self.ended = self.broken = self.frozen = False
        self.changed = trio.lowlevel.ParkingLot()

    async def receive(self, most_bytes: int = -1) -> bytes:
        while not self.buffer:
            self._check()
            if self.ended:
                return b""
            await self.changed.park()
        size = len(self.buffer) if most_bytes < 0 else most_bytes
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        self.other.changed.unpark_all()
        return data

    async def send(self, data: bytes) -> None:
        at = 0
        while at < len(data):
            self._check()
            room = self.window - len(self.other.buffer)
            if room <= 0 or self.frozen:
                await self.changed.park()
                continue
            self.other.buffer += data[at : at + room]
            at += room
            self.other.changed.unpark_all()

    def send_now(self, data: bytes) -> bool:
        if self.broken or self.frozen or len(data) > self.window - len(self.other.buffer):
            return False
        self.other.buffer += data
        self.other.changed.unpark_all()
        return True

    def _check(self) -> None:
        if self.broken:
            raise StreamBroken(self.peer_id, self.protocol, "the stream was reset")

    def end_sending(self) -> None:
        self.other.ended = True
        self.other.changed.unpark_all()

    def close(self) -> None:
        self.end_sending()
        self.buffer.clear()

    def reset(self) -> None:
        for end in (self, self.other):
            end.broken = True
            end.changed.unpark_all()


def memory_pair(window: int = 1 << 20) -> tuple[MemoryStream, MemoryStream]:
    """Two ends; the first is held by "near" and talks to "far"."""
    near, far = MemoryStream("far", window), MemoryStream("near", window)
    near.other, far.other = far, near
    return near, far


@pytest.fixture
def net() -> SimpleNamespace:
    """The helpers above, since test modules here cannot import each other."""
    return SimpleNamespace(
        seed_key=seed_key,
        quiet=quiet,
        meshes=meshes,
        echo=echo,
        echoes=echoes,
        muxer=muxer,
        until=until,
        tcp_port=tcp_port,
        memory_pair=memory_pair,
    )


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Mesh, Mesh]]:
    """Two connected meshes; the second serves /echo/1."""
    async with meshes(2) as (near, far):
        far.serve("/echo/1", echo)
        await near.connect(far.addresses[0])
        yield near, far
