"""The syntax tree. Nodes are frozen and compared by identity, so that tables about a program are keyed by node."""

from __future__ import annotations

import dataclasses

from .source import Span


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class TypeName:
    """A type as written: `secret` before it, `item` in brackets behind it."""

    span: Span
    name: str
    secret: bool = False
    item: TypeName | None = None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A variable, or a function where it is called."""

    span: Span
    text: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Integer:
    """An integer literal; it may be one beyond int64, as the operand of a minus."""

    span: Span
    value: int


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Float:
    """A floating-point literal."""

    span: Span


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class String:
    """A string literal."""

    span: Span
    value: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Boolean:
    """True or False."""

    span: Span
    value: bool


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Nothing:
    """None."""

    span: Span


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ListLiteral:
    """[a, b, ...]."""

    span: Span
    items: tuple[Expression, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Unary:
    """`-x` or `not x`."""

    span: Span
    operator: str
    operand: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Binary:
    """`left operator right`; `operator_span` is the operator alone."""

    span: Span
    operator: str
    operator_span: Span
    left: Expression
    right: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Index:
    """`object[index]`."""

    span: Span
    object: Expression
    index: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """`object[start:stop]`."""

    span: Span
    object: Expression
    start: Expression | None
    stop: Expression | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """`object.name`, as the function of a call."""

    span: Span
    object: Expression
    name: str
    name_span: Span


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Argument:
    """An argument of a call, with its name if it was given one."""

    span: Span
    name: str | None
    value: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Call:
    """`function(arguments)`."""

    span: Span
    function: Expression
    arguments: tuple[Argument, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """An expression that could not be parsed; it has been reported."""

    span: Span


Expression = (
    Name | Integer | Float | String | Boolean | Nothing | ListLiteral
    | Unary | Binary | Index | Slice | Attribute | Call | Broken
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """`var name: annotation = value`."""

    span: Span
    name: str
    name_span: Span
    annotation: TypeName | None
    value: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Assign:
    """`target = value`, or `target operator= value`."""

    span: Span
    target: Expression
    operator: str | None
    operator_span: Span
    value: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Evaluate:
    """An expression as a statement, with or without `discard`."""

    span: Span
    value: Expression


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Branch:
    """One condition of an `if` and its block."""

    span: Span
    condition: Expression
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class If:
    """`if`, its `elif`s in order, and `else`."""

    span: Span
    branches: tuple[Branch, ...]
    otherwise: tuple[Statement, ...] | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class While:
    """`while condition:`."""

    span: Span
    condition: Expression
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ForRange:
    """`for name in range(start, stop, step):` or `for name in start..stop:`."""

    span: Span
    name: str
    name_span: Span
    start: Expression | None
    stop: Expression
    step: Expression | None
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ForEach:
    """`for name in items:`."""

    span: Span
    name: str
    name_span: Span
    items: Expression
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Jump:
    """`break` or `continue`."""

    span: Span
    word: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Return:
    """`return value`."""

    span: Span
    value: Expression | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Assert:
    """`assert condition, message`."""

    span: Span
    condition: Expression
    message: Expression | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """`pass`."""

    span: Span


Statement = Variable | Assign | Evaluate | If | While | ForRange | ForEach | Jump | Return | Assert | Pass


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a function."""

    span: Span
    name: str
    annotation: TypeName
    default: Expression | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Function:
    """`def name(parameters) -> result:`."""

    span: Span
    name: str
    name_span: Span
    parameters: tuple[Parameter, ...]
    result: TypeName | None
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A source file."""

    functions: tuple[Function, ...]
