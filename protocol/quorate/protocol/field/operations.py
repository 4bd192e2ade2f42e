"""The arithmetic of all kernel sets as numba intrinsics: the words in which the loops of `kernels` are written.

The first argument of each is the field's table of constants. Its dimensions pick the code that is emitted: one
element of four limbs at a time (`scalar`), one of one word (`words`), or eight of either in vector lanes (`lanes`).
Values inside a loop have one of four kinds: an element; a factor (the second operand of a product, which some sets
keep shifted); a weighted sum; a sum of products.
"""

from __future__ import annotations

from inspect import Parameter, Signature
from typing import Any

import numba.core.types
import numba.extending
from llvmlite import ir

from . import lanes as _lanes
from . import scalar as _scalar
from . import words as _words
from .constants import (
    CARRY,
    DIMENSIONS,
    GOLDILOCKS_WORD,
    IFMA,
    IFMA_WORD,
    LANE_SETS,
    LANES,
    MERSENNE_WORD,
    PORTABLE,
    WORD,
)

# numba has annotations in places only, so that its decorators cannot be checked: Any keeps the edge in one place.
_types: Any = numba.core.types
_extending: Any = numba.extending
_TypeBase: Any = _types.Type
_ModelBase: Any = _extending.models.PrimitiveModel


_SETS: Any = {
    PORTABLE: (_scalar.ScalarEmitter, _scalar.TYPES),
    IFMA: (_lanes.LaneEmitter, _lanes.TYPES),
    CARRY: (_scalar.CarryEmitter, _scalar.TYPES),
    WORD: (_words.WordEmitter, _words.TYPES),
    GOLDILOCKS_WORD: (_words.GoldilocksEmitter, _words.TYPES),
    MERSENNE_WORD: (_words.MersenneEmitter, _words.TYPES),
    IFMA_WORD: (_lanes.WordLaneEmitter, _lanes.WORD_TYPES),
}
_LANE_DIMENSIONS = {DIMENSIONS[kernels] for kernels in LANE_SETS.values()}
_BY_DIMENSIONS: Any = {DIMENSIONS[kernels]: entry for kernels, entry in _SETS.items()}


class LimbType(_TypeBase):  # type: ignore[misc]  # the base class is Any, see above
    """The numba type of a value of one kind ("element", "factor", "weighted", "product") in one kernel set."""

    def __init__(self, kind: str, dimensions: int) -> None:
        self.kind = kind
        self.dimensions = dimensions
        super().__init__(name=f"LimbType({kind}, {dimensions})")


class _LimbModel(_ModelBase):  # type: ignore[misc]  # the base class is Any, see above
    """A limb value is one LLVM value, in registers after optimisation."""

    def __init__(self, manager: Any, limb: LimbType) -> None:
        super().__init__(manager, limb, _BY_DIMENSIONS[limb.dimensions][1][limb.kind])


_extending.register_model(LimbType)(_LimbModel)


