"""`quorate init`: make a project."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Make a project.")


@app.command()
def init(
    name: Annotated[Path | None, typer.Argument(help="The folder of the project; this one without it.")] = None,
    library: Annotated[bool, typer.Option("--lib", help="A library: functions for other programs.")] = False,
    template: Annotated[
        str | None, typer.Option("--template", help="program, lib, python or solidity; program without it.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Add to a folder that is not empty.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Write a project that compiles, passes its tests and runs: Quorate.toml, src/, a README.

    No file is ever replaced.
    """
    from quorate.node.errors import UsageError
    from quorate.node.project.templates import make_project

    if library and template not in (None, "lib"):
        raise UsageError("what should be made?", why="--lib and --template exclude one another", todo="give one")
    folder = name or Path()
    files = make_project(folder, template="lib" if library else template or "program", force=force)
    shown = [path.relative_to(folder.absolute()).as_posix() for path in files]
    if as_json:
        print_json({"folder": str(folder.absolute()), "files": shown})
        return
    for path in shown:
        typer.echo(f"wrote {path}")
    typer.echo(f"Next: cd '{folder}' && quorate test")
