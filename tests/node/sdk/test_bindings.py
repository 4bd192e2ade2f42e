"""Generated bindings: typed, checked by mypy, and they run."""

import importlib.util
import subprocess
import sys
from fractions import Fraction

import pytest

from quorate.node.sdk import Program
from quorate.node.sdk.bindings import python_bindings, python_type

SOURCE = """\
def main(scale: int64, from_: list[int64]) -> int64:
  var bid = ClientStore.take_share(0, 0) * scale
  var yes = ClientStore.take_share_bool(1, 0)
  var again = ClientStore.take_share(0, 1)
  (bid + again).send_to_client(0)
  yes.send_to_client(1)
  return scale + len(from_)

def half(up: bool) -> fix64:
  if up:
    return 0.5
  return 0.0

def helper(x: secret int64) -> secret int64:
  return x

def test_nothing():
  pass
"""
USE = """\
from fractions import Fraction

from bound import Client0, Client1, half, main

run = main(3, [1, 2], client_0=Client0(value_0=5, value_1=6), client_1=Client1(value_0=True))
total: int = run.run_clear().value
part: Fraction = half(True).run_local(parties=3).value
"""
MISUSE = """\
from bound import Client0, main

text: str = main(3, [1]).run_clear().value
main("3", [1])
Client0(value_0="5", value_1=6)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bindings")
    (folder / "bound.py").write_text(python_bindings(Program.compile(SOURCE, name="a b'.stfl").code))
    (folder / "use.py").write_text(USE)
    (folder / "misuse.py").write_text(MISUSE)
    return folder


@pytest.fixture
def bound(folder):
    spec = importlib.util.spec_from_file_location("bound", folder / "bound.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["bound"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["bound"]


def test_they_run(bound):
    first, second = bound.Client0(value_0=5, value_1=6), bound.Client1(value_0=True)
    for result in (
        bound.main(3, [1, 2], client_0=first, client_1=second).run_clear(),
        bound.main(3, [1, 2], inputs={0: [5, 6], 1: [True]}).run_local(parties=3),
    ):
        assert result.value == 5
        assert result.result.output(0) == (21,)
        assert result.result.output(1) == (True,)
    assert bound.half(True).run_clear().value == Fraction(1, 2)
    assert "5" not in repr(first)


def test_they_offer_what_can_be_called(bound):
    assert sorted(bound.__all__) == ["Client0", "Client1", "half", "main", "program"]


def test_the_same_program_gives_the_same_text(folder):
    again = python_bindings(Program.compile(SOURCE, name="a b'.stfl").code)
    assert (folder / "bound.py").read_text() == again
    assert "a?b?.stfl" in again


def test_mypy_agrees_and_finds_misuse(folder):
    def mypy(name):
        command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--follow-imports=silent", name]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    used = mypy("use.py")
    assert used.returncode == 0, used.stdout
    misused = mypy("misuse.py")
    assert [line.split(":")[1] for line in misused.stdout.splitlines() if ": error:" in line] == ["3", "4", "5"]


def test_inputs_at_computed_places_are_given_by_slot():
    text = "def main():\n  for i in range(2):\n    discard ClientStore.take_share(i, 0)\n"
    bound = python_bindings(Program.compile(text).code)
    assert "class Client" not in bound
    assert "dataclass" not in bound


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("int64", "int"),
        ("uint8", "int"),
        ("list[list[bool]]", "list[list[bool]]"),
        ("dict[string, fix64]", "dict[str, Fraction]"),
        ("secret int64", "None"),
        ("None", "None"),
        ("Point", "object"),
    ],
)
def test_types(text, expected):
    assert python_type(text) == expected
