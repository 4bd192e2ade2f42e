"""`quorate run`: any program, in this process or on a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import (
    ClientInputOption,
    EntryOption,
    FieldOption,
    LevelOption,
    PartiesOption,
    ProtocolOption,
    ReceiversOption,
    ThresholdOption,
)
from .output import JsonOption, print_json, print_pairs, print_table
from .run_own import ProgramCall, is_own_program, run_own_program

if TYPE_CHECKING:
    from quorate.node.jobs.network import Job
    from quorate.node.requestor import Terms
    from quorate.registry import Package

app = typer.Typer(add_completion=False, help="Run a program on a committee and print its result.")


_ProgramArgument = Annotated[
    str | None,
    typer.Argument(help="name, name@version, a file.stfl or .stflb, or a project; the project here without it."),
]
_InputOption = Annotated[
    list[str] | None, typer.Option("--input", help="A client and its values: alice=120 or alice=1,2,3; repeat.")
]
_ArgumentOption = Annotated[
    list[str] | None, typer.Option("--argument", help="A public argument, as name=value; repeat.")
]
_TestnetOption = Annotated[
    Path | None, typer.Option("--testnet", help="The home of a running testnet (quorate testnet up).")
]
_NetworkOption = Annotated[
    Path | None, typer.Option("--network", help="The network.json of a running testnet, instead of --testnet.")
]


@app.command()
def run(
    program: _ProgramArgument = None,
    inputs: _InputOption = None,
    argument: _ArgumentOption = None,
    client_input: ClientInputOption = None,
    receivers: ReceiversOption = None,
    entry: EntryOption = "main",
    level: LevelOption = None,
    trace: Annotated[bool, typer.Option("--trace", help="Print what is computed on secrets, by steps.")] = False,
    local: Annotated[bool, typer.Option("--local", help="The whole committee in this process.")] = False,
    testnet: _TestnetOption = None,
    network: _NetworkOption = None,
    parties: PartiesOption = None,
    threshold: ThresholdOption = None,
    protocol: ProtocolOption = None,
    field: FieldOption = None,
    max_price: Annotated[str, typer.Option(help="The most to pay, all members together.")] = "0.01 ether",
    collateral: Annotated[str, typer.Option(help="What each member must lock.")] = "0.01 ether",
    deadline: Annotated[int, typer.Option(help="Seconds for the work, after 20 for the bids.")] = 60,
    as_json: JsonOption = False,
) -> None:
    """Run PROGRAM for its clients and print what each of them gets.

    With --local all parties run in this process, with the real protocols; else the request goes to a testnet: each
    client is a process, the price is escrowed, a committee is locked, and the chain pays it. A file or a project
    whose clients are given by slot, with --client-input, or that has none, runs in this process.
    """
    home = _home(testnet, network)
    asked = ProgramCall(tuple(argument or ()), tuple(client_input or ()), receivers, entry, level)
    if program is None or is_own_program(program, inputs or []):
        _refuse_names(program, inputs, home)
        run_own_program(
            program,
            asked,
            parties=parties,
            threshold=threshold,
            protocol=protocol,
            field=field,
            trace=trace,
            as_json=as_json,
        )
        return
    _refuse_slots(program, inputs, asked, others=trace or field is not None)
    request = _Request(
        5 if parties is None else parties,
        1 if threshold is None else threshold,
        protocol,
        working_s=deadline,
        max_price=max_price,
        collateral=collateral,
    )
    _run_named(program, inputs or [], asked.arguments, request, home, local=local, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked of a committee, amounts as they were typed."""

    parties: int
    threshold: int
    protocol: str | None
    working_s: int
    max_price: str
    collateral: str

    def terms(self) -> Terms:
        """The terms of a request on a network."""
        from quorate.node.amounts import parse_amount
        from quorate.node.requestor import Terms

        return Terms(
            parties=self.parties,
            threshold=self.threshold,
            working_s=self.working_s,
            max_price=int(parse_amount(self.max_price)),
            collateral=int(parse_amount(self.collateral)),
            protocol=self.protocol,
        )


