"""Trying a package out: its test vectors on the clear engine, which needs neither a committee nor secrets."""

from __future__ import annotations

from dataclasses import dataclass

from quorate.protocol.errors import ProgramError
from quorate.protocol.lang import compile_source
from quorate.protocol.vm import ClearEngine, Environment, Program, Result, run
from quorate.registry import Case, Package


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one test vector; `problem` is empty when the program gave what the vector says."""

    case: str
    problem: str


def try_package(package: Package) -> tuple[Trial, ...]:
    """Compile `package` and run every vector; raises CompileErrors, or InvalidPackage for what is not text."""
    program = compile_package(package)
    return tuple(Trial(case.name, _try(package, program, case)) for case in package.cases())


def compile_package(package: Package) -> Program:
    """The bytecode of the package's main source; raises CompileErrors or InvalidPackage."""
    return compile_source(package.source(), package.manifest.program.sources[0])


def run_in_the_clear(package: Package, program: Program, case: Case) -> Result:
    """The result of `program` for one vector on the clear engine; raises ProgramError when it fails."""
    inputs = {(client, place): value for client, row in enumerate(case.inputs) for place, value in enumerate(row)}
    clients = len(case.inputs)
    engine = ClearEngine(inputs, Environment(clients, clients, clients))
    rounds = run(program, engine, entry=package.manifest.program.entry, arguments=case.arguments)
    while True:
        try:
            next(rounds)
        except StopIteration as ended:
            result: Result = ended.value
            return result


def public_values(result: Result) -> tuple[int, ...]:
    """The opened result as integers: none, one, or a list; raises TypeError or ValueError for anything else."""
    values = result.value if isinstance(result.value, list) else [result.value]
    return () if result.value is None else tuple(int(value) for value in values)


def _try(package: Package, program: Program, case: Case) -> str:
    try:
        result = run_in_the_clear(package, program, case)
        public = public_values(result)
    except (ProgramError, ValueError, TypeError) as error:
        return str(error)
    outputs = {output.client: tuple(output.values) for output in result.outputs}
    for client, expected in enumerate(case.outputs):
        if outputs.get(client, ()) != expected:
            return f"client {client} got {outputs.get(client, ())}, not {expected}"
    if public != case.public:
        return f"the public result is {public}, not {case.public}"
    return ""
