"""What Groth16 exchanges: proving keys, verification keys and proofs.

J. Groth, "On the size of pairing-based non-interactive arguments" (2016), section 3.2. Points are affine arrays (see
`points`); names are those of the paper.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorate.protocol.proof.errors import Mismatch
from quorate.protocol.proof.points import G1, G2, Points
from quorate.protocol.proof.r1cs import Matrix


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """[alpha]_1, [beta]_2, [gamma]_2, [delta]_2, and a point of G1 for 1 and each public value.

    `test_only` says that whoever made the key could have kept its trapdoor, and with it prove falsehoods.
    """

    alpha: Points
    beta: Points
    gamma: Points
    delta: Points
    public: Points
    test_only: bool = False

    @property
    def public_count(self) -> int:
        """The number of public values, without the leading 1."""
        return len(self.public) - 1

    def check(self) -> None:
        """Demand elements of the groups; raises MalformedPoint otherwise, and Mismatch for no public points."""
        if not len(self.public):
            raise Mismatch("a verification key without a point for the constant 1")
        G1.check(self.alpha, "alpha", infinity=False)
        G1.check(self.public, "public")
        for name, points in (("beta", self.beta), ("gamma", self.gamma), ("delta", self.delta)):
            G2.check(points, name, infinity=False)


@dataclass(frozen=True, slots=True)
class ProvingKey:
    """All that a prover needs: the points of the paper, and the matrices A and B with the rows of public values.

    For each wire: `a` [A]_1, `b1` [B]_1, `b2` [B]_2; for each private wire `c`. `h` (2^log_size): the points of the
    Lagrange basis of the coset that the odd powers of a root of order 2^(log_size + 1) make, times the vanishing
    polynomial over delta.
    """

    log_size: int
    matrix_a: Matrix
    matrix_b: Matrix
    verification: VerificationKey
    beta1: Points
    delta1: Points
    a: Points
    b1: Points
    b2: Points
    c: Points
    h: Points

    def __post_init__(self) -> None:
        wires, public = len(self.a), self.verification.public_count
        lengths = (len(self.b1), len(self.b2), len(self.c), len(self.h))
        if lengths != (wires, wires, wires - public - 1, 1 << self.log_size):
            raise Mismatch(f"a proving key for {wires} wires with points for {lengths}")

    @property
    def wires(self) -> int:
        """The length of a witness."""
        return len(self.a)

    def check(self) -> None:
        """Demand elements of the groups; raises MalformedPoint otherwise. Some 0.2 ms a wire, once a key."""
        self.verification.check()
        names = {"beta1": self.beta1, "delta1": self.delta1, "A": self.a, "B1": self.b1, "C": self.c, "H": self.h}
        for name, points in names.items():
            G1.check(points, name)
        G2.check(self.b2, "B2")


@dataclass(frozen=True, slots=True)
class Proof:
    """A and C in G1, B in G2: one point each."""

    a: Points
    b: Points
    c: Points

    def check(self) -> None:
        """Demand elements of the groups other than infinity, for A and B; raises MalformedPoint otherwise."""
        G1.check(self.a, "A", infinity=False)
        G2.check(self.b, "B", infinity=False)
        G1.check(self.c, "C")
