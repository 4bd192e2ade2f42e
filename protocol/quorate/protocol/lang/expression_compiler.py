"""Expressions to instructions. Every expression yields a register: a variable's own, or a new one."""

from __future__ import annotations

import dataclasses

from quorate.protocol.vm.natives import NATIVES, NUMBERS
from quorate.protocol.vm.opcodes import Opcode, ValueKind

from . import syntax
from .call_compiler import CallCompiler
from .function_builder import FunctionBuilder, Label, Register
from .operator_compiler import opens_and_compares, operate
from .syntax import Expression
from .tables import Local, Tables
from .types import BOOL, BYTES, INT64, NUMBER_KINDS, STRING, Type


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
        self.functions = functions
        self._calls = CallCompiler(self)

    def label(self) -> Label:
        """A new label."""
        self.labels.append(Label())
        return self.labels[-1]

    def type_of(self, expression: Expression) -> Type:
        """The type of an expression's register: what it is, or secret where it is lifted."""
        type_ = self.tables.type_of(expression)
        return type_.hidden if expression in self.tables.lifted else type_

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
        if expression in self.tables.constants:
            return self.builder.constant(self.tables.constants[expression])  # type: ignore[arg-type]  # the checker's
        match expression:
            case syntax.String(value=value) | syntax.Boolean(value=value):
                return self.builder.constant(value)
            case syntax.FormatString():
                return self._format(expression)
            case syntax.DictLiteral():
                return self._dictionary(expression)
            case syntax.Comprehension():
                return self._comprehension(expression)
            case syntax.Attribute():
                return self._field(expression)
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
                return self._calls.compile(expression)
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

    def native(
        self, name: str, *arguments: Register | int | str | None, target: Register | None = None
    ) -> Register:
        """Call a native: registers and constants, in its order; the register of the result."""
        native = NATIVES[NUMBERS[name]]
        result = target or self.builder.take(secret=native.gives_secret)
        mark = self.builder.mark()
        clear = self.builder.take(secret=False, count=max(1, native.clear))
        secret = self.builder.take(secret=True, count=max(1, native.secrets))
        following = {False: clear.index, True: secret.index}
        for argument in arguments:
            of_secret = isinstance(argument, Register) and argument.secret
            place = Register(following[of_secret], of_secret)
            following[of_secret] += 1
            if isinstance(argument, Register):
                self.builder.copy(place, argument)
            else:
                self.builder.load(place, argument)
        opcode = Opcode.NATIVE_SECRET if native.gives_secret else Opcode.NATIVE
        self.builder.emit(opcode, result, NUMBERS[name], clear, secret)
        self.builder.release(mark)
        return result

    def _format(self, node: syntax.FormatString) -> Register:
        target = self.builder.take(secret=False)
        self.builder.load(target, "")
        for part in node.parts:
            mark = self.builder.mark()
            if isinstance(part, str):
                text = self.builder.constant(part)
            else:
                text = self.value(part)
                if self.tables.type_of(part) != STRING:
                    text = self.native("to_string", text)
            self.builder.at(node.span)
            self.builder.emit(Opcode.CONCATENATE, target, target, text)
            self.builder.release(mark)
        return target

    def _dictionary(self, literal: syntax.DictLiteral) -> Register:
        target = self.native("dictionary")
        for key, value in literal.items:
            mark = self.builder.mark()
            place, source = self.value(key), self.value(value)
            self.builder.emit(Opcode.SET_SECRET if source.secret else Opcode.SET, target, place, source)
            self.builder.release(mark)
        return target

    def iterated(self, target: Register, items: Expression) -> None:
        """What a loop runs over: a list, the keys of a dictionary, or a string."""
        if self.tables.type_of(items).key is not None:
            self.native("keys", self.value(items), target=target)
        else:
            self.into(target, items)

    def element(self, target: Register, items: Register, index: Register, *, of: Type) -> None:
        """`target = items[index]`."""
        if of in (STRING, BYTES):
            self.native("byte_at" if of == BYTES else "character_at", items, index, target=target)
        else:
            self.builder.emit(Opcode.GET_SECRET if target.secret else Opcode.GET, target, items, index)

    def _comprehension(self, node: syntax.Comprehension) -> Register:
        builder = self.builder
        target = builder.take(secret=False)
        builder.emit(Opcode.LIST, target)
        mark = builder.mark()
        items, counter, one, condition = (builder.take(secret=False) for _ in range(4))
        self.iterated(items, node.items)
        builder.load(counter, 0)
        builder.load(one, 1)
        local = self.tables.locals[node]
        variable = self.registers[local] = builder.take_for(local.type)
        again, end, skip = self.label(), self.label(), self.label()
        builder.place(again)
        builder.emit(Opcode.LENGTH, condition, items)
        builder.emit(Opcode.LESS, condition, counter, condition)
        builder.jump(end, unless=condition)
        self.element(variable, items, counter, of=self.tables.type_of(node.items))
        if node.condition is not None:
            self.into(condition, node.condition)
            builder.jump(skip, unless=condition)
        value = self.value(node.value)
        builder.emit(Opcode.APPEND_SECRET if value.secret else Opcode.APPEND, target, value)
        builder.place(skip)
        builder.emit(Opcode.ADD, counter, counter, one)
        builder.jump(again)
        builder.place(end)
        builder.release(mark)
        return target

    def field_number(self, node: syntax.Attribute) -> Register:
        """The place of a field in the list that its object is."""
        info = self.tables.objects[self.tables.type_of(node.object).name]
        return self.builder.constant(list(info.fields).index(node.name))

    def _field(self, node: syntax.Attribute) -> Register:
        target = self.builder.take_for(self.tables.type_of(node))
        mark = self.builder.mark()
        object_, index = self.value(node.object), self.field_number(node)
        self.builder.at(node.span)
        self.builder.emit(Opcode.GET_SECRET if target.secret else Opcode.GET, target, object_, index)
        self.builder.release(mark)
        return target

    def default(self, type_: Type) -> Register:
        """The value of a variable without one: zero, False, an empty text or collection, an object of defaults."""
        builder = self.builder
        if type_.secret:
            target = builder.take(secret=True)
            mark = builder.mark()
            builder.emit(Opcode.LIFT, target, builder.constant(0))
            builder.release(mark)
            return target
        if type_.key is not None:
            return self.native("dictionary")
        if type_ == BYTES:
            return self.native("bytes_from_string", "")
        info = self.tables.objects.get(type_.name)
        if type_.item is None and info is None:
            return self._default_scalar(type_)
        target = builder.take(secret=False)
        builder.emit(Opcode.LIST, target)
        for field in info.fields.values() if info is not None and type_.item is None else ():
            self.append(target, self.default(field))
        return target

    def _default_scalar(self, type_: Type) -> Register:
        simple: dict[Type, str | bool | int] = {STRING: "", BOOL: False, INT64: 0}
        if type_ in simple:
            return self.builder.constant(simple[type_])
        kind = NUMBER_KINDS.get(type_.name)
        if kind is None:
            return self.builder.constant(None)
        return self.native("convert", 0, int(kind))

    def append(self, items: Register, value: Register) -> None:
        """Append a value to a list."""
        self.builder.emit(Opcode.APPEND_SECRET if value.secret else Opcode.APPEND, items, value)

    def converted(self, value: Register, kind: ValueKind) -> Register:
        """A clear number as another kind."""
        return self.native("convert", value, int(kind))

    def _unary(self, unary: syntax.Unary) -> Register:
        type_ = self.tables.type_of(unary)
        target = self.builder.take_for(type_)
        mark = self.builder.mark()
        operand = self.value(unary.operand)
        self.builder.at(unary.span)
        if unary.operator == "-":
            if not type_.secret and type_ != INT64:
                zero = Value(self.converted(self.builder.constant(0), NUMBER_KINDS[type_.name]), type_)
                operate(self, "-", target, zero, Value(operand, type_))
            else:
                self.builder.emit(Opcode.SECRET_NEGATE if type_.secret else Opcode.NEGATE, target, operand)
        elif type_.secret or type_ == BOOL:
            self.builder.emit(Opcode.SECRET_NOT if type_.secret else Opcode.NOT, target, operand)
        elif type_.name.startswith("u"):
            mask = (1 << int(type_.name[4:])) - 1
            operate(self, "xor", target, Value(operand, type_), Value(self.builder.constant(mask), type_))
        else:
            self.builder.emit(Opcode.BIT_NOT, target, operand)
        self.builder.release(mark)
        return target

    def _binary(self, binary: syntax.Binary) -> Register:
        type_ = self.tables.type_of(binary)
        if type_ == BOOL and binary.operator in ("and", "or"):
            return self._short_circuit(binary)
        target = self.builder.take_for(type_)
        mark = self.builder.mark()
        if binary.operator in ("in", "not in"):
            value, items = self.value(binary.left), self.value(binary.right)
            self.builder.at(binary.operator_span)
            self.native("contains", items, value, target=target)
            if binary.operator == "not in":
                self.builder.emit(Opcode.NOT, target, target)
        elif binary.operator == "**" and type_.secret:
            self._power(binary, target)
        elif not opens_and_compares(self, binary, target):
            left = Value(self.value(binary.left), self.type_of(binary.left))
            right = Value(self.value(binary.right), self.type_of(binary.right))
            self.builder.at(binary.operator_span)
            self.operate(binary.operator, target, left, right)
        self.builder.release(mark)
        return target

    def _power(self, binary: syntax.Binary, target: Register) -> None:
        """A power of a secret: squares and products, as many as the exponent has bits."""
        base = self.value(binary.left)
        exponent = self.tables.constants[binary.right]
        assert isinstance(exponent, int)
        self.builder.at(binary.operator_span)
        if exponent == 0:
            self.builder.emit(Opcode.LIFT, target, self.builder.constant(1))
            return
        result = self.builder.take(secret=True)
        self.builder.copy(result, base)
        for bit in bin(exponent)[3:]:
            self.builder.emit(Opcode.SECRET_MULTIPLY, result, result, result)
            if bit == "1":
                self.builder.emit(Opcode.SECRET_MULTIPLY, result, result, base)
        self.builder.copy(target, result)

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
        operate(self, operator, target, left, right)

    def _index(self, node: syntax.Index) -> Register:
        target = self.builder.take_for(self.tables.type_of(node))
        mark = self.builder.mark()
        items, index = self.value(node.object), self.value(node.index)
        self.builder.at(node.span)
        self.element(target, items, index, of=self.tables.type_of(node.object))
        self.builder.release(mark)
        return target

    def _slice(self, node: syntax.Slice) -> Register:
        target = self.builder.take(secret=False)
        mark = self.builder.mark()
        items = self.value(node.object)
        bounds = [None if bound is None else self.value(bound) for bound in (node.start, node.stop, node.step)]
        self.builder.at(node.span)
        self.native("slice", items, bounds[0], bounds[1], 1 if bounds[2] is None else bounds[2], target=target)
        self.builder.release(mark)
        return target
