"""Messages of a session in which nobody may hold up anybody: what is sent is queued, what comes is sorted.

A machine whose exchanges end with enough replies, or that converses, leaves messages behind: late ones have to be
dropped, early ones kept, and a peer that does not read must not stop the others. A `Post` does this over a
transport, for as many machines as the session runs one after another. One task for each peer reads, and holds at
most one message of an exchange ahead, so that a fast peer meets the bounds of its stream; one for each peer writes.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

import trio

from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import Effect, Exchange, PartyId
from quorate.protocol.mpc.mailbox import Mailbox, sends

from .mesh.scopes import service_nursery

MAX_UNSENT_BYTES: Final = 1 << 30
"""What may wait for a peer that does not read, besides the queue of its stream; beyond, nothing is sent to it."""
FLUSH_S: Final = 5.0
"""How long the end of a session waits for peers to take what is queued for them."""


class Letter(Protocol):
    """A payload, and the number of the conversation it belongs to (0: an exchange)."""

    @property
    def operation(self) -> int:
        """The number."""
        ...

    @property
    def payload(self) -> bytes:
        """The bytes."""
        ...


class Transport(Protocol):
    """Ordered, authenticated delivery between the parties of one session."""

    async def send(self, party: int, payload: bytes, *, operation: int = 0) -> None:
        """Queue `payload` for `party`; waits when its queue is full."""
        ...

    async def receive(self, party: int) -> bytes:
        """The next payload of `party`; raises PartyFault when its stream broke or a frame was not its own."""
        ...

    async def receive_message(self, party: int) -> Letter:
        """The same, with the operation that was given to `send`."""
        ...


@dataclass(slots=True)
class Waiting:
    """For whom a driver waits, and since when (trio time); `party` 0 is nobody."""

    party: int = 0
    since: float = 0.0


@dataclass(slots=True)
class _Peer:
    """The two queues to one peer, and why nothing more comes of it, if so."""

    outgoing: deque[tuple[bytes, int]] = field(default_factory=deque)
    unsent_bytes: int = 0
    written: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    wanted: trio.lowlevel.ParkingLot = field(default_factory=trio.lowlevel.ParkingLot)
    fault: PartyFault | None = None
    is_lost: bool = False


class Post:
    """What one party has sent and not delivered, received and not used; made by `open_post`."""

    def __init__(self, transport: Transport, nursery: trio.Nursery) -> None:
        self._transport = transport
        self._nursery = nursery
        self._box = Mailbox()
        self._since = 0.0
        self._peers: dict[PartyId, _Peer] = {}
        self._changed = trio.lowlevel.ParkingLot()
        self._flushed = trio.lowlevel.ParkingLot()

    async def carry(self, effect: Effect, *, round_timeout_s: float, waiting: Waiting) -> dict[PartyId, bytes]:
        """Send what `effect` sends, and return what it is to be sent.

        Raises PartyFault as `drive` does, only for an exchange that every sender must answer.
        """
        for party in effect.incoming if isinstance(effect, Exchange) else effect.peers:
            self._peer(party)
        for receiver, message, phase in sends(effect):
            self._queue(receiver, message, phase)
        if self._box.is_new(effect):
            self._since = trio.current_time()
        self._box.want(effect)
        for peer in self._peers.values():
            peer.wanted.unpark()
        if isinstance(effect, Exchange) and effect.enough is None:
            return check_sizes(effect, await self._hear_all(round_timeout_s, waiting))
        until = math.inf if effect.deadline_ms is None else self._since + effect.deadline_ms / 1000
        replies: dict[PartyId, bytes] | None = None
        with trio.move_on_at(until) as scope:
            await trio.lowlevel.checkpoint()  # a machine that needs nothing must not keep the loop to itself
            while (replies := self._box.take()) is None:
                await self._changed.park()
        if scope.cancelled_caught:
            replies = self._box.take(late=True)
        return replies or {}

    async def _hear_all(self, round_timeout_s: float, waiting: Waiting) -> dict[PartyId, bytes]:
        replies: dict[PartyId, bytes] | None = None
        with trio.move_on_after(round_timeout_s) as scope:
            await trio.lowlevel.checkpoint()
            while (replies := self._box.take()) is None:
                missing = self._box.missing()
                for party in missing:
                    if (fault := self._peers[party].fault) is not None:
                        raise fault
                if missing[0] != waiting.party:
                    waiting.party, waiting.since = missing[0], trio.current_time()
                await self._changed.park()
        if scope.cancelled_caught or replies is None:
            raise PartyFault(self._box.missing()[0], f"sent nothing for {round_timeout_s:g} s")
        waiting.party = 0
        return replies

    async def flush(self) -> None:
        """Wait until the streams have taken everything that is queued for peers that are not lost."""
        while any(peer.outgoing for peer in self._peers.values()):
            await self._flushed.park()

    # One peer

    def _peer(self, party: PartyId) -> _Peer:
        if party not in self._peers:
            self._peers[party] = peer = _Peer()
            self._nursery.start_soon(self._read, party, peer)
            self._nursery.start_soon(self._write, party, peer)
        return self._peers[party]

    def _queue(self, receiver: PartyId, message: bytes, phase: int) -> None:
        peer = self._peer(receiver)
        if peer.is_lost:
            return
        peer.unsent_bytes += len(message)
        if peer.unsent_bytes > MAX_UNSENT_BYTES:
            self._lose(peer)  # its stream would have a hole, so it gets nothing more
            return
        peer.outgoing.append((message, phase))
        peer.written.unpark()

    def _lose(self, peer: _Peer) -> None:
        peer.is_lost = True
        peer.outgoing.clear()
        self._flushed.unpark_all()

    async def _write(self, party: PartyId, peer: _Peer) -> None:
        try:
            while not peer.is_lost:
                while not peer.outgoing:
                    await peer.written.park()
                message, phase = peer.outgoing[0]
                await self._transport.send(party, message, operation=phase)
                if peer.outgoing:
                    peer.outgoing.popleft()
                    peer.unsent_bytes -= len(message)
                if not peer.outgoing:
                    self._flushed.unpark_all()
        except PartyFault:
            self._lose(peer)  # the reader hears of it too, after what came before

    async def _read(self, party: PartyId, peer: _Peer) -> None:
        try:
            while True:
                while self._box.holds(party):
                    await peer.wanted.park()
                letter = await self._transport.receive_message(party)
                self._box.put(party, letter.payload, phase=letter.operation)
                self._changed.unpark()
        except PartyFault as fault:
            peer.fault = fault
            self._box.close(party)
            self._changed.unpark()


@asynccontextmanager
async def open_post(transport: Transport) -> AsyncIterator[Post]:
    """A post over `transport`; the exit waits FLUSH_S at most for peers to take what is queued for them."""
    async with service_nursery() as nursery:
        post = Post(transport, nursery)
        yield post
        with trio.move_on_after(FLUSH_S):
            await post.flush()


def check_sizes(exchange: Exchange, replies: dict[PartyId, bytes]) -> dict[PartyId, bytes]:
    """The replies; raises PartyFault naming the first sender of another size than the exchange says."""
    for party, payload in replies.items():
        if len(payload) != exchange.incoming[party]:
            raise PartyFault(party, f"sent {len(payload)} bytes in a round of {exchange.incoming[party]}")
    return replies
