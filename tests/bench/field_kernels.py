"""Throughput of the field kernels, in millions of elements per CPU second of one thread.

    python tests/bench/field_kernels.py [--json] [--count N]

Every kernel set that the CPU has runs against a loop over gmpy2 integers in the same process, because machines and
their load differ: compare the ratios, not the figures.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from importlib import import_module
from time import thread_time
from typing import Any

import numpy as np

from quorate.protocol.field import BN254, dispatch
from quorate.protocol.field.constants import PORTABLE

gmpy2: Any = import_module("gmpy2")  # it ships no types

ROUNDS = 7
SECONDS = 0.05


def rate(step: Callable[[], object], count: int) -> float:
    """Millions of elements per CPU second: the best of some rounds of about 50 ms."""
    step()
    begin = thread_time()
    step()
    repeats = max(1, int(SECONDS / max(thread_time() - begin, 1e-6)))
    best = float("inf")
    for _ in range(ROUNDS):
        begin = thread_time()
        for _ in range(repeats):
            step()
        best = min(best, (thread_time() - begin) / repeats)
    return count / best / 1e6


def gmpy2_rates(count: int) -> dict[str, float]:
    """What loops over gmpy2 integers reach."""
    modulus = gmpy2.mpz(BN254.modulus)
    generator = gmpy2.random_state(1)
    x = [gmpy2.mpz_random(generator, modulus) for _ in range(count)]
    y = [gmpy2.mpz_random(generator, modulus) for _ in range(count)]

    def multiply_and_share() -> object:
        products = [a * b % modulus for a, b in zip(x, y, strict=True)]
        return [[(c + point * a) % modulus for c, a in zip(products, x, strict=True)] for point in (1, 2, 3)]

    return {
        "mul": rate(lambda: [a * b % modulus for a, b in zip(x, y, strict=True)], count),
        "add": rate(lambda: [(a + b) % modulus for a, b in zip(x, y, strict=True)], count),
        "dot": rate(lambda: sum(a * b for a, b in zip(x, y, strict=True)) % modulus, count),
        "combine (3, -3, 1)": rate(
            lambda: [(3 * a - 3 * b + a) % modulus for a, b in zip(x, y, strict=True)], count
        ),
        "multiply and share (3, 1)": rate(multiply_and_share, count),
    }


def kernel_rates(kernels: str, count: int) -> dict[str, float]:
    """What one kernel set reaches through the public operations."""
    os.environ[dispatch.OVERRIDE] = kernels
    dispatch.preferred.cache_clear()
    data = np.random.default_rng(1).bytes(BN254.random_bytes * count)
    x, y = BN254.from_random_bytes(data), BN254.from_random_bytes(data[::-1])
    wire = BN254.to_bytes(x)
    return {
        "mul": rate(lambda: BN254.mul(x, y), count),
        "add": rate(lambda: BN254.add(x, y), count),
        "dot": rate(lambda: BN254.dot(x, y), count),
        "combine (3, -3, 1)": rate(lambda: BN254.combine([3, -3, 1], [x, y, x]), count),
        "multiply and share (3, 1)": rate(
            lambda: BN254.multiply_and_share(x, y, coefficients=[x], parties=3), count
        ),
        "from random bytes": rate(lambda: BN254.from_random_bytes(data), count),
        "from bytes, checked": rate(lambda: BN254.from_bytes(wire, count), count),
    }


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--count", type=int, default=4096, help="elements in a vector")
    options = parser.parse_args()
    sets = [PORTABLE] + ([IFMA] if dispatch.has_ifma() else [])
    results = {"gmpy2 loop": gmpy2_rates(options.count)}
    results.update({kernels: kernel_rates(kernels, options.count) for kernels in sets})
    base = results["gmpy2 loop"]
    ratios = {k: {name: results[k][name] / base[name] for name in base} for k in sets}
    if options.json:
        report = {"unit": "M elements per CPU second", "count": options.count, "rates": results, "ratios": ratios}
        print(json.dumps(report))
        return
    print(f"M elements per CPU second, vectors of {options.count} (times the gmpy2 loop)")
    for name, portable in results[PORTABLE].items():
        cells = [f"{base[name]:.2f} gmpy2" if name in base else "", f"{portable:.1f} portable"]
        cells += [f"{results[k][name]:.1f} {k}" for k in sets[1:]]
        times = [f"{ratios[k][name]:.0f}x" for k in sets] if name in base else []
        print(f"{name:28}" + "".join(f"{cell:>18}" for cell in cells) + "   " + " ".join(times))


if __name__ == "__main__":
    main()
