"""Seconds of CPU to set up, prove and verify with Groth16, one thread.

    python tests/bench/groth16.py [--json] [--sizes N ...]

The statement is a chain of squarings of that many constraints. Where py_ecc is installed, its time for one sum of
multiples of 20 points, scaled to the points of the proof, gives a ratio in the same run: no prover uses py_ecc, but
its formulas are those that a prover in plain Python would run.
"""

from __future__ import annotations

import argparse
import json
import random
from importlib import import_module
from importlib.util import find_spec
from time import thread_time

from quorate.protocol.field import BN254
from quorate.protocol.proof.constraints import Builder
from quorate.protocol.proof.groth16 import insecure_test_setup, prove, verify

SAMPLE = 20


def chain(constraints: int, start: int) -> Builder:
    """start^(2^constraints), with full-size values in all wires."""
    builder, value = Builder(), start
    for _ in range(constraints):
        value = value * value % BN254.modulus
    result = builder.public(value)
    wire = builder.private(start)
    for _ in range(constraints - 1):
        wire = builder.multiply(wire, wire)
    builder.constrain(wire, wire, result)
    return builder


def py_ecc_second_per_point(draw: random.Random) -> float:
    """CPU seconds for one multiple of a point of G1 and its addition to a sum."""
    oracle = import_module("py_ecc.optimized_bn128")
    begin, total = thread_time(), oracle.Z1
    for _ in range(SAMPLE):
        total = oracle.add(total, oracle.multiply(oracle.G1, draw.randrange(BN254.modulus)))
    return (thread_time() - begin) / SAMPLE


def measure(constraints: int) -> dict[str, float]:
    """The seconds of each step, the best of three for proofs."""
    draw = random.Random(constraints)
    builder = chain(constraints, draw.randrange(BN254.modulus))
    begin = thread_time()
    key = insecure_test_setup(builder.system(), draw.randbytes)
    figures = {"constraints": constraints, "set-up": thread_time() - begin, "prove": float("inf")}
    for _ in range(3):
        begin = thread_time()
        proof = prove(key, builder.witness, draw.randbytes)
        figures["prove"] = min(figures["prove"], thread_time() - begin)
    for _ in range(2):  # the first call makes the lines of the key
        begin = thread_time()
        assert verify(key.verification, builder.public_values, proof)
        figures["verify"] = thread_time() - begin
    if find_spec("py_ecc"):
        points = 3 * key.wires + len(key.h)  # G1 only: G2 would add to it
        figures["times faster than sums by py_ecc"] = points * py_ecc_second_per_point(draw) / figures["prove"]
    return figures


def main() -> None:
    """Print a line for each size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10000])
    arguments = parser.parse_args()
    measure(10)  # compiles or loads the kernels
    for size in arguments.sizes:
        figures = measure(size)
        print(json.dumps(figures) if arguments.json else "  ".join(f"{k} {v:.4g}" for k, v in figures.items()))


if __name__ == "__main__":
    main()
