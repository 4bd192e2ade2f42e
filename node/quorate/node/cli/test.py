"""`quorate test`: run the tests of a project, in the clear and by a committee."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .options import LevelOption, PartiesOption, PathArgument, ProtocolOption, ThresholdOption
from .output import JsonOption, print_json

if TYPE_CHECKING:
    from quorate.node.gallery import Outcome

app = typer.Typer(add_completion=False, help="Run the tests of a project.")


@app.command(name="test")
def run_all(
    path: PathArgument = None,
    pattern: Annotated[str, typer.Option("--test", help="Only tests with this in their name or file.")] = "",
    engine: Annotated[str, typer.Option("--engine", help="mpc, which runs both, or clear alone.")] = "mpc",
    level: LevelOption = None,
    parties: PartiesOption = None,
    threshold: ThresholdOption = None,
    protocol: ProtocolOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run every function called test_* that takes nothing, in the sources of the project and in tests/.

    A test passes when its assertions hold in the clear and by a committee in this process, and both print and
    return the same. The exit code is 1 when one fails.
    """
    from quorate.node.errors import UsageError
    from quorate.node.gallery import Status
    from quorate.node.gallery.trial import ENGINES
    from quorate.node.project.selection import select
    from quorate.node.project.testing import find_tests, run_tests

    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine}", todo=f"use one of {', '.join(ENGINES)}")
    selection = select(path)
    committee = selection.committee(parties=parties, threshold=threshold, protocol=protocol)
    cases = find_tests(selection, pattern=pattern, level=level)
    if not cases:
        raise UsageError(
            "there are no such tests", why="no function test_* without parameters was found", todo="write one"
        )

    def progress(outcome: Outcome) -> None:
        typer.echo(f"... {outcome.status}: {outcome.path}", err=True)

    report = run_tests(
        cases,
        committee,
        root=selection.root,
        engine=engine,
        progress=(lambda _: None) if as_json else progress,
    )
    if as_json:
        print_json(report.as_json())
    else:
        report.print()
    if report.count(Status.FAILED):
        raise typer.Exit(1)
