"""A program's instructions below the lines of source that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from quorate.node.jobs.packages import SOURCE_SUFFIX
from quorate.protocol.vm import Function, Program
from quorate.protocol.vm.disassembler import describe

from .sources import read_source


def annotated_listing(program: Program, path: Path) -> str:
    """The listing; a line whose text is not in the file at `path` is shown by its number alone."""
    lines = read_source(path).splitlines() if path.suffix == SOURCE_SUFFIX else []
    parts = [line for function in program.functions for line in _function(program, function, lines)]
    return "\n".join(parts) + "\n"


def _function(program: Program, function: Function, lines: list[str]) -> Iterator[str]:
    parameters = ", ".join(f"{parameter.name}: {parameter.type}" for parameter in function.parameters)
    yield f"{function.name}({parameters}) -> {function.result}"
    previous = 0
    for index, (instruction, line) in enumerate(zip(function.code, function.lines, strict=True)):
        if line != previous:
            text = lines[line - 1].strip() if 1 <= line <= len(lines) else ""
            yield f"{line:5} | {text}".rstrip()
            previous = line
        yield f"        {index:5}  {describe(program, instruction)}"
    yield ""
