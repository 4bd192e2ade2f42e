"""What became of the programs of a gallery, as data and as a table."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from pathlib import Path

from quorate.node.cli.output import print_table


class Status(enum.StrEnum):
    """How a program ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """One program: its path inside of the folder, how it ended, how long it took, and what went wrong."""

    path: Path
    status: Status
    seconds: float
    error: str = ""

    def as_json(self) -> dict[str, object]:
        """The outcome as an object."""
        error = self.error or None
        return {
            "path": self.path.as_posix(),
            "status": str(self.status),
            "seconds": round(self.seconds, 3),
            "error": error,
        }


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """All outcomes, in the order of the paths."""

    outcomes: Sequence[Outcome]

    def count(self, status: Status) -> int:
        """How many programs ended so."""
        return sum(outcome.status is status for outcome in self.outcomes)

    def as_json(self) -> dict[str, object]:
        """The report as an object."""
        counts: dict[str, object] = {str(status): self.count(status) for status in Status}
        return counts | {"programs": [outcome.as_json() for outcome in self.outcomes]}

    def print(self) -> None:
        """Print a line for each program, and the counts."""
        rows = [
            [outcome.path.as_posix(), str(outcome.status), f"{outcome.seconds:.2f}", _first_line(outcome.error)]
            for outcome in self.outcomes
        ]
        print_table(["program", "status", "seconds", "error"], rows)
        print(", ".join(f"{self.count(status)} {status}" for status in Status))


def _first_line(text: str) -> str:
    return text.splitlines()[0] if text else ""
