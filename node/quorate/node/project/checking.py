"""Compiling every source of a selection, and saying all that is wrong in one go."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from .selection import Selection
from .sources import SourceInvalid, diagnostics_json


@dataclasses.dataclass(frozen=True, slots=True)
class CheckReport:
    """The files that were compiled, as seen from the root, and the errors of those that do not compile."""

    files: Sequence[str]
    failures: Mapping[str, SourceInvalid]

    @property
    def passed(self) -> bool:
        """Whether everything compiles."""
        return not self.failures

    def as_json(self) -> dict[str, object]:
        """The report as an object."""
        found = [
            {"path": name, "diagnostics": diagnostics_json(error.errors)} for name, error in self.failures.items()
        ]
        return {"passed": self.passed, "files": list(self.files), "failures": found}

    def print(self) -> None:
        """Print every diagnostic with its line of source on standard error, and the result."""
        for error in self.failures.values():
            print(error.errors.render(), file=sys.stderr)
        count = len(self.files)
        wrong = f"{len(self.failures)} of them with errors" if self.failures else "all right"
        print(f"{count} file{'' if count == 1 else 's'}, {wrong}")


def check_sources(selection: Selection, *, level: int | None = None) -> CheckReport:
    """Compile what is selected; raises UsageError for a file that cannot be read or bytecode that is malformed."""
    files: list[str] = []
    failures: dict[str, SourceInvalid] = {}
    for path in selection.sources():
        name = _shown(path, selection.root)
        files.append(name)
        try:
            selection.load(path, level=level)
        except SourceInvalid as error:
            failures[name] = error
    return CheckReport(files, failures)


def _shown(path: Path, root: Path) -> str:
    return (path.relative_to(root) if path.is_relative_to(root) else path).as_posix()
