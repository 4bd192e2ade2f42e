"""Clear code made fast: the functions of a checked program as Python functions.

`run` does what `machine.run` does, to the step: the same values, lines printed, failures with the same message and
line, limits, rounds and batches. A function that may run often is translated to Python when it is first called:
registers become variables, the control-flow graph becomes `while` and `if`, checks are left out where a range
analysis shows that they cannot fail, and steps are counted a path at a time. Wherever translated code meets a value
that it is not for (an overflow, an unknown value of a dry run, a limit that is near), the machine takes the frame
over at that instruction. Functions that communicate are generators. Nothing of a program's text gets into the
source that is compiled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from quorate.protocol.mpc import Protocol
from quorate.protocol.vm import machine
from quorate.protocol.vm.engine import SecretEngine
from quorate.protocol.vm.limits import Limits
from quorate.protocol.vm.machine import Result
from quorate.protocol.vm.program import Program
from quorate.protocol.vm.values import check_arguments, plain

from .execution import Execution, Stopped

__all__ = ["run"]


def run(
    program: Program,
    engine: SecretEngine,
    *,
    entry: str = "main",
    arguments: Sequence[Any] = (),
    limits: Limits | None = None,
    stepping: bool = False,
) -> Protocol[Result]:
    """Run function `entry` of `program`; `arguments` are int, bool, str, or (nested) lists of them.

    With `stepping` the machine takes every single instruction, which only costs time. Raises ProgramFailure with
    the source line when the program fails, ProgramError when it cannot start.
    """
    if stepping:
        return (yield from machine.run(program, engine, entry=entry, arguments=arguments, limits=limits))
    function = program.function(entry)
    values = check_arguments(function, arguments)
    execution = Execution(program, engine, limits or Limits())
    state = execution.state
    value = None
    try:
        value = yield from execution.call(program.functions.index(function), values)
    except Stopped:
        state.finished, state.complete = True, False
    outputs = yield from engine.finish()
    steps = execution.steps if state.complete else state.steps
    return Result(plain(value), outputs, state.printer.lines(), steps, state.complete)
