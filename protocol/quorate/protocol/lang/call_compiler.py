"""Calls to instructions: functions of the program, builtins, new objects, closures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from quorate.protocol.vm.numbers import Operator
from quorate.protocol.vm.opcodes import OPERANDS, OPERATION_KINDS, Opcode, Operand, Query, ValueKind
from quorate.protocol.vm.secret_operators import SecretOperator

from . import syntax
from .builtins import Overload, Special
from .function_builder import Register
from .tables import BuiltinCall, ClosureCall, FunctionCall, ObjectCall, OperatorCall
from .types import INT64, NUMBER_KINDS, Type

if TYPE_CHECKING:
    from .expression_compiler import ExpressionCompiler

_SECRET_FORM: Final = {
    Opcode.APPEND: Opcode.APPEND_SECRET,
    Opcode.POP: Opcode.POP_SECRET,
}
_SECRET_NATIVES: Final = {"insert": "insert_secret", "pop_at": "pop_secret_at"}
_NUMBER_OPERATORS: Final = {Opcode.MINIMUM: Operator.MINIMUM, Opcode.MAXIMUM: Operator.MAXIMUM}


class CallCompiler:
    """Compiles the calls of one function."""

    def __init__(self, expressions: ExpressionCompiler) -> None:
        self._expressions = expressions
        self._builder = expressions.builder
        self._tables = expressions.tables

    def compile(self, call: syntax.Call) -> Register:
        """The register of a call's value."""
        resolved = self._tables.calls[call]
        if isinstance(resolved, FunctionCall):
            return self._function_call(call, resolved)
        if isinstance(resolved, ObjectCall):
            return self._object(call, resolved)
        if isinstance(resolved, ClosureCall):
            return self._closure(call, resolved)
        if isinstance(resolved, OperatorCall):
            return self._expressions.value(resolved.binary)
        lowering = resolved.overload.lowering
        if isinstance(lowering, Special):
            return self._special(call, resolved, lowering)
        if isinstance(lowering, str):
            return self._native(call, resolved, lowering)
        return self._instruction(call, resolved, lowering)

    def _function_call(self, call: syntax.Call, resolved: FunctionCall) -> Register:
        types = resolved.signature.types
        secrets = sum(type_.secret for type_ in types)
        clear_base = self._builder.take(secret=False, count=max(1, len(types) - secrets))
        secret_base = self._builder.take(secret=True, count=max(1, secrets))
        following = [clear_base.index, secret_base.index]
        for argument, type_ in zip(resolved.arguments, types, strict=True):
            self._expressions.into(Register(following[type_.secret], type_.secret), argument)
            following[type_.secret] += 1
        self._builder.at(call.span)
        index = self._expressions.functions[resolved.signature.name]
        self._builder.emit(Opcode.CALL, index, clear_base, secret_base)
        return secret_base if resolved.signature.result.secret else clear_base

    def _object(self, call: syntax.Call, resolved: ObjectCall) -> Register:
        target = self._builder.take(secret=False)
        self._builder.at(call.span)
        self._builder.emit(Opcode.LIST, target)
        for value, type_ in zip(resolved.values, resolved.object.fields.values(), strict=True):
            mark = self._builder.mark()
            source = self._expressions.default(type_) if value is None else self._expressions.value(value)
            self._expressions.append(target, source)
            self._builder.release(mark)
        return target

    def _closure(self, call: syntax.Call, resolved: ClosureCall) -> Register:
        target = self._builder.take(secret=False)
        self._builder.at(call.span)
        self._builder.emit(Opcode.CLOSURE, target, self._expressions.functions[resolved.signature.name])
        for local in resolved.captured:
            self._expressions.native(
                "capture", target, local.name, self._expressions.registers[local], target=target
            )
        return target

    def _special(self, call: syntax.Call, resolved: BuiltinCall, special: Special) -> Register:
        match special:
            case Special.PRINT:
                return self._print(call, resolved)
            case Special.SELECT:
                return self._select(call, resolved)
            case Special.CONSTANT:
                for argument in resolved.arguments:
                    self._expressions.value(argument)
                return self._builder.constant(resolved.overload.immediate)
            case Special.CONVERT:
                source = self._expressions.value(resolved.arguments[0])
                self._builder.at(call.span)
                return self._expressions.converted(source, NUMBER_KINDS[resolved.overload.result.name])
            case Special.RETAG:
                source, _ = (self._expressions.value(argument) for argument in resolved.arguments)
                return source
            case Special.OPEN_AT_GENERATOR:
                return self._open_at_generator(call, resolved)
            case Special.CLEAR_RANDOM | Special.CLEAR_RANDOM_ELEMENT:
                return self._clear_random(call, resolved)
            case Special.DIVMOD:
                return self._divmod(call, resolved)
            case Special.CALL_CLOSURE | Special.MAKE_CLOSURE:
                return self._call_closure(call, resolved)

    def _print(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        target = self._builder.take(secret=False)
        mark = self._builder.mark()
        sources = [self._expressions.value(argument) for argument in resolved.arguments]
        self._builder.at(call.span)
        for source in sources:
            self._builder.emit(Opcode.PRINT, source)
        self._builder.release(mark)
        self._builder.emit(Opcode.PRINT_LINE)
        return target

    def _select(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        """`select` with a clear condition evaluates both, then takes one."""
        condition, x, y = resolved.arguments
        target = self._builder.take_for(self._tables.type_of(call))
        mark = self._builder.mark()
        chosen, first, second = (self._expressions.value(argument) for argument in (condition, x, y))
        end, otherwise = self._expressions.label(), self._expressions.label()
        self._builder.at(call.span)
        self._builder.jump(otherwise, unless=chosen)
        self._builder.copy(target, first)
        self._builder.jump(end)
        self._builder.place(otherwise)
        self._builder.copy(target, second)
        self._builder.place(end)
        self._builder.release(mark)
        return target

    def _open_at_generator(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        """The share times the generator: of the named curve, or of the session's for a commitment."""
        target = self._builder.take(secret=False)
        mark = self._builder.mark()
        values = [self._expressions.value(argument) for argument in resolved.arguments]
        self._builder.at(call.span)
        names = [name for name, _ in resolved.overload.parameters]
        if "curve_name" in names:
            curve = values[1]
        else:
            curve = self._builder.take(secret=False)
            self._builder.emit(Opcode.QUERY, curve, Query.CURVE)
        if "index" in names:
            condition = self._builder.take(secret=False)
            self._builder.emit(Opcode.EQUAL, condition, values[1], self._builder.constant(0))
            message = self._builder.constant("a share has one commitment, number 0: the share times the generator")
            self._builder.emit(Opcode.ASSERT, condition, message)
        base = self._expressions.native("curve_generator", curve)
        self._builder.emit(Opcode.OPEN_POINT, target, values[0], base)
        self._builder.release(mark)
        return target

    def _clear_random(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        """A random number that every party knows: a random secret, opened."""
        target = self._builder.take(secret=False)
        mark = self._builder.mark()
        values = [self._expressions.value(argument) for argument in resolved.arguments]
        self._builder.at(call.span)
        if not values:
            share = self._expressions.native("random_field")
            self._builder.emit(Opcode.OPEN, target, share, ValueKind.FIELD)
        else:
            share = self._builder.take(secret=True)
            self._builder.emit(Opcode.SECRET_RANDOM, share, values[0])
            self._builder.emit(Opcode.OPEN, target, share, ValueKind.UINT64)
        self._builder.release(mark)
        return target

    def _divmod(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        """Quotient and remainder, rounded down; the remainder of secrets is made of the quotient."""
        target = self._builder.take(secret=False)
        mark = self._builder.mark()
        x, y = (self._expressions.value(argument) for argument in resolved.arguments)
        self._builder.at(call.span)
        self._builder.emit(Opcode.LIST, target)
        quotient, rest = (self._builder.take(secret=x.secret) for _ in range(2))
        if x.secret:
            code = SecretOperator.FLOOR_DIVIDE * OPERATION_KINDS + ValueKind.INT64
            self._builder.emit(Opcode.SECRET_OPERATE, quotient, x, y, code)
            self._builder.emit(Opcode.SECRET_MULTIPLY, rest, quotient, y)
            self._builder.emit(Opcode.SECRET_SUBTRACT, rest, x, rest)
        else:
            self._builder.emit(Opcode.FLOOR_DIVIDE, quotient, x, y)
            self._builder.emit(Opcode.MODULO, rest, x, y)
        self._expressions.append(target, quotient)
        self._expressions.append(target, rest)
        self._builder.release(mark)
        return target

    def _call_closure(self, call: syntax.Call, resolved: BuiltinCall) -> Register:
        closure, *arguments = resolved.arguments
        base = self._builder.take(secret=False, count=max(1, len(arguments)))
        mark = self._builder.mark()
        source = self._expressions.value(closure)
        for place, argument in enumerate(arguments):
            self._expressions.into(Register(base.index + place, False), argument)
        self._builder.at(call.span)
        self._builder.emit(Opcode.CALL_CLOSURE, source, base)
        self._builder.release(mark)
        return base

    def _ordered(self, overload: Overload, values: list[Register]) -> list[Register]:
        """The operands in the order of the instruction: parameters, then defaults; -1 is the last default."""
        defaults = [self._builder.constant(value) for value in overload.defaults]
        everything = [*values, *defaults]
        if not overload.defaults or any(index < 0 for index in overload.order):
            return [everything[index] for index in overload.order]
        return [*(values[index] for index in overload.order), *defaults]

    def _native(self, call: syntax.Call, resolved: BuiltinCall, name: str) -> Register:
        overload = resolved.overload
        if resolved.element.secret:
            name = _SECRET_NATIVES.get(name, name)
        target = self._builder.take_for(self._tables.type_of(call))
        mark = self._builder.mark()
        values = [self._expressions.value(argument) for argument in resolved.arguments]
        operands: list[Register] = self._ordered(overload, values)
        if overload.immediate is not None:
            operands.append(self._builder.constant(overload.immediate))
        if name == "slice" and overload.defaults:
            operands[-1] = self._builder.constant(1)
        self._builder.at(call.span)
        self._expressions.native(name, *operands, target=target)
        self._builder.release(mark)
        return target

    def _instruction(self, call: syntax.Call, resolved: BuiltinCall, opcode: Opcode) -> Register:
        overload = resolved.overload
        if resolved.element.secret:
            opcode = _SECRET_FORM.get(opcode, opcode)
        result = self._tables.type_of(call)
        target = self._builder.take_for(result)
        mark = self._builder.mark()
        values = [self._expressions.value(argument) for argument in resolved.arguments]
        immediate = overload.immediate
        if opcode is Opcode.SECRET_RANDOM and not values:
            values = [self._builder.constant(immediate)]
            sources = iter(values)
        else:
            sources = iter(self._ordered(overload, values))
        if opcode in _NUMBER_OPERATORS and result != INT64:
            code = _NUMBER_OPERATORS[opcode] * OPERATION_KINDS + NUMBER_KINDS.get(result.name, ValueKind.INT64)
            self._builder.emit(Opcode.OPERATE, target, *values, code)
            self._builder.release(mark)
            return target
        number = immediate if isinstance(immediate, int) else kind_of(resolved.element)
        operands: list[Register | int] = []
        for kind in OPERANDS[opcode]:
            if kind in (Operand.CLEAR_TARGET, Operand.SECRET_TARGET):
                operands.append(target)
            elif kind in (Operand.KIND, Operand.QUERY):
                operands.append(number)
            else:
                operands.append(next(sources))
        self._builder.at(call.span)
        self._builder.emit(opcode, *operands)
        if opcode in (Opcode.SEND, Opcode.SEND_LIST):
            self._builder.load(target, True)
        self._builder.release(mark)
        return target


def kind_of(type_: Type) -> ValueKind:
    """The kind of number behind a type; a Share is read as an int64."""
    if type_.name == "bool":
        return ValueKind.BOOL
    return NUMBER_KINDS.get(type_.name, ValueKind.INT64)
