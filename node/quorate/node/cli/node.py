"""`quorate node`: make, run and inspect a node."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from .output import HomeOption, JsonOption, node_home, print_json, print_pairs, print_table

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Make, run and inspect a node.")


@app.command()
def init(
    home: HomeOption = None,
    chain_url: Annotated[str | None, typer.Option(help="The JSON-RPC endpoint of the chain.")] = None,
    chain_id: Annotated[int | None, typer.Option(help="The chain id.")] = None,
    market: Annotated[str | None, typer.Option(help="The address of the market contract.")] = None,
    listen: Annotated[list[str] | None, typer.Option(help="A multiaddr to listen on; repeat for more.")] = None,
    bootstrap: Annotated[list[str] | None, typer.Option(help="A peer to dial first; repeat for more.")] = None,
    passphrase_file: Annotated[Path | None, typer.Option(help="A file of mode 600 with the passphrase.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a home: a commented quorate.toml and fresh keys, sealed with a passphrase."""
    from quorate.node.home import create_home, home_key_files, require_new_home
    from quorate.node.keys import choose_passphrase

    where = node_home(home)
    file = passphrase_file.expanduser().absolute() if passphrase_file is not None else None
    values: dict[str, dict[str, Any]] = {  # Any: TOML values
        "identity": {"passphrase_file": None if file is None else str(file)},
        "mesh": {"listen": listen, "bootstrap": bootstrap},
        "chain": {"url": chain_url, "chain_id": chain_id, "market": market},
    }
    given = {
        table: {key: value for key, value in keys.items() if value is not None} for table, keys in values.items()
    }
    require_new_home(where)
    passphrase = choose_passphrase(home_key_files(where).identity, passphrase_file=file)
    keys = create_home(where, passphrase, values=given)
    if as_json:
        print_json({"home": str(where), "peer_id": keys.mesh.peer_id, "address": keys.chain.address})
        return
    print_pairs([("home", str(where)), ("peer id", keys.mesh.peer_id), ("account", keys.chain.address)])
    missing = [name for name in ("url", "chain_id", "market") if name not in given["chain"]]
    todo = f"Set chain.{', chain.'.join(missing)} in quorate.toml. " if missing else ""
    typer.echo(f"{todo}Fund the account, then: quorate node run --home '{where}'")


@app.command()
def run(
    home: HomeOption = None,
    stop_with_stdin: Annotated[
        bool, typer.Option("--stop-with-stdin", help="Stop when standard input closes.")
    ] = False,
) -> None:
    """Run the node until Ctrl-C or SIGTERM."""
    from quorate.node.config import load_config
    from quorate.node.log import configure_logging

    config = load_config(node_home(home))
    configure_logging(config.log)
    if stop_with_stdin:
        from quorate.node.leash import hold_leash

        hold_leash()
    from .serving import serve_node

    serve_node(config)


@app.command(name="id")
def identity(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show who the node is: peer id, account and encryption key; needs no passphrase."""
    from quorate.node.home import home_key_files
    from quorate.node.keys import load_public_keys

    public = load_public_keys(home_key_files(node_home(home)))
    if as_json:
        print_json(
            {
                "peer_id": public.peer_id,
                "peer_key": public.peer_key.hex(),
                "address": public.address,
                "encryption_key": public.encryption_key.hex(),
                "test_only": public.test_only,
            }
        )
        return
    pairs = [
        ("peer id", public.peer_id),
        ("account", public.address),
        ("encryption key", public.encryption_key.hex()),
    ]
    print_pairs(pairs + ([("note", "test only: its keys are weakly sealed")] if public.test_only else []))


@app.command()
def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show how the running node is: what its control socket tells."""
    result = _ask(node_home(home), "status")
    if as_json:
        print_json(result)
    elif isinstance(result, dict):
        print_pairs([(str(name).replace("_", " "), _shown(value)) for name, value in result.items()])


@app.command()
def peers(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """List the peers that the running node is connected to."""
    result = _ask(node_home(home), "peers")
    if as_json:
        print_json(result)
        return
    rows = [
        [str(peer.get("peer_id", "")), ", ".join(map(str, peer.get("addresses", []))), str(peer.get("since", ""))]
        for peer in (result if isinstance(result, list) else [])
        if isinstance(peer, dict)
    ]
    if rows:
        print_table(["peer id", "addresses", "since"], rows)
    else:
        typer.echo("No peers. Check mesh.bootstrap in quorate.toml, or turn mesh.mdns on.")


def _ask(home: Path, method: str) -> object:
    from quorate.node.control import ask

    return ask(home, method)


def _shown(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
