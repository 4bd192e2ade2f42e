"""The MPC engine computes what the clear engine does, in as few rounds as the program allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import expand
from quorate.protocol.vm import CountingEngine, ProgramFailure
from quorate.protocol.vm.engines import counting
from quorate.protocol.vm.engines.kinds import COMPARED_BITS, EQUAL, LESS_THAN

LEAST, MOST = -(1 << 63), (1 << 63) - 1
COMPARISON = LESS_THAN.rounds(COMPARED_BITS)


def auction(bids: list[int]) -> list[int]:
    """Winner (the lowest client on a tie) and second price."""
    winner = max(range(len(bids)), key=lambda client: (bids[client], -client))
    return [winner, sorted(bids)[-2]]


@given(st.lists(st.integers(-3, 3) | st.integers(LEAST, MOST), min_size=2, max_size=50))
@settings(max_examples=60, deadline=None)
def test_auction_in_the_clear(lab: Any, bids: list[int]) -> None:
    result = lab.clear(lab.program("auction"), {(client, 0): bid for client, bid in enumerate(bids)})
    assert result.value == len(bids)
    assert [(output.client, list(output.values)) for output in result.outputs] == [
        (client, auction(bids)) for client in range(len(bids))
    ]


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2)])
@pytest.mark.parametrize("bids", [[7, 7], [LEAST, MOST, LEAST], [5, 9, 9, 1, 8, 9, 2]])
def test_auction_jointly(lab: Any, bids: list[int], parties: int, threshold: int) -> None:
    inputs = {(client, 0): bid for client, bid in enumerate(bids)}
    joint = lab.jointly(lab.program("auction"), inputs, parties=parties, threshold=threshold)
    assert joint.outputs == [(client, auction(bids)) for client in range(len(bids))]
    assert joint.rounds == (joint.counts.rounds if parties > 1 else 0)
    assert joint.stock_left == 0


def test_a_tournament_of_16_compares_in_5_batches(lab: Any) -> None:
    """Four matches deep, and one comparison more for the second price of the final."""
    bids = [(client * 37) % 101 for client in range(16)]
    joint = lab.jointly(lab.program("auction"), {(client, 0): bid for client, bid in enumerate(bids)})
    assert joint.outputs[0] == (0, auction(bids))
    sizes = [size for kind, size in joint.counts.batches if kind == "comparison"]
    assert sizes == [8, 4, 6, 3, 1]
    multiplications = [size for kind, size in joint.counts.batches if kind == "multiplication"]
    assert joint.rounds == 5 * COMPARISON + len(multiplications) == 42


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=21))
@settings(max_examples=30, deadline=None)
def test_median(lab: Any, values: list[int]) -> None:
    inputs = {(client, 0): value for client, value in enumerate(values)}
    assert lab.clear(lab.program("median"), inputs).value == sorted(values)[len(values) // 2]


def test_median_jointly(lab: Any) -> None:
    values = [3, -8, 5, MOST, LEAST, 0, 1, 1]
    inputs = {(client, 0): value for client, value in enumerate(values)}
    joint = lab.jointly(lab.program("median"), inputs)
    assert joint.result.value == sorted(values)[4]
    assert sum(kind == "comparison" for kind, _ in joint.counts.batches) == 6  # log2(8) (log2(8) + 1) / 2


def test_ballot_takes_one_batch_of_tests_and_one_opening(lab: Any) -> None:
    votes = [0, 2, 2, 7, 1, 2, -1]
    inputs = {(client, 0): vote for client, vote in enumerate(votes)}
    joint = lab.jointly(lab.program("ballot"), inputs, arguments=[3])
    assert joint.result.value == [1, 1, 3]
    assert joint.outputs == [(client, [int(0 <= vote < 3)]) for client, vote in enumerate(votes)]
    assert joint.counts.batches[0] == ("equality test", 21)
    # The opening waits for nothing else; what only the outputs need comes after it.
    assert joint.rounds == joint.counts.rounds == EQUAL.rounds(COMPARED_BITS) + 1 + 2


EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "c", "d", "3", "0", "-5", "k"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda p: f"{p[0]}({p[1]} + a - a, {p[2]})"),
        st.tuples(inner, st.sampled_from(["<", "<=", "==", "!=", ">"]), inner, inner, inner).map(
            lambda p: f"select({p[0]} + a {p[1]} {p[2]}, {p[3]}, {p[4]} + b - b)"
        ),
        st.tuples(inner, inner, inner).map(
            lambda p: f"select(a < {p[0]} xor not (b == {p[1]} or c > 2), 1, {p[2]} - a)"
        ),
        inner.map(lambda x: f"abs({x} + c)"),
        inner.map(lambda x: f"twice({x})"),
    ),
    max_leaves=8,
)
SOURCE = """
def twice(x: Share) -> Share:
  return x + x

