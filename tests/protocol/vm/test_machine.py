"""What programs compute, and where the machine stops them."""

from __future__ import annotations

from typing import Any

import pytest

from quorate.protocol.errors import ProgramError
from quorate.protocol.lang import compile_source
from quorate.protocol.vm import (
    CountingEngine,
    EngineError,
    Environment,
    Function,
    Limits,
    Opcode,
    Parameter,
    Program,
    ProgramFailure,
    ValueKind,
    disassemble,
    manifest,
)

MOST = (1 << 63) - 1


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("-7 / 2", -3),
        ("-7 // 2", -4),
        ("-7 % 2", -1),
        ("-7 mod 2", 1),
        ("7 % -2", 1),
        ("7 mod -2", -1),
        ("12 and 10", 8),
        ("12 or 10", 14),
        ("12 xor 10", 6),
        ("not 5", -6),
        ("1 shl 4 shr 2", 4),
        ("-8 shr 1", -4),
        ("1 shl 63", -(1 << 63)),
        ("0x1F + 0b11 + 0o17 + 1_000i64", 31 + 3 + 15 + 1000),
        ("-9223372036854775808 + 1", -MOST),
        ("max(3, -4) + min(3, -4) + abs(-4)", 3),
        ("select(2 > 1, 10, 20)", 10),
        ("select(2 < 1, 10, 20)", 20),
        ("len([1, 2, 3]) + len('abcd')", 7),
        ("[1, 2, 3][-1]", 3),
        ("[[1], [2, 3]][1][0]", 2),
        ("[1, 2, 3, 4][1:3][1]", 3),
        ("len([1, 2, 3][:-1]) + len([1, 2][5:])", 2),
        ("[5, 6].pop()", 6),
    ],
)
def test_integer_expressions(lab: Any, expression: str, value: int) -> None:
    assert lab.clear(lab.compiled(f"def main() -> int64:\n  return {expression}\n")).value == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3", True),
        ("1 == 1 and 1 != 2", True),
        ("not True or False", False),
        ("True xor True", False),
        ("'ab' + 'c' == \"abc\"", True),
        ("not 1 == 2", True),
        ("False and 1 / 0 == 1", False),
        ("True or 1 / 0 == 1", True),
        ("Mpc.has_capability('client-output')", True),
        ("Mpc.has_capability('time-travel')", False),
        ("Mpc.field() == 'bn254'", True),
    ],
)
def test_bool_expressions(lab: Any, expression: str, value: bool) -> None:
    assert lab.clear(lab.compiled(f"def main() -> bool:\n  return {expression}\n")).value is value


def test_control_flow(lab: Any) -> None:
    source = """
def classify(n: int64) -> string:
  if n < 0:
    return "negative"
  elif n == 0:
    return "zero"
  else:
    return "positive"

def main() -> int64:
  var total = 0
  for i in range(10):
    if i == 2:
      continue
    if i == 6:
      break
    total += i
  for i in range(10, 0, -4):
    total += i
  for i in 3..5:
    total += i
  for i in range(0):
    total = 1000
  for word in ["a", "bc"]:
    total += len(word)
  while True:
    total += 1
    if total > 50:
      break
  var i = 0
  while i < 3: i += 1
  print(classify(-1), classify(0), classify(total), [True, False], i)
  print()
  return total
"""
    result = lab.clear(lab.compiled(source))
    assert result.value == 51
    assert result.printed == ("negative zero positive [True, False] 3", "")


def test_functions_lists_and_methods(lab: Any) -> None:
    source = """
def scale(values: list[int64], by: int64 = 2, plus: int64 = 0) -> list[int64]:
  var result: list[int64] = []
  for value in values:
    result.append(value * by + plus)
  return result

def clear_first(values: list[int64]):
  values[0] = 0

def factorial(n: int64) -> int64:
  if n <= 1: return 1
  return n * factorial(n - 1)

def main(start: int64, rows: list[list[int64]]) -> list[list[int64]]:
  var values = [start, start + 1]
  var doubled = values.scale()
  rows.append(scale(values, plus: 1, by: 3))
  rows.append(values.scale(plus=5))
  values.clear_first()
  rows.append(values)
  rows[0][0] += factorial(5)
  rows[0][0] *= 2
  rows.append(doubled)
  return rows
"""
    given = [[1]]
    result = lab.clear(lab.compiled(source), arguments=[4, given])
    assert result.value == [[242], [13, 16], [13, 15], [0, 5], [8, 10]]
    assert given == [[1]]


