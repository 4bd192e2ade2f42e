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
from quorate.protocol.field import PrimeField, by_name
from quorate.protocol.field.warm import warm
from quorate.protocol.mpc import Party, PartyId, Protocol, multiply, open_shares, schemes, set_up

from .loopback import listen, open_loopback
from .operations import OPERATIONS
from .workbench import Workbench

ROUND_TIMEOUT_S: Final = 600.0
"""How long a party may compute between two messages: other processes may have the processors."""


def main() -> None:
    """Measure what standard input says."""
    task = json.loads(sys.stdin.buffer.readline())
    field = by_name[task["field"]]
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
        by_name[task["field"]],
        PartyId(task["party"]),
        parties=task["parties"],
        threshold=task["threshold"],
        randomness=os.urandom,
        scheme=schemes[task["protocol"]],
    )
    async with open_loopback(party.identity, listener, ports) as transport:
        # one machine from the start to the end, as late messages of one must not meet the next
        await drive(_session(party, task), transport, round_timeout_s=ROUND_TIMEOUT_S)


def _session(party: Party, task: Mapping[str, Any]) -> Protocol[None]:
    yield from set_up(party)
    for name in task["operations"]:
        _tell({"operation": name})
        batch = task["batch"] or OPERATIONS[name].batch
        _tell({"measured": (yield from _measure(party, name, batch=batch, repeat=task["repeat"]))})


def _measure(party: Party, name: str, *, batch: int, repeat: int) -> Protocol[dict[str, Any]]:
    case = OPERATIONS[name].build(Workbench(party), batch)
    cpu_s, wall_s = [], []
    statistics, sent, rounds = party.statistics, 0, 0
    result: Any = None
    for _ in range(repeat + 1):
        yield from _start_together(party)
        result = None  # the last one must not take memory beside the next
        cpu, wall = time.process_time(), time.perf_counter()
        sent, rounds = statistics.bytes_sent, statistics.rounds
        result = yield from case.run()
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
        sent, rounds = statistics.bytes_sent - sent, statistics.rounds - rounds
    return {
        "right": bool((yield from case.check(result))),
        "batch": batch,
        "cpu_s": min(cpu_s[1:] or cpu_s),
        "wall_s": min(wall_s[1:] or wall_s),
        "bytes_sent": sent,
        "rounds": rounds,
        "peak_rss_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def _start_together(party: Party) -> Protocol[None]:
    """Return when all parties are there."""
    bench = Workbench(party)
    one = bench.shares(bench.values(1))
    yield from open_shares(party, (yield from multiply(party, one, one)))


if __name__ == "__main__":
    main()
