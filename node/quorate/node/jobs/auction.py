"""The demonstration: a sealed-bid second-price auction on a network of its own, checked from end to end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from quorate.contracts import RequestState
from quorate.node.chain import MarketClient, Signer, TransactionReverted, open_chain, open_sender
from quorate.node.config import NodeConfig
from quorate.node.daemon import TRANSACTIONS_FILE, sender_policy
from quorate.node.errors import QuorateNodeError
from quorate.node.home import open_keys
from quorate.node.requestor import Terms
from quorate.node.testnet import TestnetConfig, open_testnet

from .bids import PARTIES, expected_result
from .network import Job, run_on_network
from .packages import shipped_package
from .report import job_json
from .testnet import requestor_config, testnet_accounts

PROGRAM: Final = "second-price-auction@1.0.0"
THRESHOLD: Final = 1
MAX_PRICE: Final = 10**16
COLLATERAL: Final = 10**16
BASE_PRICES: Final = (10**14, 2 * 10**14, 15 * 10**13, 12 * 10**13, 3 * 10**14, 5 * 10**14, 4 * 10**14)
"""What the nodes ask in turn, in wei, so that there is a cheapest committee to choose."""


class DemoFailed(QuorateNodeError):
    """Something in the demonstration was not as it should be; `findings` says what."""

    exit_code = 20

    def __init__(self, findings: Sequence[str]) -> None:
        super().__init__(
            "the demonstration did not go as it should",
            why="; ".join(findings),
            todo="run it again with --keep, and look at the logs in its home",
        )
        self.findings = tuple(findings)


async def run_demo(
    home: Path, bids: Mapping[str, Sequence[int]], *, nodes: int, progress: Callable[[str], None]
) -> tuple[Job, dict[str, Any]]:  # Any: a JSON object
    """Start a network in `home`, hold the auction on it, check everything, and take the network down.

    Returns the job and its JSON account, with `winner` and `price`. Raises DemoFailed, and what a job raises.
    """
    testnet_config = TestnetConfig(home=home, nodes=nodes, base_prices=BASE_PRICES[: max(1, nodes)])
    async with open_testnet(testnet_config, progress=progress) as testnet:
        network = testnet.network
        config = requestor_config(network)
        terms = Terms(parties=PARTIES, threshold=THRESHOLD, max_price=MAX_PRICE, collateral=COLLATERAL)
        job = await run_on_network(
            config,
            shipped_package(PROGRAM),
            bids,
            terms=terms,
            accounts=testnet_accounts(network),
            folder=home,
            progress=progress,
        )
        progress("submitting the same request again")
        refusal = await _submit_again(config, job)
    report = job_json(job, parties=PARTIES, threshold=THRESHOLD)
    names = list(bids)
    winner, price = next(iter(report["outputs"].values()))
    account = {"winner": names[winner], "price": price, "second_submit": refusal, **report}
    findings = _findings(job, account, bids)
    if findings:
        raise DemoFailed(findings)
    return job, account


async def _submit_again(config: NodeConfig, job: Job) -> str:
    """What the contract says to the same request a second time; empty when it takes it."""
    request = job.outcome.request
    assert request is not None
    async with open_chain(config.chain.url, expected_chain_id=config.chain.chain_id) as chain:
        signer = Signer(open_keys(config).chain)
        async with open_sender(
            chain, signer, journal_path=config.home / TRANSACTIONS_FILE, policy=sender_policy(config)
        ) as sender:
            market = MarketClient(chain, config.chain.market_bytes, sender=sender)
            try:
                await market.submit(request, value=request.max_price, intent="submit the same request again")
            except TransactionReverted as error:
                return f"{error.name}: {error.advice}"
    return ""


def _findings(job: Job, account: Mapping[str, Any], bids: Mapping[str, Sequence[int]]) -> list[str]:
    """Everything that is not as it should be."""
    found: list[str] = []
    outcome = job.outcome
    if (account["winner"], account["price"]) != expected_result(bids):
        found.append("the committee named another winner or price than the bids give")
    if set(account["outputs"]) != set(bids):
        found.append("not every client received an output")
    if len({tuple(output) for output in account["outputs"].values()}) != 1:
        found.append("the clients received different outputs")
    if outcome.state is not RequestState.FULFILLED:
        found.append(f"the request is {outcome.state.name.lower()}")
    if any(result["wrong_parties"] for result in job.results.values()):
        found.append("a member sent a wrong output share")
    if not account["second_submit"]:
        found.append("the market took the same request twice")
    return found + _payment_findings(job)


def _payment_findings(job: Job) -> list[str]:
    names = {account: name for name, account in job.accounts.items()}
    found = [
        f"{names[member.account]} was paid wrongly"
        for member in job.outcome.members
        if job.after[names[member.account]].market - job.before[names[member.account]].market != member.price
    ]
    total = sum(member.price for member in job.outcome.members)
    if job.outcome.paid != total:
        found.append("the chain says that another sum was paid than the members asked")
    returned = job.after["requestor"].market - job.before["requestor"].market
    if returned != MAX_PRICE - total:
        found.append("the rest of the escrow did not come back")
    return found
