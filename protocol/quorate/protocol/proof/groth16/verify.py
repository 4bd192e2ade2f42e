"""The verifier: e(A, B) = e(alpha, beta) e(sum of public values, gamma) e(C, delta) [Groth 2016, section 3.2].

A valid proof says that its maker knew a witness, in the generic group model, if the trapdoor of the key is unknown.
It is malleable: from a valid (A, B, C) anyone makes (A / k, k B, C) for any k, and, with delta, shifts B by a multiple
of it. So a proof is no identifier: whoever must use it once marks the statement, a nullifier say, and not the proof.
Public values must be below r, so that one statement has one form.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import BN254
from quorate.protocol.proof import pairing
from quorate.protocol.proof.errors import MalformedPoint, Mismatch
from quorate.protocol.proof.msm import combine, scalar_words, sum_of_multiples
from quorate.protocol.proof.points import G1, G2, Affine, PointGroup, Points

from .keys import Proof, VerificationKey

WEIGHT_BYTES: Final = 16
"""The random weight of a proof in a batch: a batch with a wrong proof passes with probability 2^-128 at most."""
MAX_BATCH: Final = 1 << 12
"""The most proofs of one batch."""


def verify(key: VerificationKey, public: Sequence[int], proof: Proof) -> bool:
    """Whether a proof from outside shows a statement; the key must have passed its `check`.

    False also for points outside the groups and public values that are negative or not below r. Raises Mismatch for
    another number of public values than the key has.
    """
    if not _acceptable(key, public, proof):
        return False
    total = sum_of_multiples(G1, key.public, scalar_words([1, *public]))
    pairs = [
        (_affine(G1, combine(G1, [proof.a], [-1])), _affine(G2, proof.b)),
        (_affine(G1, key.alpha), _affine(G2, key.beta)),
        (_affine(G1, total), _affine(G2, key.gamma)),
        (_affine(G1, proof.c), _affine(G2, key.delta)),
    ]
    return pairing.pairing_product(pairs) == pairing.ONE


def verify_all(
    key: VerificationKey, statements: Sequence[tuple[Sequence[int], Proof]], randomness: Callable[[int], bytes]
) -> bool:
    """Whether all proofs of a batch verify, for one Miller loop each and three more.

    The equations are added up with weights from `randomness`, which those who made the proofs must not foresee. Raises
    ValueError for too long a batch, Mismatch as `verify` does.
    """
    if len(statements) > MAX_BATCH:
        raise ValueError(f"{len(statements)} proofs: a batch has at most {MAX_BATCH}")
    acceptable = [_acceptable(key, public, proof) for public, proof in statements]
    if not all(acceptable):
        return False
    weights = [int.from_bytes(randomness(WEIGHT_BYTES), "big") | 1 << (8 * WEIGHT_BYTES) for _ in statements]
    pairs: list[tuple[Affine, Affine]] = []
    values = [0] * len(key.public)
    for weight, (public, proof) in zip(weights, statements, strict=True):
        pairs.append((_affine(G1, combine(G1, [proof.a], [-weight])), _affine(G2, proof.b)))
        for place, value in enumerate((1, *public)):
            values[place] += weight * value
    if not pairs:
        return True
    last = combine(G1, [proof.c for _, proof in statements], weights)
    pairs.append((_affine(G1, combine(G1, [key.alpha], [sum(weights)])), _affine(G2, key.beta)))
    pairs.append((_affine(G1, sum_of_multiples(G1, key.public, scalar_words(values))), _affine(G2, key.gamma)))
    pairs.append((_affine(G1, last), _affine(G2, key.delta)))
    return pairing.pairing_product(pairs) == pairing.ONE


def _acceptable(key: VerificationKey, public: Sequence[int], proof: Proof) -> bool:
    if len(public) != key.public_count:
        raise Mismatch(f"{len(public)} public values for a key of {key.public_count}")
    if not all(0 <= value < BN254.modulus for value in public):
        return False
    try:
        proof.check()
    except MalformedPoint:
        return False
    return True


def _affine(group: PointGroup, points: Points) -> Affine:
    return group.integers(np.ascontiguousarray(points))[0]
