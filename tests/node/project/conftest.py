"""The command line in this process, and a project to use it on."""

from dataclasses import dataclass

import pytest

from quorate.node.cli.errors import report
from quorate.node.cli.root import app


@dataclass
class Ended:
    code: int
    out: str
    err: str


@pytest.fixture
def quorate(capsys):
    """Run a command as `quorate` does, without a process of its own."""

    def run(*words):
        words = [str(word) for word in words]
        try:
            app(words, prog_name="quorate")
            code = 0
        except SystemExit as end:
            code = end.code or 0
        except Exception as error:
            code = report(error, as_json="--json" in words)
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return run


@pytest.fixture
def project(tmp_path, quorate, monkeypatch):
    """The folder of a fresh project, which is the current one too."""
    folder = tmp_path / "richer"
    assert quorate("init", folder).code == 0
    monkeypatch.chdir(folder)
    return folder
