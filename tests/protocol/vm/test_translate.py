"""Translated programs do exactly what the machine does when it steps: values, prints, steps, failures, rounds."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.node.store import shipped_packages
from quorate.node.store.trial import compile_package
from quorate.protocol.errors import ProgramError
from quorate.protocol.field import BN254
from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.mpc import preprocess, run_local, set_up
from quorate.protocol.simulation import SeededRandomness, simulated_committee
from quorate.protocol.vm import (
    ClearEngine,
    CountingEngine,
    Environment,
    Function,
    Limits,
    MpcEngine,
    Opcode,
    Parameter,
    Program,
    SecretEngine,
    dump,
    load,
    machine,
)
from quorate.protocol.vm.translate import execution, run
from quorate.protocol.vm.translate.calls import HANDLED, call_graph
from quorate.registry import Case, Package

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.stfl"))
INPUTS = {(client, index): 3 * client - index for client in range(6) for index in range(6)}
FACTS = Environment(6, 6, 6, 3, 1, "bn254", "passive")
CASES = [
    pytest.param(package, case, id=f"{package.manifest.name}: {case.name}")
    for package in shipped_packages()
    for case in package.cases()
]

Runner = Callable[..., Generator[Any, Any, Any]]


def outcome(runner: Runner, program: Program, engine: SecretEngine, **options: Any) -> Any:
    """What a run on an engine for one comes to: the result, or the failure as it is shown."""
    try:
        next(runner(program, engine, **options))
    except StopIteration as stop:
        return stop.value
    except ProgramError as error:
        return str(error)
    raise AssertionError("an engine for one communicates")


def assert_same(program: Program, inputs: Any = None, **options: Any) -> Any:
    """Run in the clear and as a dry run, both ways; the outcome in the clear."""
    inputs = INPUTS if inputs is None else inputs
    outcomes = []
    for runner in (machine.run, run):
        clear = ClearEngine(inputs, environment=FACTS, randomness=SeededRandomness(1, "clear"))
        counting = CountingEngine(set(inputs), FACTS)
        alone = outcome(runner, program, clear, **options)
        outcomes.append((alone, outcome(runner, program, counting, **options), counting.counts()))
    assert outcomes[0] == outcomes[1]
    return outcomes[0][0]


def compiled(source: str) -> Program:
    return load(dump(compile_source(source, "test.stfl")))


def assembled(*code: tuple[int, ...], constants: Sequence[Any] = (), parameters: Sequence[str] = ()) -> Program:
    """A program of one function that runs often: a loop around nothing comes first."""
    names = tuple(Parameter(f"p{place}", kind) for place, kind in enumerate(parameters))
    loop = ((Opcode.JUMP, 2), (Opcode.JUMP, 0))
    moved = tuple(
        (*row[:-1], row[-1] + 2) if row[0] in (Opcode.JUMP, Opcode.JUMP_IF, Opcode.JUMP_UNLESS) else row
        for row in code
    )
    whole = (*loop, *moved)
    function = Function("main", names, "int64", 8, 4, whole, tuple(range(10, 10 + len(whole))))
    return Program("x", tuple(constants), (function,))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_example_programs(path: Path) -> None:
    assert_same(compile_source(path.read_text(), path.name))


@pytest.mark.parametrize(("package", "case"), CASES)
def test_shipped_coprocessors(package: Package, case: Case) -> None:
    inputs = {(client, place): value for client, row in enumerate(case.inputs) for place, value in enumerate(row)}
    assert_same(compile_package(package), inputs, arguments=case.arguments)


LOOPS = """
def classify(x: int64, rows: list[list[int64]]) -> int64:
  var found = 0
  for row in rows:
    for item in row:
      if item == x:
        found += 1
        continue
      if item > 40:
        break
      if item < 0:
        return -1
      found += item / 7 - item % 3 + item // 2 + item mod 5
  return found

def even(n: int64) -> bool:
  if n == 0: return True
  return odd(n - 1)

def odd(n: int64) -> bool:
  if n == 0: return False
  return even(n - 1)

def main(n: int64, rows: list[list[int64]]) -> list[int64]:
  var results: list[int64] = []
  for i in range(n):
    results.append(classify(i, rows))
    if even(i):
      results.append(min(i, 3) - max(i, 5) + abs(i - 4))
    elif i > 7 and not odd(i + 1):
      results.append(i shl 3 xor 5)
    else:
      results.append((i or 8) shr 1 and 13)
  while len(results) > 20:
    var last = results.pop()
    if last < 0: break
    results[0] += last
  for i in range(10, 0, -3):
    print(i, results[i], "text" + "more")
  return results
