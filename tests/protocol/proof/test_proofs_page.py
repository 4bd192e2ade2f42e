"""The example of the page on proofs runs."""

from __future__ import annotations

import re
from pathlib import Path


def test_the_example_runs() -> None:
    page = Path(__file__).parents[3] / "docs" / "proofs.md"
    examples = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    assert len(examples) == 1
    exec(compile(examples[0], str(page), "exec"), {})
