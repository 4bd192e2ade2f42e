"""`quorate registry`: which programs there are, what one of them does, and publishing one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .output import HomeOption, JsonOption, node_home, print_json, print_pairs, print_table

if TYPE_CHECKING:
    from quorate.node.store import Registry
    from quorate.registry import Entry, Manifest
    from quorate.registry.manifest import ValueSpec

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def registry() -> None:
    """Find programs, see what they compute, check and publish your own."""


@app.command(name="list")
def list_(
    home: HomeOption = None,
    every: Annotated[bool, typer.Option("--all", help="Show every version, yanked ones too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the programs in the node's index, or in the one that comes with Quorate."""
    opened = _open(home)
    shown = [entry for entry in opened.index if every or _is_newest(opened, entry)]
    if as_json:
        print_json({"tip": opened.index.tip, "programs": [_entry_json(entry) for entry in shown]})
        return
    rows = [
        (
            entry.name,
            f"{entry.version}{' (yanked)' if entry.yanked else ''}",
            entry.kind,
            entry.content_hash.hex()[:16],
        )
        for entry in shown
    ]
    print_table(("program", "version", "kind", "hash"), rows)


@app.command()
def show(
    program: Annotated[
        str, typer.Argument(metavar="NAME[@VERSION]", help="A name, or 64 digits of a content hash.")
    ],
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what a program takes, gives and holds."""
    import trio

    opened = _open(home)
    package = trio.run(opened.package, program)
    entry = package.entry()
    yanked = any(known == entry for known in opened.index if known.yanked)
    if as_json:
        print_json({**_entry_json(entry), "yanked": yanked, **_manifest_json(package.manifest)})
        return
    manifest = package.manifest
    clients = f"{manifest.minimum_clients} to {manifest.maximum_clients}"
    pairs = [
        ("program", f"{entry}{' (yanked)' if yanked else ''}"),
        ("does", manifest.description),
        ("kind", f"{manifest.kind}, {manifest.program.protocol}, {manifest.program.field}"),
        ("clients", clients),
        *[("argument", f"{item.name}: {item.minimum} to {item.maximum}") for item in manifest.arguments],
        *[("input", _value_text(item)) for item in manifest.inputs],
        *[("output", f"{_value_text(item)} to {item.to}") for item in manifest.outputs],
        ("licence", manifest.license),
        ("authors", ", ".join(manifest.authors)),
        ("vectors", str(len(package.cases()))),
        ("hash", entry.content_hash.hex()),
        *[("file", f"{item.path} ({item.size} bytes)") for item in entry.files],
    ]
    print_pairs(pairs)


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(help="The folder of one program, with its coprocessor.toml.")],
    as_json: JsonOption = False,
) -> None:
    """Check a program's manifest, compile it, and run its test vectors in the clear."""
    from rich.markup import escape

    from quorate.node.errors import UsageError
    from quorate.node.store import read_package
    from quorate.node.store.trial import try_package

    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}", todo="give the folder that holds the coprocessor.toml")
    package = read_package(folder)
    trials = try_package(package)
    failed = [trial for trial in trials if trial.problem]
    if as_json:
        cases = [{"case": trial.case, "problem": trial.problem} for trial in trials]
        print_json({**_entry_json(package.entry()), "cases": cases, "passed": not failed})
    else:
        rows = [(escape(trial.case), escape(trial.problem or "right")) for trial in trials]
        print_table(("vector", "result"), rows)
        typer.echo(f"{package.entry()}  {package.content_hash.hex()}")
    if failed:
        raise typer.Exit(1)


@app.command()
def publish(
    folder: Annotated[Path, typer.Argument(help="The folder that holds one folder a program.")],
    target: Annotated[Path, typer.Argument(help="The registry's folder; it is made when it is not there.")],
    as_json: JsonOption = False,
) -> None:
    """Publish programs to a registry that nodes clone from a folder or a server."""
    import trio

    from quorate.node.store import publish_folder

    published = trio.run(publish_folder, folder, target)
    if as_json:
        programs = [_entry_json(entry) for entry in published.entries]
        print_json({"folder": str(published.folder), "tip": published.tip, "programs": programs})
        return
    print_pairs([(str(entry), entry.content_hash.hex()) for entry in published.entries])
    typer.echo(f"{published.folder} is at {published.tip}")


def _open(home: Path | None) -> Registry:
    import trio

    from quorate.node.store import open_registry
    from quorate.node.store.source import PROGRAMS_FOLDER

    return trio.run(open_registry, node_home(home) / PROGRAMS_FOLDER)


def _is_newest(opened: Registry, entry: Entry) -> bool:
    live = any(not other.yanked for other in opened.index.versions(entry.name))
    return live and opened.resolve(entry.name) == entry


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "version": str(entry.version),
        "kind": entry.kind,
        "hash": entry.content_hash.hex(),
        "size_bytes": entry.size,
        "yanked": entry.yanked,
        "files": [
            {"path": item.path, "sha256": item.sha256.hex(), "size_bytes": item.size} for item in entry.files
        ],
    }


def _manifest_json(manifest: Manifest) -> dict[str, object]:
    import dataclasses

    return {
        "description": manifest.description,
        "license": manifest.license,
        "authors": list(manifest.authors),
        "program": {**dataclasses.asdict(manifest.program), "sources": list(manifest.program.sources)},
        "clients": {"minimum": manifest.minimum_clients, "maximum": manifest.maximum_clients},
        "arguments": _plain(manifest.arguments),
        "inputs": _plain(manifest.inputs),
        "outputs": _plain(manifest.outputs),
    }


def _plain(specs: Sequence[Any]) -> list[dict[str, object]]:  # Any: dataclasses of two classes
    import dataclasses

    return [dataclasses.asdict(spec) for spec in specs]


def _value_text(spec: ValueSpec) -> str:
    many = "" if spec.count == 1 else f" x {spec.count}"
    return f"{spec.name}: {spec.type}{many}"
