"""Test vectors of a coprocessor: inputs, arguments and the outputs that must come of them, as JSON.

    {"schema": 1, "cases": [{"name": "two bids", "arguments": [], "inputs": [[5], [7]],
                             "outputs": [[1, 5], [1, 5]], "public": []}]}

`inputs` and `outputs` have one row a client; a row has the values in the manifest's order. Whoever is about to
trust a program runs them first, on the clear engine or on the committee.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quorate.protocol import bounded_json

from .errors import InvalidInput, ManifestError
from .manifest import MAX_CLIENTS, MAX_COUNT, MAX_VALUES, TO_PUBLIC, TO_RECEIVERS, TYPES, Manifest
from .schema import Table

SCHEMA: Final = 1
"""The version of the schema of vectors."""
MAX_VECTORS_BYTES: Final = 1 << 20
"""The largest file of vectors."""
MAX_CASES: Final = 256
"""The most cases in one file."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run: every client's inputs and outputs, the arguments, and what is opened to the public."""

    name: str
    arguments: tuple[int, ...]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    public: tuple[int, ...]


def parse_vectors(data: bytes, manifest: Manifest) -> tuple[Case, ...]:
    """The cases in the untrusted JSON `data`, each checked against `manifest`; raises ManifestError."""
    source = manifest.program.vectors or "vectors"
    if len(data) > MAX_VECTORS_BYTES:
        raise ManifestError("the file", f"has {len(data)} bytes; the most is {MAX_VECTORS_BYTES}", source=source)
    try:
        values = bounded_json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ManifestError("the file", f"is not JSON ({type(error).__name__})", source=source) from None
    table = Table(values, source=source)
    if table.integer("schema", least=1, most=2**31) != SCHEMA:
        raise table.refuse("schema", f"must be {SCHEMA}")
    entries = table.tables("cases", most_items=MAX_CASES)
    if not entries:
        raise table.refuse("cases", "must hold at least one case")
    table.finish()
    return tuple(_case(entry, manifest) for entry in entries)


def _case(table: Table, manifest: Manifest) -> Case:
    case = Case(
        name=table.text("name", most=100),
        arguments=table.integers("arguments", most_items=MAX_VALUES),
        inputs=table.rows("inputs", most_rows=MAX_CLIENTS, most_items=MAX_COUNT),
        outputs=table.rows("outputs", most_rows=MAX_CLIENTS, most_items=MAX_COUNT),
        public=table.integers("public", most_items=MAX_COUNT),
    )
    table.finish()
    try:
        manifest.check_clients(len(case.inputs))
        for row in case.inputs:
            manifest.check_inputs(row, case.arguments)
    except InvalidInput as error:
        raise table.refuse("inputs", str(error)) from None
    if len(case.outputs) != len(case.inputs):
        raise table.refuse("outputs", f"has {len(case.outputs)} rows for {len(case.inputs)} clients")
    for row in case.outputs:
        _check_row(table, "outputs", row, manifest.output_types(case.arguments, to=TO_RECEIVERS))
    _check_row(table, "public", case.public, manifest.output_types(case.arguments, to=TO_PUBLIC))
    return case


def _check_row(table: Table, key: str, row: tuple[int, ...], types: tuple[str, ...]) -> None:
    if len(row) != len(types):
        raise table.refuse(key, f"has {len(row)} values where the manifest declares {len(types)}")
    for value, kind in zip(row, types, strict=True):
        least, most = TYPES[kind]
        if not least <= value <= most:
            raise table.refuse(key, f"{value} is no {kind}")
