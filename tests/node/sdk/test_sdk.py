"""The SDK: inputs of all kinds, callers of all kinds, typed results."""

import asyncio
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import trio

from quorate.node.errors import UsageError
from quorate.node.project import SourceInvalid
from quorate.node.project.execution import ProgramFailed
from quorate.node.sdk import NetworkTerms, Program
from quorate.node.sdk.secret_inputs import secret_numbers
from quorate.protocol.vm import dump

RICHER = """\
def main() -> int64:
  var alice = ClientStore.take_share(0, 0)
  var bob = ClientStore.take_share(1, 0)
  (alice > bob).send_to_client(0)
  (alice + bob).send_to_client(1)
  print("done")
  return 7
"""
SUM = """\
def main(count: int64):
  var total: secret int64 = 0
  for i in range(count):
    total += ClientStore.take_share(0, i)
  total.send_to_client(0)
"""


class Frame:
    """What this package needs of a pandas frame or series."""

    def __init__(self, array):
        self._array = array

    def to_numpy(self):
        return self._array


@pytest.fixture(scope="module")
def richer():
    return Program.compile(RICHER).with_inputs("alice", [120]).with_inputs("bob", 95)


def check(result):
    assert result.value == 7
    assert result.printed == ("done",)
    assert result.output("alice") == (True,)
    assert result.output("bob") == (215,)
    (total,) = result.outputs["bob"]
    assert (total.name, total.type, total.value) == ("bob[0]", "int64", 215)


def test_in_the_clear(richer):
    result = richer.run_clear()
    check(result)
    assert result.costs is None


@pytest.mark.parametrize("protocol", ["passive", "abort", "robust"])
def test_by_a_committee(richer, protocol):
    result = richer.run_local(parties=4, threshold=1, protocol=protocol)
    check(result)
    assert result.costs.rounds > 0
    assert result.costs.bytes_sent > 0
    assert set(result.costs.phases) == {"preprocess", "inputs", "online", "output"}


def test_from_asyncio_and_trio(richer):
    async def work():
        check(await richer.run_clear_async())
        check(await richer.run_local_async(parties=3, threshold=1))

    asyncio.run(work())
    trio.run(work)


def test_inputs_of_all_shapes():
    program = Program.compile(SUM).with_arguments(4)
    matrix = np.array([[1, 2], [3, -10]], dtype=np.int16)
    for values in ([1, 2, 3, -10], ((1, 2), [3, -10]), matrix, Frame(matrix), [np.int64(1), 2, Decimal(3), -10.0]):
        assert program.with_inputs(0, values).run_clear().output(0) == (-4,)
    assert secret_numbers([True, 0.5, Fraction(1, 3)]) == (1, Fraction(1, 2), Fraction(1, 3))
    assert secret_numbers(np.array([[1.5, 2.0], [3.0, 4.0]]).T) == (Fraction(3, 2), 3, 2, 4)
    assert secret_numbers([]) == ()


@pytest.mark.parametrize(
    "values",
    [
        "12",
        b"12",
        None,
        {"a": 1},
        [1, "2"],
        float("nan"),
        [float("inf")],
        Decimal("NaN"),
        1j,
        np.array(["a"]),
        np.array([1 + 2j]),
        np.array([np.nan]),
        np.zeros(1 << 15),
        [0] * (1 << 15),
        [[[[[[[[[[1]]]]]]]]]],
    ],
    ids=lambda values: type(values).__name__,
)
def test_what_is_no_input_is_refused(values):
    with pytest.raises(UsageError):
        secret_numbers(values)


def test_fixed_point_values_are_numbers():
    program = Program.compile("def main():\n  (ClientStore.take_share_fixed(0, 0)).send_to_client(0)\n")
    for value in (3, 1.5, Fraction(-1, 4)):
        assert program.with_inputs(0, value).run_clear().output(0) == (Fraction(value),)


def test_secrets_are_not_shown(richer):
    assert "120" not in repr(richer)
    assert "215" not in repr(richer.run_clear().outputs)


def test_clients_are_numbered_in_order():
    program = Program.compile(RICHER)
    named = program.with_inputs(1, 5).with_inputs("first", 9).with_inputs("first", 4)
    assert named.run_clear().output("first") == (False,)
    assert named.run_clear().output(1) == (9,)
    with pytest.raises(UsageError, match="client 2 received nothing"):
        named.run_clear().output(2)
    with pytest.raises(UsageError, match="slot"):
        program.with_inputs(-1, 5)


def test_programs_come_from_files_and_bytecode(tmp_path, richer):
    (tmp_path / "richer.stfl").write_text(RICHER)
    program = Program.from_file(tmp_path / "richer.stfl")
    (tmp_path / "richer.stflb").write_bytes(dump(program.code))
    for other in (Program.from_file(tmp_path / "richer.stflb"), Program.from_bytecode(dump(program.code))):
        check(other.with_inputs("alice", 120).with_inputs("bob", 95).run_clear())
    with pytest.raises(UsageError, match="cannot be loaded"):
        Program.from_bytecode(b"nothing")
    with pytest.raises(UsageError, match="is no program"):
        Program.from_file(tmp_path / "richer.txt")


def test_programs_import_modules():
    text = "import rates\n\ndef main() -> int64:\n  return rates.double(4)\n"
    modules = {"rates": "def double(x: int64) -> int64:\n  return 2 * x\n"}
    assert Program.compile(text, modules=modules).run_clear().value == 8


def test_errors_say_what_is_wrong(richer):
    with pytest.raises(SourceInvalid) as caught:
        Program.compile("def main():\n  print(x)\n", name="bad.stfl")
    assert caught.value.as_json()["diagnostics"][0]["code"] == "E0301"
    with pytest.raises(UsageError, match="no level 4"):
        Program.compile(RICHER, level=4)
    assert Program.compile(RICHER, level=3).with_inputs(0, 1).with_inputs(1, 2).run_clear().value == 7
    with pytest.raises(UsageError, match="no function absent"):
        richer.with_entry("absent")
    with pytest.raises(ProgramFailed, match="gave no input"):
        Program.compile(RICHER).run_local(parties=3)
    with pytest.raises(UsageError, match="2 parties cannot"):
        richer.run_local(parties=2)


def test_receivers_are_what_is_said():
    program = Program.compile("def main():\n  Share.from_clear(3).send_to_client(2)\n")
    assert program.with_receivers(3).run_clear().output(2) == (3,)
    with pytest.raises(ProgramFailed):
        program.with_receivers(2).run_clear()


def test_a_network_must_be_there(richer, tmp_path):
    with pytest.raises(UsageError, match="no testnet runs"):
        richer.run_network(tmp_path)

    async def work():
        with pytest.raises(UsageError, match="no testnet runs"):
            await richer.run_network_async(tmp_path, NetworkTerms(parties=3))
        with pytest.raises(UsageError, match="block an event loop"):
            richer.run_network(tmp_path)

    asyncio.run(work())
    trio.run(work)


@pytest.mark.parametrize(
    "change",
    [
        lambda program: program.with_arguments(1),
        lambda program: program.with_receivers(1),
        lambda program: Program.from_bytecode(dump(program.code)).with_inputs(0, 1),
        lambda program: program.with_inputs("alice", 0.5),
    ],
)
def test_what_a_network_does_not_take(richer, tmp_path, change):
    with pytest.raises(UsageError, match=r"cannot run on a network|gives a fraction"):
        change(richer).run_network(tmp_path)