def test_evaluation_does_not_clobber_variables(lab: Any) -> None:
    source = """
def main() -> list[int64]:
  var x = 5
  var y = x
  x = x + 1
  var flag = True
  flag = flag and x > 100
  var z = select(flag, x, y)
  var list_of_it = [x, y, z]
  x = list_of_it[0] + (list_of_it[1] * (x - y))
  var again = x
  again += again * again
  return [x, y, z, again]
"""
    assert lab.clear(lab.compiled(source)).value == [11, 5, 5, 132]


SECRETS = {(0, 0): 20, (1, 0): -7, (2, 0): 7, (0, 1): 1, (1, 1): 0}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a + b - 3", 10),
        ("3 - a", -17),
        ("a * b", -140),
        ("2 * a * 3", 120),
        ("-a", -20),
        ("select(a > b, a, 1)", 20),
        ("select(p, 1, 2)", 1),
        ("select(True, a, 2)", 20),
        ("min(a, b) + max(a, 3) + abs(b)", 20),
        ("p + q + (a == 20)", 2),
        ("Share.add(a, b).sub(c).mul(2).neg().add_scalar(1).mul_scalar(3)", -33),
        ("Share.from_clear_int(-3, 8) + Share.from_clear(4)", 1),
        ("a * p", 20),
        ("Share.batch_mul([a, b], [b, c])[1]", -49),
        ("a - a", 0),
        ("a * 0", 0),
    ],
)
def test_secret_integers(lab: Any, expression: str, value: int) -> None:
    assert lab.clear(lab.compiled(_with_secrets(expression, "int64")), SECRETS).value == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("a < b", False),
        ("a > b", True),
        ("b <= -7", True),
        ("b >= -6", False),
        ("a == 20", True),
        ("a != 20", False),
        ("p and q", False),
        ("p or q", True),
        ("p xor q", True),
        ("p xor p", False),
        ("not p", False),
        ("p == q", False),
        ("p != q", True),
        ("p == True", True),
        ("p and True", True),
        ("True and q", False),
        ("False or p", True),
        ("select(q, p, q)", False),
        ("p == a", False),
    ],
)
def test_secret_bools(lab: Any, expression: str, value: bool) -> None:
    assert lab.clear(lab.compiled(_with_secrets(expression, "bool")), SECRETS).value is value


def _with_secrets(expression: str, result: str) -> str:
    return f"""
def main() -> {result}:
  var a = ClientStore.take_share(0, 0)
  var b = ClientStore.take_share(1, 0)
  var c = ClientStore.take_share(2, 0)
  var p = ClientStore.take_share_bool(0, 1)
  var q = ClientStore.take_share_bool(1, 1)
  return reveal({expression})
"""


def test_random_integers_are_in_range(lab: Any) -> None:
    source = """
def main() -> bool:
  var wide = Share.random_int(63)
  var narrow = Share.random_int(3).reveal()
  return (wide >= 0).reveal() and narrow >= 0 and narrow < 8
"""
    assert lab.clear(lab.compiled(source)).value is True


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("return 9223372036854775807 + 1", "an addition leaves int64"),
        ("return -9223372036854775808 - 1", "a subtraction leaves int64"),
        ("return 4294967296 * 4294967296", "a multiplication leaves int64"),
        ("var least = -9223372036854775808\n  return -least", "a negation leaves int64"),
        ("return abs(-9223372036854775808)", "abs leaves int64"),
        ("return -9223372036854775808 / -1", "a division leaves int64"),
        ("return 1 / 0", "division by zero"),
        ("return 1 // 0", "division by zero"),
        ("return 1 % 0", "division by zero"),
        ("return 1 mod 0", "division by zero"),
        ("return 1 shl 64", "a shift by 64"),
        ("return 1 shr -1", "a shift by -1"),
        ("return [1, 2][2]", "there is no element 2; the list has indexes 0 to 1"),
        ("return [1][-2]", "there is no element -2"),
        ("var x: list[int64] = []\n  return x.pop()", "pop from an empty list"),
        ('assert 1 == 2, "one is not " + "two"\n  return 1', "assertion failed: one is not two"),
        ("for i in range(1, 5, 0):\n    pass\n  return 1", "the step of a range is not zero"),
        ("return ClientStore.take_share(0, 9).reveal()", "client 0 gave no input number 9"),
        ("return ClientStore.take_share_bool(0, 0) .reveal() .select(1, 0)", "is not a bit"),
        ("MpcOutput.send_to_client(9, Share.from_clear(1))\n  return 1", "client 9 receives no output"),
        ("return Share.from_clear_int(300, 8).reveal()", "300 does not fit in 8 bits"),
        ("return Share.from_clear_int(1, 65).reveal()", "a share of 65 bits"),
        ("return Share.random_int(65).reveal()", "a random integer of 65 bits"),
        ("return Share.batch_mul([Share.from_clear(1)], []) [0].reveal()", "lists of 1 and 0 elements"),
        ("return (Share.from_clear(4294967296) * 4294967296).reveal()", "a revealed secret is outside int64"),
        (
            "return reveal(select(Share.from_clear(4294967296) * 4294967296 > 1, 1, 2))",
            "outside int64 is compared",
        ),
    ],
)
def test_failures_name_the_line(lab: Any, statement: str, reason: str) -> None:
    source = f"# a comment\ndef main() -> int64:\n  {statement}\n"
    with pytest.raises(ProgramFailure) as caught:
        lab.clear(lab.compiled(source), {(0, 0): 5})
    assert reason in caught.value.reason
    assert caught.value.source == "test.stfl"
    assert caught.value.line in (3, 4)
    assert str(caught.value).startswith(f"test.stfl:{caught.value.line}: in main: ")


