"""Operators on secrets: the committee computes what the clear engine does, and that is what Python says."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from quorate.protocol.field import BN254
from quorate.protocol.mpc import run_local, schemes, set_up
from quorate.protocol.simulation import simulated_committee
from quorate.protocol.vm import MpcEngine, ProgramFailure, run

PAIRS = [(17, 5), (-17, 5), (17, -5), (-17, -5), (7, 0), (-(1 << 62), 3), (0, 9)]


def truncated(x: int, y: int) -> int:
    return math.trunc(Fraction(x, y)) if y else 0


def floored(x: int, y: int) -> int:
    return x // y if y else 0


DIVISIONS = {
    "/": truncated,
    "//": floored,
    "%": lambda x, y: x - truncated(x, y) * y,
    "mod": lambda x, y: x - floored(x, y) * y,
}
BITWISE = {"and": lambda x, y: x & y, "or": lambda x, y: x | y, "xor": lambda x, y: x ^ y}


def pairwise(expressions: list[str]) -> str:
    """A program that computes the expressions of the inputs a and b of each client."""
    appended = "\n".join(f"    out.append({expression})" for expression in expressions)
    return (
        "def main() -> list[int64]:\n"
        "  var out: list[secret int64] = []\n"
        "  for client in range(ClientStore.get_number_clients()):\n"
        "    var a: secret int64 = ClientStore.take_share(client, 0)\n"
        "    var b: secret int64 = ClientStore.take_share(client, 1)\n"
        f"{appended}\n"
        "  return reveal(out)\n"
    )


def inputs_of(pairs: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    return {(client, place): value for client, pair in enumerate(pairs) for place, value in enumerate(pair)}


@pytest.mark.parametrize("operators", [DIVISIONS, BITWISE], ids=["division", "bitwise"])
def test_operators_of_two_secrets(lab: Any, operators: Any) -> None:
    code = lab.compiled(pairwise([f"a {operator} b" for operator in operators]))
    inputs = inputs_of(PAIRS)
    expected = [operation(x, y) for x, y in PAIRS for operation in operators.values()]
    assert lab.clear(code, inputs).value == expected
    assert lab.jointly(code, inputs).result.value == expected


def test_operators_with_a_public_side(lab: Any) -> None:
    code = lab.compiled(
        pairwise(["a // 7", "a mod 7", "a / -3", "a % 8", "a and 255", "6 or b", "a xor -1", "a shr 3", "b shl 2"])
    )
    pairs = [(100, 3), (-100, -3), ((1 << 63) - 1, 1 << 62)]
    expected = []
    for a, b in pairs:
        shifted = ((b << 2) + (1 << 63)) % (1 << 64) - (1 << 63)
        rest = a - truncated(a, 8) * 8
        expected += [a // 7, a % 7, truncated(a, -3), rest, a & 255, 6 | b, a ^ -1, a >> 3, shifted]
    assert lab.clear(code, inputs_of(pairs)).value == expected
    assert lab.jointly(code, inputs_of(pairs)).result.value == expected


def test_shifts_by_secret_amounts_powers_and_divmod(lab: Any) -> None:
    code = lab.compiled(pairwise(["a shl b", "a shr b", "a ** 3", "divmod(a, b)[0]", "divmod(a, b)[1]"]))
    pairs = [(5, 3), (-9, 1)]
    expected = [v for a, b in pairs for v in (a << b, a >> b, a**3, *divmod(a, b))]
    assert lab.clear(code, inputs_of(pairs)).value == expected
    assert lab.jointly(code, inputs_of(pairs)).result.value == expected


FIXED = """
def main() -> list[fix64]:
  var x = ClientStore.take_share_fixed(0, 0)
  var y = ClientStore.take_share_fixed(0, 1)
  var n: secret int64 = 3
  var out: list[secret fix64] = [x + y, x - 0.5, x * y, x * 1.25, x * 4, x * n, x + n, 2 - y, -x]
  out.append(select(x < y, x, y))
  out.append(min(x, y))
  var quotients: list[secret fix64] = [x / y, x / 3]
  out.extend(quotients)
  return reveal(out)
"""


def test_fixed_point(lab: Any) -> None:
    code = lab.compiled(FIXED)
    unit = Fraction(1, 1 << 16)
    x, y = Fraction(-5, 4) + unit, Fraction(7, 2) + 3 * unit
    inputs = {(0, 0): int(x / unit), (0, 1): int(y / unit)}

    def nearest(value: Fraction) -> Fraction:
        return math.floor(value / unit + Fraction(1, 2)) * unit

    exact = [
        x + y,
        x - Fraction(1, 2),
        nearest(x * y),
        nearest(x * Fraction(5, 4)),
        x * 4,
        x * 3,
        x + 3,
        2 - y,
        -x,
    ]
    clear = lab.clear(code, inputs).value
    assert clear == [*exact, x, x, nearest(x / y), nearest(x / 3)]
    joint = lab.jointly(code, inputs).result.value
    assert joint[:-2] == clear[:-2]
    assert all(abs(one - other) <= 2 * unit for one, other in zip(joint[-2:], clear[-2:], strict=True))


UNSIGNED = """
def main() -> list[bool]:
  var big: secret uint64 = 18446744073709551615
  var small: secret uint64 = 7
  return reveal([small < big, big < small, big == small, big >= small])
