"""Where inbound session streams wait for the session they belong to.

A party that opens its session a little earlier than we do finds our node serving the protocol already; its
stream waits here, within bounds, until we open the same session and epoch ourselves.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

import trio

from quorate.node.mesh.errors import StreamBroken
from quorate.node.mesh.transport import ByteStream, Network

from .exact import read_exact
from .frames import FrameError
from .wire import HELLO_BYTES, Hello, decode_hello

SESSION_PROTOCOL: Final = "/quorate/session/1"
HELLO_S: Final = 10.0
"""From the opening of a stream to its hello."""
EARLY_S: Final = 30.0
"""How long a stream may wait for us to open its session."""
MOST_WAITING: Final = 512
MOST_WAITING_PER_PEER: Final = 32
MOST_STREAMS_PER_PEER: Final = 128
_log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class Arrival:
    """A stream whose hello was read; it lives until `released` is set."""

    hello: Hello
    stream: ByteStream
    claimed: trio.Event = field(default_factory=trio.Event)
    released: trio.Event = field(default_factory=trio.Event)


class Rendezvous:
    """Serves the session protocol on one network and hands streams to the sessions that expect them."""

    def __init__(self, network: Network) -> None:
        self._expected: dict[tuple[bytes, int], trio.MemorySendChannel[Arrival]] = {}
        self._waiting: dict[Arrival, None] = {}
        network.serve(SESSION_PROTOCOL, self._handle, most_streams_per_peer=MOST_STREAMS_PER_PEER)

    @contextmanager
    def expect(self, session: bytes, epoch: int) -> Iterator[trio.MemoryReceiveChannel[Arrival]]:
        """Receive the streams of one session and epoch, those that came early first."""
        key = (session, epoch)
        if key in self._expected:
            raise ValueError(f"session {session.hex()[:16]}, epoch {epoch}, is being opened already")
        send, receive = trio.open_memory_channel[Arrival](MOST_WAITING)
        self._expected[key] = send
        for arrival in [*self._waiting]:
            if (arrival.hello.session, arrival.hello.epoch) == key:
                self._hand_over(arrival, send)
        try:
            yield receive
        finally:
            del self._expected[key]
            self._refuse_rest(receive)
            send.close()
            receive.close()

    @staticmethod
    def _refuse_rest(receive: trio.MemoryReceiveChannel[Arrival]) -> None:
        while True:
            try:
                late = receive.receive_nowait()
            except (trio.WouldBlock, trio.EndOfChannel):
                return
            late.stream.reset()
            late.released.set()

    def _hand_over(self, arrival: Arrival, send: trio.MemorySendChannel[Arrival]) -> None:
        self._waiting.pop(arrival, None)
        arrival.claimed.set()
        try:
            send.send_nowait(arrival)
        except trio.WouldBlock:
            arrival.stream.reset()
            arrival.released.set()

    async def _handle(self, stream: ByteStream) -> None:
        try:
            with trio.fail_after(HELLO_S):
                hello = decode_hello(await read_exact(stream, HELLO_BYTES))
        except (FrameError, StreamBroken, trio.TooSlowError) as error:
            _log.info("a session stream of %s was cut: %s", stream.peer_id, error)
            stream.reset()
            return
        arrival = Arrival(hello, stream)
        expected = self._expected.get((hello.session, hello.epoch))
        if expected is not None:
            self._hand_over(arrival, expected)
        elif not self._may_wait(stream.peer_id):
            stream.reset()
            return
        else:
            self._waiting[arrival] = None
        await self._hold(arrival)

    async def _hold(self, arrival: Arrival) -> None:
        try:
            with trio.move_on_after(EARLY_S):
                await arrival.claimed.wait()
        finally:
            self._waiting.pop(arrival, None)
        if arrival.claimed.is_set():
            await arrival.released.wait()
        else:
            arrival.stream.reset()

    def _may_wait(self, peer: str) -> bool:
        of_peer = sum(each.stream.peer_id == peer for each in self._waiting)
        return len(self._waiting) < MOST_WAITING and of_peer < MOST_WAITING_PER_PEER


_rendezvous: WeakKeyDictionary[Network, Rendezvous] = WeakKeyDictionary()


def rendezvous_of(network: Network) -> Rendezvous:
    """The one rendezvous of a network, made on first use; make it early, so that others can come early."""
    found = _rendezvous.get(network)
    if found is None:
        found = _rendezvous[network] = Rendezvous(network)
    return found
