"""Whatever the source is, the compiler answers with a program or with CompileErrors."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.vm import (
    ClearEngine,
    CountingEngine,
    Environment,
    Limits,
    Program,
    ProgramFailure,
    SecretEngine,
    dump,
    load,
    run,
)

PROGRAMS = sorted((Path(__file__).parents[1] / "vm" / "programs").glob("*.stfl"))
WORDS = re.findall(
    r"\S+",
    """def main f ( ) : -> int64 bool secret list [ ] string Share None var x y s = == != < <= > >= + - * / // % mod
    and or xor not shl shr 0 1 2 9223372036854775808 1.5 0x1F 1i64 True False if elif else while for in range ..
    break continue return assert pass discard print len append pop reveal select min max abs . , ClientStore
    take_share Mpc n_parties MpcOutput send_to_client open batch_mul 'a' "b" += -= # \\ & { } class import""",
)


def compiles(source: str) -> Program | None:
    try:
        program = compile_source(source, "fuzz.stfl")
    except CompileErrors as errors:
        assert errors.diagnostics
        assert errors.render()
        for one in errors.diagnostics:
            assert one.line >= 1
            assert one.column >= 1
        return None
    assert load(dump(program)) == program
    return program


@given(st.text(alphabet=st.sampled_from("abx01 \n\t()[]:=<>+-*/#\"'\\.,_é\r\0"), max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_text(source: str) -> None:
    compiles(source)


@given(st.lists(st.sampled_from([*WORDS, "\n", "\n  ", "\n    ", "\n      "]), max_size=80))
@settings(max_examples=500, deadline=None)
def test_random_words(words: list[str]) -> None:
    compiles(" ".join(words))


@given(st.sampled_from(PROGRAMS), st.data())
@settings(max_examples=300, deadline=None)
def test_mutated_programs(path: Path, data: st.DataObject) -> None:
    source = path.read_text()
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        stop = min(len(source), start + data.draw(st.integers(0, 12)))
        source = source[:start] + data.draw(st.sampled_from(["", " ", "\n", *WORDS])) + source[stop:]
    compiles(source)


# Statements that are often well typed, so that the fuzzer reaches the compiler and the machine's verifier.
ATOMS = st.sampled_from(
    ["a", "b", "s", "t", "xs", "ys", "c", "k", "1", "0", "True", "[]", "[s]", "[1, 2]", "f(a, s)"]
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "<", "==", "and", "or", "xor", "//", "%"]), inner).map(
            lambda parts: f"({' '.join(parts)})"
        ),
        st.tuples(st.sampled_from(["min", "max", "xs.append", "Share.mul", "Share.batch_mul"]), inner, inner).map(
            lambda parts: f"{parts[0]}({parts[1]}, {parts[2]})"
        ),
        st.tuples(inner, inner, inner).map(lambda parts: f"select({', '.join(parts)})"),
        inner.map(lambda x: f"xs[{x}]"),
        inner.map(lambda x: f"({x}).reveal()"),
        inner.map(lambda x: f"len({x})"),
        inner.map(lambda x: f"ys[{x}:]"),
        inner.map(lambda x: f"not {x}"),
        inner.map(lambda x: f"-{x}"),
    ),
    max_leaves=6,
)
STATEMENTS = st.one_of(
    EXPRESSIONS,
    st.tuples(st.sampled_from(["a", "s", "t", "c", "xs", "xs[0]", "ys[a]"]), EXPRESSIONS).map(" = ".join),
    st.tuples(st.sampled_from(["a", "s", "xs[1]", "ys[0]"]), EXPRESSIONS).map(" += ".join),
    EXPRESSIONS.map("var q = {}".format),
    EXPRESSIONS.map("if {}:\n    a = 2\n  else:\n    s = t".format),
    EXPRESSIONS.map("for z in {}:\n    xs.append(s)\n    break".format),
    EXPRESSIONS.map("print({})".format),
    EXPRESSIONS.map("assert {}".format),
)
HEADER = """def f(a: int64, s: secret int64 = 4) -> secret int64:
  return s + a

def main() -> int64:
  var a = 1
  var b = -3
  var c = True
  var s: secret int64 = ClientStore.take_share(0, 0)
  var t = s < 3
  var xs: list[Share] = [s, 2]
  var ys = [1, 2, 3]
  var k = "text"
"""


@given(st.lists(STATEMENTS, min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_random_statements(statements: list[str]) -> None:
    program = compiles(HEADER + "".join(f"  {statement}\n" for statement in statements) + "  return a\n")
    if program is not None:
        for engine in (ClearEngine({(0, 0): 5}), CountingEngine({(0, 0)}, Environment(1, 1, 1))):
            _runs_soundly(program, engine)


def _runs_soundly(program: Program, engine: SecretEngine) -> None:
    """What the checker accepts may fail, but never because a value has the wrong type."""
    limits = Limits(steps=2000, cells=2000, call_depth=20, printed_characters=1000)
    with pytest.raises((StopIteration, ProgramFailure)) as stop:
        next(run(program, engine, limits=limits))
    if isinstance(stop.value, ProgramFailure):
        assert not stop.value.reason.startswith(("the value", "the element"))
