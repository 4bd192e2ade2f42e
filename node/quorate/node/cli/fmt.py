"""`quorate fmt`: lay programs out."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import PathArgument
from .output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Lay programs out.")


@app.command()
def fmt(
    path: PathArgument = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; the exit code is 1 when a file would change.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Lay out the program at PATH, or every source of the project; comments and line breaks stay."""
    from quorate.node.project.artefacts import write_file
    from quorate.node.project.layout import laid_out
    from quorate.node.project.selection import select

    selection = select(path)
    changed: list[str] = []
    sources = selection.sources()
    for source in sources:
        text = laid_out(source)
        if text is None:
            continue
        shown = source.relative_to(selection.root) if source.is_relative_to(selection.root) else source
        changed.append(shown.as_posix())
        if not check:
            write_file(source, text.encode())
    if as_json:
        print_json({"changed": changed, "files": len(sources), "written": not check})
    else:
        for name in changed:
            typer.echo(f"{'would lay out' if check else 'laid out'} {name}")
        typer.echo(f"{len(changed)} of {len(sources)} {'to lay out' if check else 'laid out'}")
    if check and changed:
        raise typer.Exit(1)
