"""The seven attacks that work on libp2p's defaults, carried out for real against our mesh on loopback."""

from __future__ import annotations

import random
import socket
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio
import trio.lowlevel
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as new_x25519
from libp2p.io.trio import TrioTCPStream
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.peer.id import ID
from libp2p.security.insecure.transport import PLAINTEXT_PROTOCOL_ID, InsecureTransport
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE
from libp2p.security.noise.transport import Transport as LibNoise
from libp2p.stream_muxer.exceptions import MuxedStreamError
from libp2p.transport.upgrader import TransportUpgrader

from quorate.node.mesh import (
    GossipConfig,
    InboundLimits,
    Mesh,
    MuxerLimits,
    Stream,
    StreamBroken,
    StreamOpenFailed,
    open_mesh,
)
from quorate.node.mesh.yamux import DATA, SYN, WINDOW_UPDATE
from quorate.node.mesh.yamux_stream import INITIAL_WINDOW


async def raw_socket(mesh: Mesh, port: int, *, source: str = "127.0.0.1") -> trio.SocketStream:
    sock = trio.socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    await sock.bind((source, 0))
    await sock.connect(("127.0.0.1", port))
    return trio.SocketStream(sock)


async def open_and_receive(mesh: Mesh, peer: str, protocol: str) -> bytes:
    return await (await mesh.open_stream(peer, protocol)).receive()


async def send_and_receive(stream: Stream, data: bytes) -> bytes:
    await stream.send(data)
    return await stream.receive()


async def upgrade(transports: dict[Any, Any], port: int, server: ID) -> None:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    upgrader = TransportUpgrader(transports, {})
    try:
        session = await upgrader.upgrade_security(
            cast(Any, RawConnection(TrioTCPStream(stream), True)), True, server
        )
        with suppress(Exception):
            while await session.read(1):  # the forger finishes its side; the server leaves
                pass
    finally:
        await stream.aclose()


async def test_attack_1_impersonation(net: SimpleNamespace) -> None:
    """Neither plaintext nor a forged Noise handshake makes us take an attacker for a victim."""
    victim, attacker = create_new_key_pair(), create_new_key_pair()
    forged = KeyPair(attacker.private_key, victim.public_key)

    class Forged:
        """Signs with the attacker's key and shows the victim's."""

        def __getattr__(self, name: str) -> Any:
            return getattr(attacker.private_key, name)

        def get_public_key(self) -> Any:
            return victim.public_key

    async with net.meshes(1) as (server,):
        seen: list[str] = []
        server.serve("/who/1", lambda stream: _note(seen, stream.peer_id))
        identity = ID.from_string(server.peer_id)
        plaintext = {PLAINTEXT_PROTOCOL_ID: InsecureTransport(forged)}
        with pytest.raises(Exception, match="negotiate"):
            await upgrade(plaintext, net.tcp_port(server), identity)
        noise = LibNoise(attacker, noise_privkey=new_x25519().private_key)
        noise.libp2p_privkey = cast(Any, Forged())
        with trio.fail_after(20):
            await upgrade({NOISE: noise}, net.tcp_port(server), identity)
        assert server.peers() == []
        assert seen == []


async def _note(seen: list[str], peer: str) -> None:
    seen.append(peer)


async def test_attack_2_remote_crash(net: SimpleNamespace) -> None:
    """A handler that raises, and malformed protobufs on every libp2p protocol, end their stream and no more."""
    config = net.quiet(gossip=GossipConfig())
    async with net.meshes(3, config) as (server, attacker, friend):

        async def broken(stream: object) -> None:
            raise RuntimeError("a bug in a handler")

        server.serve("/broken/1", broken)
        server.serve("/echo/1", net.echo)
        await attacker.connect(server.addresses[0])
        await friend.connect(server.addresses[0])
        with pytest.raises((StreamOpenFailed, StreamBroken)):
            await open_and_receive(attacker, server.peer_id, "/broken/1")
        generator = random.Random(2)
        for protocol in ("/meshsub/1.1.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0", "/ipfs/id/1.0.0"):
            for garbage in (b"\x05\xff\xff\xff\xff\xff", b"\x80" * 40, generator.randbytes(4096), b""):
                stream = await attacker.open_stream(server.peer_id, protocol)
                with suppress(StreamBroken):
                    await stream.send(garbage)
                stream.close()
        await net.until(lambda: server.statistics().handler_failures >= 2)
        assert await net.echoes(friend, server.peer_id)
        assert await net.echoes(attacker, server.peer_id)


