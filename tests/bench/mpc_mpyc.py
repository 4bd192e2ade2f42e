"""Multiplications, openings and comparisons a CPU second a party, next to MPyC in the same run.

    python tests/bench/mpc_mpyc.py [--json] [--count 100000] [--compared 10000] [--repeat 5]

Every party is a process of its own; they talk over TCP on the loopback interface, in clear, as MPyC does too. The
field is that of BN254 for both; MPyC compares 32-bit integers in the smaller field of its SecInt(32). A time is
the CPU time of the fastest repetition, averaged over the parties, an element. Preprocessing counts as part of a
comparison.
"""

from __future__ import annotations

import argparse
import json
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import trio

COMMITTEES = ((3, 1), (5, 1))
TARGET_RATIO = 5.0
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


async def party_main(options: argparse.Namespace) -> None:
    """One party of ours: measure, check a few results, print JSON."""
    import os

    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import Party, PartyId, less_than_zero, multiply, open_shares, set_up
    from quorate.protocol.sharing import share
    from quorate.protocol.simulation import SeededRandomness

    size = {"parties": options.parties, "threshold": options.threshold}
    party = Party(BN254, PartyId(options.party), randomness=os.urandom, **size)
    values = [7 * index - 50 for index in range(options.count)]
    dealt = share(BN254, BN254.vector(values), randomness=SeededRandomness(1, "bench"), **size)
    x = dealt[options.party - 1]
    z = x[: options.compared].copy()
    peers = await connect(options.party, options.parties, options.base_port)
    await peers.run(set_up(party))
    operations: dict[str, tuple[Callable[[], Any], int]] = {
        "multiply": (lambda: multiply(party, x, x), len(x)),
        "open": (lambda: open_shares(party, x), len(x)),
        "less32": (lambda: less_than_zero(party, z, bits=32), len(z)),
    }
    results = {}
    for name, (operation, count) in operations.items():
        times = []
        for _ in range(options.repeat + 1):
            await peers.run(open_shares(party, x[:1]))  # start together
            cpu, wall = time.process_time(), time.perf_counter()
            await peers.run(operation())
            times.append((time.process_time() - cpu, time.perf_counter() - wall))
        best_cpu, best_wall = (min(entry[side] for entry in times[1:]) for side in (0, 1))
        results[name] = {"cpu_us": best_cpu / count * 1e6, "wall_us": best_wall / count * 1e6}
    squares = await peers.run(open_shares(party, (await peers.run(multiply(party, x, x)))[:50]))
    assert BN254.integers(squares) == [value * value for value in values[:50]]
    less = await peers.run(open_shares(party, (await peers.run(less_than_zero(party, z, bits=32)))[:50]))
    assert BN254.integers(less) == [int(value < 0) for value in values[:50]]
    print(json.dumps(results))


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


def ours(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure this project's committee."""
    base = [sys.executable, __file__, "--parties", str(parties), "--threshold", str(threshold)]
    base += ["--base-port", str(free_base_port(parties)), "--count", str(options.count)]
    base += ["--compared", str(options.compared), "--repeat", str(options.repeat)]
    return run_processes([[*base, "--party", str(party)] for party in range(1, parties + 1)])


def theirs(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure MPyC's committee; it compares fewer values, as it is slower."""
    script = str(Path(__file__).with_name("mpyc_party.py"))
    base = [sys.executable, script, f"-M{parties}", f"-T{threshold}", f"-B{free_base_port(parties)}"]
    sizes = [str(options.count), str(max(1, options.compared // 10)), str(min(3, options.repeat))]
    return run_processes([[*base, f"-I{party}", *sizes] for party in range(parties)])


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both for every committee, one after the other."""
    rows = []
    for parties, threshold in COMMITTEES:
        own, other = ours(parties, threshold, options), theirs(parties, threshold, options)
        for operation in own:
            row = {"parties": parties, "threshold": threshold, "operation": operation}
            row |= {"quorate_cpu_us": own[operation]["cpu_us"], "mpyc_cpu_us": other[operation]["cpu_us"]}
            row |= {"quorate_wall_us": own[operation]["wall_us"], "mpyc_wall_us": other[operation]["wall_us"]}
            row["ratio"] = row["mpyc_cpu_us"] / row["quorate_cpu_us"]
            rows.append(row)
    return rows


def main() -> int:
    """Run the benchmark; the exit code is 1 when multiplication misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--compared", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    for internal in ("--party", "--parties", "--threshold", "--base-port"):
        parser.add_argument(internal, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.party is not None:
        trio.run(party_main, options)
        return 0
    rows = compare(options)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(f"{'committee':10} {'operation':10} {'quorate':>20} {'MPyC':>20} {'ratio':>7}")
        for row in rows:
            own = f"{row['quorate_cpu_us']:.3f} us ({1e6 / row['quorate_cpu_us']:,.0f}/s)"
            other = f"{row['mpyc_cpu_us']:.3f} us ({1e6 / row['mpyc_cpu_us']:,.0f}/s)"
            size = f"n={row['parties']} t={row['threshold']}"
            print(f"{size:10} {row['operation']:10} {own:>20} {other:>20} {row['ratio']:6.1f}x")
    return 0 if all(row["ratio"] >= TARGET_RATIO for row in rows if row["operation"] == "multiply") else 1


if __name__ == "__main__":
    raise SystemExit(main())
