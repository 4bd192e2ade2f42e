"""`quorate testnet`: a whole network on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from .output import JsonOption, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from quorate.node.testnet import Network, TestnetConfig
    from quorate.node.testnet.status import NetworkStatus

DEFAULT_HOME: Final = Path(".quorate/testnet")
DEFAULT_LINES: Final = 20
MIB: Final = 1 << 20
EXIT_INTERRUPTED: Final = 130

TestnetHome = Annotated[Path, typer.Option("--home", help="The folder of the network.")]

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="A whole network on this machine: a chain and several nodes."
)


@app.command()
def up(
    nodes: Annotated[int, typer.Option("--nodes", "-n", help="How many nodes.")] = 5,
    home: TestnetHome = DEFAULT_HOME,
    chain_url: Annotated[
        str | None, typer.Option(help="Use the development chain at this URL instead of starting one.")
    ] = None,
    chain_port: Annotated[int, typer.Option(help="The port of the chain; 0 takes a free one.")] = 0,
    collateral: Annotated[str, typer.Option(help="What each node deposits.")] = "10 ether",
    timeout: Annotated[float, typer.Option(help="Seconds that all nodes have to be ready.")] = 120.0,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is up; stop it with down.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Start a network and keep it until Ctrl-C: chain, market, registry and nodes, funded and meshed."""
    from quorate.node.testnet import TestnetConfig

    config = TestnetConfig(
        home=home.expanduser().absolute(),
        nodes=nodes,
        chain_url=chain_url,
        chain_port=chain_port,
        collateral=_amount(collateral),
        timeout_s=timeout,
    )
    if detach:
        _up_detached(config, collateral=collateral, as_json=as_json)
    else:
        _up_in_foreground(config, as_json=as_json)


@app.command()
def down(home: TestnetHome = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Stop the network, or what a killed one left behind."""
    import trio

    from quorate.node.testnet import take_down

    where = home.expanduser().absolute()
    trio.run(take_down, where)
    print_json({"home": str(where), "stopped": True}) if as_json else typer.echo(
        f"The testnet in {where} is down."
    )


@app.command()
def status(home: TestnetHome = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Show the chain and the nodes: processes, peers, balances, memory."""
    import trio

    from quorate.node.testnet.status import network_status

    result = trio.run(network_status, home.expanduser().absolute())
    if as_json:
        print_json(result.as_json())
    else:
        _print_status(result)


@app.command()
def logs(
    node: Annotated[str | None, typer.Argument(help="node1, node2, ... or chain; all by default.")] = None,
    home: TestnetHome = DEFAULT_HOME,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come, until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-l", min=0, help="How many lines of each to begin with.")] = (
        DEFAULT_LINES
    ),
) -> None:
    """Print the logs of the nodes."""
    from quorate.node.testnet.logs import follow_logs, log_files

    files = log_files(home.expanduser().absolute(), node)
    for name, line in follow_logs(files, lines=lines, follow=follow):
        typer.echo(line if node is not None else f"{name:<6} {line}")


def _amount(text: str) -> int:
    from quorate.node.amounts import parse_amount
    from quorate.node.errors import UsageError

    try:
        return parse_amount(text)
    except ValueError as error:
        raise UsageError(
            f"--collateral {text}", why=str(error), todo='give an amount such as "10 ether"'
        ) from None


def _up_detached(config: TestnetConfig, *, collateral: str, as_json: bool) -> None:
    from quorate.node.testnet.foreground import start_detached

    command = [sys.executable, "-m", "quorate.node", "testnet", "up", "--json"]
    command += ["--nodes", str(config.nodes), "--home", str(config.home), "--chain-port", str(config.chain_port)]
    command += ["--collateral", collateral, "--timeout", str(config.timeout_s)]
    command += ["--chain-url", config.chain_url] if config.chain_url is not None else []
    network = start_detached(command, home=config.home, seconds=config.timeout_s)
    _print_network(network, config.home, as_json=as_json)
    if not as_json:
        typer.echo(f"Stop it with: quorate testnet down --home '{config.home}'")


def _up_in_foreground(config: TestnetConfig, *, as_json: bool) -> None:
    import trio

    from quorate.node.testnet import Testnet
    from quorate.node.testnet.foreground import run_in_foreground

    def progress(text: str) -> None:
        typer.echo(f"... {text}", err=True)

    def on_ready(testnet: Testnet) -> None:
        _print_network(testnet.network, config.home, as_json=as_json)
        if not as_json:
            typer.echo("Ctrl-C stops it.")

    def on_end(text: str) -> None:
        typer.echo(f"Warning: {text}", err=True)

    async def run() -> bool:
        return await run_in_foreground(config, progress=progress, on_ready=on_ready, on_end=on_end)

    _warm()
    if not trio.run(run):
        raise typer.Exit(EXIT_INTERRUPTED)
    typer.echo("The testnet is down.", err=True)


def _warm() -> None:
    """Compile the kernels once for all nodes, in a process that ends; a failure shows at the first session."""
    import subprocess

    command = [sys.executable, "-m", "quorate.node", "warm", "--json"]
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603  # our own


def _print_network(network: Network, home: Path, *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        print_json(asdict(network))
        sys.stdout.flush()
        return
    print_pairs(
        [
            ("home", str(home)),
            ("chain", f"{network.chain_url} (id {network.chain_id}, {network.chain_kind})"),
            ("market", network.market),
            ("registry", network.registry),
            ("client", network.client_home),
        ]
    )
    print_table(
        ["node", "pid", "peer id", "account"],
        [[node.name, str(node.pid), node.peer_id, node.address] for node in network.nodes],
    )


def _print_status(status: NetworkStatus) -> None:
    from quorate.node.amounts import format_amount

    def amount(value: int | None) -> str:
        return "?" if value is None else format_amount(value)

    height = "silent" if status.height is None else f"height {status.height}"
    print_pairs(
        [
            ("home", status.home),
            ("supervisor", str(status.supervisor_pid)),
            ("chain", f"{status.chain_url} (id {status.chain_id}, {status.chain_kind}, {height})"),
            ("market", status.market),
        ]
    )
    rows = [
        [
            node.name,
            str(node.pid) if node.alive else "dead",
            node.peer_id,
            node.address,
            amount(node.balance),
            amount(node.collateral),
            "?" if node.peers is None else str(node.peers),
            "?" if node.memory_bytes is None else f"{node.memory_bytes / MIB:.0f} MiB",
        ]
        for node in status.nodes
    ]
    print_table(["node", "pid", "peer id", "account", "balance", "collateral", "peers", "memory"], rows)
