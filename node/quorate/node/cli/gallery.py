"""`quorate gallery`: run a folder of programs and report which of them pass."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import FieldOption
from .output import JsonOption, print_json

if TYPE_CHECKING:
    from quorate.node.gallery import Outcome

app = typer.Typer(add_completion=False, help="Run a folder of programs and report which pass.")


@app.command()
def gallery(
    folder: Annotated[Path, typer.Argument(help="A folder of programs, each a main.stfl in a folder of its own.")],
    engine: Annotated[str, typer.Option(help="clear, or mpc: then both must give the same.")] = "clear",
    parties: Annotated[int, typer.Option(help="The size of the committee, n.")] = 5,
    threshold: Annotated[int, typer.Option(help="How many members may collude.")] = 1,
    protocol: Annotated[str, typer.Option(help="passive, abort or robust.")] = "passive",
    field: FieldOption = None,
    jobs: Annotated[int, typer.Option(help="How many programs run at once.")] = 1,
    timeout: Annotated[float, typer.Option(help="Seconds that one program may take.")] = 120.0,
    as_json: JsonOption = False,
) -> None:
    """Run every program of FOLDER with the inputs that its `# run-args:` line gives.

    A program passes when it ends without a failure and, with mpc, prints and outputs what the clear engine does.
    The exit code is 1 when one has failed.
    """
    from quorate.node.errors import UsageError
    from quorate.node.gallery import Status, Trial, find_programs, run_gallery
    from quorate.node.gallery.trial import ENGINES
    from quorate.node.project.execution import DEFAULT_FIELD, Committee

    if engine not in ENGINES:
        raise UsageError(f"no engine is called {engine}", todo=f"use one of {', '.join(ENGINES)}")
    trial = Trial(engine, Committee(parties, threshold, protocol, field or DEFAULT_FIELD))
    programs = find_programs(folder)

    def progress(outcome: Outcome) -> None:
        typer.echo(f"... {outcome.status}: {outcome.path}", err=True)

    report = run_gallery(
        folder,
        programs,
        trial,
        jobs=jobs,
        timeout_s=timeout,
        progress=(lambda _: None) if as_json else progress,
    )
    if as_json:
        print_json(report.as_json())
    else:
        report.print()
    if report.count(Status.FAILED):
        raise typer.Exit(1)
