"""`quorate dev`: check and test a project whenever one of its files changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import PartiesOption, PathArgument, ProtocolOption, ThresholdOption

if TYPE_CHECKING:
    from quorate.node.project.execution import Committee
    from quorate.node.project.selection import Selection

app = typer.Typer(add_completion=False, help="Check and test a project whenever it changes.")


@app.command()
def dev(
    path: PathArgument = None,
    engine: Annotated[str, typer.Option("--engine", help="clear, or mpc, which runs both.")] = "clear",
    parties: PartiesOption = None,
    threshold: ThresholdOption = None,
    protocol: ProtocolOption = None,
) -> None:
    """Compile and test now, and again after every change, until Ctrl-C.

    A change of the project file counts from the next start on.
    """
    from quorate.node.errors import UsageError
    from quorate.node.gallery.trial import ENGINES
    from quorate.node.project.selection import select
    from quorate.node.project.watching import changes

    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine}", todo=f"use one of {', '.join(ENGINES)}")
    selection = select(path)
    committee = selection.committee(parties=parties, threshold=threshold, protocol=protocol)
    noticed = changes(selection.sources)
    try:
        _cycle(selection, engine, committee)
        for changed in noticed:
            names = ", ".join(one.name for one in changed[:5])
            typer.echo(f"\n... changed: {names}", err=True)
            _cycle(selection, engine, committee)
    except KeyboardInterrupt:
        raise typer.Exit from None


def _cycle(selection: Selection, engine: str, committee: Committee) -> None:
    """Check, and test what compiles; whatever is wrong is shown, and watching goes on."""
    from quorate.node.errors import QuorateNodeError
    from quorate.node.project.checking import check_sources
    from quorate.node.project.testing import find_tests, run_tests

    try:
        report = check_sources(selection)
        report.print()
        if report.passed and (cases := find_tests(selection)):
            run_tests(cases, committee, root=selection.root, engine=engine).print()
    except QuorateNodeError as error:
        typer.echo(f"{error}", err=True)
    typer.echo("... waiting for a change; Ctrl-C ends", err=True)
