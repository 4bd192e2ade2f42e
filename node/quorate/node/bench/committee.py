"""A committee of processes for a benchmark: starts one a party, tells them the ports, gathers what they measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import trio

from quorate.node.errors import QuorateNodeError, UsageError
from quorate.node.mesh.scopes import shielded
from quorate.protocol.field import by_name
from quorate.protocol.mpc import schemes
from quorate.protocol.sharing import MAX_PARTIES

from .operations import OPERATIONS

DEFAULT_REPEAT: Final = 3
MAX_BATCH: Final = 1 << 24
"""The largest batch: the shares of one vector take 512 MiB then."""
MAX_REPEAT: Final = 1000
_MAX_LINE_BYTES: Final = 1 << 16
_QUIET_S: Final = 4.0
"""Kernels that come from the cache are loaded faster: nothing is reported then."""

Report = Callable[[str], None]
Row = dict[str, Any]
"""One line of results, as JSON."""


class BenchmarkFailed(QuorateNodeError):
    """A party's process ended early, or an operation gave a wrong result; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What to measure. Raises UsageError for what does not exist, with what does, or for a bad committee.

    `batch` 0 is each operation's usual size.
    """

    parties: int = 3
    threshold: int = 1
    protocol: str = "passive"
    field: str = "bn254"
    operations: tuple[str, ...] = tuple(OPERATIONS)
    batch: int = 0
    repeat: int = DEFAULT_REPEAT

    def __post_init__(self) -> None:
        _check_name("protocol", self.protocol, schemes)
        _check_name("field", self.field, by_name)
        for name in self.operations:
            _check_name("operation", name, OPERATIONS)
        _check_range("batch", self.batch, 0, MAX_BATCH)
        _check_range("repeat", self.repeat, 1, MAX_REPEAT)
        _check_range("parties", self.parties, 1, MAX_PARTIES)
        try:
            schemes[self.protocol].check_committee(self.parties, self.threshold)
            schemes[self.protocol].check_field(by_name[self.field])
        except ValueError as error:
            what = f"the {self.protocol} protocol cannot run with {self.parties} parties over {self.field}"
            raise UsageError(what, why=str(error), todo="choose other --parties, --threshold or --field") from None


def _check_name(kind: str, name: str, known: Mapping[str, object]) -> None:
    if name not in known:
        raise UsageError(f"there is no {kind} {name!r}", todo=f"choose from: {', '.join(known)}")


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UsageError(f"--{name} is {value}", todo=f"choose from {least} to {most}")


async def run_benchmark(benchmark: Benchmark, *, report: Report) -> dict[str, Any]:
    """Measure, and return {"machine": {...}, "rows": [...]}; `report` is told what goes on.

    Raises BenchmarkFailed when a party fails or a result is wrong.
    """
    rows: list[Row] = []
    async with AsyncExitStack() as stack:
        processes = [await stack.enter_async_context(_Process(party)) for party in range(1, benchmark.parties + 1)]
        for process in processes:
            await process.tell(_task(benchmark, process.party))
        ports = {process.party: await _port_of(process, report) for process in processes}
        for process in processes:
            await process.tell(ports)
        for name in benchmark.operations:
            report(f"{name}: {OPERATIONS[name].summary}, {benchmark.parties} parties, {benchmark.protocol}")
            rows.append(_row(benchmark, name, [await process.next("measured") for process in processes]))
    return {"machine": machine(), "rows": rows}


def _task(benchmark: Benchmark, party: int) -> Mapping[str, Any]:
    names = ("parties", "threshold", "protocol", "field", "operations", "batch", "repeat")
    return {"party": party, **{name: getattr(benchmark, name) for name in names}}


async def _port_of(process: _Process, report: Report) -> int:
    started = trio.current_time()
    while True:
        line = await process.line()
        if "port" in line:
            return int(line["port"])
        if trio.current_time() - started > _QUIET_S:
            report(f"compiling {line['compiled']} ({line['done']} of {line['total']})")


def _row(benchmark: Benchmark, name: str, measured: Sequence[Mapping[str, Any]]) -> Row:
    if not all(result["right"] for result in measured):
        raise BenchmarkFailed(f"{name} gave a wrong result", todo="report this: it is a defect")
    batch = measured[0]["batch"]
    cpu_s = sum(result["cpu_s"] for result in measured) / len(measured)
    sent = sum(result["bytes_sent"] for result in measured) / len(measured)
    return {
        "operation": name,
        "protocol": benchmark.protocol,
        "parties": benchmark.parties,
        "threshold": benchmark.threshold,
        "field": benchmark.field,
        "batch": batch,
        "cpu_us_per_op": cpu_s / batch * 1e6,
        "wall_us_per_op": max(result["wall_s"] for result in measured) / batch * 1e6,
        "bytes_per_op": sent / batch,
        "rounds": measured[0]["rounds"],
        "peak_rss_bytes": max(result["peak_rss_bytes"] for result in measured),
    }


class _Process:
    """One party's process; it is killed when the block ends."""

    def __init__(self, party: int) -> None:
        self.party = party
        self._buffer = b""

    async def __aenter__(self) -> _Process:
        command = [sys.executable, "-m", "quorate.node.bench.party"]
        self._process = await trio.lowlevel.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
        with shielded():
            await self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                await trio.aclose_forcefully(stream)

    async def tell(self, value: object) -> None:
        """Send a line of JSON."""
        assert self._process.stdin is not None
        try:
            await self._process.stdin.send_all(json.dumps(value).encode() + b"\n")
        except trio.BrokenResourceError:
            raise self._ended() from None

    async def next(self, key: str) -> Mapping[str, Any]:
        """The value of the next line that has `key`."""
        while key not in (line := await self.line()):
            pass
        value: Mapping[str, Any] = line[key]
        return value

    async def line(self) -> Mapping[str, Any]:
        """The next line of JSON."""
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            data = await self._process.stdout.receive_some(_MAX_LINE_BYTES)
            if not data or len(self._buffer) > _MAX_LINE_BYTES:
                raise self._ended()
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        value: Mapping[str, Any] = json.loads(line)
        return value

    def _ended(self) -> BenchmarkFailed:
        return BenchmarkFailed(
            f"the process of party {self.party} ended early",
            why="it says why above",
            todo="if it was killed, there may be too little memory: try fewer parties or a smaller --batch",
        )


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "processors": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "quorate": version("quorate"),
        "channel": "TCP over loopback, in clear",
    }


def _processor() -> str:
    """The model of the processor, where the system tells."""
    description = Path("/proc/cpuinfo")
    if description.is_file():
        for line in description.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
