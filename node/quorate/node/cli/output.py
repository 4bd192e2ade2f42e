"""What commands print: JSON for programs, tables for people."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

HOME_VARIABLE: Final = "QUORATE_HOME"

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, errors included.")]
HomeOption = Annotated[
    Path | None, typer.Option("--home", help=f"The folder of the node ({HOME_VARIABLE}, or ~/.quorate).")
]


def node_home(given: Path | None) -> Path:
    """The home that was given, or QUORATE_HOME, or ~/.quorate; absolute."""
    return (given or Path(os.environ.get(HOME_VARIABLE) or "~/.quorate")).expanduser().absolute()


def print_json(value: object) -> None:
    """Print `value` as one line of JSON."""
    typer.echo(json.dumps(value))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print `rows` under `columns`: fitted to the terminal, or one whole line a row when there is none."""
    if sys.stdout.isatty():
        _print_fitted(columns, rows)
        return
    widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        typer.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_fitted(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """Print names and values, one pair a line, aligned."""
    width = max((len(name) for name, _ in pairs), default=0)
    for name, value in pairs:
        typer.echo(f"{name:<{width}}  {value}")
