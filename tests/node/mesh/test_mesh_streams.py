"""Streams of the mesh: order, half-close, backpressure, cancellation, admission, clear errors."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest
import trio

from quorate.node.mesh import (
    AddressInvalid,
    ByteStream,
    DialFailed,
    ListenFailed,
    Mesh,
    MeshConfig,
    MuxerLimits,
    Stream,
    StreamBroken,
    StreamOpenFailed,
    open_mesh,
)


async def drain(stream: ByteStream) -> bytes:
    data = bytearray()
    while part := await stream.receive():
        data += part
    return bytes(data)


async def test_bytes_arrive_in_order_both_ways(pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    sent = random.Random(1).randbytes(9_000_001)
    stream = await near.open_stream(far.peer_id, "/echo/1")
    async with trio.open_nursery() as nursery:

        async def send() -> None:
            for at in range(0, len(sent), 123_457):
                await stream.send(sent[at : at + 123_457])
            stream.end_sending()

        nursery.start_soon(send)
        assert await drain(stream) == sent
    assert stream.peer_id == far.peer_id
    assert stream.protocol == "/echo/1"


async def test_half_close_lets_the_other_half_go_on(pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair

    async def count(stream: Stream) -> None:
        await stream.send(str(len(await drain(stream))).encode())

    far.serve("/count/1", count)
    stream = await near.open_stream(far.peer_id, "/count/1")
    await stream.send(b"12345")
    stream.end_sending()
    with pytest.raises(StreamBroken, match="closed for sending"):
        await stream.send(b"more")
    assert await drain(stream) == b"5"


async def test_a_slow_reader_makes_its_writer_wait_and_nothing_else(
    net: SimpleNamespace, pair: tuple[Mesh, Mesh]
) -> None:
    near, far = pair
    go_on = trio.Event()
    received: list[int] = []

    async def slow(stream: Stream) -> None:
        await go_on.wait()
        received.append(len(await drain(stream)))

    far.serve("/slow/1", slow)
    stream = await near.open_stream(far.peer_id, "/slow/1")
    sent = trio.Event()

    async def send() -> None:
        await stream.send(bytes(8_000_000))
        stream.end_sending()
        sent.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        for _ in range(20):
            assert await net.echoes(near, far.peer_id)
        assert not sent.is_set()
        assert far.statistics().unread_bytes <= 256 * 1024
        go_on.set()
    await net.until(lambda: received == [8_000_000])


async def test_a_cancelled_receive_loses_nothing(pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    stream = await near.open_stream(far.peer_id, "/echo/1")
    received = bytearray()
    async with trio.open_nursery() as nursery:

        async def send() -> None:
            for index in range(300):
                await stream.send(bytes([index % 256]) * 100)
                await trio.lowlevel.checkpoint()
            stream.end_sending()

        nursery.start_soon(send)
        over = False
        while not over:
            with trio.move_on_after(0.0005):
                data = await stream.receive(77)
                received += data
                over = not data
    assert received == b"".join(bytes([index % 256]) * 100 for index in range(300))


async def test_a_cancelled_send_does_not_hurt_the_connection(
    net: SimpleNamespace, pair: tuple[Mesh, Mesh]
) -> None:
    near, far = pair

    async def never_reads(stream: Stream) -> None:
        await trio.sleep_forever()

    far.serve("/sink/1", never_reads)
    for _ in range(5):
        stream = await near.open_stream(far.peer_id, "/sink/1")
        with trio.move_on_after(0.02) as scope:
            await stream.send(bytes(5_000_000))
        assert scope.cancelled_caught
    assert await net.echoes(near, far.peer_id)


async def test_admission_by_protocol_and_by_connection(net: SimpleNamespace) -> None:
    async with net.meshes(3) as (server, friend, stranger):
        server.serve("/friends/1", net.echo, allow=lambda peer: peer == friend.peer_id)
        server.serve("/echo/1", net.echo)
        for each in (friend, stranger):
            await each.connect(server.addresses[0])
        assert await net.echoes(friend, server.peer_id, protocol="/friends/1")
        with pytest.raises((StreamOpenFailed, StreamBroken)):
            await net.echoes(stranger, server.peer_id, protocol="/friends/1")
        assert await net.echoes(stranger, server.peer_id)
        config = net.quiet()
        async with open_mesh(net.seed_key("closed"), config, allow=lambda peer: peer == friend.peer_id) as closed:
            closed.serve("/echo/1", net.echo)
            await friend.connect(closed.addresses[0])
            assert await net.echoes(friend, closed.peer_id)
            with pytest.raises(DialFailed):
                await stranger.connect(closed.addresses[0])
            with pytest.raises(DialFailed, match="not admitted"):
                await closed.connect(stranger.addresses[0])


async def test_errors_say_what_is_wrong(net: SimpleNamespace, pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    for address in ("nonsense", "/ip4/127.0.0.1/tcp/1", "/ip4/127.0.0.1/udp/1/p2p/" + far.peer_id, "x" * 300):
        with pytest.raises(AddressInvalid):
            await near.connect(address)
    with pytest.raises(DialFailed, match="no address"):
        await near.connect_peer("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")
    with pytest.raises(StreamOpenFailed, match="does not serve"):
        await near.open_stream(far.peer_id, "/nothing/1")
    port = net.tcp_port(far)
    other = f"/ip4/127.0.0.1/tcp/{port}/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
    with pytest.raises(DialFailed):
        await near.connect(other)
    with pytest.raises(ListenFailed, match="in use"):
        async with open_mesh(net.seed_key("second"), net.quiet(listen=(f"/ip4/127.0.0.1/tcp/{port}",))):
            pass
    with pytest.raises(AddressInvalid):
        async with open_mesh(net.seed_key("second"), MeshConfig(listen=("/ip4/127.0.0.1/udp/0",))):
            pass


async def test_a_failed_dial_may_be_repeated_at_once(net: SimpleNamespace) -> None:
    """libp2p refuses a peer for a minute after one failure."""
    async with net.meshes(1) as (near,):
        async with net.meshes(1, name="far") as (far,):
            address, port = far.addresses[0], net.tcp_port(far)
        with pytest.raises(DialFailed):
            await near.connect(address)
        listen = net.quiet(listen=(f"/ip4/127.0.0.1/tcp/{port}",))
        async with net.meshes(1, listen, name="far") as (far,):
            assert await near.connect(address) == far.peer_id


async def test_a_dial_that_nobody_answers_ends_in_time(net: SimpleNamespace) -> None:
    async with net.meshes(1) as (near,):
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listeners[0].socket.getsockname()[1]
        peer = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
        with pytest.raises(DialFailed, match=r"within 0\.2 s"):
            await near.connect(f"/ip4/127.0.0.1/tcp/{port}/p2p/{peer}", timeout_s=0.2)
        for listener in listeners:
            await listener.aclose()


async def test_two_nodes_dialling_each_other_both_end_up_connected(net: SimpleNamespace) -> None:
    async with net.meshes(2) as (one, two):
        async with trio.open_nursery() as nursery:
            for _ in range(3):
                nursery.start_soon(one.connect, two.addresses[0])
                nursery.start_soon(two.connect, one.addresses[0])
        for mesh, other in ((one, two), (two, one)):
            other.serve("/echo/1", net.echo)
            assert await net.echoes(mesh, other.peer_id)


async def test_the_block_s_own_error_leaves_unwrapped(net: SimpleNamespace) -> None:
    with pytest.raises(KeyError):
        async with open_mesh(net.seed_key("any"), net.quiet()):
            raise KeyError("mine")


@pytest.mark.slow
async def test_two_thousand_streams_leave_nothing_behind(net: SimpleNamespace, pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    for index in range(2000):
        stream = await near.open_stream(far.peer_id, "/echo/1")
        await stream.send(b"x")
        if index % 3 == 0:
            stream.reset()
        elif index % 3 == 1:
            stream.end_sending()
            assert await drain(stream) == b"x"
        else:
            stream.close()
    await net.until(lambda: far.statistics().streams == near.statistics().streams == 0, seconds=60)
    assert far.statistics().unread_bytes == near.statistics().unread_bytes == 0
    assert net.muxer(near, far.peer_id)._owed == 0


async def test_a_stream_that_the_peer_never_closes_is_reset_in_the_end(net: SimpleNamespace) -> None:
    config = net.quiet(muxer=MuxerLimits(linger_s=0.1, ping_s=0.05))
    async with net.meshes(2, config) as (near, far):

        async def stays(stream: Stream) -> None:
            await trio.sleep_forever()

        far.serve("/stay/1", stays)
        await near.connect(far.addresses[0])
        stream = await near.open_stream(far.peer_id, "/stay/1")
        stream.close()
        await net.until(lambda: near.statistics().streams == 0)


async def test_another_libp2p_is_refused_with_a_clear_error(
    net: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorate.node.mesh.swarm.LIBP2P_VERSION", "0.0.1")
    with pytest.raises(RuntimeError, match=r"install libp2p==0\.0\.1"):
        async with open_mesh(net.seed_key("any"), net.quiet()):
            pass
