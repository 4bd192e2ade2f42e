"""The .wtns files of circom: section 1 the prime and the number of values, section 2 the values, canonical."""

from __future__ import annotations

import struct

import numpy as np

from quorate.protocol.field import BN254, Vector
from quorate.protocol.proof.msm import canonical_words
from quorate.protocol.proof.r1cs import MAX_WIRES

from .sections import FIELD_BYTES, SectionFile, pack_sections, prime_bytes


def read_witness(data: bytes | memoryview) -> Vector:
    """The witness in a file, (wires, 4); raises MalformedFile for anything else, and never quotes a value."""
    file = SectionFile(data, magic=b"wtns", versions=(1, 2))
    header = file.section(1)
    (count,) = file.unpack("I", header, file.demand_prime(header, 0, BN254))
    if not 1 <= count <= MAX_WIRES:
        raise file.fault(f"{count} values; 1 to {MAX_WIRES} are taken")
    values = file.section(2, count * FIELD_BYTES)
    return file.integers(np.frombuffer(values, dtype="<u8").reshape(-1, 4), "the witness")


def write_witness(witness: Vector) -> bytes:
    """A file with a witness."""
    header = prime_bytes(BN254) + struct.pack("<I", len(witness))
    return pack_sections(b"wtns", 2, {1: header, 2: canonical_words(witness).tobytes()})
