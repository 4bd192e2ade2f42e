"""Processes of a benchmark that brings its own operations: connections by port, and the mean of what they print.

What `quorate bench mpc` can run, it measures itself (quorate.node.bench); this is for comparisons that it has not.
"""

from __future__ import annotations

import json
import socket
import struct
import subprocess
from collections.abc import Mapping
from typing import Any

import trio

LENGTH = struct.Struct("<Q")


class Peers:
    """This party's connections; one exchange after another, sending beside receiving."""

    def __init__(self, streams: Mapping[int, trio.SocketStream]) -> None:
        self.streams = streams

    async def run(self, protocol: Any) -> Any:
        """Drive a protocol to its end."""
        replies = None
        while True:
            try:
                exchange = next(protocol) if replies is None else protocol.send(replies)
            except StopIteration as stop:
                return stop.value
            async with trio.open_nursery() as nursery:
                for receiver, message in exchange.outgoing.items():
                    nursery.start_soon(self._send, receiver, message)
                replies = {sender: await self._receive(sender) for sender in exchange.incoming}

    async def _send(self, receiver: int, message: bytes) -> None:
        await self.streams[receiver].send_all(LENGTH.pack(len(message)))
        await self.streams[receiver].send_all(message)

    async def _receive(self, sender: int) -> bytes:
        (size,) = LENGTH.unpack(await self._read(sender, LENGTH.size))
        return await self._read(sender, size)

    async def _read(self, sender: int, size: int) -> bytes:
        buffer = bytearray(size)
        view, position = memoryview(buffer), 0
        while position < size:
            received = await self.streams[sender].socket.recv_into(view[position:])
            if not received:
                raise ConnectionError(f"party {sender} closed its connection")
            position += received
        return bytes(buffer)


async def connect(identity: int, parties: int, base_port: int) -> Peers:
    """Connect to the parties before this one, and accept those after it."""
    listeners = await trio.open_tcp_listeners(base_port + identity, host="127.0.0.1")
    streams: dict[int, trio.SocketStream] = {}
    for other in range(1, identity):
        while other not in streams:
            try:
                streams[other] = await trio.open_tcp_stream("127.0.0.1", base_port + other)
            except OSError:
                await trio.sleep(0.05)
        await streams[other].send_all(bytes([identity]))
    for _ in range(identity, parties):
        stream = await listeners[0].accept()
        first = await stream.receive_some(1)
        streams[first[0]] = stream
    return Peers(streams)


def free_base_port(parties: int) -> int:
    """A port after which `parties` + 1 ports are free right now."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base: int = probe.getsockname()[1]
        if base + parties >= 65_536:
            continue
        try:
            for port in range(base, base + parties + 1):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base


def run_processes(commands: list[list[str]]) -> dict[str, dict[str, float]]:
    """Run one process a party; the mean of what they print."""
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(f"a party failed: {' '.join(commands[0])}")
    results = [json.loads(output.strip().splitlines()[-1]) for output in outputs]
    return {
        name: {unit: sum(result[name][unit] for result in results) / len(results) for unit in results[0][name]}
        for name in results[0]
    }
