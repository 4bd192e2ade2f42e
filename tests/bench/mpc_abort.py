"""What malicious security with abort costs, next to the passive scheme and to MPyC in the same run.

    python tests/bench/mpc_abort.py [--json] [--count 100000] [--compared 10000] [--repeat 3] [--many 10000000]

Ours is what `quorate bench mpc` measures: every party is a process of its own, and they talk over TCP on the
loopback interface, in clear, as MPyC's do too, which withstands semi-honest parties only. An operation of the abort
scheme ends with the verification of all it did. A time is the CPU time of the fastest repetition, averaged over the
parties, an element (of the result, for the matrix product of 200 x 200); bytes are what a party sends. Preprocessing
counts as part of a comparison. `many` multiplications in a row show how much memory a party takes for its transcript.
The exit code is 1 when a target is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from committees import measured
from mpc_mpyc import theirs

COMMITTEES = ((3, 1), (5, 2))
MATRIX_ELEMENTS = 200 * 200
OPERATIONS = {"multiply": "multiply", "open": "open", "less32": "less32", "matrix": "matmul200"}
"""What is printed, and what `quorate bench mpc` and MPyC's party call it."""
MOST_US, MOST_BYTES, MOST_MEMORY_MB = 1.0, 64.0, 1024.0
"""What a multiplication and ten million of them may take a party, with n = 3 and t = 1."""


def ours(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure this project's committee under both schemes."""
    batches = {("multiply", "open"): options.count, ("less32",): options.compared, ("matmul200",): 1}
    results = {}
    for protocol in ("passive", "abort"):
        rows: dict[str, dict[str, Any]] = {}
        for operations, batch in batches.items():
            rows |= measured(
                parties, threshold, *operations, batch=batch, repeat=options.repeat, protocol=protocol
            )
        for name, operation in OPERATIONS.items():
            row = rows[operation]
            elements = MATRIX_ELEMENTS if name == "matrix" else 1
            results[f"{protocol} {name}"] = {
                "cpu_us": row["cpu_us_per_op"] / elements,
                "wall_us": row["wall_us_per_op"] / elements,
                "bytes": row["bytes_per_op"] / elements,
            }
    rows = measured(parties, threshold, "multiply_on", batch=options.many, repeat=1, protocol="abort")
    many = rows["multiply_on"]
    results["abort many"] = {"cpu_us": many["cpu_us_per_op"], "memory_mb": many["peak_rss_bytes"] / 2**20}
    return results


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both for every committee, one after the other."""
    rows = []
    for parties, threshold in COMMITTEES:
        own, other = ours(parties, threshold, options), theirs(parties, threshold, options)
        for name, operation in OPERATIONS.items():
            passive, abort = own[f"passive {name}"], own[f"abort {name}"]
            row: dict[str, Any] = {"parties": parties, "threshold": threshold, "operation": name}
            row |= {f"passive_{unit}": value for unit, value in passive.items()}
            row |= {f"abort_{unit}": value for unit, value in abort.items()}
            row["abort_over_passive"] = abort["cpu_us"] / passive["cpu_us"]
            row["mpyc_cpu_us"] = other[operation]["cpu_us"] / (MATRIX_ELEMENTS if name == "matrix" else 1)
            row["mpyc_over_abort"] = row["mpyc_cpu_us"] / abort["cpu_us"]
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
        print(f"{line} {row['mpyc_cpu_us']:>9.2f} us {row['mpyc_over_abort']:6.1f}x")


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
    options = parser.parse_args()
    rows = compare(options)
    print(json.dumps(rows, indent=1)) if options.json else show(rows)
    missed = misses(rows)
    for miss in missed:
        print(f"missed: {miss}", file=sys.stderr)
    return bool(missed)


if __name__ == "__main__":
    raise SystemExit(main())
