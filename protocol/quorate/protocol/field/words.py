"""The word kernel sets: primes of 32 to 64 bits, one element in one 64-bit word, as LLVM code.

Three sets share the loops of `kernels` and differ in how they reduce:

- any prime: Montgomery form x * 2^64 mod p. The reduction subtracts, (t - m p) / 2^64 with m = t / p mod 2^64, so
  that a 64-bit modulus needs no 65th bit.
- Goldilocks, p = 2^64 - 2^32 + 1: the same form; its m p / 2^64 comes from shifts, without a product.
- the Mersenne prime p = 2^61 - 1: the integers themselves. A product is split at bit 61, where 2^61 = 1 mod p; the
  second operand of a product, the factor, is loaded times 8, which moves that place to the edge of a word.

Sums of products are lazy in 192 bits, weighted sums in 128. No branch depends on a value.

P. Montgomery, "Modular multiplication without trial division" (1985). T. Pornin, "EcGFp5: a specialized elliptic
curve" (2022), section 5.1, for Goldilocks.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir

from .constants import (
    GOLDILOCKS_MODULUS,
    MERSENNE_BITS,
    WORD_MODULUS,
    WORD_MONTGOMERY,
    WORD_RECIPROCAL,
    WORD_SHIFT_LEFT,
    WORD_SHIFT_RIGHT,
    Words,
    word_constants,
)

_I64: Final = ir.IntType(64)
_I128: Final = ir.IntType(128)

ELEMENT: Final = _I64
"""A canonical element."""
WEIGHTED: Final = _I128
"""A sum of elements times small integers, below 2^40 p."""
PRODUCT: Final = ir.IntType(192)
"""A sum of products of elements, below 2^40 p^2."""

TYPES: Final = {"element": ELEMENT, "factor": ELEMENT, "weighted": WEIGHTED, "product": PRODUCT}


class WordEmitter:
    """Emits the arithmetic of one element of any field; `constants` points to the field's uint64 constants."""

    def __init__(self, builder: Any, constants: Any) -> None:
        self.builder = builder
        self.constants = constants

    # Memory: rows of `words` uint64 words, little-endian.

    def load(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 1) array."""
        return self.builder.load(self.builder.gep(rows, [index]))

    def load_kept(self, scratch: Any, index: Any) -> Any:
        """What `keep` wrote."""
        return self.load(scratch, index)

    def load_factor(self, rows: Any, index: Any) -> Any:
        """The same, as the second operand of a product."""
        return self.load(rows, index)

    def broadcast(self, rows: Any, index: Any) -> Any:
        """The same: there is one lane."""
        return self.load(rows, index)

    def broadcast_factor(self, rows: Any, index: Any) -> Any:
        """The same, as the second operand of a product."""
        return self.load_factor(rows, index)

    def table_factor(self, table: Any, index: Any) -> Any:
        """The same, from a table of elements."""
        return self.load_factor(table, index)

    def store(self, rows: Any, index: Any, value: Any) -> None:
        """Write an element to row `index` of an (n, 1) array."""
        self.builder.store(value, self.builder.gep(rows, [index]))

    def keep(self, scratch: Any, index: Any, value: Any) -> None:
        """Write an element to a place of a scratch array."""
        self.store(scratch, index, value)

    def load_random(self, rows: Any, index: Any) -> Any:
        """The 128-bit integer at row `index` of an (n, 2) array, divided by the radix, mod p."""
        start = self.builder.mul(index, ir.Constant(index.type, 2))
        low = self.load(rows, start)
        high = self.load(rows, self.builder.add(start, ir.Constant(index.type, 1)))
        shifted = self.builder.shl(self._wide(high, _I128), ir.Constant(_I128, 64))
        return self._divided(self.builder.or_(self._wide(low, _I128), shifted))

    def _divided(self, value: Any) -> Any:
        return self.reduce_product(self._wide(value, PRODUCT))

    def count_excess(self, rows: Any, index: Any) -> Any:
        """1 if row `index` of an (n, 1) array is not below p, else 0, as a 64-bit integer."""
        return self.builder.zext(self.builder.icmp_unsigned(">=", self.load(rows, index), self.modulus()), _I64)

    # The constants of the field.

    def _word(self, position: int) -> Any:
        return self.builder.load(self.builder.gep(self.constants, [ir.Constant(_I64, position)]))

    def modulus(self) -> Any:
        """The modulus p (not canonical: for lazy sums only)."""
        return self._word(WORD_MODULUS)

    # Element arithmetic.

    def add(self, x: Any, y: Any) -> Any:
        """x + y mod p, as x - (p - y): no sum is above 64 bits."""
        return self.subtract(x, self.builder.sub(self.modulus(), y))

    def subtract(self, x: Any, y: Any) -> Any:
        """x - y mod p, for x below p and y up to p."""
        borrow = self._opaque(self.builder.sext(self.builder.icmp_unsigned("<", x, y), _I64))
        return self.builder.add(self.builder.sub(x, y), self.builder.and_(borrow, self.modulus()))

    def multiply(self, x: Any, y: Any) -> Any:
        """The Montgomery product of any 64-bit x and a factor y: x * y / 2^64 mod p."""
        low, high = self._halves(self._product(x, y))
        return self.subtract(high, self._multiple(low))

    def _multiple(self, low: Any) -> Any:
        """m p / 2^64, rounded down, for the m that makes m p = low mod 2^64; it is below p."""
        multiplier = self.builder.mul(low, self._word(WORD_MONTGOMERY))
        return self._halves(self._product(multiplier, self.modulus()))[1]

    # Sums of small multiples.

    def weighted_zero(self) -> Any:
        """The empty weighted sum."""
        return ir.Constant(WEIGHTED, 0)

    def accumulate(self, total: Any, x: Any, weight: Any) -> Any:
        """total + weight * x for an unsigned 64-bit weight."""
        return self.builder.add(total, self._product(x, weight))

    def deduct(self, total: Any, x: Any, weight: Any) -> Any:
        """total - weight * x; the sum must not end below zero."""
        return self.builder.sub(total, self._product(x, weight))

    def reduce_weighted(self, total: Any) -> Any:
        """A weighted sum below 2^40 p, mod p (Barrett, with a quotient that is one too small at most)."""
        low, high = self._halves(total)
        high = self.builder.or_(
            self.builder.shl(high, self._word(WORD_SHIFT_LEFT)),
            self.builder.lshr(low, self._word(WORD_SHIFT_RIGHT)),
        )
        quotient = self._halves(self._product(high, self._word(WORD_RECIPROCAL)))[1]
        modulus = self._wide(self.modulus(), _I128)
        rest = self.builder.sub(self.builder.sub(total, self._product(quotient, self.modulus())), modulus)
        low, high = self._halves(rest)
        return self.builder.add(low, self.builder.and_(self._opaque(high), self.modulus()))

    # Sums of products.

    def product_zero(self) -> Any:
        """The empty sum of products."""
        return ir.Constant(PRODUCT, 0)

    def accumulate_product(self, total: Any, x: Any, y: Any) -> Any:
        """total + x * y, not reduced."""
        return self.builder.add(total, self._wide(self._product(x, y), PRODUCT))

    def reduce_product(self, total: Any) -> Any:
        """A sum of products below 2^40 p^2, or any 128-bit integer, times 2^-64 mod p."""
        multiple = self._wide(self._multiple(self.builder.trunc(total, _I64)), _I128)
        high = self.builder.trunc(self.builder.lshr(total, ir.Constant(PRODUCT, 64)), _I128)
        lifted = self.builder.add(high, self._wide(self.modulus(), _I128))
        return self.reduce_weighted(self.builder.sub(lifted, multiple))

    def settle(self, total: Any) -> Any:
        """Nothing to do: this sum has room for more products."""
        return total

    # Words.

    def _opaque(self, mask: Any) -> Any:
        """The same word, out of the optimiser's sight: it could make a branch of a mask that depends on secrets."""
        function = ir.FunctionType(_I64, [_I64])
        return self.builder.asm(function, "", "=r,0", [mask], side_effect=False)

    def _wide(self, value: Any, kind: Any) -> Any:
        return self.builder.zext(value, kind)

    def _product(self, x: Any, y: Any) -> Any:
        return self.builder.mul(self._wide(x, _I128), self._wide(y, _I128))

    def _halves(self, value: Any) -> tuple[Any, Any]:
        high = self.builder.lshr(value, ir.Constant(_I128, 64))
        return self.builder.trunc(value, _I64), self.builder.trunc(high, _I64)


