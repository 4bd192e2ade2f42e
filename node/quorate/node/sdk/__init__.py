"""Private computation from Python: compile a program, give it inputs, run it, read typed results.

    program = Program.from_file("richer.stfl")
    result = program.with_inputs("alice", [120]).with_inputs("bob", [95]).run_local(parties=5, threshold=1)
    result.output("alice")        # (True,)

Every way to run exists for callers without an event loop and, with `_async` behind its name, for callers on asyncio
or trio.
"""

from __future__ import annotations

from .network_terms import NetworkTerms
from .program import Program
from .result import Costs, ProgramResult, TypedValue
from .secret_inputs import InputValues
from .typed import TypedResult, TypedRun

__all__ = [
    "Costs",
    "InputValues",
    "NetworkTerms",
    "Program",
    "ProgramResult",
    "TypedResult",
    "TypedRun",
    "TypedValue",
]
