"""`quorate warm`: compile the numeric kernels now, into numba's cache, instead of at first use."""

from __future__ import annotations

import time
from typing import Final

import typer

from .output import JsonOption, print_json

QUIET_SECONDS: Final = 4.0
"""Loading cached kernels takes less: nothing is shown then."""

app = typer.Typer(add_completion=False)


@app.command()
def warm(as_json: JsonOption = False) -> None:
    """Compile the numeric kernels now instead of at first use; quick when they are compiled already."""
    started = time.monotonic()
    kernels = warm_kernels(quiet=as_json)
    seconds = time.monotonic() - started
    if as_json:
        print_json({"kernels": kernels, "seconds": round(seconds, 3)})
    elif seconds > QUIET_SECONDS:
        typer.echo(f"{kernels} kernels are ready after {seconds:.1f} s; next time they come from the cache.")


def warm_kernels(*, quiet: bool) -> int:
    """Compile or load every kernel, behind a progress bar unless `quiet`; how many there are."""
    return _compile_quietly() if quiet else _compile_with_bar(time.monotonic())


def _compile_quietly() -> int:
    from quorate.protocol.field.warm import warm as compile_kernels

    kernels = 0

    def progress(done: int, _total: int, _name: str) -> None:
        nonlocal kernels
        kernels = done

    compile_kernels(progress)
    return kernels


def _compile_with_bar(started: float) -> int:
    """Compile behind a progress bar on standard error that appears once the work proves to be long."""
    from rich.console import Console
    from rich.progress import Progress

    from quorate.protocol.field.warm import warm as compile_kernels

    kernels = 0
    with Progress(console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("Compiling kernels", visible=False)

        def progress(done: int, total: int, name: str) -> None:
            nonlocal kernels
            kernels = done
            slow = time.monotonic() - started > QUIET_SECONDS
            bar.update(
                task, completed=done, total=total, description=f"Compiling {name}", visible=slow, refresh=slow
            )

        compile_kernels(progress)
    return kernels
