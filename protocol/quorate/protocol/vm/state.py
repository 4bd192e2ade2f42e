"""The state of one run: registers, frames, and what has been used of the limits."""

from __future__ import annotations

from typing import Any

from .closure import Closure
from .engine import Secret, SecretEngine
from .limits import Fault, Limits
from .program import Function, Program


class Printer:
    """Collects what the program prints, up to a number of characters."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        self._parts: list[str] = []
        self._lines: list[str] = []

    def write(self, text: str) -> None:
        """Add one value to the current line."""
        self._charge(len(text) + 1)
        self._parts.append(text)

    def end_line(self) -> None:
        """Finish the current line."""
        self._charge(1)
        self._lines.append(" ".join(self._parts))
        self._parts = []

    def lines(self) -> tuple[str, ...]:
        """The finished lines."""
        return tuple(self._lines)

    def _charge(self, size: int) -> None:
        self._size += size
        if self._size > self._most:
            raise Fault(f"it printed more than {self._most} characters; print less, or raise the limit")


class State:
    """What the instruction handlers read and change; `clear` and `secret` are the active frame's registers."""

    def __init__(self, program: Program, engine: SecretEngine, limits: Limits) -> None:
        self.program = program
        self.engine = engine
        self.limits = limits
        self.steps = 0
        self.cells = 0
        self.printer = Printer(limits.printed_characters)
        self.clear: list[Any] = []
        self.secret: list[Secret] = []
        self.function = program.functions[0]
        self.position = 0
        self.finished = False
        self.complete = True
        self.value: Any = None
        self.closure: Closure | None = None
        self.storage: dict[str, Any] = {}
        self.broadcasts: list[str] = []
        self._frames: list[tuple[Function, int, list[Any], list[Secret], Closure | None, int, int]] = []
        self._zero = engine.constant(0)

    def allocate(self, cells: int) -> None:
        """Charge for `cells` list elements; raises Fault beyond the limit."""
        self.cells += cells
        self.steps += cells
        if self.cells > self.limits.cells:
            raise Fault(f"it allocated more than {self.limits.cells} list elements; keep less, or raise the limit")

    def enter(self, function: Function, clear: list[Any], secret: list[Secret]) -> None:
        """Begin `function` with its arguments in fresh registers; secret ones start as zero."""
        self.steps += (function.clear_registers + function.secret_registers) >> 4
        self.function = function
        self.position = 0
        self.clear = clear + [None] * (function.clear_registers - len(clear))
        self.secret = secret + [self._zero] * (function.secret_registers - len(secret))

    def call(self, index: int, clear_base: int, secret_base: int, *, closure: Closure | None = None) -> None:
        """Call a function with its arguments in consecutive registers; its result lands in the first of them."""
        if len(self._frames) + 1 >= self.limits.call_depth:
            raise Fault(f"more than {self.limits.call_depth} calls are active at once; recurse less deeply")
        function = self.program.functions[index]
        clear = self.clear[clear_base : clear_base + function.clear_parameters]
        secret = self.secret[secret_base : secret_base + function.secret_parameters]
        self._frames.append(
            (self.function, self.position, self.clear, self.secret, self.closure, clear_base, secret_base)
        )
        self.closure = closure
        self.enter(function, clear, secret)

    def leave(self, *, value: Any = None, secret: Secret | None = None) -> None:
        """Return to the caller, or end the run."""
        if not self._frames:
            self.finished = True
            self.value = value if secret is None else secret
            return
        frame = self._frames.pop()
        self.function, self.position, self.clear, self.secret, self.closure, clear_base, secret_base = frame
        if secret is None:
            self.clear[clear_base] = value
        else:
            self.secret[secret_base] = secret
