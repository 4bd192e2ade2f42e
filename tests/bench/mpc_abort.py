"""What malicious security with abort costs, next to the passive scheme and to MPyC in the same run.

    python tests/bench/mpc_abort.py [--json] [--count 100000] [--compared 10000] [--repeat 3] [--many 10000000]

Every party is a process of its own; they talk over TCP on the loopback interface, in clear, as MPyC does too, which
withstands semi-honest parties only. An operation of the abort scheme ends with the verification of all it did. A
time is the CPU time of the fastest repetition, averaged over the parties, an element (of the result, for the matrix
product of 200 x 200); bytes are what a party sends. Preprocessing counts as part of a comparison. `many`
multiplications in a row show how much memory a party takes for its transcript.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import trio
from mpc_mpyc import theirs
from mpc_processes import Peers, connect, free_base_port, run_processes

COMMITTEES = ((3, 1), (5, 2))
MATRIX = 200
MANY_AT_ONCE = 1 << 19
MOST_US, MOST_BYTES, MOST_MEMORY_MB = 1.0, 64.0, 1024.0
"""What a multiplication and ten million of them may take a party, with n = 3 and t = 1."""


async def measure(
    peers: Peers, party: Any, operations: dict[str, tuple[Callable[[], Any], int]], repeat: int
) -> Any:
    """CPU and wall microseconds and bytes sent, an element, of the fastest repetition of each operation."""
    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import open_shares, verify

    results = {}
    for name, (operation, count) in operations.items():
        times = []
        for _ in range(repeat + 1):
            await peers.run(open_shares(party, BN254.zeros(1)))  # start together
            sent, cpu, wall = party.statistics.bytes_sent, time.process_time(), time.perf_counter()
            await peers.run(operation())
            await peers.run(verify(party))
            times.append((time.process_time() - cpu, time.perf_counter() - wall))
            sent = party.statistics.bytes_sent - sent
        best = [min(entry[side] for entry in times[1:]) / count for side in (0, 1)]
        results[name] = {"cpu_us": best[0] * 1e6, "wall_us": best[1] * 1e6, "bytes": sent / count}
    return results


async def check(peers: Peers, party: Any, x: Any, z: Any) -> None:
    """Compare a few results with plain integers."""
    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import less_than_zero, multiply, reveal

    values = [7 * index - 50 for index in range(50)]
    squares = await peers.run(reveal(party, await peers.run(multiply(party, x[:50], x[:50]))))
    assert BN254.integers(squares) == [value * value for value in values]
    less = await peers.run(reveal(party, await peers.run(less_than_zero(party, z[:50], bits=32))))
    assert BN254.integers(less) == [int(value < 0) for value in values]


async def party_main(options: argparse.Namespace) -> None:
    """One party of ours under both schemes: measure, check a few results, print JSON."""
    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import (
        ABORT,
        PASSIVE,
        Party,
        PartyId,
        less_than_zero,
        matrix_product,
        multiply,
        open_shares,
        set_up,
        verify,
    )
    from quorate.protocol.sharing import share
    from quorate.protocol.simulation import SeededRandomness

    size = {"parties": options.parties, "threshold": options.threshold}
    peers = await connect(options.party, options.parties, options.base_port)
    dealer = SeededRandomness(1, "bench")
    values = [7 * index - 50 for index in range(max(options.count, MATRIX**2))]
    dealt = share(BN254, BN254.vector(values), randomness=dealer, **size)[options.party - 1]
    x, z, matrix = dealt[: options.count], dealt[: options.compared].copy(), dealt[: MATRIX**2].copy()
    results: dict[str, dict[str, float]] = {}
    for scheme in (PASSIVE, ABORT):
        party = Party(BN254, PartyId(options.party), randomness=os.urandom, scheme=scheme, **size)
        await peers.run(set_up(party))
        operations: dict[str, tuple[Callable[[], Any], int]] = {
            "multiply": (lambda party=party: multiply(party, x, x), len(x)),
            "open": (lambda party=party: open_shares(party, x), len(x)),
            "less32": (lambda party=party: less_than_zero(party, z, bits=32), len(z)),
            "matrix": (lambda party=party: matrix_product(party, matrix, matrix, inner=MATRIX), MATRIX**2),
        }
        measured = await measure(peers, party, operations, options.repeat)
        results |= {f"{scheme.name} {name}": row for name, row in measured.items()}
        await check(peers, party, x, z)
    long, start = BN254.zeros(MANY_AT_ONCE), time.process_time()
    for _ in range(-(-options.many // MANY_AT_ONCE)):
        await peers.run(multiply(party, long, long))
    await peers.run(verify(party))
    results["abort many"] = {
        "cpu_us": (time.process_time() - start) / options.many * 1e6,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(results))


def ours(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure this project's committee under both schemes."""
    base = [sys.executable, __file__, "--parties", str(parties), "--threshold", str(threshold)]
    base += ["--base-port", str(free_base_port(parties)), "--count", str(options.count)]
    base += ["--compared", str(options.compared), "--repeat", str(options.repeat), "--many", str(options.many)]
    return run_processes([[*base, "--party", str(party)] for party in range(1, parties + 1)])


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both for every committee, one after the other."""
    rows = []
    for parties, threshold in COMMITTEES:
        own, other = ours(parties, threshold, options), theirs(parties, threshold, options)
        for operation in ("multiply", "open", "less32", "matrix"):
            passive, abort = own[f"passive {operation}"], own[f"abort {operation}"]
            row: dict[str, Any] = {"parties": parties, "threshold": threshold, "operation": operation}
            row |= {f"passive_{unit}": value for unit, value in passive.items()}
            row |= {f"abort_{unit}": value for unit, value in abort.items()}
            row["abort_over_passive"] = abort["cpu_us"] / passive["cpu_us"]
            if operation in other:
                row["mpyc_cpu_us"] = other[operation]["cpu_us"]
                row["mpyc_over_abort"] = other[operation]["cpu_us"] / abort["cpu_us"]
            rows.append(row)
        rows.append({"parties": parties, "threshold": threshold, "operation": "many", **own["abort many"]})
    return rows


def show(rows: list[dict[str, Any]]) -> None:
    """Print the rows as a table."""
    print(
        f"{'committee':10} {'operation':10} {'passive':>22} {'abort':>22} {'ratio':>6} {'MPyC':>12} {'ratio':>7}"
    )
    for row in rows:
        size = f"n={row['parties']} t={row['threshold']}"
        if row["operation"] == "many":
            print(
                f"{size:10} {'many':10} {row['cpu_us']:.3f} us a product, {row['memory_mb']:,.0f} MB a party at most"
            )
            continue
        cells = [f"{row[f'{name}_cpu_us']:.3f} us {row[f'{name}_bytes']:,.0f} B" for name in ("passive", "abort")]
        line = f"{size:10} {row['operation']:10} {cells[0]:>22} {cells[1]:>22} {row['abort_over_passive']:5.1f}x"
        if "mpyc_cpu_us" in row:
            line += f" {row['mpyc_cpu_us']:>9.2f} us {row['mpyc_over_abort']:6.1f}x"
        print(line)


def misses(rows: list[dict[str, Any]]) -> list[str]:
    """Which targets are missed."""
    first = {row["operation"]: row for row in rows if (row["parties"], row["threshold"]) == (3, 1)}
    found = []
    if first["multiply"]["abort_cpu_us"] > MOST_US:
        found.append(f"a multiplication takes more than {MOST_US} us")
    if first["multiply"]["abort_bytes"] > MOST_BYTES:
        found.append(f"a multiplication takes more than {MOST_BYTES} bytes")
    if first["many"]["memory_mb"] > MOST_MEMORY_MB:
        found.append(f"a party takes more than {MOST_MEMORY_MB} MB")
    return found


def main() -> int:
    """Run the benchmark; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--compared", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--many", type=int, default=10_000_000)
    for internal in ("--party", "--parties", "--threshold", "--base-port"):
        parser.add_argument(internal, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.party is not None:
        trio.run(party_main, options)
        return 0
    rows = compare(options)
    print(json.dumps(rows, indent=1)) if options.json else show(rows)
    missed = misses(rows)
    for miss in missed:
        print(f"missed: {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
