"""Groth16 end to end: completeness, zero-knowledge's randomness, and everything that must be refused."""

from __future__ import annotations

import dataclasses
import random

import numpy as np
import pytest

from quorate.protocol.field import BN254
from quorate.protocol.proof import pairing
from quorate.protocol.proof.constraints import Builder
from quorate.protocol.proof.errors import MalformedPoint, Mismatch, UnsatisfiedConstraint
from quorate.protocol.proof.groth16 import Proof, ProvingKey, insecure_test_setup, prove, verify, verify_all
from quorate.protocol.proof.groth16.setup import lagrange_values
from quorate.protocol.proof.msm import combine
from quorate.protocol.proof.ntt import root_of_unity
from quorate.protocol.proof.points import G1, G2

R = BN254.modulus


def cubic(x: int, result: int) -> Builder:
    """x^3 + x + 5 = result, with a secret x of 8 bits."""
    builder = Builder()
    out = builder.public(result)
    secret = builder.private(x)
    builder.range(secret, 8)
    cube = builder.multiply(builder.multiply(secret, secret), secret)
    builder.equal(cube + secret + 5, out)
    return builder


@pytest.fixture(scope="module")
def key() -> ProvingKey:
    return insecure_test_setup(cubic(3, 35).system(), random.Random(1).randbytes)


@pytest.fixture(scope="module")
def proof(key: ProvingKey) -> Proof:
    return prove(key, cubic(3, 35).witness, random.Random(2).randbytes)


def test_pairings_agree_with_py_ecc() -> None:
    oracle = pytest.importorskip("py_ecc.bn128")
    found = pairing.pairing_product([((1, 2), G2.integers(G2.generator)[0])])
    assert [int(c) for c in found] == [int(c) for c in oracle.pairing(oracle.G2, oracle.G1).coeffs]


def test_pairings_are_bilinear() -> None:
    def pair(a: int, b: int) -> pairing.Extension:
        left, right = combine(G1, [G1.generator], [a]), combine(G2, [G2.generator], [b])
        return pairing.pairing_product([(G1.integers(left)[0], G2.integers(right)[0])])

    assert pair(6, 35) == pair(10, 21) == pairing.power(pair(1, 1), 210)
    assert pair(0, 5) == pair(5, 0) == pairing.ONE != pair(1, 1)
    assert pairing.power(pair(1, 1), R) == pairing.ONE
    with pytest.raises(ValueError, match="of G1, then one of G2"):
        pairing.miller([((1, 2), (1, 2))])


def test_lagrange_values_interpolate() -> None:
    values = BN254.integers(lagrange_values(3, 77))
    for degree in (0, 1, 7):
        powers = [pow(root_of_unity(3), place * degree, R) for place in range(8)]
        assert sum(a * b for a, b in zip(values, powers, strict=True)) % R == pow(77, degree, R)


def test_a_proof_verifies(key: ProvingKey, proof: Proof) -> None:
    key.check()
    assert key.verification.test_only
    assert verify(key.verification, [35], proof)
    assert verify(
        key.verification,
        cubic(5, 135).public_values,
        prove(key, cubic(5, 135).witness, random.Random(3).randbytes),
    )


def test_another_statement_does_not(key: ProvingKey, proof: Proof) -> None:
    assert not verify(key.verification, [36], proof)
    assert not verify(key.verification, [35 + R], proof)
    assert not verify(key.verification, [35 - R], proof)
    with pytest.raises(Mismatch, match="2 public values for a key of 1"):
        verify(key.verification, [35, 1], proof)


@pytest.mark.parametrize("values", [(4, 35), (R - 3, R - 25), (256, (256**3 + 261) % R)])
def test_wrong_witnesses_give_no_proof(key: ProvingKey, values: tuple[int, int]) -> None:
    builder = cubic(*values)
    with pytest.raises(UnsatisfiedConstraint):
        builder.system().check(builder.witness)
    wrong = prove(key, builder.witness, random.Random(4).randbytes)
    assert not verify(key.verification, builder.public_values, wrong)


def test_right_witnesses_pass() -> None:
    cubic(3, 35).system().check(cubic(3, 35).witness)
    with pytest.raises(UnsatisfiedConstraint, match=r"constraint 11$"):
        cubic(3, 36).system().check(cubic(3, 36).witness)
    with pytest.raises(Mismatch, match="first value is not 1"):
        cubic(3, 35).system().check(BN254.scale(cubic(3, 35).witness, 2))


def test_proofs_of_one_witness_differ(key: ProvingKey, proof: Proof) -> None:
    other = prove(key, cubic(3, 35).witness, random.Random(5).randbytes)
    assert verify(key.verification, [35], other)
    assert all((getattr(other, name) != getattr(proof, name)).any() for name in ("a", "b", "c"))


def test_changed_proofs_do_not_verify(key: ProvingKey, proof: Proof) -> None:
    for name, group in (("a", G1), ("b", G2), ("c", G1)):
        moved = combine(group, [getattr(proof, name), group.generator], [1, 1])
        assert not verify(key.verification, [35], dataclasses.replace(proof, **{name: moved}))
        broken = getattr(proof, name).copy()
        broken.reshape(-1, 4)[0, 0] ^= np.uint64(1)
        assert not verify(key.verification, [35], dataclasses.replace(proof, **{name: broken}))
        nothing = np.zeros_like(broken)
        assert not verify(key.verification, [35], dataclasses.replace(proof, **{name: nothing}))


def test_proofs_are_malleable(key: ProvingKey, proof: Proof) -> None:
    """What `verify` says of its limits: a factor moves from B to A."""
    moved = Proof(combine(G1, [proof.a], [pow(7, -1, R)]), combine(G2, [proof.b], [7]), proof.c)
    assert verify(key.verification, [35], moved)


def test_batches(key: ProvingKey, proof: Proof) -> None:
    other = prove(key, cubic(5, 135).witness, random.Random(6).randbytes)
    good = [([35], proof), ([135], other)]
    draw = random.Random(7).randbytes
    assert verify_all(key.verification, good, draw)
    assert verify_all(key.verification, [], draw)
    assert not verify_all(key.verification, [*good, ([36], proof)], draw)
    assert not verify_all(key.verification, [([135], proof), ([35], other)], draw)
    with pytest.raises(ValueError, match="at most 4096"):
        verify_all(key.verification, good * 2049, draw)


def test_keys_with_wrong_points_are_refused(key: ProvingKey) -> None:
    bad = key.h.copy()
    bad[1, 0] = bad[2, 0]
    with pytest.raises(MalformedPoint, match=r"H\[1\]: not on the curve"):
        dataclasses.replace(key, h=bad).check()
    nothing = np.zeros_like(key.verification.delta)
    with pytest.raises(MalformedPoint, match=r"delta\[0\]: infinity"):
        dataclasses.replace(key.verification, delta=nothing).check()
    with pytest.raises(Mismatch, match="a proving key for"):
        dataclasses.replace(key, c=key.c[1:])
    with pytest.raises(Mismatch, match="a witness of 2 values"):
        prove(key, BN254.zeros(2), random.Random(8).randbytes)


def test_builders_have_bounds_and_keep_secrets() -> None:
    builder = Builder()
    secret = builder.private(123456789)
    assert "123456789" not in repr(secret)
    with pytest.raises(ValueError, match="public values come before"):
        builder.public(1)
    for bits in (0, 254):
        with pytest.raises(ValueError, match=f"range of {bits} bits"):
            builder.range(secret, bits)
    assert (3 * secret - 2 + secret * 2).value == 5 * 123456789 - 2
    assert (1 - secret).value == R - 123456788
