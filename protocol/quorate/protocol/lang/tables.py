"""What the checker finds out about a syntax tree, for the compiler to use."""

from __future__ import annotations

import dataclasses

from . import syntax
from .builtins import Overload
from .types import ERROR, Type


@dataclasses.dataclass(eq=False, slots=True)
class Local:
    """A variable or parameter of a function."""

    name: str
    type: Type


@dataclasses.dataclass(frozen=True, slots=True)
class Signature:
    """What a call needs to know of a function; `name` tells the versions of a generic one apart."""

    name: str
    names: tuple[str, ...]
    types: tuple[Type, ...]
    defaults: tuple[syntax.Expression | None, ...]
    result: Type
    variadic: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Version:
    """A function to compile: its tree, its signature, and what its type parameters stand for."""

    function: syntax.Function
    signature: Signature
    bound: dict[str, Type]


@dataclasses.dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function of the program; `arguments` are in the order of its parameters."""

    signature: Signature
    arguments: tuple[syntax.Expression, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class BuiltinCall:
    """A call of a builtin; `element` is what T stands for."""

    overload: Overload
    arguments: tuple[syntax.Expression, ...]
    element: Type


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectCall:
    """A new object: the values of its fields in order, None where the default of the type is taken."""

    object: ObjectInfo
    values: tuple[syntax.Expression | None, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class ClosureCall:
    """A new closure of a function, with the variables that it captures."""

    signature: Signature
    captured: tuple[Local, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class OperatorCall:
    """A method that is an operator."""

    binary: syntax.Binary


Resolution = FunctionCall | BuiltinCall | ObjectCall | ClosureCall | OperatorCall


@dataclasses.dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object type: its fields in order, those that it inherits first."""

    name: str
    fields: dict[str, Type]


Binding = (
    syntax.Name | syntax.Variable | syntax.ForRange | syntax.ForEach | syntax.Parameter | syntax.Comprehension
)


@dataclasses.dataclass(slots=True)
class Tables:
    """Facts by node: the type of an expression, whether it is lifted, what a call calls, whom a name names.

    `constants` are the values of literals in the type that their place gives them, and of enumeration members;
    `selections` are the `if`s on secrets, with the variables that they assign.
    """

    signatures: dict[str, Signature] = dataclasses.field(default_factory=dict)
    versions: list[Version] = dataclasses.field(default_factory=list)
    objects: dict[str, ObjectInfo] = dataclasses.field(default_factory=dict)
    types: dict[syntax.Expression, Type] = dataclasses.field(default_factory=dict)
    lifted: set[syntax.Expression] = dataclasses.field(default_factory=set)
    constants: dict[syntax.Expression, object] = dataclasses.field(default_factory=dict)
    calls: dict[syntax.Call, Resolution] = dataclasses.field(default_factory=dict)
    locals: dict[Binding, Local] = dataclasses.field(default_factory=dict)
    selections: dict[syntax.If, tuple[Local, ...]] = dataclasses.field(default_factory=dict)

    def type_of(self, expression: syntax.Expression) -> Type:
        """The type of a checked expression."""
        return self.types.get(expression, ERROR)

    def holds_secrets(self, type_: Type, depth: int = 16) -> bool:
        """Whether a secret is somewhere in a value of this type."""
        if type_.secret or depth == 0:
            return type_.secret
        parts = [part for part in (type_.item, type_.key) if part is not None]
        if type_.name in self.objects and type_.item is None:
            parts.extend(self.objects[type_.name].fields.values())
        return any(self.holds_secrets(part, depth - 1) for part in parts)
