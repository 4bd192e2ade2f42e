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
    """What a call needs to know of a function."""

    name: str
    names: tuple[str, ...]
    types: tuple[Type, ...]
    defaults: tuple[syntax.Expression | None, ...]
    result: Type


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


Binding = syntax.Name | syntax.Variable | syntax.ForRange | syntax.ForEach | syntax.Parameter


@dataclasses.dataclass(slots=True)
class Tables:
    """Facts by node: the type of an expression, whether it is lifted, what a call calls, whom a name names."""

    signatures: dict[str, Signature] = dataclasses.field(default_factory=dict)
    types: dict[syntax.Expression, Type] = dataclasses.field(default_factory=dict)
    lifted: set[syntax.Expression] = dataclasses.field(default_factory=set)
    calls: dict[syntax.Call, FunctionCall | BuiltinCall] = dataclasses.field(default_factory=dict)
    locals: dict[Binding, Local] = dataclasses.field(default_factory=dict)

    def type_of(self, expression: syntax.Expression) -> Type:
        """The type of a checked expression."""
        return self.types.get(expression, ERROR)
