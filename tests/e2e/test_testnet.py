"""A whole network of real nodes through the command line and through the API: up, watched, wounded, down."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import trio

from quorate.node.control import ask_async
from quorate.node.testnet import TestnetConfig, open_testnet, read_network
from quorate.node.testnet.identity import is_alive
from quorate.node.testnet.state import read_supervision

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]

QUORATE = (sys.executable, "-m", "quorate.node")
UP_SECONDS = 150
DOWN_SECONDS = 60


def quorate(*arguments):
    return subprocess.run(
        [*QUORATE, *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
        timeout=UP_SECONDS,
    )


def wait_until(condition, seconds=DOWN_SECONDS):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def processes_of(home):
    supervision = read_supervision(home)
    return [supervision.supervisor, *supervision.processes.values()]


def test_up_status_second_up_logs_and_ctrl_c(tmp_path):
    home = tmp_path / "net"
    up = subprocess.Popen(
        [*QUORATE, "testnet", "up", "--nodes", "3", "--home", str(home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(lambda: read_network(home) is not None or up.poll() is not None, UP_SECONDS)
        assert up.poll() is None, up.stdout.read()
        check_status(home)
        second = quorate("testnet", "up", "--nodes", "1", "--home", str(home), "--json")
        assert second.returncode == 9
        assert json.loads(second.stdout)["error"]["type"] == "TestnetRunning"
        assert str(up.pid) in json.loads(second.stdout)["error"]["why"]
        logs = quorate("testnet", "logs", "chain", "--home", str(home))
        assert "url" in logs.stdout
        processes = processes_of(home)
        up.send_signal(signal.SIGINT)
        output, _ = up.communicate(timeout=DOWN_SECONDS)
        assert up.returncode == 0, output
        assert "node3" in output
        assert not any(is_alive(process) for process in processes)
        assert read_network(home) is None
    finally:
        up.kill()
        up.wait()
        up.stdout.close()
    assert quorate("testnet", "status", "--home", str(home)).returncode == 9


def check_status(home):
    status = json.loads(quorate("testnet", "status", "--home", str(home), "--json").stdout)
    assert status["height"] > 0
    assert len(status["nodes"]) == 3
    for node in status["nodes"]:
        assert node["alive"]
        assert node["peers"] == 2
        assert node["collateral"] == 10 * 10**18
        assert 89 * 10**18 < node["balance"] < 90 * 10**18
        assert node["memory_bytes"] > 1 << 24
    table = quorate("testnet", "status", "--home", str(home)).stdout
    for node in status["nodes"]:
        assert node["peer_id"] in table
        assert node["address"] in table
    first = read_network(home).nodes[0]
    shown = json.loads(quorate("node", "id", "--home", first.home, "--json").stdout)
    assert (shown["peer_id"], shown["address"], shown["test_only"]) == (first.peer_id, first.address, True)
    assert len(json.loads(quorate("node", "peers", "--home", first.home, "--json").stdout)) == 2


def test_detached_then_its_supervisor_is_killed_and_nothing_stays(tmp_path):
    home = tmp_path / "net"
    up = quorate("testnet", "up", "--nodes", "2", "--home", str(home), "--detach", "--json")
    assert up.returncode == 0, up.stdout + up.stderr
    assert len(json.loads(up.stdout)["nodes"]) == 2
    processes = processes_of(home)
    assert all(is_alive(process) for process in processes)
    os.kill(processes[0].pid, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(process) for process in processes))
    assert quorate("testnet", "status", "--home", str(home)).returncode == 9
    assert quorate("testnet", "down", "--home", str(home)).returncode == 0
    assert quorate("testnet", "down", "--home", str(home)).returncode == 9


def test_detached_and_down(tmp_path):
    home = tmp_path / "net"
    assert quorate("testnet", "up", "--nodes", "1", "--home", str(home), "--detach").returncode == 0
    processes = processes_of(home)
    down = quorate("testnet", "down", "--home", str(home))
    assert down.returncode == 0, down.stderr
    assert not any(is_alive(process) for process in processes)


async def test_a_killed_node_is_missed_and_comes_back(tmp_path):
    async with open_testnet(TestnetConfig(home=tmp_path / "net", nodes=3)) as testnet:
        first, second, third = testnet.nodes
        assert await testnet.kill(first) == -signal.SIGKILL
        with trio.fail_after(DOWN_SECONDS):
            while {peer["peer_id"] for peer in await ask_async(second.home, "peers")} != {third.peer_id}:
                await trio.sleep(0.1)
        back = await testnet.restart("node1")
        assert back.peer_id == first.peer_id
        assert testnet.network.nodes[0].pid != 0
        assert await testnet.kill("node3", signal.SIGTERM) == 0