async def test_attack_3_slot_leak(net: SimpleNamespace) -> None:
    """Connections that come and go give their places back, however they end."""
    limits = InboundLimits(
        most_connections=4, most_connections_per_ip=4, most_handshakes=4, most_handshakes_per_ip=4
    )
    async with net.meshes(1, net.quiet(inbound=limits)) as (server,):
        server.serve("/echo/1", net.echo)
        for index in range(12):
            half_open = await raw_socket(server, net.tcp_port(server))
            if index % 2:
                await half_open.send_all(b"\x13/multistream/1.0.0\n")
            await half_open.aclose()
            async with open_mesh(net.seed_key(f"visitor {index}"), net.quiet()) as visitor:
                await visitor.connect(server.addresses[0])
                assert await net.echoes(visitor, server.peer_id)
        await net.until(lambda: not server._swarm.gate.connections and not server._swarm.gate.handshakes)


async def test_connections_are_bounded(net: SimpleNamespace) -> None:
    limits = InboundLimits(most_connections=2, most_connections_per_ip=2)
    async with net.meshes(1, net.quiet(inbound=limits)) as (server,), net.meshes(3, name="v") as visitors:
        for visitor in visitors:
            with suppress(Exception):
                await visitor.connect(server.addresses[0])
        await net.until(lambda: server.statistics().connections_refused == 1)
        assert len(server.peers()) == 2


async def test_attack_4_flow_control(net: SimpleNamespace, pair: tuple[Mesh, Mesh]) -> None:
    """Bytes beyond the window end the connection before they are held."""
    attacker, server = pair
    most_unread = 0

    async def never_reads(stream: object) -> None:
        await trio.sleep_forever()

    async def send_400_mb() -> None:
        nonlocal most_unread
        conn = net.muxer(attacker, server.peer_id)
        stream = max(conn.streams)
        for _ in range(400 * 16):
            conn.send_frame(DATA, 0, stream, 62_500, bytes(62_500))
            most_unread = max(most_unread, server.statistics().unread_bytes)
            await trio.lowlevel.checkpoint()

    server.serve("/sink/1", never_reads)
    await attacker.open_stream(server.peer_id, "/sink/1")
    with pytest.raises(MuxedStreamError):
        await send_400_mb()
    assert most_unread <= INITIAL_WINDOW
    await net.until(lambda: server.statistics().unread_bytes == 0)
    assert server.peers() == []


