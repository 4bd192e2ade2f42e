"""Clients as processes of their own: each has a home with its keys, and gets its secret values by a pipe."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import trio

from quorate.node.config import FILE_NAME, NodeConfig, load_config, write_config
from quorate.node.errors import ProcessFailed, QuorateNodeError, UsageError
from quorate.node.home import create_home
from quorate.node.keys import TEST_COST, write_random_passphrase
from quorate.node.mesh.scopes import shielded

CLIENTS_FOLDER: Final = "clients"
PASSPHRASE_FILE: Final = "passphrase"  # noqa: S105 -- the name of a file, not a passphrase
ERROR_FILE: Final = "client.err"
MAX_LINE_BYTES: Final = 1 << 20
READY_S: Final = 60.0
"""How long a client process may take to start."""
STOP_S: Final = 5.0


class ClientFailed(QuorateNodeError):
    """The process of client `name` ended with an error of its own."""

    def __init__(self, name: str, error: dict[str, Any]) -> None:
        super().__init__(f"client {name}: {error.get('what', 'it failed')}")
        self.why = str(error.get("why", ""))
        self.todo = str(error.get("todo", ""))
        self.name = name
        self.kind = str(error.get("type", ""))


def make_client_home(folder: Path, name: str, *, like: NodeConfig, bootstrap: Sequence[str]) -> NodeConfig:
    """A home for a client of a test network, with fresh keys and a passphrase beside them; an old one is reused."""
    home = folder / CLIENTS_FOLDER / name
    if home.parent != folder / CLIENTS_FOLDER:
        raise UsageError(f"the client name {name!r} is no folder name", todo="use letters and digits")
    values: dict[str, dict[str, object]] = {
        "identity": {"passphrase_file": PASSPHRASE_FILE},
        "mesh": {"listen": ["/ip4/127.0.0.1/tcp/0"], "bootstrap": list(bootstrap)},
        "chain": {
            "url": like.chain.url,
            "chain_id": like.chain.chain_id,
            "market": like.chain.market,
            "confirmations": like.chain.confirmations,
            "poll_seconds": like.chain.poll_seconds,
        },
        "log": {"level": "info", "format": "json", "file": "client.log"},
    }
    if like.registry.index is not None:
        values["registry"] = {"index": str((like.home / like.registry.index).resolve())}
    if (home / FILE_NAME).exists():  # keys stay, the network may be another one
        (home / FILE_NAME).unlink()
        write_config(home, values)
    else:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        passphrase = write_random_passphrase(home / PASSPHRASE_FILE)
        create_home(home, passphrase, values=values, cost=TEST_COST)
    return load_config(home)


class ClientProcess:
    """One `quorate client join` process."""

    def __init__(self, name: str, process: trio.Process) -> None:
        self.name = name
        self._process = process
        self._buffer = bytearray()

    async def give(self, values: Sequence[int]) -> None:
        """Hand over the secret values; the pipe stays open as the leash of the process."""
        assert self._process.stdin is not None
        await self._process.stdin.send_all(json.dumps(list(values)).encode() + b"\n")

    async def ready(self) -> None:
        """Wait until the process is connected and waits for its order; ClientFailed or ProcessFailed."""
        event: dict[str, Any] | None = None
        with trio.move_on_after(READY_S):
            event = await self._line()
        if event is None or event.get("event") != "ready":
            raise ProcessFailed(f"client {self.name}", status=self._process.returncode or 0, log=Path(), tail="")

    async def result(self) -> dict[str, Any]:
        """What the client got, as its JSON; ClientFailed with its error."""
        return await self._line()

    async def _line(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        while b"\n" not in self._buffer:
            chunk = await self._process.stdout.receive_some(65536)
            if not chunk or len(self._buffer) > MAX_LINE_BYTES:
                await self._process.wait()
                raise ClientFailed(self.name, {"what": f"its process ended ({self._process.returncode})"})
            self._buffer += chunk
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        value: dict[str, Any] = json.loads(line)
        if "error" in value:
            raise ClientFailed(self.name, value["error"])
        return value

    async def stop(self) -> None:
        """End the process, if it has not ended."""
        if self._process.returncode is None:
            self._process.terminate()
            with trio.move_on_after(STOP_S):
                await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
        await self._process.wait()


@asynccontextmanager
async def client_process(
    config: NodeConfig, name: str, program: str, *, timeout_s: float
) -> AsyncIterator[ClientProcess]:
    """A process that takes part in the next request on `program` that names the keys in `config`'s home."""
    command = [
        *(sys.executable, "-m", "quorate.node", "client", "join", program),
        *("--home", str(config.home), "--timeout", str(timeout_s), "--values-from-stdin", "--json"),
    ]
    errors = os.open(config.home / ERROR_FILE, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
    finally:
        os.close(errors)
    client = ClientProcess(name, process)
    try:
        yield client
    finally:
        with shielded():
            await client.stop()
