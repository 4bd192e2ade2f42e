"""What each instruction becomes: lines of Python over variables, under what is known of the registers.

A template first makes sure that the operands are of the kinds that its expression is for; where one is not, the
machine takes over before anything has happened. What is checked once is known from there on. Operations that have
no template of their own are done by the machine's handler, on a scratch copy of the registers that they touch.
"""

from __future__ import annotations

from typing import Final

from quorate.protocol.vm.numbers import INTEGER_RANGES, Operator
from quorate.protocol.vm.opcodes import OPERATION_KINDS, Opcode, ValueKind
from quorate.protocol.vm.program import INT64_LEAST, INT64_MOST, Instruction

from .facts import ANYTHING, PYTHON_TYPES, TRUTH, Comparison, Kind, Value, integer, of_constant, of_type
from .integers import OPERATORS, expression
from .lines import GUARD, Mode, clear_name, secret_name
from .writer import Writer

_INT64: Final = (INT64_LEAST, INT64_MOST)
_MOST_LENGTH: Final = 1 << 40

_ENGINE_CALLS: Final = {
    Opcode.SECRET_ADD: "add",
    Opcode.SECRET_SUBTRACT: "subtract",
    Opcode.SECRET_MULTIPLY: "multiply",
    Opcode.SECRET_LESS: "less_than",
    Opcode.SECRET_EQUAL: "equal",
}

_DEMANDS: Final = {
    **dict.fromkeys(OPERATORS, Kind.INTEGER),
    **dict.fromkeys(
        (Opcode.LESS, Opcode.LESS_EQUAL, Opcode.NEGATE, Opcode.ABSOLUTE, Opcode.BIT_NOT), Kind.INTEGER
    ),
    **dict.fromkeys((Opcode.JUMP_IF, Opcode.JUMP_UNLESS, Opcode.NOT), Kind.BOOL),
}
"""Operations that work on one kind only, whichever operand it is."""


