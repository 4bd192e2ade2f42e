"""Every diagnostic has a program that earns it: the code, the line and the column are golden."""

from __future__ import annotations

import pytest

from quorate.protocol.lang import CODES, CompileErrors, compile_source


def body(*lines: str, result: str = "int64") -> str:
    return "\n".join([f"def main() -> {result}:", *(f"  {line}" for line in lines)]) + "\n"


POINT = "object Point:\n  x: int64\n  y: int64\n"
COLOR = "enum Color:\n  Red\n"
SECRET = "var s = ClientStore.take_share(0, 0)"

BAD: list[tuple[str, str, int, int]] = [
    (body("return 1 & 2"), "E0101", 2, 12),
    ("def main():\n  print('\ud800')\n", "E0101", 2, 10),
    (body('print("abc)', "return 1"), "E0102", 2, 9),
    ("def main() -> int64:\n\treturn 1\n", "E0103", 2, 1),
    ("def main() -> int64:\n    var x = 1\n  return x\n", "E0104", 3, 1),
    (body("return 0b102"), "E0105", 2, 10),
    (body("return 0x"), "E0105", 2, 10),
    (body("return 1u7"), "E0106", 2, 10),
    (body("return 1abc"), "E0106", 2, 10),
    (body('print("a\\qb")', "return 1"), "E0107", 2, 11),
    ("#" * ((1 << 18) + 1), "E0108", 1, 1),
    (body("return (1 + 2"), "E0109", 2, 10),
    (body("return 1)"), "E0109", 2, 11),
    (body("return 1 +"), "E0201", 2, 13),
    (body("var = 1", "return 1"), "E0201", 2, 7),
    (body("return 1 2"), "E0201", 2, 12),
    ("def main(: int64):\n  return\n", "E0201", 1, 10),
    ("", "E0201", 1, 1),
    ("def main() -> int64:\nreturn 1\n", "E0202", 1, 20),
    (body("var x = 1", "  x = 2", "return x"), "E0203", 3, 1),
    (body("return 1 < 2 < 3", result="bool"), "E0204", 2, 16),
    (body("1 + 2 = 3", "return 1"), "E0205", 2, 3),
    (body("var x", "return 1"), "E0206", 2, 7),
    ("def f(a: int64 = 1, b: int64) -> int64:\n  return a\n", "E0207", 1, 21),
    (body("return " + "(" * 150 + "1" + ")" * 150), "E0208", 2, 110),
    (body("return " + " + ".join(["1"] * 150)), "E0208", 2, 10),
    ("var x = 1\n", "E0209", 1, 1),
    ("class math\n", "E0210", 1, 1),
    (body("let x = 1", "return 1"), "E0210", 2, 3),
    (body("def inner() -> int64:", "  return 1", "return 1"), "E0210", 2, 3),
    ("def f(a: int64, b: int64) -> int64:\n  return a\n" + body("return f(a=1, 2)"), "E0211", 4, 17),
    (body("return y"), "E0301", 2, 10),
    (body("var total = 1", "return totl"), "E0301", 3, 10),
    (body("if True:", "  var x = 1", "return x"), "E0301", 4, 10),
    (body("var x = 1", "var x = 2", "return x"), "E0302", 3, 7),
    ("def f() -> int64:\n  return 1\ndef f() -> int64:\n  return 2\n", "E0302", 3, 5),
    ("def Share() -> int64:\n  return 1\n", "E0302", 1, 5),
    (body("var x: float65 = 1", "return 1"), "E0303", 2, 10),
    (body("var x: secret string = 1", "return 1"), "E0303", 2, 10),
    (body("var x: secret list[int64] = []", "return 1"), "E0303", 2, 10),
    (body("return foo(1)"), "E0304", 2, 10),
    (body("return Share.divide(1, 2)"), "E0304", 2, 16),
    (body("var x = 1", "return x.frob()"), "E0304", 3, 12),
    (body("return main"), "E0305", 2, 10),
    (body("var x = 3", "return x.size"), "E0305", 3, 12),
    (body("break", "return 1"), "E0306", 2, 3),
    (body("x = 1", "return 1"), "E0307", 2, 3),
    (body(SECRET, "return s.interpolate_local()"), "E0308", 3, 10),
    ("def f(" + ", ".join(f"a{i}: int64" for i in range(65)) + ") -> int64:\n  return 1\n", "E0309", 1, 5),
    (body("var x: int64 = True", "return x"), "E0401", 2, 18),
    (body('return "one"'), "E0401", 2, 10),
    (body("return len(3)"), "E0401", 2, 10),
    (body("var n: secret int64 = 2", "var b: secret bool = n", "return 1"), "E0401", 3, 24),
    ("def f(a: list[int64] = []):\n  pass\n", "E0401", 1, 24),
    ("def f(" + "a" * 300 + ": int64):\n  pass\n", "E0309", 1, 5),
    ("def f():\n  print('" + "a" * 70000 + "')\n", "E0309", 1, 5),
    ("def f():\n" + "".join(f"  var a{i} = {i}\n" for i in range(5000)), "E0309", 1, 5),
    (body("return 1 + True"), "E0402", 2, 12),
    (body("return -True"), "E0402", 2, 10),
    (body("return min(1)"), "E0403", 2, 10),
    (body("return main(1)"), "E0403", 2, 10),
    (body("for i in range(1, 2, 3, 4):", "  pass", "return 1"), "E0403", 2, 12),
    ("def f(a: int64) -> int64:\n  return a\n" + body("return f(b=1)"), "E0404", 4, 12),
    ("def f(a: int64) -> int64:\n  if a > 0:\n    return 1\n", "E0405", 1, 5),
    (body("if 1:", "  return 1", "return 2"), "E0406", 2, 6),
    (body("var x = 1", "return x[0]"), "E0407", 3, 10),
    (body("for x in 5:", "  pass", "return 1"), "E0408", 2, 12),
    (body(SECRET, "for x in s:", "  pass", "return 1"), "E0408", 3, 12),
    (body("var x = []", "return 1"), "E0409", 2, 11),
    (body("var x = [1, True]", "return 1"), "E0410", 2, 12),
    ("def f():\n  return 1\n", "E0412", 2, 10),
    (body('var x = print("a")', "return 1"), "E0413", 2, 11),
    (body("return 1.5"), "E0401", 2, 10),
    (body("return 9223372036854775808"), "E0415", 2, 10),
    (body(SECRET, "if s > 0:", "  return 1", "return 2"), "E0501", 3, 6),
    (body(SECRET, "while s != 0:", "  s = s - 1", "return 2"), "E0501", 3, 9),
    (body(SECRET, "var xs = [1, 2]", "return xs[s]"), "E0502", 4, 13),
    (body(SECRET, "print(s)", "return 1"), "E0503", 3, 9),
    (body(SECRET, "var c: int64 = s", "return c"), "E0504", 3, 18),
    (body(SECRET, "var c = 1", "c = s", "return c"), "E0504", 4, 7),
    (body(SECRET, "return s"), "E0505", 3, 10),
    ("def f(a: int64) -> int64:\n  return a\n" + body(SECRET, "return f(s)"), "E0506", 5, 12),
    (body(SECRET, "assert s > 0", "return 1"), "E0507", 3, 10),
    (body(SECRET, "for i in range(s):", "  pass", "return 1"), "E0508", 3, 18),
    (body("var f: secret fix64 = 1.5", "f = f // 2.0", "return 1"), "E0509", 3, 9),
    (body("var b: secret bool = True", "b = b and 7", "return 1"), "E0509", 3, 9),
    (body(SECRET, "var xs: list[int64] = [1, s]", "return 1"), "E0510", 3, 29),
    # f-strings, numbers and their types
    (body('print(f"{1")', "return 1"), "E0212", 2, 11),
    (body('print(f"1}")', "return 1"), "E0212", 2, 12),
    (body('print(f"{}")', "return 1"), "E0212", 2, 11),
    (body('print(f"{1 2}")', "return 1"), "E0212", 2, 14),
    (body('print(f"{y}")', "return 1"), "E0301", 2, 12),
    (body(SECRET, 'print(f"{s}")', "return 1"), "E0503", 3, 12),
    (body("return 1u64"), "E0401", 2, 10),
    (body("return 300u8", result="uint8"), "E0415", 2, 10),
    (body("return -1", result="uint8"), "E0415", 2, 11),
    (body("return 40000i16", result="int16"), "E0415", 2, 10),
    (body("return 1i8 + 1i16", result="int8"), "E0402", 2, 14),
    (body("var x: uint8 = 1", "return x + 1i32", result="int32"), "E0402", 3, 12),
    (body("var x: uint8 = 1", "return -x", result="uint8"), "E0402", 3, 10),
    (body("var x: fix64 = 1.5", "return x % 2.0", result="fix64"), "E0402", 3, 12),
    (body("return 1.5 and 2.5", result="float"), "E0402", 2, 14),
    (body("return 1.5f32", result="float"), "E0106", 2, 10),
    (body("return 1e99", result="float"), "E0105", 2, 10),
    (body("var x: fix32 = 99999999.5", "return 1"), "E0415", 2, 18),
    # declarations
    ("type Score\n", "E0201", 1, 11),
    ("enum Color:\ndef main():\n  pass\n", "E0213", 1, 11),
    ("object Point:\ndef main():\n  pass\n", "E0213", 1, 13),
    ("import numbers\ndef main():\n  pass\n", "E0310", 1, 1),
    ("type A = list[A]\ndef main():\n  pass\n", "E0312", 1, 6),
    ("object A:\n  a: A\ndef main():\n  pass\n", "E0312", 1, 8),
    ("object A(B):\n  a: int64\ndef main():\n  pass\n", "E0303", 1, 10),
    ("object A:\n  a: int64\n  a: bool\ndef main():\n  pass\n", "E0302", 3, 3),
    ("enum A:\n  x\n  x\ndef main():\n  pass\n", "E0302", 3, 3),
    ("object A:\n  a: int64\nobject A:\n  b: int64\ndef main():\n  pass\n", "E0302", 3, 8),
    ("object A:\n  a: itn64\ndef main():\n  pass\n", "E0303", 2, 6),
    (POINT + body("var p = Point(x: 1)", "return p.z"), "E0311", 6, 12),
    (POINT + body("var p = Point(z: 1)", "return 1"), "E0404", 5, 17),
    (POINT + body("var p = Point(1, 2, 3)", "return 1"), "E0403", 5, 11),
    (POINT + body('var p = Point("a")', "return 1"), "E0401", 5, 17),
    (POINT + body("var p: Point", 'p.x = "a"', "return 1"), "E0401", 6, 9),
    (POINT + body("var p: Point", "return p + p"), "E0402", 6, 12),
    (POINT + body("var p: secret Point", "return 1"), "E0303", 5, 10),
    (COLOR + body("return Color.Green"), "E0311", 4, 16),
    # type parameters
    ("def f[T](x: list[T]) -> T:\n  return x[0]\n" + body("return f([])"), "E0313", 4, 10),
    ("def f[T]() -> int64:\n  return 1\n" + body("return f()"), "E0313", 4, 10),
    ("def f[T](x: T, y: T) -> T:\n  return x\n" + body('return f(1, "a")'), "E0401", 4, 15),
    ("def f[T](x: T) -> T:\n  return x + 1\n" + body('print(f("a"))', "return 1"), "E0402", 2, 12),
    # dictionaries, strings, membership
    (body("var d = {1.5: 1}", "return 1"), "E0417", 2, 12),
    (body("var d: dict[fix64, int64] = {}", "return 1"), "E0417", 2, 15),
    (body('var d: dict[string, int64] = {"a": True}', "return 1"), "E0401", 2, 38),
    (body('var d = {"a": 1}', "return d[1]"), "E0401", 3, 12),
    (body('var d = {"a": 1}', SECRET, "return d[s]"), "E0502", 4, 12),
    (body("var d: dict[int64] = {}", "return 1"), "E0303", 2, 10),
    (body("var x = [1]", 'return select("a" in x, 1, 0)'), "E0401", 3, 17),
    (body(SECRET, "var x = [s]", "assert 1 in x", "return 1"), "E0402", 4, 12),
    (body('var t = "abc"', "t[0] = 1", "return 1"), "E0401", 3, 10),
    (body('return "a" - "b"', result="string"), "E0402", 2, 14),
    # match, comprehensions, closures, secret branches
    (body(SECRET, "match s:", "  case 1:", "    return 1", "return 1"), "E0501", 3, 9),
    (
        body("var x = 1", "match x:", "  case _:", "    return 1", "  case 1:", "    return 2", "return 3"),
        "E0416",
        6,
        5,
    ),
    (body("var x = 1", "match x:", '  case "a":', "    return 1", "return 1"), "E0401", 4, 10),
    (body("var x = 1", "match x:", "return 1"), "E0202", 3, 10),
    (body(SECRET, "var x = [1 for i in range(3) if s == i]", "return 1"), "E0501", 3, 35),
    (body("return len([i for i in 3])"), "E0408", 2, 26),
    (body('var c = create_closure("nothing")', "return 1"), "E0304", 2, 26),
    (body('var f = "main"', "var c = create_closure(f)", "return 1"), "E0314", 3, 11),
    (body('var c = create_closure_with_upvalue("main", "x")', "return 1"), "E0314", 2, 47),
    (body("var c: Closure", "return 1"), "E0206", 2, 7),
    (body(SECRET, "var n = 1", "if s == 1:", "  n = 2", "return n"), "E0501", 4, 6),
    (body(SECRET, "var x: Share = 1", "if s == 1:", "  print(1)", "return 1"), "E0501", 4, 6),
    (body(SECRET, "var x: Share = 1", "if s == 1:", "  x = Share.random()", "return 1"), "E0501", 4, 6),
    (
        body(SECRET, "var x: Share = 1", "if s > 1:", "  x = 2", "elif s.reveal() > 0:", "  x = 3", "return 1"),
        "E0511",
        6,
        8,
    ),
    (body("var n: secret int64 = 1", "if n:", "  n = 2", "return 1"), "E0406", 3, 6),
    (body(SECRET, "s = s ** s", "return 1"), "E0509", 3, 9),
    (body(SECRET, "s = s ** 65", "return 1"), "E0402", 3, 12),
    (body("def f(*xs, y: int64):", "  pass", "return 1"), "E0210", 2, 3),
    ("def f(*xs, y: int64):\n  pass\n", "E0201", 1, 20),
    (body("return [1, 2][0:1:True]", result="list[int64]"), "E0401", 2, 21),
]


