"""One call of a program, in the clear or by a whole committee in this process.

The committee is real: n parties with the chosen protocol, clients that mask their inputs and reconstruct their
outputs. What is left out is the network between them, and who knows the values: this process knows them all. It
withstands nobody, and is there to try a program out and to measure it.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from time import perf_counter
from typing import Any, Final, TypeVar

from quorate.node.errors import QuorateNodeError, UsageError
from quorate.protocol.adversaries import COMPUTE_FIELDS, PROTOCOLS, least_parties
from quorate.protocol.errors import ProgramError
from quorate.protocol.field import PrimeField, by_name
from quorate.protocol.mpc import (
    ClientInput,
    ClientOutput,
    InputKind,
    InputMasks,
    Party,
    PartyId,
    Protocol,
    Statistics,
    accept_inputs,
    draw_masks,
    mask_count,
    output_shares,
    preprocess,
    run_local,
    schemes,
    signed_integers,
    verify,
)
from quorate.protocol.vm import (
    ClearEngine,
    CountingEngine,
    Counts,
    Environment,
    MpcEngine,
    Output,
    Program,
    Result,
    Secret,
    ValueKind,
    manifest,
    run,
)

from .values import Number, Plain, decode, encode, input_kind, kind_name, named_inputs

MAX_PARTIES: Final = 64
DEFAULT_FIELD: Final = "bn254"
_MISSING_INPUT: Final = "gave no input number"
Value = TypeVar("Value")


class ProgramFailed(QuorateNodeError):
    """The program ended with a failure of its own; `reason` names the line."""

    def __init__(self, reason: str) -> None:
        super().__init__("the program failed", why=reason, todo="correct the program or its inputs")
        self.reason = reason


class MissingInput(ProgramFailed):
    """The program read an input that no client gave."""


@dataclasses.dataclass(frozen=True, slots=True)
class Committee:
    """Who computes, and how; raises UsageError for a committee that cannot withstand its threshold."""

    parties: int = 5
    threshold: int = 1
    protocol: str = "passive"
    field: str = DEFAULT_FIELD

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise UsageError(f"no protocol is called {self.protocol}", todo=f"use one of {', '.join(PROTOCOLS)}")
        if self.field not in COMPUTE_FIELDS:
            raise UsageError(f"no field is called {self.field}", todo=f"use one of {', '.join(COMPUTE_FIELDS)}")
        least = least_parties(self.protocol, self.threshold)
        if not max(least, 1) <= self.parties <= MAX_PARTIES or self.threshold < 0:
            raise UsageError(
                f"{self.parties} parties cannot withstand {self.threshold}",
                why=f"{self.protocol} needs {least} to {MAX_PARTIES} parties for a threshold of {self.threshold}",
                todo="change the number of parties or the threshold",
            )


@dataclasses.dataclass(frozen=True, slots=True)
class Call:
    """What is run: a function with its public arguments, the clients' values by slot, and who receives.

    `receivers` is how many clients receive outputs: slots 0 to receivers - 1; None: all that there are.
    """

    program: Program
    entry: str = "main"
    arguments: tuple[Any, ...] = ()  # int, bool, str, Fraction or lists of them: what vm.run takes
    inputs: Mapping[int, Sequence[Number]] = dataclasses.field(default_factory=dict, repr=False)
    receivers: int | None = None

    def environment(self, committee: Committee) -> Environment:
        """The public facts that the program may ask for."""
        givers = 1 + max(self.inputs, default=-1)
        receivers = givers if self.receivers is None else self.receivers
        return Environment(
            clients=max(givers, receivers),
            input_clients=givers,
            output_clients=receivers,
            parties=committee.parties,
            threshold=committee.threshold,
            field=committee.field,
            protocol=committee.protocol,
            modulus=by_name[committee.field].modulus,
        )


@dataclasses.dataclass(frozen=True, slots=True)
class ClientValues:
    """What one client received: the values, and the type of each."""

    values: tuple[Plain, ...] = dataclasses.field(repr=False)
    types: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Execution:
    """What a call gave: the public result, the outputs by client, the printed lines.

    `statistics` are one party's costs and `phases` seconds; both are empty in the clear.
    """

    value: Any
    outputs: Mapping[int, ClientValues]
    printed: tuple[str, ...]
    statistics: Statistics | None = None
    phases: Mapping[str, float] = dataclasses.field(default_factory=dict)


def run_clear(
    call: Call, committee: Committee | None = None, *, draw: Callable[[int], bytes] = os.urandom
) -> Execution:
    """Run a call in the clear, as if on `committee`; raises ProgramFailed, UsageError."""
    committee = committee or Committee()
    environment, kinds = call.environment(committee), kinds_of(call, committee)
    inputs = _elements(call, kinds)
    modulus = by_name[committee.field].modulus
    engine = ClearEngine(inputs, environment, modulus=modulus, randomness=draw)
    result = _checked(lambda: _finish(run(call.program, engine, entry=call.entry, arguments=call.arguments)))
    outputs = {output.client: _readable(output.kinds, output.values) for output in result.outputs}
    return Execution(result.value, outputs, result.printed)


def count(call: Call, committee: Committee) -> Counts:
    """What running a call takes, by a dry run that knows no secret; raises ProgramFailed, UsageError."""
    return _dry_run(call, committee).counts()


def run_committee(call: Call, committee: Committee, *, draw: Callable[[int], bytes] = os.urandom) -> Execution:
    """Run a call by a committee of parties in this process; raises ProgramFailed, UsageError."""
    return _checked(lambda: _Session(call, committee, draw).run())


def kinds_of(call: Call, committee: Committee) -> dict[tuple[int, int], ValueKind]:
    """The kind of every input, read off the program, or off a dry run where its places are computed."""
    places = list(named_inputs(call.inputs))
    uses = manifest(call.program).inputs
    kinds = {use.kind for use in uses}
    if len(kinds) <= 1:
        return dict.fromkeys(places, next(iter(kinds), ValueKind.INT64))
    known: dict[tuple[int, int], ValueKind] = {
        (use.client, use.index): use.kind for use in uses if use.client is not None and use.index is not None
    }
    if len(known) != len(uses) or not all(place in known for place in places):
        known = _dry_run(call, committee).kinds
    return {place: known.get(place, ValueKind.INT64) for place in places}


def _elements(call: Call, kinds: Mapping[tuple[int, int], ValueKind]) -> dict[tuple[int, int], int]:
    elements: dict[tuple[int, int], int] = {}
    for (client, index), value in named_inputs(call.inputs).items():
        try:
            elements[client, index] = encode(value, kinds[client, index])
        except ValueError as error:
            raise UsageError(
                f"value {index} of client {client} does not fit",
                why=f"the program reads it as {kind_name(kinds[client, index])}; it is {error}",
                todo="give a value of that type",
            ) from None
    return elements


class _DryRun(CountingEngine):
    """A dry run that also notes how each input is read."""

    def __init__(self, inputs: Sequence[tuple[int, int]], environment: Environment) -> None:
        super().__init__(inputs, environment)
        self.kinds: dict[tuple[int, int], ValueKind] = {}

    def input(self, client: int, index: int, *, kind: ValueKind) -> Secret:
        """Input number `index` of `client`, whose kind is the one that it is first read as."""
        self.kinds.setdefault((client, index), kind)
        return super().input(client, index, kind=kind)


def _dry_run(call: Call, committee: Committee) -> _DryRun:
    engine = _DryRun(list(named_inputs(call.inputs)), call.environment(committee))
    _checked(lambda: _finish(run(call.program, engine, entry=call.entry, arguments=call.arguments)))
    return engine


def _finish(protocol: Protocol[Value]) -> Value:
    """The result of a protocol that communicates with nobody."""
    try:
        next(protocol)
    except StopIteration as end:
        result: Value = end.value
        return result
    raise AssertionError("a run in the clear communicates with nobody")


def _checked(work: Callable[[], Value]) -> Value:
    try:
        return work()
    except ProgramError as error:
        failure = MissingInput if _MISSING_INPUT in str(error) else ProgramFailed
        raise failure(str(error)) from None


class _Session:
    """A committee and its clients, from the preprocessing to the outputs."""

    def __init__(self, call: Call, committee: Committee, draw: Callable[[int], bytes]) -> None:
        self._call = call
        self._committee = committee
        self._environment = call.environment(committee)
        self._field: PrimeField = by_name[committee.field]
        self._elements = _elements(call, kinds := kinds_of(call, committee))
        self._kinds: dict[int, tuple[InputKind, ...]] = {
            client: tuple(input_kind(kinds[client, index]) for index in range(len(values)))
            for client, values in sorted(call.inputs.items())
            if values
        }
        _check_masks(self._kinds)
        scheme = schemes[committee.protocol]
        self._members = [
            Party(
                self._field,
                PartyId(identity),
                parties=committee.parties,
                threshold=committee.threshold,
                randomness=draw,
                scheme=scheme,
            )
            for identity in range(1, committee.parties + 1)
        ]

    def run(self) -> Execution:
        """All phases, one after another."""
        phases: dict[str, float] = {}
        started = perf_counter()
        dry = _dry_run(self._call, self._committee)
        masks = run_local([self._prepare(member, dry) for member in self._members])
        phases["preprocess"], started = perf_counter() - started, perf_counter()
        masked = self._masked(masks)
        phases["inputs"], started = perf_counter() - started, perf_counter()
        pairs = zip(self._members, masks, strict=True)
        results = run_local([self._evaluate(member, own, masked) for member, own in pairs])
        phases["online"], started = perf_counter() - started, perf_counter()
        ends = zip(self._members, results, strict=True)
        shares = run_local([self._conclude(member, result) for member, result in ends])
        outputs = self._outputs(results[0].outputs, shares)
        phases["output"] = perf_counter() - started
        first = results[0]
        return Execution(first.value, outputs, first.printed, self._members[0].statistics, phases)

    def _prepare(self, member: Party, dry: CountingEngine) -> Protocol[list[InputMasks]]:
        masks = sum(mask_count(kinds) for kinds in self._kinds.values())
        missing = dry.plan(member, shares=masks).missing_from(member.pool.stock)
        if not missing.is_empty:
            yield from preprocess(member, missing)
        return (yield from draw_masks(member, self._kinds))

    def _masked(self, masks: Sequence[Sequence[InputMasks]]) -> dict[int, bytes]:
        messages: dict[int, bytes] = {}
        for place, (client, kinds) in enumerate(self._kinds.items()):
            rows = enumerate(masks, start=1)
            shares = {PartyId(party): self._field.to_bytes(own[place].shares) for party, own in rows}
            machine = ClientInput(
                self._field, kinds, parties=self._committee.parties, threshold=self._committee.threshold
            )
            values = [self._elements[client, index] for index in range(len(kinds))]
            messages[client] = machine.mask(values, shares)
        return messages

    def _evaluate(
        self, member: Party, masks: Sequence[InputMasks], masked: Mapping[int, bytes]
    ) -> Protocol[Result]:
        accepted = (yield from accept_inputs(member, masks, masked)) if masks else {}
        inputs = {
            (client, index): values[index : index + 1]
            for client, values in accepted.items()
            for index in range(len(values))
        }
        engine = MpcEngine(member, inputs, self._environment)
        result = yield from run(self._call.program, engine, entry=self._call.entry, arguments=self._call.arguments)
        yield from verify(member)
        return result

    def _conclude(self, member: Party, result: Result) -> Generator[Any, Any, dict[int, bytes]]:  # Any: Exchange
        shares: dict[int, bytes] = {}
        for output in result.outputs:
            fresh = yield from output_shares(member, output.values)
            shares[output.client] = self._field.to_bytes(fresh)
        return shares

    def _outputs(
        self, outputs: Sequence[Output], shares: Sequence[Mapping[int, bytes]]
    ) -> dict[int, ClientValues]:
        readable: dict[int, ClientValues] = {}
        for output in outputs:
            size = {"parties": self._committee.parties, "threshold": self._committee.threshold}
            machine = ClientOutput(self._field, len(output.kinds), **size)
            own = {PartyId(party): held[output.client] for party, held in enumerate(shares, start=1)}
            numbers = signed_integers(self._field, machine.reconstruct(own).secrets)
            readable[output.client] = _readable(output.kinds, numbers)
        return readable


def _check_masks(kinds: Mapping[int, Sequence[InputKind]]) -> None:
    for client, own in kinds.items():
        try:
            mask_count(own)
        except ValueError as error:
            raise UsageError(f"client {client} gives too much", why=str(error), todo="give fewer values") from None


def _readable(kinds: Sequence[ValueKind], numbers: Sequence[int]) -> ClientValues:
    pairs = list(zip(kinds, numbers, strict=True))
    return ClientValues(
        tuple(decode(number, kind) for kind, number in pairs), tuple(kind_name(kind) for kind in kinds)
    )
