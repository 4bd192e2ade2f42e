"""Expressions to instructions. Every expression yields a register: a variable's own, or a new one."""

from __future__ import annotations

import dataclasses
from typing import Final

from quorate.protocol.vm.opcodes import OPERANDS, Opcode, Operand, ValueKind

from . import syntax
from .builtins import RANDOM_BITS, Special
from .function_builder import FunctionBuilder, Label, Register
from .syntax import Expression
from .tables import BuiltinCall, FunctionCall, Local, Tables
from .types import BOOL, STRING, Type

_CLEAR: Final = {
    "+": Opcode.ADD, "-": Opcode.SUBTRACT, "*": Opcode.MULTIPLY, "/": Opcode.DIVIDE, "%": Opcode.REMAINDER,
    "//": Opcode.FLOOR_DIVIDE, "mod": Opcode.MODULO, "and": Opcode.BIT_AND, "or": Opcode.BIT_OR,
    "xor": Opcode.BIT_XOR, "shl": Opcode.SHIFT_LEFT, "shr": Opcode.SHIFT_RIGHT, "==": Opcode.EQUAL,
    "!=": Opcode.NOT_EQUAL, "<": Opcode.LESS, "<=": Opcode.LESS_EQUAL,
}  # fmt: skip
_SECRET: Final = {
    "+": Opcode.SECRET_ADD, "-": Opcode.SECRET_SUBTRACT, "*": Opcode.SECRET_MULTIPLY,
    "and": Opcode.SECRET_MULTIPLY, "or": Opcode.SECRET_OR, "xor": Opcode.SECRET_XOR,
    "==": Opcode.SECRET_EQUAL, "<": Opcode.SECRET_LESS,
}  # fmt: skip
_WITH_CLEAR: Final = {
    "+": Opcode.SECRET_ADD_CLEAR, "*": Opcode.SECRET_SCALE, "and": Opcode.SECRET_SCALE,
}  # fmt: skip
_FLIPPED: Final = {">": "<", ">=": "<="}
_SECRET_FORM: Final = {
    Opcode.APPEND: Opcode.APPEND_SECRET,
    Opcode.POP: Opcode.POP_SECRET,
    Opcode.GET: Opcode.GET_SECRET,
    Opcode.SET: Opcode.SET_SECRET,
}
_EVERYTHING: Final = (1 << 63) - 1


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """A register and the type of what it holds."""

    register: Register
    type: Type


