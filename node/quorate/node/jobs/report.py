"""What a job on a network did, as one JSON object and as tables."""

from __future__ import annotations

from typing import Any

from quorate.contracts import checksum

from .network import Job


def job_json(job: Job, *, parties: int, threshold: int) -> dict[str, Any]:  # Any: a JSON object
    """Everything about the job; amounts in wei, times in seconds, bytes and rounds by node."""
    outcome = job.outcome
    names = _names(job)
    reports = [member for member in outcome.members if member.status is not None]
    return {
        "request_id": f"0x{outcome.request_id.hex()}",
        "state": outcome.state.name.lower(),
        "outputs": {name: result["outputs"] for name, result in job.results.items()},
        "public_result": next(iter(job.results.values()))["public_result"] if job.results else "",
        "parties": parties,
        "threshold": threshold,
        "seconds": round(job.seconds, 3),
        "phases": {name: round(seconds, 3) for name, seconds in _phases(job).items()},
        "bytes": {
            names[member.account]: {"sent": member.status.bytes_sent, "received": member.status.bytes_received}
            for member in reports
            if member.status is not None
        },
        "rounds": {names[member.account]: member.status.rounds for member in reports if member.status is not None},
        "gas": {use.action: use.gas_used for use in outcome.gas},
        "payments": {
            checksum(member.account): {
                "node": names[member.account],
                "price": str(member.price),
                "market_before": str(job.before[names[member.account]].market),
                "market_after": str(job.after[names[member.account]].market),
            }
            for member in outcome.members
        },
        "paid": str(outcome.paid),
        "tx": {use.action: f"0x{use.transaction.hex()}" for use in outcome.gas},
        "result_digest": f"0x{outcome.result_digest.hex()}",
    }


def print_job(job: Job) -> None:
    """Print phases, nodes, gas and balances as tables."""
    from quorate.node.cli.output import print_table

    outcome, names = job.outcome, _names(job)
    print_table(["phase", "seconds"], [[name, f"{seconds:.2f}"] for name, seconds in _phases(job).items()])
    print_table(
        ["node", "party", "rounds", "multiplications", "sent", "received", "price in ether"],
        [
            [
                names[member.account],
                str(member.party),
                str(member.status.rounds) if member.status is not None else "-",
                f"{member.status.multiplications:,}" if member.status is not None else "-",
                f"{member.status.bytes_sent:,} B" if member.status is not None else "-",
                f"{member.status.bytes_received:,} B" if member.status is not None else "-",
                f"{member.price / 10**18:.6f}",
            ]
            for member in outcome.members
        ],
    )
    print_table(
        ["transaction", "gas", "hash"],
        [[use.action, f"{use.gas_used:,}", f"0x{use.transaction.hex()[:16]}..."] for use in outcome.gas],
    )
    print_table(
        ["account", "chain before", "chain after", "market before", "market after", "change"],
        [_balance_row(job, name) for name in job.before],
    )


def _balance_row(job: Job, name: str) -> list[str]:
    """One account in ether; the change leaves the gas out, which only the chain's column shows."""
    before, after = job.before[name], job.after[name]
    amounts = [before.chain, after.chain, before.market, after.market, after.market - before.market]
    return [name, *(f"{amount / 10**18:.6f}" for amount in amounts)]


def _names(job: Job) -> dict[bytes, str]:
    """The name of every member's account: that of the job's accounts, or the address."""
    known = {account: name for name, account in job.accounts.items()}
    return {member.account: known.get(member.account, checksum(member.account)) for member in job.outcome.members}


def _phases(job: Job) -> dict[str, float]:
    """The requestor's phases, and within the session those of the slowest member."""
    phases = dict(job.outcome.phases)
    for member in job.outcome.members:
        for phase in member.status.phases if member.status is not None else ():
            name = f"session/{phase.name}"
            phases[name] = max(phases.get(name, 0.0), phase.microseconds / 1e6)
    return phases