class GoldilocksEmitter(WordEmitter):
    """The same with a modulus known to the compiler, and a reduction by shifts."""

    table: Words = word_constants(GOLDILOCKS_MODULUS)

    def _word(self, position: int) -> Any:
        return ir.Constant(_I64, int(self.table[position]))

    def _multiple(self, low: Any) -> Any:
        # 1 / p mod 2^64 is 2^32 + 1, so m = low + 2^32 low, and m p / 2^64 rounds to m - m / 2^32 + its carry.
        total = self.builder.add(low, self.builder.shl(low, ir.Constant(_I64, 32)))
        carry = self.builder.zext(self.builder.icmp_unsigned("<", total, low), _I64)
        down = self.builder.lshr(total, ir.Constant(_I64, 32))
        return self.builder.sub(self.builder.sub(total, down), carry)


class MersenneEmitter(WordEmitter):
    """The arithmetic of 2^61 - 1 on plain integers."""

    def modulus(self) -> Any:
        """The modulus p (not canonical: for lazy sums only)."""
        return ir.Constant(_I64, (1 << MERSENNE_BITS) - 1)

    def load_factor(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 1) array, times 8."""
        return self.builder.shl(self.load(rows, index), ir.Constant(_I64, 64 - MERSENNE_BITS))

    def add(self, x: Any, y: Any) -> Any:
        """x + y mod p."""
        return self._below(self.builder.add(x, y))

    def subtract(self, x: Any, y: Any) -> Any:
        """x - y mod p."""
        return self._below(self.builder.add(self.builder.sub(x, y), self.modulus()))

    def multiply(self, x: Any, y: Any) -> Any:
        """The product of two elements, the second one a factor."""
        low, high = self._halves(self._product(x, y))
        return self._below(self.builder.add(high, self.builder.lshr(low, ir.Constant(_I64, 64 - MERSENNE_BITS))))

    def _divided(self, value: Any) -> Any:
        return self._folded(value)

    def reduce_weighted(self, total: Any) -> Any:
        """A weighted sum below 2^40 p, mod p."""
        return self._folded(total)

    def reduce_product(self, total: Any) -> Any:
        """A sum of products with factors, below 2^40 8 p^2, mod p."""
        return self._folded(self.builder.lshr(total, ir.Constant(PRODUCT, 64 - MERSENNE_BITS)))

    def _folded(self, total: Any) -> Any:
        """A sum below 2^182, mod p: its three digits of 61 bits are added, from the top one, which is below p."""
        digits = []
        for position in range(3):
            shift = ir.Constant(total.type, MERSENNE_BITS * position)
            digit = self.builder.trunc(self.builder.lshr(total, shift), _I64)
            digits.append(self.builder.and_(digit, self.modulus()))
        upper = self._below(self.builder.add(digits[2], digits[1]))
        return self._below(self.builder.add(upper, digits[0]))

    def _below(self, value: Any) -> Any:
        """A value up to 2p - 1, mod p: adding 1 carries into bit 61 if it is p or more."""
        more = self.builder.add(value, ir.Constant(_I64, 1))
        carry = self.builder.lshr(more, ir.Constant(_I64, MERSENNE_BITS))
        return self.builder.and_(self.builder.add(value, carry), self.modulus())
