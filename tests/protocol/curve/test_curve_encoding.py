from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc.bls.point_compression import compress_G1
from py_ecc.optimized_bls12_381 import G1, Z1, multiply

from quorate.protocol.curve import BLS12_381_G1, BN254_G1, CURVES, ED25519, P256, SECP256K1, Curve, Point
from quorate.protocol.curve.edwards import LAW, A, P, Rfc8032, _half, in_prime_subgroup, to_edwards
from quorate.protocol.curve.weierstrass import IDENTITY
from quorate.protocol.errors import MalformedMessage

ALL = pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
CURVE = st.sampled_from(list(CURVES.values()))
SECOND_GENERATORS = json.loads((Path(__file__).parents[2] / "vectors" / "second_generators.json").read_text())


def multiple(curve: Curve, scalar: int, point: tuple[int, int]) -> Point:
    """By double and add, without a reduction of the scalar, so that it holds for points of any order."""
    total = IDENTITY
    for bit in bin(scalar)[2:]:
        total = curve.law.double(total)
        if bit == "1":
            total = curve.law.add_affine(total, point)
    return Point(curve, curve.law.to_affine(total))


@settings(max_examples=40, deadline=None)
@given(CURVE, st.integers(1, 1 << 252))
def test_a_point_has_one_encoding(curve, scalar):
    point = curve.multiply_base(scalar)
    data = point.encode()
    assert len(data) == curve.size_bytes
    assert curve.decode(data) == point
    assert curve.decode((-point).encode()) == -point


@settings(max_examples=300, deadline=None)
@given(CURVE, st.data())
def test_what_decodes_encodes_to_itself(curve, data):
    raw = data.draw(st.binary(min_size=curve.size_bytes, max_size=curve.size_bytes))
    try:
        point = curve.decode(raw, identity=True)
    except MalformedMessage:
        return
    assert point.encode() == raw
    assert point.is_identity or curve.law.contains(point.affine)
    assert point.is_identity or multiple(curve, curve.order, point.affine).is_identity


@ALL
def test_the_identity_is_allowed_only_where_asked_for(curve):
    data = curve.identity.encode()
    assert len(data) == curve.size_bytes
    assert curve.decode(data, identity=True).is_identity
    with pytest.raises(MalformedMessage, match="the identity"):
        curve.decode(data)


@ALL
def test_sizes(curve):
    data = curve.generator.encode()
    for wrong in (b"", data[:-1], data + b"\0"):
        with pytest.raises(MalformedMessage, match="a point of"):
            curve.decode(wrong)
    for scalar in (b"", bytes(31), bytes(33), curve.order.to_bytes(32, "big"), b"\xff" * 32):
        with pytest.raises(MalformedMessage, match="not a scalar"):
            curve.decode_scalar(scalar)


@pytest.mark.parametrize("curve", [SECP256K1, P256])
def test_sec1_refusals(curve):
    x = curve.generator.coordinates[0].to_bytes(32, "big")
    for prefix in (0, 1, 4, 5, 6, 0x82):
        with pytest.raises(MalformedMessage):
            curve.decode(bytes([prefix]) + x)
    with pytest.raises(MalformedMessage):
        curve.decode(b"\2" + int(curve.law.p).to_bytes(32, "big"))
    nowhere = next(value for value in range(100) if curve.law.ordinate(value) is None)
    with pytest.raises(MalformedMessage, match="no point"):
        curve.decode(b"\2" + nowhere.to_bytes(32, "big"))


@pytest.mark.parametrize(("curve", "mask"), [(BN254_G1, 0xC0), (BLS12_381_G1, 0xE0)])
def test_flags(curve, mask):
    data = curve.generator.encode()
    encoding = curve.encoding
    good = {encoding.smaller, encoding.larger}
    for flags in range(0, 256, 0x20):
        if flags & ~mask:
            continue
        changed = bytes([data[0] & ~mask & 0xFF | flags]) + data[1:]
        if flags in good:
            assert curve.decode(changed) in (curve.generator, -curve.generator)
        else:
            with pytest.raises(MalformedMessage):
                curve.decode(changed)
    with pytest.raises(MalformedMessage):  # an identity with anything beside its flag
        curve.decode(bytes([encoding.identity]) + bytes(curve.size_bytes - 2) + b"\1", identity=True)
    beyond = bytearray(int(curve.law.p).to_bytes(curve.size_bytes, "big"))
    beyond[0] |= encoding.smaller
    with pytest.raises(MalformedMessage):
        curve.decode(bytes(beyond))


def test_bls12_381_is_written_as_py_ecc_writes_it():
    for scalar in (1, 2, 3, 1 << 200, BLS12_381_G1.order - 1):
        expected = int(compress_G1(multiply(G1, scalar))).to_bytes(48, "big")
        assert BLS12_381_G1.multiply_base(scalar).encode() == expected
    assert BLS12_381_G1.identity.encode() == int(compress_G1(Z1)).to_bytes(48, "big")


