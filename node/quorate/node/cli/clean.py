"""`quorate clean`: remove what was built."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import PathArgument
from .output import JsonOption, print_json

app = typer.Typer(add_completion=False, help="Remove what was built.")


@app.command()
def clean(
    path: PathArgument = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove the target folder of the project that PATH is in, and nothing else."""
    from quorate.node.errors import UsageError
    from quorate.node.project.artefacts import built_files, remove_built
    from quorate.node.project.selection import select

    project = select(path).project
    if project is None:
        raise UsageError(f"{path} is a file", why="clean is for projects", todo="name the folder of a project")
    files = built_files(project) if dry_run else remove_built(project)
    if as_json:
        print_json({"target": str(project.target), "files": [str(file) for file in files], "removed": not dry_run})
        return
    for file in files:
        typer.echo(f"{'would remove' if dry_run else 'removed'} {file.relative_to(project.root)}")
    if not files:
        typer.echo("nothing is built")
