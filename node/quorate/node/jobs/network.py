"""A job on a network: client processes, a requestor in this one, and an account of everything that happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Final

import trio

from quorate.contracts import COIN
from quorate.marketplace import ClientEntry
from quorate.node.config import NodeConfig
from quorate.node.daemon import serve_archives
from quorate.node.errors import QuorateNodeError
from quorate.node.home import key_files
from quorate.node.keys import load_public_keys
from quorate.node.light import LightNode, open_light_node
from quorate.node.programs import compile_package
from quorate.node.requestor import Outcome, RequestFailed, Terms, submit_and_follow
from quorate.registry import Package

from .processes import ClientProcess, client_process, make_client_home

CLIENTS_AT_ONCE: Final = 4
"""How many client processes start at once: each takes a processor for a second or two."""
START_ALLOWANCE_S: Final = 10.0
"""How much longer each client waits for every client that starts, since the first wait for the last."""
RESULT_MARGIN_S: Final = 30.0
"""How much longer than the request's deadline a client waits."""
CLIENTS_END_S: Final = 15.0
"""How long the clients of a failed session may take to see that it failed, before they are ended."""


@dataclass(frozen=True, slots=True)
class Balances:
    """What an account has, in wei: on the chain, and free in the market."""

    chain: int
    market: int


@dataclass(slots=True)
class Job:
    """What a job did: the outcome of its request, every client's result by name, balances by account name."""

    outcome: Outcome
    results: dict[str, dict[str, Any]] = field(default_factory=dict)  # Any: the JSON of a client process
    failures: dict[str, QuorateNodeError] = field(default_factory=dict)
    before: dict[str, Balances] = field(default_factory=dict)
    after: dict[str, Balances] = field(default_factory=dict)
    accounts: Mapping[str, bytes] = field(default_factory=dict)
    seconds: float = 0.0


async def run_on_network(
    config: NodeConfig,
    package: Package,
    inputs: Mapping[str, Sequence[int]],
    *,
    arguments: Sequence[int] = (),
    terms: Terms,
    accounts: Mapping[str, bytes],
    folder: Path,
    progress: Callable[[str], None] = lambda _: None,
    withhold: frozenset[str] = frozenset(),
) -> Job:
    """Run `package` for the clients of `inputs` as the requestor whose home is `config`'s.

    `accounts` are those whose balances are reported; `withhold` names clients whose process is not started, as if
    they were away. Raises ProgramRefused before anything starts, and what the requestor and the client processes
    raise.
    """
    await trio.to_thread.run_sync(compile_package, package)
    reference = package.content_hash.hex()
    timeout_s = terms.bidding_s + terms.working_s + RESULT_MARGIN_S + START_ALLOWANCE_S * len(inputs)
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(open_light_node(config, sends=True))
        await trio.to_thread.run_sync(node.registry.cache.store, package.content_hash, package.archive())
        serve_archives(node.mesh, node.registry)
        progress("starting the clients")
        bootstrap = (*node.mesh.addresses, *config.mesh.bootstrap)  # a program of our own comes from us
        homes = {
            name: await trio.to_thread.run_sync(
                lambda name=name: make_client_home(folder, name, like=config, bootstrap=bootstrap)
            )
            for name in inputs
        }
        processes: dict[str, ClientProcess] = {}
        present = [name for name in inputs if name not in withhold]
        for start in range(0, len(present), CLIENTS_AT_ONCE):
            batch = present[start : start + CLIENTS_AT_ONCE]
            for name in batch:
                processes[name] = await stack.enter_async_context(
                    client_process(homes[name], name, reference, timeout_s=timeout_s)
                )
            await _ready({name: processes[name] for name in batch}, inputs)
            if len(present) > CLIENTS_AT_ONCE:
                progress(f"{len(processes)} of {len(present)} clients are ready")
        job = Job(Outcome(b""), before=await _balances(node, accounts), accounts=accounts)
        started = monotonic()
        entries = [_entry(name, homes[name], len(values)) for name, values in inputs.items()]
        refusal: QuorateNodeError | None = None
        async with trio.open_nursery() as nursery:
            for name, process in processes.items():
                nursery.start_soon(_await_result, job, name, process)
            try:
                await _request(node, reference, entries, arguments, terms, progress, job)
            except QuorateNodeError as error:
                refusal = error  # raised outside of the nursery, so that it leaves as it is and not in a group
                ends_by = CLIENTS_END_S if isinstance(error, RequestFailed) else 0.0  # else they wait for an order
                nursery.cancel_scope.deadline = trio.current_time() + ends_by
            job.seconds = monotonic() - started
        for failure in (refusal, *job.failures.values()):
            if failure is not None:
                raise failure
        job.after = await _balances(node, accounts)
        return job


async def _request(
    node: LightNode,
    reference: str,
    entries: Sequence[ClientEntry],
    arguments: Sequence[int],
    terms: Terms,
    progress: Callable[[str], None],
    job: Job,
) -> None:
    job.outcome = await submit_and_follow(
        node, reference, clients=entries, arguments=arguments, terms=terms, progress=progress
    )


async def _ready(processes: Mapping[str, ClientProcess], inputs: Mapping[str, Sequence[int]]) -> None:
    failures: list[QuorateNodeError] = []

    async def start(name: str, process: ClientProcess) -> None:
        try:
            await process.give(inputs[name])
            await process.ready()
        except QuorateNodeError as error:
            failures.append(error)

    async with trio.open_nursery() as nursery:
        for name, process in processes.items():
            nursery.start_soon(start, name, process)
    for failure in failures:
        raise failure


async def _await_result(job: Job, name: str, process: ClientProcess) -> None:
    """Note what the client got, or its error: the requestor sees the request to its end either way."""
    try:
        job.results[name] = await process.result()
    except QuorateNodeError as error:
        job.failures[name] = error


def _entry(name: str, config: NodeConfig, count: int) -> ClientEntry:
    public = load_public_keys(key_files(config))
    return ClientEntry(name, public.peer_key, public.encryption_key, True, count)


async def _balances(node: LightNode, accounts: Mapping[str, bytes]) -> dict[str, Balances]:
    return {
        name: Balances(
            chain=await node.market.chain.balance(account), market=await node.market.free_balance(COIN, account)
        )
        for name, account in accounts.items()
    }