def test_failure_in_a_called_function(lab: Any) -> None:
    source = "def f(x: int64) -> int64:\n  return 1 / x\n\ndef main() -> int64:\n  return f(0)\n"
    with pytest.raises(ProgramFailure) as caught:
        lab.clear(lab.compiled(source))
    assert (caught.value.function, caught.value.line) == ("f", 2)


@pytest.mark.parametrize(
    ("body", "limits", "reason"),
    [
        ("while True:\n    pass", Limits(steps=1000), "more than 1000 steps"),
        ("var x = [1]\n  while True:\n    x.append(1)", Limits(cells=500), "more than 500 list elements"),
        ('var s = "ab"\n  while True:\n    s = s + s', Limits(cells=5000), "more than 5000 list elements"),
        ("var x = [1]\n  while True:\n    x = x[:]", Limits(cells=500), "more than 500 list elements"),
        ("return main()", Limits(call_depth=20), "more than 20 calls"),
        ('while True:\n    print("abc")', Limits(printed_characters=100), "more than 100 characters"),
        ("var s = Share.from_clear(1)\n  while True:\n    s = s * s", Limits(steps=1000), "more than 1000 steps"),
    ],
)
def test_limits(lab: Any, body: str, limits: Limits, reason: str) -> None:
    with pytest.raises(ProgramFailure, match=reason):
        lab.clear(lab.compiled(f"def main() -> int64:\n  {body}\n  return 1\n"), limits=limits)


def test_printing_a_wide_list_is_bounded(lab: Any) -> None:
    source = """
def main():
  var row: list[int64] = []
  for i in range(200):
    row.append(i)
  var table: list[list[int64]] = []
  for i in range(200):
    table.append(row)
  print(table)
"""
    with pytest.raises(ProgramFailure, match="too deep to print"):
        lab.clear(lab.compiled(source))


def test_arguments_are_checked(lab: Any) -> None:
    source = """
def main(n: int64, flag: bool, words: list[string]) -> int64:
  return n

def joint(s: secret int64) -> int64:
  return 1
"""
    code = lab.compiled(source)
    assert lab.clear(code, arguments=(3, True, ("a",))).value == 3
    for arguments in (
        (3, True),
        (3, 1, []),
        (True, True, []),
        (3, True, "a"),
        (3, True, [1]),
        (1 << 63, True, []),
    ):
        with pytest.raises(ProgramError):
            lab.clear(code, arguments=arguments)
    with pytest.raises(ProgramError, match="is secret"):
        lab.clear(code, entry="joint", arguments=(1,))
    with pytest.raises(ProgramError, match="no function 'nothing'"):
        lab.clear(code, entry="nothing")


def test_secrets_do_not_leave_by_the_result(lab: Any) -> None:
    source = "def main() -> list[Share]:\n  return [ClientStore.take_share(0, 0), 5]\n"
    result = lab.clear(lab.compiled(source), {(0, 0): 77})
    assert result.value == [None, None]
    assert "77" not in repr(result)


def test_outputs_keep_their_order_and_kinds(lab: Any) -> None:
    source = """
def main():
  var a = ClientStore.take_share(0, 0)
  a.send_to_client(1)
  MpcOutput.send_to_client(0, [a, a + 1])
  (a > 3).send_to_client(1)
  [a < 3, a > 1].send_to_client(1)
"""
    outputs = lab.clear(lab.compiled(source), {(0, 0): 5, (1, 0): 1}).outputs
    assert [(output.client, output.values) for output in outputs] == [(0, (5, 6)), (1, (5, 1, 0, 1))]
    assert outputs[1].kinds == (ValueKind.INT64, ValueKind.BOOL, ValueKind.BOOL, ValueKind.BOOL)


