"""Print the published vectors of sharing and opening, as JSON; the output is kept in shamir.json beside this."""

from __future__ import annotations

import json
import sys

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617
CASES = [
    # parties, threshold, secret, coefficients of x, x^2, ...
    (3, 1, 0, [1]),
    (3, 1, 5, [7]),
    (3, 1, MODULUS - 1, [MODULUS - 1]),
    (4, 1, 2**63, [2**200]),
    (5, 2, MODULUS - 2**63, [11, MODULUS // 2]),
    (7, 3, 123456789, [2**253 % MODULUS, 3, MODULUS - 5]),
    (16, 5, 42, [10**30, 10**40, 10**50, 10**60, 10**70]),
]


def evaluate(coefficients: list[int], point: int) -> int:
    return sum(value * point**exponent for exponent, value in enumerate(coefficients)) % MODULUS


def limbs(value: int) -> str:
    """The wire form of an element: little-endian bytes of value * 2^256 mod p."""
    return (value * 2**256 % MODULUS).to_bytes(32, "little").hex()


def case(parties: int, threshold: int, secret: int, coefficients: list[int]) -> dict[str, object]:
    shares = [evaluate([secret, *coefficients], point) for point in range(1, parties + 1)]
    return {
        "parties": parties,
        "threshold": threshold,
        "secret": str(secret),
        "coefficients": [str(value) for value in coefficients],
        "shares": [str(value) for value in shares],
        "messages": [limbs(value) for value in shares],
    }


if __name__ == "__main__":
    document = {
        "description": "Shamir shares at the points 1..n, and what each party sends to open them",
        "modulus": str(MODULUS),
        "cases": [case(*entry) for entry in CASES],
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")
