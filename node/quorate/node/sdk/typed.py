"""What generated bindings are made of: a call that is ready to run, and a result whose public value has a type."""

from __future__ import annotations

import dataclasses
from typing import Generic, TypeVar, cast

from .program import Program
from .result import ProgramResult

Value = TypeVar("Value")


@dataclasses.dataclass(frozen=True, slots=True)
class TypedResult(Generic[Value]):
    """The public value of the entry function, and everything else that the run gave."""

    value: Value
    result: ProgramResult


@dataclasses.dataclass(frozen=True, slots=True)
class TypedRun(Generic[Value]):
    """A call with all its inputs; `program` runs it in ways that are not offered here."""

    program: Program

    def run_clear(self) -> TypedResult[Value]:
        """As `Program.run_clear`."""
        return self._typed(self.program.run_clear())

    def run_local(self, *, parties: int = 5, threshold: int = 1, protocol: str = "passive") -> TypedResult[Value]:
        """As `Program.run_local`."""
        return self._typed(self.program.run_local(parties=parties, threshold=threshold, protocol=protocol))

    async def run_local_async(
        self, *, parties: int = 5, threshold: int = 1, protocol: str = "passive"
    ) -> TypedResult[Value]:
        """As `Program.run_local_async`."""
        result = await self.program.run_local_async(parties=parties, threshold=threshold, protocol=protocol)
        return self._typed(result)

    def _typed(self, result: ProgramResult) -> TypedResult[Value]:
        """The machine has checked that the value is of the function's type, which is what the bindings say."""
        return TypedResult(cast("Value", result.value), result)