@pytest.mark.parametrize(("source", "code", "line", "column"), BAD, ids=lambda value: str(value)[-24:])
def test_golden(source: str, code: str, line: int, column: int) -> None:
    with pytest.raises(CompileErrors) as caught:
        compile_source(source, "bad.stfl")
    found = [(one.code, one.line, one.column) for one in caught.value.diagnostics]
    assert found == [(code, line, column)]
    first = caught.value.diagnostics[0]
    assert first.message
    assert first.suggestion
    rendered = caught.value.render()
    assert f"bad.stfl:{line}:{column}: error {code}: {first.message}" in rendered
    assert "^" in rendered


def test_every_code_is_earned() -> None:
    assert {code for _, code, _, _ in BAD} == set(CODES)


def test_one_run_reports_several_errors() -> None:
    source = (
        "def f(a: int64) -> int64:\n"
        "  var x = \n"
        "  if a >:\n"
        "    return 1\n"
        "  return b\n"
        "\n"
        "def g() -> bool:\n"
        "  return 1\n"
        "\n"
        "def main() -> int64:\n"
        "  var s = ClientStore.take_share(0, 0)\n"
        "  if s == 1:\n"
        "    print(s)\n"
        "  return s\n"
    )
    with pytest.raises(CompileErrors) as caught:
        compile_source(source, "many.stfl")
    found = [(one.code, one.line) for one in caught.value.diagnostics]
    assert found == [
        ("E0201", 2),
        ("E0201", 3),
        ("E0301", 5),
        ("E0401", 8),
        ("E0501", 12),
        ("E0503", 13),
        ("E0505", 14),
    ]
    assert "(and 6 more)" in str(caught.value)


