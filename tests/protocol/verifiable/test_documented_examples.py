from __future__ import annotations

import re
from pathlib import Path

import pytest

TEXT = (Path(__file__).parents[3] / "docs" / "verifiable-sharing.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_of_the_page_run(example):
    exec(compile(example, "docs/verifiable-sharing.md", "exec"), {})


def test_there_are_examples():
    assert len(EXAMPLES) == 4
