"""The .r1cs files of circom: section 1 a header, section 2 the constraints, section 3 labels, which are not read.

The header has the prime and the numbers of wires, public outputs, public inputs, private inputs (uint32), labels
(uint64) and constraints (uint32). A constraint is three linear combinations: a count, then wire and coefficient.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from quorate.protocol.field import BN254
from quorate.protocol.proof.errors import Mismatch
from quorate.protocol.proof.msm import canonical_words
from quorate.protocol.proof.r1cs import MAX_CONSTRAINTS, MAX_TERMS, MAX_WIRES, ConstraintSystem, Matrix

from .sections import SectionFile, pack_sections, prime_bytes

_TERM_WORDS: Final = 9
"""uint32 words of a term: the wire and a coefficient of 32 bytes."""


def read_r1cs(data: bytes | memoryview) -> ConstraintSystem:
    """The constraint system of a file; raises MalformedFile for anything else. Custom gates are not taken."""
    file = SectionFile(data, magic=b"r1cs", versions=(1,))
    header = file.section(1)
    place = file.demand_prime(header, 0, BN254)
    wires, outputs, inputs, _, _, constraints = file.unpack("IIIIQI", header, place)
    if wires > MAX_WIRES or constraints > MAX_CONSTRAINTS:
        raise file.fault(f"{wires} wires and {constraints} constraints; at most {MAX_WIRES} and {MAX_CONSTRAINTS}")
    section = file.section(2)
    if len(section) % 4:
        raise file.fault("the constraints are not whole words")
    words = np.frombuffer(section, dtype="<u4")
    matrices = [_matrix(file, words, *side) for side in _sides(file, words, constraints)]
    try:
        return ConstraintSystem(wires, outputs + inputs, constraints, *matrices)
    except Mismatch as error:
        raise file.fault(error.reason) from None


def _sides(file: SectionFile, words: NDArray[np.uint32], constraints: int) -> list[tuple[list[int], list[int]]]:
    """For A, B and C: where the terms of each constraint start, and how many they are."""
    sides: list[tuple[list[int], list[int]]] = [([], []), ([], []), ([], [])]
    place, end = 0, len(words)
    for _ in range(constraints):
        for starts, counts in sides:
            if place >= end:
                raise file.fault("the constraints are truncated")
            count = int(words[place])
            starts.append(place + 1)
            counts.append(count)
            place += 1 + count * _TERM_WORDS
    if place != end:
        raise file.fault("the constraints do not fill their section")
    if max(sum(counts) for _, counts in sides) > MAX_TERMS:
        raise file.fault(f"a matrix has more than {MAX_TERMS} terms")
    return sides


def _matrix(file: SectionFile, words: NDArray[np.uint32], starts: list[int], counts: list[int]) -> Matrix:
    sizes = np.array(counts, dtype=np.int64)
    rows = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    first = np.cumsum(sizes) - sizes
    within = np.arange(len(rows), dtype=np.int64) - first[rows]
    places = np.array(starts, dtype=np.int64)[rows] + within * _TERM_WORDS
    columns = words[places].astype(np.int64)
    coefficients = np.ascontiguousarray(words[places[:, np.newaxis] + np.arange(1, _TERM_WORDS)])
    return Matrix(rows, columns, file.integers(coefficients.view(np.uint64), "a coefficient"))


def write_r1cs(system: ConstraintSystem) -> bytes:
    """A file with a constraint system; all public values count as inputs."""
    numbers = (system.wires, 0, system.public, system.wires - system.public - 1, system.wires, system.constraints)
    header = prime_bytes(BN254) + struct.pack("<IIIIQI", *numbers)
    sides = [_terms(matrix, system.constraints) for matrix in (system.a, system.b, system.c)]
    body = b"".join(
        struct.pack("<I", len(terms)) + b"".join(terms) for row in zip(*sides, strict=True) for terms in row
    )
    labels = np.arange(system.wires, dtype="<u8").tobytes()
    return pack_sections(b"r1cs", 1, {2: body, 1: header, 3: labels})


def _terms(matrix: Matrix, constraints: int) -> list[list[bytes]]:
    """The terms of each constraint, as bytes."""
    values = canonical_words(matrix.values).tobytes()
    terms: list[list[bytes]] = [[] for _ in range(constraints)]
    for number, (row, column) in enumerate(zip(matrix.rows.tolist(), matrix.columns.tolist(), strict=True)):
        terms[row].append(struct.pack("<I", column) + values[32 * number : 32 * number + 32])
    return terms
