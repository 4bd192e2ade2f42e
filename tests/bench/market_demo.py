"""The whole way of a request, timed: from the escrow to the payment, and what a node at rest weighs.

    python tests/bench/market_demo.py [--runs N] [--json]

Prints the seconds of each run of `quorate demo` from submit to paid (the first run is the warm-up and does not
count) against the limit of 15 s, and the resident memory of each node of a testnet at rest against 220 MB.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_SECONDS = 15.0
LIMIT_BYTES = 220 * 10**6
TIMEOUT_S = 300


def quorate(*arguments: str) -> dict[str, object]:
    command = [sys.executable, "-m", "quorate.node", *arguments, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)} failed: {done.stdout}{done.stderr}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def measure_demo(runs: int) -> list[dict[str, object]]:
    quorate("demo")
    return [quorate("demo") for _ in range(runs)]


def measure_memory() -> list[int]:
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "net")
        quorate("testnet", "up", "--nodes", "5", "--home", home, "--detach")
        try:
            status = quorate("testnet", "status", "--home", home)
        finally:
            quorate("testnet", "down", "--home", home)
    nodes = status["nodes"]
    assert isinstance(nodes, list)
    return [int(node["memory_bytes"]) for node in nodes]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    demos = measure_demo(options.runs)
    seconds = [float(str(demo["seconds"])) for demo in demos]
    memory = measure_memory()
    median, heaviest = statistics.median(seconds), max(memory)
    result = {
        "submit_to_paid_s": seconds,
        "submit_to_paid_median_s": round(median, 3),
        "limit_s": LIMIT_SECONDS,
        "times_faster_than_limit": round(LIMIT_SECONDS / median, 2),
        "phases_of_the_last": demos[-1]["phases"],
        "gas": demos[-1]["gas"],
        "node_memory_bytes": memory,
        "limit_bytes": LIMIT_BYTES,
        "memory_of_limit": round(heaviest / LIMIT_BYTES, 2),
    }
    if options.json:
        print(json.dumps(result))
        return
    print(
        f"submit to paid: median {median:.2f} s of {len(seconds)} runs ({min(seconds):.2f} to {max(seconds):.2f})"
    )
    print(f"  limit {LIMIT_SECONDS:g} s: {LIMIT_SECONDS / median:.1f} times faster")
    for name, value in dict(result["phases_of_the_last"]).items():  # type: ignore[call-overload]
        print(f"  {name:<20} {value:6.2f} s")
    print(f"node at rest: {heaviest / 1e6:.0f} MB, {heaviest / LIMIT_BYTES:.2f} of the limit of 220 MB")


if __name__ == "__main__":
    main()