async def test_unread_bytes_are_bounded_over_all_connections(net: SimpleNamespace) -> None:
    """Peers that keep to their windows can together not fill more than the mesh grants all of them."""
    muxer = MuxerLimits(most_unread_bytes=INITIAL_WINDOW // 2)
    async with net.meshes(1, net.quiet(muxer=muxer)) as (server,), net.meshes(2, name="v") as (fat, thin):

        async def never_reads(stream: object) -> None:
            await trio.sleep_forever()

        server.serve("/sink/1", never_reads)
        server.serve("/echo/1", net.echo)
        for visitor in (fat, thin):
            await visitor.connect(server.addresses[0])
        stream = await thin.open_stream(server.peer_id, "/sink/1")
        await stream.send(bytes(1000))
        stream = await fat.open_stream(server.peer_id, "/sink/1")
        with pytest.raises(StreamBroken):
            await send_and_receive(stream, bytes(INITIAL_WINDOW))
        assert server.peers() == [thin.peer_id]
        assert await net.echoes(thin, server.peer_id)


async def test_attack_5_five_thousand_streams(net: SimpleNamespace) -> None:
    """One stream more than allowed is reset at once; the connection and everyone else go on."""
    async with net.meshes(3) as (server, attacker, friend):

        async def waits(stream: object) -> None:
            await trio.sleep_forever()

        server.serve("/wait/1", waits)
        server.serve("/echo/1", net.echo)
        await attacker.connect(server.addresses[0])
        await friend.connect(server.addresses[0])
        conn = net.muxer(attacker, server.peer_id)
        first = conn._next_id
        for index in range(5000):
            conn.send_frame(WINDOW_UPDATE, SYN, first + 2 * index, 0)
            if index % 50 == 0:
                await trio.lowlevel.checkpoint()
        await net.until(lambda: server.statistics().streams_refused >= 5000 - 256)
        assert server.statistics().streams <= 256 + 16
        assert await net.echoes(friend, server.peer_id)


async def test_streams_of_a_protocol_are_bounded_per_peer(net: SimpleNamespace) -> None:
    async with net.meshes(2) as (server, visitor):
        server.serve("/wait/1", net.echo, most_streams_per_peer=3)
        await visitor.connect(server.addresses[0])
        streams = [await visitor.open_stream(server.peer_id, "/wait/1") for _ in range(3)]
        with pytest.raises((StreamOpenFailed, StreamBroken)):
            await open_and_receive(visitor, server.peer_id, "/wait/1")
        streams[0].reset()
        await net.until(lambda: server.statistics().streams == 2)
        assert await net.echoes(visitor, server.peer_id, protocol="/wait/1")
        assert server.statistics().streams_refused == 1


async def test_outbound_streams_are_bounded(net: SimpleNamespace) -> None:
    """libp2p waits for ever here."""
    config = net.quiet(muxer=MuxerLimits(most_streams_out=8))
    async with net.meshes(1) as (server,), net.meshes(1, config, name="v") as (visitor,):
        server.serve("/echo/1", net.echo)
        await visitor.connect(server.addresses[0])
        streams = [await visitor.open_stream(server.peer_id, "/echo/1") for _ in range(8)]
        with pytest.raises(StreamOpenFailed, match="8 streams"):
            await visitor.open_stream(server.peer_id, "/echo/1")
        streams[0].reset()
        assert await net.echoes(visitor, server.peer_id)


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.2"])
async def test_attack_6_silent_sockets(net: SimpleNamespace, source: str) -> None:
    """Four hundred sockets that say nothing, from our own address or another, keep nobody out."""
    limits = InboundLimits(handshake_s=600, first_byte_s=600, most_handshakes=32, most_handshakes_per_ip=16)
    async with net.meshes(1, net.quiet(inbound=limits)) as (server,):
        server.serve("/echo/1", net.echo)
        silent = []
        for _ in range(400):
            with suppress(OSError):
                silent.append(await raw_socket(server, net.tcp_port(server), source=source))
        async with open_mesh(net.seed_key("late"), net.quiet()) as visitor:
            await visitor.connect(server.addresses[0])
            assert await net.echoes(visitor, server.peer_id)
        assert server.statistics().handshakes <= 32
        assert server.statistics().handshakes_evicted >= 400 - 32
        for each in silent:
            await each.aclose()


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\nHost: here\r\n\r\n",
        b"\x13/multistream/1.0.0\n",
        b"\x13/multistream/1.0.0\n\x07/noise\n" + b"\xff\xff" + bytes(100),
        b"\x13/multistream/1.0.0\n\x07/noise\n" + b"\x00\x20" + bytes(32) + b"\x00\x10" + bytes(16),
        b"\x13/multistream/1.0.0\n\x11/plaintext/2.0.0\n",
        random.Random(7).randbytes(5000),
    ],
    ids=["silence", "ones", "http", "half", "noise cut", "noise garbage", "plaintext", "random"],
)
async def test_attack_7_garbage_is_closed(net: SimpleNamespace, garbage: bytes) -> None:
    """Whatever is no handshake is closed by its deadline."""
    limits = InboundLimits(handshake_s=0.3, first_byte_s=0.3)
    async with net.meshes(1, net.quiet(inbound=limits)) as (server,):
        stream = await raw_socket(server, net.tcp_port(server))
        if garbage:
            await stream.send_all(garbage)
        with trio.fail_after(30), suppress(trio.BrokenResourceError):
            while await stream.receive_some(4096):
                pass
        await net.until(lambda: server.statistics().handshakes == 0)
        assert server.peers() == []
        await stream.aclose()
