"""A compiled program with the inputs it is to be run on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorate.node.errors import UsageError
from quorate.node.project.execution import Call, Committee, Execution, run_clear, run_committee
from quorate.node.project.sources import SourceInvalid, compile_text, load_program, read_source
from quorate.node.project.values import Number
from quorate.protocol import vm
from quorate.protocol.errors import ProgramError
from quorate.protocol.lang import CompileErrors

from .callers import in_thread, with_trio, without_loop
from .network_terms import NetworkTerms
from .result import Costs, ProgramResult, TypedValue
from .secret_inputs import InputValues, secret_numbers

if TYPE_CHECKING:
    from quorate.node.jobs.network import Job


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """A program and how it is called; immutable: every `with_` returns another one.

    Clients have slots, from 0 on. One that is named by a text takes the next free slot, and its outputs carry that
    name; one that is named by a number is called by it.
    """

    code: vm.Program = dataclasses.field(repr=False)
    name: str
    entry: str = "main"
    source: str | None = dataclasses.field(default=None, repr=False)
    arguments: tuple[Any, ...] = ()  # public values: int, bool, str, float, Fraction, or lists of them
    inputs: Mapping[int, tuple[Number, ...]] = dataclasses.field(default_factory=dict, repr=False)
    clients: Mapping[str, int] = dataclasses.field(default_factory=dict)
    receivers: int | None = None

    @classmethod
    def from_file(cls, path: str | Path, *, level: int | None = None) -> Program:
        """The program at `path`, source or bytecode; raises SourceInvalid, UsageError."""
        path = Path(path)
        code = load_program(path, level=level)
        return cls(code, path.name, source=read_source(path) if path.suffix == ".stfl" else None)

    @classmethod
    def compile(
        cls,
        text: str,
        *,
        name: str = "program.stfl",
        level: int | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> Program:
        """The program whose source is `text`; `modules` are the texts of what it imports. Raises SourceInvalid."""
        try:
            code = compile_text(text, name, modules=modules, level=level)
        except CompileErrors as error:
            raise SourceInvalid(Path(name), error) from None
        return cls(code, name, source=text)

    @classmethod
    def from_bytecode(cls, data: bytes, *, name: str = "program.stflb") -> Program:
        """The program that `quorate build` wrote as `data`; raises UsageError."""
        try:
            return cls(vm.load(data), name)
        except ProgramError as error:
            raise UsageError(f"{name} cannot be loaded", why=str(error), todo="compile it again") from None

    def with_entry(self, entry: str) -> Program:
        """The same, run from function `entry`; raises UsageError when there is none."""
        names = [function.name for function in self.code.functions]
        if entry not in names:
            raise UsageError(f"{self.name} has no function {entry}", why=f"it has {', '.join(names[:20])}")
        return dataclasses.replace(self, entry=entry)

    def with_arguments(self, *arguments: Any) -> Program:  # Any: public values, see the field
        """The same with the public arguments of the entry function."""
        return dataclasses.replace(self, arguments=arguments)

    def with_receivers(self, count: int) -> Program:
        """The same with outputs for the clients in slots 0 to count - 1; else all clients receive."""
        return dataclasses.replace(self, receivers=count)

    def with_inputs(self, client: int | str, values: InputValues) -> Program:
        """The same with secret `values` of `client`: a number, a sequence, a NumPy array or a pandas frame.

        Values given before by the same client are replaced. Raises UsageError, which quotes no value.
        """
        numbers = secret_numbers(values)
        slot = client if isinstance(client, int) else self.clients.get(client)
        if slot is None:
            slot = next(number for number in range(len(self.inputs) + 1) if number not in self.inputs)
        if isinstance(slot, bool) or slot < 0:
            raise UsageError(f"{slot} is no slot of a client", why="slots are counted from 0")
        names = {**self.clients, client: slot} if isinstance(client, str) else self.clients
        return dataclasses.replace(self, inputs={**self.inputs, slot: numbers}, clients=names)

    def run_clear(self) -> ProgramResult:
        """Run in the clear, in this process, hiding nothing; raises ProgramFailed, UsageError."""
        return self._result(run_clear(self._call()))

    async def run_clear_async(self) -> ProgramResult:
        """As `run_clear`, for asyncio and trio."""
        return await in_thread(self.run_clear)

    def run_local(self, *, parties: int = 5, threshold: int = 1, protocol: str = "passive") -> ProgramResult:
        """Run by a committee of `parties` in this process, by the real protocol; raises ProgramFailed, UsageError.

        This hides nothing from this process, which plays all parties and clients.
        """
        return self._result(run_committee(self._call(), Committee(parties, threshold, protocol)))

    async def run_local_async(
        self, *, parties: int = 5, threshold: int = 1, protocol: str = "passive"
    ) -> ProgramResult:
        """As `run_local`, for asyncio and trio."""
        return await in_thread(lambda: self.run_local(parties=parties, threshold=threshold, protocol=protocol))

    def run_network(self, home: str | Path, terms: NetworkTerms | None = None) -> ProgramResult:
        """Run on the testnet whose home is `home`: a committee is locked, computes, and is paid by the chain.

        The program must be one source file that begins at main and takes no arguments; every client gives the same
        number of integers and receives. Raises UsageError, and what the network raises.
        """
        return without_loop(lambda: self._on_network(Path(home), terms or NetworkTerms()))

    async def run_network_async(self, home: str | Path, terms: NetworkTerms | None = None) -> ProgramResult:
        """As `run_network`, for asyncio and trio."""
        return await with_trio(lambda: self._on_network(Path(home), terms or NetworkTerms()))

    async def _on_network(self, home: Path, terms: NetworkTerms) -> ProgramResult:
        from .network import run_on

        source, inputs = self._for_network()
        return _network_result(await run_on(home, source, inputs, terms=terms))

    def _for_network(self) -> tuple[str, dict[str, tuple[int, ...]]]:
        """The source and the values by client name; raises UsageError for what a network does not take."""
        if self.source is None or self.entry != "main" or self.arguments or self.receivers is not None:
            raise UsageError(
                f"{self.name} cannot run on a network like this",
                why="that takes a source that begins at main, no arguments, and all clients as receivers",
                todo="publish the program with a manifest, and use: quorate run NAME",
            )
        inputs: dict[str, tuple[int, ...]] = {}
        for slot in sorted(self.inputs):
            values = self.inputs[slot]
            if any(Fraction(value).denominator != 1 for value in values):
                raise UsageError(
                    f"client {self._client_name(slot)} gives a fraction",
                    why="without a manifest inputs are integers",
                    todo="scale it",
                )
            name = self._client_name(slot)
            inputs[name if not name.isdigit() else f"client-{name}"] = tuple(int(value) for value in values)
        return self.source, inputs

    def _call(self) -> Call:
        return Call(self.code, self.entry, self.arguments, self.inputs, self.receivers)

    def _client_name(self, slot: int) -> str:
        return next((name for name, number in self.clients.items() if number == slot), str(slot))

    def _result(self, execution: Execution) -> ProgramResult:
        outputs: dict[str, tuple[TypedValue, ...]] = {}
        for slot, received in execution.outputs.items():
            name = self._client_name(slot)
            pairs = enumerate(zip(received.types, received.values, strict=True))
            outputs[name] = tuple(TypedValue(f"{name}[{index}]", kind, value) for index, (kind, value) in pairs)
        return ProgramResult(execution.value, outputs, execution.printed, _costs(execution))


def _costs(execution: Execution) -> Costs | None:
    spent = execution.statistics
    if spent is None:
        return None
    return Costs(spent.rounds, spent.multiplications, spent.bytes_sent, dict(execution.phases))


def _network_result(job: Job) -> ProgramResult:
    outputs: dict[str, tuple[TypedValue, ...]] = {}
    public = ""
    for name, result in job.results.items():
        public = result["public_result"]
        outputs[name] = tuple(
            TypedValue(f"{name}[{index}]", "bool" if isinstance(value, bool) else "int64", value)
            for index, value in enumerate(result["outputs"] or ())
        )
    return ProgramResult(public or None, outputs)