def test_manifest_and_disassembly() -> None:
    source = """
def helper(s: secret int64) -> secret int64:
  return s * s

def main(index: int64) -> int64:
  var a = ClientStore.take_share(3, 0)
  var b = ClientStore.take_share_bool(1, index)
  a.send_to_client(0)
  return helper(select(b, a, 2)).reveal()
"""
    code = compile_source(source, "m.stfl")
    found = manifest(code)
    assert found.entry_points == ("main(index: int64) -> int64",)
    assert [(use.client, use.index, use.kind) for use in found.inputs] == [
        (3, 0, ValueKind.INT64),
        (1, None, ValueKind.BOOL),
    ]
    assert dict(found.secret_operations)["secret_multiply"] == 1
    assert found.opens
    assert found.sends
    listing = disassemble(code)
    assert "def main(index: int64) -> int64" in listing
    assert "secret_select" in listing
    assert "line 9" in listing


def test_a_clear_register_never_takes_a_secret(lab: Any) -> None:
    """Bytecode may come from anyone: a secret in a list cannot be read as a clear value."""
    code = (
        (Opcode.LIST, 0),
        (Opcode.APPEND_SECRET, 0, 0),
        (Opcode.LOAD, 1, 0),
        (Opcode.GET, 1, 0, 1),
        (Opcode.RETURN, 1),
    )
    function = Function("main", (), "int64", 2, 1, code, (1,) * len(code))
    with pytest.raises(ProgramFailure, match="the element is a secret"):
        lab.clear(Program("x", (0,), (function,)))


def test_wrong_types_in_bytecode_fail(lab: Any) -> None:
    for instruction in (
        (Opcode.ADD, 0, 0, 0),
        (Opcode.NOT, 0, 0),
        (Opcode.JUMP_IF, 0, 0),
        (Opcode.CONCATENATE, 0, 0, 0),
        (Opcode.LENGTH, 0, 0),
        (Opcode.LESS, 0, 0, 0),
        (Opcode.EQUAL, 0, 0, 0),
        (Opcode.OPEN_LIST, 0, 0, 0),
        (Opcode.GET_SECRET, 0, 0, 0),
        (Opcode.LIFT, 0, 0),
        (Opcode.ASSERT, 0, 0),
        (Opcode.CAPABILITY, 0, 0),
        (Opcode.SEND, 0, 0, 0),
    ):
        function = Function("main", (), "int64", 1, 1, (instruction, (Opcode.RETURN, 0)), (7, 7))
        with pytest.raises(ProgramFailure, match="x:7: in main: the "):
            lab.clear(Program("x", (), (function,)))


def test_a_list_may_hold_itself_in_bytecode(lab: Any) -> None:
    code = ((Opcode.LIST, 0), (Opcode.APPEND, 0, 0), (Opcode.RETURN, 0))
    function = Function("main", (), "int64", 1, 1, code, (1, 1, 1))
    with pytest.raises(ProgramError, match="nested deeper"):
        lab.clear(Program("x", (), (function,)))


def test_dry_run_stops_where_the_course_is_unknown(lab: Any) -> None:
    source = """
def main() -> int64:
  var a = ClientStore.take_share(0, 0)
  var opened = (a * a).reveal()
  var half = opened / 2 + max(opened, 3)
  print(half)
  assert half > 0
  var b = a * half + half
  if opened > 3:
    b = b * b
  return b.reveal()
"""
    engine = CountingEngine({(0, 0)}, Environment(1, 1, 1))
    result = lab.alone(lab.compiled(source), engine)
    assert not result.complete
    assert engine.counts().multiplications == 1
    assert engine.counts().opened == 1


def test_the_dry_run_needs_the_inputs(lab: Any) -> None:
    source = "def main() -> int64:\n  return ClientStore.take_share(0, 1).reveal()\n"
    with pytest.raises(ProgramFailure, match="client 0 gave no input number 1"):
        lab.alone(lab.compiled(source), CountingEngine({(0, 0)}, Environment(1, 1, 1)))
    assert issubclass(EngineError, ProgramError)


def test_parameters_say_where_they_travel() -> None:
    assert Parameter("a", "secret int64").secret
    assert not Parameter("a", "list[secret int64]").secret
