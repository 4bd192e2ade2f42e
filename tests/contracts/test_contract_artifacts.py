from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from quorate.contracts import (
    MAX_DURATION_SECONDS,
    MAX_PARTIES,
    TRANSITIONS,
    Attestation,
    Bid,
    Fault,
    Request,
    RequestState,
    calldata,
    load_artifact,
)
from quorate.contracts.artifacts import entries

CONTRACTS = Path(__file__).parents[2] / "contracts"
INTERFACE = (CONTRACTS / "src" / "IQuorateMarket.sol").read_text()


@pytest.mark.parametrize("name", ["QuorateMarket", "TestToken"])
def test_artifacts_belong_to_the_sources(name: str) -> None:
    """Without a compiler: the artifact names the sha256 of each of our sources it was compiled from."""
    artifact = json.loads((CONTRACTS / "quorate" / "contracts" / "artifacts" / f"{name}.json").read_text())
    for source, digest in artifact["sources"].items():
        actual = hashlib.sha256((CONTRACTS / source).read_bytes()).hexdigest()
        assert actual == digest, f"{source} changed: run node compile.js in contracts/ and commit the artifact"
    assert artifact["compiler"]["settings"] == json.loads((CONTRACTS / "settings.json").read_text())
    assert artifact["deployedBytes"] <= 24576


def test_every_source_is_in_the_market() -> None:
    artifact = json.loads((CONTRACTS / "quorate" / "contracts" / "artifacts" / "QuorateMarket.json").read_text())
    assert {f"src/{path.name}" for path in (CONTRACTS / "src").glob("*.sol")} == artifact["sources"].keys()


def test_only_known_artifacts_are_loaded() -> None:
    with pytest.raises(ValueError, match="Elsewhere"):
        load_artifact("../Elsewhere")


def test_structs_are_those_of_the_solidity_sources() -> None:
    messages = re.sub(r'"\s+"', "", (CONTRACTS / "src" / "Messages.sol").read_text())
    for kind in (Request, Bid, Attestation, Fault):
        assert f'"{kind.TYPE.signature}"' in messages
    tuples = [",".join(kind for kind, _ in message.TYPE.fields) for message in (Request, Bid)]
    lock = entries("QuorateMarket", "function")["lock"]
    assert lock.types == (f"({tuples[0]})", f"({tuples[1]})[]", "bytes[]")


def test_states_are_those_of_the_solidity_enum() -> None:
    match = re.search(r"enum State \{([^}]*)\}", INTERFACE)
    assert match is not None
    names = [name.strip().upper() for name in match[1].split(",")]
    assert names == [state.name for state in RequestState]
    assert {state for state in RequestState if state.is_final} == {
        state for state, following in TRANSITIONS.items() if not following
    }


def test_bounds_are_those_of_the_solidity_sources() -> None:
    source = (CONTRACTS / "src" / "QuorateMarket.sol").read_text()
    assert f"MAX_PARTIES = {MAX_PARTIES};" in source
    assert f"MAX_DURATION = {MAX_DURATION_SECONDS // 86400} days;" in source


@pytest.mark.parametrize(
    ("signature", "data"),
    [
        ("deposit(address,uint256)", calldata.deposit(bytes(20), 1)),
        ("withdraw(address,uint256)", calldata.withdraw(bytes(20), 1)),
        ("cancel(bytes32)", calldata.cancel(bytes(32))),
        ("expire(bytes32)", calldata.expire(bytes(32))),
        ("fulfil(bytes32,bytes32,bytes[])", calldata.fulfil(bytes(32), bytes(32), [])),
        ("reportFault(bytes32,address,bytes[])", calldata.report_fault(bytes(32), bytes(20), [])),
        ("balanceOf(address,address)", calldata.balance_of(bytes(20), bytes(20))),
        ("requestState(bytes32)", calldata.request_state(bytes(32))),
        ("record(bytes32)", calldata.record(bytes(32))),
        ("committee(bytes32)", calldata.committee(bytes(32))),
        ("treasury()", calldata.treasury()),
    ],
)
def test_selectors(signature: str, data: bytes) -> None:
    assert data[:4] == keccak(text=signature)[:4]
