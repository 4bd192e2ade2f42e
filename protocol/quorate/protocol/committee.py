"""What a committee does for one request, as pure machines: prepare, evaluate, conclude.

    masks      = yield from prepare(party, task)              preprocessing, then masks for every input
    (each client fetches its masks from every member and answers with one masked message)
    evaluation = yield from evaluate(party, task, masks, masked)   input checks, then the program on the VM
    conclusion = yield from conclude(party, task, evaluation)      envelopes, and the statement to attest

Adversary: for the parties that of the task's protocol (see `adversaries`); clients may be malicious: a value outside
its declared range, different messages to different parties, or none at all raise InputFault naming the client, at
every honest party alike. The same machines run over the mesh and, for `--local` runs and simulation, in one process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

import numpy as np

from .codec import Limit, encode
from .envelope import EnvelopeContext, EnvelopeHash, ResultStatement, seal
from .errors import ProgramError
from .field import PrimeField, Vector, by_name
from .mpc import (
    InputKind,
    InputMasks,
    Party,
    PartyId,
    Plan,
    Protocol,
    Scheme,
    accept_inputs,
    draw_masks,
    mask_count,
    output_shares,
    preprocess,
    schemes,
    verify,
)
from .mpc.arithmetic import FIX64
from .vm import Environment, Output, Program, ValueKind, run
from .vm.engines import CountingEngine, Counts, MpcEngine

MAX_PUBLIC_RESULT_CHARS: Final = 4096
"""The longest public result, as text."""
MAX_OUTPUT_VALUES: Final = 4096
"""The most values that one client receives."""
_HASH_BYTES: Final = 32
FIX64_UNIT: Final = 1 << FIX64.fraction_bits
"""What 1 is in a shared fixed-point number, of 32 bits too."""


@dataclass(frozen=True, slots=True)
class ClientSlot:
    """One client of a task: the kinds of its inputs, and the X25519 key that receives outputs, if it does."""

    inputs: tuple[InputKind, ...]
    receiver: bytes | None


@dataclass(frozen=True, slots=True)
class CommitteeTask:
    """What is to be computed: the program and entry point, public arguments, and the clients by slot."""

    request_id: bytes
    program_hash: bytes
    program: Program
    entry: str
    arguments: tuple[Any, ...]  # int, bool, str or lists of them: what vm.run takes
    clients: tuple[ClientSlot, ...]
    protocol: str = "passive"
    field_name: str = "bn254"

    @property
    def field(self) -> PrimeField:
        """The prime field of the computation."""
        return by_name[self.field_name]

    @property
    def scheme(self) -> Scheme:
        """The scheme of the computation. Raises ProgramError for a protocol that is not there."""
        scheme = schemes.get(self.protocol)
        if scheme is None:
            raise ProgramError(f"no protocol {self.protocol}; there are {', '.join(schemes)}")
        return scheme

    def environment(self, parties: int, threshold: int) -> Environment:
        """The public facts that the program may ask for."""
        receivers = any(client.receiver is not None for client in self.clients)
        return Environment(
            clients=len(self.clients),
            input_clients=sum(1 for client in self.clients if client.inputs),
            output_clients=len(self.clients) if receivers else 0,
            parties=parties,
            threshold=threshold,
            field=self.field_name,
            protocol=self.protocol,
            modulus=self.field.modulus,
            instance=int.from_bytes(self.request_id[:8], "big"),
        )

    def input_kinds(self) -> dict[int, tuple[InputKind, ...]]:
        """The kinds of inputs of every client that gives any, by slot."""
        return {slot: client.inputs for slot, client in enumerate(self.clients) if client.inputs}


@dataclass(frozen=True, slots=True)
class OutputPlaintext:
    """What an envelope holds: the kind of each value, and the party's shares of them."""

    kinds: Annotated[tuple[int, ...], Limit(most=MAX_OUTPUT_VALUES)]
    shares: Annotated[bytes, Limit(most=MAX_OUTPUT_VALUES * 32)]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The program's public result as text, and the shares of every client's outputs."""

    public_result: str
    outputs: tuple[Output, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Conclusion:
    """This party's envelopes by client slot, and the statement that all parties derive alike."""

    envelopes: Mapping[int, bytes] = field(repr=False)
    statement: ResultStatement


def prepare(party: Party, task: CommitteeTask) -> Protocol[list[InputMasks]]:
    """Stock up what the program needs and the pool lacks, and draw the masks of every client's inputs.

    The plan is a dry run of the program; where its course depends on opened values the plan covers what is
    certain, and the rest is made on demand. Raises ProgramError when the program cannot run at all.
    """
    missing = plan_of(party, task).missing_from(party.pool.stock)
    if not missing.is_empty:
        yield from preprocess(party, missing)
    return (yield from draw_masks(party, task.input_kinds()))


