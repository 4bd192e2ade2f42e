"""The command line."""

import json
import os
import subprocess
import sys

import pytest

from quorate.node.cli.root import COMMANDS


def quorate(*arguments, passphrase="a long passphrase", **variables):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QUORATE_")}
    environment |= {"QUORATE_PASSPHRASE": passphrase} if passphrase else {}
    return subprocess.run(
        [sys.executable, "-m", "quorate.node", *arguments],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment | variables | {"COLUMNS": "120"},
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli") / "home"
    result = quorate("node", "init", "--home", str(folder), "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["home"] == str(folder)
    return folder


def test_help_lists_the_commands_and_imports_nothing_heavy():
    program = "import sys; sys.argv = ['quorate', '--help']\nfrom quorate.node.cli import main\n"
    program += "try: main()\nfinally: print('LOADED', [m for m in sys.modules if m.split('.')[0] in "
    program += "('trio', 'numpy', 'numba', 'libp2p', 'web3', 'structlog', 'cryptography', 'sqlite3')])"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "LOADED []" in result.stdout
    for name in ("node", "testnet", "warm"):
        assert COMMANDS[name].split(":")[0][:30] in result.stdout


@pytest.mark.parametrize("name", ["node", "testnet", "warm"])
def test_every_command_has_help(name):
    result = quorate(name, "--help")
    assert result.returncode == 0
    assert "--help" in result.stdout


def test_a_missing_module_does_not_break_the_start(monkeypatch):
    from typer.testing import CliRunner

    from quorate.node.cli import root

    monkeypatch.setitem(root.COMMANDS, "absent", "A command whose module is not there.")
    result = CliRunner().invoke(root.app, ["--help"])
    assert result.exit_code == 0
    assert "absent" not in result.stdout


def test_version():
    from importlib.metadata import version

    assert quorate("--version").stdout == f"quorate {version('quorate')}\n"


def test_a_typo_gets_a_hint():
    result = quorate("tesnet")
    assert result.returncode == 2
    assert "testnet" in result.stderr


def test_id_needs_no_passphrase(home):
    result = quorate("node", "id", "--home", str(home), "--json", passphrase=None)
    shown = json.loads(result.stdout)
    assert shown["peer_id"].startswith("12D3KooW")
    assert shown["address"].startswith("0x")
    assert not shown["test_only"]
    assert shown["peer_id"] in quorate("node", "id", QUORATE_HOME=str(home)).stdout


def test_init_does_not_overwrite(home):
    before = (home / "keys" / "identity.json").read_bytes()
    result = quorate("node", "init", "--home", str(home))
    assert result.returncode == 3
    assert "is the home of a node already" in result.stderr
    assert (home / "keys" / "identity.json").read_bytes() == before


def test_init_without_a_passphrase_leaves_nothing(tmp_path):
    result = quorate("node", "init", "--home", str(tmp_path / "h"), passphrase=None)
    assert result.returncode == 4
    assert "no passphrase" in result.stderr
    assert not (tmp_path / "h").exists()


def test_run_says_what_the_configuration_lacks(home):
    result = quorate("node", "run", "--home", str(home))
    assert result.returncode == 3
    for key in ("chain.url", "chain.chain_id", "chain.market"):
        assert key in result.stderr
    assert "Traceback" not in result.stderr


def test_errors_as_json(home):
    result = quorate("node", "peers", "--home", str(home), "--json")
    assert result.returncode == 8
    error = json.loads(result.stdout)["error"]
    assert (error["type"], error["exit_code"]) == ("NodeNotRunning", 8)
    assert result.stderr == ""


def test_a_traceback_only_when_asked_for(home):
    plain = quorate("node", "status", "--home", str(home))
    asked = quorate("node", "status", "--home", str(home), QUORATE_DEBUG="1")
    assert plain.returncode == asked.returncode == 8
    assert "Traceback" not in plain.stderr
    assert "Traceback" in asked.stderr


@pytest.mark.parametrize("command", ["status", "down", "logs"])
def test_testnet_commands_without_a_testnet(tmp_path, command):
    result = quorate("testnet", command, "--home", str(tmp_path))
    assert result.returncode in (2, 9)
    assert result.stderr.startswith("Error: ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--nodes", "0"), "1 to 64"),
        (("--chain-port", "70000"), "65535"),
        (("--collateral", "1 btc"), "the unit 'btc'"),
        (("--collateral", "1000 ether"), "more than the funds"),
    ],
)
def test_testnet_options_are_checked(tmp_path, options, words):
    result = quorate("testnet", "up", "--home", str(tmp_path / "t"), *options)
    assert result.returncode == 2
    assert words in result.stderr
    assert not (tmp_path / "t").exists()
