"""The vector kernel set: eight field elements at a time, in AVX-512 lanes with the IFMA instructions.

A value of eight elements is five vectors of 64-bit lanes, limb j of 52 bits in vector j. The instructions multiply
52-bit limbs and add the low or the high half of the product to a lane, which leaves 12 spare bits for lazy sums.
Rows of four 64-bit words are transposed and split on load, joined and transposed back on store.

Montgomery products here divide by 2^260 instead of 2^256: the second operand of each product, the factor, is
loaded times 16, so that the result is the same x * y / 2^256 as that of the portable set.

S. Gueron, V. Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions" (2016).
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir

from .constants import (
    LANE_BITS,
    LANE_MODULUS,
    LANE_MONTGOMERY,
    LANE_RECIPROCAL,
    LANE_SHIFT_LEFT,
    LANE_SHIFT_RIGHT,
    LANES,
)

LIMBS: Final = 5
KEPT_WORDS: Final = LIMBS * LANES
"""The size of one place of a scratch array, in 64-bit words."""

_I64: Final = ir.IntType(64)
_VECTOR: Final = ir.VectorType(_I64, LANES)

ELEMENT: Final = ir.ArrayType(_VECTOR, LIMBS)
"""Canonical elements, in 52-bit limbs."""
FACTOR: Final = ir.ArrayType(_VECTOR, LIMBS)
"""Elements times 16."""
WEIGHTED: Final = ir.ArrayType(_VECTOR, LIMBS + 1)
"""Sums of elements times small integers, below 2^40 p; lanes are signed and hold more than 52 bits."""
PRODUCT: Final = ir.ArrayType(_VECTOR, 2 * LIMBS)
"""Sums of at most 128 products; lanes hold more than 52 bits."""

TYPES: Final = {"element": ELEMENT, "factor": FACTOR, "weighted": WEIGHTED, "product": PRODUCT}

_LOW: Final = "llvm.x86.avx512.vpmadd52l.uq.512"
_HIGH: Final = "llvm.x86.avx512.vpmadd52h.uq.512"


def _splat(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * LANES)


_ZERO: Final = _splat(0)
_MASK: Final = _splat((1 << LANE_BITS) - 1)
_WIDTH: Final = _splat(LANE_BITS)


class LaneEmitter:
    """Emits the arithmetic of eight elements at a time; `constants` points to the repeated uint64 constants."""

    def __init__(self, builder: Any, constants: Any) -> None:
        self.builder = builder
        self.constants = constants
        kind = ir.FunctionType(_VECTOR, [_VECTOR, _VECTOR, _VECTOR])
        self._low_half, self._high_half = (self._declared(kind, name) for name in (_LOW, _HIGH))

    def _declared(self, kind: Any, name: str) -> Any:
        module = self.builder.module
        return module.globals.get(name) or ir.Function(module, kind, name)

    # Memory: rows of `words` uint64 words, little-endian.

    def load(self, rows: Any, index: Any) -> Any:
        """The elements at rows `index` to `index` + 7 of an (n, 4) array."""
        return self._pack(self._split(self._transposed(rows, index), 0), ELEMENT)

    def load_factor(self, rows: Any, index: Any) -> Any:
        """The same, times 16."""
        return self._pack(self._split(self._transposed(rows, index), 4), FACTOR)

    def broadcast(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 4) array, in every lane."""
        return self._pack(self._split(self._spread(rows, index, 4), 0), ELEMENT)

    def broadcast_factor(self, rows: Any, index: Any) -> Any:
        """The same, times 16."""
        return self._pack(self._split(self._spread(rows, index, 4), 4), FACTOR)

    def table_factor(self, table: Any, index: Any) -> Any:
        """Row `index` of an (m, 5) array of 52-bit limbs of elements times 16, in every lane."""
        return self._pack(self._spread(table, index, LIMBS), FACTOR)

    def load_random(self, rows: Any, index: Any) -> Any:
        """The 320-bit integers at rows `index` to `index` + 7 of an (n, 5) array, times 2^-256 mod p."""
        vectors = self._read(rows, index, 5, 5)
        words = [self._column(vectors, column) for column in range(5)]
        limbs = self._split_long(words)
        return self.reduce_product(self._pack([*limbs, *[_ZERO] * (2 * LIMBS - len(limbs))], PRODUCT))

    def store(self, rows: Any, index: Any, value: Any) -> None:
        """Write elements to rows `index` to `index` + 7 of an (n, 4) array."""
        words = self._join(self._unpack(value))
        low = [
            self._shuffle(words[0], words[1], [0, 8, 1, 9, 2, 10, 3, 11]),
            self._shuffle(words[0], words[1], [4, 12, 5, 13, 6, 14, 7, 15]),
        ]
        high = [
            self._shuffle(words[2], words[3], [0, 8, 1, 9, 2, 10, 3, 11]),
            self._shuffle(words[2], words[3], [4, 12, 5, 13, 6, 14, 7, 15]),
        ]
        vectors = []
        for half in range(2):
            vectors.append(self._shuffle(low[half], high[half], [0, 1, 8, 9, 2, 3, 10, 11]))
            vectors.append(self._shuffle(low[half], high[half], [4, 5, 12, 13, 6, 7, 14, 15]))
        self._write(rows, index, 4, vectors)

    def keep(self, scratch: Any, index: Any, value: Any) -> None:
        """Write elements as five vectors to place `index` of a scratch array."""
        self._write(scratch, index, KEPT_WORDS, self._unpack(value))

    def load_kept(self, scratch: Any, index: Any) -> Any:
        """The elements that `keep` wrote."""
        return self._pack(self._read(scratch, index, KEPT_WORDS, LIMBS), ELEMENT)

    def count_excess(self, rows: Any, index: Any) -> Any:
        """How many of the rows `index` to `index` + 7 of an (n, 4) array are not below p, as a 64-bit integer."""
        limbs = self._split(self._transposed(rows, index), 0)
        difference = self._carry(self._each("sub", limbs, self._modulus()))
        excess = self.builder.icmp_signed(">=", difference[-1], _ZERO)
        bits = self.builder.zext(self.builder.bitcast(excess, ir.IntType(LANES)), _I64)
        return self.builder.ctpop(bits)

    def _row(self, rows: Any, index: Any, words: int, vector: int) -> Any:
        offset = self.builder.mul(index, ir.Constant(index.type, words))
        offset = self.builder.add(offset, ir.Constant(index.type, vector * LANES))
        return self.builder.bitcast(self.builder.gep(rows, [offset]), _VECTOR.as_pointer())

    def _read(self, rows: Any, index: Any, words: int, count: int) -> list[Any]:
        vectors = [self.builder.load(self._row(rows, index, words, vector)) for vector in range(count)]
        for vector in vectors:
            vector.align = 8
        return vectors

    def _write(self, rows: Any, index: Any, words: int, vectors: list[Any]) -> None:
        for position, vector in enumerate(vectors):
            instruction = self.builder.store(vector, self._row(rows, index, words, position))
            instruction.align = 8

    def _spread(self, rows: Any, index: Any, words: int) -> list[Any]:
        """Each of the words of one row, in every lane."""
        result = []
        for position in range(words):
            offset = self.builder.add(
                self.builder.mul(index, ir.Constant(index.type, words)), ir.Constant(index.type, position)
            )
            word = self.builder.load(self.builder.gep(rows, [offset]))
            single = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, ir.Constant(_I64, 0))
            result.append(self._shuffle(single, single, [0] * LANES))
        return result

    # Transposition: rows of words to vectors of lanes, and words to limbs.

    def _shuffle(self, x: Any, y: Any, order: list[int]) -> Any:
        mask = ir.Constant(ir.VectorType(ir.IntType(32), LANES), order)
        return self.builder.shuffle_vector(x, y, mask)

    def _transposed(self, rows: Any, index: Any) -> list[Any]:
        """Four vectors; lane i of vector j is word j of row `index` + i."""
        vectors = self._read(rows, index, 4, 4)
        pairs = []
        for first in (0, 2):
            x, y = vectors[first], vectors[first + 1]
            pairs.append(
                [
                    self._shuffle(x, y, [0, 4, 8, 12, 1, 5, 9, 13]),
                    self._shuffle(x, y, [2, 6, 10, 14, 3, 7, 11, 15]),
                ]
            )
        words = []
        for half in range(2):
            low, high = pairs[0][half], pairs[1][half]
            words.append(self._shuffle(low, high, [0, 1, 2, 3, 8, 9, 10, 11]))
            words.append(self._shuffle(low, high, [4, 5, 6, 7, 12, 13, 14, 15]))
        return words

    def _column(self, vectors: list[Any], column: int) -> Any:
        """One vector; lane i is word `column` of row i, where the rows of five words fill `vectors`."""
        positions = [5 * lane + column for lane in range(LANES)]
        result = vectors[0]
        order = [position if position < LANES else lane for lane, position in enumerate(positions)]
        result = self._shuffle(result, result, order)
        for number, vector in enumerate(vectors[1:], start=1):
            order = [
                position - LANES * number + LANES if position // LANES == number else lane
                for lane, position in enumerate(positions)
            ]
            result = self._shuffle(result, vector, order)
        return result

    def _split(self, words: list[Any], shift: int) -> list[Any]:
        """The five 52-bit limbs of 256-bit integers times 2^shift, for a shift of at most 4."""
        return self._bits(words, shift, LIMBS)

    def _split_long(self, words: list[Any]) -> list[Any]:
        """The seven 52-bit limbs of 320-bit integers times 16."""
        return self._bits(words, 4, 7)

    def _bits(self, words: list[Any], shift: int, count: int) -> list[Any]:
        limbs = []
        for position in range(count):
            first = position * LANE_BITS - shift
            word, offset = divmod(first, 64)
            if first < 0:
                limb = self.builder.shl(words[0], _splat(-first))
            else:
                limb = self.builder.lshr(words[word], _splat(offset)) if offset else words[word]
                if offset > 64 - LANE_BITS and word + 1 < len(words):
                    limb = self.builder.or_(limb, self.builder.shl(words[word + 1], _splat(64 - offset)))
            last = first + LANE_BITS >= 64 * len(words)
            limbs.append(limb if last else self.builder.and_(limb, _MASK))
        return limbs

    def _join(self, limbs: list[Any]) -> list[Any]:
        """The four 64-bit words of canonical limbs."""
        words = []
        for word in range(4):
            first = 64 * word // LANE_BITS
            offset = 64 * word - LANE_BITS * first
            low = self.builder.lshr(limbs[first], _splat(offset)) if offset else limbs[first]
            high = self.builder.shl(limbs[first + 1], _splat(LANE_BITS - offset))
            words.append(self.builder.or_(low, high))
        return words

    # Element arithmetic.

    def modulus(self) -> Any:
        """The modulus p in every lane, as a term of weighted sums."""
        return self._pack(self._modulus(), ELEMENT)

    def add(self, x: Any, y: Any) -> Any:
        """x + y mod p."""
        return self._pack(self._below(self._each("add", self._unpack(x), self._unpack(y))), ELEMENT)

    def subtract(self, x: Any, y: Any) -> Any:
        """x - y mod p."""
        difference = self._carry(self._each("sub", self._unpack(x), self._unpack(y)))
        negative = self.builder.icmp_signed("<", difference[-1], _ZERO)
        lifted = self._carry(self._each("add", difference, self._modulus()))
        return self._pack(self._choose(negative, lifted, difference), ELEMENT)

    def multiply(self, x: Any, y: Any) -> Any:
        """The Montgomery product of any 256-bit x and a factor y: x * (16 y) / 2^260 mod p."""
        x_limbs, y_limbs, modulus = self._unpack(x), self._unpack(y), self._modulus()
        low_sums = [_ZERO] * LIMBS
        for limb in x_limbs:
            low = [self._low(total, limb, other) for total, other in zip(low_sums, y_limbs, strict=True)]
            high = [self._high(_ZERO, limb, other) for other in y_limbs]
            low_sums = self._montgomery_step(low, high, modulus)
        return self._pack(self._below(low_sums), ELEMENT)

    def _montgomery_step(self, low: list[Any], high: list[Any], modulus: list[Any]) -> list[Any]:
        """The limbs of (low + 2^52 high + m p) / 2^52, for the m that makes the lowest limb vanish."""
        multiplier = self._low(_ZERO, low[0], self._constant(LANE_MONTGOMERY))
        low = [self._low(total, multiplier, limb) for total, limb in zip(low, modulus, strict=True)]
        high = [self._high(total, multiplier, limb) for total, limb in zip(high, modulus, strict=True)]
        carry = self.builder.lshr(low[0], _WIDTH)
        result = self._each("add", high, [*low[1:], _ZERO])
        return [self.builder.add(result[0], carry), *result[1:]]

    # Sums of small multiples.

    def weighted_zero(self) -> Any:
        """The empty weighted sum."""
        return self._pack([_ZERO] * (LIMBS + 1), WEIGHTED)

    def accumulate(self, total: Any, x: Any, weight: Any) -> Any:
        """total + weight * x for an unsigned weight below 2^40."""
        limbs, multiplier = self._unpack(total), self._every_lane(weight)
        for position, limb in enumerate(self._unpack(x)):
            limbs[position] = self._low(limbs[position], limb, multiplier)
            limbs[position + 1] = self._high(limbs[position + 1], limb, multiplier)
        return self._pack(limbs, WEIGHTED)

    def deduct(self, total: Any, x: Any, weight: Any) -> Any:
        """total - weight * x; the sum must not end below zero."""
        limbs, multiplier = self._unpack(total), self._every_lane(weight)
        for position, limb in enumerate(self._unpack(x)):
            low, high = self._low(_ZERO, limb, multiplier), self._high(_ZERO, limb, multiplier)
            limbs[position] = self.builder.sub(limbs[position], low)
            limbs[position + 1] = self.builder.sub(limbs[position + 1], high)
        return self._pack(limbs, WEIGHTED)

    def reduce_weighted(self, total: Any) -> Any:
        """A weighted sum below 2^40 p, mod p (Barrett, with a quotient that is one too small at most)."""
        limbs = self._carry(self._unpack(total))
        high = self.builder.or_(
            self.builder.shl(limbs[5], self._constant(LANE_SHIFT_LEFT)),
            self.builder.lshr(limbs[4], self._constant(LANE_SHIFT_RIGHT)),
        )
        quotient = self._high(_ZERO, high, self._constant(LANE_RECIPROCAL))
        multiple = [_ZERO] * LIMBS
        for position, limb in enumerate(self._modulus()):
            multiple[position] = self._low(multiple[position], limb, quotient)
            if position + 1 < LIMBS:
                multiple[position + 1] = self._high(multiple[position + 1], limb, quotient)
        rest = self._each("sub", limbs[:LIMBS], multiple)
        rest = self._carry(rest)
        rest[-1] = self.builder.and_(rest[-1], _MASK)
        return self._pack(self._below(rest), ELEMENT)

    def _every_lane(self, word: Any) -> Any:
        single = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, ir.Constant(_I64, 0))
        return self._shuffle(single, single, [0] * LANES)

    # Sums of products.

    def product_zero(self) -> Any:
        """The empty sum of products."""
        return self._pack([_ZERO] * (2 * LIMBS), PRODUCT)

    def accumulate_product(self, total: Any, x: Any, y: Any) -> Any:
        """total + x * y for an element x and a factor y, not reduced."""
        limbs = self._unpack(total)
        y_limbs = self._unpack(y)
        for position, x_limb in enumerate(self._unpack(x)):
            for other, y_limb in enumerate(y_limbs):
                place = position + other
                limbs[place] = self._low(limbs[place], x_limb, y_limb)
                limbs[place + 1] = self._high(limbs[place + 1], x_limb, y_limb)
        return self._pack(limbs, PRODUCT)

    def reduce_product(self, total: Any) -> Any:
        """A sum of at most 128 products with factors, times 2^-260 mod p."""
        limbs, modulus = self._unpack(total), self._modulus()
        for _ in range(LIMBS):
            low = [*limbs[:LIMBS]]
            step = self._montgomery_step(low, [_ZERO] * LIMBS, modulus)
            limbs = [*self._each("add", step, [*[_ZERO] * (LIMBS - 1), limbs[LIMBS]]), *limbs[LIMBS + 1 :]]
        return self.reduce_weighted(self._pack([*limbs, _ZERO], WEIGHTED))

    # Limbs.

    def _constant(self, position: int) -> Any:
        return self._read(self.constants, ir.Constant(_I64, position), LANES, 1)[0]

    def _modulus(self) -> list[Any]:
        return [self._constant(LANE_MODULUS + position) for position in range(LIMBS)]

    def _low(self, total: Any, x: Any, y: Any) -> Any:
        """total + the low 52 bits of the product of two 52-bit limbs."""
        return self.builder.call(self._low_half, [total, x, y])

    def _high(self, total: Any, x: Any, y: Any) -> Any:
        """total + the high 52 bits of the product of two 52-bit limbs."""
        return self.builder.call(self._high_half, [total, x, y])

    def _each(self, operation: str, x: list[Any], y: list[Any]) -> list[Any]:
        return [getattr(self.builder, operation)(a, b) for a, b in zip(x, y, strict=True)]

    def _carry(self, limbs: list[Any]) -> list[Any]:
        """The same value with 52 bits in every limb but the last, which takes the rest and the sign."""
        result, last = [], limbs[0]
        for limb in limbs[1:]:
            result.append(self.builder.and_(last, _MASK))
            last = self.builder.add(limb, self.builder.ashr(last, _WIDTH))
        return [*result, last]

    def _choose(self, condition: Any, x: list[Any], y: list[Any]) -> list[Any]:
        return [self.builder.select(condition, a, b) for a, b in zip(x, y, strict=True)]

    def _below(self, limbs: list[Any]) -> list[Any]:
        """A value below 2p in unsettled limbs, mod p, in 52-bit limbs."""
        settled = self._carry(limbs)
        difference = self._carry(self._each("sub", limbs, self._modulus()))
        return self._choose(self.builder.icmp_signed("<", difference[-1], _ZERO), settled, difference)

    def _pack(self, limbs: list[Any], kind: Any) -> Any:
        value = ir.Constant(kind, ir.Undefined)
        for position, limb in enumerate(limbs):
            value = self.builder.insert_value(value, limb, position)
        return value

    def _unpack(self, value: Any) -> list[Any]:
        return [self.builder.extract_value(value, position) for position in range(value.type.count)]
