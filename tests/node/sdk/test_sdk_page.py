"""The examples of the page on the SDK."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "sdk.md"


def test_the_examples_run_and_show_what_is_written():
    text = PAGE.read_text().replace("```", "")
    test = doctest.DocTestParser().get_doctest(text, {}, "sdk.md", str(PAGE), 0)
    assert len(test.examples) >= 8
    report = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert results.failed == 0, "".join(report)
