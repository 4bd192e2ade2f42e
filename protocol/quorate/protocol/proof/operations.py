"""What the loops of `kernels` are written in, beyond the words of the field kernels: F_p^2 and the curves' group law.

A coordinate is an element of F_p, or for G2 a pair (a, b) for a + b i with i^2 = -1; each operation here is compiled
for the one or the other by the type of its operands. A point in a loop is (X, Y, ZZ, ZZZ) for (X / ZZ, Y / ZZZ), with
ZZ^3 = ZZZ^2, and ZZ = 0 for infinity [Explicit-Formulas Database, "XYZZ coordinates" for short Weierstrass curves;
Sutherland 2008]. Every exceptional case is decided: equal points are doubled, opposite ones give infinity.

Branches depend on the values: nothing here is constant time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba.core.types
import numba.extending
from llvmlite import ir

from quorate.protocol.field.constants import DIMENSIONS, IFMA
from quorate.protocol.field.operations import (
    LimbType,
    accumulate,
    add,
    deduct,
    load,
    modulus,
    multiply,
    reduce_weighted,
    store,
    subtract,
    weighted_zero,
)

# numba has annotations in places only, so that its decorators cannot be checked: Any keeps the edge in one place.
_types: Any = numba.core.types
_extending: Any = numba.extending
_Function = TypeVar("_Function", bound=Callable[..., Any])
_LANES: Final = DIMENSIONS[IFMA]
_G1_DIMENSIONS: Final = 3
"""Points of G1 are (n, coordinates, 4) words, those of G2 (n, coordinates, 2, 4)."""


def _jitable(function: _Function) -> _Function:
    """Let compiled code call a function."""
    return cast(_Function, _extending.register_jitable(function))


def _overload(stub: Any) -> Callable[[_Function], _Function]:
    """The code of a stub, by the types of its operands; strict would demand the same annotations of both."""
    return cast(Callable[[_Function], _Function], _extending.overload(stub, strict=False))


def _infer_is_zero(_typing: Any, element: Any) -> tuple[Any, Any]:
    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        return builder.icmp_unsigned("==", values[0], ir.Constant(values[0].type, 0))

    return _types.boolean(element), generate


_is_zero_element: Any = _extending.intrinsic(_infer_is_zero)


def difference(constants: Any, x: Any, y: Any) -> Any:
    """x - y mod p, of single elements and of lanes."""
    raise NotImplementedError("compiled code only")


@_overload(difference)
def _difference(constants: Any, x: Any, y: Any) -> Any:
    if constants.ndim != _LANES:

        def single(constants: Any, x: Any, y: Any) -> Any:
            return subtract(constants, x, y)

        return single

    def lanes(constants: Any, x: Any, y: Any) -> Any:
        total = accumulate(constants, weighted_zero(constants), modulus(constants), 1)
        total = deduct(constants, accumulate(constants, total, x, 1), y, 1)
        return reduce_weighted(constants, total)

    return lanes


# Coordinates: an element of F_p or a pair.


def plus(constants: Any, x: Any, y: Any) -> Any:
    """x + y."""
    raise NotImplementedError("compiled code only")


def minus(constants: Any, x: Any, y: Any) -> Any:
    """x - y."""
    raise NotImplementedError("compiled code only")


def times(constants: Any, x: Any, y: Any) -> Any:
    """x y."""
    raise NotImplementedError("compiled code only")


def is_zero(x: Any) -> bool:
    """Whether x = 0."""
    raise NotImplementedError("compiled code only")


def read(constants: Any, points: Any, row: int) -> Any:
    """Coordinate number `row` of an array of points, counted through all of them."""
    raise NotImplementedError("compiled code only")


def write(constants: Any, points: Any, row: int, x: Any) -> None:
    """Write a coordinate where `read` finds it."""
    raise NotImplementedError("compiled code only")


@_overload(plus)
def _plus(constants: Any, x: Any, y: Any) -> Any:
    if isinstance(x, LimbType):

        def single(constants: Any, x: Any, y: Any) -> Any:
            return add(constants, x, y)

        return single

    def pairs(constants: Any, x: Any, y: Any) -> Any:
        return (add(constants, x[0], y[0]), add(constants, x[1], y[1]))

    return pairs


@_overload(minus)
def _minus(constants: Any, x: Any, y: Any) -> Any:
    if isinstance(x, LimbType):

        def single(constants: Any, x: Any, y: Any) -> Any:
            return subtract(constants, x, y)

        return single

    def pairs(constants: Any, x: Any, y: Any) -> Any:
        return (subtract(constants, x[0], y[0]), subtract(constants, x[1], y[1]))

    return pairs


@_overload(times)
def _times(constants: Any, x: Any, y: Any) -> Any:
    if isinstance(x, LimbType):

        def single(constants: Any, x: Any, y: Any) -> Any:
            return multiply(constants, x, y)

        return single

    def pairs(constants: Any, x: Any, y: Any) -> Any:
        low, high = multiply(constants, x[0], y[0]), multiply(constants, x[1], y[1])
        crossed = multiply(constants, add(constants, x[0], x[1]), add(constants, y[0], y[1]))
        return subtract(constants, low, high), subtract(constants, subtract(constants, crossed, low), high)

    return pairs


@_overload(is_zero)
def _is_zero(x: Any) -> Any:
    if isinstance(x, LimbType):

        def single(x: Any) -> Any:
            return _is_zero_element(x)

        return single

    def pairs(x: Any) -> Any:
        return _is_zero_element(x[0]) and _is_zero_element(x[1])

    return pairs


@_overload(read)
def _read(constants: Any, points: Any, row: Any) -> Any:
    if points.ndim == _G1_DIMENSIONS:

        def single(constants: Any, points: Any, row: Any) -> Any:
            return load(constants, points, row)

        return single

    def pairs(constants: Any, points: Any, row: Any) -> Any:
        return (load(constants, points, 2 * row), load(constants, points, 2 * row + 1))

    return pairs


@_overload(write)
def _write(constants: Any, points: Any, row: Any, x: Any) -> Any:
    if points.ndim == _G1_DIMENSIONS:

        def single(constants: Any, points: Any, row: Any, x: Any) -> Any:
            return store(constants, points, row, x)

        return single

    def pairs(constants: Any, points: Any, row: Any, x: Any) -> None:
        store(constants, points, 2 * row, x[0])
        store(constants, points, 2 * row + 1, x[1])

    return pairs


# Points.


@_jitable
def read_affine(constants: Any, points: Any, index: int) -> Any:
    """Point `index` of an affine array: (x, y), both zero for infinity."""
    return read(constants, points, 2 * index), read(constants, points, 2 * index + 1)


@_jitable
def read_point(constants: Any, points: Any, index: int) -> Any:
    """Point `index` of an XYZZ array."""
    first = 4 * index
    return (
        read(constants, points, first),
        read(constants, points, first + 1),
        read(constants, points, first + 2),
        read(constants, points, first + 3),
    )


@_jitable
def write_point(constants: Any, points: Any, index: int, point: Any) -> None:
    """Write point `index` of an XYZZ array."""
    first = 4 * index
    write(constants, points, first, point[0])
    write(constants, points, first + 1, point[1])
    write(constants, points, first + 2, point[2])
    write(constants, points, first + 3, point[3])


@_jitable
def at_infinity(affine: Any) -> bool:
    """Whether an affine point is infinity, which is written as zeros: (0, 0) is on neither curve."""
    return is_zero(affine[0]) and is_zero(affine[1])


@_jitable
def infinity(constants: Any, one: Any) -> Any:
    """The neutral element."""
    zero = minus(constants, one, one)
    return one, one, zero, zero


@_jitable
def double(constants: Any, point: Any) -> Any:
    """2 P, also for infinity [dbl-2008-s-1, with a = 0]."""
    x, y, zz, zzz = point
    u = plus(constants, y, y)
    v = times(constants, u, u)
    w = times(constants, u, v)
    s = times(constants, x, v)
    square = times(constants, x, x)
    m = plus(constants, plus(constants, square, square), square)
    x3 = minus(constants, times(constants, m, m), plus(constants, s, s))
    y3 = minus(constants, times(constants, m, minus(constants, s, x3)), times(constants, w, y))
    return x3, y3, times(constants, v, zz), times(constants, w, zzz)


@_jitable
def add_affine(constants: Any, point: Any, affine: Any, one: Any) -> Any:
    """P + Q for an affine Q that is not infinity [madd-2008-s]."""
    x1, y1, zz, zzz = point
    if is_zero(zz):
        return affine[0], affine[1], one, one
    p = minus(constants, times(constants, affine[0], zz), x1)
    r = minus(constants, times(constants, affine[1], zzz), y1)
    if is_zero(p):
        if is_zero(r):
            return double(constants, point)
        return infinity(constants, one)
    pp = times(constants, p, p)
    ppp = times(constants, p, pp)
    q = times(constants, x1, pp)
    x3 = minus(constants, minus(constants, times(constants, r, r), ppp), plus(constants, q, q))
    y3 = minus(constants, times(constants, r, minus(constants, q, x3)), times(constants, y1, ppp))
    return x3, y3, times(constants, zz, pp), times(constants, zzz, ppp)


@_jitable
def add_points(constants: Any, left: Any, right: Any, one: Any) -> Any:
    """P + Q [add-2008-s]."""
    x1, y1, zz1, zzz1 = left
    x2, y2, zz2, zzz2 = right
    if is_zero(zz1):
        return right
    if is_zero(zz2):
        return left
    u, s = times(constants, x1, zz2), times(constants, y1, zzz2)
    p = minus(constants, times(constants, x2, zz1), u)
    r = minus(constants, times(constants, y2, zzz1), s)
    if is_zero(p):
        if is_zero(r):
            return double(constants, left)
        return infinity(constants, one)
    pp = times(constants, p, p)
    ppp = times(constants, p, pp)
    q = times(constants, u, pp)
    x3 = minus(constants, minus(constants, times(constants, r, r), ppp), plus(constants, q, q))
    y3 = minus(constants, times(constants, r, minus(constants, q, x3)), times(constants, s, ppp))
    zz = times(constants, times(constants, zz1, zz2), pp)
    return x3, y3, zz, times(constants, times(constants, zzz1, zzz2), ppp)
