"""The .zkey files of snarkjs for Groth16.

Section 1: the proof system; 2: both primes, sizes, the single points; 3: the public points; 4: the entries of A and
B; 5 to 9: A, B in G1, B in G2, C, H; 10: contributions, which are not checked here: `snarkjs zkey verify` does.
Points are in Montgomery form, as in memory here. Coefficients are in Montgomery form twice over: times 2^512.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import BN254, BN254_BASE
from quorate.protocol.proof.groth16.keys import ProvingKey, VerificationKey
from quorate.protocol.proof.ntt import MAX_LOG_SIZE
from quorate.protocol.proof.points import G1, G2, PointGroup, Points
from quorate.protocol.proof.r1cs import MAX_TERMS, MAX_WIRES, Matrix

from .sections import SectionFile, enter_montgomery, pack_sections, prime_bytes

_GROTH16: Final = 1
_G1_BYTES: Final = 64
_ENTRY: Final = np.dtype([("matrix", "<u4"), ("row", "<u4"), ("column", "<u4"), ("value", "<u8", 4)])
_SINGLES: Final = ((G1, "alpha"), (G1, "beta1"), (G2, "beta"), (G2, "gamma"), (G1, "delta1"), (G2, "delta"))
_TEST_SECTION: Final = 0x54534554
"""A section of ours, which snarkjs skips: the key is for tests only."""


def read_zkey(data: bytes | memoryview, *, check_points: bool = True) -> ProvingKey:
    """The proving key of a file; raises MalformedFile, or MalformedPoint for a point outside its group.

    `check_points=False` is for a key that was checked before and is known by its hash.
    """
    file = SectionFile(data, magic=b"zkey", versions=(1,))
    if file.unpack("I", file.section(1))[0] != _GROTH16:
        raise file.fault("not a key for Groth16")
    header = file.section(2)
    place = file.demand_prime(header, file.demand_prime(header, 0, BN254_BASE), BN254)
    wires, public, size = file.unpack("III", header, place)
    log_size = size.bit_length() - 1
    if not 0 <= public < wires <= MAX_WIRES or size != 1 << max(log_size, 0) or log_size >= MAX_LOG_SIZE:
        raise file.fault(f"{wires} wires, {public} public values, a domain of {size}")
    singles: dict[str, Points] = {}
    place += 12
    for group, name in _SINGLES:
        end = place + group.width * _G1_BYTES
        singles[name] = _points(file, group, header[place:end], 1)
        place = end
    matrices = _matrices(file, wires, size)
    verification = VerificationKey(
        singles["alpha"],
        singles["beta"],
        singles["gamma"],
        singles["delta"],
        public=_points(file, G1, file.section(3), public + 1),
        test_only=_TEST_SECTION in file,
    )
    lengths = {5: wires, 6: wires, 8: wires - public - 1, 9: size}
    a, b1, c, h = (_points(file, G1, file.section(number), length) for number, length in lengths.items())
    b2 = _points(file, G2, file.section(7), wires)
    key = ProvingKey(log_size, *matrices, verification, singles["beta1"], singles["delta1"], a, b1, b2, c, h)
    if check_points:
        key.check()
    return key


def write_zkey(key: ProvingKey) -> bytes:
    """A file with a proving key, without contributions."""
    verification = key.verification
    points = {"alpha": verification.alpha, "beta1": key.beta1, "beta": verification.beta}
    points |= {"gamma": verification.gamma, "delta1": key.delta1, "delta": verification.delta}
    header = prime_bytes(BN254_BASE) + prime_bytes(BN254)
    header += struct.pack("<III", key.wires, verification.public_count, 1 << key.log_size)
    header += b"".join(points[name].tobytes() for _, name in _SINGLES)
    entries = np.concatenate([_entries(0, key.matrix_a), _entries(1, key.matrix_b)])
    sections = {
        1: struct.pack("<I", _GROTH16),
        2: header,
        3: verification.public.tobytes(),
        4: struct.pack("<I", len(entries)) + entries.tobytes(),
        5: key.a.tobytes(),
        6: key.b1.tobytes(),
        7: key.b2.tobytes(),
        8: key.c.tobytes(),
        9: key.h.tobytes(),
        10: bytes(64) + struct.pack("<I", 0),
    }
    if verification.test_only:
        sections[_TEST_SECTION] = b"FOR TESTS ONLY: the maker of this key could prove falsehoods with it"
    return pack_sections(b"zkey", 1, sections)


def _points(file: SectionFile, group: PointGroup, data: memoryview, count: int) -> Points:
    size = count * group.width * _G1_BYTES
    if len(data) != size:
        raise file.fault(f"{len(data)} bytes for {count} points of {group.name}, not {size}")
    return np.frombuffer(data, dtype="<u8").reshape(group.shape(count))


def _matrices(file: SectionFile, wires: int, rows: int) -> tuple[Matrix, Matrix]:
    section = file.section(4)
    (count,) = file.unpack("I", section)
    if count > 2 * MAX_TERMS or len(section) != 4 + count * _ENTRY.itemsize:
        raise file.fault(f"{len(section)} bytes for {count} coefficients")
    entries = np.frombuffer(section, dtype=_ENTRY, offset=4)
    if (entries["matrix"] > 1).any() or (entries["row"] >= rows).any() or (entries["column"] >= wires).any():
        raise file.fault("a coefficient outside the matrices")
    found = []
    for number in range(2):
        chosen = entries[entries["matrix"] == number]
        try:
            values = BN254.from_bytes(np.ascontiguousarray(chosen["value"]).tobytes(), len(chosen))
        except MalformedMessage:
            raise file.fault("a coefficient is not below the prime") from None
        places = (chosen["row"].astype(np.int64), chosen["column"].astype(np.int64))
        found.append(Matrix(*places, BN254.scale(values, BN254.inverse(1 << 256))))
    return found[0], found[1]


def _entries(number: int, matrix: Matrix) -> np.ndarray[tuple[int], np.dtype[np.void]]:
    entries = np.zeros(len(matrix.rows), dtype=_ENTRY)
    entries["matrix"], entries["row"], entries["column"] = number, matrix.rows, matrix.columns
    entries["value"] = enter_montgomery(matrix.values)
    return entries
