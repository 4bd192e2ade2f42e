"""One party of a benchmark: python -m quorate.node.bench.party, as `committee` starts it.

It reads two lines of JSON on standard input, what to measure and then the ports of all parties, and writes lines of
JSON on standard output: its port, then what it begins, then what it measured. It ends when its input does.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, Final

import trio

from quorate.node.driver import drive
from quorate.node.leash import hold_leash
from quorate.protocol.field import PrimeField
from quorate.protocol.field.warm import warm
from quorate.protocol.mpc import Party, PartyId, Protocol, multiply, open_shares, schemes, set_up

from .loopback import LoopbackTransport, listen, open_loopback
from .operations import FIELDS, OPERATIONS, Workbench

ROUND_TIMEOUT_S: Final = 600.0
"""How long a party may compute between two messages: other processes may have the processors."""


def main() -> None:
    """Measure what standard input says."""
    task = json.loads(sys.stdin.buffer.readline())
    field = FIELDS[task["field"]]
    _compile(field)
    listener = listen()
    _tell({"port": listener.getsockname()[1]})
    ports = json.loads(sys.stdin.buffer.readline())
    hold_leash()
    trio.run(_measure_all, task, listener, {int(party): port for party, port in ports.items()})


def _tell(line: Mapping[str, Any]) -> None:  # Any: JSON
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def _compile(field: PrimeField) -> None:
    def progress(done: int, total: int, name: str) -> None:
        if done < total:
            _tell({"compiled": name, "done": done, "total": total})

    warm(progress, (field,))


async def _measure_all(task: Mapping[str, Any], listener: socket.socket, ports: Mapping[int, int]) -> None:
    party = Party(
        FIELDS[task["field"]],
        PartyId(task["party"]),
        parties=task["parties"],
        threshold=task["threshold"],
        randomness=os.urandom,
        scheme=schemes[task["protocol"]],
    )
    async with open_loopback(party.identity, listener, ports) as transport:
        runner = _Runner(party, transport)
        await runner.run(set_up(party))
        for name in task["operations"]:
            _tell({"operation": name})
            batch = task["batch"] or OPERATIONS[name].batch
            _tell({"measured": await _measure(runner, name, batch=batch, repeat=task["repeat"])})


class _Runner:
    """A party and its connections."""

    def __init__(self, party: Party, transport: LoopbackTransport) -> None:
        self.party = party
        self._transport = transport

    async def run(self, protocol: Protocol[Any]) -> Any:  # Any: whatever the protocol returns
        return await drive(protocol, self._transport, round_timeout_s=ROUND_TIMEOUT_S)

    async def start_together(self) -> None:
        """Return when all parties are there."""
        one = Workbench(self.party).shares(Workbench(self.party).values(1))
        await self.run(multiply(self.party, one, one))
        await self.run(open_shares(self.party, one))


async def _measure(runner: _Runner, name: str, *, batch: int, repeat: int) -> dict[str, Any]:
    case = OPERATIONS[name].build(Workbench(runner.party), batch)
    cpu_s, wall_s = [], []
    statistics, sent, rounds = runner.party.statistics, 0, 0
    result: Any = None
    for _ in range(repeat + 1):
        await runner.start_together()
        result = None  # the last one must not take memory beside the next
        cpu, wall = time.process_time(), time.perf_counter()
        sent, rounds = statistics.bytes_sent, statistics.rounds
        result = await runner.run(case.run())
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
        sent, rounds = statistics.bytes_sent - sent, statistics.rounds - rounds
    return {
        "right": bool(await runner.run(case.check(result))),
        "batch": batch,
        "cpu_s": min(cpu_s[1:] or cpu_s),
        "wall_s": min(wall_s[1:] or wall_s),
        "bytes_sent": sent,
        "rounds": rounds,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


if __name__ == "__main__":
    main()
