"""A typed Python module for one program: a function for each entry point, a class for each client's inputs.

The module holds the bytecode, so it needs nothing beside it. Texts of the program enter it as identifiers that have
been checked, or as literals.
"""

from __future__ import annotations

import base64
import keyword
import re
import textwrap
from collections.abc import Sequence

from quorate.node.project.values import is_fixed, kind_name
from quorate.protocol.vm import Function, InputUse, Program, dump, manifest

_PLAIN = {"bool": "bool", "string": "str", "bytes": "bytes", "float": "float", "None": "None"}
_IMPORTS = """\
from __future__ import annotations

import base64
from collections.abc import Mapping
{dataclasses}{fractions}from functools import cache

from quorate.node.sdk import InputValues, Program, TypedRun

__all__ = {names}

"""
_PROGRAM = '''

@cache
def program() -> Program:
    """The program, without inputs."""
    return Program.from_bytecode(base64.b64decode(_BYTECODE), name={name})


_BYTECODE = """
{data}
"""
'''


def python_bindings(program: Program) -> str:
    """The text of the module; the same program gives the same text."""
    clients = _clients(manifest(program).inputs)
    entries = [function for function in program.functions if _is_entry(function)]
    classes = [_client_class(client, uses) for client, uses in sorted(clients.items())]
    functions = [_function(function, sorted(clients)) for function in entries]
    names = [
        *(f"Client{client}" for client in sorted(clients)),
        *(_identifier(one.name) for one in entries),
        "program",
    ]
    data = "\n".join(textwrap.wrap(base64.b64encode(dump(program)).decode(), 100))
    heading = f'"""Typed bindings of {_safe(program.source)}, made by: quorate compile --bindings python."""\n\n'
    body = "".join(f"\n{part}" for part in (*classes, *functions))
    listed = "[\n" + "".join(f'    "{name}",\n' for name in sorted(names)) + "]"
    imports = _IMPORTS.format(
        names=listed,
        dataclasses="from dataclasses import dataclass\n" if classes else "",
        fractions="from fractions import Fraction\n" if "Fraction" in body else "",
    )
    return heading + imports + body + _PROGRAM.format(name=repr(_safe(program.source)), data=data)


def _is_entry(function: Function) -> bool:
    """Whether it is meant to be called from outside; what the compiler derives from others has other names."""
    if function.name.startswith(("_", "test_")) or not function.name.isidentifier():
        return False
    return not any("secret" in parameter.type for parameter in function.parameters)


def _clients(uses: Sequence[InputUse]) -> dict[int, dict[int, InputUse]]:
    """The inputs of each client by index, if the code names all of them, without a gap; else nothing."""
    clients: dict[int, dict[int, InputUse]] = {}
    for use in uses:
        if use.client is None or use.index is None:
            return {}
        clients.setdefault(use.client, {}).setdefault(use.index, use)
    complete = all(sorted(own) == list(range(len(own))) for own in clients.values())
    return clients if complete else {}


def _client_class(client: int, uses: dict[int, InputUse]) -> str:
    fields = [f"    value_{index}: {_input_type(use)}" for index, use in sorted(uses.items())]
    values = "".join(f"self.value_{index}, " for index in sorted(uses)).rstrip()
    return "\n".join(
        [
            "@dataclass(frozen=True, slots=True)",
            f"class Client{client}:",
            f'    """The secret inputs of the client in slot {client}."""',
            "",
            *fields,
            "",
            "    def __repr__(self) -> str:",
            f'        return "Client{client}(...)"',
            "",
            "    def values(self) -> InputValues:",
            '        """The inputs in order."""',
            f"        return ({values})",
            "",
            "",
        ]
    )


def _input_type(use: InputUse) -> str:
    if kind_name(use.kind) == "bool":
        return "bool"
    return "int | float | Fraction" if is_fixed(use.kind) else "int"


def _function(function: Function, clients: Sequence[int]) -> str:
    names = [_identifier(parameter.name) for parameter in function.parameters]
    typed = [
        f"{name}: {python_type(parameter.type)}"
        for name, parameter in zip(names, function.parameters, strict=True)
    ]
    given = [f"client_{client}: Client{client} | None = None" for client in clients]
    other = [
        *given,
        "inputs: Mapping[int, InputValues] | None = None",
        "receivers: int | None = None",
    ]
    lines = [f"def {_identifier(function.name)}("]
    lines += [f"    {part}," for part in (*typed, "*", *other)]
    lines += [f") -> TypedRun[{python_type(function.result)}]:"]
    lines += [f'    """A call of {function.name}: the inputs of clients by slot, or by their classes."""']
    arguments = "".join(f"{name}, " for name in names).rstrip(", ")
    lines += [f"    call = program().with_entry({function.name!r}).with_arguments({arguments})"]
    lines += ["    for slot, values in (inputs or {}).items():", "        call = call.with_inputs(slot, values)"]
    for client in clients:
        lines += [f"    if client_{client} is not None:"]
        lines += [f"        call = call.with_inputs({client}, client_{client}.values())"]
    lines += ["    return TypedRun(call if receivers is None else call.with_receivers(receivers))", "", ""]
    return "\n".join(lines)


def python_type(text: str) -> str:
    """The Python type of a public type of the language; `object` for one that has no other."""
    text = text.strip()
    if text.startswith("secret "):
        return "None"
    if text in _PLAIN:
        return _PLAIN[text]
    if re.fullmatch(r"u?int(8|16|32|64)", text):
        return "int"
    if re.fullmatch(r"fix(32|64)", text):
        return "Fraction"
    if match := re.fullmatch(r"list\[(.*)\]", text):
        return f"list[{python_type(match[1])}]"
    if match := re.fullmatch(r"dict\[([a-z0-9]+), (.*)\]", text):
        return f"dict[{python_type(match[1])}, {python_type(match[2])}]"
    return "object"


def _identifier(name: str) -> str:
    taken = keyword.iskeyword(name) or name in ("program", "receivers", "inputs", "call", "slot", "values")
    return f"{name}_" if taken or name.startswith("client_") else name


def _safe(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._/-]", "?", text)
