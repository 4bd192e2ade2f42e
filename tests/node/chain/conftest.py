"""Chains to test against: the embedded one always, anvil where it is installed."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from quorate.node.chain import Signer

ROOT = Path(__file__).resolve().parents[3]
ETHER = 10**18
CHAIN_ID = 31337
START_SECONDS = 60


def find_anvil() -> str | None:
    local = ROOT / "contracts" / "node_modules" / ".bin" / "anvil"
    return str(local) if local.exists() else shutil.which("anvil")


class Endpoint:
    """A running chain, spoken to synchronously."""

    def __init__(self, kind: str, url: str, process: subprocess.Popen[bytes]) -> None:
        self.kind = kind
        self.url = url
        self.process = process

    def rpc(self, method: str, *params: Any) -> Any:
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        assert "error" not in answer, answer
        return answer["result"]

    def post(self, message: Any) -> Any:
        request = urllib.request.Request(
            self.url, json.dumps(message).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.loads(response.read())

    def fund(self, account: bytes, wei: int = 1000 * ETHER) -> None:
        self.rpc("anvil_setBalance", "0x" + account.hex(), hex(wei))

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream is not None:
                stream.close()


def start_devchain(*arguments: str, before: Callable[[], None] | None = None) -> Endpoint:
    process = subprocess.Popen(
        [sys.executable, "-m", "quorate.node.devchain", "--port", "0", "--stop-with-stdin", *arguments],
        stdin=subprocess.PIPE,  # so that it ends with us, however we end
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=before,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    line = process.stdout.readline()
    if not line:
        process.wait()
        raise AssertionError(process.stderr.read().decode())
    return Endpoint("devchain", json.loads(line)["url"], process)


def start_anvil(*arguments: str) -> Endpoint:
    binary = find_anvil()
    if binary is None:
        pytest.skip("anvil is not installed: run npm ci in contracts/")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [binary, "--port", str(port), "--chain-id", str(CHAIN_ID), "--silent", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "FOUNDRY_DISABLE_NIGHTLY_WARNING": "1"},
    )
    endpoint = Endpoint("anvil", f"http://127.0.0.1:{port}", process)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            endpoint.rpc("eth_chainId")
        except OSError:
            time.sleep(0.05)
        else:
            return endpoint
    endpoint.stop()
    raise AssertionError("anvil did not start")


@pytest.fixture(scope="session")
def devchain() -> Iterator[Endpoint]:
    endpoint = start_devchain()
    yield endpoint
    endpoint.stop()


@pytest.fixture(scope="session")
def shared_anvil() -> Iterator[Endpoint]:
    endpoint = start_anvil()
    yield endpoint
    endpoint.stop()


@pytest.fixture(params=["devchain", pytest.param("anvil", marks=pytest.mark.anvil)])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Each of the chains; tests share them, so they use accounts of their own and relative block numbers."""
    found: Endpoint = request.getfixturevalue("devchain" if request.param == "devchain" else "shared_anvil")
    return found


@pytest.fixture
def anvil() -> Iterator[Endpoint]:
    """An anvil for one test alone, which it may reorganise and stop."""
    endpoint = start_anvil()
    yield endpoint
    endpoint.stop()


_numbers = itertools.count(1)


@pytest.fixture
def new_signer() -> Callable[[], Signer]:
    """Signers with keys that no other test of this run uses."""
    return lambda: Signer.from_private_key((0x5157 << 64 | next(_numbers)).to_bytes(32, "big"))


@pytest.fixture
def signer(endpoint: Endpoint, new_signer: Callable[[], Signer]) -> Signer:
    """A signer with money on the endpoint."""
    made = new_signer()
    endpoint.fund(made.account)
    return made
