"""The syntax tree. Nodes are frozen and compared by identity, so that tables about a program are keyed by node."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

from .source import Span


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class TypeName:
    """A type as written: `secret` before it, `arguments` in brackets behind it."""

    span: Span
    name: str
    secret: bool = False
    arguments: tuple[TypeName, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Name:
    """A variable, or a function where it is called."""

    span: Span
    text: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Integer:
    """An integer literal; it may be one beyond its type, as the operand of a minus. `suffix` names a type."""

    span: Span
    value: int
    suffix: str = ""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Float:
    """A literal with a fraction; `suffix` names a type."""

    span: Span
    value: Fraction
    suffix: str = ""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class String:
    """A string literal."""

    span: Span
    value: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class FormatString:
    """f"text {expression}": texts and expressions in turn."""

    span: Span
    parts: tuple[str | Expression, ...]


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
class DictLiteral:
    """{key: value, ...}."""

    span: Span
    items: tuple[tuple[Expression, Expression], ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Comprehension:
    """[value for name in items if condition]."""

    span: Span
    value: Expression
    name: str
    name_span: Span
    items: Expression
    condition: Expression | None


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
    """`object[start:stop:step]`."""

    span: Span
    object: Expression
    start: Expression | None
    stop: Expression | None
    step: Expression | None


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Attribute:
    """`object.name`: a field, or the function of a call."""

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
    Name | Integer | Float | String | FormatString | Boolean | Nothing | ListLiteral | DictLiteral | Comprehension
    | Unary | Binary | Index | Slice | Attribute | Call | Broken
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """`var name: annotation = value`; without a value it is the default of its type."""

    span: Span
    name: str
    name_span: Span
    annotation: TypeName | None
    value: Expression | None


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
class Case:
    """One case of a `match`; without patterns it is the default."""

    span: Span
    patterns: tuple[Expression, ...]
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Match:
    """`match subject:` and its cases."""

    span: Span
    subject: Expression
    cases: tuple[Case, ...]


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


Statement = Variable | Assign | Evaluate | If | Match | While | ForRange | ForEach | Jump | Return | Assert | Pass


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Parameter:
    """A parameter of a function; a `variadic` one, the last, takes the arguments that are left as a list."""

    span: Span
    name: str
    annotation: TypeName
    default: Expression | None
    variadic: bool = False


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Function:
    """`def name[T](parameters) -> result:`."""

    span: Span
    name: str
    name_span: Span
    type_parameters: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    result: TypeName | None
    body: tuple[Statement, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A field of an object."""

    span: Span
    name: str
    annotation: TypeName


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class ObjectType:
    """`object name(parent):` and its fields."""

    span: Span
    name: str
    name_span: Span
    parent: Name | None
    fields: tuple[Field, ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Enumeration:
    """`enum name:` and its members, with the values that were given."""

    span: Span
    name: str
    name_span: Span
    members: tuple[tuple[Name, int | None], ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Alias:
    """`type name = type`."""

    span: Span
    name: str
    name_span: Span
    meaning: TypeName


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Import:
    """`import module as alias`."""

    span: Span
    module: str
    alias: str


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A source file, or several that import one another, put together."""

    functions: tuple[Function, ...]
    objects: tuple[ObjectType, ...] = ()
    enumerations: tuple[Enumeration, ...] = ()
    aliases: tuple[Alias, ...] = ()
    imports: tuple[Import, ...] = ()
