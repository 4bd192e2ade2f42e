"""The vector kernel set: eight field elements at a time, in AVX-512 lanes with the IFMA instructions.

A value of eight elements is a vector of 64-bit lanes for each limb of 52 bits: five for four words, two for one. The
instructions multiply the low 52 bits of two lanes and add the low or the high half of the product to a third, which
leaves 12 spare bits for lazy sums. So the limbs of an element may carry anything above bit 52, except for the last
limb: operands need no masks. Rows of four 64-bit words are transposed and cut into limbs on load, joined and
transposed back on store.

Montgomery products here divide by 2^260 instead of 2^256: the second operand of each product, the factor, is
loaded times 16, so that the result is the same x * y / 2^256 as that of the portable set. For one word they divide
by 2^104, and the factor is loaded times 2^40, or times 2^43 for the Mersenne prime (`constants.factor_shift`).

S. Gueron, V. Krasnov, "Accelerating big integer arithmetic using Intel IFMA extensions" (2016).
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir

from .constants import (
    LANE_BITS,
    LANE_FACTOR_LEFT,
    LANE_FACTOR_RIGHT,
    LANE_MODULUS,
    LANE_MONTGOMERY,
    LANE_RECIPROCAL,
    LANE_SHIFT_LEFT,
    LANE_SHIFT_RIGHT,
    LANES,
)

_I64: Final = ir.IntType(64)
_VECTOR: Final = ir.VectorType(_I64, LANES)


def _types(limbs: int) -> dict[str, Any]:
    return {
        "element": ir.ArrayType(_VECTOR, limbs),  # canonical; bits above the 52nd of all but the last mean nothing
        "factor": ir.ArrayType(_VECTOR, limbs),  # elements times a power of two, the same way
        "weighted": ir.ArrayType(_VECTOR, limbs + 1),  # below 2^40 p; lanes are signed and hold more than 52 bits
        "product": ir.ArrayType(_VECTOR, 2 * limbs),  # sums of products with factors; lanes hold more than 52 bits
    }


TYPES: Final = _types(5)
"""The values of a loop over elements of four words."""
WORD_TYPES: Final = _types(2)
"""The values of a loop over elements of one word."""

_LOW: Final = "llvm.x86.avx512.vpmadd52l.uq.512"
_HIGH: Final = "llvm.x86.avx512.vpmadd52h.uq.512"
_ROTATION: Final = f"llvm.fshl.v{LANES}i64"


def _splat(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * LANES)


_ZERO: Final = _splat(0)
_MASK: Final = _splat((1 << LANE_BITS) - 1)
_WIDTH: Final = _splat(LANE_BITS)


class LaneEmitter:
    """Emits the arithmetic of eight elements at a time; `constants` points to the repeated uint64 constants."""

    limbs = 5

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
        return self._pack(self._split(self._transposed(rows, index), 0))

    def load_factor(self, rows: Any, index: Any) -> Any:
        """The same, times 16."""
        return self._pack(self._split(self._transposed(rows, index), 4))

    def broadcast_factor(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 4) array times 16, in every lane."""
        return self._pack(self._split(self._spread(rows, index, 4), 4))

    def table_factor(self, table: Any, index: Any) -> Any:
        """Row `index` of a table of the 52-bit limbs of factors, in every lane."""
        return self._pack(self._spread(table, index, self.limbs))

    def load_random(self, rows: Any, index: Any) -> Any:
        """The 320-bit integers at rows `index` to `index` + 7 of an (n, 5) array, times 2^-256 mod p."""
        vectors = self._read(rows, index, 5, 5)
        limbs = self._split([self._column(vectors, column) for column in range(5)], 4)
        settled = [self.builder.and_(limb, _MASK) for limb in limbs[:-1]]
        zeros = [_ZERO] * (2 * self.limbs - len(limbs))
        return self._pack(self._below(self._montgomery([*settled, limbs[-1], *zeros])))

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
        """Write elements as vectors of limbs to place `index` of a scratch array."""
        self._write(scratch, index, self.limbs * LANES, self._unpack(value))

    def load_kept(self, scratch: Any, index: Any) -> Any:
        """The elements that `keep` wrote."""
        return self._pack(self._read(scratch, index, self.limbs * LANES, self.limbs))

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
        """The 52-bit limbs of integers times 2^shift, with other bits above them; the last limb is exact."""
        limbs = []
        for first in range(-shift, 64 * len(words), LANE_BITS):
            word, offset = divmod(max(first, 0), 64)
            if first < 0:
                limb = self.builder.shl(words[0], _splat(-first))
            elif offset > 64 - LANE_BITS and word + 1 < len(words):
                limb = self._shift_pair(words[word + 1], words[word], offset)
            else:
                limb = self.builder.lshr(words[word], _splat(offset))
            limbs.append(limb)
        return limbs

    def _join(self, limbs: list[Any]) -> list[Any]:
        """The four 64-bit words of the five limbs of canonical elements."""
        spare = 64 - LANE_BITS
        lifted = [self.builder.shl(limb, _splat(spare)) for limb in limbs[:-1]]
        return [self._shift_pair(limbs[word + 1], lifted[word], spare * (word + 1)) for word in range(4)]

    def _shift_pair(self, high: Any, low: Any, offset: int) -> Any:
        """The 64 bits from bit `offset` of the pair on: one instruction where the CPU has AVX-512-VBMI2."""
        return self.builder.or_(
            self.builder.lshr(low, _splat(offset)), self.builder.shl(high, _splat(64 - offset))
        )

    # Element arithmetic.

    def modulus(self) -> Any:
        """The modulus p in every lane, as a term of weighted sums."""
        return self._pack(self._modulus())

    def add(self, x: Any, y: Any) -> Any:
        """x + y mod p."""
        total = self._each("add", self._settled(self._unpack(x)), self._settled(self._unpack(y)))
        return self._pack(self._below(total))

    def multiply(self, x: Any, y: Any) -> Any:
        """The product of elements x and factors y, divided by the radix, mod p."""
        product = self._unpack(self.accumulate_product(self.product_zero(), x, y))
        return self._pack(self._below(self._montgomery(product)))

    def _montgomery(self, limbs: list[Any]) -> list[Any]:
        """The upper half of the limbs after adding the multiple of p that makes the lower half vanish.

        When m p cancels the low 52 bits of a limb, what is left of the limb is its quotient by 2^52 rounded up: no
        product is needed for it.
        """
        limbs, modulus = list(limbs), self._modulus()
        for first in range(self.limbs):
            multiplier = self._low(_ZERO, limbs[first], self._constant(LANE_MONTGOMERY))
            carry = self.builder.lshr(self.builder.add(limbs[first], _MASK), _WIDTH)
            limbs[first + 1] = self.builder.add(limbs[first + 1], carry)
            for position, limb in enumerate(modulus):
                place = first + position
                if position:
                    limbs[place] = self._low(limbs[place], multiplier, limb)
                limbs[place + 1] = self._high(limbs[place + 1], multiplier, limb)
        return limbs[self.limbs :]

    # Sums of small multiples.

    def weighted_zero(self) -> Any:
        """The empty weighted sum."""
        return self._pack([_ZERO] * (self.limbs + 1))

    def accumulate(self, total: Any, x: Any, weight: Any) -> Any:
        """total + weight * x for an unsigned weight below 2^40."""
        limbs, multiplier = self._unpack(total), self._every_lane(weight)
        for position, limb in enumerate(self._unpack(x)):
            limbs[position] = self._low(limbs[position], limb, multiplier)
            limbs[position + 1] = self._high(limbs[position + 1], limb, multiplier)
        return self._pack(limbs)

    def deduct(self, total: Any, x: Any, weight: Any) -> Any:
        """total - weight * x; the sum must not end below zero."""
        limbs, multiplier = self._unpack(total), self._every_lane(weight)
        for position, limb in enumerate(self._unpack(x)):
            low, high = self._low(_ZERO, limb, multiplier), self._high(_ZERO, limb, multiplier)
            limbs[position] = self.builder.sub(limbs[position], low)
            limbs[position + 1] = self.builder.sub(limbs[position + 1], high)
        return self._pack(limbs)

    def reduce_weighted(self, total: Any) -> Any:
        """A weighted sum below 2^40 p, mod p (Barrett, with a quotient that is one too small at most)."""
        high = self._leading(self._carry(self._unpack(total)))
        quotient = self._high(_ZERO, high, self._constant(LANE_RECIPROCAL))
        multiple = self._unpack(self.accumulate(self.weighted_zero(), self.modulus(), quotient))
        rest = self._each("sub", self._unpack(total), multiple)
        # The rest is below 2p, so what lies above the last limb but one fits one lane.
        top = self.builder.add(rest[-2], self.builder.shl(rest[-1], _WIDTH))
        return self._pack(self._below([*rest[:-2], top]))

    def _leading(self, limbs: list[Any]) -> Any:
        """The leading bits of a weighted sum, 51 at most, from its limbs with carries passed on."""
        return self.builder.or_(
            self.builder.shl(limbs[-1], self._constant(LANE_SHIFT_LEFT)),
            self.builder.lshr(self.builder.and_(limbs[-2], _MASK), self._constant(LANE_SHIFT_RIGHT)),
        )

    def _every_lane(self, word: Any) -> Any:
        """A word in every lane; vectors stay as they are."""
        if word.type == _VECTOR:
            return word
        single = self.builder.insert_element(ir.Constant(_VECTOR, ir.Undefined), word, ir.Constant(_I64, 0))
        return self._shuffle(single, single, [0] * LANES)

    # Sums of products.

    def product_zero(self) -> Any:
        """The empty sum of products."""
        return self._pack([_ZERO] * (2 * self.limbs))

    def accumulate_product(self, total: Any, x: Any, y: Any) -> Any:
        """total + x * y for an element x and a factor y, not reduced."""
        limbs = self._unpack(total)
        y_limbs = self._unpack(y)
        for position, x_limb in enumerate(self._unpack(x)):
            for other, y_limb in enumerate(y_limbs):
                place = position + other
                limbs[place] = self._low(limbs[place], x_limb, y_limb)
                limbs[place + 1] = self._high(limbs[place + 1], x_limb, y_limb)
        return self._pack(limbs)

    def settle(self, total: Any) -> Any:
        """The same sum with lanes of 52 bits, so that 128 more products can be added."""
        return self._pack(self._settled(self._carry(self._unpack(total))))

    def reduce_product(self, total: Any) -> Any:
        """A sum of up to 2^15 products with factors, divided by the radix, mod p."""
        *limbs, last = self._montgomery(self._unpack(total))
        # The last lane may have all 64 bits, and lanes of weighted sums are signed.
        limbs += [self.builder.and_(last, _MASK), self.builder.lshr(last, _WIDTH)]
        return self.reduce_weighted(self._pack(limbs))

    # Limbs.

    def _constant(self, position: int) -> Any:
        return self._read(self.constants, ir.Constant(_I64, position), LANES, 1)[0]

    def _modulus(self) -> list[Any]:
        return [self._constant(LANE_MODULUS + position) for position in range(self.limbs)]

    def _low(self, total: Any, x: Any, y: Any) -> Any:
        """total + the low 52 bits of the product of two 52-bit limbs."""
        return self.builder.call(self._low_half, [total, x, y])

    def _high(self, total: Any, x: Any, y: Any) -> Any:
        """total + the high 52 bits of the product of two 52-bit limbs."""
        return self.builder.call(self._high_half, [total, x, y])

    def _each(self, operation: str, x: list[Any], y: list[Any]) -> list[Any]:
        return [getattr(self.builder, operation)(a, b) for a, b in zip(x, y, strict=True)]

    def _carry(self, limbs: list[Any]) -> list[Any]:
        """The same value with its carries passed on, but not yet cut off; the last limb takes the sign."""
        result = limbs[:1]
        for limb in limbs[1:]:
            result.append(self.builder.add(limb, self.builder.ashr(result[-1], _WIDTH)))
        return result

    def _settled(self, limbs: list[Any]) -> list[Any]:
        """Limbs with the bits above the 52nd cut off, except in the last."""
        return [*(self.builder.and_(limb, _MASK) for limb in limbs[:-1]), limbs[-1]]

    def _below(self, limbs: list[Any]) -> list[Any]:
        """A value below 2p in unsettled limbs, mod p, with carries passed on but not cut off."""
        whole = self._carry(limbs)
        less = self._carry(self._each("sub", limbs, self._modulus()))
        negative = self.builder.icmp_signed("<", less[-1], _ZERO)
        return [self.builder.select(negative, a, b) for a, b in zip(whole, less, strict=True)]

    def _pack(self, limbs: list[Any]) -> Any:
        value = ir.Constant(ir.ArrayType(_VECTOR, len(limbs)), ir.Undefined)
        for position, limb in enumerate(limbs):
            value = self.builder.insert_value(value, limb, position)
        return value

    def _unpack(self, value: Any) -> list[Any]:
        return [self.builder.extract_value(value, position) for position in range(value.type.count)]


