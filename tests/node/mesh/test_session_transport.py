"""The data plane of a committee: setup, order, and who is blamed for what."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from quorate.node.channel import (
    PeerFault,
    SessionLimits,
    SessionSetupFailed,
    SessionTransport,
    expect_sessions,
    open_session,
)
from quorate.node.channel.frames import FrameError
from quorate.node.channel.frames import header as frame_header
from quorate.node.channel.rendezvous import SESSION_PROTOCOL
from quorate.node.channel.wire import (
    HEADER_BYTES,
    HELLO_BYTES,
    Hello,
    check_header,
    decode_hello,
    encode_header,
)
from quorate.node.mesh import Mesh, Stream, StreamBroken
from quorate.protocol.errors import PartyFault

SESSION = bytes(range(32))
Play = Callable[[SessionTransport], Awaitable[None]]


@given(st.binary(min_size=32, max_size=32), *[st.integers(0, 0xFFFF)] * 3)
def test_hellos_round_trip(session: bytes, epoch: int, sender: int, receiver: int) -> None:
    hello = Hello(session, epoch, sender, receiver)
    assert len(hello.encode()) == HELLO_BYTES
    assert decode_hello(hello.encode()) == hello


def test_headers_are_checked_field_by_field() -> None:
    good = encode_header(epoch=7, operation=9, sequence=1 << 31, size=3) + b"abc"
    assert check_header(good, epoch=7, sequence=1 << 31) == 9
    for message, epoch, sequence in (
        (good, 8, 1 << 31),
        (good, 7, 0),
        (good[:-1], 7, 1 << 31),
        (good + b"d", 7, 1 << 31),
        (good[: HEADER_BYTES - 1], 7, 1 << 31),
    ):
        with pytest.raises(FrameError):
            check_header(message, epoch=epoch, sequence=sequence)
    with pytest.raises(FrameError):
        decode_hello(bytes(HELLO_BYTES))


async def committee(net: SimpleNamespace, stack: AsyncExitStack, size: int) -> tuple[list[Mesh], dict[int, str]]:
    """Connected meshes that expect sessions, and their table."""
    nodes = await stack.enter_async_context(net.meshes(size))
    for index, node in enumerate(nodes):
        expect_sessions(node)
        for other in nodes[index + 1 :]:
            await node.connect(other.addresses[0])
    return nodes, {index + 1: node.peer_id for index, node in enumerate(nodes)}


async def in_session(node: Mesh, party: int, table: dict[int, str], play: Play, **options: Any) -> None:
    options = {"setup_s": 20.0, **options}
    async with open_session(node, SESSION, party=party, table=table, **options) as transport:
        await play(transport)


async def test_everyone_talks_to_everyone(net: SimpleNamespace) -> None:
    """Parties arrive at different times, send at different paces, and leave when they are done."""
    rounds = 30
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 4)

        async def play(transport: SessionTransport) -> None:
            me = transport.party
            assert transport.parties == [each for each in table if each != me]
            for number in range(rounds):
                for other in transport.parties:
                    await transport.send(other, bytes([me, other, number]) * (number * 100), operation=number)
                for other in transport.parties:
                    message = await transport.receive_message(other)
                    assert message.operation == number
                    assert message.payload == bytes([other, me, number]) * (number * 100)
            assert transport.faults() == {}
            assert all(sent > 100_000 for _, sent in transport.traffic().values())

        async with trio.open_nursery() as nursery:
            for party, node in enumerate(nodes, 1):
                nursery.start_soon(in_session, node, party, table, play)
                await trio.sleep(0.05)
        for node in nodes:
            await net.until(lambda node=node: node.statistics().streams == 0)


async def test_epochs_and_sessions_do_not_mix(net: SimpleNamespace) -> None:
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 2)

        async def run(node: Mesh, party: int, session: bytes, epoch: int) -> None:
            async with open_session(node, session, party=party, table=table, epoch=epoch) as transport:
                await transport.send(3 - party, session + bytes([epoch]))
                assert await transport.receive(3 - party) == session + bytes([epoch])

        async with trio.open_nursery() as nursery:
            for session in (SESSION, bytes(32)):
                for epoch in range(3):
                    for party, node in enumerate(nodes, 1):
                        nursery.start_soon(run, node, party, session, epoch)


async def test_whoever_is_missing_is_named(net: SimpleNamespace) -> None:
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 3)
        failures: dict[int, SessionSetupFailed] = {}

        async def fail(node: Mesh, party: int) -> None:
            try:
                await in_session(node, party, table, _nothing, setup_s=0.5)
            except SessionSetupFailed as failure:
                failures[party] = failure

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail, nodes[0], 1)
            nursery.start_soon(fail, nodes[2], 3)
        assert {party: set(each.missing) for party, each in failures.items()} == {1: {2}, 3: {2}}
        assert "party 2" in str(failures[1])


async def _receive_all(transport: SessionTransport, party: int) -> None:
    while True:
        await transport.receive(party)


async def _nothing(transport: SessionTransport) -> None:
    await trio.lowlevel.checkpoint()


async def test_a_party_that_leaves_or_dies_is_named_after_its_last_message(net: SimpleNamespace) -> None:
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 3)
        gone = trio.Event()
        faults: list[tuple[int, int]] = []

        async def leaves(transport: SessionTransport) -> None:
            for other in transport.parties:
                await transport.send(other, b"goodbye")

        async def stays(transport: SessionTransport) -> None:
            assert await transport.receive(3) == b"goodbye"

            async def wait() -> None:
                with pytest.raises(PeerFault, match="left the session") as caught:
                    await transport.receive(3)
                assert isinstance(caught.value, PartyFault)
                assert caught.value.peer == table[3]
                faults.append((transport.party, caught.value.party))

            async with trio.open_nursery() as nursery:
                for _ in range(3):
                    nursery.start_soon(wait)
            if transport.party == 2:
                await transport.send(1, b"the others go on")
                gone.set()
            else:
                assert await transport.receive(2) == b"the others go on"
                await gone.wait()

        async with trio.open_nursery() as nursery:
            for party, node, play in zip((1, 2, 3), nodes, (stays, stays, leaves), strict=True):
                nursery.start_soon(in_session, node, party, table, play)
        assert sorted(faults) == [(1, 3)] * 3 + [(2, 3)] * 3


def message(payload: bytes, *, epoch: int = 0, sequence: int = 0, size: int | None = None) -> bytes:
    head = encode_header(epoch=epoch, operation=0, sequence=sequence, size=len(payload) if size is None else size)
    return frame_header(len(head + payload)) + head + payload


GOOD = message(b"good")


@pytest.mark.parametrize(
    ("misdeed", "reason"),
    [
        (GOOD + b"\xff" * 40, "unknown kind"),
        (GOOD + frame_header(1 << 20) + bytes(1 << 20), "over the limit"),
        (GOOD + message(b"x", epoch=1, sequence=1), "epoch 1 in epoch 0"),
        (GOOD + GOOD, "message 0 where 1 was due"),
        (GOOD + message(b"x", sequence=2), "message 2 where 1 was due"),
        (GOOD + message(b"x", sequence=1, size=9), "says 9"),
        (GOOD + frame_header(3) + b"abc", "less than its header"),
        (GOOD + b"".join(message(bytes(900), sequence=1 + index) for index in range(20)), "bytes ahead"),
    ],
    ids=["garbage", "oversize", "epoch", "replay", "gap", "length", "short", "ahead"],
)
async def test_misdeeds_are_named(net: SimpleNamespace, misdeed: bytes, reason: str) -> None:
    """Party 1 speaks the wire format by hand, and breaks it after one good message."""
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 2)
        limits = SessionLimits(most_message_bytes=1000, most_ahead_bytes=5000)

        async def victim(transport: SessionTransport) -> None:
            await net.until(lambda: transport.faults())  # cut without anyone waiting for it
            assert await transport.receive(1) == b"good"
            with pytest.raises(PeerFault, match=reason) as caught:
                await _receive_all(transport, 1)
            assert (caught.value.party, caught.value.peer) == (1, table[1])
            with pytest.raises(PeerFault, match=reason):
                await transport.send(1, b"")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: in_session(nodes[1], 2, table, victim, limits=limits))
            stream = await nodes[0].open_stream(table[2], SESSION_PROTOCOL)
            await stream.send(Hello(SESSION, 0, 1, 2).encode())
            assert decode_hello(await stream.receive(HELLO_BYTES)) == Hello(SESSION, 0, 2, 1)
            await _send_in_pieces(stream, misdeed)


async def _send_in_pieces(stream: Stream, data: bytes) -> None:
    try:
        for at in range(0, len(data), 60_000):
            await stream.send(data[at : at + 60_000])
        while await stream.receive():
            pass
    except StreamBroken:
        return


@pytest.mark.parametrize(
    ("hello", "reason"),
    [
        (Hello(SESSION, 0, 1, 2), "whose peer id is"),
        (Hello(SESSION, 0, 3, 2), "does not dial us"),
        (Hello(SESSION, 0, 2, 2), "does not dial us"),
        (Hello(SESSION, 0, 9, 2), "does not dial us"),
        (Hello(SESSION, 0, 1, 3), "takes us for party 3"),
    ],
    ids=["wrong peer", "higher party", "ourselves", "nobody", "wrong receiver"],
)
async def test_an_intruder_is_cut_and_logged_and_the_session_waits_on(
    net: SimpleNamespace, caplog: pytest.LogCaptureFixture, hello: Hello, reason: str
) -> None:
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 3)
        intruder, victim, honest = nodes[2], nodes[1], nodes[0]
        two = {1: table[1], 2: table[2]}

        async def greet(transport: SessionTransport) -> None:
            await transport.send(3 - transport.party, b"hi")
            assert await transport.receive(3 - transport.party) == b"hi"

        with caplog.at_level(logging.WARNING, logger="quorate.node.channel"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(in_session, victim, 2, two, greet)
                stream = await intruder.open_stream(victim.peer_id, SESSION_PROTOCOL)
                await stream.send(hello.encode())
                with pytest.raises(StreamBroken):
                    await stream.receive()
                nursery.start_soon(in_session, honest, 1, two, greet)
        assert reason in caplog.text
        assert intruder.peer_id in caplog.text


async def test_a_stream_that_is_no_session_is_cut(net: SimpleNamespace) -> None:
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 2)
        stream = await nodes[0].open_stream(table[2], SESSION_PROTOCOL)
        await stream.send(bytes(HELLO_BYTES))
        with pytest.raises(StreamBroken):
            await stream.receive()


async def test_a_silent_party_is_named(net: SimpleNamespace) -> None:
    """It keeps its connection alive and says nothing in the session."""
    async with AsyncExitStack() as stack:
        nodes, table = await committee(net, stack, 2)
        limits = SessionLimits(heartbeat_s=0.05, silence_s=0.3)

        async def victim(transport: SessionTransport) -> None:
            with pytest.raises(PeerFault, match=r"silent for 0\.3 s"):
                await transport.receive(1)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: in_session(nodes[1], 2, table, victim, limits=limits))
            stream = await nodes[0].open_stream(table[2], SESSION_PROTOCOL)
            await stream.send(Hello(SESSION, 0, 1, 2).encode())
            await stream.receive(HELLO_BYTES)


async def test_arguments_are_checked(net: SimpleNamespace) -> None:
    async with net.meshes(1) as (node,):
        me = node.peer_id
        for session, options in (
            (b"short", {"party": 1, "table": {1: me}}),
            (SESSION, {"party": 1, "table": {1: "12D3KooWsomebodyelse"}}),
            (SESSION, {"party": 1, "table": {1: me, 2: me}}),
            (SESSION, {"party": 0, "table": {0: me}}),
            (SESSION, {"party": 1, "table": {1: me}, "epoch": 1 << 16}),
        ):
            with pytest.raises(ValueError, match=r"session id|table|parties|epoch"):
                async with open_session(node, session, **options):
                    pass
        async with open_session(node, SESSION, party=1, table={1: me}) as transport:
            assert transport.parties == []
