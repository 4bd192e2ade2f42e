from __future__ import annotations

import json
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from quorate.registry import InvalidInput, InvalidPackage, Manifest, ManifestError, Package, Version
from quorate.registry.manifest import TO_PUBLIC
from quorate.registry.vectors import parse_vectors


def values() -> dict[str, Any]:
    return {
        "schema": 1,
        "name": "set-size",
        "version": "1.0.0",
        "kind": "mpc",
        "description": "How many.",
        "license": "Apache-2.0",
        "authors": ["A. Author"],
        "program": {
            "language": "stoffel",
            "entry": "main",
            "sources": ["main.stfl"],
            "protocol": "passive",
            "field": "bn254",
            "vectors": "vectors.json",
        },
        "clients": {"minimum": 2, "maximum": 3},
        "arguments": [{"name": "count", "minimum": 1, "maximum": 4, "default": 2}],
        "inputs": [{"name": "items", "type": "uint8", "count": "count"}, {"name": "flag", "type": "bool"}],
        "outputs": [
            {"name": "size", "type": "uint16", "to": "receivers"},
            {"name": "seen", "type": "uint8", "to": "public", "count": 2},
        ],
    }


def case() -> dict[str, Any]:
    row = {"name": "plain", "arguments": [2], "inputs": [[1, 2, 0], [3, 255, 1]]}
    return {**row, "outputs": [[7], [7]], "public": [1, 2]}


def manifest(changed: dict[str, Any] | None = None) -> Manifest:
    return Manifest.parse(tomli_w.dumps(changed or values()).encode())


def test_a_manifest_is_read_whole() -> None:
    read = manifest()
    assert (read.name, read.version, read.program.entry) == ("set-size", Version(1, 0, 0), "main")
    assert read.input_types([3]) == ("uint8", "uint8", "uint8", "bool")
    assert read.output_types([1]) == ("uint16",)
    assert read.output_types([1], to=TO_PUBLIC) == ("uint8", "uint8")


def _put(place: str, value: Any) -> dict[str, Any]:
    changed: Any = values()
    target = changed
    *path, last = [int(part) if part.isdigit() else part for part in place.split("/")]
    for part in path:
        target = target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    result: dict[str, Any] = changed
    return result


@pytest.mark.parametrize(
    ("place", "value", "key"),
    [
        ("schema", 2, "schema"),
        ("name", "Not A Name", "name"),
        ("name", None, "name"),
        ("version", "1.0", "version"),
        ("kind", "spell", "kind"),
        ("description", "two\nlines", "description"),
        ("license", "MIT; rm", "license"),
        ("authors", [], "authors"),
        ("authors", ["x", 5], "authors.1"),
        ("surprise", 1, "surprise"),
        ("program", 5, "program"),
        ("program/language", "brainfuck", "program.language"),
        ("program/entry", "1main", "program.entry"),
        ("program/sources", ["../main.stfl"], "program.sources"),
        ("program/sources", ["a", "a"], "program.sources"),
        ("program/field", "gf7", "program.field"),
        ("program/protocol", "magic", "program.protocol"),
        ("program/vectors", "/vectors.json", "program.vectors"),
        ("program/extra", "x", "program.extra"),
        ("clients/minimum", 0, "clients.minimum"),
        ("clients/maximum", 1, "clients.maximum"),
        ("clients/maximum", 65, "clients.maximum"),
        ("clients/maximum", True, "clients.maximum"),
        ("inputs/0/type", "float", "inputs[0].type"),
        ("inputs/0/count", 0, "inputs[0].count"),
        ("inputs/0/count", "nobody", "inputs[0].count"),
        ("inputs/1/name", "items", "inputs"),
        ("inputs/1/to", "public", "inputs[1].to"),
        ("outputs/0/to", "everyone", "outputs[0].to"),
        ("outputs", [], "outputs"),
        ("outputs", {"name": "x"}, "outputs"),
        ("arguments/0/minimum", 0, "inputs[0].count"),
        ("arguments/0/maximum", 0, "arguments[0].maximum"),
        ("arguments/0/default", 9, "arguments[0].default"),
    ],
)
def test_an_error_names_the_key(place: str, value: Any, key: str) -> None:
    with pytest.raises(ManifestError) as caught:
        manifest(_put(place, value))
    assert caught.value.key == key
    assert str(caught.value).startswith(f"coprocessor.toml: {key}: ")


