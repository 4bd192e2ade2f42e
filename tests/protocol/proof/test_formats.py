"""The files of circom and snarkjs: round trips, and everything hostile that must be refused."""

from __future__ import annotations

import dataclasses
import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.field import BN254
from quorate.protocol.proof import formats
from quorate.protocol.proof.constraints import Builder
from quorate.protocol.proof.errors import MalformedFile, MalformedPoint, ProofError
from quorate.protocol.proof.groth16 import ProvingKey, insecure_test_setup, prove, verify

R = BN254.modulus
READERS = (
    formats.read_r1cs,
    formats.read_witness,
    formats.read_zkey,
    formats.read_proof,
    formats.read_public,
    formats.read_verification_key,
)


def product() -> Builder:
    builder = Builder()
    out = builder.public(35)
    builder.constrain(builder.private(5) * 2 + 4, builder.private(7) - R // 3, out + 63 - R // 3 * 14)
    return builder


@pytest.fixture(scope="module")
def key() -> ProvingKey:
    return insecure_test_setup(product().system(), random.Random(1).randbytes)


@pytest.fixture(scope="module")
def zkey(key: ProvingKey) -> bytes:
    return formats.write_zkey(key)


def same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray):
        return bool(np.array_equal(left, np.asarray(right)))
    if dataclasses.is_dataclass(left):
        return all(same(getattr(left, f.name), getattr(right, f.name)) for f in dataclasses.fields(left))
    return left == right


def test_files_round_trip(key: ProvingKey, zkey: bytes) -> None:
    system, witness = product().system(), product().witness
    system.check(witness)
    assert same(formats.read_r1cs(formats.write_r1cs(system)), system)
    assert same(formats.read_witness(formats.write_witness(witness)), witness)
    assert same(formats.read_zkey(zkey), key)
    assert same(formats.read_zkey(memoryview(zkey), check_points=False), key)
    assert same(
        formats.read_verification_key(formats.write_verification_key(key.verification).encode()), key.verification
    )


def test_a_proof_goes_through_files(key: ProvingKey, zkey: bytes) -> None:
    witness = formats.read_witness(formats.write_witness(product().witness))
    proof = prove(formats.read_zkey(zkey), witness, random.Random(2).randbytes)
    read = formats.read_proof(formats.write_proof(proof).encode())
    public = formats.read_public(formats.write_public(product().public_values).encode())
    assert same(read, proof)
    assert verify(
        formats.read_verification_key(formats.write_verification_key(key.verification).encode()), public, read
    )


def test_a_proof_by_snarkjs_verifies(key: ProvingKey) -> None:
    """snarkjs 0.7.6 made it once from the files that `write_zkey` and `write_witness` give here."""
    vector = json.loads(Path(__file__).with_name("snarkjs_proof.json").read_text())
    shown = {name: json.dumps(value).encode() for name, value in vector.items()}
    proof, public = formats.read_proof(shown["proof"]), formats.read_public(shown["public"])
    exported = formats.read_verification_key(shown["verification_key"])
    assert same(dataclasses.replace(exported, test_only=True), key.verification)
    assert verify(exported, public, proof)
    assert not verify(exported, [public[0] + 1], proof)


def test_test_keys_say_so(key: ProvingKey, zkey: bytes) -> None:
    assert b"FOR TESTS ONLY" in zkey
    assert "prove falsehoods" in formats.write_verification_key(key.verification)
    honest = dataclasses.replace(key, verification=dataclasses.replace(key.verification, test_only=False))
    assert b"FOR TESTS ONLY" not in formats.write_zkey(honest)


@given(end=st.integers(0, 400))
@settings(max_examples=40, deadline=None)
def test_truncated_files_are_refused(zkey: bytes, end: int) -> None:
    for data, read in ((formats.write_r1cs(product().system()), formats.read_r1cs), (zkey, formats.read_zkey)):
        with pytest.raises(MalformedFile):
            read(data[: min(end, len(data) - 1)])
        with pytest.raises(MalformedFile, match="bytes after the last section"):
            read(data + bytes(end + 1))


@pytest.mark.parametrize("read", READERS)
@given(data=st.binary(max_size=100), magic=st.sampled_from([b"", b"r1cs", b"wtns", b"zkey", b"[", b"{"]))
@settings(max_examples=30, deadline=None)
def test_noise_is_refused(read: object, data: bytes, magic: bytes) -> None:
    with pytest.raises(ProofError):
        read(magic + data)  # type: ignore[operator]  # one of READERS


def patched(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) >= 1
    return data.replace(old, new, 1)


def test_values_not_below_the_prime_are_refused(zkey: bytes) -> None:
    top = b"\xff" * 32
    seven = (7).to_bytes(32, "little")
    with pytest.raises(MalformedFile, match="the witness: a field element is not below the prime"):
        formats.read_witness(patched(formats.write_witness(product().witness), seven, top))
    two = (2).to_bytes(32, "little")
    with pytest.raises(MalformedFile, match="a coefficient: a field element"):
        formats.read_r1cs(patched(formats.write_r1cs(product().system()), two, top))


def test_files_of_another_curve_are_refused(zkey: bytes) -> None:
    prime, other = R.to_bytes(32, "little"), (R + 2).to_bytes(32, "little")
    for data, read in (
        (formats.write_r1cs(product().system()), formats.read_r1cs),
        (formats.write_witness(product().witness), formats.read_witness),
        (zkey, formats.read_zkey),
    ):
        with pytest.raises(MalformedFile, match="another curve"):
            read(patched(data, prime, other))


def test_points_of_keys_are_checked(key: ProvingKey, zkey: bytes) -> None:
    moved = patched(zkey, key.h[1].tobytes(), key.h[1, 0].tobytes() + key.h[2, 1].tobytes())
    with pytest.raises(MalformedPoint, match=r"H\[1\]: not on the curve"):
        formats.read_zkey(moved)
    shown = json.loads(formats.write_verification_key(key.verification))
    shown["IC"][0][0] = "1"
    with pytest.raises(MalformedPoint, match=r"public\[0\]: not on the curve"):
        formats.read_verification_key(json.dumps(shown).encode())


def test_places_outside_are_refused(key: ProvingKey, zkey: bytes) -> None:
    count = len(key.matrix_a.rows) + len(key.matrix_b.rows)
    coefficients = zkey.index(struct.pack("<IQI", 4, 4 + 44 * count, count))
    for place in (0, 4, 8):
        at = coefficients + 12 + 4 + place
        with pytest.raises(MalformedFile, match="a coefficient outside"):
            formats.read_zkey(zkey[:at] + b"\xff\xff\xff\xff" + zkey[at + 4 :])


@pytest.mark.parametrize("number", ["1e3", "-1", "01", "0x1", " 1", "", "9" * 78, str(R)])
def test_odd_numbers_are_refused(number: str) -> None:
    with pytest.raises(MalformedFile):
        formats.read_public(json.dumps([number]).encode())
    with pytest.raises(MalformedFile):
        formats.read_public(json.dumps([1]).encode())
