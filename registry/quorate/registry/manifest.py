"""The manifest of a coprocessor, coprocessor.toml: what it computes, from whose values, for whom.

A coprocessor of kind `mpc` is a program that a committee runs without seeing the inputs. Every client, numbered
from 0, gives the same kinds of values (`inputs`, in order; a `count` makes a value a list). Outputs `to` the
`receivers` are shares for every client that receives; those to the `public` are the program's opened result.
`arguments` are public integers that the requestor chooses, and that the program's entry function takes in order; a
count may be the name of one, so that one program serves lists of several lengths.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from quorate.protocol.adversaries import COMPUTE_FIELDS, PROTOCOLS

from .errors import InvalidInput, InvalidName, InvalidPackage, ManifestError
from .hashing import MAX_FILES, MAX_PATH_CHARS, check_path
from .names import MAX_NAME_CHARS, MAX_VERSION_CHARS, Version, check_name
from .schema import Table, distinct

FILE_NAME: Final = "coprocessor.toml"
"""The manifest's path in its package."""
SCHEMA: Final = 1
"""The version of the manifest's schema."""
MAX_MANIFEST_BYTES: Final = 64 << 10
"""The largest manifest."""
MAX_CLIENTS: Final = 64
"""The most clients that a program may ask for."""
MAX_VALUES: Final = 32
"""The most inputs, outputs or arguments that a program may declare, each."""
MAX_COUNT: Final = 4096
"""The most values in one list, and the most values that one client gives or gets."""
KINDS: Final = ("mpc",)
"""The kinds of coprocessor."""
LANGUAGES: Final = ("stoffel",)
"""The languages of programs."""
TO_RECEIVERS: Final = "receivers"
"""An output that every receiving client gets, and nobody else."""
TO_PUBLIC: Final = "public"
"""An output that is opened to all."""
TYPES: Final = {
    "bool": (0, 1),
    "uint8": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}
"""The types of values, each with its least and greatest value; the language computes in 64 bits with a sign."""

_IDENTIFIER = r"[a-z][a-z0-9_]{0,31}"
_IDENTIFIER_MEANING = "a lower-case identifier of at most 32 characters"


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """Which text to compile: the first of `sources` holds the function `entry`."""

    language: str
    entry: str
    sources: tuple[str, ...]
    protocol: str
    field: str
    vectors: str | None


@dataclass(frozen=True, slots=True)
class ArgumentSpec:
    """A public integer, chosen by the requestor, from `minimum` to `maximum`."""

    name: str
    minimum: int
    maximum: int
    default: int | None
    description: str