def test_rendering() -> None:
    with pytest.raises(CompileErrors) as caught:
        compile_source(body(SECRET, "if s > 10:", "  return 1", "return 2"), "dir/vote.stfl")
    assert caught.value.render() == (
        "dir/vote.stfl:3:6: error E0501: this condition is secret bool\n"
        "   |\n"
        " 3 |   if s > 10:\n"
        "   |      ^^^^^^\n"
        "   = which way the program goes would tell the secret: line 4 does more than assign to secret variables\n"
        "   = help: use `select(condition, a, b)`, or reveal the condition with `.reveal()`\n"
    )


def test_too_many_errors_stop_the_run() -> None:
    with pytest.raises(CompileErrors) as caught:
        compile_source(body(*["x = 1"] * 500, "return 1"), "many.stfl")
    assert len(caught.value.diagnostics) == 50


def test_close_names_are_suggested() -> None:
    with pytest.raises(CompileErrors) as caught:
        compile_source(body("var total = 1", "return totl"), "near.stfl")
    assert caught.value.diagnostics[0].suggestion == "did you mean `total`?"


def test_any_file_name_will_do() -> None:
    for name in ("", "a" * 5000, "\U0001f600" * 300, "\udcff.stfl"):
        assert compile_source(body("return 1"), name).function("main")
