"""What a run takes, by a dry run: rounds, multiplications, comparisons, openings, preprocessing; and where in the
source the secret operations stand.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from quorate.node.gallery.programs import Entry, read_entry
from quorate.node.jobs.packages import SOURCE_SUFFIX
from quorate.protocol.vm import Counts, Program
from quorate.protocol.vm.opcodes import FIRST_SECRET, Opcode

from .execution import Call, Committee, count
from .sources import read_source
from .values import parse_client_inputs


@dataclasses.dataclass(frozen=True, slots=True)
class CostReport:
    """The totals of a run, and per line how often each secret operation is written there (not how often it runs)."""

    counts: Counts
    committee: Committee
    lines: Sequence[tuple[str, str, str]]

    def totals(self) -> list[tuple[str, str]]:
        """Names and numbers for people."""
        counts, committee = self.counts, self.committee
        return [
            ("committee", f"{committee.parties} parties, threshold {committee.threshold}, {committee.protocol}"),
            ("rounds", f"{counts.rounds} with preprocessing in stock"),
            ("multiplications", f"{counts.multiplications:,}"),
            ("comparisons", f"{sum(counts.comparisons.values()):,}"),
            ("equality tests", f"{sum(counts.equality_tests.values()):,}"),
            ("random integers", f"{sum(counts.random_integers.values()):,}"),
            ("opened", f"{counts.opened:,}"),
            ("outputs", f"{counts.outputs:,}"),
        ]

    def as_json(self) -> dict[str, object]:
        """The report as an object."""
        counts = self.counts
        return {
            "parties": self.committee.parties,
            "threshold": self.committee.threshold,
            "protocol": self.committee.protocol,
            "rounds": counts.rounds,
            "multiplications": counts.multiplications,
            "comparisons": sum(counts.comparisons.values()),
            "equality_tests": sum(counts.equality_tests.values()),
            "random_integers": sum(counts.random_integers.values()),
            "opened": counts.opened,
            "outputs": counts.outputs,
            "lines": [
                {"line": int(line), "operation": name, "places": int(places)} for line, name, places in self.lines
            ],
        }


def cost_of_call(
    program: Program,
    path: Path,
    client_input: Sequence[str] | None,
    receivers: int | None,
    entry: str,
    *,
    committee: Committee,
) -> CostReport:
    """The cost of running `entry`; inputs not given are those of the program's own run-args. UsageError."""
    own = read_entry(read_source(path)) if path.suffix == SOURCE_SUFFIX and not client_input else Entry()
    inputs = parse_client_inputs(client_input) if client_input else own.inputs
    call = Call(program, entry, inputs=inputs, receivers=own.receivers if receivers is None else receivers)
    return CostReport(count(call, committee), committee, secret_lines(program))


def secret_lines(program: Program) -> list[tuple[str, str, str]]:
    """Line, operation and number of places of every secret operation in the code."""
    places: Counter[tuple[int, str]] = Counter()
    for function in program.functions:
        for instruction, line in zip(function.code, function.lines, strict=True):
            opcode = Opcode(instruction[0])
            if opcode >= FIRST_SECRET:
                places[line, opcode.name.lower()] += 1
    return [(str(line), name, str(number)) for (line, name), number in sorted(places.items())]
