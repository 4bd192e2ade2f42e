"""Throughput of the field kernels, in millions of elements per CPU second of one thread.

    python tests/bench/field_kernels.py [--json] [--count N] [--field NAME ...]

Both kernel sets, where the CPU has them, run against a loop over gmpy2 integers in the same process, and against
galois where it is installed, because machines and their load differ: compare the ratios, not the figures. The
matrix product is counted in multiplications of elements.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from time import thread_time
from typing import Any

import numpy as np

from quorate.protocol.field import BN254, GOLDILOCKS, MERSENNE61, SECP256K1, PrimeField, dispatch
from quorate.protocol.field.constants import IFMA, PORTABLE

gmpy2: Any = import_module("gmpy2")  # it ships no types

FIELDS = {field.name: field for field in (BN254, SECP256K1, MERSENNE61, GOLDILOCKS)}
SIDE = 200
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


def gmpy2_rates(field: PrimeField, count: int) -> dict[str, float]:
    """What loops over gmpy2 integers reach."""
    modulus = gmpy2.mpz(field.modulus)
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
        "inverses": rate(lambda: [gmpy2.invert(a, modulus) for a in x], count),
    }


def galois_rates(field: PrimeField, count: int) -> dict[str, float]:
    """What arrays of galois reach, where it is installed."""
    galois = import_module("galois")
    x, y = (galois.GF(field.modulus).Random(count, seed=seed) for seed in (1, 2))
    return {"mul": rate(lambda: x * y, count), "add": rate(lambda: x + y, count)}


def kernel_rates(field: PrimeField, kernels: str, count: int) -> dict[str, float]:
    """What one kernel set reaches through the public operations."""
    os.environ[dispatch.OVERRIDE] = kernels
    dispatch.preferred.cache_clear()
    data = np.random.default_rng(1).bytes(field.random_bytes * count)
    x, y = field.from_random_bytes(data), field.from_random_bytes(data[::-1])
    matrix = field.from_random_bytes(np.random.default_rng(2).bytes(field.random_bytes * SIDE * SIDE))
    wire, squares = field.to_bytes(x), field.mul(x, x)
    small = np.arange(count)
    vector = field.from_small(small)
    return {
        "mul": rate(lambda: field.mul(x, y), count),
        "add": rate(lambda: field.add(x, y), count),
        "dot": rate(lambda: field.dot(x, y), count),
        "combine (3, -3, 1)": rate(lambda: field.combine([3, -3, 1], [x, y, x]), count),
        "multiply and share (3, 1)": rate(
            lambda: field.multiply_and_share(x, y, coefficients=[x], parties=3), count
        ),
        "inverses": rate(lambda: field.inverses(x), count),
        f"matrix product of {SIDE}": rate(lambda: field.matrix_product(matrix, matrix, inner=SIDE), SIDE**3),
        "square roots": rate(lambda: field.square_roots(squares), count),
        "from random bytes": rate(lambda: field.from_random_bytes(data), count),
        "from bytes, checked": rate(lambda: field.from_bytes(wire, count), count),
        "from small": rate(lambda: field.from_small(small), count),
        "to small": rate(lambda: field.to_small(vector), count),
        "32 bits": rate(lambda: field.bits(x, 32), count),
    }


def measure(field: PrimeField, count: int) -> dict[str, dict[str, float]]:
    """The rates of one field: by loops and libraries, then by kernel sets."""
    results = {"gmpy2": gmpy2_rates(field, count)}
    if find_spec("galois"):
        results["galois"] = galois_rates(field, count)
    for kernels in (PORTABLE, IFMA) if dispatch.has_ifma() else (PORTABLE,):
        results[kernels] = kernel_rates(field, kernels, count)
    return results


def show(results: dict[str, dict[str, float]]) -> None:
    """One table: a line for each operation, the rates, and the ratios of the kernel sets to the gmpy2 loop."""
    base = results["gmpy2"]
    for name in results[PORTABLE]:
        cells = [f"{rates[name]:.2f} {who}" if name in rates else "" for who, rates in results.items()]
        ratios = [
            f"{results[k][name] / base[name]:.0f}x" for k in (PORTABLE, IFMA) if k in results and name in base
        ]
        print(f"  {name:26}" + "".join(f"{cell:>18}" for cell in cells) + "   " + " ".join(ratios))


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--count", type=int, default=4096, help="elements in a vector")
    parser.add_argument("--field", nargs="+", choices=FIELDS, default=list(FIELDS), help="which fields")
    options = parser.parse_args()
    report = {name: measure(FIELDS[name], options.count) for name in options.field}
    if options.json:
        print(json.dumps({"unit": "M elements per CPU second", "count": options.count, "rates": report}))
        return
    print(f"M elements per CPU second, vectors of {options.count} (times the gmpy2 loop)")
    for name, results in report.items():
        print(name)
        show(results)


if __name__ == "__main__":
    main()
