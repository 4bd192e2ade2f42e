"""A whole committee and its clients in this process: the real protocols, without a network, a chain or a price."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from quorate.marketplace import ClientEntry, Details
from quorate.node.errors import UsageError
from quorate.node.programs import compile_package, task_of
from quorate.protocol.codec import decode
from quorate.protocol.committee import (
    CommitteeTask,
    Conclusion,
    OutputPlaintext,
    conclude,
    evaluate,
    prepare,
    readable,
)
from quorate.protocol.envelope import EnvelopeContext, unseal
from quorate.protocol.mpc import (
    ClientInput,
    ClientOutput,
    InputMasks,
    Party,
    PartyId,
    Statistics,
    run_local,
    signed_integers,
)
from quorate.registry import Package, QuorateRegistryError

_REQUEST_ID = bytes(32)


@dataclass(frozen=True, slots=True)
class LocalResult:
    """What every receiver got by client name, the public result, and one party's costs; times in seconds."""

    outputs: Mapping[str, tuple[int | bool | float, ...]]
    public_result: str
    statistics: Statistics
    phases: Mapping[str, float] = field(default_factory=dict)


def run_locally(
    package: Package,
    inputs: Mapping[str, Sequence[int]],
    *,
    arguments: Sequence[int] = (),
    parties: int = 5,
    threshold: int = 1,
    protocol: str | None = None,
) -> LocalResult:
    """Run `package` for the clients of `inputs`, all of whom receive, by `protocol` or the program's own; blocks.

    Raises UsageError for values, arguments or a committee that do not fit, ProgramRefused, ProgramError.
    """
    keys = {name: X25519PrivateKey.generate() for name in inputs}
    details = _details(package, inputs, keys, arguments, protocol)
    try:
        task = task_of(package, compile_package(package), details, request_id=_REQUEST_ID)
        members = [_party(task, identity, parties, threshold) for identity in range(1, parties + 1)]
        for values in inputs.values():
            package.manifest.check_inputs(values, details.arguments)
    except (ValueError, QuorateRegistryError) as error:
        raise UsageError("the program cannot be run like this", why=str(error), todo="change the call") from None
    phases: dict[str, float] = {}
    started = perf_counter()
    masks = run_local([prepare(member, task) for member in members])
    phases["preprocess"], started = perf_counter() - started, perf_counter()
    masked = _masked(task, masks, list(inputs.values()), threshold=threshold)
    phases["inputs"], started = perf_counter() - started, perf_counter()
    pairs = zip(members, masks, strict=True)
    evaluations = run_local([evaluate(member, task, own, masked) for member, own in pairs])
    phases["online"], started = perf_counter() - started, perf_counter()
    ends = zip(members, evaluations, strict=True)
    conclusions = run_local([conclude(member, task, own) for member, own in ends])
    outputs = {
        name: _opened(task, conclusions, slot, keys[name].private_bytes_raw(), threshold=threshold)
        for slot, name in enumerate(inputs)
    }
    phases["output"] = perf_counter() - started
    return LocalResult(outputs, evaluations[0].public_result, members[0].statistics, phases)


def _party(task: CommitteeTask, identity: int, parties: int, threshold: int) -> Party:
    return Party(
        task.field,
        PartyId(identity),
        parties=parties,
        threshold=threshold,
        randomness=os.urandom,
        scheme=task.scheme,
    )


def _details(
    package: Package,
    inputs: Mapping[str, Sequence[int]],
    keys: Mapping[str, X25519PrivateKey],
    arguments: Sequence[int],
    protocol: str | None,
) -> Details:
    program = package.manifest.program
    clients = tuple(
        ClientEntry(name, os.urandom(32), keys[name].public_key().public_bytes_raw(), True, len(values))
        for name, values in inputs.items()
    )
    return Details(
        version=1,
        program=f"{package.manifest.name}@{package.manifest.version}",
        program_hash=package.content_hash,
        clients=clients,
        arguments=tuple(arguments),
        protocol=protocol or program.protocol,
        field=program.field,
        kappa=40,
    )


def _masked(
    task: CommitteeTask,
    masks: Sequence[Sequence[InputMasks]],
    inputs: Sequence[Sequence[int]],
    *,
    threshold: int,
) -> dict[int, bytes]:
    messages: dict[int, bytes] = {}
    for place, client in enumerate(sorted(task.input_kinds())):
        shares = {
            PartyId(party): task.field.to_bytes(own[place].shares) for party, own in enumerate(masks, start=1)
        }
        machine = ClientInput(task.field, task.clients[client].inputs, parties=len(masks), threshold=threshold)
        messages[client] = machine.mask(inputs[client], shares)
    return messages


def _opened(
    task: CommitteeTask, conclusions: Sequence[Conclusion], client: int, private_key: bytes, *, threshold: int
) -> tuple[int | bool | float, ...]:
    plaintexts: dict[PartyId, OutputPlaintext] = {}
    for party, conclusion in enumerate(conclusions, start=1):
        envelope = conclusion.envelopes.get(client)
        if envelope is None:
            return ()
        context = EnvelopeContext(_REQUEST_ID, party, client)
        plaintexts[PartyId(party)] = decode(
            OutputPlaintext, unseal(envelope, private_key=private_key, context=context)
        )
    kinds = plaintexts[PartyId(1)].kinds
    machine = ClientOutput(task.field, len(kinds), parties=len(conclusions), threshold=threshold)
    decoded = machine.reconstruct({party: plain.shares for party, plain in plaintexts.items()})
    numbers = signed_integers(task.field, decoded.secrets)
    return tuple(readable(kind, number) for kind, number in zip(kinds, numbers, strict=True))
