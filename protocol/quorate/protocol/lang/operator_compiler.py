"""Operators to instructions: by the kind of number, and by what of it is secret."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from quorate.protocol.vm.numbers import SECRET_FRACTION_BITS, Operator
from quorate.protocol.vm.opcodes import OPERATION_KINDS, Opcode, ValueKind
from quorate.protocol.vm.secret_operators import SecretOperator

from . import syntax
from .function_builder import Register
from .operators import common_number
from .tables import BuiltinCall
from .types import ANY, BOOL, BYTES, FIXED_KINDS, INT64, INTEGER_KINDS, NUMBER_KINDS, SECRET_BOOL, STRING

if TYPE_CHECKING:
    from .expression_compiler import ExpressionCompiler, Value

_CLEAR: Final = {
    "+": Opcode.ADD, "-": Opcode.SUBTRACT, "*": Opcode.MULTIPLY, "/": Opcode.DIVIDE, "%": Opcode.REMAINDER,
    "//": Opcode.FLOOR_DIVIDE, "mod": Opcode.MODULO, "and": Opcode.BIT_AND, "or": Opcode.BIT_OR,
    "xor": Opcode.BIT_XOR, "shl": Opcode.SHIFT_LEFT, "shr": Opcode.SHIFT_RIGHT, "<": Opcode.LESS,
    "<=": Opcode.LESS_EQUAL,
}  # fmt: skip
_OPERATORS: Final = {
    "+": Operator.ADD, "-": Operator.SUBTRACT, "*": Operator.MULTIPLY, "/": Operator.DIVIDE,
    "%": Operator.REMAINDER, "//": Operator.FLOOR_DIVIDE, "mod": Operator.MODULO, "and": Operator.BIT_AND,
    "or": Operator.BIT_OR, "xor": Operator.BIT_XOR, "shl": Operator.SHIFT_LEFT, "shr": Operator.SHIFT_RIGHT,
    "<": Operator.LESS, "<=": Operator.LESS_EQUAL, "**": Operator.POWER,
}  # fmt: skip
_SECRET: Final = {
    "+": Opcode.SECRET_ADD, "-": Opcode.SECRET_SUBTRACT, "*": Opcode.SECRET_MULTIPLY,
    "==": Opcode.SECRET_EQUAL, "<": Opcode.SECRET_LESS,
}  # fmt: skip
_SECRET_BITS: Final = {
    "and": Opcode.SECRET_MULTIPLY, "or": Opcode.SECRET_OR, "xor": Opcode.SECRET_XOR, "*": Opcode.SECRET_MULTIPLY,
}  # fmt: skip
_SECRET_OPERATORS: Final = {
    "/": SecretOperator.DIVIDE, "%": SecretOperator.REMAINDER, "//": SecretOperator.FLOOR_DIVIDE,
    "mod": SecretOperator.MODULO, "and": SecretOperator.BIT_AND, "or": SecretOperator.BIT_OR,
    "xor": SecretOperator.BIT_XOR, "shl": SecretOperator.SHIFT_LEFT, "shr": SecretOperator.SHIFT_RIGHT,
}  # fmt: skip
_FIXED_OPERATORS: Final = {"*": SecretOperator.FIXED_MULTIPLY, "/": SecretOperator.FIXED_DIVIDE}
_FLIPPED: Final = {">": "<", ">=": "<="}
_WIDE: Final = frozenset({"uint64"})
"""Integer types whose comparison takes more bits than that of int64."""


def operate(compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value) -> None:
    """`target = left operator right`, for operands that the checker has accepted."""
    if operator in _FLIPPED:
        operator, left, right = _FLIPPED[operator], right, left
    if target.secret:
        _operate_secretly(compiler, operator, target, left, right)
    else:
        _operate_clearly(compiler, operator, target, left, right)


def _operate_clearly(
    compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value
) -> None:
    emit, type_ = compiler.builder.emit, left.type if left.type != ANY else right.type
    if operator in ("==", "!="):
        if type_.item is not None:
            compiler.native("equal_lists", left.register, right.register, target=target)
            if operator == "!=":
                emit(Opcode.NOT, target, target)
            return
        left, right, _ = _aligned(compiler, left, right)
        emit(Opcode.EQUAL if operator == "==" else Opcode.NOT_EQUAL, target, left.register, right.register)
    elif operator == "+" and (type_ in (STRING, BYTES) or type_.item is not None):
        if type_ == STRING:
            emit(Opcode.CONCATENATE, target, left.register, right.register)
        else:
            name = "bytes_concat" if type_ == BYTES else "join_lists"
            compiler.native(name, left.register, right.register, target=target)
    elif operator == "xor" and type_ == BOOL:
        emit(Opcode.NOT_EQUAL, target, left.register, right.register)
    else:
        left, right, name = _aligned(compiler, left, right, shift=operator in ("shl", "shr"))
        if name == "int64" and operator in _CLEAR:
            emit(_CLEAR[operator], target, left.register, right.register)
        else:
            code = _OPERATORS[operator] * OPERATION_KINDS + NUMBER_KINDS[name]
            emit(Opcode.OPERATE, target, left.register, right.register, code)


def _aligned(
    compiler: ExpressionCompiler, left: Value, right: Value, *, shift: bool = False
) -> tuple[Value, Value, str]:
    """Two clear values as numbers of one type, and its name; what are no numbers stay as they are."""
    known_left = right.type if left.type == ANY else left.type
    known_right = left.type if right.type == ANY else right.type
    if known_left == ANY:
        return left, right, "int64"
    if shift:
        return left, right, known_left.name
    name = common_number(known_left, known_right)
    if name is None:
        return left, right, "int64"
    return _as(compiler, left, name), _as(compiler, right, name), name


def _as(compiler: ExpressionCompiler, value: Value, name: str) -> Value:
    """A value as a number of type `name`: an integer that meets a fraction becomes one."""
    if value.type.name == name or value.type.name not in INTEGER_KINDS or name in INTEGER_KINDS:
        return value
    if not value.type.secret:
        register = compiler.converted(value.register, NUMBER_KINDS[name])
        return dataclasses.replace(value, register=register, type=dataclasses.replace(value.type, name=name))
    target = compiler.builder.take(secret=True)
    unit = compiler.builder.constant(1 << SECRET_FRACTION_BITS)
    compiler.builder.emit(Opcode.SECRET_SCALE, target, value.register, unit)
    return dataclasses.replace(value, register=target, type=dataclasses.replace(value.type, name=name))


def _operate_secretly(
    compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value
) -> None:
    names = {left.type.name, right.type.name}
    if "bool" in names and names <= {"bool", "Share"} and _on_bits(compiler, operator, target, left, right):
        return
    if operator == "-" and left.type == INT64 and right.type == SECRET_BOOL:
        negated = compiler.builder.take(secret=True)
        compiler.builder.emit(Opcode.SECRET_NEGATE, negated, right.register)
        compiler.builder.emit(Opcode.SECRET_ADD_CLEAR, target, negated, left.register)
        return
    name = common_number(left.type, right.type) or left.type.name
    if operator in ("shl", "shr"):
        name = "int64" if left.type.name == "Share" else left.type.name
    if name in FIXED_KINDS and operator in _FIXED_OPERATORS:
        _on_fixed(compiler, operator, target, left, right, name)
        return
    if name in FIXED_KINDS:
        left, right = _as(compiler, left, name), _as(compiler, right, name)
    if operator in _SECRET_OPERATORS:
        _by_operator(compiler, _SECRET_OPERATORS[operator], NUMBER_KINDS[name], target, left, right)
    elif operator in ("<", "<=", "==", "!="):
        _compare(compiler, operator, target, left, right, name)
    else:
        _linear_or_product(compiler, operator, target, left, right)


def _linear_or_product(
    compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value
) -> None:
    emit = compiler.builder.emit
    if operator in ("+", "*") and not (left.type.secret and right.type.secret):
        secret, clear = (left, right) if left.type.secret else (right, left)
        opcode = Opcode.SECRET_ADD_CLEAR if operator == "+" else Opcode.SECRET_SCALE
        emit(opcode, target, secret.register, clear.register)
        return
    emit(_SECRET[operator], target, lifted(compiler, left), lifted(compiler, right))


def _on_bits(compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value) -> bool:
    """An operator on two bits; False when it is one on numbers."""
    emit = compiler.builder.emit
    if operator in ("and", "*") and not (left.type.secret and right.type.secret):
        secret, clear = (left, right) if left.type.secret else (right, left)
        emit(Opcode.SECRET_SCALE, target, secret.register, clear.register)
        return True
    if operator in _SECRET_BITS:
        emit(_SECRET_BITS[operator], target, lifted(compiler, left), lifted(compiler, right))
        return True
    if operator in ("==", "!=") and left.type.name == right.type.name:
        emit(Opcode.SECRET_XOR, target, lifted(compiler, left), lifted(compiler, right))
        if operator == "==":
            emit(Opcode.SECRET_NOT, target, target)
        return True
    return False


def _on_fixed(
    compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value, name: str
) -> None:
    """Products and quotients of fixed-point numbers; a product with an integer needs no rounding."""
    emit = compiler.builder.emit
    integers = [value for value in (left, right) if value.type.name in INTEGER_KINDS]
    if operator == "*" and integers:
        other = right if integers[0] is left else left
        if integers[0].type.secret and other.type.secret:
            emit(Opcode.SECRET_MULTIPLY, target, left.register, right.register)
        else:
            secret, clear = (left, right) if left.type.secret else (right, left)
            emit(Opcode.SECRET_SCALE, target, secret.register, clear.register)
        return
    left, right = _as(compiler, left, name), _as(compiler, right, name)
    if operator == "*" and not left.type.secret:
        left, right = right, left
    _by_operator(compiler, _FIXED_OPERATORS[operator], NUMBER_KINDS[name], target, left, right)


def _by_operator(
    compiler: ExpressionCompiler,
    operator: SecretOperator,
    kind: ValueKind,
    target: Register,
    left: Value,
    right: Value,
) -> None:
    emit, code = compiler.builder.emit, operator * OPERATION_KINDS + kind
    commutes = operator in (SecretOperator.BIT_AND, SecretOperator.BIT_OR, SecretOperator.BIT_XOR)
    if commutes and not left.type.secret:
        left, right = right, left
    x = lifted(compiler, left)
    if right.type.secret:
        emit(Opcode.SECRET_OPERATE, target, x, right.register, code)
    else:
        emit(Opcode.SECRET_OPERATE_CLEAR, target, x, right.register, code)


def _compare(
    compiler: ExpressionCompiler, operator: str, target: Register, left: Value, right: Value, name: str
) -> None:
    emit = compiler.builder.emit
    x, y = lifted(compiler, left), lifted(compiler, right)
    if operator == "<=":
        x, y = y, x
    equality = operator in ("==", "!=")
    if name in _WIDE:
        wide = SecretOperator.EQUAL if equality else SecretOperator.LESS
        emit(Opcode.SECRET_OPERATE, target, x, y, wide * OPERATION_KINDS + NUMBER_KINDS[name])
    else:
        emit(Opcode.SECRET_EQUAL if equality else Opcode.SECRET_LESS, target, x, y)
    if operator in ("<=", "!="):
        emit(Opcode.SECRET_NOT, target, target)


def lifted(compiler: ExpressionCompiler, value: Value) -> Register:
    """The register of a secret; a clear value becomes a public constant."""
    if value.type.secret:
        return value.register
    target = compiler.builder.take(secret=True)
    compiler.builder.emit(Opcode.LIFT, target, value.register)
    return target


def opens_and_compares(compiler: ExpressionCompiler, binary: syntax.Binary, target: Register) -> bool:
    """Compile `x.reveal() == n` on field elements, so that x may be any element; False for another expression.

    Blinded zero tests open a product with a random element, of which all that counts is whether it is zero.
    """
    call = binary.left
    resolved = compiler.tables.calls.get(call) if isinstance(call, syntax.Call) else None
    if binary.operator not in ("==", "!=") or not isinstance(resolved, BuiltinCall):
        return False
    types = compiler.tables.type_of(call), compiler.tables.type_of(binary.right)
    if resolved.overload.lowering is not Opcode.OPEN or types != (INT64, INT64):
        return False
    element = compiler.builder.take(secret=False)
    source = compiler.value(resolved.arguments[0])
    compiler.builder.at(call.span)
    compiler.builder.emit(Opcode.OPEN, element, source, ValueKind.FIELD)
    wanted = compiler.native("field_from_int", compiler.value(binary.right))
    compiler.builder.at(binary.operator_span)
    opcode = Opcode.EQUAL if binary.operator == "==" else Opcode.NOT_EQUAL
    compiler.builder.emit(opcode, target, element, wanted)
    return True
