"""`quorate check`: compile without writing anything."""

from __future__ import annotations

import typer

from .options import LevelOption, PathArgument
from .output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Check a program or a project without writing anything.")


@app.command()
def check(path: PathArgument = None, level: LevelOption = None, as_json: JsonOption = False) -> None:
    """Compile the program at PATH, or every source of the project, and say everything that is wrong.

    The exit code is 1 when something is.
    """
    from quorate.node.project.checking import check_sources
    from quorate.node.project.selection import select

    report = check_sources(select(path), level=level)
    if as_json:
        print_json(report.as_json())
    else:
        report.print()
    if not report.passed:
        raise typer.Exit(1)
