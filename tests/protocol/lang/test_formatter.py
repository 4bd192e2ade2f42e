"""The formatter: the same program, one layout, every comment."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.lang import CompileErrors
from quorate.protocol.lang.diagnostics import Reporter
from quorate.protocol.lang.formatter import format_source
from quorate.protocol.lang.parser import parse
from quorate.protocol.lang.source import Source, Span

UNTIDY = """\
# A program.
def   f( xs : list[ int64 ] ,n:int64=-2 )->int64 :
    # first
    var x=-n+ -1 * ( xs [ 0 ] )
    if x<3 and not (x==1) :
          x+=f(xs , n = 3)   #trailing
          # inside



          # inside too
        # of f
    for i in 0 .. 3: x = xs[1 : - 2][ -1 ]
    return  g( 1,
     # within
        2 ,
      xs . len ( )
       ) mod (4)
# of g
def g( a : int64, b:int64,c: int64)->int64:
  return a
# end"""

TIDY = """\
# A program.
def f(xs: list[int64], n: int64 = -2) -> int64:
  # first
  var x = -n + -1 * (xs[0])
  if x < 3 and not (x == 1):
    x += f(xs, n=3)  #trailing
    # inside

    # inside too
  # of f
  for i in 0..3: x = xs[1:-2][-1]
  return g(1,
    # within
    2,
    xs.len()
  ) mod (4)

# of g
def g(a: int64, b: int64, c: int64) -> int64:
  return a
# end
"""


def shape(node):
    """A syntax tree without its places."""
    if dataclasses.is_dataclass(node):
        fields = {field.name: getattr(node, field.name) for field in dataclasses.fields(node)}
        parts = {name: shape(value) for name, value in fields.items() if not isinstance(value, Span)}
        return type(node).__name__, parts
    if isinstance(node, list | tuple):
        return [shape(item) for item in node]
    return node


def tree(text):
    reporter = Reporter(Source(text, "x.stfl"))
    module = parse(reporter)
    reporter.check()
    return shape(module)


def test_a_program_is_laid_out():
    assert format_source(UNTIDY, "x.stfl") == TIDY
    assert tree(UNTIDY) == tree(TIDY)


def test_what_is_laid_out_stays_as_it_is():
    assert format_source(TIDY, "x.stfl") == TIDY


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("\n\n", ""),
        ("# only a comment  ", "# only a comment\n"),
        ("def f():\r\n  pass\r\n", "def f():\n  pass\n"),
        ("def f():\n  pass\n\n\n\n\ndef g():\n  pass\n", "def f():\n  pass\n\n\ndef g():\n  pass\n"),
        ("def f():\n  pass\ndef g():\n  pass\n", "def f():\n  pass\n\ndef g():\n  pass\n"),
        ("def f():\n  return x.mod (3)mod(2)\n", "def f():\n  return x.mod(3) mod (2)\n"),
        ("def f():\n  x(- 1,y = - 2)\n", "def f():\n  x(-1, y=-2)\n"),
        ("def f():\n  a = True-1\n", "def f():\n  a = True - 1\n"),
        ('def f():\n  print("a  #b" )#c\n', 'def f():\n  print("a  #b")  #c\n'),
        ("def f():\n  a = [[1,\n2],\n[3]]\n", "def f():\n  a = [[1,\n    2],\n    [3]]\n"),
        ("def f():\n  a = 1    # one\n  b = 234  # two\n", "def f():\n  a = 1    # one\n  b = 234  # two\n"),
        ("def f():\n  a = 1 # one\n  b = 234    # two\n", "def f():\n  a = 1  # one\n  b = 234  # two\n"),
    ],
)
def test_layouts(before, after):
    assert format_source(before, "x.stfl") == after
    assert format_source(after, "x.stfl") == after


def test_words_that_are_none_are_refused():
    with pytest.raises(CompileErrors) as caught:
        format_source("def f():\n  var x = §\n  var s = 'open\n", "bad.stfl")
    assert [one.code for one in caught.value.diagnostics] == ["E0101", "E0102"]


NAMES = st.sampled_from(["x", "total", "xs"])
ATOMS = NAMES | st.integers(0, 99).map(str) | st.sampled_from(["True", '"a # b"', "f(x)", "xs[1:]", "None"])
OPERATORS = st.sampled_from(["+", "-", "*", "//", "mod", "and", "xor", "==", "shl"])


def compound(inner):
    spaces = st.sampled_from([" ", "  "])
    return st.one_of(
        st.tuples(st.just("("), inner, spaces, OPERATORS, spaces, inner, st.just(")")).map("".join),
        st.tuples(st.sampled_from(["-", "not ", "- "]), inner).map("".join),
        st.tuples(st.just("g( "), inner, st.just(" ,\n # why\n  b= "), inner, st.just(")")).map("".join),
        st.tuples(st.just("["), inner, st.just(","), inner, st.just(" ]")).map("".join),
    )


EXPRESSIONS = st.recursive(ATOMS, compound, max_leaves=6)


@st.composite
def blocks(draw, depth=0):
    """Lines of one block, indented by its own width."""
    margin = draw(st.integers(1, 4)) * " "
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        lines += [margin + "# said"] * draw(st.integers(0, 1)) + [""] * draw(st.integers(0, 3))
        value = draw(EXPRESSIONS)
        lines.append(f"{margin}var y  ={value}" + draw(st.sampled_from(["", "  # so", " # x"])))
        if depth < 2 and draw(st.booleans()):
            lines.append(f"{margin}if({draw(EXPRESSIONS)}) :")
            lines += [margin + line for line in draw(blocks(depth=depth + 1))]
    return lines


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(blocks(), min_size=1, max_size=2))
def test_any_program_keeps_its_tree_and_its_comments(bodies):
    heads = [f"def f{number}( a:int64 , b : int64=3):" for number in range(len(bodies))]
    text = "\n".join(line for head, body in zip(heads, bodies, strict=True) for line in (head, *body))
    formatted = format_source(text, "x.stfl")
    assert format_source(formatted, "x.stfl") == formatted
    assert tree(formatted) == tree(text)
    assert formatted.count("# ") == text.count("# ")
    assert all(line == line.rstrip() for line in formatted.splitlines())