def _home(testnet: Path | None, network: Path | None) -> Path | None:
    """The home of the testnet to run on, if one is named in either way."""
    from quorate.node.errors import UsageError

    if network is not None and testnet is not None:
        raise UsageError(
            "where should it run?", why="--network and --testnet exclude one another", todo="give one"
        )
    return testnet if network is None else network.parent


def _refuse_names(program: str | None, inputs: Sequence[str] | None, home: Path | None) -> None:
    """Raise UsageError for options that a program of one's own, with clients by slot, does not take."""
    from quorate.node.errors import UsageError

    if inputs or home is not None:
        raise UsageError(
            f"{program or 'the project'} does not run like this",
            why="--input and a testnet take a name of the registry, or a file.stfl with --input",
            todo="give --client-input SLOT=VALUE, or name a file and give --input NAME=VALUE",
        )


def _refuse_slots(program: str, inputs: Sequence[str] | None, asked: ProgramCall, *, others: bool) -> None:
    """Raise UsageError for options that a program with clients by name does not take, or when none is named."""
    from quorate.node.errors import UsageError

    by_slot = asked.client_inputs or asked.receivers is not None or asked.level is not None
    if not inputs or by_slot or others or asked.entry != "main":
        raise UsageError(
            f"{program} does not run like this",
            why="its clients are given by --input alone; --entry, --field, -O and --trace are for files and projects",
            todo="give --input NAME=VALUE",
        )


def _run_named(
    program: str,
    inputs: Sequence[str],
    argument: Sequence[str],
    request: _Request,
    home: Path | None,
    *,
    local: bool,
    as_json: bool,
) -> None:
    """Run a program whose clients are given by name, in this process or on the testnet of `home`."""
    from quorate.node.errors import UsageError
    from quorate.node.jobs.values import parse_inputs

    if local == (home is not None):
        raise UsageError("where should it run?", why="--local and --testnet exclude one another", todo="give one")
    values = parse_inputs(inputs)
    _check_protocol(request.protocol, request.parties, request.threshold)
    package = _package(program, values)
    arguments = _arguments(package, argument)
    if home is None:
        _run_local(
            package,
            values,
            arguments,
            parties=request.parties,
            threshold=request.threshold,
            protocol=request.protocol,
            as_json=as_json,
        )
        return
    _check_inputs(package, values, arguments)
    _run_on_testnet(package, values, arguments, home.absolute(), request.terms(), as_json=as_json)


def _check_protocol(protocol: str | None, parties: int, threshold: int) -> None:
    from quorate.node.errors import UsageError
    from quorate.protocol.adversaries import PROTOCOLS, least_parties

    if protocol is not None and protocol not in PROTOCOLS:
        raise UsageError(f"no protocol is called {protocol}", todo=f"use one of {', '.join(PROTOCOLS)}")
    least = least_parties(protocol or PROTOCOLS[0], threshold)
    if parties < least:
        raise UsageError(
            f"{parties} parties cannot withstand {threshold}",
            why=f"{protocol or PROTOCOLS[0]} needs {least} parties for a threshold of {threshold}",
            todo=f"use --parties {least} or more, or a smaller --threshold",
        )


def _package(program: str, values: Mapping[str, Sequence[int]]) -> Package:
    from quorate.node.jobs.packages import is_source_file, package_of_file, shipped_package

    return package_of_file(Path(program), values) if is_source_file(program) else shipped_package(program)


