"""`quorate demo`: a local network and a private auction on it, from the first process to the last payment."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import JsonOption, print_json, print_pairs

if TYPE_CHECKING:
    from quorate.node.jobs.network import Job

app = typer.Typer(add_completion=False, help="Start a local network and hold a private auction on it.")


@app.command()
def demo(
    bid: Annotated[
        list[str] | None, typer.Option("--bid", help="A client and its sealed bid, as alice=120; 2 to 50 of them.")
    ] = None,
    nodes: Annotated[int, typer.Option("--nodes", "-n", help="How many nodes, 5 or more.")] = 5,
    home: Annotated[Path | None, typer.Option(help="The folder of the network; a fresh one without it.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the folder, with all logs, when it is done.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Hold a second-price auction between clients on a committee of five nodes that never see a bid.

    Everything is real: a chain with the market contract, node processes that meet over libp2p, a process for each
    client, an escrow, a committee locked with collateral, MPC, and payment by attestation.
    """
    import trio

    from quorate.node.errors import UsageError
    from quorate.node.jobs.bids import DEFAULT_BIDS, PARTIES, check_bids
    from quorate.node.jobs.values import parse_inputs

    bids = parse_inputs(bid, option="--bid") if bid else dict(DEFAULT_BIDS)
    check_bids(bids)
    if nodes < PARTIES:
        raise UsageError(
            f"{nodes} nodes", why=f"the committee has {PARTIES} members", todo="give --nodes 5 or more"
        )
    from quorate.node.jobs.auction import run_demo

    from .warm import warm_kernels

    warm_kernels(quiet=as_json)
    folder = home.expanduser().absolute() if home is not None else Path(tempfile.mkdtemp(prefix="quorate-demo-"))
    steps = (lambda _: None) if as_json else _Steps()

    async def work() -> tuple[Job, dict[str, Any]]:
        return await run_demo(folder, bids, nodes=nodes, progress=steps)

    job, account = trio.run(work)
    if as_json:
        print_json(account)
    else:
        _print(job, account, clients=len(bids))
    if home is None and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif not as_json:
        typer.echo(f"The network's folder, with all logs: {folder}")


class _Steps:
    """Says what happens now, on standard error."""

    def __call__(self, step: str) -> None:
        typer.echo(f"... {step}", err=True)


def _print(job: Job, account: dict[str, Any], *, clients: int) -> None:
    from quorate.node.jobs.report import print_job

    print_pairs(
        [
            ("winner", str(account["winner"])),
            ("price", f"{account['price']} (the second-highest of {clients} sealed bids)"),
            ("committee", f"{account['parties']} nodes, any {account['threshold']} of them learn nothing"),
            ("submit to paid", f"{account['seconds']:.1f} s"),
            ("the same again", f"refused by the contract ({account['second_submit']})"),
        ]
    )
    typer.echo("")
    print_job(job)
