"""A program by name, or a file of StoffelLang that no registry has, as a package."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import tomli_w

from quorate.node.errors import UsageError
from quorate.node.store import shipped_index, shipped_packages
from quorate.registry import Package, QuorateRegistryError

MAX_SOURCE_BYTES: Final = 1 << 20
"""The largest source file that is read."""
SOURCE_SUFFIX: Final = ".stfl"


def is_source_file(program: str) -> bool:
    """Whether `program` means a file and not a name of the registry."""
    return program.endswith(SOURCE_SUFFIX)


def package_of_file(path: Path, inputs: Mapping[str, Sequence[int]]) -> Package:
    """A package made of one source file, for clients that give int64 values as `inputs` shows; UsageError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"cannot read {path}", why=error.strerror or "", todo="check the path of the program"
        ) from None
    if len(data) > MAX_SOURCE_BYTES:
        raise UsageError(f"{path} has {len(data)} bytes", why=f"the most is {MAX_SOURCE_BYTES}", todo="split it")
    counts = {len(values) for values in inputs.values()}
    if len(counts) != 1:
        raise UsageError(
            "the clients give different numbers of values",
            why="without a coprocessor.toml every client gives the same number of int64 values",
            todo="give each client the same number of values, or publish the program with a manifest",
        )
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "program"
    manifest = {
        "schema": 1,
        "name": name if name[0].isalpha() else f"p-{name}",
        "version": "0.0.0",
        "kind": "mpc",
        "description": f"The program of the file {path.name}.",
        "license": "LicenseRef-Unknown",
        "authors": ["unknown"],
        "program": {
            "language": "stoffel",
            "entry": "main",
            "sources": ["main.stfl"],
            "protocol": "passive",
            "field": "bn254",
        },
        "clients": {"minimum": 1, "maximum": 64},
        "inputs": [{"name": "value", "type": "int64", "count": counts.pop()}],
        "outputs": [{"name": "value", "type": "int64", "to": "receivers"}],
    }
    return Package.from_files({"coprocessor.toml": tomli_w.dumps(manifest).encode(), "main.stfl": data})


def shipped_package(reference: str) -> Package:
    """The package that comes with Quorate under `reference`; UsageError with the names that there are."""
    try:
        entry = shipped_index().resolve(reference)
    except QuorateRegistryError as error:
        names = ", ".join(f"{package.manifest.name}@{package.manifest.version}" for package in shipped_packages())
        raise UsageError(
            f"there is no program {reference}", why=str(error), todo=f"choose one of {names}, or give a file.stfl"
        ) from None
    return next(package for package in shipped_packages() if package.content_hash == entry.content_hash)
