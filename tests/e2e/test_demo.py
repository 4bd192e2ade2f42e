"""The demonstration as a command: its account is right, and however it ends, nothing of it is left."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

KEYS = {
    "winner", "price", "second_submit", "request_id", "state", "outputs", "public_result", "parties", "threshold",
    "seconds", "phases", "bytes", "rounds", "gas", "payments", "paid", "tx", "result_digest",
}  # fmt: skip
REQUESTOR_PHASES = ["escrow", "bids", "lock", "session"]
MEMBER_PHASES = ["kernels", "connect", "preprocess", "inputs", "online", "output"]
BIDS = {"ann": 7, "bea": 4294967295, "cleo": 0, "dan": 12, "eve": 4294967295, "fay": 1, "gus": 4294967294}


def test_the_account_of_seven_bids_two_of_them_tied(cli, tmp_path):
    bids = [part for name, value in BIDS.items() for part in ("--bid", f"{name}={value}")]
    result = cli("demo", *bids, "--home", tmp_path / "net", "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    account = json.loads(result.stdout)
    assert set(account) == KEYS
    assert (account["winner"], account["price"]) == ("bea", 4294967295)  # the first of equal bids wins and pays it
    assert account["outputs"] == {name: [1, 4294967295] for name in BIDS}
    assert (account["parties"], account["threshold"], account["state"]) == (5, 1, "fulfilled")
    assert account["second_submit"].startswith("WrongState")
    nodes = {f"node{number}" for number in range(1, 6)}
    assert set(account["bytes"]) == set(account["rounds"]) == nodes
    assert all(traffic["sent"] > 0 < traffic["received"] for traffic in account["bytes"].values())
    assert len(set(account["rounds"].values())) == 1
    assert list(account["phases"]) == REQUESTOR_PHASES + [f"session/{name}" for name in MEMBER_PHASES]
    assert all(seconds >= 0 for seconds in account["phases"].values())
    check_money(account)
    assert not list((tmp_path / "net").rglob("ready.json"))
    for log in (tmp_path / "net" / "logs").glob("node*.log"):
        assert "Error" not in log.read_text()
        assert "Traceback" not in log.read_text()


def check_money(account):
    assert set(account["gas"]) == set(account["tx"]) == {"submit", "lock", "fulfil"}
    assert all(21_000 < gas < 500_000 for gas in account["gas"].values())
    assert all(len(bytes.fromhex(transaction[2:])) == 32 for transaction in account["tx"].values())
    payments = account["payments"].values()
    assert len(payments) == 5
    for payment in payments:
        assert int(payment["market_after"]) - int(payment["market_before"]) == int(payment["price"]) > 0
    assert sum(int(payment["price"]) for payment in payments) == int(account["paid"])


def marked(mark):
    """The processes whose environment has `mark`."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            is_zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
            if not is_zombie and mark.encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize(
    ("number", "step", "status"),
    [(signal.SIGINT, "... session", 130), (signal.SIGKILL, "... bids", -signal.SIGKILL)],
    ids=["Ctrl-C", "SIGKILL"],
)
def test_nothing_is_left_of_a_demo_that_is_interrupted(tmp_path, until, number, step, status):
    mark = uuid.uuid4().hex
    demo = subprocess.Popen(
        [sys.executable, "-m", "quorate.node", "demo", "--home", str(tmp_path / "net")],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "QUORATE_TEST_MARK": mark},
        start_new_session=True,
    )
    said = []
    try:
        for line in demo.stderr:
            said.append(line.rstrip())
            if line.rstrip() == step:
                break
        assert len(marked(mark)) > 9, said  # the demo, its chain, five nodes, three clients
        os.kill(demo.pid, number)
        assert demo.wait(timeout=60) == status
        rest = demo.stderr.read()
        assert "Traceback" not in rest
        until(lambda: not marked(mark), seconds=60)
    finally:
        demo.stderr.close()
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
        demo.wait()