def main() -> list[int64]:
  var k = 4
  var a = ClientStore.take_share(0, 0)
  var b = ClientStore.take_share(1, 0)
  var c: Share = 6
  var d = a * b
  var results: list[Share] = []
  for i in range(2):
    {statements}
    c = d - b
  for result in results:
    result.send_to_client(0)
  return results.reveal()
"""


@given(st.lists(EXPRESSIONS, min_size=1, max_size=5), st.integers(-4, 4), st.integers(-4, 4), st.data())
@settings(max_examples=20, deadline=None)
def test_random_programs_agree(lab: Any, expressions: list[str], a: int, b: int, data: st.DataObject) -> None:
    statements = []
    for expression in expressions:
        statements.append(f"results.append({expression})")
        if data.draw(st.integers(0, 3)) == 0:
            statements.append("d = results[-1].reveal() + b")
        elif data.draw(st.booleans()):
            statements.append(f"{data.draw(st.sampled_from('bcd'))} = results[-1]")
    code = lab.compiled(SOURCE.format(statements="\n    ".join(statements)))
    inputs = {(0, 0): a, (1, 0): b}
    try:
        expected = lab.clear(code, inputs)
    except ProgramFailure:
        return  # the secret arithmetic left int64, which only the clear engine notices for certain
    most_pending = data.draw(st.sampled_from([1, 7, 1 << 16]))
    joint = lab.jointly(code, inputs, engine={"most_pending": most_pending})
    assert joint.result.value == expected.value
    assert [list(values) for _, values in joint.outputs] == [list(output.values) for output in expected.outputs]
    assert joint.rounds == joint.counts.rounds


def test_everything_independent_shares_rounds(lab: Any) -> None:
    """Loops, functions and different kinds of operations: 60 comparisons and 60 equality tests in one batch each."""
    source = """
def score(x: Share, i: int64) -> Share:
  return select(x < i, x * x, 0) + (x == i)

def main() -> int64:
  var x = ClientStore.take_share(0, 0)
  var total: Share = 0
  for i in range(60):
    total += score(x + i, 2 * i)
  return total.reveal()
"""
    joint = lab.jointly(lab.compiled(source), {(0, 0): 11})
    assert joint.result.value == sum((11 + i) ** 2 * (11 + i < 2 * i) + (i == 11) for i in range(60))
    assert dict(joint.counts.batches)["comparison"] == 60
    assert joint.counts.batches == (
        ("multiplication", 60),
        ("comparison", 60),
        ("equality test", 60),
        ("multiplication", 60),
    )
    assert joint.rounds == 1 + COMPARISON + 1 + 1


def test_multiplications_that_can_go_first_do(lab: Any) -> None:
    """The short and the long branch meet in one batch of comparisons."""
    source = """
def main() -> int64:
  var x = ClientStore.take_share(0, 0)
  var near = x < 5
  var far = x * x * x * x < 700
  return select(near and far, 1, 2).reveal()
"""
    joint = lab.jointly(lab.compiled(source), {(0, 0): 4})
    assert joint.result.value == 1
    assert [entry for entry in joint.counts.batches if entry[0] == "comparison"] == [("comparison", 2)]


def test_constants_cost_nothing(lab: Any) -> None:
    source = """
def main() -> int64:
  var x = ClientStore.take_share(0, 0)
  var c = Share.from_clear(3)
  return (x * c + c * c + select(True, x, c) + (c - c) * x).reveal()
"""
    joint = lab.jointly(lab.compiled(source), {(0, 0): 5})
    assert joint.result.value == 15 + 9 + 5
    assert joint.counts.multiplications == 0
    assert joint.rounds == 1


def test_random_integers_jointly(lab: Any) -> None:
    source = """
def main() -> list[int64]:
  var values: list[Share] = []
  for i in range(50):
    values.append(Share.random_int(2))
  values.append(Share.random_int(63))
  return values.reveal()