class WordLaneEmitter(LaneEmitter):
    """The same for elements of one word, in two limbs; random bytes go through the base sets."""

    limbs = 2

    def load(self, rows: Any, index: Any) -> Any:
        """The elements at rows `index` to `index` + 7 of an (n, 1) array."""
        return self._pack(self._split(self._read(rows, index, 1, 1), 0))

    def load_factor(self, rows: Any, index: Any) -> Any:
        """The same, as factors."""
        return self._factor(self._read(rows, index, 1, 1)[0])

    def broadcast_factor(self, rows: Any, index: Any) -> Any:
        """The element at row `index` of an (n, 1) array as a factor, in every lane."""
        return self._factor(self._spread(rows, index, 1)[0])

    def store(self, rows: Any, index: Any, value: Any) -> None:
        """Write elements to rows `index` to `index` + 7 of an (n, 1) array."""
        low, high = self._unpack(value)
        word = self.builder.or_(self.builder.and_(low, _MASK), self.builder.shl(high, _WIDTH))
        self._write(rows, index, 1, [word])

    def _factor(self, word: Any) -> Any:
        low = self.builder.shl(word, self._constant(LANE_FACTOR_LEFT))
        return self._pack([low, self.builder.lshr(word, self._constant(LANE_FACTOR_RIGHT))])

    def _leading(self, limbs: list[Any]) -> Any:
        """The same; a sum is below 2^104, so its third limb is zero.

        For a modulus of 64 bits they start at bit 53, so the shift to the left is one to the right: a rotation does
        both, and what it leaves above bit 52 means nothing.
        """
        rotation = self._declared(ir.FunctionType(_VECTOR, [_VECTOR] * 3), _ROTATION)
        upper = self.builder.call(rotation, [limbs[1], limbs[1], self._constant(LANE_SHIFT_LEFT)])
        lower = self.builder.lshr(self.builder.and_(limbs[0], _MASK), self._constant(LANE_SHIFT_RIGHT))
        return self.builder.or_(upper, lower)
