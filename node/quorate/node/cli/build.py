"""`quorate build`: the bytecode of a project."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import LevelOption, PathArgument
from .output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Compile a project into its target folder.")

RELEASE_LEVEL = 3


@app.command()
def build(
    path: PathArgument = None,
    level: LevelOption = None,
    release: Annotated[
        bool, typer.Option("--release", help="Write to target/release, at level 3 unless -O is given.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compile the project that PATH is in and write its bytecode to its target folder."""
    from quorate.node.errors import UsageError
    from quorate.node.project.artefacts import write_bytecode
    from quorate.node.project.selection import select

    selection = select(path)
    if selection.project is None:
        raise UsageError(f"{path} is a file", why="build is for projects", todo="use: quorate compile FILE")
    if level is None and release:
        level = RELEASE_LEVEL
    program = selection.load(level=level)
    target = selection.project.bytecode(release=release)
    size = write_bytecode(program, target)
    if as_json:
        print_json({"output": str(target), "size_bytes": size, "functions": len(program.functions)})
    else:
        typer.echo(f"wrote {target.relative_to(selection.root)} ({size:,} bytes)")
