"""`quorate run` of a file or a project in this process, with clients by slot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .output import print_json, print_pairs, print_table

if TYPE_CHECKING:
    from quorate.node.project import Execution
    from quorate.node.project.execution import Call, Committee
    from quorate.protocol.vm import Function


@dataclass(frozen=True, slots=True)
class ProgramCall:
    """What was asked for on the command line, as it was typed."""

    arguments: Sequence[str]
    client_inputs: Sequence[str]
    receivers: int | None
    entry: str
    level: int | None


def is_own_program(program: str, inputs: Sequence[str]) -> bool:
    """Whether `program` is bytecode, a folder, or a source whose clients are not given by name."""
    return program.endswith(".stflb") or Path(program).is_dir() or (program.endswith(".stfl") and not inputs)


def run_own_program(
    program: str | None,
    asked: ProgramCall,
    *,
    parties: int | None,
    threshold: int | None,
    protocol: str | None,
    field: str | None,
    trace: bool,
    as_json: bool,
) -> None:
    """Run it by a committee in this process and print what it printed, returned and sent."""
    from quorate.node.project import Call, run_committee
    from quorate.node.project.selection import select
    from quorate.node.project.values import parse_client_inputs

    selection = select(None if program is None else Path(program))
    committee = selection.committee(parties=parties, threshold=threshold, protocol=protocol, field=field)
    code = selection.load(level=asked.level)
    function = code.function(asked.entry)
    call = Call(
        code,
        asked.entry,
        _arguments(function, asked.arguments),
        parse_client_inputs(asked.client_inputs),
        asked.receivers,
    )
    if not as_json:
        typer.echo(f"... {committee.parties} parties in this process, {committee.protocol}", err=True)
    execution = run_committee(call, committee)
    steps = _trace(call, committee) if trace else None
    if as_json:
        print_json(_json(execution, committee, steps))
    else:
        _print(execution, committee, steps)


def _arguments(function: Function, texts: Sequence[str]) -> tuple[Any, ...]:  # Any: the types of the parameters
    """The public arguments in the order of the parameters; raises UsageError."""
    from quorate.node.errors import UsageError

    named: dict[str, str] = {}
    for text in texts:
        name, _, value = text.partition("=")
        named[name] = value
    values: list[Any] = []
    for parameter in function.parameters:
        if parameter.name not in named:
            raise UsageError(
                f"the argument {parameter.name} of {function.name} is missing",
                why=f"it is a {parameter.type}",
                todo=f"add --argument {parameter.name}=...",
            )
        values.append(_argument(named.pop(parameter.name), parameter.type, name=parameter.name))
    if named:
        raise UsageError(f"{function.name} takes no argument {', '.join(named)}", todo="leave it out")
    return tuple(values)


def _argument(text: str, kind: str, *, name: str) -> Any:  # Any: the type of the parameter
    from quorate.node.errors import UsageError

    try:
        if kind == "string":
            return text
        if kind == "bytes":
            return bytes.fromhex(text.removeprefix("0x"))
        if kind == "bool":
            return {"true": True, "false": False}[text]
        if kind == "float":
            return float(text)
        if kind.startswith("fix"):
            return Fraction(text)
        if kind.startswith("list[") and kind.endswith("]"):
            return [_argument(part.strip(), kind[5:-1], name=name) for part in text.split(",")] if text else []
        return int(text, 0)
    except (KeyError, ValueError):
        raise UsageError(
            f"the argument {name} was not understood",
            why=f"it must be a {kind}",
            todo=f"correct --argument {name}=...",
        ) from None


def _trace(call: Call, committee: Committee) -> list[dict[str, object]]:
    """What is computed on secrets, in order: each step is one kind of operation on many values at once."""
    from quorate.node.project.execution import count

    batches = count(call, committee).batches
    return [{"step": step, "operation": name, "count": size} for step, (name, size) in enumerate(batches, start=1)]


def _json(execution: Execution, committee: Committee, steps: list[dict[str, object]] | None) -> dict[str, object]:
    costs = execution.statistics
    assert costs is not None  # a committee ran
    shown: dict[str, object] = {
        "outputs": {
            str(client): [
                {"type": kind, "value": _plain(value)} for kind, value in zip(out.types, out.values, strict=True)
            ]
            for client, out in execution.outputs.items()
        },
        "value": _plain(execution.value),
        "printed": list(execution.printed),
        "parties": committee.parties,
        "threshold": committee.threshold,
        "protocol": committee.protocol,
        "phases": {name: round(seconds, 4) for name, seconds in execution.phases.items()},
        "rounds": costs.rounds,
        "multiplications": costs.multiplications,
        "bytes": costs.bytes_sent,
    }
    return shown if steps is None else shown | {"trace": steps}


def _plain(value: Any) -> Any:  # Any: a value of the language, and its JSON
    """A value as JSON has it: a fraction as its decimals, bytes in hexadecimal."""
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    return value


def _print(execution: Execution, committee: Committee, steps: list[dict[str, object]] | None) -> None:
    for line in execution.printed:
        typer.echo(line)
    if execution.outputs:
        rows = [
            [str(client), ", ".join(str(_plain(value)) for value in out.values)]
            for client, out in execution.outputs.items()
        ]
        print_table(["client", "output"], rows)
    costs = execution.statistics
    assert costs is not None  # a committee ran
    pairs = [] if execution.value is None else [("value", str(_plain(execution.value)))]
    print_pairs(
        [
            *pairs,
            ("committee", f"{committee.parties} parties, threshold {committee.threshold}, all in this process"),
            ("rounds", str(costs.rounds)),
            ("multiplications", f"{costs.multiplications:,}"),
            ("bytes a party", f"{costs.bytes_sent:,} sent"),
            *((f"{name} s", f"{seconds:.3f}") for name, seconds in execution.phases.items()),
        ]
    )
    if steps is not None:
        print_table(["step", "operation", "count"], [[str(cell) for cell in step.values()] for step in steps])
