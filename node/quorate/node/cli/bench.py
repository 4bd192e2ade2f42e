"""`quorate bench`: measure what this machine does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

from .output import JsonOption, print_json, print_table

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure what this machine does."""


@app.command()
def mpc(
    parties: Annotated[int, typer.Option(help="How many parties, each a process.")] = 3,
    threshold: Annotated[int, typer.Option(help="How many of them may pool what they see.")] = 1,
    protocol: Annotated[str, typer.Option(help="The protocol: passive, abort or robust.")] = "passive",
    field: Annotated[str, typer.Option(help="The prime field.")] = "bn254",
    operation: Annotated[
        list[str] | None, typer.Option(help="What to measure; repeat for more, leave out for all.")
    ] = None,
    batch: Annotated[int, typer.Option(help="How many at once; 0 is each operation's usual number.")] = 0,
    repeat: Annotated[int, typer.Option(help="Repetitions, of which the fastest counts.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Run a committee's operations on this machine: one process a party, TCP over loopback, in clear."""
    import trio

    from quorate.node.bench import Benchmark, run_benchmark, usual_operations

    benchmark = Benchmark(
        parties=parties,
        threshold=threshold,
        protocol=protocol,
        field=field,
        operations=tuple(operation or usual_operations(protocol)),
        batch=batch,
        repeat=repeat,
    )

    async def run() -> dict[str, Any]:
        return await run_benchmark(benchmark, report=lambda line: typer.echo(line, err=True))

    results = trio.run(run)
    if as_json:
        print_json(results)
    else:
        _print(results["machine"], results["rows"])


def _print(machine: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> None:
    columns = ("operation", "batch", "CPU us/op", "wall us/op", "op/s", "bytes/op", "rounds", "peak MB")
    print_table(
        columns,
        [
            (
                row["operation"],
                f"{row['batch']:,}",
                f"{row['cpu_us_per_op']:,.3f}",
                f"{row['wall_us_per_op']:,.3f}",
                f"{1e6 / row['wall_us_per_op']:,.0f}",
                f"{row['bytes_per_op']:,.1f}",
                str(row["rounds"]),
                f"{row['peak_rss_bytes'] / 1e6:,.0f}",
            )
            for row in rows
        ],
    )
    typer.echo(
        f"\nCPU time and bytes sent are a party's; {machine['processors']} processors ({machine['processor']}), "
        f"{machine['channel']}."
    )
