"""The embedded chain: its methods, its bounds, and that it survives."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import resource
import signal as signals
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from quorate.contracts import calldata, decode_revert, market_deployment
from quorate.node.chain import Call, open_chain, open_sender
from quorate.node.devchain import __main__ as command
from quorate.node.devchain.errors import DevchainMissing, DevchainStopped
from quorate.node.devchain.process import open_devchain
from quorate.node.devchain.server import MAX_BATCH, MAX_REQUEST_BYTES
from quorate.node.devchain.statefile import Action, Genesis, StateFile, StateFileError

from .conftest import CHAIN_ID, ETHER, start_devchain

# Two pairs whose pairings cancel: e(G1, G2) * e(-G1, G2) = 1 (EIP-197).
G1 = (1, 2)
MINUS_G1 = (1, 21888242871839275222246405745257275088696311157297823662689037894645226208583 - 2)
G2 = (
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
)


def words(*numbers: int) -> str:
    return b"".join(number.to_bytes(32, "big") for number in numbers).hex()


def test_pairings_go_through_the_fast_path_with_their_gas(devchain) -> None:
    precompile = "0x" + "00" * 19 + "08"

    def pair(data: str) -> object:
        return devchain.rpc("eth_call", {"to": precompile, "data": "0x" + data}, "latest")

    cancels = words(*G1, *G2, *MINUS_G1, *G2)
    assert pair(cancels) == "0x" + words(1)
    assert pair(words(*G1, *G2, *G1, *G2)) == "0x" + words(0)
    estimate = devchain.rpc("eth_estimateGas", {"to": precompile, "data": "0x" + cancels})
    assert int(estimate, 16) >= 45_000 + 2 * 34_000 + 21_000
    off_curve = {"to": precompile, "data": "0x" + words(1, 3, *G2)}
    answer = devchain.post({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [off_curve, "latest"]})
    assert answer["error"]["code"] == -32000


def test_reads_take_absent_and_null_blocks(devchain) -> None:
    account = "0x" + "44" * 20
    for block in ([], [None], ["latest"], ["pending"], ["0x0"], [{"blockNumber": "0x0"}]):
        assert devchain.rpc("eth_getBalance", account, *block) == "0x0"
        assert devchain.rpc("eth_getCode", account, *block) == "0x"
        assert devchain.rpc("eth_getTransactionCount", account, *block) == "0x0"
        assert devchain.rpc("eth_getStorageAt", account, "0x0", *block) == "0x" + "00" * 32
        assert devchain.rpc("eth_call", {"to": account}, *block) == "0x"
    assert devchain.rpc("eth_getBlockByNumber", "0xffffff", False) is None
    assert devchain.rpc("eth_getBlockByHash", "0x" + "00" * 32, False) is None
    assert devchain.rpc("eth_getTransactionByHash", "0x" + "00" * 32) is None


def test_small_methods(devchain) -> None:
    assert devchain.rpc("eth_chainId") == hex(CHAIN_ID)
    assert devchain.rpc("net_version") == str(CHAIN_ID)
    assert devchain.rpc("web3_clientVersion").startswith("quorate-devchain/")
    assert devchain.rpc("eth_syncing") is False
    assert int(devchain.rpc("eth_gasPrice"), 16) > int(devchain.rpc("eth_maxPriorityFeePerGas"), 16) - 1


def test_fee_history(devchain) -> None:
    devchain.rpc("anvil_mine", "0x3")
    history = devchain.rpc("eth_feeHistory", "0x2", "latest", [10, 50, 90])
    height = int(devchain.rpc("eth_blockNumber"), 16)
    assert history["oldestBlock"] == hex(height - 1)
    assert len(history["baseFeePerGas"]) == 3
    assert history["gasUsedRatio"] == [0.0, 0.0]
    assert history["reward"] == [["0x0"] * 3] * 2
    assert devchain.rpc("eth_getBlockByNumber", hex(height), False)["baseFeePerGas"] == history["baseFeePerGas"][1]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_nothing", [], -32601),
        ("eth_sign", ["0x", "0x"], -32601),
        ("eth_getBalance", [], -32602),
        ("eth_getBalance", ["0x12"], -32602),
        ("eth_getBalance", ["0x" + "00" * 20, "0xfffffff"], -32602),
        ("eth_call", [7], -32602),
        ("eth_call", [{"to": "0x" + "00" * 20, "value": "-1"}], -32602),
        ("eth_sendRawTransaction", ["0xc0"], -32000),
        ("eth_sendRawTransaction", ["0x"], -32000),
        ("eth_getLogs", [{"fromBlock": "0x0", "topics": [[]] * 5}], -32602),
        ("eth_getLogs", [{"blockHash": "0x" + "00" * 32}], -32000),
        ("eth_feeHistory", ["0x1", "latest", ["x"]], -32602),
        ("anvil_mine", ["0xffffff"], -32602),
        ("evm_setNextBlockTimestamp", ["0x1"], -32000),
    ],
)
def test_errors_have_the_codes_of_public_nodes(devchain, method: str, params: list[object], code: int) -> None:
    answer = devchain.post({"jsonrpc": "2.0", "id": 9, "method": method, "params": params})
    assert answer["id"] == 9
    assert answer["error"]["code"] == code, answer


def test_batches(devchain) -> None:
    requests = [
        {"jsonrpc": "2.0", "id": number, "method": "eth_chainId", "params": []} for number in range(MAX_BATCH)
    ]
    answers = devchain.post(requests)
    assert [answer["id"] for answer in answers] == list(range(MAX_BATCH))
    assert devchain.post([*requests, requests[0]])["error"]["code"] == -32600
    assert devchain.post([])["error"]["code"] == -32600
    assert devchain.post([7])[0]["error"]["code"] == -32600
    assert devchain.post({"id": 1, "method": "eth_chainId", "params": {}})["error"]["code"] == -32602


def _post(url: str, headers: dict[str, str], body: bytes = b"{}") -> int:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request("POST", "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_what_a_browser_or_a_flood_could_send_is_refused(devchain) -> None:
    good = {"Content-Type": "application/json"}
    assert _post(devchain.url, good) == 200
    assert _post(devchain.url, {"Content-Type": "text/plain"}) == 415
    assert _post(devchain.url, {**good, "Host": "evil.example"}) == 403
    assert _post(devchain.url, {**good, "Host": "evil.example:80"}) == 403
    assert _post(devchain.url, {**good, "Content-Length": str(MAX_REQUEST_BYTES + 1)}) == 413
    assert _post(devchain.url, {**good, "Content-Length": "-1"}) == 411
    assert devchain.rpc("eth_chainId") == hex(CHAIN_ID)


def test_deep_json_does_not_kill_it(devchain) -> None:
    assert _post(devchain.url, {"Content-Type": "application/json"}, b"[" * 500_000) == 200
    assert devchain.rpc("eth_chainId") == hex(CHAIN_ID)


async def test_revert_data_is_kept(devchain, new_signer, tmp_path: Path) -> None:
    signer = new_signer()
    devchain.fund(signer.account)
    async with (
        open_chain(devchain.url) as chain,
        open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite") as sender,
    ):
        receipt = await sender.send("deploy", Call(None, market_deployment(signer.account)))
    assert receipt.created is not None
    call = {"to": "0x" + receipt.created.hex(), "data": "0x" + calldata.withdraw(bytes(20), 5).hex()}
    for method in ("eth_call", "eth_estimateGas"):
        answer = devchain.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": [call, "latest"]})
        assert answer["error"]["code"] == 3
        assert decode_revert(answer["error"]["data"]).name == "InsufficientBalance"
    created = devchain.rpc("eth_getTransactionByHash", "0x" + receipt.transaction_hash.hex())
    assert created["to"] is None
    full = devchain.rpc("eth_getBlockByNumber", hex(receipt.block_number), True)
    assert full["transactions"] == [created]
    assert devchain.rpc("eth_getBlockByHash", full["hash"], True) == full
    receipts = devchain.rpc("eth_getBlockReceipts", hex(receipt.block_number))
    assert [each["contractAddress"] for each in receipts] == ["0x" + receipt.created.hex()]


def test_time_follows_the_wall_clock_and_can_be_moved() -> None:
    endpoint = start_devchain()
    try:

        def mined() -> int:
            return int(endpoint.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

        for _ in range(20):  # many blocks in a second do not run ahead of the clock
            endpoint.rpc("evm_mine")
        assert abs(mined() - time.time()) < 10
        endpoint.rpc("evm_increaseTime", 3600)
        endpoint.rpc("evm_mine")
        assert 3590 < mined() - time.time() < 3700
        target = mined() + 10_000
        endpoint.rpc("evm_setNextBlockTimestamp", target)
        endpoint.rpc("anvil_setBalance", "0x" + "55" * 20, hex(7))
        assert mined() == target
        endpoint.rpc("evm_mine")
        assert target <= mined() < target + 60
        assert endpoint.rpc("eth_getBalance", "0x" + "55" * 20) == "0x7"
    finally:
        endpoint.stop()


async def test_a_killed_chain_comes_back_with_the_same_blocks(new_signer, tmp_path: Path) -> None:
    state, signer = tmp_path / "chain.jsonl", new_signer()
    arguments = ("--state", str(state), "--fund", f"{signer.address}={5 * ETHER}")
    endpoint = start_devchain(*arguments)
    try:
        async with (
            open_chain(endpoint.url) as chain,
            open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite") as sender,
        ):
            deployed = await sender.send("deploy", Call(None, market_deployment(signer.account)))
            await sender.send("pay", Call(bytes(18) + b"\x09\x09", value=3))
        endpoint.rpc("evm_increaseTime", 100)
        endpoint.rpc("evm_mine")
        endpoint.rpc("anvil_setBalance", "0x" + "66" * 20, hex(66))
        height = int(endpoint.rpc("eth_blockNumber"), 16)
        before = [endpoint.rpc("eth_getBlockByNumber", hex(number), True) for number in range(height + 1)]
        os.kill(endpoint.process.pid, signals.SIGKILL)
    finally:
        endpoint.stop()
    with state.open("ab") as file:
        file.write(b'{"kind": "transaction", "times')  # killed in the middle of a write
    endpoint = start_devchain(*arguments)
    try:
        after = [endpoint.rpc("eth_getBlockByNumber", hex(number), True) for number in range(height + 1)]
        assert after == before
        assert int(endpoint.rpc("eth_blockNumber"), 16) == height
        assert endpoint.rpc("eth_getBalance", "0x" + "66" * 20) == hex(66)
        async with (
            open_chain(endpoint.url) as chain,
            open_sender(chain, signer, journal_path=tmp_path / "tx.sqlite") as sender,
        ):
            assert (await sender.send("deploy", Call(None, market_deployment(signer.account)))) == deployed
            assert (await sender.send("pay again", Call(bytes(18) + b"\x09\x09", value=3))).succeeded
    finally:
        endpoint.stop()


async def test_a_full_disk_refuses_the_transaction_and_changes_nothing(new_signer, tmp_path: Path) -> None:
    signer, state = new_signer(), tmp_path / "chain.jsonl"
    arguments = ("--state", str(state), "--fund", f"{signer.address}=5 ether")
    endpoint = start_devchain(*arguments, before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)))
    try:
        raws = []
        for nonce in range(10):
            fields: dict[str, int | bytes] = {
                "chainId": CHAIN_ID,
                "nonce": nonce,
                "gas": 60_000,
                "maxFeePerGas": 10**10,
                "maxPriorityFeePerGas": 1,
                "to": bytes(18) + b"\x09\x09",
                "value": 1,
                "data": bytes(400),
            }
            raws.append("0x" + signer.sign_transaction(fields).raw.hex())
        answers = [endpoint.post({"id": 1, "method": "eth_sendRawTransaction", "params": [raw]}) for raw in raws]
        landed = [answer for answer in answers if "result" in answer]
        assert 0 < len(landed) < 10
        assert "state file cannot be written" in answers[len(landed)]["error"]["message"]
        assert all("error" in answer for answer in answers[len(landed) :])
        assert endpoint.rpc("eth_getTransactionCount", signer.address) == hex(len(landed))
        assert endpoint.rpc("eth_blockNumber") == hex(len(landed))
        os.kill(endpoint.process.pid, signals.SIGKILL)
    finally:
        endpoint.stop()
    endpoint = start_devchain(*arguments)
    try:
        assert endpoint.rpc("eth_blockNumber") == hex(len(landed))
        assert "result" in endpoint.post(
            {"id": 1, "method": "eth_sendRawTransaction", "params": [raws[len(landed)]]}
        )
    finally:
        endpoint.stop()


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quorate.node.devchain", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def test_port_in_use(devchain) -> None:
    done = _run("--port", str(urlsplit(devchain.url).port))
    assert done.returncode == command.EXIT_PORT_IN_USE
    assert "another process uses that port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_host_of_another_machine(devchain) -> None:
    done = _run("--port", "0", "--host", "192.0.2.1")
    assert done.returncode == 1
    assert "cannot listen on 192.0.2.1:0" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("signal", [signals.SIGTERM, signals.SIGINT])
def test_signals_stop_it_gracefully(signal: signals.Signals, tmp_path: Path) -> None:
    endpoint = start_devchain("--state", str(tmp_path / "chain.jsonl"))
    endpoint.rpc("evm_mine")
    endpoint.process.send_signal(signal)
    assert endpoint.process.wait(10) == 0
    assert endpoint.process.stderr is not None
    assert endpoint.process.stderr.read() == b""
    endpoint.stop()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"version": 1, "chain_id": 5, "timestamp": 1, "balances": {}}\n', "holds chain 5, not 31337"),
        (b'{"version": 9}\n', "another version wrote it"),
        (b"rubbish\n", "line 1 is damaged"),
        (
            b'{"version": 1, "chain_id": 31337, "timestamp": 1, "balances": {}}\n{"kind": "x"}\n',
            "line 2 is damaged",
        ),
    ],
)
def test_state_files_that_cannot_be_used(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "chain.jsonl"
    path.write_bytes(content)

    def replay() -> None:
        file = StateFile(path, Genesis(CHAIN_ID, 1))
        try:
            list(file.replay())
        finally:
            file.close()

    with pytest.raises(StateFileError, match=reason):
        replay()
    assert path.read_bytes() == content


def test_state_file_is_locked_and_keeps_its_order(tmp_path: Path) -> None:
    path = tmp_path / "chain.jsonl"
    genesis = Genesis(CHAIN_ID, 17, {"0x" + "11" * 20: 1 << 100})
    actions = [Action("transaction", 18, "02ab"), Action("block", 19), Action("balance", 20, "0x" + "22" * 20, 5)]
    first = StateFile(path, genesis)
    for action in actions:
        first.append(action)
    with pytest.raises(StateFileError, match="another process uses it"):
        StateFile(path, genesis)
    first.close()
    second = StateFile(path, Genesis(CHAIN_ID, 99))
    assert second.genesis == genesis
    assert list(second.replay()) == actions
    second.close()


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert command.main(["--port", "0"]) == command.EXIT_MISSING
    assert "pip install 'quorate[devchain]'" in capsys.readouterr().err


async def test_open_devchain_runs_and_says_why_it_cannot(
    devchain, monkeypatch: pytest.MonkeyPatch, new_signer
) -> None:
    signer = new_signer()
    async with open_devchain(fund={signer.address: 5}) as running, open_chain(running.url) as chain:
        assert chain.chain_id == running.chain_id
        assert await chain.balance(signer.account) == 5
    with pytest.raises(DevchainStopped, match="another process uses that port"):
        async with open_devchain(port=urlsplit(devchain.url).port or 0):
            pass
    monkeypatch.setattr("quorate.node.devchain.process.EXIT_MISSING", command.EXIT_PORT_IN_USE)
    with pytest.raises(DevchainMissing):
        async with open_devchain(port=urlsplit(devchain.url).port or 0):
            pass


def test_nothing_of_the_evm_is_in_a_nodes_memory() -> None:
    program = (
        "import sys, json, quorate.node.chain, quorate.node.devchain.process; "
        "print(json.dumps([name for name in ('alysis', 'eth.vm', 'pyrevm', 'web3') if name in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(done.stdout) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["--fund", "0x12=5"],
        ["--fund", "0x" + "00" * 20],
        ["--fund", "0x" + "00" * 20 + "=0"],
        ["--port", "70000"],
        ["--chain-id", "0"],
    ],
)
def test_bad_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.parse(["--fund", "0x" + "ab" * 20 + "=2 ether"]).fund == {"0x" + "ab" * 20: 2 * ETHER}
    with pytest.raises(SystemExit) as caught:
        command.parse(arguments)
    assert caught.value.code == 2
    assert "error" in capsys.readouterr().err
