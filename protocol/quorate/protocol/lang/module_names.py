"""What a whole program names outside its functions: modules, enumerations, functions with type parameters.

All files of a program share one space of names: a function of an imported module is called by its name, or by
`module.name`. A function with type parameters is compiled once for every list of types that it is called with.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Final

from . import syntax
from .diagnostics import Reporter
from .tables import Signature, Tables, Version
from .type_names import TypeNames
from .types import NONE, Type, list_of

MAX_VERSIONS: Final = 256
"""The most versions of functions with type parameters, all together."""
MAX_VERSION_NAME_CHARACTERS: Final = 128
"""The longest name of a version; beyond that the types are hashed."""


class ModuleNames:
    """The names of one program."""

    def __init__(self, tables: Tables, reporter: Reporter) -> None:
        self.types = TypeNames(tables, reporter)
        self.templates: dict[str, syntax.Function] = {}
        self.enumerations: dict[str, dict[str, int]] = {}
        self.modules: dict[str, frozenset[str]] = {}
        self._tables = tables
        self._reporter = reporter
        self._versions = 0

    def declare(self, module: syntax.Module, modules: dict[str, frozenset[str]]) -> None:
        """Take in the declarations of a program; `modules` are the functions of each module by its name here."""
        self.modules = modules
        self.types.declare(module)
        for enumeration in module.enumerations:
            members: dict[str, int] = {}
            following = 0
            for name, value in enumeration.members:
                if name.text in members:
                    fix = "choose another name"
                    self._reporter.error("E0302", name.span, f"`{name.text}` is a member already", fix=fix)
                members[name.text] = following if value is None else value
                following = members[name.text] + 1
            self.enumerations[enumeration.name] = members

    def signature_of(self, function: syntax.Function, name: str) -> Signature:
        """The signature of a function, with its type parameters as they are bound now."""
        types = [self.types.resolve(parameter.annotation) for parameter in function.parameters]
        variadic = bool(function.parameters) and function.parameters[-1].variadic
        if variadic:
            types[-1] = list_of(types[-1])
        return Signature(
            name,
            tuple(parameter.name for parameter in function.parameters),
            tuple(types),
            tuple(parameter.default for parameter in function.parameters),
            self.types.resolve(function.result, result=True) if function.result is not None else NONE,
            variadic,
        )

    def pattern_of(self, function: syntax.Function) -> Signature:
        """The signature of a function with its type parameters open."""
        return self._bound_signature(
            function, {name: Type(name, variable=True) for name in function.type_parameters}
        )

    def _bound_signature(self, function: syntax.Function, bound: dict[str, Type], name: str = "") -> Signature:
        saved, self.types.bound = self.types.bound, bound
        signature = self.signature_of(function, name or function.name)
        self.types.bound = saved
        return signature

    def version_of(self, call: syntax.Call, function: syntax.Function, bound: dict[str, Type]) -> Signature | None:
        """The version of a function for these types; None after a report."""
        types = ", ".join(str(bound[name]) for name in function.type_parameters)
        name = f"{function.name}[{types}]"
        if len(name) > MAX_VERSION_NAME_CHARACTERS:
            digest = hashlib.sha256(types.encode()).hexdigest()[:16]
            name = f"{function.name[: MAX_VERSION_NAME_CHARACTERS // 2]}[{digest}]"
        known = self._tables.signatures.get(name)
        if known is not None:
            return known
        self._versions += 1
        if self._versions > MAX_VERSIONS:
            why = f"the most is {MAX_VERSIONS}; a function that calls itself with ever larger types has no end"
            message = "too many versions of functions with type parameters"
            self._reporter.error("E0313", call.span, message, why=why, fix="use fewer types")
            return None
        signature = self._bound_signature(function, bound, name)
        self._tables.signatures[name] = signature
        self._tables.versions.append(Version(copy.deepcopy(function), signature, bound))
        return signature