def plan_of(party: Party, task: CommitteeTask) -> Plan:
    """The preprocessing that `task` needs at a committee like that of `party`."""
    masks = sum(mask_count(kinds) for kinds in task.input_kinds().values())
    return _dry_run(task, party.parties, party.threshold).plan(party, shares=masks)


def counts_of(task: CommitteeTask, parties: int, threshold: int) -> Counts:
    """What running `task` on such a committee takes: multiplications, comparisons, rounds."""
    return _dry_run(task, parties, threshold).counts()


def _dry_run(task: CommitteeTask, parties: int, threshold: int) -> CountingEngine:
    inputs = [(slot, index) for slot, client in enumerate(task.clients) for index in range(len(client.inputs))]
    engine = CountingEngine(inputs, task.environment(parties, threshold))
    for _ in run(task.program, engine, entry=task.entry, arguments=task.arguments):
        raise AssertionError("a dry run communicates with nobody")
    return engine


def evaluate(
    party: Party, task: CommitteeTask, masks: Sequence[InputMasks], masked: Mapping[int, bytes]
) -> Protocol[Evaluation]:
    """Check the masked inputs and run the program on them; `masked` lacks the clients that sent nothing.

    Raises InputFault naming a client, PartyFault naming a party, ProgramError when the program fails.
    """
    complete = {entry.client: masked.get(entry.client, b"") for entry in masks}
    accepted = yield from accept_inputs(party, masks, complete)
    inputs = {
        (slot, index): values[index : index + 1]
        for slot, values in accepted.items()
        for index in range(len(values))
    }
    engine = MpcEngine(party, inputs, task.environment(party.parties, party.threshold))
    result = yield from run(task.program, engine, entry=task.entry, arguments=task.arguments)
    return Evaluation(public_text(result.value), result.outputs)


def conclude(party: Party, task: CommitteeTask, evaluation: Evaluation) -> Protocol[Conclusion]:
    """Seal every receiver's output shares, compare hashes with the others, and state the result.

    One round for fresh randomness of the shares, one for the hashes. Raises ProgramError for an output to a client
    that receives none.
    """
    yield from verify(party)
    joined = np.concatenate([party.field.zeros(0), *(output.values for output in evaluation.outputs)])
    fresh = yield from output_shares(party, joined)
    envelopes: dict[int, bytes] = {}
    start = 0
    for output in evaluation.outputs:
        stop = start + len(output.kinds)
        envelopes[output.client] = _seal(party, task, output, fresh[start:stop])
        start = stop
    own = b"".join(hashlib.sha256(envelopes[client]).digest() for client in sorted(envelopes))
    hashes = yield from party.scheme.agree(party, own)
    statement = ResultStatement(
        task.request_id, task.program_hash, evaluation.public_result, _hash_list(hashes, sorted(envelopes))
    )
    return Conclusion(envelopes, statement)


def _seal(party: Party, task: CommitteeTask, output: Output, shares: Vector) -> bytes:
    receiver = task.clients[output.client].receiver
    if receiver is None:
        raise ProgramError(f"the program sends an output to client {output.client}, which receives none")
    if len(output.kinds) > MAX_OUTPUT_VALUES:
        raise ProgramError(
            f"client {output.client} is sent {len(output.kinds)} values; the most is {MAX_OUTPUT_VALUES}"
        )
    plaintext = encode(OutputPlaintext(tuple(int(kind) for kind in output.kinds), party.field.to_bytes(shares)))
    context = EnvelopeContext(task.request_id, party.identity, output.client)
    return seal(plaintext, receiver=receiver, context=context, ephemeral=party.randomness(32))


def _hash_list(hashes: Mapping[PartyId, bytes], clients: Sequence[int]) -> tuple[EnvelopeHash, ...]:
    return tuple(
        EnvelopeHash(party, client, hashes[party][place * _HASH_BYTES : (place + 1) * _HASH_BYTES])
        for party in sorted(hashes)
        for place, client in enumerate(clients)
    )


def public_text(value: Any) -> str:
    """The public value of a program as canonical text: integers, booleans, strings and lists of them.

    Raises ProgramError beyond MAX_PUBLIC_RESULT_CHARS.
    """
    text = _text(value)
    if len(text) > MAX_PUBLIC_RESULT_CHARS:
        raise ProgramError(f"the public result has {len(text)} characters; the most is {MAX_PUBLIC_RESULT_CHARS}")
    return text


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(_text(entry) for entry in value) + "]"
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def readable(kind: int, value: int) -> int | bool | float:
    """A reconstructed output value as its kind reads: a bool, a number with a fraction, or a signed integer.

    A fixed-point number is exact as a float while it has 53 bits; an element of the field is its signed integer.
    """
    if kind == ValueKind.BOOL:
        return bool(value)
    return value / FIX64_UNIT if kind in (ValueKind.FIX32, ValueKind.FIX64) else value