"""
    joint = lab.jointly(lab.compiled(source), {(0, 0): 5})
    *small, large = joint.result.value
    assert set(small) == {0, 1, 2, 3}
    assert 0 <= large <= MOST
    assert joint.counts.random_integers == {2: 50, 63: 1}
    assert joint.rounds == 1


@pytest.mark.parametrize("most_pending", [5, 1 << 16])
def test_long_chains(lab: Any, most_pending: int) -> None:
    """A sum of thousands of terms, and prefix sums that are all kept."""
    source = """
def main() -> list[int64]:
  var x = ClientStore.take_share(0, 0)
  var total: Share = 0
  var prefixes: list[Share] = []
  for i in range(3000):
    total = total + x * i - 1
    if i % 500 == 0:
      prefixes.append(total)
  prefixes.append(total)
  return prefixes.reveal()
"""
    code = lab.compiled(source)
    joint = lab.jointly(code, {(0, 0): 3}, engine={"most_pending": most_pending})
    assert joint.result.value == lab.clear(code, {(0, 0): 3}).value
    assert joint.rounds == 1


def test_a_revealed_value_outside_int64_fails_at_every_party(lab: Any) -> None:
    source = "def main() -> int64:\n  var x = ClientStore.take_share(0, 0)\n  return (x * x).reveal()\n"
    with pytest.raises(ProgramFailure, match=r"test\.stfl:3: in main: a revealed secret is outside int64"):
        lab.jointly(lab.compiled(source), {(0, 0): 1 << 62})


def test_an_input_that_is_not_a_bit_fails_when_it_is_opened_as_one(lab: Any) -> None:
    source = "def main() -> bool:\n  return ClientStore.take_share_bool(0, 0).reveal()\n"
    with pytest.raises(ProgramFailure, match="neither 0 nor 1"):
        lab.jointly(lab.compiled(source), {(0, 0): 2})


def test_the_table_of_shares_is_bounded(lab: Any) -> None:
    source = """
def main() -> int64:
  var x = ClientStore.take_share(0, 0)
  for i in range(1000):
    x = x * x
  return x.reveal()
"""
    with pytest.raises(ProgramFailure, match="more than 500 secret values"):
        lab.jointly(lab.compiled(source), {(0, 0): 1}, engine={"most_shares": 500})


def test_programs_may_depend_on_what_they_open(lab: Any) -> None:
    """The dry run ends at the branch; the rest of the preprocessing is made on demand."""
    source = """
def main() -> int64:
  var x = ClientStore.take_share(0, 0)
  var y = ClientStore.take_share(1, 0)
  if (x < y).reveal():
    return max(x * y, y).reveal()
  return 0
"""
    code = lab.compiled(source)
    joint = lab.jointly(code, {(0, 0): 2, (1, 0): 9})
    assert joint.result.value == 18
    assert joint.counts.comparisons == {COMPARED_BITS: 1}


def test_plans_cover_exactly_what_a_run_takes(lab: Any) -> None:
    source = """
def main():
  var x = ClientStore.take_share(0, 0)
  var y = Share.random_int(10)
  MpcOutput.send_to_client(0, [x < y, x == y, y == 3])
"""
    code = lab.compiled(source)
    assert lab.jointly(code, {(0, 0): 2}).stock_left == 0
    engine = CountingEngine({(0, 0)}, lab.environment({(0, 0): 0}))
    lab.alone(code, engine)
    assert engine.plan(shares=3).shares == 3
    assert engine.counts().outputs == 3


def test_a_plan_stays_within_what_may_be_preprocessed_at_once(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_PLAN_ELEMENTS", 10_000)
    source = """
def main(n: int64):
  var x = ClientStore.take_share(0, 0)
  for i in range(n):
    (x < i).send_to_client(0)
    (x == i).send_to_client(0)
"""
    code = lab.compiled(source)
    sizes = {}
    for count in (10, 2000):
        engine = CountingEngine({(0, 0)}, lab.environment({(0, 0): 0}))
        lab.alone(code, engine, arguments=[count])
        sizes[count] = engine.plan(shares=5).total
    one, other = (
        expand(kind.plan(1, COMPARED_BITS, 40), kappa=40, on_bytes=True).total for kind in (LESS_THAN, EQUAL)
    )
    assert sizes[10] == 5 + 10 * (one + other)
    assert 10_000 - one < sizes[2000] <= 10_000
