"""The prover: zero-knowledge by two random scalars, r and s of Groth (2016), section 3.2.

The quotient (A B - C) / Z is never computed: its product with Z is known on a coset where Z is constant, and the key
has points for its Lagrange basis there. Duration and memory accesses depend on the witness (see `msm`).
"""

from __future__ import annotations

from collections.abc import Callable

from quorate.protocol.curve import BN254_G1
from quorate.protocol.field import BN254, Vector
from quorate.protocol.proof.errors import Mismatch
from quorate.protocol.proof.msm import canonical_words, combine, sum_of_multiples
from quorate.protocol.proof.ntt import domain, root_of_unity
from quorate.protocol.proof.points import G1, G2

from .keys import Proof, ProvingKey


def prove(key: ProvingKey, witness: Vector, randomness: Callable[[int], bytes]) -> Proof:
    """A proof that the public part of the witness has a private part that fulfils the constraints.

    `randomness` gives uniform bytes and must be secret: r and s hide the witness. A witness that breaks a constraint
    gives a proof that does not verify (see `ConstraintSystem.check`). Raises Mismatch for a witness of another
    length.
    """
    if witness.shape != (key.wires, BN254.limbs):
        raise Mismatch(f"a witness of {len(witness)} values for a key of {key.wires} wires")
    scalars = canonical_words(witness)
    r, s = BN254_G1.random_scalar(randomness), BN254_G1.random_scalar(randomness)
    verification, first_private = key.verification, key.verification.public_count + 1
    sum_a = sum_of_multiples(G1, key.a, scalars)
    sum_b = sum_of_multiples(G2, key.b2, scalars)
    sum_b1 = sum_of_multiples(G1, key.b1, scalars)
    private = sum_of_multiples(G1, key.c, scalars[first_private:])
    quotient = sum_of_multiples(G1, key.h, canonical_words(quotient_values(key, witness)))
    a = combine(G1, [sum_a, verification.alpha, key.delta1], [1, 1, r])
    b = combine(G2, [sum_b, verification.beta, verification.delta], [1, 1, s])
    b1 = combine(G1, [sum_b1, key.beta1, key.delta1], [1, 1, s])
    c = combine(G1, [private, quotient, a, b1, key.delta1], [1, 1, s, r, -r * s])
    return Proof(a, b, c)


def quotient_values(key: ProvingKey, witness: Vector) -> Vector:
    """A(x) B(x) - C(x) on the coset of odd powers of a root of twice the order, in natural order.

    C(x) interpolates the products of the values of A and B, as the third matrix would for a right witness.
    """
    place, shift = domain(key.log_size), root_of_unity(key.log_size + 1)
    left, right = (m.times(witness, place.size, places=place.order) for m in (key.matrix_a, key.matrix_b))
    values = (left, right, BN254.mul(left, right))
    a, b, c = (place.bitwise_evaluate(place.bitwise_interpolate(value), shift) for value in values)
    return BN254.sub(BN254.mul(a, b), c)[place.order]