def _arguments(package: Package, given: Sequence[str]) -> list[int]:
    """The public arguments in the manifest's order, with its defaults."""
    from quorate.node.errors import UsageError
    from quorate.node.jobs.values import parse_inputs

    named = {name: value[0] for name, value in parse_inputs(given, option="--argument").items()}
    arguments: list[int] = []
    for spec in package.manifest.arguments:
        value = named.pop(spec.name, spec.default)
        if value is None:
            raise UsageError(
                f"the argument {spec.name} is missing",
                why=spec.description,
                todo=f"add --argument {spec.name}=...",
            )
        arguments.append(value)
    if named:
        raise UsageError(f"{package.manifest.name} takes no argument {', '.join(named)}", todo="leave it out")
    return arguments


def _check_inputs(package: Package, values: Mapping[str, Sequence[int]], arguments: Sequence[int]) -> None:
    """Raise UsageError, which quotes no value, before anything is paid for values that the clients would refuse."""
    from quorate.node.errors import UsageError
    from quorate.registry import QuorateRegistryError

    for name, given in values.items():
        try:
            package.manifest.check_inputs(given, arguments)
        except QuorateRegistryError as error:
            raise UsageError(
                f"the values of {name} do not fit", why=str(error), todo="give values as the program declares them"
            ) from None


def _run_local(
    package: Package,
    values: Mapping[str, Sequence[int]],
    arguments: Sequence[int],
    *,
    parties: int,
    threshold: int,
    protocol: str | None,
    as_json: bool,
) -> None:
    from quorate.node.jobs.local import run_locally

    result = run_locally(
        package, values, arguments=arguments, parties=parties, threshold=threshold, protocol=protocol
    )
    costs = result.statistics
    if as_json:
        print_json(
            {
                "outputs": {name: list(output) for name, output in result.outputs.items()},
                "public_result": result.public_result,
                "parties": parties,
                "threshold": threshold,
                "phases": {name: round(seconds, 4) for name, seconds in result.phases.items()},
                "rounds": costs.rounds,
                "multiplications": costs.multiplications,
                "bytes": costs.bytes_sent,
            }
        )
        return
    _print_outputs(result.outputs, result.public_result)
    print_pairs(
        [
            ("committee", f"{parties} parties, threshold {threshold}, all in this process"),
            ("rounds", str(costs.rounds)),
            ("multiplications", str(costs.multiplications)),
            ("bytes a party", f"{costs.bytes_sent:,} sent"),
            *((f"{name} s", f"{seconds:.3f}") for name, seconds in result.phases.items()),
        ]
    )


def _print_outputs(outputs: Mapping[str, Sequence[Any]], public_result: str) -> None:  # Any: int or bool
    print_table(
        ["client", "output"], [[name, ", ".join(map(str, output)) or "-"] for name, output in outputs.items()]
    )
    if public_result:
        print_pairs([("public result", public_result)])


def _run_on_testnet(
    package: Package,
    values: Mapping[str, Sequence[int]],
    arguments: Sequence[int],
    home: Path,
    terms: Terms,
    *,
    as_json: bool,
) -> None:
    import trio

    from quorate.node.errors import UsageError
    from quorate.node.jobs.report import job_json, print_job
    from quorate.node.testnet import read_network

    network = read_network(home)
    if network is None:
        raise UsageError(
            f"no testnet runs in {home}", todo=f"start one with: quorate testnet up --home '{home}' --detach"
        )
    from quorate.node.jobs.network import run_on_network
    from quorate.node.jobs.testnet import requestor_config, testnet_accounts

    config = requestor_config(network)
    progress = (lambda _: None) if as_json else (lambda step: typer.echo(f"... {step}", err=True))

    async def work() -> Job:
        return await run_on_network(
            config,
            package,
            values,
            arguments=arguments,
            terms=terms,
            accounts=testnet_accounts(network),
            folder=home,
            progress=progress,
        )

    job = trio.run(work)
    if as_json:
        print_json(job_json(job, parties=terms.parties, threshold=terms.threshold))
        return
    _print_outputs(
        {name: result["outputs"] for name, result in job.results.items()},
        next(iter(job.results.values()))["public_result"] if job.results else "",
    )
    print_job(job)
