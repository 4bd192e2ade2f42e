"""`quorate status`: what a project is, and whether it is in order."""

from __future__ import annotations

import typer

from .options import PathArgument
from .output import JsonOption, print_json, print_pairs

app = typer.Typer(add_completion=False, help="What a project is, and whether it is in order.")


@app.command()
def status(path: PathArgument = None, as_json: JsonOption = False) -> None:
    """Show the project that PATH is in: its committee, its sources and tests, and what is built.

    The exit code is 1 when a source does not compile.
    """
    from importlib.metadata import version

    from quorate.node.errors import UsageError
    from quorate.node.project.artefacts import is_current
    from quorate.node.project.checking import check_sources
    from quorate.node.project.selection import select
    from quorate.node.project.testing import find_tests

    selection = select(path)
    project = selection.project
    if project is None:
        raise UsageError(f"{path} is a file", why="status is about projects", todo="use: quorate check FILE")
    report = check_sources(selection)
    shown: dict[str, object] = {
        "project": f"{project.name} {project.version}",
        "file": str(project.file),
        "committee": f"{project.parties} parties, threshold {project.threshold}, {project.protocol}, {project.field}",
        "sources": len(report.files),
        "failures": sorted(report.failures),
        "tests": len(find_tests(selection)) if report.passed else None,
        "bytecode": str(project.bytecode()) if project.bytecode().is_file() else None,
        "current": is_current(project),
        "programs": dict(project.programs),
        "quorate": version("quorate"),
    }
    if as_json:
        print_json(shown)
    else:
        print_pairs([(name, _text(value)) for name, value in shown.items()])
    if not report.passed:
        raise typer.Exit(1)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {version}" for name, version in value.items()) or "none"
    return "-" if value is None else str(value)
