"""Points as bytes: one encoding a point, of fixed size, and every decoding checks that the point is on the curve.

`Sec1` is the compressed form of SEC 1, section 2.3.3: a byte 02 or 03 by the parity of y, then x. Its identity, one
byte 00 there, is padded with zeros here so that the size is fixed. `Flagged` is big-endian x with flags in the free
top bits of the first byte: which of the two y, "larger" meaning above (p - 1) / 2. The encodings of Edwards points
are in `edwards`. Whether a decoded point is in the subgroup is for the curve to check.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from quorate.protocol.errors import MalformedMessage

from .weierstrass import Affine, Weierstrass


class Encoding(Protocol):
    """How the points of one curve are written."""

    @property
    def size_bytes(self) -> int:
        """The size of an encoded point."""
        ...

    def encode(self, point: Affine | None) -> bytes:
        """The bytes of a point; None is the identity."""
        ...

    def decode(self, data: bytes) -> Affine | None:
        """The point on the curve; raises MalformedMessage for bytes that are not the encoding of one."""
        ...

    def lift(self, coordinate: int, *, odd: bool) -> Affine | None:
        """A point from the coordinate that is written out and a choice of sign; None when there is none."""
        ...


def _lift(law: Weierstrass, x: int, *, odd: bool) -> Affine | None:
    y = law.ordinate(x)
    if y is None or (odd and not y):
        return None
    return x, (y if bool(y & 1) == odd else law.p - y)


@dataclass(frozen=True, slots=True)
class Sec1:
    """SEC 1, compressed: 1 byte for the parity of y, and x in big-endian order."""

    law: Weierstrass
    coordinate_bytes: int

    @property
    def size_bytes(self) -> int:
        """One byte more than a coordinate."""
        return 1 + self.coordinate_bytes

    def encode(self, point: Affine | None) -> bytes:
        """02 or 03 and x; zeros for the identity."""
        if point is None:
            return bytes(self.size_bytes)
        x, y = point
        return bytes([2 + int(y & 1)]) + int(x).to_bytes(self.coordinate_bytes, "big")

    def decode(self, data: bytes) -> Affine | None:
        """The point; raises MalformedMessage for another size or prefix, x >= p, or an x of no point."""
        if len(data) != self.size_bytes:
            raise MalformedMessage(f"a point of {len(data)} bytes, not {self.size_bytes}")
        if not any(data):
            return None
        x = int.from_bytes(data[1:], "big")
        if data[0] not in (2, 3) or x >= self.law.p:
            raise MalformedMessage("not a compressed point")
        point = _lift(self.law, x, odd=data[0] == 3)
        if point is None:
            raise MalformedMessage("no point has this coordinate")
        return point

    def lift(self, coordinate: int, *, odd: bool) -> Affine | None:
        """The point of this x, modulo p, whose y is odd or even."""
        return _lift(self.law, coordinate % self.law.p, odd=odd)


@dataclass(frozen=True, slots=True)
class Flagged:
    """Big-endian x with flags in the top bits: `mask` selects them; the three others are their values."""

    law: Weierstrass
    coordinate_bytes: int
    mask: int
    smaller: int
    larger: int
    identity: int

    @property
    def size_bytes(self) -> int:
        """The size of a coordinate."""
        return self.coordinate_bytes

    def encode(self, point: Affine | None) -> bytes:
        """x and the flags; only the flag for the identity."""
        if point is None:
            return bytes([self.identity]) + bytes(self.coordinate_bytes - 1)
        x, y = point
        data = bytearray(int(x).to_bytes(self.coordinate_bytes, "big"))
        data[0] |= self.larger if 2 * y > self.law.p else self.smaller
        return bytes(data)

    def decode(self, data: bytes) -> Affine | None:
        """The point; raises MalformedMessage for another size or flags, x >= p, or an x of no point."""
        if len(data) != self.size_bytes:
            raise MalformedMessage(f"a point of {len(data)} bytes, not {self.size_bytes}")
        flags = data[0] & self.mask
        x = int.from_bytes(bytes([data[0] & ~self.mask & 0xFF]) + data[1:], "big")
        if flags == self.identity and not x:
            return None
        if flags not in (self.smaller, self.larger) or x >= self.law.p:
            raise MalformedMessage("not a compressed point")
        y = self.law.ordinate(x)
        if y is None or not y:
            raise MalformedMessage("no point has this coordinate")
        return x, (y if (2 * y > self.law.p) == (flags == self.larger) else self.law.p - y)

    def lift(self, coordinate: int, *, odd: bool) -> Affine | None:
        """The point of this x, modulo p, whose y is odd or even."""
        return _lift(self.law, coordinate % self.law.p, odd=odd)
