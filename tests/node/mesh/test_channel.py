"""Channels, under a clock that jumps: framing, bounds, heartbeats, closing, cancellation."""

from __future__ import annotations

from itertools import pairwise
from types import SimpleNamespace

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from quorate.node.channel import Channel, ChannelConfig, ChannelError, StreamBroken, open_channel
from quorate.node.channel.frames import HEARTBEAT_FRAME, FrameReader, header
from quorate.node.mesh import MessageTooLarge


@given(st.lists(st.one_of(st.none(), st.binary(max_size=60))), st.lists(st.integers(0, 400)))
def test_frames_survive_any_cut(items: list[bytes | None], cuts: list[int]) -> None:
    wire = b"".join(HEARTBEAT_FRAME if item is None else header(len(item)) + item for item in items)
    edges = sorted({0, len(wire), *(cut for cut in cuts if cut < len(wire))})
    reader = FrameReader(60)
    got: list[bytes] = []
    for start, stop in pairwise(edges):
        got += reader.feed(wire[start:stop])
    assert got == [item for item in items if item is not None]
    assert reader.pending_bytes == 0


@pytest.mark.parametrize("word", [61, 0x40000001, 0x80000000, 0xFFFFFFFF, 0x3FFFFFFF])
def test_bad_headers_are_refused_at_the_header(word: int) -> None:
    reader = FrameReader(60)
    assert reader.feed(header(3) + b"yes" + word.to_bytes(4, "little")) == [b"yes"]
    assert reader.error


async def test_messages_arrive_whole_and_in_order(net: SimpleNamespace, autojump_clock: object) -> None:
    near, far = net.memory_pair(window=1000)
    sent = [bytes([index % 251]) * (index * 37 % 3000) for index in range(200)]
    async with open_channel(near) as left, open_channel(far) as right:

        async def send() -> None:
            for message in sent:
                await left.send(message)
            left.end_sending()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            assert [await right.receive() for _ in sent] == sent
        with pytest.raises(trio.EndOfChannel):
            await right.receive()
        await right.send(b"the other half goes on")
        assert await left.receive() == b"the other half goes on"
        with pytest.raises(StreamBroken, match="closed for sending"):
            await left.send(b"")
        assert right.statistics.messages_in == left.statistics.messages_out == 200
        assert right.statistics.bytes_in == left.statistics.bytes_out


async def test_closing_sends_what_is_queued(net: SimpleNamespace, autojump_clock: object) -> None:
    near, far = net.memory_pair(window=100)
    async with open_channel(far) as right:

        async def send() -> None:
            async with open_channel(near) as left:
                for _ in range(50):
                    await left.send(bytes(100))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            for _ in range(50):
                assert await right.receive() == bytes(100)
                await trio.sleep(0.01)
        with pytest.raises(trio.EndOfChannel):
            await right.receive()


async def test_send_and_receive_survive_cancellation(net: SimpleNamespace, autojump_clock: object) -> None:
    near, far = net.memory_pair(window=500)
    config = ChannelConfig(most_queued_out_bytes=1000)
    async with open_channel(near, config) as left, open_channel(far) as right:
        sent: list[bytes] = []
        got: list[bytes] = []

        async def send() -> None:
            for index in range(300):
                message = index.to_bytes(2, "big") * 100
                done = False
                while not done:
                    with trio.move_on_after(0.003):
                        await left.send(message)
                        done = True
                sent.append(message)
            left.end_sending()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            while len(got) < 300:
                with trio.move_on_after(0.001):
                    got.append(await right.receive())
                await trio.sleep(0.001)
        assert got == sent


async def test_a_full_queue_makes_the_sender_wait(net: SimpleNamespace, autojump_clock: object) -> None:
    near, far = net.memory_pair(window=1000)
    config = ChannelConfig(most_queued_out_bytes=5000, most_queued_in_bytes=5000)
    async with open_channel(near, config) as left, open_channel(far, config) as right:
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(100):
                await left.send(bytes(1000))
                sent += 1

        async with trio.open_nursery() as nursery:
            nursery.start_soon(send)
            await trio.sleep(60)  # nobody reads for a minute, and nobody is cut for it
            assert sent < 20
            assert right.statistics.queued_in_bytes <= 7000
            for _ in range(100):
                assert await right.receive() == bytes(1000)
        assert sent == 100
        assert not left.failure


async def test_a_peer_too_far_ahead_is_cut(net: SimpleNamespace, autojump_clock: object) -> None:
    near, far = net.memory_pair(window=100_000)
    config = ChannelConfig(most_queued_in_bytes=5000, cut_when_full=True)
    async with open_channel(near) as left, open_channel(far, config) as right:
        for _ in range(3):
            await left.send(bytes(3000))
        for _ in range(3):
            assert await right.receive() == bytes(3000)
        with pytest.raises(ChannelError, match="more than 5000 bytes ahead") as caught:
            await right.receive()
        assert caught.value.peer == "near"
        with pytest.raises(StreamBroken):
            await left.receive()


@pytest.mark.parametrize(
    ("garbage", "reason"),
    [
        (b"\xff\xff\xff\xff", "unknown kind"),
        (header(1 << 25), "over the limit"),
        (header(100) + b"only this", "inside a message"),
    ],
)
async def test_broken_framing_names_the_peer_and_the_reason(
    net: SimpleNamespace, autojump_clock: object, garbage: bytes, reason: str
) -> None:
    near, far = net.memory_pair()
    async with open_channel(far) as right:
        await near.send(header(2) + b"ok" + garbage)
        near.end_sending()
        assert await right.receive() == b"ok"
        with pytest.raises(ChannelError, match=reason) as caught:
            await right.receive()
        assert caught.value.peer == "near"
        with pytest.raises(ChannelError, match=reason):
            await right.send(b"")


async def test_heartbeats_keep_a_quiet_channel_and_silence_ends_it(
    net: SimpleNamespace, autojump_clock: object
) -> None:
    near, far = net.memory_pair()
    async with open_channel(near) as left, open_channel(far) as right:
        await trio.sleep(3600)
        await left.send(b"still here")
        assert await right.receive() == b"still here"
        near.frozen = True
        start = trio.current_time()
        with pytest.raises(ChannelError, match="silent for 6 s"):
            await right.receive()
        assert trio.current_time() - start <= 8


async def test_a_waiting_sender_learns_that_the_channel_is_over(
    net: SimpleNamespace, autojump_clock: object
) -> None:
    near, _ = net.memory_pair(window=10)
    config = ChannelConfig(most_queued_out_bytes=100, silence_s=0)
    channel = Channel(near, config)
    async with trio.open_nursery() as nursery:
        await nursery.start(channel.run)
        await channel.send(bytes(100))
        await channel.send(bytes(100))
        nursery.start_soon(_expect_broken, channel)
        await trio.sleep(1)
        near.reset()
    assert channel.finished.is_set()
    with pytest.raises(MessageTooLarge):
        await channel.send(bytes(config.most_message_bytes + 1))


async def _expect_broken(channel: Channel) -> None:
    with pytest.raises(StreamBroken, match="reset"):
        await channel.send(bytes(100))