"""


@pytest.mark.parametrize("n", [0, 1, 6, 13])
def test_loops_branches_and_calls(n: int) -> None:
    rows = [[1, 2, 3, 50, 4], [], [9, n, 8, 7], [5] * n]
    result = assert_same(compiled(LOOPS), arguments=(n, rows))
    assert isinstance(result, str) == (n < 4)
    assert_same(compiled(LOOPS), arguments=(n, [*rows, [3, -2]]))


def test_every_limit_of_steps_stops_at_the_same_instruction() -> None:
    program = compiled(LOOPS)
    arguments = (7, [[1, 2, 60], [4, 5]])
    whole = assert_same(program, arguments=arguments)
    for most in range(1, whole.steps + 2, 3):
        found = assert_same(program, arguments=arguments, limits=Limits(steps=most))
        assert isinstance(found, str) == (most < whole.steps)


def test_limits_of_cells_calls_and_prints() -> None:
    program = compiled(LOOPS)
    for cells in range(0, 30, 3):
        assert_same(program, arguments=(6, [[1], [2, 3]]), limits=Limits(cells=cells))
    for depth in range(1, 12):
        assert_same(program, arguments=(7, [[1]]), limits=Limits(call_depth=depth))
    for size in range(0, 60, 7):
        assert_same(program, arguments=(9, [[1]]), limits=Limits(printed_characters=size))


def test_deep_recursion_does_not_use_up_pythons_stack() -> None:
    source = """
def down(n: int64) -> int64:
  if n == 0: return 0
  return 1 + down(n - 1)

def reveal_down(n: int64) -> int64:
  if n == 0: return 0
  return Share.from_clear(n).reveal() + reveal_down(n - 1)

def main(n: int64) -> int64:
  return down(n) + reveal_down(n)
"""
    program = compiled(source)
    assert assert_same(program, arguments=(250,)).value == 250 + 250 * 251 // 2
    assert "more than 256 calls" in assert_same(program, arguments=(300,))
    many = Limits(call_depth=20_000)
    assert assert_same(program, arguments=(9_000,), limits=many).value == 9_000 + 9_000 * 9_001 // 2


EDGES = (0, 1, -1, 2, -2, 7, 63, 64, (1 << 62), (1 << 63) - 1, -(1 << 63), (1 << 32) + 1)


@pytest.mark.parametrize(
    "expression",
    [f"x {operator} y" for operator in ("+", "-", "*", "/", "%", "//", "mod", "and", "or", "xor", "shl", "shr")]
    + ["-x", "abs(x)", "not x", "min(x, y)", "max(x, y)", "x * 3 - y / 2", "(x mod 10) * (y mod 7) / 3"],
)
def test_arithmetic_at_the_edges(expression: str) -> None:
    body = f"  var r = 0\n  for i in range(2):\n    r = {expression}\n  return r\n"
    source = f"def main(x: int64, y: int64) -> int64:\n{body}"
    program = compiled(source)
    assert call_graph(program).translated == (True,)
    for x in EDGES:
        for y in EDGES:
            assert_same(program, arguments=(x, y))


@given(st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-(1 << 63), (1 << 63) - 1), st.integers(-70, 70))
@settings(max_examples=60, deadline=None)
def test_arithmetic_under_known_ranges(x: int, y: int, z: int) -> None:
    source = """
def main(x: int64, y: int64, z: int64) -> list[int64]:
  var out: list[int64] = []
  for i in range(z):
    if x > i and y < 1000:
      out.append(x - i + min(y, i))
    if x < 100 and x >= 0:
      out.append(x * x * i + x / (i + 1) + (y and 255) * i)
    if not y <= z:
      out.append(y - z)
    out.append((x or i) shr 2)
    out.append(y % (i - 3))
  return out
"""
    assert_same(compiled(source), arguments=(x, y, z))


def test_a_dry_run_goes_on_behind_unknown_values() -> None:
    source = """
def tail(x: int64, n: int64) -> int64:
  var total = x
  for i in range(n):
    total = total + x * i
  return total

def main() -> int64:
  var a = ClientStore.take_share(0, 0)
  var all = 0
  for i in range(4):
    var opened = (a * (a + i)).reveal()
    all = all + tail(opened, 3)
    a = a * all + opened
  if all > 3:
    a = a * a
  return a.reveal()
