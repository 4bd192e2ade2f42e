"""Every level computes the same; higher ones take fewer steps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quorate.protocol.lang import compile_source
from quorate.protocol.lang.optimiser import LEVELS
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.vm import ClearEngine, Opcode, ProgramFailure, Result, dump, load, run

PAGE = (Path(__file__).parents[3] / "docs" / "language.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def outcome(source: str, level: int) -> Result | str:
    program = load(dump(compile_source(source, "test.stfl", level=level)))
    engine = ClearEngine({(0, 0): 42, (1, 0): 1}, randomness=SeededRandomness(1, "levels"))
    arguments = [10] * len(program.function("main").parameters)
    try:
        next(run(program, engine, arguments=arguments))
    except StopIteration as stop:
        result: Result = stop.value
        return result
    except ProgramFailure as failure:
        return str(failure)
    raise AssertionError("the clear engine communicates")


@pytest.mark.parametrize("source", EXAMPLES)
def test_levels_agree(source: str) -> None:
    first, *others = (outcome(source, level) for level in LEVELS)
    assert isinstance(first, Result)
    steps = first.steps
    for other in others:
        assert isinstance(other, Result)
        assert (other.value, other.printed, other.outputs) == (first.value, first.printed, first.outputs)
        assert other.steps <= steps
        steps = other.steps


CONSTANTS = """
def main() -> int64:
  var kept = 3
  var unused = 2 + 3 * 4
  if 1 + 1 == 2:
    kept = 5 * 5 - 1
  else:
    kept = 9
  while 2 > 3:
    print(kept)
  return kept + (7u8 + 1u8 == 8u8 and 1.5fix64 * 2 == 3.0).to_string().len()
"""


def test_constants_are_computed_and_dead_code_removed() -> None:
    sizes = [len(compile_source(CONSTANTS, "test.stfl", level=level).function("main").code) for level in LEVELS]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[1] > sizes[2]
    code = compile_source(CONSTANTS, "test.stfl", level=1).function("main").code
    assert Opcode.MULTIPLY not in {instruction[0] for instruction in code}
    assert len({outcome(CONSTANTS, level).value for level in LEVELS}) == 1  # type: ignore[union-attr]  # it ends


@pytest.mark.parametrize("expression", ["1 / 0", "9223372036854775807 + 1", "1 shl 64", "255u8 + 1"])
def test_failures_stay_where_they_are(expression: str) -> None:
    type_ = "uint8" if "u8" in expression else "int64"
    source = f"def main() -> {type_}:\n  print(1)\n  return {expression}\n"
    assert len({outcome(source, level) for level in LEVELS}) == 1
    assert "test.stfl:3: in main" in str(outcome(source, 3))


def test_there_are_four_levels() -> None:
    for level in (-1, 4):
        with pytest.raises(ValueError, match="optimiser level"):
            compile_source("def main():\n  pass\n", "test.stfl", level=level)
