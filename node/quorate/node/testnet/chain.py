"""The chain of a local network: one of ours (anvil when it is on the PATH, else the embedded one), or one by URL."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import trio

from quorate.node.chain import Chain, RpcError, open_chain
from quorate.node.errors import MissingPart, PortInUse, ReadinessTimeout, TestnetError

from .child import Child
from .config import TestnetConfig
from .state import LOGS_NAME

CHAIN_ID: Final = 31337
CHAIN_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05
_EXIT_PORT_IN_USE: Final = 3
_EXIT_PACKAGES_MISSING: Final = 4
_ANVIL_LISTENING: Final = re.compile(r"Listening on (127\.0\.0\.1:\d+)")
_ANVIL_PORT_TAKEN: Final = re.compile(r"address already in use", re.IGNORECASE)

Start = Callable[[str, tuple[str, ...], Path], Awaitable[Child]]
"""How the supervisor starts a process and remembers it: name, command, log."""


@dataclass(frozen=True, slots=True)
class LocalChain:
    """A chain that answers: `kind` is "anvil", "embedded" or "url"; `child` is its process when it is ours."""

    url: str
    kind: str
    child: Child | None


async def start_chain(config: TestnetConfig, start: Start) -> LocalChain:
    """The chain that `config` asks for, answering. PortInUse, MissingPart, ProcessFailed or ReadinessTimeout."""
    if config.chain_url is not None:
        return LocalChain(config.chain_url, "url", None)
    log = config.home / LOGS_NAME / "chain.log"
    anvil = shutil.which("anvil")
    if anvil is not None:
        child = await start("chain", _anvil_command(anvil, config.chain_port), log)
        return LocalChain(await _wait_for(child, _anvil_url, config.chain_port), "anvil", child)
    child = await start("chain", _embedded_command(config), log)
    return LocalChain(await _wait_for(child, _embedded_url, config.chain_port), "embedded", child)


async def fund(chain: Chain, balances: Mapping[bytes, int]) -> None:
    """Set balances, which development chains allow; TestnetError on a chain that does not."""
    for account, amount in balances.items():
        try:
            await chain.request("anvil_setBalance", f"0x{account.hex()}", hex(amount))
        except RpcError as error:
            raise TestnetError(
                f"the chain at {chain.url} does not set balances",
                why=f"anvil_setBalance: {error.why or error.what}",
                todo="use a development chain: anvil, or leave out --chain-url for the embedded one",
            ) from error


async def check_chain(url: str) -> int:
    """The chain id of the chain at `url`; ChainUnreachable when nothing answers."""
    async with open_chain(url) as chain:
        return chain.chain_id


def _anvil_command(anvil: str, port: int) -> tuple[str, ...]:
    options = ("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID), "--accounts", "1")
    return (sys.executable, "-m", "quorate.node.leash", "--", anvil, *options)


def _embedded_command(config: TestnetConfig) -> tuple[str, ...]:
    options = ("--stop-with-stdin", "--port", str(config.chain_port), "--chain-id", str(CHAIN_ID))
    return (sys.executable, "-m", "quorate.node.devchain", *options)


def _anvil_url(output: str) -> str | None:
    match = _ANVIL_LISTENING.search(output)
    return f"http://{match[1]}" if match else None


def _embedded_url(output: str) -> str | None:
    for line in output.splitlines(keepends=True):
        if line.startswith("{") and line.endswith("\n"):
            return str(json.loads(line)["url"])
    return None


async def _wait_for(child: Child, url_in: Callable[[str], str | None], port: int) -> str:
    with trio.move_on_after(CHAIN_SECONDS):
        while True:
            output = child.output()
            url = url_in(output)
            if url is not None:
                return url
            if child.status is not None:
                raise _why_it_ended(child, output, port)
            await trio.sleep(POLL_SECONDS)
    raise ReadinessTimeout("the chain", seconds=CHAIN_SECONDS, log=child.log)


def _why_it_ended(child: Child, output: str, port: int) -> Exception:
    if child.status == _EXIT_PORT_IN_USE or _ANVIL_PORT_TAKEN.search(output):
        return PortInUse(port, "the chain")
    if child.status == _EXIT_PACKAGES_MISSING:
        return MissingPart(
            "the embedded chain", todo="install quorate[devchain], put anvil on the PATH, or give --chain-url"
        )
    return child.failure()
