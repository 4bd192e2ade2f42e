"""The examples of docs/arithmetic.md run, and its table of operations names what there is."""

from __future__ import annotations

import re
from pathlib import Path

from quorate.protocol.mpc import arithmetic

PAGE = Path(__file__).parents[4] / "docs" / "arithmetic.md"


def test_examples_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    rounds, products, opened = map(int, capsys.readouterr().out.split())
    assert rounds < 60
    assert products % 1000 == opened % 1000 == 0


def test_every_operation_is_on_the_page():
    text = PAGE.read_text(encoding="utf-8")
    unnamed = {"Cost", "NumberType", "MAX_INTEGER_BITS", "multiply_pairs", "slack"}
    missing = {name for name in arithmetic.__all__ if name not in unnamed and f"`{name}" not in text}
    assert missing == set()