"""


def test_unsigned_comparisons_take_the_whole_range(lab: Any) -> None:
    code = lab.compiled(UNSIGNED)
    assert lab.clear(code).value == lab.jointly(code, {(0, 0): 0}).result.value == [True, False, False, True]


SELECTION = """
def main() -> list[int64]:
  var x = ClientStore.take_share(0, 0)
  var public = 3
  var size: secret int64 = 0
  var sign: secret int64 = 7
  if x > 100:
    size = 3
    if x > 1000:
      size += 1
  elif public == 3:
    var half = x // 2
    size = half + 1
    sign = size
  else:
    size = 99
  return reveal([size, sign])
"""


@pytest.mark.parametrize(("x", "expected"), [(2000, [4, 7]), (500, [3, 7]), (10, [6, 6]), (-9, [-4, -4])])
def test_a_branch_on_a_secret_selects(lab: Any, x: int, expected: list[int]) -> None:
    code = lab.compiled(SELECTION)
    assert lab.clear(code, {(0, 0): x}).value == expected
    assert lab.jointly(code, {(0, 0): x}).result.value == expected


def test_independent_operators_share_their_rounds(lab: Any) -> None:
    one = lab.compiled(pairwise(["a // b"]))
    rounds = {
        count: lab.jointly(one, inputs_of([(100 + each, 7) for each in range(count)])).rounds for count in (1, 5)
    }
    assert rounds[1] == rounds[5]
    counts = lab.jointly(one, inputs_of([(9, 2)] * 5)).counts
    assert counts.operators == {"floor divide": 5}


@pytest.mark.parametrize(
    ("expression", "reason"),
    [("a // 0", "division by zero"), ("a shl 64", "a shift by 64"), ("a shr -1", "a shift by -1")],
)
def test_public_operands_are_checked(lab: Any, expression: str, reason: str) -> None:
    code = lab.compiled(pairwise([expression]))
    with pytest.raises(ProgramFailure, match=reason):
        lab.clear(code, inputs_of([(1, 1)]))
    with pytest.raises(ProgramFailure, match=reason):
        lab.jointly(code, inputs_of([(1, 1)]))


BLINDED = """
def main() -> list[bool]:
  var x = ClientStore.take_share(0, 0)
  var zero = (x - 5) * Share.random()
  var other = (x - 6) * Share.random()
  var bit: secret bool = Share.random()
  var root = Field.sqrt(Share.open_field(x * x))
  return [zero.reveal() == 0, other.reveal() != 0, bit.reveal() or True, Field.eq(root, Field.from_int(5))]
"""


def test_field_elements_and_blinded_tests(lab: Any) -> None:
    code = lab.compiled(BLINDED)
    assert lab.clear(code, {(0, 0): 5}).value == [True] * 4
    assert lab.jointly(code, {(0, 0): 5}).result.value == [True] * 4


EXPONENT = """
def main() -> list[bool]:
  var x = ClientStore.take_share(0, 0)
  var twice = x.open_exp(Mpc.curve())
  var sum = Share.from_clear(3).open_exp_custom(twice)
  return [twice == Share.get_commitment(x), sum == (x * 3).get_commitment(0), Mpc.has_capability("open-in-exponent")]
"""


def test_opening_in_the_exponent(lab: Any) -> None:
    code = lab.compiled(EXPONENT)
    assert lab.clear(code, {(0, 0): 5}).value == [True] * 3
    assert lab.jointly(code, {(0, 0): 5}).result.value == [True] * 3


SCHEMES = """
def main() -> list[int64]:
  var a = ClientStore.take_share(0, 0)
  var b = ClientStore.take_share(0, 1)
  var x: secret fix64 = 1.5
  var out: list[secret int64] = [a // b, a mod 7, a xor b, a shl 3, select(a < b, 1, 2)]
  out.append(select(x * 2.5 == 3.75, 1, 0))
  return reveal(out)
"""


@pytest.mark.parametrize(("protocol", "parties"), [("abort", 3), ("robust", 4)])
def test_other_schemes_agree(lab: Any, protocol: str, parties: int) -> None:
    code = lab.compiled(SCHEMES)
    inputs = {(0, 0): -1000, (0, 1): 37}
    members = simulated_committee(BN254, parties=parties, threshold=1, seed=1, scheme=schemes[protocol])
    facts = lab.environment(inputs, parties)
    run_local([set_up(member) for member in members])
    engines = [
        MpcEngine(member, {key: BN254.full(1, value) for key, value in inputs.items()}, facts)
        for member in members
    ]
    results = run_local([run(code, engine) for engine in engines])
    expected = [-1000 // 37, -1000 % 7, -1000 ^ 37, -8000, 1, 1]
    assert all(result.value == expected for result in results)
    assert lab.clear(code, inputs).value == expected
