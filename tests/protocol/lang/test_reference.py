"""The language reference is kept true: its examples run, its limits and codes are the code's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quorate.protocol.lang import compile_source
from quorate.protocol.lang.builtins import BUILTINS, REFUSED
from quorate.protocol.lang.expressions import MAX_EXPRESSION_HEIGHT
from quorate.protocol.lang.lexer import MAX_SOURCE_CHARACTERS
from quorate.protocol.lang.parser import MAX_BLOCK_DEPTH
from quorate.protocol.lang.tokens import KEYWORDS
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.vm import ClearEngine, Limits, run
from quorate.protocol.vm.binary import MAX_PROGRAM_BYTES
from quorate.protocol.vm.engines.kinds import COMPARED_BITS, EQUAL, LESS_THAN
from quorate.protocol.vm.engines.lazy import MAX_PENDING
from quorate.protocol.vm.engines.mpc import MAX_SHARES
from quorate.protocol.vm.program import MAX_FUNCTIONS, MAX_PARAMETERS, MAX_REGISTERS

PAGE = (Path(__file__).parents[3] / "docs" / "language.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
ARGUMENTS: dict[int, list[object]] = {3: [10]}


@pytest.mark.parametrize("index", range(len(EXAMPLES)))
def test_examples_run(index: int) -> None:
    program = compile_source(EXAMPLES[index], "language.md")
    engine = ClearEngine({(0, 0): 42, (1, 0): 1}, randomness=SeededRandomness(1, "reference"))
    running = run(program, engine, arguments=ARGUMENTS.get(index, []))
    with pytest.raises(StopIteration) as stop:
        next(running)
    expected = {0: None, 1: 6, 2: 1, 3: 100 + 8 + 16 + 42 * 42, 4: 46, 5: 22, 6: 31, 7: 42, 8: None}
    assert stop.value.value.value == expected[index]


def test_every_builtin_is_on_the_page() -> None:
    for name in BUILTINS:
        assert f"`{name}(" in PAGE, name
    for name in REFUSED:
        assert f"`{name}`" in PAGE, name


def test_every_keyword_is_on_the_page() -> None:
    for word in KEYWORDS:
        assert re.search(rf"\b{word}\b", PAGE), word


@pytest.mark.parametrize(
    "row",
    [
        f"| source text | {MAX_SOURCE_CHARACTERS} characters |",
        f"| nesting of blocks, of expressions | {MAX_BLOCK_DEPTH}, {MAX_EXPRESSION_HEIGHT} |",
        f"| functions, parameters of one | {MAX_FUNCTIONS}, {MAX_PARAMETERS} |",
        f"| registers of a function, of each kind | {MAX_REGISTERS} |",
        f"| program file | {MAX_PROGRAM_BYTES >> 20} MiB |",
        f"(`Limits.steps`) | {Limits().steps:,} |".replace(",", " "),
        f"(`Limits.cells`) | {Limits().cells:,} |".replace(",", " "),
        f"(`Limits.call_depth`) | {Limits().call_depth} |",
        f"(`Limits.printed_characters`) | {Limits().printed_characters} |",
        f"(`MAX_PENDING`) | {MAX_PENDING}; then they are computed |",
        f"(`MAX_SHARES`) | {MAX_SHARES} |",
        f"`<` and its kin: {LESS_THAN.rounds(COMPARED_BITS)} rounds. `==` of integers: "
        f"{EQUAL.rounds(COMPARED_BITS)} rounds.",
    ],
)
def test_numbers_are_those_of_the_code(row: str) -> None:
    assert row in PAGE
