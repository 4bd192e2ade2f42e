"""One request, one reply: answers, refusals, bounds, deadlines."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import trio

from quorate.node.channel import CallLimits, ChannelError, Refusal, RefusalCode, RemoteRefusal, call, serve_calls
from quorate.node.errors import NetworkError
from quorate.node.mesh import Mesh, Stream, StreamBroken, StreamOpenFailed

PROTOCOL = "/test/call/1"


async def reverse(peer: str, request: bytes) -> bytes:
    if request == b"no":
        raise Refusal(101, "not\ntoday")
    if request == b"bug":
        raise RuntimeError("a secret detail")
    if request == b"big":
        return bytes(2000)
    return request[::-1] + peer.encode()


async def test_answers_and_refusals(pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    serve_calls(far, PROTOCOL, reverse, limits=CallLimits(most_request_bytes=1000, most_reply_bytes=1000))
    assert await call(near, far.peer_id, PROTOCOL, b"abc") == b"cba" + near.peer_id.encode()
    assert await call(near, far.peer_id, PROTOCOL, b"") == near.peer_id.encode()
    for request, code, sentence in (
        (b"no", 101, "not today"),
        (b"bug", RefusalCode.INTERNAL, "the handler failed"),
        (b"big", RefusalCode.TOO_LARGE, "2000 bytes"),
        (bytes(1001), RefusalCode.TOO_LARGE, "at most 1000"),
    ):
        with pytest.raises(RemoteRefusal, match=sentence) as caught:
            await call(near, far.peer_id, PROTOCOL, request)
        assert caught.value.code == code
        assert caught.value.peer == far.peer_id
        assert "secret" not in str(caught.value)
    with pytest.raises(ChannelError, match="over the limit of 10"):
        await call(near, far.peer_id, PROTOCOL, b"abc", most_bytes=10)
    with pytest.raises(StreamOpenFailed):
        await call(near, far.peer_id, "/test/none/1", b"")


async def test_rate_and_concurrency_are_bounded_per_peer(net: SimpleNamespace) -> None:
    async with net.meshes(3) as (server, one, two):
        busy = trio.Event()

        async def slow(peer: str, request: bytes) -> bytes:
            await busy.wait()
            return request

        limits = CallLimits(most_concurrent_per_peer=2, most_per_s=0.001, burst=5)
        serve_calls(server, PROTOCOL, slow, limits=limits)
        for each in (one, two):
            await each.connect(server.addresses[0])
        outcomes: list[str] = []

        async def try_call(mesh: Mesh) -> None:
            try:
                outcomes.append((await call(mesh, server.peer_id, PROTOCOL, b"ok", timeout_s=30)).decode())
            except RemoteRefusal as refusal:
                assert refusal.code == RefusalCode.BUSY
                outcomes.append(refusal.sentence)

        async with trio.open_nursery() as nursery:
            for _ in range(7):
                nursery.start_soon(try_call, one)
            nursery.start_soon(try_call, two)
            await net.until(lambda: len(outcomes) == 5)
            busy.set()
        assert outcomes.count("ok") == 3
        assert outcomes.count("more than 2 calls at once") == 3
        assert outcomes.count("more than 0.001 calls a second") == 2


async def test_deadlines_on_both_sides(net: SimpleNamespace, pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair

    async def never(peer: str, request: bytes) -> bytes:
        await trio.sleep_forever()
        return b""

    serve_calls(far, PROTOCOL, never, limits=CallLimits(deadline_s=0.2))
    with pytest.raises(StreamBroken):
        await call(near, far.peer_id, PROTOCOL, b"", timeout_s=20)
    with pytest.raises(StreamBroken, match=r"within 0\.05 s"):
        await call(near, far.peer_id, PROTOCOL, b"", timeout_s=0.05)
    stream = await near.open_stream(far.peer_id, PROTOCOL)
    await stream.send(b"\x01")  # a request that never ends
    with trio.fail_after(20), pytest.raises(StreamBroken):
        await stream.receive()
    await net.until(lambda: far.statistics().streams == 0)


@pytest.mark.parametrize(
    "reply", [b"\x02\x00\x00\x00\x00", b"\x01\x01\x00\x00\x00x", b"\x00\x05\x00\x00\x00abc", b""]
)
async def test_a_malformed_reply_is_the_peer_s_fault_or_a_broken_stream(
    pair: tuple[Mesh, Mesh], reply: bytes
) -> None:
    near, far = pair

    async def answer(stream: Stream) -> None:
        await stream.send(reply)

    far.serve(PROTOCOL, answer)
    with pytest.raises((ChannelError, StreamBroken)):
        await call(near, far.peer_id, PROTOCOL, b"")


async def test_allow_keeps_strangers_out(pair: tuple[Mesh, Mesh]) -> None:
    near, far = pair
    serve_calls(far, PROTOCOL, reverse, allow=lambda peer: False)
    with pytest.raises(NetworkError):
        await call(near, far.peer_id, PROTOCOL, b"")
