"""Wrong values, programs and surroundings: one clear message and the right exit code, and nothing paid."""

import json
import re
import resource
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from quorate.contracts import RequestState
from quorate.node.chain.errors import InsufficientFunds
from quorate.node.config import load_config
from quorate.node.home import create_home
from quorate.node.jobs import network as jobs_network
from quorate.node.jobs.packages import shipped_package
from quorate.node.jobs.processes import ClientFailed, client_process
from quorate.node.keys import TEST_COST, write_random_passphrase
from quorate.node.programs import ProgramRefused
from quorate.node.requestor import RequestFailed

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

AUCTION = "second-price-auction@1.0.0"
BAD_PROGRAM = (
    "def main() -> int64:\n  var bid = ClientStore.take_share(0, 0)\n  if bid > 3:\n    return 1\n  return 0\n"
)
MAX_PRICE = 10**16


def check_error(result, code, *, json_output=False):
    """The command ended with `code` and one message, without a traceback; the error as JSON or text."""
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    said = result.stdout + result.stderr
    assert "Traceback" not in said
    if json_output:
        [line] = result.stdout.splitlines()
        error = json.loads(line)["error"]
        assert error["exit_code"] == code
        assert error["what"]
        return error
    assert len(re.findall(r"^Error", said, re.MULTILINE)) == 1, said
    return said


# --- bids


@pytest.mark.parametrize(
    ("bids", "secret", "options"),
    [
        (["alice=-31337", "bob=1"], "31337", []),
        (["alice=4294967296", "bob=1"], "4294967296", ["--json"]),
        (["alice=12moo34", "bob=1"], "moo", []),
        (["alice=31337"], "31337", ["--json"]),
        ([f"c{number}=31337" for number in range(51)], "31337", []),
    ],
    ids=["negative", "2^32", "no number", "one bid", "51 bids"],
)
def test_a_bid_out_of_place_is_refused_before_anything_starts(cli, bids, secret, options):
    result = cli("demo", *[part for bid in bids for part in ("--bid", bid)], *options)
    check_error(result, 2, json_output=bool(options))
    assert secret not in result.stdout + result.stderr


def test_a_client_refuses_values_out_of_range_and_the_committee_names_it(network):
    """The client process checks too, and sends nothing: for the others it is a client that never came."""
    before = network.free()
    terms = network.terms(bidding_s=8, working_s=20)
    package = shipped_package(AUCTION)
    with pytest.raises(RequestFailed, match="client alice sent no input"):
        network.request(package, {"alice": (2**32 + 31337,), "bob": (95,)}, terms=terms)
    assert isinstance(network.failures["alice"], ClientFailed)
    assert network.failures["alice"].kind == "InputRejected"
    assert "31337" not in f"{network.failures['alice']} {network.failures['alice'].why}"
    assert network.free() == {**before, "requestor": before["requestor"] + MAX_PRICE}


def test_a_client_that_forges_a_bit_is_named_by_the_committee(network, monkeypatch):
    @asynccontextmanager
    async def process_of(config, name, program, *, timeout_s):
        if name == "mallory":
            monkeypatch.setattr(sys, "executable", str(wrapper))
        async with client_process(config, name, program, timeout_s=timeout_s) as client:
            monkeypatch.setattr(sys, "executable", plain)
            yield client

    plain = sys.executable
    wrapper = network.home / "lying-python"
    script = Path(__file__).parent / "lying_client.py"
    wrapper.write_text(f'#!/bin/sh\nshift 2\nexec "{plain}" "{script}" "$@"\n')
    wrapper.chmod(0o700)
    monkeypatch.setattr(jobs_network, "client_process", process_of)
    before = network.free()
    with pytest.raises(RequestFailed, match="client mallory") as failure:
        network.request(shipped_package(AUCTION), {"mallory": (120,), "bob": (95,)})
    assert failure.value.outcome.state is RequestState.FAULTED
    assert not any(failure.value.outcome.accused)
    assert network.free() == {**before, "requestor": before["requestor"] + MAX_PRICE}


def test_values_that_do_not_fit_cost_nothing(cli, network):
    before = network.free()
    given = ["--input", "alice=4294999999", "--input", "bob=95"]
    result = cli("run", AUCTION, *given, "--testnet", network.home)
    assert "the values of alice do not fit" in check_error(result, 2)
    assert "4294999999" not in result.stdout + result.stderr
    assert network.free() == before


# --- programs


def test_a_program_that_does_not_compile_shows_where(cli, network, tmp_path):
    path = tmp_path / "bad.stfl"
    path.write_text(BAD_PROGRAM)
    before = network.free()
    for where in (["--local"], ["--testnet", network.home]):
        result = cli("run", path, "--input", "alice=1", *where)
        said = check_error(result, 2)
        assert "main.stfl:3" in said
        assert "if bid > 3" in said
        assert "^" in said
    assert network.free() == before
    with pytest.raises(ProgramRefused, match="does not compile"):
        network.request(jobs_package(path), {"alice": (1,)})


