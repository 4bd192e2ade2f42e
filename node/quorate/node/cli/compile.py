"""`quorate compile`: bytecode, a listing, the cost or typed bindings of one program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import (
    ClientInputOption,
    EntryOption,
    LevelOption,
    PartiesOption,
    ReceiversOption,
    ThresholdOption,
)
from .output import JsonOption, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from quorate.node.project.cost import CostReport
    from quorate.protocol.vm import Program

app = typer.Typer(add_completion=False, help="Compile, disassemble, cost or bind one program.")


@app.command(name="compile")
def compile_(
    file: Annotated[Path, typer.Argument(help="A program: file.stfl, or file.stflb for a listing.")],
    level: LevelOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write; beside FILE else.")
    ] = None,
    disassemble: Annotated[bool, typer.Option("--disassemble", help="Print the instructions instead.")] = False,
    print_ir: Annotated[
        bool, typer.Option("--print-ir", help="Print each line of source with its instructions instead.")
    ] = False,
    cost: Annotated[bool, typer.Option("--cost", help="Print what a run takes instead.")] = False,
    bindings: Annotated[
        str | None, typer.Option("--bindings", help="python: write a typed module instead.")
    ] = None,
    client_input: ClientInputOption = None,
    receivers: ReceiversOption = None,
    entry: EntryOption = "main",
    parties: PartiesOption = None,
    threshold: ThresholdOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compile FILE to bytecode, or print or write something else about it.

    --cost makes a dry run, for which --client-input says how many values there will be; the values themselves do
    not matter. Without it the `# run-args:` line of the program is taken.
    """
    from quorate.node.errors import UsageError
    from quorate.node.project.selection import select

    if disassemble + print_ir + cost + (bindings is not None) > 1:
        raise UsageError("what should be made?", why="these options exclude one another", todo="give one of them")
    selection = select(file)
    if selection.project is not None:
        raise UsageError(f"{file} is no program", todo="name a file.stfl, or use: quorate build")
    program = selection.load(level=level)
    if cost:
        committee = selection.committee(parties=parties, threshold=threshold)
        from quorate.node.project.cost import cost_of_call

        _print_cost(
            cost_of_call(program, file, client_input, receivers, entry, committee=committee), as_json=as_json
        )
    elif disassemble or print_ir:
        _print_listing(program, file, annotated=print_ir, as_json=as_json)
    elif bindings is not None:
        _write_bindings(program, file, bindings, output, as_json=as_json)
    else:
        from quorate.node.project.artefacts import write_bytecode

        target = output or file.with_suffix(".stflb")
        _say_written(target, write_bytecode(program, target), as_json=as_json)


def _say_written(target: Path, size: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"output": str(target), "size_bytes": size})
    else:
        typer.echo(f"wrote {target} ({size:,} bytes)")


def _print_listing(program: Program, file: Path, *, annotated: bool, as_json: bool) -> None:
    from quorate.node.project.listing import annotated_listing
    from quorate.protocol.vm import disassemble

    text = annotated_listing(program, file) if annotated else disassemble(program)
    if as_json:
        print_json({"listing": text})
    else:
        typer.echo(text, nl=False)


def _write_bindings(program: Program, file: Path, language: str, output: Path | None, *, as_json: bool) -> None:
    from quorate.node.errors import UsageError
    from quorate.node.project.artefacts import write_file
    from quorate.node.sdk.bindings import python_bindings

    if language != "python":
        raise UsageError(f"there are no bindings for {language}", todo="use --bindings python")
    target = output or file.with_name(f"{file.stem.replace('-', '_')}_program.py")
    _say_written(target, write_file(target, python_bindings(program).encode()), as_json=as_json)


def _print_cost(report: CostReport, *, as_json: bool) -> None:
    if as_json:
        print_json(report.as_json())
        return
    print_pairs(report.totals())
    if report.lines:
        typer.echo("")
        print_table(["line", "operation", "count"], report.lines)