"""
    assert_same(compiled(source), {(0, 0): 5})


WRONG_TYPES = [
    ((Opcode.ADD, 0, 1, 2),),
    ((Opcode.NOT, 0, 1),),
    ((Opcode.JUMP_IF, 1, 1), (Opcode.RETURN, 1)),
    ((Opcode.CONCATENATE, 0, 1, 2),),
    ((Opcode.LENGTH, 0, 1),),
    ((Opcode.LESS, 0, 1, 2),),
    ((Opcode.EQUAL, 0, 1, 2),),
    ((Opcode.GET, 0, 1, 2),),
    ((Opcode.SET, 1, 2, 0),),
    ((Opcode.POP, 0, 1), (Opcode.NEGATE, 0, 0)),
    ((Opcode.APPEND, 1, 2),),
    ((Opcode.GET_SECRET, 0, 1, 2), (Opcode.RETURN, 1)),
    ((Opcode.LIFT, 0, 1), (Opcode.OPEN, 0, 0, 0)),
    ((Opcode.ASSERT, 1, 2),),
    ((Opcode.SEND, 1, 0, 0),),
    ((Opcode.OPEN_LIST, 0, 1, 0),),
    (
        (Opcode.LIST, 0),
        (Opcode.APPEND_SECRET, 0, 0),
        (Opcode.LIST, 1),
        (Opcode.LENGTH, 2, 1),
        (Opcode.GET, 3, 0, 2),
    ),
    ((Opcode.LIST, 0), (Opcode.APPEND_SECRET, 0, 0), (Opcode.POP, 3, 0), (Opcode.ADD, 3, 3, 3)),
]


@pytest.mark.parametrize("code", WRONG_TYPES)
@pytest.mark.parametrize("values", [(0, 1), (True, 1), ("a", "b"), (None, None), (1.5, 2.5), (1, False)])
def test_wrong_types_in_bytecode(code: Any, values: tuple[Any, Any]) -> None:
    loads = ((Opcode.LOAD, 1, 0), (Opcode.LOAD, 2, 1))
    moved = tuple((*row[:-1], row[-1] + 2) if row[0] == Opcode.JUMP_IF else row for row in code)
    assert_same(assembled(*loads, *moved, (Opcode.RETURN, 0), constants=values))


def test_parameters_of_other_types_than_declared() -> None:
    inner = Function(
        "inner", (Parameter("x", "int64"),), "int64", 3, 1,
        ((Opcode.ADD, 1, 0, 0), (Opcode.EQUAL, 2, 0, 1), (Opcode.JUMP_IF, 2, 0), (Opcode.RETURN, 0)),
        (1, 2, 3, 4),
    )  # fmt: skip
    for constant in (True, "text", None, 1 << 63, (1 << 64) - 1, 5, 1.5):
        code = (
            (Opcode.LOAD, 0, 0),
            (Opcode.CALL, 0, 0, 0),
            (Opcode.ADD, 1, 0, 0),
            (Opcode.RETURN, 1),
            (Opcode.JUMP, 0),
        )
        main = Function("main", (), "int64", 2, 1, code, (1, 2, 3, 4, 5))
        assert_same(Program("x", (constant,), (inner, main)))


def test_results_of_other_types_than_declared() -> None:
    for constant in (True, "text", None, 1 << 63, (1 << 64) - 1, 5, 1.5):
        code = (
            (Opcode.LOAD, 1, 0),
            (Opcode.EQUAL, 2, 1, 1),
            (Opcode.JUMP_IF, 2, 4),
            (Opcode.JUMP, 0),
            (Opcode.RETURN, 1),
        )
        inner = Function("inner", (), "int64", 3, 1, code, (1, 2, 3, 4, 5))
        silent = Function(
            "silent", (), "bool", 3, 1, ((Opcode.JUMP, 2), (Opcode.JUMP, 0), (Opcode.RETURN_NONE,)), (1, 2, 3)
        )
        calls = ((Opcode.LIST, 1), (Opcode.CALL, 1, 3, 0), (Opcode.CALL, 0, 2, 0), (Opcode.APPEND, 1, 2))
        after = ((Opcode.APPEND, 1, 3), (Opcode.RETURN, 1), (Opcode.JUMP, 0))
        main = Function("main", (), "list[int64]", 4, 1, (*calls, *after), tuple(range(7)))
        found = assert_same(Program("x", (constant,), (inner, silent, main)))
        assert isinstance(found, str) or found.value == [constant, None]


JUMPS = st.lists(
    st.tuples(st.sampled_from(["step", "jump", "if", "unless", "return", "list"]), st.integers(0, 30)),
    min_size=2,
    max_size=24,
)


@given(JUMPS)
@settings(max_examples=300, deadline=None)
def test_any_flow_of_control(rows: list[tuple[str, int]]) -> None:
    """Random jumps: loops into loops, several ways in, endless ones."""
    size = len(rows)
    code: list[tuple[int, ...]] = []
    for kind, number in rows:
        target = 4 + (number % size) * 3
        code += {
            "step": [(Opcode.ADD, 0, 0, 2), (Opcode.MODULO, 1, 0, 3), (Opcode.NOT_EQUAL, 4, 1, 2)],
            "list": [(Opcode.APPEND, 5, 0), (Opcode.LENGTH, 1, 5), (Opcode.LESS, 4, 0, 1)],
            "jump": [(Opcode.MOVE, 6, 0), (Opcode.MOVE, 0, 1), (Opcode.JUMP, target)],
            "if": [(Opcode.ADD, 0, 0, 2), (Opcode.LESS, 4, 1, 2), (Opcode.JUMP_IF, 4, target)],
            "unless": [(Opcode.MODULO, 1, 0, 3), (Opcode.LESS_EQUAL, 4, 1, 2), (Opcode.JUMP_UNLESS, 4, target)],
            "return": [(Opcode.SUBTRACT, 1, 0, 2), (Opcode.LESS, 7, 1, 0), (Opcode.RETURN, 0)],
        }[kind]
    start = ((Opcode.LOAD, 0, 0), (Opcode.LOAD, 2, 1), (Opcode.LOAD, 3, 2), (Opcode.LIST, 5))
    program = assembled(*start, *code, (Opcode.LOAD, 1, 0), (Opcode.RETURN, 0), constants=(0, 1, 3))
    assert_same(program, limits=Limits(steps=400, cells=60))


FUZZER = runpy.run_path(str(Path(__file__).parents[1] / "lang" / "test_compiler_fuzz.py"))


@given(st.lists(FUZZER["STATEMENTS"], min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_programs_of_the_compilers_fuzzer(statements: list[str]) -> None:
    lines = [line for statement in statements for line in statement.split("\n")]
    body = "".join(f"    {line}\n" for line in lines)
    source = FUZZER["HEADER"] + "  for again in range(2):\n" + body + "  return a\n"
    try:
        program = compile_source(source, "fuzz.stfl")
    except CompileErrors:
        return
    assert_same(
        program, {(0, 0): 5}, limits=Limits(steps=2000, cells=2000, call_depth=20, printed_characters=1000)
    )


def test_secret_programs_take_the_same_rounds() -> None:
    source = """
