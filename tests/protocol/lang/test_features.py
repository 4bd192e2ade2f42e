"""What programs can say: every construct, run on the clear engine."""

from __future__ import annotations

import hashlib
from fractions import Fraction
from typing import Any

import pytest

from quorate.protocol.curve import BLS12_381_G1, P256
from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.vm import ClearEngine, ProgramFailure, Result, dump, load, run


def outcome(
    source: str, *, arguments: tuple[Any, ...] = (), modules: dict[str, str] | None = None, **engine: Any
) -> Result:
    program = load(dump(compile_source(source, "main.stfl", modules=modules)))
    running = run(
        program, ClearEngine({}, randomness=SeededRandomness(1, "features"), **engine), arguments=arguments
    )
    with pytest.raises(StopIteration) as stop:
        next(running)
    result: Result = stop.value.value
    return result


def value_of(expression: str, type_: str, *, before: tuple[str, ...] = ()) -> Any:
    lines = "".join(f"  {line}\n" for line in (*before, f"return {expression}"))
    return outcome(f"def main() -> {type_}:\n{lines}").value


@pytest.mark.parametrize(
    ("expression", "type_", "expected"),
    [
        ("255u8 - 1", "uint8", 254),
        ("0xFFFFFFFFFFFFFFFFu64 / 3", "uint64", ((1 << 64) - 1) // 3),
        ("1u64 shl 63u64", "uint64", 1 << 63),
        ("3u8 shl 7u8", "uint8", 128),
        ("(-128i8) shr 3", "int8", -16),
        ("-7i16 // 2", "int16", -4),
        ("not 1u8", "uint8", 254),
        ("2 ** 10", "int64", 1024),
        ("uint8(7.9)", "uint8", 7),
        ("int64(-7.9)", "int64", -7),
        ("1.5fix64 * 2.25", "fix64", Fraction(27, 8)),
        ("7.0fix64 / 2", "fix64", Fraction(7, 2)),
        ("-0.5fix32", "fix32", Fraction(-1, 2)),
        ("0.1 + 0.2", "float", 0.1 + 0.2),
        ("1.0fix64 / 3", "fix64", Fraction(round(Fraction(1 << 32, 3)), 1 << 32)),
        ("min(3u8, 2u8)", "uint8", 2),
        ("max(1.5fix64, 2.5fix64)", "fix64", Fraction(5, 2)),
        ("divmod(-7, 2)", "list[int64]", [-4, 1]),
        ('"abc"[1] + "xyz"[-1] + "hello"[1:4:2]', "string", "bzel"),
        ("[1, 2, 3, 4, 5][4:0:-2]", "list[int64]", [5, 3]),
        ("[1, 2, 3][-2:]", "list[int64]", [2, 3]),
        ("[1] + [2, 3]", "list[int64]", [1, 2, 3]),
        ("[1, 2] == [1, 2] and [1] != [2]", "bool", True),
        ("[x * x for x in range(6) if x % 2 == 1]", "list[int64]", [1, 9, 25]),
        ('[f"{c}!" for c in "ab"]', "list[string]", ["a!", "b!"]),
        ('"b" in "abc" and 2 in [1, 2] and not (3 in [1, 2]) and 3 not in [1]', "bool", True),
        ('"a" in {"a": 1}', "bool", True),
        ('{"a": 1, "b": 2}["b"]', "int64", 2),
        (
            'f"{1}{{x}} {True} {[1, 2]} {1.5fix64}\\t{"a"}"'.replace('"a"', "'a'"),
            "string",
            "1{x} True [1, 2] 1.5\ta",
        ),
        ('",".join("a b".split(" "))', "string", "a,b"),
        ('" Ab ".strip().upper().replace("B", "c").lower()', "string", "ac"),
        ('"abc".starts_with("ab") and "abc".ends_with("c")', "bool", True),
        ('parse_int("-12")', "int64", -12),
        ('Bytes.from_string("a") + Bytes.from_list([255u8])', "bytes", b"a\xff"),
        ('Bytes.concat(Bytes.from_string("a"), Bytes.from_string("b"))[1]', "uint8", 98),
        ('Crypto.sha256(Bytes.from_string("x"))', "bytes", hashlib.sha256(b"x").digest()),
        ('Crypto.sha512(Bytes.from_string("x"))', "bytes", hashlib.sha512(b"x").digest()),
        ('Bytes.to_hex(Bytes.from_string("az"))', "string", "617a"),
        ("Field.mul(Field.from_int(3), Field.inverse(Field.from_int(3))) == Field.one()", "bool", True),
        ("Field.sqrt(Field.from_int(49))", "bytes", (7).to_bytes(32, "little")),
        ("Field.neg(Field.zero()) == Field.zero()", "bool", True),
        ("Mpc.rand_int(8) < 256u64 and len(Mpc.rand()) == 32", "bool", True),
        ("Mpc.party_id() + Mpc.n_parties()", "int64", 1),
        ("Mpc.curve()", "string", "bn254"),
        ("type([1])", "string", "list"),
    ],
)
def test_expressions(expression: str, type_: str, expected: Any) -> None:
    assert value_of(expression, type_) == expected


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (("var xs = [3, 1, 2]", "xs.sort()", "xs.reverse()"), [3, 2, 1]),
        (("var xs = [1]", "xs.extend([2, 3])", "xs.insert(0, 9)", "xs.remove(2)"), [9, 1, 3]),
        (("var ys = [1, 2]", "var xs = ys.copy()", "ys.clear()", "xs.delete(0)", "xs.push(5)"), [2, 5]),
        (("var xs = [5, 6, 7]", "var x = xs.pop(0)", "xs.append(x)"), [6, 7, 5]),
        (("var xs = [1, 2, 2]", "xs = [xs.count(2), xs.index(2), len(xs)]"), [2, 1, 3]),
        (("var d: dict[int64, int64] = {}", "d[4] = 1", "d[2] = 3", "var xs = keys(d) + values(d)"), [4, 2, 1, 3]),
        (("var xs: list[int64]", "for c in 0..3:", "  xs += [c]"), [0, 1, 2]),
    ],
)
def test_collections(before: tuple[str, ...], expected: list[int]) -> None:
    assert value_of("xs", "list[int64]", before=before) == expected


