"""Messages between processes of one machine: a transport for the driver, over TCP on the loopback interface.

A frame is a header, the length of the payload and its operation, and the payload. Sockets are used directly: what
the kernel takes or has at once needs no turn of the event loop, which is most of what a small round costs.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import trio

from quorate.node.mesh.scopes import service_nursery
from quorate.protocol.errors import PartyFault

LOOPBACK: Final = "127.0.0.1"
MAX_PAYLOAD_BYTES: Final = 256 << 20
"""The longest message that a peer may announce."""
MAX_QUEUED_BYTES: Final = 64 << 20
"""What may wait for the kernel to take it, for one peer, before `send` waits."""
FLUSH_S: Final = 5.0
"""How long the end of a transport waits for peers to take what is queued for them."""
_HEADER: Final = struct.Struct("<IH")
_HELLO: Final = struct.Struct("<H")
_RECEIVED_AT_ONCE: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Message:
    """A payload and the operation that it was sent with."""

    operation: int
    payload: bytes


class _Link:
    """The connection to one party."""

    def __init__(self, party: int, connection: socket.socket) -> None:
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._party = party
        self._socket = connection
        self._received = bytearray()
        self._unsent: list[memoryview] = []
        self._unsent_bytes = 0
        self._queued = trio.lowlevel.ParkingLot()
        self._taken = trio.lowlevel.ParkingLot()

    async def send(self, payload: bytes, operation: int) -> None:
        parts = [memoryview(_HEADER.pack(len(payload), operation)), memoryview(payload)]
        if not self._unsent:
            parts = self._send_now(parts)
        if not parts:
            return
        while self._unsent_bytes > MAX_QUEUED_BYTES:
            await self._taken.park()
        self._unsent += parts
        self._unsent_bytes += sum(map(len, parts))
        self._queued.unpark()

    def _send_now(self, parts: Sequence[memoryview]) -> list[memoryview]:
        """Give the kernel what it takes; the rest."""
        try:
            sent = self._socket.sendmsg(parts)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            raise PartyFault(self._party, f"closed its connection ({error.strerror})") from None
        left = []
        for part in parts:
            if sent < len(part):
                left.append(part[sent:])
            sent = max(0, sent - len(part))
        return left

    async def write(self) -> None:
        """Send what is queued, as long as the transport is open; the reader hears of a broken connection."""
        while True:
            while not self._unsent:
                await self._queued.park()
            await trio.lowlevel.wait_writable(self._socket.fileno())
            first = self._unsent[0]
            try:
                left = self._send_now([first])
            except PartyFault:
                self._unsent.clear()
                left = []
            if self._unsent:
                self._unsent[:1] = left
            self._unsent_bytes = sum(map(len, self._unsent))
            self._taken.unpark_all()

    async def flush(self) -> None:
        while self._unsent:
            await self._taken.park()

    async def receive(self) -> Message:
        while len(self._received) < _HEADER.size:
            self._received += await self._read()
        size, operation = _HEADER.unpack_from(self._received)
        if size > MAX_PAYLOAD_BYTES:
            raise PartyFault(self._party, f"announced a message of {size} bytes")
        end = _HEADER.size + size
        if end <= len(self._received) or size < _RECEIVED_AT_ONCE:
            while len(self._received) < end:
                self._received += await self._read()
            payload = bytes(memoryview(self._received)[_HEADER.size : end])
            del self._received[:end]
            return Message(operation, payload)
        return Message(operation, await self._read_long(size))

    async def _read_long(self, size: int) -> bytes:
        """The rest of a message that is longer than what is buffered, without growing the buffer."""
        buffer = bytearray(size)
        position = len(self._received) - _HEADER.size
        buffer[:position] = memoryview(self._received)[_HEADER.size :]
        self._received.clear()
        with memoryview(buffer) as view:
            while position < size:
                try:
                    count = self._socket.recv_into(view[position:])
                except BlockingIOError:
                    await trio.lowlevel.wait_readable(self._socket.fileno())
                    continue
                except OSError:
                    count = 0
                if not count:
                    raise PartyFault(self._party, "closed its connection")
                position += count
        return bytes(buffer)

    async def _read(self) -> bytes:
        while True:
            try:
                data = self._socket.recv(_RECEIVED_AT_ONCE)
            except BlockingIOError:
                await trio.lowlevel.wait_readable(self._socket.fileno())
                continue
            except OSError:
                data = b""
            if not data:
                raise PartyFault(self._party, "closed its connection")
            return data


class LoopbackTransport:
    """Ordered messages between the parties; made by `open_loopback`."""

    def __init__(self, links: Mapping[int, _Link]) -> None:
        self._links = links

    async def send(self, party: int, payload: bytes, *, operation: int = 0) -> None:
        """Send `payload` to `party`, or queue it; waits while the queue is full."""
        await self._links[party].send(payload, operation)

    async def receive(self, party: int) -> bytes:
        """The next payload of `party`; raises PartyFault when it closed its connection."""
        return (await self._links[party].receive()).payload

    async def receive_message(self, party: int) -> Message:
        """The same, with the operation that was given to `send`."""
        return await self._links[party].receive()


def listen() -> socket.socket:
    """A socket on any free port of the loopback interface."""
    return socket.create_server((LOOPBACK, 0))


@asynccontextmanager
async def open_loopback(
    identity: int, listener: socket.socket, ports: Mapping[int, int]
) -> AsyncIterator[LoopbackTransport]:
    """A transport to every other party of `ports` (party -> port); every party listened before.

    It closes the listener, once all are there.
    """
    connections: dict[int, socket.socket] = {}
    try:
        with listener:
            await _connect(identity, listener, ports, connections)
        links = {other: _Link(other, connection) for other, connection in connections.items()}
        async with service_nursery() as nursery:
            for link in links.values():
                nursery.start_soon(link.write)
            yield LoopbackTransport(links)
            with trio.move_on_after(FLUSH_S):
                for link in links.values():
                    await link.flush()
    finally:
        for connection in connections.values():
            connection.close()


async def _connect(
    identity: int, listener: socket.socket, ports: Mapping[int, int], connections: dict[int, socket.socket]
) -> None:
    """Connect to the parties before this one, and accept those after it, who say who they are."""
    for other in sorted(ports):
        if other < identity:
            connections[other] = socket.create_connection((LOOPBACK, ports[other]))
            connections[other].sendall(_HELLO.pack(identity))
    for _ in range(sum(other > identity for other in ports)):
        accepted, _ = await trio.to_thread.run_sync(listener.accept)
        hello = await trio.to_thread.run_sync(accepted.recv, _HELLO.size, socket.MSG_WAITALL)
        connections[_HELLO.unpack(hello)[0]] = accepted
