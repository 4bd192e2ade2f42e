"""What the user sees when something goes wrong."""

import ast
import errno
import inspect
import json
from pathlib import Path

import pytest

from quorate.node import errors
from quorate.node.cli.errors import EXIT_BUG, EXIT_INTERRUPTED, report
from quorate.node.errors import DiskFull, HomeLocked, QuorateNodeError, UsageError
from quorate.protocol.errors import MalformedMessage


def classes():
    return {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }


def test_the_tree_on_top_of_the_module_is_the_tree_of_the_classes():
    drawn = {}
    path = []
    for line in errors.__doc__.splitlines():
        if line.startswith("QuorateNodeError "):
            path = ["QuorateNodeError"]
        elif "+-- " in line:
            depth = line.index("+-- ") // 4 + 1
            name = line.split("+-- ")[1].split()[0]
            drawn[name] = path[depth - 1]
            path = [*path[:depth], name]
    actual = {name: kind.__base__.__name__ for name, kind in classes().items() if name != "QuorateNodeError"}
    assert drawn == actual


def test_the_codes_drawn_in_the_tree_are_the_codes_of_the_classes():
    for line in errors.__doc__.splitlines():
        words = line.replace("+--", "").replace("|", "").split()
        if len(words) > 1 and words[0] in classes() and words[1].isdigit():
            assert classes()[words[0]].exit_code == int(words[1])


def test_a_message_has_what_why_and_do(capsys):
    assert report(HomeLocked(Path("/h"), 7), as_json=False) == 5
    text = capsys.readouterr().err
    assert text.startswith("Error: the home /h is in use\n  why: process 7 already runs on it\n  do:  stop that")


def test_json_has_every_field(capsys):
    assert report(DiskFull(Path("/h/j")), as_json=True) == 5
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["type"] == "DiskFull"
    assert error["exit_code"] == 5
    assert all(error[field] for field in ("what", "why", "todo"))


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (UsageError("no"), 2, "Error: no"),
        (ExceptionGroup("g", [RuntimeError("x"), ExceptionGroup("h", [UsageError("inner")])]), 2, "Error: inner"),
        (MalformedMessage("bad"), 1, "Error: malformed message: bad"),
        (OSError(errno.ENOSPC, "No space left on device", "/f"), 1, "free some space"),
        (RuntimeError("boom"), EXIT_BUG, "QUORATE_DEBUG=1"),
    ],
)
def test_every_kind_of_error_is_one_message_without_a_traceback(error, code, text, capsys, monkeypatch):
    monkeypatch.delenv("QUORATE_DEBUG", raising=False)
    assert report(error, as_json=False) == code
    printed = capsys.readouterr().err
    assert text in printed
    assert "Traceback" not in printed


def test_a_traceback_comes_when_asked_for(capsys, monkeypatch):
    monkeypatch.setenv("QUORATE_DEBUG", "1")
    report(RuntimeError("boom"), as_json=False)
    assert "RuntimeError: boom" in capsys.readouterr().err


def test_ctrl_c_is_silent(capsys):
    assert report(BaseExceptionGroup("g", [KeyboardInterrupt()]), as_json=False) == EXIT_INTERRUPTED
    assert capsys.readouterr() == ("", "")


def test_every_error_derives_its_text_from_its_fields():
    tree = ast.parse(inspect.getsource(errors))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            assert ast.get_docstring(node), node.name
    assert issubclass(DiskFull, QuorateNodeError)
