"""`quorate update`: move a project to the newest versions of the programs that it names."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import PathArgument
from .output import HomeOption, JsonOption, node_home, print_json, print_table

app = typer.Typer(add_completion=False, help="Move a project to the newest versions of the programs it names.")


@app.command()
def update(
    path: PathArgument = None,
    home: HomeOption = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; the exit code is 1 when there are newer versions.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Look every program of [programs] up in the index of the node, and write newer versions to the project file.

    Yanked versions are never chosen. Quorate itself is updated by what installed it.
    """
    import trio

    from quorate.node.errors import UsageError
    from quorate.node.project.selection import select
    from quorate.node.project.updating import newest_versions, write_versions
    from quorate.node.store import open_registry
    from quorate.node.store.source import PROGRAMS_FOLDER

    project = select(path).project
    if project is None:
        raise UsageError(f"{path} is a file", why="update is for projects", todo="name the folder of a project")
    registry = trio.run(open_registry, node_home(home) / PROGRAMS_FOLDER)
    newest = newest_versions(project, registry)
    newer = {name: version for name, version in newest.items() if project.programs[name] != version}
    if newer and not check:
        write_versions(project, newer)
    if as_json:
        rows = [{"name": name, "version": old, "newest": newest[name]} for name, old in project.programs.items()]
        print_json({"programs": rows, "written": bool(newer) and not check})
    elif not newest:
        typer.echo("The project names no programs.")
    else:
        print_table(
            ["program", "version", "newest"], [[name, project.programs[name], newest[name]] for name in newest]
        )
    if check and newer:
        raise typer.Exit(1)
