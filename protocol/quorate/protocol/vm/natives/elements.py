"""Elements of the session's field as bytes, and secrets computed with them.

An element is its canonical integer in 32 little-endian bytes. Square roots are those of opened values: their time
depends on the element. Source of the algorithm: Tonelli and Shanks, as in [Cohen, A Course in Computational
Algebraic Number Theory, 1993, algorithm 1.5.1].
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quorate.protocol.vm.engine import UNKNOWN, Secret
from quorate.protocol.vm.limits import Fault

from .native import Native, integer, octets

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State

ELEMENT_BYTES: Final = 32
"""The size of an element as bytes."""


def encode_element(value: int, modulus: int) -> bytes:
    """The bytes of an integer's residue."""
    return (value % modulus).to_bytes(ELEMENT_BYTES, "little")


def decode_element(value: Any, modulus: int) -> int:
    """The element behind clear bytes, reduced; raises WrongType, and Fault for another size."""
    data = octets(value)
    if len(data) != ELEMENT_BYTES:
        raise Fault(f"a field element has {ELEMENT_BYTES} bytes, not {len(data)}")
    return int.from_bytes(data, "little") % modulus


@functools.lru_cache(maxsize=8)
def _non_residue(modulus: int) -> int:
    """The least quadratic non-residue."""
    return next(number for number in range(2, 1024) if pow(number, (modulus - 1) // 2, modulus) == modulus - 1)


def square_root(value: int, modulus: int) -> int | None:
    """The root of at most (p-1)/2, or None where there is none."""
    value %= modulus
    if value == 0:
        return 0
    if pow(value, (modulus - 1) // 2, modulus) != 1:
        return None
    twos = ((modulus - 1) & -(modulus - 1)).bit_length() - 1
    odd = (modulus - 1) >> twos
    root, rest = pow(value, (odd + 1) // 2, modulus), pow(value, odd, modulus)
    generator = pow(_non_residue(modulus), odd, modulus)
    while rest != 1:
        order, power = 0, rest
        while power != 1:
            power, order = power * power % modulus, order + 1
        factor = pow(generator, 1 << (twos - order - 1), modulus)
        generator = factor * factor % modulus
        root, rest, twos = root * factor % modulus, rest * generator % modulus, order
    return min(root, modulus - root)


def _binary(operation: Any) -> Any:
    def run(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
        modulus = state.engine.environment.modulus
        x, y = (decode_element(value, modulus) for value in clear)
        return encode_element(operation(x, y), modulus)

    return run


def _from_int(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    return encode_element(integer(clear[0]), state.engine.environment.modulus)


def _negate(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    modulus = state.engine.environment.modulus
    return encode_element(-decode_element(clear[0], modulus), modulus)


def _inverse(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    modulus = state.engine.environment.modulus
    value = decode_element(clear[0], modulus)
    if value == 0:
        raise Fault("zero has no inverse")
    return encode_element(pow(value, -1, modulus), modulus)


def _square_root(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    modulus = state.engine.environment.modulus
    root = square_root(decode_element(clear[0], modulus), modulus)
    if root is None:
        raise Fault("the element is not a square")
    return encode_element(root, modulus)


def _is_zero(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    return decode_element(clear[0], state.engine.environment.modulus) == 0


def _equal(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    modulus = state.engine.environment.modulus
    return decode_element(clear[0], modulus) == decode_element(clear[1], modulus)


def _operand(state: State, value: Any) -> int:
    """An element to compute with; any one stands for what a dry run does not know."""
    return 1 if value is UNKNOWN else decode_element(value, state.engine.environment.modulus)


def _scale(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    return state.engine.scale(secrets[0], _operand(state, clear[0]))


def _add(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    return state.engine.add_constant(secrets[0], _operand(state, clear[0]))


def _lift(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    return state.engine.constant(_operand(state, clear[0]))


def _random_element(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    return state.engine.random_element()


ELEMENTS: Final = (
    Native("field_from_int", 1, _from_int),
    Native("field_add", 2, _binary(lambda x, y: x + y)),
    Native("field_sub", 2, _binary(lambda x, y: x - y)),
    Native("field_mul", 2, _binary(lambda x, y: x * y)),
    Native("field_neg", 1, _negate),
    Native("field_inverse", 1, _inverse),
    Native("field_sqrt", 1, _square_root),
    Native("field_is_zero", 1, _is_zero),
    Native("field_eq", 2, _equal),
    Native("share_mul_field", 1, _scale, secrets=1, gives_secret=True),
    Native("share_add_field", 1, _add, secrets=1, gives_secret=True),
    Native("share_from_field", 1, _lift, gives_secret=True),
    Native("random_field", 0, _random_element, gives_secret=True),
)
"""Every native of this module."""