def test_bls12_381_points_outside_the_group_are_refused():
    law, seen = BLS12_381_G1.law, 0
    for x in range(1, 60):
        y = law.ordinate(x)
        if y is None:
            continue
        seen += 1
        outside = Point(BLS12_381_G1, (x, y))
        assert not multiple(BLS12_381_G1, BLS12_381_G1.order, (x, y)).is_identity
        with pytest.raises(MalformedMessage, match="outside the group"):
            BLS12_381_G1.decode(outside.encode())
    assert seen > 20


@cache
def torsion() -> list[tuple[int, int] | None]:
    """The eight points of order 1, 2, 4 or 8, in Weierstrass coordinates."""
    for y in range(2, 100):
        point = Rfc8032().lift(y, odd=False)
        if point is None:
            continue
        generator = multiple(ED25519, ED25519.order, point).affine
        if generator is None:
            continue
        points, total = [], IDENTITY
        for _ in range(8):
            points.append(LAW.to_affine(total))
            total = LAW.add_affine(total, generator)
        if len(set(points)) == 8:
            return points
    raise AssertionError("no point of order 8")


def test_ed25519_points_of_mixed_order_are_refused():
    good = ED25519.multiply_base(12345).affine
    small = torsion()
    assert small[0] is None
    for point in small[1:]:
        assert not in_prime_subgroup(point)
        mixed = LAW.to_affine(LAW.add_affine(LAW.add_affine(IDENTITY, good), point))
        assert not in_prime_subgroup(mixed)
        with pytest.raises(MalformedMessage, match="outside the group"):
            ED25519.decode(Point(ED25519, mixed).encode())
    for scalar in range(1, 30):
        assert in_prime_subgroup(ED25519.multiply_base(scalar).affine)


def test_halving_is_the_inverse_of_doubling():
    third = int(A) * pow(3, -1, int(P)) % P
    halved = 0
    for scalar in range(1, 40):
        for point in torsion():
            total = LAW.add_affine(IDENTITY, ED25519.multiply_base(scalar).affine)
            if point is not None:
                total = LAW.add_affine(total, point)
            u, v = LAW.to_affine(total)
            half = _half((u - third) % P, v)
            if half is None:
                continue
            halved += 1
            doubled = LAW.double((half[0] + third, half[1], 1))
            assert LAW.to_affine(doubled) == (u, v)
    assert halved == 39 * 4  # half of the eight cosets


# The encodings of the points of small order, canonical and not, as far as they decode anywhere.
SMALL_ORDER = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
]


@pytest.mark.parametrize("data", SMALL_ORDER)
def test_ed25519_small_orders_are_refused(data):
    with pytest.raises(MalformedMessage):
        ED25519.decode(bytes.fromhex(data), identity=True)


@pytest.mark.parametrize("excess", range(19))
@pytest.mark.parametrize("sign", [0, 1])
def test_ed25519_numbers_from_p_on_are_refused(excess, sign):
    data = (int(P) + excess + (sign << 255)).to_bytes(32, "little")
    with pytest.raises(MalformedMessage, match="not a canonical point"):
        ED25519.decode(data, identity=True)


def test_ed25519_base_point_and_equation():
    assert ED25519.generator.encode().hex() == "58" + "66" * 31
    x, y = to_edwards(ED25519.multiply_base(77).affine)
    d = -121665 * pow(121666, -1, int(P))
    assert (-x * x + y * y - 1 - d * x * x * y * y) % P == 0


@ALL
def test_second_generators_are_reproducible(curve):
    """By an own walk over the counters, from the words of the documentation alone."""
    assert curve.second_generator.encode().hex() == SECOND_GENERATORS["points"][curve.name]["encoding"]
    name, data = curve.name.encode(), SECOND_GENERATORS["domain"].encode()
    prefix = b"quorate/curve/hash to group/1" + bytes([len(name)]) + name + len(data).to_bytes(8, "big") + data
    digest = hashlib.shake_256(prefix + bytes([SECOND_GENERATORS["points"][curve.name]["counter"]])).digest(65)
    lifted = curve.encoding.lift(int.from_bytes(digest[:64], "big"), odd=bool(digest[64] & 1))
    assert multiple(curve, curve.cofactor, lifted) == curve.second_generator
    for counter in range(SECOND_GENERATORS["points"][curve.name]["counter"]):
        earlier = hashlib.shake_256(prefix + bytes([counter])).digest(65)
        assert curve.encoding.lift(int.from_bytes(earlier[:64], "big"), odd=bool(earlier[64] & 1)) is None
    assert curve.second_generator != curve.generator
    assert curve.hash_to_group(b"another") != curve.second_generator
