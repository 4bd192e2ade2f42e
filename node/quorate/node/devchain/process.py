"""Run the embedded chain as a child process of a trio program."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from .errors import DevchainMissing, DevchainSlow, DevchainStopped

START_SECONDS = 60.0
STOP_SECONDS = 10.0
MAX_OUTPUT_BYTES = 1 << 16
EXIT_MISSING = 4


@dataclass(frozen=True, slots=True)
class Devchain:
    """A running chain: its RPC address, chain id, and process id."""

    url: str
    chain_id: int
    pid: int


@asynccontextmanager
async def open_devchain(
    *,
    port: int = 0,
    chain_id: int = 31337,
    state: Path | None = None,
    fund: Mapping[str, int] | None = None,
) -> AsyncIterator[Devchain]:
    """Start the chain and yield it once it answers; it stops with the block, and with this process.

    `fund` gives balances in wei by address. DevchainMissing if the optional packages are not installed,
    DevchainStopped if the process ends before it is ready (its message says why).
    """
    command = [sys.executable, "-m", "quorate.node.devchain", "--stop-with-stdin"]
    command += ["--port", str(port), "--chain-id", str(chain_id)]
    command += ["--state", str(state)] if state is not None else []
    for account, wei in (fund or {}).items():
        command += ["--fund", f"{account}={wei}"]
    process = await trio.lowlevel.open_process(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    errors = bytearray()
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_collect, process, errors)
            try:
                yield await _ready(process, errors)
            except Exception as raised:  # out of the nursery, which would wrap it in a group
                failure = raised
            nursery.cancel_scope.cancel()
    finally:
        with trio.move_on_after(2 * STOP_SECONDS) as scope:
            scope.shield = True
            await _stop(process)
    if failure is not None:
        raise failure


async def _ready(process: trio.Process, errors: bytearray) -> Devchain:
    assert process.stdout is not None
    line = b""
    with trio.move_on_after(START_SECONDS):
        while not line.endswith(b"\n"):
            chunk = await process.stdout.receive_some(4096)
            if not chunk:
                await process.wait()
                await trio.lowlevel.checkpoint()  # let the collector take what came last
                if process.returncode == EXIT_MISSING:
                    raise DevchainMissing("alysis")
                raise DevchainStopped(process.returncode, errors.decode(errors="replace"))
            line += chunk
        record = json.loads(line)
        return Devchain(url=record["url"], chain_id=record["chain_id"], pid=record["pid"])
    raise DevchainSlow(START_SECONDS)


async def _collect(process: trio.Process, errors: bytearray) -> None:
    """Keep the end of what the process writes to standard error, so that its pipe never fills."""
    assert process.stderr is not None
    async for chunk in process.stderr:
        errors += chunk
        del errors[:-MAX_OUTPUT_BYTES]


async def _stop(process: trio.Process) -> None:
    if process.returncode is None:
        process.terminate()
        with trio.move_on_after(STOP_SECONDS):
            await process.wait()
    if process.returncode is None:
        process.kill()
        await process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            await stream.aclose()
