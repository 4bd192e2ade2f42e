"""The portable kernel set: one field element at a time, in 64-bit limbs, as LLVM code.

An element is one 256-bit integer below p, in Montgomery form x * 2^256 mod p. LLVM splits 256-bit sums and
differences into carry chains of 64-bit words; products go through the 64 x 64 -> 128 bit multiplication that every
64-bit CPU has. No branch depends on a value: the last step of each reduction chooses by a mask.

Montgomery multiplication: C. K. Koc, T. Acar, B. Kaliski, "Analyzing and comparing Montgomery multiplication
algorithms" (1996), the CIOS method. Every intermediate sum stays below 2p. For p < 2^255 that fits four words;
a modulus of 256 bits needs a fifth for the carry, which is all that `CarryEmitter` adds.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir

from .constants import MODULUS, MONTGOMERY, RECIPROCAL, SHIFT_LEFT, SHIFT_RIGHT

_I64: Final = ir.IntType(64)
_I128: Final = ir.IntType(128)

ELEMENT: Final = ir.IntType(256)
"""A canonical element; the second operand of a product has the same form here."""
WEIGHTED: Final = ir.IntType(320)
"""A sum of elements times small integers, below 2^40 p."""
PRODUCT: Final = ir.IntType(576)
"""A sum of products of elements, below 2^40 p^2."""

TYPES: Final = {"element": ELEMENT, "factor": ELEMENT, "weighted": WEIGHTED, "product": PRODUCT}


class ScalarEmitter:
    """Emits the arithmetic of one element at a time; `constants` points to the field's uint64 constants."""

    sum_type: Any = ELEMENT
    """Holds any value below 2p."""
    sum_words: int = 4

    def __init__(self, builder: Any, constants: Any) -> None:
        self.builder = builder
        self.constants = constants

    # Memory: rows of `words` uint64 words, little-endian.

    def load(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 4) array."""
        return self._read(rows, index, 4, ELEMENT)

    load_factor = broadcast = broadcast_factor = load_kept = table_factor = load

    def store(self, rows: Any, index: Any, value: Any) -> None:
        """Write an element to row `index` of an (n, 4) array."""
        instruction = self.builder.store(value, self._row(rows, index, 4, ELEMENT))
        instruction.align = 8

    keep = store

    def load_random(self, rows: Any, index: Any) -> Any:
        """The 320-bit integer at row `index` of an (n, 5) array, times 2^-256 mod p."""
        value = self._read(rows, index, 5, WEIGHTED)
        return self._below(self._fit(self._montgomery(self.builder.zext(value, PRODUCT))))

    def count_excess(self, rows: Any, index: Any) -> Any:
        """1 if row `index` of an (n, 4) array is not below p, else 0, as a 64-bit integer."""
        value = self._read(rows, index, 4, ELEMENT)
        return self.builder.zext(self.builder.icmp_unsigned(">=", value, self.modulus()), _I64)

    def _row(self, rows: Any, index: Any, words: int, kind: Any) -> Any:
        offset = self.builder.mul(index, ir.Constant(index.type, words))
        return self.builder.bitcast(self.builder.gep(rows, [offset]), kind.as_pointer())

    def _read(self, rows: Any, index: Any, words: int, kind: Any) -> Any:
        instruction = self.builder.load(self._row(rows, index, words, kind))
        instruction.align = 8
        return instruction

    # The constants of the field.

    def _word(self, position: int) -> Any:
        return self.builder.load(self.builder.gep(self.constants, [ir.Constant(_I64, position)]))

    def modulus(self) -> Any:
        """The modulus p as an element (not canonical: for lazy sums only)."""
        return self._read(self.constants, ir.Constant(_I64, MODULUS), 1, ELEMENT)

    # Element arithmetic.

    def add(self, x: Any, y: Any) -> Any:
        """x + y mod p."""
        return self._below(self.builder.add(self._fit(x), self._fit(y)))

    def subtract(self, x: Any, y: Any) -> Any:
        """x - y mod p."""
        difference, borrow = self._difference(x, y)
        return self._choose(borrow, self.builder.add(difference, self.modulus()), difference)

    def multiply(self, x: Any, y: Any) -> Any:
        """The Montgomery product of any 256-bit x and an element y: x * y / 2^256 mod p."""
        y_limbs = self._limbs(y, 4)
        total: list[Any] = [ir.Constant(_I64, 0)] * self.sum_words
        for limb in self._limbs(x, 4):
            total = self._multiply_step(limb, y_limbs, total)
        return self._below(self._join(total, self.sum_type))

    def _multiply_step(self, x: Any, y: list[Any], total: list[Any]) -> list[Any]:
        """(total + x * y + m * p) / 2^64 for the m that makes it an integer."""
        zero = ir.Constant(_I64, 0)
        low, carry = self._mac(x, y[0], total[0], zero)
        multiplier = self.builder.mul(low, self._word(MONTGOMERY))
        _, reduction = self._mac(multiplier, self._word(MODULUS), low, zero)
        result = []
        for position in range(1, 4):
            low, carry = self._mac(x, y[position], total[position], carry)
            low, reduction = self._mac(multiplier, self._word(MODULUS + position), low, reduction)
            result.append(low)
        return [*result, *self._top(carry, reduction, total)]

    def _top(self, carry: Any, reduction: Any, _total: list[Any]) -> list[Any]:
        """What a step of the multiplication leaves above the third word: it fits one word."""
        return [self.builder.add(carry, reduction)]

    # Sums of small multiples.

    def weighted_zero(self) -> Any:
        """The empty weighted sum."""
        return ir.Constant(WEIGHTED, 0)

    def accumulate(self, total: Any, x: Any, weight: Any) -> Any:
        """total + weight * x for an unsigned 64-bit weight."""
        return self.builder.add(total, self._times_word(x, weight))

    def deduct(self, total: Any, x: Any, weight: Any) -> Any:
        """total - weight * x; the sum must not end below zero."""
        return self.builder.sub(total, self._times_word(x, weight))

    def reduce_weighted(self, total: Any) -> Any:
        """A weighted sum below 2^40 p, mod p (Barrett, with a quotient that is one too small at most)."""
        limbs = self._limbs(total, 5)
        high = self.builder.or_(
            self.builder.shl(limbs[4], self._word(SHIFT_LEFT)),
            self.builder.lshr(limbs[3], self._word(SHIFT_RIGHT)),
        )
        _, quotient = self._mac(high, self._word(RECIPROCAL), ir.Constant(_I64, 0), ir.Constant(_I64, 0))
        rest = self.builder.sub(total, self._times_word(self.modulus(), quotient))
        return self._below(self._fit(rest))

    # Sums of products.

    def product_zero(self) -> Any:
        """The empty sum of products."""
        return ir.Constant(PRODUCT, 0)

    def accumulate_product(self, total: Any, x: Any, y: Any) -> Any:
        """total + x * y, not reduced."""
        for position, limb in enumerate(self._limbs(x, 4)):
            row = self.builder.zext(self._times_word(y, limb), PRODUCT)
            total = self.builder.add(total, self.builder.shl(row, ir.Constant(PRODUCT, 64 * position)))
        return total

    def reduce_product(self, total: Any) -> Any:
        """A sum of products below 2^40 p^2, times 2^-256 mod p."""
        return self.reduce_weighted(self._montgomery(total))

    def settle(self, total: Any) -> Any:
        """Nothing to do: this sum has room for more products."""
        return total

    def _montgomery(self, total: Any) -> Any:
        """(total + m p) / 2^256 for the m that makes it an integer, 320 bits."""
        for _ in range(4):
            low = self.builder.trunc(total, _I64)
            multiplier = self.builder.mul(low, self._word(MONTGOMERY))
            row = self.builder.zext(self._times_word(self.modulus(), multiplier), PRODUCT)
            total = self.builder.lshr(self.builder.add(total, row), ir.Constant(PRODUCT, 64))
        return self.builder.trunc(total, WEIGHTED)

    # Words.

    def _below(self, value: Any) -> Any:
        """A value below 2p in the type of sums, mod p."""
        difference, borrow = self._difference(value, self._fit(self.modulus()))
        return self._choose(borrow, self._cut(value), self._cut(difference))

    def _fit(self, value: Any) -> Any:
        """A value below 2p in the type of sums."""
        if value.type.width > self.sum_type.width:
            return self.builder.trunc(value, self.sum_type)
        return value if value.type == self.sum_type else self.builder.zext(value, self.sum_type)

    def _cut(self, value: Any) -> Any:
        return value if value.type == ELEMENT else self.builder.trunc(value, ELEMENT)

    def _choose(self, condition: Any, x: Any, y: Any) -> Any:
        """x if the condition holds, else y, by a mask that the optimiser cannot see through.

        It would turn a select into a branch: that takes a time that depends on secrets, and mispredicts every other
        time.
        """
        function = ir.FunctionType(_I64, [_I64])
        mask = self.builder.asm(function, "", "=r,0", [self.builder.sext(condition, _I64)], side_effect=False)
        difference = self.builder.and_(self.builder.xor(x, y), self._join([mask] * 4, ELEMENT))
        return self.builder.xor(y, difference)

    def _difference(self, x: Any, y: Any) -> tuple[Any, Any]:
        pair = self.builder.usub_with_overflow(x, y)
        return self.builder.extract_value(pair, 0), self.builder.extract_value(pair, 1)

    def _times_word(self, x: Any, word: Any) -> Any:
        """The 320-bit product of an element and a 64-bit word."""
        carry = ir.Constant(_I64, 0)
        result = []
        for limb in self._limbs(x, 4):
            low, carry = self._mac(word, limb, carry, ir.Constant(_I64, 0))
            result.append(low)
        return self._join([*result, carry], WEIGHTED)

    def _mac(self, a: Any, b: Any, c: Any, d: Any) -> tuple[Any, Any]:
        """(low, high) of a * b + c + d, which never overflows 128 bits."""
        wide = [self.builder.zext(value, _I128) for value in (a, b, c, d)]
        total = self.builder.add(self.builder.add(self.builder.mul(wide[0], wide[1]), wide[2]), wide[3])
        high = self.builder.lshr(total, ir.Constant(_I128, 64))
        return self.builder.trunc(total, _I64), self.builder.trunc(high, _I64)

    def _limbs(self, value: Any, count: int) -> list[Any]:
        shifted = [self.builder.lshr(value, ir.Constant(value.type, 64 * position)) for position in range(count)]
        return [self.builder.trunc(limb, _I64) for limb in shifted]

    def _join(self, limbs: list[Any], kind: Any) -> Any:
        total = ir.Constant(kind, 0)
        for position, limb in enumerate(limbs):
            wide = self.builder.shl(self.builder.zext(limb, kind), ir.Constant(kind, 64 * position))
            total = self.builder.or_(total, wide)
        return total


class CarryEmitter(ScalarEmitter):
    """The same arithmetic for a modulus of 256 bits: sums below 2p have a fifth word."""

    sum_type = WEIGHTED
    sum_words = 5

    def _top(self, carry: Any, reduction: Any, total: list[Any]) -> list[Any]:
        one = ir.Constant(_I64, 1)
        return list(self._mac(total[4], one, carry, reduction))