@pytest.mark.parametrize(
    ("expression", "type_", "reason"),
    [
        ("255u8 + 1", "uint8", "leaves uint8"),
        ("0u64 - 1", "uint64", "leaves uint64"),
        ("1u8 shl 8u8", "uint8", "shift by 8"),
        ("uint8(300)", "uint8", "leaves uint8"),
        ("1.0 / 0.0", "float", "division by zero"),
        ("1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30 * 1e30", "float", "infinite"),
        ('{"a": 1}["b"]', "int64", "no such key"),
        ('"abc"[3]', "string", "no element 3"),
        ("[1][0:1:0]", "list[int64]", "step that is not zero"),
        ("len(range(0, 5, 0))", "int64", "step of a range"),
        ("len(range(0, 9223372036854775807))", "int64", "allocated more than"),
        ('parse_int("x")', "int64", "not an integer"),
        ("Field.inverse(Field.zero())", "bytes", "zero has no inverse"),
        ("Field.sqrt(Field.from_int(5))", "bytes", "not a square"),
        ('Field.neg(Bytes.from_string("a"))', "bytes", "32 bytes"),
        ('Crypto.point_to_sec1(Bytes.from_string("a"), "p-256")', "bytes", "not a point"),
        ('Crypto.field_inv(Field.one(), "p-257")', "bytes", "no curve"),
        ('Share.from_clear(1).open_exp("p-256")', "bytes", "not the scalar field of p-256"),
        ('LocalStorage.load_share("a").open()', "int64", "no share under this key"),
        ('Rbc.receive(0, 1) == ""', "bool", "nothing has been broadcast"),
    ],
)
def test_failures_have_reasons(expression: str, type_: str, reason: str) -> None:
    with pytest.raises(ProgramFailure, match=reason):
        value_of(expression, type_)


MODULE = """
import shapes as s
import deep.inner

def main() -> int64:
  var square: Square = s.square(3)
  return area(square) + inner.one() + s.one()
"""
SHAPES = """
object Square:
  side: int64

def square(side: int64) -> Square:
  return Square(side: side)

def area(one: Square) -> int64:
  assert one.side > 0, "a square has a side"
  return one.side * one.side
"""


def test_modules() -> None:
    modules = {"shapes.stfl": SHAPES, "deep/inner.stfl": "def one() -> int64:\n  return 1\n"}
    with pytest.raises(CompileErrors):
        outcome(MODULE, modules=modules)
    fixed = MODULE.replace(" + s.one()", "")
    assert outcome(fixed, modules=modules).value == 10
    with pytest.raises(ProgramFailure, match=r"shapes\.stfl:9: in area: assertion failed"):
        outcome(fixed.replace("square(3)", "square(0)"), modules=modules)


