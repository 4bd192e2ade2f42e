"""From a package of the registry and the details of a request to what a committee runs."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import trio

from quorate.marketplace import Details
from quorate.node.errors import QuorateNodeError
from quorate.node.store import Registry
from quorate.protocol.adversaries import is_at_least
from quorate.protocol.committee import ClientSlot, CommitteeTask
from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.mpc import InputKind
from quorate.protocol.vm import Program
from quorate.registry import Manifest, Package, QuorateRegistryError
from quorate.registry.names import Reference

MAX_COMPILED: Final = 32
"""The most compiled programs that are kept."""


class ProgramRefused(QuorateNodeError):
    """A program that this node does not run for this request; `reason` says why."""

    exit_code = 2

    def __init__(self, program: str, reason: str, *, todo: str = "") -> None:
        super().__init__(f"the program {program} cannot be run", why=reason, todo=todo)
        self.program = program
        self.reason = reason


def input_kind(type_name: str) -> InputKind:
    """The kind of input that a manifest's type (bool, uint8..uint32, int8..int64) names."""
    if type_name == "bool":
        return InputKind(1)
    if type_name.startswith("uint"):
        return InputKind(int(type_name[4:]))
    return InputKind(int(type_name[3:]), signed=True)


class Programs:
    """Compiled programs by content hash, fetched from the registry when they are first needed."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._compiled: OrderedDict[bytes, tuple[Package, Program]] = OrderedDict()

    async def load(self, reference: str | Reference) -> tuple[Package, Program]:
        """The package and its compiled program; ProgramRefused when either cannot be had."""
        try:
            package = await self._registry.package(reference)
        except QuorateRegistryError as error:
            raise ProgramRefused(str(reference), str(error)) from error
        known = self._compiled.get(package.content_hash)
        if known is not None:
            self._compiled.move_to_end(package.content_hash)
            return known
        program = await trio.to_thread.run_sync(compile_package, package)
        self._compiled[package.content_hash] = package, program
        while len(self._compiled) > MAX_COMPILED:
            self._compiled.popitem(last=False)
        return package, program

    async def task(self, request_id: bytes, details: Details) -> CommitteeTask:
        """What the committee of a request runs; ProgramRefused when its details do not fit its program."""
        package, program = await self.load(Reference.parse(details.program_hash.hex()))
        return task_of(package, program, details, request_id=request_id)


def compile_package(package: Package) -> Program:
    """The compiled program of a package; ProgramRefused, with the compiler's messages, when it does not compile."""
    manifest = package.manifest
    try:
        return compile_source(package.source(), manifest.program.sources[0])
    except CompileErrors as error:
        raise ProgramRefused(
            f"{manifest.name}@{manifest.version}", f"it does not compile\n{error.render()}"
        ) from None


def task_of(package: Package, program: Program, details: Details, *, request_id: bytes) -> CommitteeTask:
    """The task of a request; ProgramRefused when `details` do not fit the package's manifest."""
    manifest = package.manifest
    _check(package, details)
    types = manifest.input_types(details.arguments)
    slots = [
        ClientSlot(
            inputs=tuple(input_kind(name) for name in types) if entry.input_count else (),
            receiver=entry.encryption_key if entry.receives else None,
        )
        for entry in details.clients
    ]
    return CommitteeTask(
        request_id=request_id,
        program_hash=package.content_hash,
        program=program,
        entry=manifest.program.entry,
        arguments=tuple(details.arguments),
        clients=tuple(slots),
        protocol=details.protocol,
        field_name=details.field,
    )


def _check(package: Package, details: Details) -> None:
    manifest: Manifest = package.manifest
    name = f"{manifest.name}@{manifest.version}"
    if details.program_hash != package.content_hash:
        raise ProgramRefused(name, "the details name another content hash")
    demanded = manifest.program
    if details.field != demanded.field or not is_at_least(details.protocol, demanded.protocol):
        raise ProgramRefused(name, f"it runs as {demanded.protocol} or stronger, over {demanded.field}")
    try:
        manifest.check_arguments(details.arguments)
        givers = [entry for entry in details.clients if entry.input_count]
        manifest.check_clients(len(givers))
        expected = len(manifest.input_types(details.arguments))
    except QuorateRegistryError as error:
        raise ProgramRefused(name, str(error)) from None
    for entry in givers:
        if entry.input_count != expected:
            raise ProgramRefused(name, f"client {entry.name} gives {entry.input_count} values, not {expected}")
    if any(entry.input_count for entry in details.clients[len(givers) :]):
        raise ProgramRefused(name, "clients that only receive must come after those that give inputs")
