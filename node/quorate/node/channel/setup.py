"""Bringing the streams of one session together: lower parties dial, higher ones accept, both say hello."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Final

import trio

from quorate.node.errors import NetworkError
from quorate.node.mesh.errors import StreamBroken
from quorate.node.mesh.scopes import open_scope
from quorate.node.mesh.transport import ByteStream, Network

from .exact import read_exact
from .frames import FrameError
from .rendezvous import SESSION_PROTOCOL, Arrival, Rendezvous, rendezvous_of
from .wire import HELLO_BYTES, Hello, decode_hello

_RETRY_S: Final = 0.05
_MOST_RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)


class Setup:
    """Brings the streams of one session together."""

    def __init__(self, network: Network, ours: Hello, table: Mapping[int, str]) -> None:
        self._network = network
        self._ours = ours
        self._table = table
        self._missing: dict[int, str] = {other: "it did not answer" for other in table if other != ours.sender}
        self.streams: dict[int, ByteStream] = {}
        self._arrivals: list[Arrival] = []
        self._done = open_scope()

    async def complete(self, seconds: float, *, most_absent: int = 0) -> dict[int, str]:
        """Wait for all streams, into `streams`; returns who is missing after `seconds`, and why.

        Streams are given up when more than `most_absent` parties are missing.
        """
        try:
            with trio.move_on_after(seconds):
                async with trio.open_nursery() as nursery:
                    self._done = nursery.cancel_scope
                    nursery.start_soon(self._accept, rendezvous_of(self._network))
                    for other in [each for each in self._missing if each > self._ours.sender]:
                        nursery.start_soon(self._dial, other)
                    if not self._missing:
                        self._done.cancel()
        except BaseException:
            self._release(reset=True)
            raise
        if len(self._missing) > most_absent:
            self._release(reset=True)
        return self._missing

    def _release(self, *, reset: bool) -> None:
        for stream in self.streams.values() if reset else ():
            stream.reset()
        for arrival in self._arrivals:
            arrival.released.set()

    async def __aenter__(self) -> Setup:
        """Nothing to do."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the streams that others opened end."""
        self._release(reset=False)

    def _arrived(self, party: int, stream: ByteStream) -> None:
        self.streams[party] = stream
        del self._missing[party]
        if not self._missing:
            self._done.cancel()

    async def _accept(self, rendezvous: Rendezvous) -> None:
        with rendezvous.expect(self._ours.session, self._ours.epoch) as arrivals:
            async for arrival in arrivals:
                reason = self._objection(arrival.hello, arrival.stream)
                if not reason:
                    reason = await self._welcome(arrival)
                if reason:
                    session, peer = self._ours.session.hex()[:16], arrival.stream.peer_id
                    _log.warning("session %s: a stream of %s was cut: %s", session, peer, reason)
                    arrival.stream.reset()
                    arrival.released.set()

    async def _welcome(self, arrival: Arrival) -> str:
        """Answer a hello; returns why that failed, if it did."""
        try:
            await arrival.stream.send(self._hello_to(arrival.hello.sender))
        except StreamBroken as error:
            return error.reason
        self._arrivals.append(arrival)
        self._arrived(arrival.hello.sender, arrival.stream)
        return ""

    async def _dial(self, party: int) -> None:
        """Open the stream to `party`, again and again until it answers with the right hello."""
        wait = _RETRY_S
        while party in self._missing:
            stream: ByteStream | None = None
            try:
                stream = await self._network.open_stream(self._table[party], SESSION_PROTOCOL)
                await stream.send(self._hello_to(party))
                self._check_answer(decode_hello(await read_exact(stream, HELLO_BYTES)), party)
                self._arrived(party, stream)
            except (NetworkError, FrameError) as error:
                self._missing[party] = str(error)
                if stream is not None:
                    stream.reset()
                await trio.sleep(wait)
                wait = min(2 * wait, _MOST_RETRY_S)
            except BaseException:
                if stream is not None:
                    stream.reset()
                raise

    def _check_answer(self, hello: Hello, party: int) -> None:
        expected = Hello(self._ours.session, self._ours.epoch, party, self._ours.sender)
        if hello != expected:
            raise FrameError("it answered with the hello of something else")

    def _objection(self, hello: Hello, stream: ByteStream) -> str:
        if hello.receiver != self._ours.sender:
            return f"it takes us for party {hello.receiver}"
        if hello.sender >= self._ours.sender or hello.sender not in self._table:
            return f"party {hello.sender} does not dial us"
        if self._table[hello.sender] != stream.peer_id:
            return f"it claims to be party {hello.sender}, whose peer id is {self._table[hello.sender]}"
        if hello.sender in self.streams:
            return f"party {hello.sender} has its stream already"
        return ""

    def _hello_to(self, party: int) -> bytes:
        return Hello(self._ours.session, self._ours.epoch, self._ours.sender, party).encode()
