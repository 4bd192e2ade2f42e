"""Two committees to compare: one of `quorate bench mpc`, and one of processes of MPyC on the same machine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import trio

from quorate.node.bench import Benchmark, run_benchmark


def measured(
    parties: int, threshold: int, *operations: str, batch: int, repeat: int, protocol: str = "passive"
) -> dict[str, dict[str, Any]]:
    """The rows of operations, by name, from the same processes; `batch` 0 is each one's usual size."""
    benchmark = Benchmark(
        parties=parties,
        threshold=threshold,
        protocol=protocol,
        operations=operations,
        batch=batch,
        repeat=repeat,
    )

    async def run() -> dict[str, Any]:
        return await run_benchmark(benchmark, report=lambda line: print(line, file=sys.stderr))

    return {row["operation"]: row for row in trio.run(run)["rows"]}


def mpyc_processes(script: str, *arguments: int, parties: int, threshold: int) -> dict[str, dict[str, float]]:
    """Run a script of this folder as every party of MPyC; the mean of the figures that they print."""
    path = str(Path(__file__).with_name(script))
    base = [sys.executable, path, f"-M{parties}", f"-T{threshold}", f"-B{_free_base_port(parties)}"]
    commands = [[*base, f"-I{party}", *map(str, arguments)] for party in range(parties)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    outputs = [process.communicate()[0] for process in processes]
    if any(process.returncode for process in processes):
        raise RuntimeError(f"a party failed: {' '.join(commands[0])}")
    results = [json.loads(output.strip().splitlines()[-1]) for output in outputs]
    return {
        name: {unit: sum(result[name][unit] for result in results) / len(results) for unit in results[0][name]}
        for name in results[0]
    }


def _free_base_port(parties: int) -> int:
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
