"""One program on trial: it must end without a failure, and a committee must give what the clear engine gives.

A program that draws random numbers shows others each time; of such a program only the number of printed lines and
the types of the outputs are compared, and its own assertions judge the rest.

The field is that of the project file beside the program, if there is one: some programs are about a curve. A program
is skipped when it needs arguments or inputs of clients that its file does not give.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Final

from quorate.node.errors import QuorateNodeError
from quorate.node.project.configuration import FILE_NAMES, load_project
from quorate.node.project.execution import Call, Committee, Execution, MissingInput, run_clear, run_committee
from quorate.node.project.sources import load_program, read_source

from .programs import Entry, read_entry
from .report import Status

ENGINES: Final = ("clear", "mpc")
MAX_ERROR_CHARACTERS: Final = 4000


@dataclasses.dataclass(frozen=True, slots=True)
class Trial:
    """How programs are tried: on which engine, and the committee that it stands for."""

    engine: str = "clear"
    committee: Committee = dataclasses.field(default_factory=Committee)


class _Draws:
    """Randomness that knows whether it was asked for."""

    def __init__(self) -> None:
        self.used = False

    def __call__(self, size: int) -> bytes:
        self.used = True
        return os.urandom(size)


def judge(path: Path, trial: Trial) -> tuple[Status, str]:
    """How the program at `path` ends, and what went wrong, or why it was not run."""
    entry = Entry()
    try:
        entry = read_entry(read_source(path))
        program = load_program(path)
        function = next((one for one in program.functions if one.name == entry.entry), None)
        if function is None:
            return Status.SKIPPED, f"there is no function {entry.entry}"
        if function.parameters:
            return Status.SKIPPED, f"{entry.entry} takes arguments, and the file does not say which"
        call = Call(program, entry.entry, inputs=entry.inputs, receivers=entry.receivers)
        difference = compare(call, dataclasses.replace(trial, committee=_committee(path, trial.committee)))
    except MissingInput as error:
        return (
            (Status.FAILED, str(error)) if entry.inputs else (Status.SKIPPED, f"its file gives no inputs; {error}")
        )
    except QuorateNodeError as error:
        return Status.FAILED, str(error)[:MAX_ERROR_CHARACTERS]
    return (Status.FAILED, difference) if difference else (Status.PASSED, "")


def _committee(path: Path, committee: Committee) -> Committee:
    """The committee, in the field that the project file beside the program names."""
    file = next((path.with_name(name) for name in FILE_NAMES if path.with_name(name).is_file()), None)
    return committee if file is None else dataclasses.replace(committee, field=load_project(file).field)


def compare(call: Call, trial: Trial) -> str:
    """Run a call, on both engines if the trial says mpc; how they differ, or an empty text. Raises ProgramFailed."""
    draws = _Draws()
    clear = run_clear(call, trial.committee, draw=draws)
    if trial.engine == "clear":
        return ""
    return difference(clear, run_committee(call, trial.committee), random=draws.used)


def difference(clear: Execution, secret: Execution, *, random: bool) -> str:
    """The first thing in which two runs differ, or an empty text."""
    if random:
        same = len(clear.printed) == len(secret.printed)
        if not same:
            return f"the committee printed {len(secret.printed)} lines, the clear engine {len(clear.printed)}"
    elif clear.printed != secret.printed:
        pairs = enumerate(zip(clear.printed, secret.printed, strict=False), start=1)
        for number, (expected, found) in pairs:
            if expected != found:
                return (
                    f"line {number} printed by the committee is {found[:200]!r}, in the clear {expected[:200]!r}"
                )
        return f"the committee printed {len(secret.printed)} lines, the clear engine {len(clear.printed)}"
    elif clear.value != secret.value:
        return f"the committee returned {secret.value!r:.200}, the clear engine {clear.value!r:.200}"
    return _output_difference(clear, secret, random=random)


def _output_difference(clear: Execution, secret: Execution, *, random: bool) -> str:
    if clear.outputs.keys() != secret.outputs.keys():
        return (
            f"the committee sent to clients {sorted(secret.outputs)}, the clear engine to {sorted(clear.outputs)}"
        )
    for client, expected in clear.outputs.items():
        found = secret.outputs[client]
        if found.types != expected.types or (found.values != expected.values and not random):
            return f"client {client} received other values from the committee than in the clear"
    return ""
