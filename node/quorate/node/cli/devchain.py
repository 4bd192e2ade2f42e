"""`quorate devchain`: a development chain on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .output import JsonOption, print_json

if TYPE_CHECKING:
    from quorate.node.devchain.serve import Ready

app = typer.Typer(add_completion=False)


@app.command()
def devchain(
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes any free port.")] = 8545,
    chain_id: Annotated[int, typer.Option(help="The chain id.")] = 31337,
    state: Annotated[Path | None, typer.Option(help="Keep the chain in this file across restarts.")] = None,
    fund: Annotated[
        list[str] | None, typer.Option(help="ADDRESS=AMOUNT, such as 0x..=10ether; repeat for more.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a development chain on this machine until Ctrl-C: an EVM of its own, reachable by JSON-RPC."""
    from quorate.node.devchain.serve import Options, parse_funding, serve
    from quorate.node.errors import UsageError

    def announce(ready: Ready) -> None:
        if as_json:
            print_json({"url": ready.url, "chain_id": ready.chain_id, "pid": ready.pid})
            return
        typer.echo(
            f"Chain {ready.chain_id} answers at {ready.url}. Blocks come with transactions; Ctrl-C stops it."
        )

    try:
        options = Options(port=port, chain_id=chain_id, state=state, fund=dict(map(parse_funding, fund or [])))
    except ValueError as error:
        raise UsageError("cannot start the chain", why=str(error), todo="see: quorate devchain --help") from None
    serve(options, announce)