def _pointer(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """The first word of an array, or of the memory at an address."""
    if isinstance(kind, _types.Integer):
        return builder.inttoptr(value, ir.IntType(64).as_pointer())
    return context.make_array(kind)(context, builder, value).data


def _operation(method: str, operands: int, result: Any, *, memory: bool = False) -> Any:
    """An intrinsic that emits `method` of the emitter for the kind of its constants.

    It takes the constants and `operands` operands. `result` is a kind of limb value or a numba type. With
    `memory`, the first operand is an array or an address.
    """

    def infer(_typing: Any, constants: Any, *kinds: Any) -> tuple[Any, Any]:
        returned = LimbType(result, constants.ndim) if isinstance(result, str) else result
        return returned(constants, *kinds), generate

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        table = _pointer(context, builder, signature.args[0], values[0])
        emitter: Any = _BY_DIMENSIONS[signature.args[0].ndim][0](builder, table)
        given = list(values[1:])
        if memory:
            given[0] = _pointer(context, builder, signature.args[1], given[0])
        value = getattr(emitter, method)(*given)
        return context.get_dummy_value() if signature.return_type == _types.void else value

    infer.__name__ = method
    names = ["typing", "constants", *(f"operand_{position}" for position in range(operands))]
    parameters = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    vars(infer)["__signature__"] = Signature(parameters)  # numba reads the number of arguments from it
    return _extending.intrinsic(infer)


def _infer_lanes(_typing: Any, constants: Any) -> tuple[Any, Any]:
    def generate(context: Any, _builder: Any, _signature: Any, _values: Any) -> Any:
        return context.get_constant(_types.intp, LANES if constants.ndim in _LANE_DIMENSIONS else 1)

    return _types.intp(constants), generate


lanes: Any = _extending.intrinsic(_infer_lanes)
"""lanes(constants): how many elements one step of a loop handles."""

# Memory. An (n, 4) or (n, 1) array holds elements in rows; instead of an array, an address will do.

load = _operation("load", 2, "element", memory=True)
"""load(constants, rows, index): the elements from row `index` on."""
load_factor = _operation("load_factor", 2, "factor", memory=True)
"""load_factor(constants, rows, index): the same, as the second operand of a product."""
load_random = _operation("load_random", 2, "element", memory=True)
"""load_random(constants, rows, index): elements from the integers in the rows of an (n, 5) or (n, 2) array."""
broadcast_factor = _operation("broadcast_factor", 2, "factor", memory=True)
"""broadcast_factor(constants, rows, index): the factor at row `index` in every lane."""
broadcast = _operation("broadcast", 2, "element", memory=True)
"""broadcast(constants, rows, index): the element at row `index` in every lane; scalar code only."""
table_factor = _operation("table_factor", 2, "factor", memory=True)
"""table_factor(constants, table, index): row `index` of a `dispatch.factor_table`, in every lane."""
store = _operation("store", 3, _types.void, memory=True)
"""store(constants, rows, index, value): write elements from row `index` on."""
keep = _operation("keep", 3, _types.void, memory=True)
"""keep(constants, scratch, index, value): write elements to a place of a scratch array, as in registers."""
load_kept = _operation("load_kept", 2, "element", memory=True)
"""load_kept(constants, scratch, index): what `keep` wrote."""
count_excess = _operation("count_excess", 2, _types.int64, memory=True)
"""count_excess(constants, rows, index): how many rows of this step are not below p; scalar code only."""

# Elements.

modulus = _operation("modulus", 0, "element")
"""modulus(constants): p itself, as a term of weighted sums."""
add = _operation("add", 2, "element")
"""add(constants, x, y): x + y mod p."""
subtract = _operation("subtract", 2, "element")
"""subtract(constants, x, y): x - y mod p; scalar code only."""
multiply = _operation("multiply", 2, "element")
"""multiply(constants, x, y): x * y / radix mod p, of an element and a factor."""

# Sums of small multiples.

weighted_zero = _operation("weighted_zero", 0, "weighted")
"""weighted_zero(constants): the empty sum."""
accumulate = _operation("accumulate", 3, "weighted")
"""accumulate(constants, total, x, weight): total + weight * x, with 0 <= weight < 2^40."""
deduct = _operation("deduct", 3, "weighted")
"""deduct(constants, total, x, weight): total - weight * x; the sum must not end below zero."""
reduce_weighted = _operation("reduce_weighted", 1, "element")
"""reduce_weighted(constants, total): a sum below 2^40 p, mod p."""

# Sums of products.

product_zero = _operation("product_zero", 0, "product")
"""product_zero(constants): the empty sum."""
accumulate_product = _operation("accumulate_product", 3, "product")
"""accumulate_product(constants, total, x, y): total + x * y, of an element and a factor."""
reduce_product = _operation("reduce_product", 1, "element")
"""reduce_product(constants, total): a sum below 2^40 p^2, divided by the radix, mod p."""
settle = _operation("settle", 1, "product")
"""settle(constants, total): the same sum, with room for 128 more products."""