@pytest.mark.parametrize("data", [b"\xff", b"a = ", b"x = " + b"[" * 20_000, b"#" * (65 << 10)])
def test_what_is_no_manifest_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestError, match="the file"):
        Manifest.parse(data)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_never_escape_the_error_type(data: bytes) -> None:
    with pytest.raises(ManifestError):
        Manifest.parse(data)


def test_inputs_are_checked_and_never_quoted() -> None:
    read = manifest()
    read.check_inputs([255, 0, 1], [2])
    with pytest.raises(InvalidInput, match="there are 2 values, not 3"):
        read.check_inputs([1, 2], [2])
    with pytest.raises(InvalidInput, match=r"inputs\[1\]") as caught:
        read.check_inputs([1, 7777, 0], [2])
    assert "7777" not in str(caught.value)


def test_clients_and_arguments_are_bounded() -> None:
    read = manifest()
    read.check_clients(2)
    with pytest.raises(InvalidInput, match="2 to 3 clients, not 4"):
        read.check_clients(4)
    with pytest.raises(InvalidInput, match="takes count"):
        read.check_arguments([])
    with pytest.raises(InvalidInput, match="1 to 4"):
        read.input_types([5])


def test_vectors_are_read_and_checked() -> None:
    (read,) = parse_vectors(json.dumps({"schema": 1, "cases": [case()]}).encode(), manifest())
    assert read.inputs == ((1, 2, 0), (3, 255, 1))
    assert read.public == (1, 2)


@pytest.mark.parametrize(
    ("key", "value", "where"),
    [
        ("inputs", [[1, 2, 0]], "cases[0].inputs"),
        ("inputs", [[1, 2, 0], [1, 2, 2]], "cases[0].inputs"),
        ("inputs", [[1, 2, 0], ["1", 2, 0]], "cases[0].inputs.1"),
        ("inputs", 7, "cases[0].inputs"),
        ("outputs", [[7]], "cases[0].outputs"),
        ("outputs", [[7], [7, 8]], "cases[0].outputs"),
        ("outputs", [[7], [65536]], "cases[0].outputs"),
        ("public", [1], "cases[0].public"),
        ("arguments", [9], "cases[0].inputs"),
        ("note", "x", "cases[0].note"),
        ("name", "", "cases[0].name"),
    ],
)
def test_vectors_that_do_not_fit_the_manifest_are_refused(key: str, value: Any, where: str) -> None:
    data = json.dumps({"schema": 1, "cases": [{**case(), key: value}]}).encode()
    with pytest.raises(ManifestError) as caught:
        parse_vectors(data, manifest())
    assert (caught.value.source, caught.value.key) == ("vectors.json", where)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"schema": 1, "cases": []}', b"[" * 100_000, b" " * (2 << 20)]
)
def test_what_are_no_vectors_is_refused(data: bytes) -> None:
    with pytest.raises(ManifestError):
        parse_vectors(data, manifest())


def test_a_package_needs_what_its_manifest_names() -> None:
    vectors = json.dumps({"schema": 1, "cases": [case()]}).encode()
    files = {"coprocessor.toml": tomli_w.dumps(values()).encode(), "main.stfl": b"text", "vectors.json": vectors}
    package = Package.from_files(files)
    assert package.source() == "text"
    assert len(package.cases()) == 1
    assert Package.from_archive(package.archive(), package.content_hash) == package
    for path in files:
        with pytest.raises(InvalidPackage, match=path):
            Package.from_files({other: data for other, data in files.items() if other != path})
    with pytest.raises(InvalidPackage, match="UTF-8"):
        Package.from_files({**files, "main.stfl": b"\xff"}).source()
