"""The container of circom's and snarkjs's binary files: a magic word, a version, numbered sections.

Little-endian: 4 bytes of magic, uint32 version, uint32 number of sections; for each, uint32 type, uint64 size, bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import BN254, PrimeField, Vector
from quorate.protocol.field.constants import Words
from quorate.protocol.proof.errors import MalformedFile

MAX_SECTIONS: Final = 32
"""The most sections of a file; snarkjs writes at most 15."""
MAX_FILE_BYTES: Final = 1 << 33
"""The largest file."""
_HEAD: Final = struct.Struct("<4sII")
_SECTION: Final = struct.Struct("<IQ")
FIELD_BYTES: Final = 32


class SectionFile:
    """The sections of a file in memory, or in a memory map: nothing is copied before it is asked for."""

    def __init__(self, data: bytes | memoryview, *, magic: bytes, versions: tuple[int, ...]) -> None:
        """Raises MalformedFile for another magic or version, or sections that repeat or leave the file."""
        self.name = f".{magic.decode()} file"
        view = memoryview(data).cast("B")
        if not _HEAD.size <= len(view) <= MAX_FILE_BYTES:
            raise self.fault(f"{len(view)} bytes")
        found, version, count = _HEAD.unpack_from(view)
        if found != magic or version not in versions:
            raise self.fault(f"magic {found!r}, version {version}")
        if count > MAX_SECTIONS:
            raise self.fault(f"{count} sections; at most {MAX_SECTIONS} are taken")
        self._sections: dict[int, memoryview] = {}
        place = _HEAD.size
        for _ in range(count):
            if place + _SECTION.size > len(view):
                raise self.fault("truncated before the head of a section")
            number, size = _SECTION.unpack_from(view, place)
            place += _SECTION.size
            if size > len(view) - place:
                raise self.fault(f"section {number} of {size} bytes is truncated")
            if number in self._sections:
                raise self.fault(f"section {number} occurs twice")
            self._sections[number] = view[place : place + size]
            place += size
        if place != len(view):
            raise self.fault(f"{len(view) - place} bytes after the last section")

    def fault(self, reason: str) -> MalformedFile:
        """The error for this file."""
        return MalformedFile(self.name, reason)

    def section(self, number: int, size: int | None = None) -> memoryview:
        """A section, of a size that is given; raises MalformedFile when it is missing or of another size."""
        if number not in self._sections:
            raise self.fault(f"section {number} is missing")
        found = self._sections[number]
        if size is not None and len(found) != size:
            raise self.fault(f"section {number} has {len(found)} bytes, not {size}")
        return found

    def __contains__(self, number: int) -> bool:
        return number in self._sections

    def unpack(self, layout: str, data: memoryview, place: int = 0) -> tuple[int, ...]:
        """Little-endian integers at a place; raises MalformedFile when they leave the data."""
        if place + struct.calcsize("<" + layout) > len(data):
            raise self.fault("a header is truncated")
        return struct.unpack_from("<" + layout, data, place)

    def demand_prime(self, data: memoryview, place: int, field: PrimeField) -> int:
        """Demand the length and value of a prime, and give the place after it; raises MalformedFile for another."""
        (size,) = self.unpack("I", data, place)
        prime = int.from_bytes(data[place + 4 : place + 4 + FIELD_BYTES], "little")
        if size != FIELD_BYTES or prime != field.modulus:
            raise self.fault(f"not the prime of {field.name}: this is for another curve")
        return place + 4 + FIELD_BYTES

    def integers(self, words: Words, what: str) -> Vector:
        """Rows of canonical integers as field elements; raises MalformedFile for one not below the prime."""
        try:
            checked = BN254.from_bytes(np.ascontiguousarray(words).tobytes(), len(words))
        except MalformedMessage:
            raise self.fault(f"{what}: a field element is not below the prime") from None
        return enter_montgomery(checked)


def enter_montgomery(words: Words) -> Vector:
    """Rows of canonical integers as field elements: a product with the square of the radix."""
    factor = BN254.vector([1 << 256])
    return BN254.mul(words, np.repeat(factor, len(words), axis=0))


def pack_sections(magic: bytes, version: int, sections: Mapping[int, bytes]) -> bytes:
    """A file of these sections."""
    parts = [_HEAD.pack(magic, version, len(sections))]
    for number, data in sections.items():
        parts += [_SECTION.pack(number, len(data)), data]
    return b"".join(parts)


def prime_bytes(field: PrimeField) -> bytes:
    """A prime with its length, as headers have it."""
    return struct.pack("<I", FIELD_BYTES) + field.modulus.to_bytes(FIELD_BYTES, "little")
