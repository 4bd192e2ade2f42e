"""The number types of secret values: which integers a share may hold, and what they stand for.

A share holds a signed integer, -v as p - v. A type says in which range that integer lies; an operation masks and
compares by that range, so that a value outside it gives undefined results, and what is opened of it may be hidden
less well. Nothing wraps around by itself: sums and products stay exact as long as they fit the field, and
`integers.wrap` brings them back into a type.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, TypeAlias

MAX_INTEGER_BITS: Final = 128
"""The widest integer type; the field and kappa may allow less."""


@dataclass(frozen=True, slots=True)
class IntegerType:
    """Integers of `bits` bits, two's complement when `signed`.

    Raises ValueError for more than 128 bits, or fewer than 1 (2 when signed).
    """

    bits: int
    signed: bool

    def __post_init__(self) -> None:
        least = 2 if self.signed else 1
        if not least <= self.bits <= MAX_INTEGER_BITS:
            raise ValueError(f"an integer type has {least} to {MAX_INTEGER_BITS} bits, not {self.bits}")

    @property
    def name(self) -> str:
        """As programs write it: int64, uint8."""
        return f"{'' if self.signed else 'u'}int{self.bits}"

    @property
    def least(self) -> int:
        """The smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def most(self) -> int:
        """The largest value."""
        return (1 << (self.bits - 1 if self.signed else self.bits)) - 1

    @property
    def magnitude_bits(self) -> int:
        """How many bits |x| has at most, but for the smallest signed value, which has one more."""
        return self.bits - 1 if self.signed else self.bits

    @property
    def signed_bits(self) -> int:
        """The bits of a two's complement integer that holds every value."""
        return self.bits if self.signed else self.bits + 1

    def check(self, values: Iterable[int]) -> list[int]:
        """The values as a list; raises ValueError when one is outside the type."""
        checked = list(values)
        for index, value in enumerate(checked):
            if not self.least <= value <= self.most:
                raise ValueError(f"value number {index} is outside {self.name} ({self.least} to {self.most})")
        return checked

    def wrap(self, value: int) -> int:
        """A public integer modulo 2^bits, in the range of the type."""
        return (value - self.least) % (1 << self.bits) + self.least


@dataclass(frozen=True, slots=True)
class FixedType:
    """Fixed-point numbers: signed integers of `bits` bits that count units of 2^-fraction_bits.

    Raises ValueError unless 1 <= fraction_bits < bits - 1 and bits <= 128.
    """

    bits: int
    fraction_bits: int

    def __post_init__(self) -> None:
        if not 4 <= self.bits <= MAX_INTEGER_BITS or not 1 <= self.fraction_bits < self.bits - 1:
            raise ValueError(
                f"a fixed-point type has 4 to {MAX_INTEGER_BITS} bits, of which 1 to bits - 2 are a fraction; "
                f"not {self.bits} and {self.fraction_bits}"
            )

    @property
    def name(self) -> str:
        """Such as fix64.16: the bits, and those of the fraction."""
        return f"fix{self.bits}.{self.fraction_bits}"

    @property
    def integer(self) -> IntegerType:
        """The type of the integers that shares hold."""
        return IntegerType(self.bits, signed=True)

    @property
    def signed_bits(self) -> int:
        """The bits of the integers that shares hold."""
        return self.bits

    @property
    def unit(self) -> Fraction:
        """The value of a unit in the last place."""
        return Fraction(1, 1 << self.fraction_bits)

    @property
    def least(self) -> Fraction:
        """The smallest value."""
        return self.integer.least * self.unit

    @property
    def most(self) -> Fraction:
        """The largest value."""
        return self.integer.most * self.unit

    def encode(self, values: Iterable[float | Fraction]) -> list[int]:
        """The integers nearest to numbers, of two the even one; raises ValueError for one outside the type."""
        encoded = []
        for index, value in enumerate(values):
            if isinstance(value, float) and not math.isfinite(value):
                raise ValueError(f"value number {index} is not a finite number")
            scaled = round(Fraction(value) / self.unit)
            if not self.integer.least <= scaled <= self.integer.most:
                raise ValueError(
                    f"value number {index} is outside {self.name} ({float(self.least)} to {float(self.most)})"
                )
            encoded.append(scaled)
        return encoded

    def decode(self, integers: Sequence[int]) -> list[Fraction]:
        """The exact values of integers; raises ValueError for one outside the type."""
        return [value * self.unit for value in self.integer.check(integers)]

    def decode_floats(self, integers: Sequence[int]) -> list[float]:
        """The floats nearest to the values of integers; raises ValueError for one outside the type."""
        return [float(value) for value in self.decode(integers)]


NumberType: TypeAlias = IntegerType | FixedType
"""What operations that only look at the order of values take."""

BOOL: Final = IntegerType(1, signed=False)
INT8: Final = IntegerType(8, signed=True)
INT16: Final = IntegerType(16, signed=True)
INT32: Final = IntegerType(32, signed=True)
INT64: Final = IntegerType(64, signed=True)
UINT8: Final = IntegerType(8, signed=False)
UINT16: Final = IntegerType(16, signed=False)
UINT32: Final = IntegerType(32, signed=False)
UINT64: Final = IntegerType(64, signed=False)
FIX32: Final = FixedType(32, 16)
"""The fix32 of StoffelLang: 32 bits, 16 of them a fraction; -32768 to 32768 in steps of 1.5e-5."""
FIX64: Final = FixedType(64, 16)
"""The fix64 of StoffelLang: 64 bits, 16 of them a fraction; -1.4e14 to 1.4e14 in steps of 1.5e-5."""
