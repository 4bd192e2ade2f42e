"""The committee's protocol next to MPyC in the same run, and to fixed bars.

    python tests/bench/mpc_mpyc.py [--json] [--count 100000] [--compared 10000] [--repeat 5] [--no-memory]

Ours is what `quorate bench mpc` measures: every party is a process of its own, and they talk over TCP on the
loopback interface, in clear, as MPyC's do too. The field is that of BN254 for both; MPyC compares 32-bit integers in
the smaller field of its SecInt(32). A time is that of the fastest repetition, averaged over the parties;
preprocessing counts as part of a comparison. Peak memory is of 10 million multiplications in one call. The exit
code is 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from typing import Any

from committees import measured, mpyc_processes

COMMITTEES = ((3, 1), (5, 1))
MEMORY_COUNT = 10_000_000
LEAST_MULTIPLY_RATIO = 12.0


@dataclass(frozen=True, slots=True)
class Bar:
    """What is to be reached by three parties: a time of the processor or of the clock, in microseconds."""

    clock: str
    most_us: float


BARS = {
    "multiply": Bar("cpu", 0.4),
    "open": Bar("cpu", 1 / 3),
    "matmul200": Bar("cpu", 150_000.0),
    "less32": Bar("cpu", 20.0),
    "rounds": Bar("wall", 1e6 / 1600),
}
MOST_PEAK_BYTES = 1e9


def ours(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure this project's committee."""
    batches = {("multiply", "open"): options.count, ("less32",): options.compared, ("matmul200", "rounds"): 0}
    rows: dict[str, dict[str, Any]] = {}
    for operations, batch in batches.items():
        rows |= measured(parties, threshold, *operations, batch=batch, repeat=options.repeat)
    return {name: {"cpu_us": row["cpu_us_per_op"], "wall_us": row["wall_us_per_op"]} for name, row in rows.items()}


def theirs(parties: int, threshold: int, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure MPyC's committee; it compares fewer values, as it is slower."""
    sizes = [options.count, max(1, options.compared // 10), min(3, options.repeat)]
    return mpyc_processes("mpyc_party.py", *sizes, parties=parties, threshold=threshold)


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both for every committee, one after the other."""
    rows = []
    for parties, threshold in COMMITTEES:
        own, other = ours(parties, threshold, options), theirs(parties, threshold, options)
        for operation, bar in BARS.items():
            row: dict[str, Any] = {"parties": parties, "threshold": threshold, "operation": operation}
            row |= {"quorate_cpu_us": own[operation]["cpu_us"], "mpyc_cpu_us": other[operation]["cpu_us"]}
            row |= {"quorate_wall_us": own[operation]["wall_us"], "mpyc_wall_us": other[operation]["wall_us"]}
            row["ratio"] = row["mpyc_cpu_us"] / row["quorate_cpu_us"]
            if parties == COMMITTEES[0][0]:
                row["bar_clock"], row["bar_us"] = bar.clock, bar.most_us
                row["met"] = own[operation][f"{bar.clock}_us"] <= bar.most_us
                if operation == "multiply":
                    row["met"] = row["met"] and row["ratio"] >= LEAST_MULTIPLY_RATIO
            rows.append(row)
    return rows


def memory() -> dict[str, Any]:
    """The peak memory of a party that multiplies MEMORY_COUNT pairs in one call."""
    parties, threshold = COMMITTEES[0]
    rows = measured(parties, threshold, "multiply", batch=MEMORY_COUNT, repeat=1)
    peak = rows["multiply"]["peak_rss_bytes"]
    return {"parties": parties, "threshold": threshold, "peak_bytes": peak, "met": peak <= MOST_PEAK_BYTES}


def show(rows: list[dict[str, Any]], peak: dict[str, Any] | None) -> None:
    """Print a table."""
    print(f"{'committee':10} {'operation':10} {'quorate CPU':>14} {'MPyC CPU':>16} {'ratio':>7}  bar")
    for row in rows:
        size = f"n={row['parties']} t={row['threshold']}"
        own, other = (f"{row[f'{name}_cpu_us']:,.3f} us" for name in ("quorate", "mpyc"))
        bar = ""
        if "met" in row:
            clock = row["bar_clock"]
            reached = row[f"quorate_{clock}_us"]
            bar = f"{clock} {reached:,.3f} of {row['bar_us']:,.3f} us: {'met' if row['met'] else 'MISSED'}"
        print(f"{size:10} {row['operation']:10} {own:>14} {other:>16} {row['ratio']:6.1f}x  {bar}")
    if peak:
        print(
            f"{MEMORY_COUNT:,} multiplications in one call: a peak of {peak['peak_bytes'] / 1e6:,.0f} MB a party "
            f"of {MOST_PEAK_BYTES / 1e6:,.0f} MB: {'met' if peak['met'] else 'MISSED'}"
        )


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--compared", type=int, default=10_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--no-memory", action="store_true")
    options = parser.parse_args()
    rows = compare(options)
    peak = None if options.no_memory else memory()
    if options.json:
        print(json.dumps({"rows": rows, "memory": peak}, indent=1))
    else:
        show(rows, peak)
    met = all(row.get("met", True) for row in rows) and (peak is None or peak["met"])
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
