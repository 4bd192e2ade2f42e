"""Which programs a folder holds, and what the first lines of each say about its inputs.

A program is a `main.stfl` in a folder of its own. `# run-args:` on one of its first lines holds the options that it
is run with: --client-input SLOT=VALUE, repeated, --expected-output-clients N and --entry NAME.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from quorate.marketplace.details import MAX_CLIENTS
from quorate.node.errors import UsageError
from quorate.node.project.values import Number, parse_client_inputs

PROGRAM_FILE: Final = "main.stfl"
MAX_PROGRAMS: Final = 4096
"""The most programs of one folder."""
HEADER_LINES: Final = 20
"""How many lines are searched for the options."""
_HEADER: Final = re.compile(r"#\s*run-args:(.*)")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """How a program is run: the clients' values by slot, how many clients receive, and the function."""

    inputs: Mapping[int, Sequence[Number]] = dataclasses.field(default_factory=dict)
    receivers: int | None = None
    entry: str = "main"


def find_programs(folder: Path) -> list[Path]:
    """The programs in `folder`, in order; raises UsageError when there is none, or too many."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", todo="name the folder of the programs")
    found = sorted(folder.rglob(PROGRAM_FILE))
    if not 1 <= len(found) <= MAX_PROGRAMS:
        raise UsageError(
            f"{folder} holds {len(found)} programs",
            why=f"a program is a file {PROGRAM_FILE} in a folder of its own; there may be 1 to {MAX_PROGRAMS}",
            todo="name another folder",
        )
    return found


def read_entry(text: str) -> Entry:
    """The options in the first lines of a program; raises UsageError for others than these."""
    for line in text.splitlines()[:HEADER_LINES]:
        match = _HEADER.match(line.strip())
        if match is not None:
            return _parse(match[1])
    return Entry()


def _parse(text: str) -> Entry:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise UsageError("the run-args were not understood", why=str(error), todo="close the quotes") from None
    inputs: list[str] = []
    receivers: int | None = None
    entry = "main"
    for name, value in _options(words):
        if name == "--client-input":
            inputs.append(value)
        elif name == "--expected-output-clients":
            receivers = _receivers(value)
        elif name == "--entry":
            entry = value
        else:
            raise UsageError(
                f"the run-args have {name[:40]}",
                why="it is none of --client-input, --expected-output-clients and --entry",
                todo="run the program by hand",
            )
    return Entry(parse_client_inputs(inputs), receivers, entry)


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, written `--name value` or `--name=value`."""
    remaining = iter(words)
    for word in remaining:
        name, equals, value = word.partition("=")
        if not equals:
            value = next(remaining, "")
        yield name, value


def _receivers(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) > MAX_CLIENTS:
        raise UsageError(
            "--expected-output-clients was not understood", why=f"it must be a number from 0 to {MAX_CLIENTS}"
        )
    return int(text)
