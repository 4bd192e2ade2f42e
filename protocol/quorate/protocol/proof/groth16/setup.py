"""A key for development: whoever runs this could keep the trapdoor and prove falsehoods.

A production key needs a ceremony of many parties, of which one must be honest [S. Bowe, A. Gabizon, I. Miers,
"Scalable multi-party computation for zk-SNARK parameters in the random beacon model", 2017]; such keys come from
snarkjs as .zkey files. The trapdoor is tau, alpha, beta, gamma, delta of Groth (2016), section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from quorate.protocol.curve import BN254_G1
from quorate.protocol.field import BN254, Vector
from quorate.protocol.proof.errors import Mismatch
from quorate.protocol.proof.msm import canonical_words, fixed_multiples, scalar_words
from quorate.protocol.proof.ntt import MAX_LOG_SIZE, root_of_unity, successive_powers
from quorate.protocol.proof.points import G1, G2, PointGroup, Points
from quorate.protocol.proof.r1cs import ConstraintSystem, Matrix

from .keys import ProvingKey, VerificationKey


def insecure_test_setup(system: ConstraintSystem, randomness: Callable[[int], bytes]) -> ProvingKey:
    """A proving key whose trapdoor came from `randomness`: FOR TESTS AND DEVELOPMENT ONLY.

    Its verification key is marked `test_only`. Raises Mismatch for a system beyond the largest domain.
    """
    tau, alpha, beta, gamma, delta = (BN254_G1.random_scalar(randomness) or 1 for _ in range(5))
    log_size = domain_for(system)
    values_a, values_b, values_c = _columns(system, lagrange_values(log_size, tau))
    sums = BN254.add(BN254.add(BN254.scale(values_a, beta), BN254.scale(values_b, alpha)), values_c)
    split = system.public + 1
    public = BN254.scale(sums[:split], BN254.inverse(gamma))
    private = BN254.scale(sums[split:], BN254.inverse(delta))
    # Each even place of the larger domain is a place of the domain itself, where the quotient times Z vanishes.
    quotient = BN254.scale(lagrange_values(log_size + 1, tau)[1::2], BN254.inverse(delta))
    verification = VerificationKey(
        alpha=_single(G1, alpha),
        beta=_single(G2, beta),
        gamma=_single(G2, gamma),
        delta=_single(G2, delta),
        public=_points(G1, public),
        test_only=True,
    )
    return ProvingKey(
        log_size=log_size,
        matrix_a=with_public_rows(system),
        matrix_b=system.b,
        verification=verification,
        beta1=_single(G1, beta),
        delta1=_single(G1, delta),
        a=_points(G1, values_a),
        b1=_points(G1, values_b),
        b2=_points(G2, values_b),
        c=_points(G1, private),
        h=_points(G1, quotient),
    )


def domain_for(system: ConstraintSystem) -> int:
    """The log of the size of the domain: it has room for the constraints and a row for 1 and each public value."""
    rows = system.constraints + system.public + 1
    log_size = max((rows - 1).bit_length(), 1)
    if log_size >= MAX_LOG_SIZE:
        raise Mismatch(f"{rows} rows of constraints: a domain holds at most 2^{MAX_LOG_SIZE - 1}")
    return log_size


def with_public_rows(system: ConstraintSystem) -> Matrix:
    """A with a row (value) for 1 and each public value after the constraints: it makes their points independent."""
    extra = np.arange(system.public + 1, dtype=np.int64)
    return Matrix(
        rows=np.concatenate([system.a.rows, system.constraints + extra]),
        columns=np.concatenate([system.a.columns, extra]),
        values=np.concatenate([system.a.values, BN254.full(len(extra), 1)]),
    )


def lagrange_values(log_size: int, point: int) -> Vector:
    """The values at a point outside the domain of its Lagrange polynomials: w^i (x^n - 1) / (n (x - w^i))."""
    size = 1 << log_size
    powers = successive_powers(root_of_unity(log_size), size)
    factor = (BN254.power(point, size) - 1) * BN254.inverse(size)
    differences = BN254.add_constant(BN254.neg(powers), point)
    return BN254.scale(BN254.mul(powers, BN254.inverses(differences)), factor)


def _columns(system: ConstraintSystem, lagrange: Vector) -> list[Vector]:
    """The values at tau of the polynomials of each wire: the transposed matrices times the Lagrange values."""
    matrices = (with_public_rows(system), system.b, system.c)
    return [Matrix(m.columns, m.rows, m.values).times(lagrange, system.wires) for m in matrices]


def _points(group: PointGroup, scalars: Vector) -> Points:
    return fixed_multiples(group, group.generator, canonical_words(scalars))


def _single(group: PointGroup, scalar: int) -> Points:
    return fixed_multiples(group, group.generator, scalar_words([scalar]))
