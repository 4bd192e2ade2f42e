"""The tests of a project: functions called test_* that take nothing, in its sources and in tests/.

A test passes when it ends without a failure in the clear and by a committee, and both print and return the same.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from quorate.node.errors import QuorateNodeError, UsageError
from quorate.node.gallery.report import Outcome, Report, Status
from quorate.node.gallery.trial import Trial, compare
from quorate.protocol.vm import Program

from .execution import Call, Committee
from .selection import Selection

PREFIX: Final = "test_"
MAX_TESTS: Final = 4096


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A test: function `name` of the file at `path`."""

    path: Path
    name: str
    program: Program = dataclasses.field(repr=False)


def find_tests(selection: Selection, *, pattern: str = "", level: int | None = None) -> list[Case]:
    """The selected tests whose name or file's stem contains `pattern`; raises UsageError, SourceInvalid."""
    cases: list[Case] = []
    for path in selection.sources():
        program = selection.load(path, level=level)
        names = [one.name for one in program.functions if one.name.startswith(PREFIX) and not one.parameters]
        cases += [Case(path, name, program) for name in names if pattern in name or pattern in path.stem]
    if len(cases) > MAX_TESTS:
        raise UsageError(f"{len(cases)} tests", why=f"the most is {MAX_TESTS}", todo="name one file")
    return cases


def run_tests(
    cases: Sequence[Case],
    committee: Committee,
    *,
    root: Path,
    engine: str = "mpc",
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Run `cases` one after another; their paths are shown as seen from `root`, with ::name behind them."""
    outcomes: list[Outcome] = []
    trial = Trial(engine, committee)
    for case in cases:
        started = perf_counter()
        try:
            error = compare(Call(case.program, case.name), trial)
        except QuorateNodeError as failure:
            error = str(failure)
        base = case.path.relative_to(root) if case.path.is_relative_to(root) else case.path
        status = Status.FAILED if error else Status.PASSED
        outcome = Outcome(base.with_name(f"{base.name}::{case.name}"), status, perf_counter() - started, error)
        outcomes.append(outcome)
        progress(outcome)
    return Report(outcomes)
