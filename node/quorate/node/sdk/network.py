"""Running a program on a network: a committee is hired, paid and followed, with a process for each client."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import trio

from quorate.node.errors import UsageError
from quorate.node.jobs.network import Job, run_on_network
from quorate.node.jobs.packages import package_of_file
from quorate.node.jobs.testnet import requestor_config, testnet_accounts
from quorate.node.requestor import Terms
from quorate.node.testnet import read_network
from quorate.registry import Package

from .network_terms import NetworkTerms


async def run_on(
    home: Path,
    source: str,
    inputs: Mapping[str, Sequence[int]],
    *,
    terms: NetworkTerms,
    progress: Callable[[str], None] = lambda _: None,
) -> Job:
    """Run the program `source` on the testnet of `home` for the clients of `inputs`.

    Every client gives the same number of int64 values and receives what the program sends to its slot. Raises
    UsageError, and what the requestor raises.
    """
    home = await trio.to_thread.run_sync(home.absolute)
    network = await trio.to_thread.run_sync(read_network, home)
    if network is None:
        raise UsageError(
            f"no testnet runs in {home}",
            todo=f"start one with: quorate testnet up --home '{home}' --detach",
        )
    package = await trio.to_thread.run_sync(_package, source, inputs)
    return await run_on_network(
        requestor_config(network),
        package,
        inputs,
        terms=Terms(
            parties=terms.parties,
            threshold=terms.threshold,
            working_s=terms.working_s,
            max_price=terms.max_price_wei,
            collateral=terms.collateral_wei,
            protocol=terms.protocol,
        ),
        accounts=testnet_accounts(network),
        folder=home,
        progress=progress,
    )


def _package(source: str, inputs: Mapping[str, Sequence[int]]) -> Package:
    with tempfile.TemporaryDirectory(prefix="quorate-sdk-") as folder:
        path = Path(folder) / "program.stfl"
        path.write_text(source, encoding="utf-8")
        return package_of_file(path, inputs)