GENERIC = """
object Pair:
  left: secret int64
  right: list[secret bool]

def last[T](items: list[T]) -> T:
  return items[-1]

def swap[K, V](d: dict[K, V]) -> dict[V, K]:
  var out: dict[V, K]
  for key in d:
    out[d[key]] = key
  return out

def sum(start: int64, *rest) -> int64:
  for one in rest:
    start += one
  return start

def main() -> list[int64]:
  var pair: Pair
  pair.left += 4
  pair.right.append(True)
  var bits = pair.right
  bits[0] = not bits[0]
  var secrets = [pair.left, last([Share.from_clear(2)])]
  return [last(secrets).open(), last([[1, 5]])[1], swap({1: 7})[7], sum(1), sum(1, 2, 3), len(bits)]
"""


def test_objects_generics_and_variadic_functions() -> None:
    assert outcome(GENERIC).value == [2, 5, 1, 1, 6, 1]


STORE = """
def tick(by: int64) -> int64:
  discard set_upvalue("n", get_upvalue("n") + by)
  return get_upvalue("n")

def main() -> list[int64]:
  var n = 1
  var one = create_closure_with_upvalue("tick", "n")
  var other = create_closure_with_upvalue("tick", "n")
  discard call_closure_with_arg(one, 5)
  discard LocalStorage.store("share", Share.from_clear(3))
  discard LocalStorage.store("text", "abc")
  var share: secret int64 = LocalStorage.load("share")
  var kept = [call_closure_with_arg(one, 1), call_closure_with_arg(other, 1), share.open()]
  assert LocalStorage.delete("text") and not LocalStorage.exists("text")
  kept.append(Rbc.broadcast("go"))
  assert Rbc.receive(0, 10) == "go"
  return kept
"""


def test_closures_the_store_and_broadcasts() -> None:
    assert outcome(STORE).value == [7, 2, 3, 0]


SIGN = """
def main(digest: bytes) -> bytes:
  var key: secret int64 = Share.random()
  var gamma: secret int64 = Share.random()
  var nonce: secret int64 = Share.random()
  var inverse = gamma.mul_field(Crypto.field_inv(gamma.mul(nonce).open_field(), "p-256"))
  var r = Crypto.point_x_to_field(nonce.open_exp("p-256"), "p-256")
  var s = inverse.mul_field(Crypto.hash_to_field(digest, "p-256")).add(key.mul(inverse).mul_field(r)).open_field()
  var scalars = Crypto.field_to_scalar_bytes(r, "p-256") + Crypto.field_to_scalar_bytes(s, "p-256")
  return scalars + Crypto.point_to_sec1(key.get_commitment(0), "p-256")
"""


def test_a_threshold_signature_verifies() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec, utils
    from cryptography.hazmat.primitives.hashes import SHA256

    digest = hashlib.sha256(b"message").digest()
    signed = outcome(SIGN, arguments=(digest,), modulus=P256.order).value
    r, s = (int.from_bytes(signed[start : start + 32], "big") for start in (0, 32))
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), signed[64:])
    key.verify(utils.encode_dss_signature(r, s), digest, ec.ECDSA(utils.Prehashed(SHA256())))


def test_the_exponent_is_exact() -> None:
    source = (
        "def main() -> bytes:\n"
        '  return Share.from_clear(5).open_exp_custom(Crypto.hash_to_g1(Bytes.from_string("a")))\n'
    )
    expected = (BLS12_381_G1.hash_to_group(b"a") * 5).encode()
    assert outcome(source, modulus=BLS12_381_G1.order).value == expected


def test_arguments_of_every_kind() -> None:
    source = "def main(a: uint8, b: fix64, c: list[bytes], d: float) -> string:\n  return f'{a} {b} {c} {d}'\n"
    assert outcome(source, arguments=(255, 1.5, [b"\x01"], 0.25)).value == "255 1.5 [0x01] 0.25"
    for wrong in (
        (256, 1.5, [b""], 0.25),
        (1, 1e20, [b""], 0.25),
        (1, 1, ["a"], 0.25),
        (1, 1, [b""], float("nan")),
    ):
        with pytest.raises(Exception, match="argument"):
            outcome(source, arguments=wrong)