class ExpressionCompiler:
    """Compiles the expressions of one function."""

    def __init__(self, builder: FunctionBuilder, tables: Tables, functions: dict[str, int]) -> None:
        self.builder = builder
        self.tables = tables
        self.registers: dict[Local, Register] = {}
        self.labels: list[Label] = []
        self._functions = functions

    def label(self) -> Label:
        """A new label."""
        self.labels.append(Label())
        return self.labels[-1]

    def type_of(self, expression: Expression) -> Type:
        """The type of an expression's register: what it is, or secret where it is lifted."""
        type_ = self.tables.type_of(expression)
        return Type(type_.name, secret=True) if expression in self.tables.lifted else type_

    def value(self, expression: Expression) -> Register:
        """Evaluate `expression`; a variable is not copied."""
        if expression not in self.tables.lifted:
            return self._value(expression)
        target = self.builder.take(secret=True)
        mark = self.builder.mark()
        source = self._value(expression)
        self.builder.emit(Opcode.LIFT, target, source)
        self.builder.release(mark)
        return target

    def into(self, target: Register, expression: Expression) -> None:
        """Evaluate `expression` into `target`."""
        mark = self.builder.mark()
        source = self.value(expression)
        self.builder.move(target, source, temporary_from=mark[target.secret])
        self.builder.release(mark)

    def _value(self, expression: Expression) -> Register:
        match expression:
            case syntax.Integer(value=value) | syntax.String(value=value) | syntax.Boolean(value=value):
                return self.builder.constant(value)
            case syntax.Name():
                return self.registers[self.tables.locals[expression]]
            case syntax.ListLiteral():
                return self._list(expression)
            case syntax.Unary():
                return self._unary(expression)
            case syntax.Binary():
                return self._binary(expression)
            case syntax.Index():
                return self._index(expression)
            case syntax.Slice():
                return self._slice(expression)
            case syntax.Call():
                return self._call(expression)
            case _:
                return self.builder.constant(None)

    def _list(self, literal: syntax.ListLiteral) -> Register:
        target = self.builder.take(secret=False)
        self.builder.emit(Opcode.LIST, target)
        for item in literal.items:
            mark = self.builder.mark()
            source = self.value(item)
            self.builder.emit(Opcode.APPEND_SECRET if source.secret else Opcode.APPEND, target, source)
            self.builder.release(mark)
        return target

    def _unary(self, unary: syntax.Unary) -> Register:
        if unary.operator == "-" and isinstance(unary.operand, syntax.Integer):
            return self.builder.constant(-unary.operand.value)
        type_ = self.tables.type_of(unary)
        target = self.builder.take_for(type_)
        mark = self.builder.mark()
        operand = self.value(unary.operand)
        self.builder.at(unary.span)
        if unary.operator == "-":
            opcode = Opcode.SECRET_NEGATE if type_.secret else Opcode.NEGATE
        elif type_.secret:
            opcode = Opcode.SECRET_NOT
        else:
            opcode = Opcode.NOT if type_ == BOOL else Opcode.BIT_NOT
        self.builder.emit(opcode, target, operand)
        self.builder.release(mark)
        return target

    def _binary(self, binary: syntax.Binary) -> Register:
        type_ = self.tables.type_of(binary)
        if type_ == BOOL and binary.operator in ("and", "or"):
            return self._short_circuit(binary)
        target = self.builder.take_for(type_)
        mark = self.builder.mark()
        left = Value(self.value(binary.left), self.type_of(binary.left))
        right = Value(self.value(binary.right), self.type_of(binary.right))
        self.builder.at(binary.operator_span)
        self.operate(binary.operator, target, left, right)
        self.builder.release(mark)
        return target

    def _short_circuit(self, binary: syntax.Binary) -> Register:
        target = self.builder.take(secret=False)
        self.into(target, binary.left)
        end = self.label()
        if binary.operator == "and":
            self.builder.jump(end, unless=target)
        else:
            self.builder.jump(end, when=target)
        self.into(target, binary.right)
        self.builder.place(end)
        return target

    def operate(self, operator: str, target: Register, left: Value, right: Value) -> None:
        """`target = left operator right`."""
        if operator in _FLIPPED:
            operator, left, right = _FLIPPED[operator], right, left
        if target.secret:
            self._operate_secretly(operator, target, left, right)
            return
        opcode = _CLEAR[operator]
        if left.type == STRING and operator == "+":
            opcode = Opcode.CONCATENATE
        elif left.type == BOOL and operator == "xor":
            opcode = Opcode.NOT_EQUAL
        self.builder.emit(opcode, target, left.register, right.register)

    def _operate_secretly(self, operator: str, target: Register, left: Value, right: Value) -> None:
        emit = self.builder.emit
        if operator in _WITH_CLEAR and not (left.type.secret and right.type.secret):
            secret, clear = (left, right) if left.type.secret else (right, left)
            emit(_WITH_CLEAR[operator], target, secret.register, clear.register)
            return
        x, y = self._lifted(left), self._lifted(right)
        if operator == "<=":
            emit(Opcode.SECRET_LESS, target, y, x)
            emit(Opcode.SECRET_NOT, target, target)
        elif operator in ("==", "!=") and left.type.name == right.type.name == "bool":
            emit(Opcode.SECRET_XOR, target, x, y)
            if operator == "==":
                emit(Opcode.SECRET_NOT, target, target)
        elif operator == "!=":
            emit(Opcode.SECRET_EQUAL, target, x, y)
            emit(Opcode.SECRET_NOT, target, target)
        else:
            emit(_SECRET[operator], target, x, y)

    def _lifted(self, value: Value) -> Register:
        if value.type.secret:
            return value.register
        target = self.builder.take(secret=True)
        self.builder.emit(Opcode.LIFT, target, value.register)
        return target

    def _index(self, node: syntax.Index) -> Register:
        target = self.builder.take_for(self.tables.type_of(node))
        mark = self.builder.mark()
        items, index = self.value(node.object), self.value(node.index)
        self.builder.at(node.span)
        self.builder.emit(Opcode.GET_SECRET if target.secret else Opcode.GET, target, items, index)
        self.builder.release(mark)
        return target

    def _slice(self, node: syntax.Slice) -> Register:
        target = self.builder.take(secret=False)
        mark = self.builder.mark()
        items = self.value(node.object)
        start = self.builder.constant(0) if node.start is None else self.value(node.start)
        stop = self.builder.constant(_EVERYTHING) if node.stop is None else self.value(node.stop)
        self.builder.at(node.span)
        self.builder.emit(Opcode.SLICE, target, items, start, stop)
        self.builder.release(mark)
        return target

    def _call(self, call: syntax.Call) -> Register:
        resolved = self.tables.calls[call]
        if isinstance(resolved, FunctionCall):
            return self._function_call(call, resolved)
        if resolved.overload.lowering is Special.PRINT:
            return self._print(call, resolved)
        if resolved.overload.lowering is Special.SELECT:
            return self._select(call, resolved)
        return self._instruction(call, resolved)

    def _function_call(self, call: syntax.Call, resolved: FunctionCall) -> Register:
        types = resolved.signature.types
        secrets = sum(type_.secret for type_ in types)
        clear_base = self.builder.take(secret=False, count=max(1, len(types) - secrets))
        secret_base = self.builder.take(secret=True, count=max(1, secrets))
        following = [clear_base.index, secret_base.index]
        for argument, type_ in zip(resolved.arguments, types, strict=True):
            self.into(Register(following[type_.secret], type_.secret), argument)
            following[type_.secret] += 1
        self.builder.at(call.span)
        self.builder.emit(Opcode.CALL, self._functions[resolved.signature.name], clear_base, secret_base)
        return secret_base if resolved.signature.result.secret else clear_base

    def _print(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        target = self.builder.take(secret=False)
        mark = self.builder.mark()
        sources = [self.value(argument) for argument in resolved.arguments]
        self.builder.at(call.span)
        for source in sources:
            self.builder.emit(Opcode.PRINT, source)
        self.builder.release(mark)
        self.builder.emit(Opcode.PRINT_LINE)
        return target

    def _select(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        """`select` with a clear condition evaluates both, then takes one."""
        condition, x, y = resolved.arguments
        target = self.builder.take_for(self.tables.type_of(call))
        mark = self.builder.mark()
        chosen, first, second = self.value(condition), self.value(x), self.value(y)
        end, otherwise = self.label(), self.label()
        self.builder.at(call.span)
        self.builder.jump(otherwise, unless=chosen)
        self.builder.move(target, first, temporary_from=_EVERYTHING)
        self.builder.jump(end)
        self.builder.place(otherwise)
        self.builder.move(target, second, temporary_from=_EVERYTHING)
        self.builder.place(end)
        self.builder.release(mark)
        return target

    def _instruction(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        overload = resolved.overload
        assert isinstance(overload.lowering, Opcode)
        opcode = overload.lowering
        if resolved.element.secret:
            opcode = _SECRET_FORM.get(opcode, opcode)
        result = self.tables.type_of(call)
        target = self.builder.take_for(result)
        mark = self.builder.mark()
        values = [self.value(argument) for argument in resolved.arguments]
        order: tuple[int, ...] = overload.order
        if opcode is Opcode.SECRET_RANDOM and not values:
            values, order = [self.builder.constant(RANDOM_BITS)], (0,)
        immediate = overload.immediate
        if immediate is None:
            immediate = ValueKind.BOOL if resolved.element.name == "bool" else ValueKind.INT64
        sources = iter(values[index] for index in order)
        operands: list[Register | int] = []
        for kind in OPERANDS[opcode]:
            if kind in (Operand.CLEAR_TARGET, Operand.SECRET_TARGET):
                operands.append(target)
            elif kind in (Operand.KIND, Operand.QUERY):
                operands.append(immediate)
            else:
                operands.append(next(sources))
        self.builder.at(call.span)
        self.builder.emit(opcode, *operands)
        self.builder.release(mark)
        return target