class BlockWriter(Writer):
    """Writes the lines of one block, and changes `facts` to what is known behind it."""

    def write(self) -> None:
        """Write the block."""
        if self._number in self._plan.looks:
            self._index = self._block.start
            self._guard("steps > room")
        for index in range(self._block.start, self._block.stop):
            self._index = index
            if self._elided:
                self.patches[index] = dict(self._elided)
            self._instruction(self._code[index])
            target = self._graph.accesses[index].clear_target
            if target is not None and self._code[index][0] != Opcode.LOAD:
                self._elided.pop(target, None)

    def _instruction(self, instruction: Instruction) -> None:
        opcode = Opcode(instruction[0])
        if opcode in OPERATORS:
            self._arithmetic(OPERATORS[opcode], instruction, bounds=_INT64)
        elif opcode in _ENGINE_CALLS:
            _, target, left, right = instruction
            call = f"{_ENGINE_CALLS[opcode]}({secret_name(left)}, {secret_name(right)})"
            self._emit(f"{secret_name(target)} = {call}", Mode.COUNTED)
            self._settle()
        else:
            template = getattr(self, f"_{opcode.name.lower()}", None)
            if template is None:
                self._handled(instruction)
            else:
                template(instruction)

    def _arithmetic(self, operator: Operator, instruction: Instruction, *, bounds: tuple[int, int]) -> None:
        target, left, right = instruction[1:4]
        x, y = self._known(left, Kind.INTEGER), self._known(right, Kind.INTEGER)
        values = self.facts.value(left), self.facts.value(right)
        found = expression(operator, x, y, values=values, bounds=bounds)
        if found is None:
            self._handled(instruction)
            return
        if found.refused is not None:
            self._guard(found.refused)
        self._checked(found.text, found.result, bounds=bounds, target=target)

    def _operate(self, instruction: Instruction) -> None:
        _, target, left, right, operation = instruction
        number, code = divmod(operation, OPERATION_KINDS)
        operator, kind = Operator(number), ValueKind(code)
        if kind in INTEGER_RANGES:
            if operator in (Operator.LESS, Operator.LESS_EQUAL):
                self._compare(instruction, strict=operator is Operator.LESS)
            else:
                self._arithmetic(operator, instruction, bounds=INTEGER_RANGES[kind])
            return
        symbol = {Operator.ADD: "+", Operator.SUBTRACT: "-", Operator.MULTIPLY: "*"}.get(operator)
        if kind is not ValueKind.FLOAT or symbol is None:
            self._handled(instruction)
            return
        x, y = self._known(left, Kind.FLOAT), self._known(right, Kind.FLOAT)
        self._emit(f"t = {x} {symbol} {y}")
        self._guard("t - t != 0.0")
        self._assign(target, "t", Value(Kind.FLOAT))

    def _negate(self, instruction: Instruction) -> None:
        _, target, source = instruction
        text, value = self._known(source, Kind.INTEGER), self.facts.value(source)
        self._checked(f"-{text}", integer(-value.high, -value.low), bounds=_INT64, target=target)

    def _absolute(self, instruction: Instruction) -> None:
        _, target, source = instruction
        text, value = self._known(source, Kind.INTEGER), self.facts.value(source)
        most = max(abs(value.low), abs(value.high))
        self._checked(f"{text} if {text} >= 0 else -{text}", integer(0, most), bounds=_INT64, target=target)

    def _bit_not(self, instruction: Instruction) -> None:
        _, target, source = instruction
        text, value = self._known(source, Kind.INTEGER), self.facts.value(source)
        self._assign(target, f"~{text}", integer(~value.high, ~value.low))

    def _not(self, instruction: Instruction) -> None:
        _, target, source = instruction
        self._assign(target, f"not {self._known(source, Kind.BOOL)}", TRUTH)

    def _less(self, instruction: Instruction) -> None:
        self._compare(instruction, strict=True)

    def _less_equal(self, instruction: Instruction) -> None:
        self._compare(instruction, strict=False)

    def _compare(self, instruction: Instruction, *, strict: bool) -> None:
        target, left, right = instruction[1:4]
        text = f"{self._known(left, Kind.INTEGER)} {'<' if strict else '<='} {self._known(right, Kind.INTEGER)}"
        comparison = Comparison(
            None if left == target else left,
            None if right == target else right,
            self.facts.value(left),
            self.facts.value(right),
            int(strict),
        )
        self._decide(target, text)
        self.facts.comparisons[target] = comparison

    def _decide(self, target: int, text: str) -> None:
        """A bool; it needs no variable when it only decides the jump that comes next."""
        following = self._code[self._index + 1]
        jumps = following[0] in (Opcode.JUMP_IF, Opcode.JUMP_UNLESS) and following[1] == target
        if jumps and self._index + 1 < self._block.stop and not self._graph.live_out[self._number] >> target & 1:
            self.condition = text
            self.facts.put(target, TRUTH)
        else:
            self._assign(target, text, TRUTH)

    def _equal(self, instruction: Instruction) -> None:
        self._equality(instruction, "==")

    def _not_equal(self, instruction: Instruction) -> None:
        self._equality(instruction, "!=")

    def _equality(self, instruction: Instruction, symbol: str) -> None:
        _, target, left, right = instruction
        kinds = {self.facts.value(left).kind, self.facts.value(right).kind}
        kind = next((kind for kind in (Kind.INTEGER, Kind.BOOL, Kind.FLOAT) if kind in kinds), None)
        if kind is not None:
            self._decide(target, f"{self._known(left, kind)} {symbol} {self._known(right, kind)}")
            return
        x, y = clear_name(left), clear_name(right)
        self._emit(f"if type({x}) is type({y}) is int or type({x}) is type({y}) is bool:")
        self._emit(f"{clear_name(target)} = {x} {symbol} {y}", depth=1)
        self._emit("else:")
        self._handled(instruction, depth=1)
        self.facts.put(target, TRUTH)

    def _load(self, instruction: Instruction) -> None:
        _, target, number = instruction
        constant = self._program.constants[number]
        value = of_constant(constant)
        self._elided.pop(target, None)
        if value.literal is None:
            self._assign(target, f"k{number}", value)
        elif self._needs_no_variable(target):
            self._elided[target] = value
            self.facts.put(target, value)
        else:
            self._assign(target, value.literal, value)

    def _move(self, instruction: Instruction) -> None:
        _, target, source = instruction
        self._assign(target, self._text(source), self.facts.value(source))

    def _move_secret(self, instruction: Instruction) -> None:
        _, target, source = instruction
        self._emit(f"{secret_name(target)} = {secret_name(source)}")
        self._settle()

    def _jump(self, instruction: Instruction) -> None:
        """The edges of the graph say it all."""

    def _jump_if(self, instruction: Instruction) -> None:
        self._jump_on(instruction[1], when=True)

    def _jump_unless(self, instruction: Instruction) -> None:
        self._jump_on(instruction[1], when=False)

    def _jump_on(self, register: int, *, when: bool) -> None:
        condition = self.condition or self._known(register, Kind.BOOL)
        self.condition = condition if when else f"not {condition}"
        self.decided = register

    def _call(self, instruction: Instruction) -> None:
        number = instruction[1]
        touched = self._graph.accesses[self._index]
        callee = self._program.functions[number]
        types = (parameter.type for parameter in callee.parameters if not parameter.secret)
        clear = [
            self._promised(register, of_type(kind)) for register, kind in zip(touched.clear, types, strict=True)
        ]
        values = [*clear, *map(secret_name, touched.secret)]
        call = f"f{number}({', '.join(['d + 1', *values])})"
        if self._communicates[number]:
            call = f"yield from {call}"
        if touched.clear_target is not None:
            target = clear_name(touched.clear_target)
            self.facts.put(touched.clear_target, of_type(callee.result))
        else:
            assert touched.secret_target is not None
            target = secret_name(touched.secret_target)
        self._charge_leaving()
        self._emit(f"{target} = {call}", Mode.DONE)

    def _return(self, instruction: Instruction) -> None:
        text = self._promised(instruction[1], of_type(self._graph.function.result))
        self._charge_leaving()
        self._emit(f"return {text}")

    def _return_secret(self, instruction: Instruction) -> None:
        self._charge_leaving()
        self._emit(f"return {secret_name(instruction[1])}")

    def _return_none(self, instruction: Instruction) -> None:
        if of_type(self._graph.function.result).kind is not Kind.ANY:
            self._emit(GUARD)
        self._charge_leaving()
        self._emit("return None")

    def _allocate(self) -> None:
        self._guard("cells >= most_cells")
        self._emit("cells += 1")

    def _list(self, instruction: Instruction) -> None:
        self._allocate()
        self._assign(instruction[1], "[]", Value(Kind.LIST))

    def _append(self, instruction: Instruction) -> None:
        _, items, source = instruction
        text = self._known(items, Kind.LIST)
        self._allocate()
        self._emit(f"{text}.append({self._text(source)})")

    def _append_secret(self, instruction: Instruction) -> None:
        _, items, source = instruction
        text = self._known(items, Kind.LIST)
        self._allocate()
        self._emit(f"{text}.append({secret_name(source)})")

    def _length(self, instruction: Instruction) -> None:
        _, target, source = instruction
        name = clear_name(source)
        if self.facts.value(source).kind is not Kind.ANY:
            self._known(source, Kind.LIST)
            self._assign(target, f"len({name})", integer(0, _MOST_LENGTH))
            return
        self._emit(f"if type({name}) is list:")
        self._emit(f"{clear_name(target)} = len({name})", depth=1)
        self._emit("else:")
        self._handled(instruction, depth=1)
        self.facts.put(target, integer(0, _MOST_LENGTH))

    def _get(self, instruction: Instruction) -> None:
        _, target, source, index = instruction
        demanded = self._demanded(target)
        depth = self._on_list(source, index)
        name = clear_name(target) if target not in (source, index) else "t"
        self._emit(f"{name} = {clear_name(source)}[{self._text(index)}]", depth=depth)
        self._element(name, demanded, depth)
        if name == "t":
            self._emit(f"{clear_name(target)} = t", depth=depth)
        if depth:
            self._emit("else:")
            self._handled(instruction, depth=1)
            demanded = None
        else:
            self.facts.put(target, ANYTHING)
        if demanded is not None:
            self.facts.put(target, TRUTH if demanded is Kind.BOOL else Value(demanded))

    def _on_list(self, source: int, index: int) -> int:
        """Begin a branch for a list and an integer, unless they are known to be; the depth of what follows."""
        conditions = []
        if self.facts.value(source).kind is not Kind.ANY:
            self._known(source, Kind.LIST)
        else:
            conditions.append(f"type({clear_name(source)}) is list")
        if self.facts.value(index).kind is not Kind.INTEGER:
            conditions.append(f"type({self._text(index)}) is int")
        if conditions:
            self._emit(f"if {' and '.join(conditions)}:")
        return 1 if conditions else 0

    def _element(self, name: str, demanded: Kind | None, depth: int) -> None:
        """Refuse an element that is a secret, or is not of the kind that the next instruction works on."""
        if demanded is None:
            self._guard(f"type({name}) is not list and isinstance({name}, Secret)", depth)
        else:
            self._guard(f"type({name}) is not {PYTHON_TYPES[demanded]}", depth)

    def _demanded(self, register: int) -> Kind | None:
        """The kind that the first use of `register` in this block needs."""
        for index in range(self._index + 1, self._block.stop):
            instruction, touched = self._code[index], self._graph.accesses[index]
            if register in touched.clear:
                opcode = Opcode(instruction[0])
                if opcode is Opcode.MOVE:
                    continue
                if opcode is Opcode.OPERATE:
                    kind = instruction[4] % OPERATION_KINDS
                    return Kind.INTEGER if kind in INTEGER_RANGES else None
                return _DEMANDS.get(opcode)
            if touched.clear_target == register:
                return None
        return None

    def _get_secret(self, instruction: Instruction) -> None:
        _, target, source, index = instruction
        depth = self._on_list(source, index)
        self._emit(f"t = {clear_name(source)}[{self._text(index)}]", depth=depth)
        self._guard("not isinstance(t, Secret)", depth)
        self._emit(f"{secret_name(target)} = t", depth=depth)
        if depth:
            self._emit("else:")
            self._handled(instruction, depth=1)

    def _set(self, instruction: Instruction) -> None:
        self._store(instruction, self._text(instruction[3]))

    def _set_secret(self, instruction: Instruction) -> None:
        self._store(instruction, secret_name(instruction[3]))

    def _store(self, instruction: Instruction, text: str) -> None:
        _, items, index, _ = instruction
        depth = self._on_list(items, index)
        self._emit(f"{clear_name(items)}[{self._text(index)}] = {text}", depth=depth)
        if depth:
            self._emit("else:")
            self._handled(instruction, depth=1)

    def _pop(self, instruction: Instruction) -> None:
        _, target, source = instruction
        demanded = self._demanded(target)
        text = self._known(source, Kind.LIST)
        self._emit(f"t = {text}[-1]")
        self._element("t", demanded, 0)
        self._emit(f"{text}.pop()")
        known = ANYTHING if demanded is None else TRUTH if demanded is Kind.BOOL else Value(demanded)
        self._assign(target, "t", known)

    def _assert(self, instruction: Instruction) -> None:
        if self.facts.value(instruction[1]).kind is Kind.ANY:
            self._guard(f"{clear_name(instruction[1])} is not True")
        else:
            self._guard(f"not {self._known(instruction[1], Kind.BOOL)}")

    def _lift(self, instruction: Instruction) -> None:
        self._with_constant(instruction, "constant({})", instruction[2])

    def _secret_add_clear(self, instruction: Instruction) -> None:
        self._with_constant(instruction, f"add_constant({secret_name(instruction[2])}, {{}})", instruction[3])

    def _secret_scale(self, instruction: Instruction) -> None:
        self._with_constant(instruction, f"scale({secret_name(instruction[2])}, {{}})", instruction[3])

    def _with_constant(self, instruction: Instruction, call: str, register: int) -> None:
        """An engine's operation with a clear integer; other kinds of numbers are the handler's."""
        if self.facts.value(register).kind is not Kind.INTEGER:
            self._handled(instruction)
            return
        self._emit(f"{secret_name(instruction[1])} = {call.format(self._text(register))}", Mode.COUNTED)
        self._settle()