def dot(xs: list[Share], ys: list[Share]) -> secret int64:
  var total: secret int64 = 0
  for i in range(len(xs)):
    total = total + xs[i] * ys[i]
  return total

def main() -> int64:
  var xs: list[Share] = []
  for client in range(3):
    xs.append(ClientStore.take_share(client, 0))
  var best = xs[0]
  var sum = 0
  for x in xs:
    best = max(best, x * 2 - 1)
    sum += reveal(dot(xs, xs) + x)
    select(x < best, x, best).send_to_client(0)
  return reveal(best) + sum
"""
    program = compiled(source)
    assert_same(program)
    traces = [
        _joint(runner, program, most_pending) for most_pending in (1 << 16, 5) for runner in (machine.run, run)
    ]
    assert traces[0] == traces[1]
    assert traces[2] == traces[3]


def _joint(runner: Runner, program: Program, most_pending: int) -> Any:
    """Run as a committee; results, and how many rounds and bytes each member needed."""
    members = simulated_committee(BN254, parties=3, threshold=1, seed=1)
    inputs = {(client, 0): 4 - client for client in range(3)}
    counting = CountingEngine(set(inputs), FACTS, most_pending=most_pending)
    outcome(runner, program, counting)
    run_local([set_up(member) for member in members])
    run_local([preprocess(member, counting.plan(member)) for member in members])
    engines = [
        MpcEngine(
            member,
            {key: BN254.vector([v + member.identity]) for key, v in inputs.items()},
            FACTS,
            most_pending=most_pending,
        )
        for member in members
    ]
    results = run_local([runner(program, engine) for engine in engines])
    shown = [(r.value, r.steps, [(o.client, BN254.integers(o.values)) for o in r.outputs]) for r in results]
    return shown, [member.statistics for member in members], counting.counts()


def test_stepping_is_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "Execution", None)
    program = compiled("def main() -> int64:\n  for i in range(3): pass\n  return 4\n")
    assert outcome(run, program, ClearEngine({}), stepping=True).value == 4


def test_unhandled_operations_are_stepped_through() -> None:
    assert Opcode.CALL_CLOSURE not in HANDLED
    code = ((Opcode.CLOSURE, 0, 0), (Opcode.CALL_CLOSURE, 0, 1), (Opcode.JUMP_IF, 1, 0), (Opcode.RETURN, 1))
    negate = Function("negate", (), "bool", 1, 1, ((Opcode.LOAD, 0, 0), (Opcode.RETURN, 0)), (1, 1))
    main = Function("main", (), "bool", 2, 1, code, (1, 2, 3, 4))
    program = Program("x", (False,), (negate, main))
    assert call_graph(program).translated == (False, False)
    assert assert_same(program).value is False


def test_equal_programs_with_other_types_of_constants_are_not_mixed_up() -> None:
    for constant in (1, True, 1.0):
        assert (
            assert_same(assembled((Opcode.LOAD, 0, 0), (Opcode.RETURN, 0), constants=(constant,))).value
            is constant
        )
