"""The supervisor of a local network: what it starts, it ends, and it ends nothing else."""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import trio

from quorate.node.errors import (
    PortInUse,
    ProcessFailed,
    ReadinessTimeout,
    TestnetError,
    TestnetNotRunning,
    TestnetRunning,
    UsageError,
)
from quorate.node.testnet import TestnetConfig, open_testnet, read_network, take_down
from quorate.node.testnet.child import start_child
from quorate.node.testnet.cleanup import end_processes
from quorate.node.testnet.identity import ProcessIdentity, identify, is_alive, resident_bytes, send_signal
from quorate.node.testnet.logs import follow_logs, log_files
from quorate.node.testnet.state import read_supervision
from quorate.node.testnet.supervisor import open_supervisor

FAKE_NODE = (sys.executable, str(Path(__file__).with_name("fake_node.py")))
SLEEP = (sys.executable, "-c", "import sys; sys.stdin.read()")  # ends with its standard input
DEAF = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
)
PARENT = (
    sys.executable,
    "-c",
    "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
    "print(p.pid, flush=True); time.sleep(60)",
)


def config(home, **changes):
    return TestnetConfig(**({"home": home, "nodes": 2, "node_command": FAKE_NODE, "timeout_s": 30} | changes))


async def wait_until(condition):
    with trio.fail_after(20):
        while not condition():
            await trio.sleep(0.02)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(SLEEP, stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdin.close()


def test_a_process_is_named_by_pid_and_start(sleeper):
    process = identify(sleeper.pid)
    assert is_alive(process)
    assert resident_bytes(sleeper.pid) > 0
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert identify(sleeper.pid) is None, "a zombie is no live process"
    sleeper.wait()
    assert not is_alive(process)
    assert not send_signal(process, signal.SIGTERM)
    assert resident_bytes(sleeper.pid) is None


async def test_a_pid_that_was_given_away_is_never_signalled(sleeper):
    other = ProcessIdentity(sleeper.pid, "an earlier start")
    assert not is_alive(other)
    assert not send_signal(other, signal.SIGKILL)
    await end_processes([other, ProcessIdentity(0, ""), ProcessIdentity(1 << 22, "x")])
    assert sleeper.poll() is None


async def test_a_child_is_stopped_and_its_log_kept(tmp_path):
    child = await start_child(
        "x", (sys.executable, "-c", "print('hello'); input()"), log=tmp_path / "logs" / "x.log"
    )
    await wait_until(lambda: "hello" in child.output())
    assert child.status is None
    await child.stop()
    assert child.status is not None
    again = await start_child("x", SLEEP, log=tmp_path / "logs" / "x.log")
    assert again.output() == ""
    await again.stop()
    assert "hello" in (tmp_path / "logs" / "x.log").read_text()


async def test_a_deaf_child_is_killed_in_time(tmp_path):
    child = await start_child("x", DEAF, log=tmp_path / "x.log")
    await wait_until(lambda: "deaf" in child.output())
    await child.stop(seconds=0.3)
    assert child.status == -signal.SIGKILL


async def test_what_a_child_started_goes_with_it(tmp_path):
    child = await start_child("x", PARENT, log=tmp_path / "x.log")
    await wait_until(lambda: child.output().endswith("\n"))
    grandchild = identify(int(child.output()))
    assert grandchild is not None
    await child.stop(seconds=2)
    await wait_until(lambda: not is_alive(grandchild))


async def test_a_cancelled_stop_still_stops(tmp_path):
    child = await start_child("x", SLEEP, log=tmp_path / "x.log")
    with trio.move_on_after(0):
        await child.stop()
    assert child.status is not None


async def test_what_cannot_be_started_says_so(tmp_path):
    with pytest.raises(Exception, match="cannot start x"):
        await start_child("x", ("/nonexistent/program",), log=tmp_path / "x.log")


async def test_a_supervisor_ends_what_it_started(tmp_path):
    async with open_supervisor(tmp_path) as supervisor:
        children = [await supervisor.start(name, SLEEP, tmp_path / f"{name}.log") for name in ("chain", "a", "b")]
        remembered = read_supervision(tmp_path)
        assert remembered.supervisor.pid == os.getpid()
        assert set(remembered.processes) == {"chain", "a", "b"}
        assert all(is_alive(process) for process in remembered.processes.values())
        with pytest.raises(TestnetRunning) as caught:
            async with open_supervisor(tmp_path):
                pass
        assert caught.value.pid == os.getpid()
        assert all(child.status is None for child in children), "a refused supervisor ends nothing"
    assert all(child.status is not None for child in children)
    assert read_supervision(tmp_path) is None


async def test_a_failing_block_ends_everything_too(tmp_path):
    children = []

    async def fail():
        async with open_supervisor(tmp_path) as supervisor:
            children.append(await supervisor.start("a", SLEEP, tmp_path / "a.log"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert children[0].status is not None


KILLED_SUPERVISOR = """
import sys, trio
from pathlib import Path
from quorate.node.testnet.supervisor import open_supervisor

async def main():
    home = Path(sys.argv[1])
    async with open_supervisor(home) as supervisor:
        await supervisor.start("leashed", tuple(sys.argv[2].split("|")), home / "leashed.log")
        await supervisor.start("deaf", tuple(sys.argv[3].split("|")), home / "deaf.log")
        print("started", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


def kill_a_supervisor(home):
    supervisor = subprocess.Popen(
        [sys.executable, "-c", KILLED_SUPERVISOR, str(home), "|".join(SLEEP), "|".join(DEAF)],
        stdout=subprocess.PIPE,
    )
    assert supervisor.stdout.readline() == b"started\n"
    remembered = read_supervision(home)
    supervisor.kill()
    supervisor.wait()
    supervisor.stdout.close()
    return remembered


async def test_after_a_killed_supervisor_nothing_stays(tmp_path):
    remembered = kill_a_supervisor(tmp_path)
    # the one that heeds its input ends by itself; the other one is found by the next supervisor, or by `down`
    await wait_until(lambda: not is_alive(remembered.processes["leashed"]))
    assert is_alive(remembered.processes["deaf"])
    send_signal(remembered.processes["deaf"], signal.SIGKILL)  # quicker than waiting until SIGTERM is ignored
    await take_down(tmp_path)
    assert not is_alive(remembered.processes["deaf"])
    assert read_supervision(tmp_path) is None
    with pytest.raises(TestnetNotRunning):
        await take_down(tmp_path)


async def test_a_damaged_state_file_is_named(tmp_path):
    (tmp_path / "supervisor.json").write_text("{")
    with pytest.raises(TestnetError, match="is damaged"):
        await take_down(tmp_path)
    (tmp_path / "supervisor.json").write_text('{"supervisor": 1, "processes": {}}')
    with pytest.raises(TestnetError, match="is damaged"):
        await take_down(tmp_path)


def run_leash(*command):
    return subprocess.Popen(
        [sys.executable, "-m", "quorate.node.leash", "--", *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_a_leashed_program_ends_with_the_input_of_its_leash():
    leash = run_leash(*PARENT)
    grandchild = identify(int(leash.stdout.readline()))
    leash.stdin.close()
    assert leash.wait(timeout=20) == 128 + signal.SIGTERM
    leash.stdout.close()
    deadline = time.monotonic() + 20
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_leash_passes_the_exit_status_on():
    leash = run_leash(sys.executable, "-c", "import sys; sys.exit(7)")
    assert leash.wait(timeout=20) == 7
    leash.stdin.close()
    leash.stdout.close()


@pytest.mark.e2e
async def test_a_network_of_stand_ins(tmp_path):
    async with open_testnet(config(tmp_path)) as testnet:
        assert [node.name for node in testnet.nodes] == ["node1", "node2"]
        assert read_network(tmp_path) == testnet.network
        processes = dict(read_supervision(tmp_path).processes)
        assert await testnet.kill("node2") == -signal.SIGKILL
        assert await testnet.watch() == "node2"
        restarted = await testnet.restart(testnet.nodes[1])
        assert (restarted.name, restarted.peer_id) == ("node2", testnet.node("node2").peer_id)
        with pytest.raises(UsageError):
            await testnet.restart("node2")
        with pytest.raises(UsageError, match="no node 'node9'"):
            testnet.node("node9")
        processes |= {f"{name} again": process for name, process in read_supervision(tmp_path).processes.items()}
    assert not any(is_alive(process) for process in processes.values())
    assert read_network(tmp_path) is None


@pytest.mark.e2e
async def test_nodes_that_crash_or_are_slow_are_named_and_nothing_stays(tmp_path):
    (tmp_path / "behaviour").write_text("crash")
    with pytest.raises(ProcessFailed, match="node1 ended with status 1") as caught:
        async with open_testnet(config(tmp_path)):
            pass
    assert "crashes as it was told to" in caught.value.why
    (tmp_path / "behaviour").write_text("slow")
    with pytest.raises(ReadinessTimeout):
        async with open_testnet(config(tmp_path, timeout_s=0.5)):
            pass
    assert read_supervision(tmp_path) is None


async def test_a_port_in_use_is_named(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            async with open_testnet(config(tmp_path, chain_port=port)):
                pass
    assert caught.value.port == port
    assert str(port) in caught.value.what


async def test_a_full_disk_is_named(tmp_path, monkeypatch):
    import errno

    from quorate.node.errors import DiskFull

    def full(*_arguments, **_named):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("quorate.node.files.os.open", full)
    with pytest.raises(DiskFull):
        async with open_supervisor(tmp_path):
            pass


@pytest.mark.parametrize("changes", [{"nodes": 0}, {"nodes": 65}, {"chain_port": -1}, {"collateral": -1}])
def test_what_makes_no_network_is_refused(tmp_path, changes):
    with pytest.raises(UsageError):
        config(tmp_path, **changes)


def test_logs_are_read_from_their_end_and_followed(tmp_path):
    (tmp_path / "logs").mkdir()
    first, second = tmp_path / "logs" / "node1.log", tmp_path / "logs" / "node2.log"
    first.write_text("".join(f"line {number}\n" for number in range(100)))
    second.write_text("only\nunfinished")
    assert list(follow_logs(log_files(tmp_path, None), lines=2, follow=False)) == [
        ("node1", "line 98"), ("node1", "line 99"), ("node2", "only"),
    ]  # fmt: skip
    following = follow_logs(log_files(tmp_path, "node2"), lines=0, follow=True)
    with second.open("a") as file:
        file.write(" no more\nnext\n")
    assert [next(following), next(following)] == [("node2", "unfinished no more"), ("node2", "next")]
    second.write_text("over\n")
    assert next(following) == ("node2", "over")
    with pytest.raises(UsageError):
        log_files(tmp_path, "node3")


def test_the_network_file_is_json(tmp_path):
    assert read_network(tmp_path) is None
    (tmp_path / "network.json").write_text(json.dumps({"nodes": []}))
    with pytest.raises(TestnetError, match="is damaged"):
        read_network(tmp_path)
    assert dataclasses.is_dataclass(ProcessIdentity)