@dataclass(frozen=True, slots=True)
class ValueSpec:
    """An input or output: `count` values of `type`; a count that is a text names the argument that gives it."""

    name: str
    type: str
    count: int | str
    to: str
    description: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One version of one coprocessor, as its author describes it."""

    name: str
    version: Version
    kind: str
    description: str
    license: str
    authors: tuple[str, ...]
    program: ProgramSpec
    minimum_clients: int
    maximum_clients: int
    inputs: tuple[ValueSpec, ...]
    outputs: tuple[ValueSpec, ...]
    arguments: tuple[ArgumentSpec, ...]

    @classmethod
    def parse(cls, data: bytes) -> Manifest:
        """The manifest in the untrusted TOML `data`; raises ManifestError that names the key."""
        if len(data) > MAX_MANIFEST_BYTES:
            raise ManifestError("the file", f"has {len(data)} bytes; the most is {MAX_MANIFEST_BYTES}")
        try:
            values = tomllib.loads(data.decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ManifestError("the file", f"is not TOML ({error})") from None
        except RecursionError:
            raise ManifestError("the file", "is nested too deeply") from None
        return _manifest(Table(values, source=FILE_NAME))

    def check_clients(self, count: int) -> None:
        """Raise InvalidInput unless the program serves `count` clients."""
        if not self.minimum_clients <= count <= self.maximum_clients:
            allowed = f"{self.minimum_clients} to {self.maximum_clients}"
            raise InvalidInput("clients", f"{self.name} serves {allowed} clients, not {count}")

    def check_arguments(self, values: Sequence[int]) -> None:
        """Raise InvalidInput unless `values` are the public arguments that the program takes."""
        if len(values) != len(self.arguments):
            names = ", ".join(argument.name for argument in self.arguments) or "none"
            raise InvalidInput("arguments", f"there are {len(values)}; {self.name} takes {names}")
        for argument, value in zip(self.arguments, values, strict=True):
            if not argument.minimum <= value <= argument.maximum:
                bounds = f"{argument.minimum} to {argument.maximum}"
                raise InvalidInput(argument.name, f"{value} is outside {bounds}")

    def input_types(self, arguments: Sequence[int]) -> tuple[str, ...]:
        """The type of every value that one client gives, in order; raises InvalidInput for bad `arguments`."""
        return self._types(self.inputs, arguments)

    def output_types(self, arguments: Sequence[int], *, to: str = TO_RECEIVERS) -> tuple[str, ...]:
        """The type of every value that goes `to` one receiver or the public; raises InvalidInput."""
        return self._types([output for output in self.outputs if output.to == to], arguments)

    def check_inputs(self, values: Sequence[int], arguments: Sequence[int]) -> None:
        """Raise InvalidInput unless `values` are what one client must give; the message quotes no value."""
        _check_values("inputs", values, self.input_types(arguments))

    def _types(self, specs: Sequence[ValueSpec], arguments: Sequence[int]) -> tuple[str, ...]:
        self.check_arguments(arguments)
        named = {argument.name: value for argument, value in zip(self.arguments, arguments, strict=True)}
        types: list[str] = []
        for spec in specs:
            count = spec.count if isinstance(spec.count, int) else named[spec.count]
            types.extend([spec.type] * count)
            if len(types) > MAX_COUNT:
                raise InvalidInput(spec.name, f"brings the values to more than {MAX_COUNT}")
        return tuple(types)


def _check_values(name: str, values: Sequence[int], types: Sequence[str]) -> None:
    if len(values) != len(types):
        raise InvalidInput(name, f"there are {len(values)} values, not {len(types)}")
    for place, (value, kind) in enumerate(zip(values, types, strict=True)):
        least, most = TYPES[kind]
        if not least <= value <= most:
            raise InvalidInput(f"{name}[{place}]", f"is no {kind}: it must be from {least} to {most}")


def _manifest(table: Table) -> Manifest:
    if table.integer("schema", least=1, most=2**31) != SCHEMA:
        raise table.refuse("schema", f"must be {SCHEMA}; a newer one needs a newer version of this software")
    arguments = tuple(_argument(entry) for entry in table.tables("arguments", most_items=MAX_VALUES))
    distinct(table, "arguments", [argument.name for argument in arguments])
    inputs = _values(table, "inputs", arguments)
    outputs = _values(table, "outputs", arguments)
    clients = table.table("clients")
    minimum = clients.integer("minimum", least=1, most=MAX_CLIENTS)
    manifest = Manifest(
        name=_name(table),
        version=_version(table),
        kind=table.choice("kind", KINDS),
        description=table.text("description"),
        license=table.matching("license", r"[A-Za-z0-9.+() -]+", meaning="an SPDX expression"),
        authors=table.texts("authors", most_items=32, most=100),
        program=_program(table.table("program")),
        minimum_clients=minimum,
        maximum_clients=clients.integer("maximum", least=minimum, most=MAX_CLIENTS),
        inputs=inputs,
        outputs=outputs,
        arguments=arguments,
    )
    if not outputs:
        raise table.refuse("outputs", "is missing; a program without outputs computes nothing")
    clients.finish()
    table.finish()
    return manifest


def _name(table: Table) -> str:
    try:
        return check_name(table.text("name", most=MAX_NAME_CHARS))
    except InvalidName as error:
        raise table.refuse("name", str(error)) from None


def _version(table: Table) -> Version:
    try:
        return Version.parse(table.text("version", most=MAX_VERSION_CHARS))
    except InvalidName as error:
        raise table.refuse("version", str(error)) from None


def _program(table: Table) -> ProgramSpec:
    sources = table.texts("sources", most_items=MAX_FILES - 1, most=MAX_PATH_CHARS)
    distinct(table, "sources", sources)
    vectors = table.text("vectors", most=MAX_PATH_CHARS) if table.has("vectors") else None
    for key, path in [("sources", path) for path in sources] + ([("vectors", vectors)] if vectors else []):
        try:
            check_path(path)
        except InvalidPackage as error:
            raise table.refuse(key, error.reason) from None
    program = ProgramSpec(
        language=table.choice("language", LANGUAGES),
        entry=table.matching("entry", r"[A-Za-z_][A-Za-z0-9_]*", meaning="the name of a function"),
        sources=sources,
        protocol=table.choice("protocol", PROTOCOLS),
        field=table.choice("field", COMPUTE_FIELDS),
        vectors=vectors,
    )
    table.finish()
    return program


def _argument(table: Table) -> ArgumentSpec:
    least, most = TYPES["int64"]
    minimum = table.integer("minimum", least=least, most=most)
    maximum = table.integer("maximum", least=minimum, most=most)
    argument = ArgumentSpec(
        name=table.matching("name", _IDENTIFIER, meaning=_IDENTIFIER_MEANING),
        minimum=minimum,
        maximum=maximum,
        default=table.integer("default", least=minimum, most=maximum) if table.has("default") else None,
        description=table.text("description", default="-"),
    )
    table.finish()
    return argument


def _values(root: Table, key: str, arguments: Sequence[ArgumentSpec]) -> tuple[ValueSpec, ...]:
    specs = tuple(_value(entry, key, arguments) for entry in root.tables(key, most_items=MAX_VALUES))
    distinct(root, key, [spec.name for spec in specs])
    return specs


def _value(table: Table, key: str, arguments: Sequence[ArgumentSpec]) -> ValueSpec:
    spec = ValueSpec(
        name=table.matching("name", _IDENTIFIER, meaning=_IDENTIFIER_MEANING),
        type=table.choice("type", tuple(TYPES)),
        count=_count(table, arguments),
        to=table.choice("to", (TO_RECEIVERS, TO_PUBLIC)) if key == "outputs" else "program",
        description=table.text("description", default="-"),
    )
    table.finish()
    return spec


def _count(table: Table, arguments: Sequence[ArgumentSpec]) -> int | str:
    """A count is an integer or the name of an argument whose every value is a possible count."""
    if table.kind_of("count") is not str:
        return table.integer("count", least=1, most=MAX_COUNT, default=1)
    name = table.text("count")
    for argument in arguments:
        if argument.name == name:
            if argument.minimum < 1 or argument.maximum > MAX_COUNT:
                raise table.refuse("count", f"the argument {name!r} must be bounded by 1 and {MAX_COUNT}")
            return name
    raise table.refuse("count", f"names the argument {name!r}, which the manifest does not declare")