def jobs_package(path):
    from quorate.node.jobs.packages import package_of_file

    return package_of_file(path, {"alice": (1,)})


def test_a_program_that_no_registry_has_travels_from_peer_to_peer(network, cli, tmp_path):
    """The requestor alone has it; the nodes and the clients get it by its hash from the mesh, and keep it."""
    path = tmp_path / "sum-of-two.stfl"
    path.write_text(
        "def main() -> int64:\n"
        "  var total = ClientStore.take_share(0, 0) + ClientStore.take_share(1, 0)\n"
        "  total.send_to_client(0)\n  total.send_to_client(1)\n  return 0\n"
    )
    inputs = ["--input", "alice=-40", "--input", "bob=50"]
    result = cli("run", path, *inputs, "--testnet", network.home, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    account = json.loads(result.stdout)
    assert account["outputs"] == {"alice": [10], "bob": [10]}
    assert account["state"] == "fulfilled"
    archives = {node.name: set(node.home.glob("programs/archives/*")) for node in network.testnet.nodes}
    names = [{archive.name for archive in found} for found in archives.values()]
    new = set.intersection(*names) - {f"{shipped_package(AUCTION).content_hash.hex()}.archive"}
    assert new
    local = cli("run", path, *inputs, "--local", "--json")
    assert json.loads(local.stdout)["outputs"] == account["outputs"]


# --- surroundings


@pytest.fixture
def home(network, tmp_path):
    """Makes homes of a node of this network, with an empty account; `chain` overrides what it says of the chain."""

    def make(name="lonely", *, listen="/ip4/127.0.0.1/tcp/0", **chain):
        folder = tmp_path / name
        folder.mkdir(mode=0o700)
        like = network.testnet.network
        values = {
            "identity": {"passphrase_file": "passphrase"},
            "mesh": {"listen": [listen], "bootstrap": list(like.bootstrap)},
            "chain": {"url": like.chain_url, "chain_id": like.chain_id, "market": like.market, **chain},
        }
        create_home(folder, write_random_passphrase(folder / "passphrase"), values=values, cost=TEST_COST)
        return folder

    return make


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.fixture
def dead_url():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_no_chain_wrong_chain_no_market(cli, home, dead_url):
    cases = {
        "dead": ({"url": dead_url}, "ChainUnreachable"),
        "wrong": ({"chain_id": 1}, "WrongChain"),
        "bare": ({"market": "0x" + "11" * 20}, "NoMarket"),
    }
    for name, (chain, kind) in cases.items():
        folder = home(name, **chain)
        check_error(cli("node", "run", "--home", folder), 7)
        error = check_error(cli("account", "balance", "--home", folder, "--json"), 7, json_output=True)
        assert error["type"] == kind
        assert error["todo"]
        assert not (folder / "ready.json").exists()


def test_an_empty_wallet(cli, home, network):
    folder = home()
    shown = cli("account", "balance", "--home", folder, "--json")
    assert json.loads(shown.stdout) == {"chain_wei": 0, "market_wei": 0}
    error = check_error(cli("account", "deposit", "1 ether", "--home", folder, "--json"), 7, json_output=True)
    assert error["type"] == "InsufficientFunds"
    config = load_config(folder)
    with pytest.raises(InsufficientFunds, match="cannot pay"):
        network.request(shipped_package(AUCTION), {"alice": (1,), "bob": (2,)}, config=config)


def test_ports_in_use(cli, home, taken_port, tmp_path):
    up = cli("testnet", "up", "--home", tmp_path / "net", "--chain-port", taken_port, "--json")
    error = check_error(up, 9, json_output=True)
    assert (error["type"], str(taken_port) in error["what"]) == ("PortInUse", True)
    folder = home(listen=f"/ip4/127.0.0.1/tcp/{taken_port}")
    said = check_error(cli("node", "run", "--home", folder), 6)
    assert str(taken_port) in said


def test_a_testnet_that_does_not_run(cli, tmp_path):
    arguments = ("run", AUCTION, "--input", "alice=1", "--input", "bob=2", "--testnet", tmp_path)
    said = check_error(cli(*arguments), 2)
    assert "quorate testnet up" in said
    check_error(cli(*arguments, "--json"), 2, json_output=True)


@pytest.mark.parametrize(
    ("most_bytes", "said"),
    [(0, "free some space"), (4096, "check the disk"), (40_000, "free some space")],
    ids=["no byte", "a page", "some pages"],
)
def test_a_full_disk(cli, home, most_bytes, said):
    folder = home()

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    assert said in check_error(cli("node", "run", "--home", folder, before=limit), 5)
    assert not (folder / "ready.json").exists()
