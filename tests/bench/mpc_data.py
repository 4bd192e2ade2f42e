"""Sorting, circuits and array accesses on shares, next to MPyC in the same run, and to fixed bars.

    python tests/bench/mpc_data.py [--json] [--blocks 64] [--repeat 5]

Ours is what `quorate bench mpc` measures, with three parties and threshold 1: each is a process of its own, and they
talk over TCP on the loopback interface, in clear, as MPyC's do too. A time is of the fastest repetition, of the CPU
averaged over the parties; preprocessing counts, and for circuits the way of the inputs into bits and back. The ratio
is of CPU times. MPyC sorts 32-bit integers in the field of its SecInt(32) and computes AES over GF(2^8); it ships no
hashes. A bar is the wall time in milliseconds that is to be undercut; the exit code is 1 when one is missed.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from committees import measured, mpyc_processes

PARTIES, THRESHOLD = 3, 1
ROWS = 1024
BARS_MS = {"sort": 3000.0, "AES block": 150.0}


def ours(options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure this project's committee: milliseconds of each batch."""
    names = {
        "sort": "sort1024",
        "AES block": "aes128",
        "SHA-256 block": "sha256",
        "SHA3-256 block": "sha3_256",
        "read": "read1024",
    }
    rows = measured(PARTIES, THRESHOLD, *names.values(), batch=1, repeat=options.repeat)
    results = {name: _milliseconds(rows[operation]) for name, operation in names.items()}
    rows = measured(PARTIES, THRESHOLD, "aes128", batch=options.blocks, repeat=options.repeat)
    return results | {"AES batch": _milliseconds(rows["aes128"])}


def _milliseconds(row: dict[str, Any]) -> dict[str, float]:
    """The times of a whole batch."""
    return {f"{clock}_ms": row[f"{clock}_us_per_op"] * row["batch"] / 1e3 for clock in ("cpu", "wall")}


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both committees, one after the other."""
    own = ours(options)
    sizes = (ROWS, options.blocks, options.repeat)
    other = mpyc_processes("mpyc_data_party.py", *sizes, parties=PARTIES, threshold=THRESHOLD)
    rows = []
    for name, figures in own.items():
        row: dict[str, Any] = {"operation": name, "wall_ms": figures["wall_ms"], "cpu_ms": figures["cpu_ms"]}
        row["mpyc_wall_ms"] = other[name]["wall_ms"] if name in other else None
        row["mpyc_cpu_ms"] = other[name]["cpu_ms"] if name in other else None
        row["ratio"] = other[name]["cpu_ms"] / figures["cpu_ms"] if name in other else None
        row["bar_ms"] = BARS_MS.get(name)
        rows.append(row)
    return rows


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--blocks", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    rows = compare(options)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(f"{'':18} {'quorate':>21} {'MPyC':>21}")
        print(
            f"{'operation':18} {'CPU':>10} {'wall':>10} {'CPU':>10} {'wall':>10} {'CPU ratio':>10} {'bar':>8}  (ms)"
        )
        for row in rows:
            columns = [row[key] for key in ("cpu_ms", "wall_ms", "mpyc_cpu_ms", "mpyc_wall_ms", "ratio")]
            figures = " ".join("         -" if value is None else f"{value:10.1f}" for value in columns)
            print(f"{row['operation']:18} {figures} {row['bar_ms'] or '-':>8}")
    return 0 if all(row["wall_ms"] < row["bar_ms"] for row in rows if row["bar_ms"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
