"""Source text to a program: parse, check, and compile each function to bytecode."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Final

from quorate.protocol.vm.opcodes import Opcode
from quorate.protocol.vm.program import MAX_NAME_BYTES, Function, Parameter, Program

from . import syntax
from .checker import check
from .diagnostics import CompileErrors, Reporter, TooManyErrors
from .expression_compiler import ExpressionCompiler, Value
from .function_builder import Constants, FunctionBuilder, Label, OutOfRoom, Register
from .modules import load_modules
from .optimiser import optimise
from .source import Source
from .tables import Binding, Tables, Version
from .types import NONE, Type

MAX_FILENAME_CHARACTERS: Final = 64
"""How much of a file name is kept in a program, from its end."""


def compile_source(
    text: str, filename: str, *, modules: Mapping[str, str] | None = None, level: int = 1
) -> Program:
    """Compile one source file; raises CompileErrors with everything that is wrong with it.

    `modules` are the texts that `import` may name, by module ("math.rules") or by path ("math/rules.stfl"). `level`
    is that of the optimiser, 0 to 3 (see `optimiser`); ValueError for another one.
    """
    reporter = Reporter(Source(text, filename))
    try:
        module, names = load_modules(reporter, modules or {})
        tables = check(module, reporter, names)
    except TooManyErrors:
        raise CompileErrors(reporter.diagnostics, reporter.source) from None
    reporter.check()
    constants = Constants()
    indexes = {version.signature.name: index for index, version in enumerate(tables.versions)}
    functions = []
    for version in tables.versions:
        function = version.function
        try:
            functions.append(_FunctionCompiler(reporter.source, constants, tables, indexes).compile(version))
        except OutOfRoom as error:
            why = "the bytecode has named maxima"
            reporter.error(
                "E0309", function.name_span, f"`{function.name}` needs {error.what}", why=why, fix="split it"
            )
    reporter.check()
    return optimise(Program(_shortened(filename), constants.values(), tuple(functions)), level=level)


def _shortened(filename: str) -> str:
    return filename[-MAX_FILENAME_CHARACTERS:].encode(errors="replace").decode()


@dataclasses.dataclass(frozen=True, slots=True)
class _Loop:
    again: Label
    end: Label


class _FunctionCompiler:
    def __init__(self, source: Source, constants: Constants, tables: Tables, indexes: dict[str, int]) -> None:
        self._source = source
        self._builder = FunctionBuilder(source, constants)
        self._tables = tables
        self._expressions = ExpressionCompiler(self._builder, tables, indexes)
        self._loops: list[_Loop] = []

    def compile(self, version: Version) -> Function:
        function, signature = version.function, version.signature
        for parameter, type_ in zip(function.parameters, signature.types, strict=True):
            self._declare(parameter, type_)
        self._builder.at(function.span)
        self._block(function.body)
        if self._builder.ends_openly():
            if signature.result.secret:
                self._builder.emit(Opcode.RETURN_SECRET, 0)
            else:
                self._builder.emit(Opcode.RETURN_NONE)
        code, lines, (clear, secret) = self._builder.finish(self._expressions.labels)
        names = zip(signature.names, signature.types, strict=True)
        parameters = tuple(Parameter(name, _bounded(type_)) for name, type_ in names)
        source = self._source.file_at(function.span.start)
        source = "" if source == self._source.filename else _shortened(source)
        return Function(signature.name, parameters, _bounded(signature.result), clear, secret, code, lines, source)

    def _declare(self, node: Binding, type_: Type) -> Register:
        register = self._builder.take_for(type_)
        self._expressions.registers[self._tables.locals[node]] = register
        return register

    def _block(self, statements: tuple[syntax.Statement, ...]) -> None:
        mark = self._builder.mark()
        for statement in statements:
            self._builder.at(statement.span)
            self._statement(statement)
        self._builder.release(mark)

    def _statement(self, statement: syntax.Statement) -> None:
        match statement:
            case syntax.Variable():
                self._variable(statement)
            case syntax.Assign():
                self._assign(statement)
            case syntax.Evaluate(value=value):
                mark = self._builder.mark()
                self._expressions.value(value)
                self._builder.release(mark)
            case syntax.If():
                self._if(statement)
            case syntax.Match():
                self._match(statement)
            case syntax.While():
                self._while(statement)
            case syntax.ForRange():
                self._for_range(statement)
            case syntax.ForEach():
                self._for_each(statement)
            case syntax.Jump(word=word):
                loop = self._loops[-1]
                self._builder.jump(loop.end if word == "break" else loop.again)
            case syntax.Return(value=value):
                self._return(value)
            case syntax.Assert():
                self._assert(statement)
            case syntax.Pass():
                pass

    def _variable(self, statement: syntax.Variable) -> None:
        local = self._tables.locals[statement]
        mark = self._builder.mark()
        if statement.value is None:
            source = self._expressions.default(local.type)
        else:
            source = self._expressions.value(statement.value)
        self._builder.release(mark)
        target = self._declare(statement, local.type)
        self._builder.move(target, source, temporary_from=mark[target.secret])

    def _assign(self, statement: syntax.Assign) -> None:
        mark = self._builder.mark()
        target = statement.target
        if isinstance(target, syntax.Name):
            register = self._expressions.value(target)
            if statement.operator is None:
                self._expressions.into(register, statement.value)
            else:
                self._operate(statement, register, register)
        elif isinstance(target, syntax.Index | syntax.Attribute):
            self._assign_element(statement, target)
        self._builder.release(mark)

    def _operate(self, statement: syntax.Assign, target: Register, current: Register) -> None:
        """`target = current operator value`, for the statements `+=` and so on."""
        assert statement.operator is not None
        right = Value(self._expressions.value(statement.value), self._expressions.type_of(statement.value))
        left = Value(current, self._tables.type_of(statement.target))
        self._builder.at(statement.operator_span)
        self._expressions.operate(statement.operator, target, left, right)

    def _assign_element(self, statement: syntax.Assign, target: syntax.Index | syntax.Attribute) -> None:
        items = self._expressions.value(target.object)
        if isinstance(target, syntax.Index):
            index = self._expressions.value(target.index)
        else:
            index = self._expressions.field_number(target)
        if statement.operator is None:
            value = self._expressions.value(statement.value)
        else:
            value = self._builder.take_for(self._tables.type_of(target))
            self._builder.at(target.span)
            self._builder.emit(Opcode.GET_SECRET if value.secret else Opcode.GET, value, items, index)
            self._operate(statement, value, value)
        self._builder.at(target.span)
        self._builder.emit(Opcode.SET_SECRET if value.secret else Opcode.SET, items, index, value)

    def _match(self, statement: syntax.Match) -> None:
        mark = self._builder.mark()
        type_ = self._tables.type_of(statement.subject)
        subject = self._builder.take(secret=False)
        self._expressions.into(subject, statement.subject)
        end = self._expressions.label()
        for case in statement.cases:
            following, body = self._expressions.label(), self._expressions.label()
            for pattern in case.patterns:
                inner = self._builder.mark()
                self._builder.at(case.span)
                condition = self._builder.take(secret=False)
                value = Value(self._expressions.value(pattern), type_)
                self._expressions.operate("==", condition, Value(subject, type_), value)
                self._builder.jump(body, when=condition)
                self._builder.release(inner)
            if case.patterns:
                self._builder.jump(following)
            self._builder.place(body)
            self._block(case.body)
            if self._builder.ends_openly():
                self._builder.jump(end)
            self._builder.place(following)
        self._builder.place(end)
        self._builder.release(mark)

    def _select(self, statement: syntax.If, branches: tuple[syntax.Branch, ...]) -> None:
        """An `if` on secrets: every branch is computed, and what it assigned is selected by its condition."""
        if not branches:
            self._block(statement.otherwise or ())
            return
        branch = branches[0]
        if not self._tables.type_of(branch.condition).secret:
            self._select_clearly(statement, branches)
            return
        registers = [self._expressions.registers[local] for local in self._tables.selections[statement]]
        builder = self._builder
        mark = builder.mark()
        condition = builder.take(secret=True)
        builder.at(branch.span)
        self._expressions.into(condition, branch.condition)
        before = [builder.take(secret=True) for _ in registers]
        taken = [builder.take(secret=True) for _ in registers]
        for register, saved in zip(registers, before, strict=True):
            builder.emit(Opcode.MOVE_SECRET, saved, register)
        self._block(branch.body)
        for register, saved, chosen in zip(registers, before, taken, strict=True):
            builder.emit(Opcode.MOVE_SECRET, chosen, register)
            builder.emit(Opcode.MOVE_SECRET, register, saved)
        self._select(statement, branches[1:])
        builder.at(branch.span)
        for register, chosen in zip(registers, taken, strict=True):
            builder.emit(Opcode.SECRET_SELECT, register, condition, chosen, register)
        builder.release(mark)

    def _select_clearly(self, statement: syntax.If, branches: tuple[syntax.Branch, ...]) -> None:
        """A clear condition among those of an `if` on secrets chooses as ever."""
        otherwise, end = self._expressions.label(), self._expressions.label()
        self._builder.at(branches[0].span)
        self._unless(branches[0].condition, otherwise)
        self._block(branches[0].body)
        self._builder.jump(end)
        self._builder.place(otherwise)
        self._select(statement, branches[1:])
        self._builder.place(end)

    def _if(self, statement: syntax.If) -> None:
        if statement in self._tables.selections:
            self._select(statement, statement.branches)
            return
        end = self._expressions.label()
        for branch in statement.branches:
            following = self._expressions.label()
            self._builder.at(branch.span)
            self._unless(branch.condition, following)
            self._block(branch.body)
            if self._builder.ends_openly():
                self._builder.jump(end)
            self._builder.place(following)
        self._block(statement.otherwise or ())
        self._builder.place(end)

    def _unless(self, condition: syntax.Expression, label: Label) -> None:
        mark = self._builder.mark()
        self._builder.jump(label, unless=self._expressions.value(condition))
        self._builder.release(mark)

    def _while(self, statement: syntax.While) -> None:
        loop = _Loop(self._expressions.label(), self._expressions.label())
        self._builder.place(loop.again)
        if not (isinstance(statement.condition, syntax.Boolean) and statement.condition.value):
            self._unless(statement.condition, loop.end)
        self._loop(loop, statement.body)
        self._builder.jump(loop.again)
        self._builder.place(loop.end)

    def _loop(self, loop: _Loop, body: tuple[syntax.Statement, ...]) -> None:
        self._loops.append(loop)
        self._block(body)
        self._loops.pop()

    def _for_range(self, statement: syntax.ForRange) -> None:
        """A hidden counter runs; the variable is a copy that the body may change."""
        builder = self._builder
        mark = builder.mark()
        counter, stop, step = (builder.take(secret=False) for _ in range(3))
        for register, bound, default in (
            (counter, statement.start, 0),
            (stop, statement.stop, 0),
            (step, statement.step, 1),
        ):
            if bound is None:
                builder.load(register, default)
            else:
                self._expressions.into(register, bound)
        variable = self._declare(statement, self._tables.locals[statement].type)
        loop = _Loop(self._expressions.label(), self._expressions.label())
        test = self._expressions.label()
        if statement.step is not None:
            self._check_step(step)
        builder.place(test)
        self._range_test(statement, counter, stop, step, loop.end)
        builder.emit(Opcode.MOVE, variable, counter)
        self._loop(loop, statement.body)
        builder.place(loop.again)
        builder.at(statement.span)
        builder.emit(Opcode.ADD, counter, counter, step)
        builder.jump(test)
        builder.place(loop.end)
        builder.release(mark)

    def _check_step(self, step: Register) -> None:
        mark = self._builder.mark()
        zero, condition = self._builder.constant(0), self._builder.take(secret=False)
        self._builder.emit(Opcode.NOT_EQUAL, condition, step, zero)
        message = self._builder.constant("the step of a range is not zero")
        self._builder.emit(Opcode.ASSERT, condition, message)
        self._builder.release(mark)

    def _range_test(
        self, statement: syntax.ForRange, counter: Register, stop: Register, step: Register, end: Label
    ) -> None:
        builder = self._builder
        mark = builder.mark()
        builder.at(statement.span)
        condition = builder.take(secret=False)
        if statement.step is None:
            builder.emit(Opcode.LESS, condition, counter, stop)
        else:
            downwards, tested = self._expressions.label(), self._expressions.label()
            builder.emit(Opcode.LESS, condition, builder.constant(0), step)
            builder.jump(downwards, unless=condition)
            builder.emit(Opcode.LESS, condition, counter, stop)
            builder.jump(tested)
            builder.place(downwards)
            builder.emit(Opcode.LESS, condition, stop, counter)
            builder.place(tested)
        builder.jump(end, unless=condition)
        builder.release(mark)

    def _for_each(self, statement: syntax.ForEach) -> None:
        builder = self._builder
        mark = builder.mark()
        items, counter, one = (builder.take(secret=False) for _ in range(3))
        self._expressions.iterated(items, statement.items)
        builder.load(counter, 0)
        builder.load(one, 1)
        variable = self._declare(statement, self._tables.locals[statement].type)
        loop = _Loop(self._expressions.label(), self._expressions.label())
        test = self._expressions.label()
        builder.place(test)
        condition = builder.take(secret=False)
        builder.emit(Opcode.LENGTH, condition, items)
        builder.emit(Opcode.LESS, condition, counter, condition)
        builder.jump(loop.end, unless=condition)
        self._expressions.element(variable, items, counter, of=self._tables.type_of(statement.items))
        self._loop(loop, statement.body)
        builder.place(loop.again)
        builder.at(statement.span)
        builder.emit(Opcode.ADD, counter, counter, one)
        builder.jump(test)
        builder.place(loop.end)
        builder.release(mark)

    def _return(self, value: syntax.Expression | None) -> None:
        if value is None or isinstance(value, syntax.Nothing) or self._tables.type_of(value) == NONE:
            if value is not None:
                self._expressions.value(value)
            self._builder.emit(Opcode.RETURN_NONE)
            return
        mark = self._builder.mark()
        source = self._expressions.value(value)
        self._builder.emit(Opcode.RETURN_SECRET if source.secret else Opcode.RETURN, source)
        self._builder.release(mark)

    def _assert(self, statement: syntax.Assert) -> None:
        mark = self._builder.mark()
        condition = self._expressions.value(statement.condition)
        if statement.message is None:
            message = self._builder.constant("the condition is false")
        else:
            message = self._expressions.value(statement.message)
        self._builder.at(statement.span)
        self._builder.emit(Opcode.ASSERT, condition, message)
        self._builder.release(mark)


def _bounded(type_: Type) -> str:
    """A type as the bytecode names it; one that is too long for that is cut, and keeps what it begins with."""
    text = type_.binary
    return text if len(text) <= MAX_NAME_BYTES else f"{text[: MAX_NAME_BYTES - 3]}..."
