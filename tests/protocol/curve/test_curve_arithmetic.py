from __future__ import annotations

import copy
import hashlib
import pickle
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from py_ecc import optimized_bls12_381, optimized_bn128

from quorate.protocol.curve import (
    BLS12_381_G1,
    BN254_G1,
    CURVES,
    ED25519,
    P256,
    SECP256K1,
    Curve,
    Point,
    curve_named,
)
from quorate.protocol.curve.multiplication import multiply_few, multiply_many, signed_digits, signed_windows

ALL = pytest.mark.parametrize("curve", CURVES.values(), ids=list(CURVES))
CURVE = st.sampled_from(list(CURVES.values()))
SCALAR = st.integers(0, 1 << 256)


def textbook_sum(curve: Curve, left: Point, right: Point) -> Point:
    """Chord and tangent with Python integers."""
    p, a = int(curve.law.p), int(curve.law.a)
    if left.is_identity or right.is_identity:
        return right if left.is_identity else left
    (x1, y1), (x2, y2) = left.coordinates, right.coordinates
    if x1 == x2 and (y1 + y2) % p == 0:
        return curve.identity
    if (x1, y1) == (x2, y2):
        slope = (3 * x1 * x1 + a) * pow(2 * y1, -1, p) % p
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, p) % p
    x3 = (slope * slope - x1 - x2) % p
    return Point(curve, (x3, (slope * (x1 - x3) - y1) % p))


def textbook_multiple(curve: Curve, scalar: int, point: Point) -> Point:
    total = curve.identity
    for bit in bin(scalar)[2:]:
        total = textbook_sum(curve, total, total)
        if bit == "1":
            total = textbook_sum(curve, total, point)
    return total


@ALL
def test_the_law_is_chord_and_tangent(curve):
    generator = curve.generator
    points = [curve.identity, generator, -generator, generator + generator, curve.second_generator]
    for left in points:
        for right in points:
            assert left + right == textbook_sum(curve, left, right)
            assert left - right == textbook_sum(curve, left, -right)


@settings(max_examples=25, deadline=None)
@given(CURVE, SCALAR)
def test_multiples(curve, scalar):
    expected = textbook_multiple(curve, scalar, curve.second_generator)
    assert curve.second_generator * scalar == expected
    assert curve.second_generator.fixed_multiple(scalar) == expected
    assert curve.second_generator * -scalar == -expected


@ALL
def test_the_edges_of_scalars(curve):
    generator, order = curve.generator, curve.order
    for scalar in (0, 1, 2, 127, 128, 129, order - 1, order, order + 1, (1 << curve.order.bit_length()) - 1):
        assert generator * scalar == curve.multiply_base(scalar) == textbook_multiple(curve, scalar, generator)
    assert (generator * order).is_identity
    assert (curve.identity * 5).is_identity
    assert curve.identity.fixed_multiple(5).is_identity


@settings(max_examples=25, deadline=None)
@given(CURVE, st.lists(st.integers(-(1 << 130), 1 << 256), max_size=6))
def test_sums_of_products(curve, scalars):
    points = [curve.multiply_base(3 * index) for index in range(len(scalars))]
    expected = sum(3 * index * scalar for index, scalar in enumerate(scalars))
    assert curve.sum_of_products(scalars, points) == curve.multiply_base(expected)


@ALL
@pytest.mark.parametrize("count", [1, 2, 39, 40, 41, 90])
@pytest.mark.parametrize("bits", [1, 8, 127, 128, 255])
def test_both_ways_to_sum_products_agree(curve, count, bits):
    numbers = random.Random(count * bits)
    logarithms = [numbers.randrange(5) for _ in range(count)]
    points = [curve.multiply_base(logarithm + 1) for logarithm in logarithms]
    scalars = [numbers.getrandbits(bits) for _ in range(count)]
    expected = curve.multiply_base(sum(s * (x + 1) for s, x in zip(scalars, logarithms, strict=True)))
    places = [point.affine for point in points]
    for method in (multiply_few, multiply_many):
        assert curve.law.to_affine(method(curve.law, scalars, places)) == expected.affine
    assert curve.sum_of_products(scalars, points) == expected


@given(st.integers(0, 1 << 300), st.integers(2, 12))
def test_recodings(scalar, width):
    windows = signed_windows(scalar, width)
    assert sum(digit << position for position, digit in enumerate(windows)) == scalar
    assert all(not digit or (digit % 2 and abs(digit) < 1 << width - 1) for digit in windows)
    count = scalar.bit_length() // width + 1
    digits = signed_digits(scalar, width=width, count=count)
    assert sum(digit << width * position for position, digit in enumerate(digits)) == scalar
    assert all(abs(digit) <= 1 << width - 1 for digit in digits)


@pytest.mark.parametrize(("curve", "peer"), [(SECP256K1, ec.SECP256K1()), (P256, ec.SECP256R1())])
def test_public_keys_are_those_of_openssl(curve, peer):
    numbers = random.Random(1)
    for scalar in [1, 2, curve.order - 1] + [numbers.randrange(1, curve.order) for _ in range(10)]:
        key = ec.derive_private_key(scalar, peer)
        data = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        assert curve.multiply_base(scalar).encode() == data
        other = ec.derive_private_key(7, peer)
        agreed = key.exchange(ec.ECDH(), other.public_key())
        assert (curve.decode(data) * 7).coordinates[0].to_bytes(32, "big") == agreed


def test_ed25519_public_keys_are_those_of_openssl():
    for index in range(10):
        seed = hashlib.sha256(bytes([index])).digest()
        clamped = bytearray(hashlib.sha512(seed).digest()[:32])
        clamped[0] &= 248
        clamped[31] = clamped[31] & 127 | 64
        expected = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        assert ED25519.multiply_base(int.from_bytes(clamped, "little")).encode() == expected
        assert ED25519.decode(expected) == ED25519.multiply_base(int.from_bytes(clamped, "little"))


@pytest.mark.parametrize(("curve", "peer"), [(BN254_G1, optimized_bn128), (BLS12_381_G1, optimized_bls12_381)])
def test_multiples_are_those_of_py_ecc(curve, peer):
    assert int(peer.curve_order) == curve.order
    numbers = random.Random(2)
    for scalar in [1, 2, curve.order - 1] + [numbers.randrange(curve.order) for _ in range(5)]:
        x, y = peer.normalize(peer.multiply(peer.G1, scalar))
        assert curve.multiply_base(scalar).coordinates == (int(x), int(y))


def test_points_of_two_curves_do_not_mix():
    with pytest.raises(ValueError, match="a point of p-256 among points of secp256k1"):
        SECP256K1.generator + P256.generator
    with pytest.raises(ValueError, match="2 scalars for 1 points"):
        P256.sum_of_products([1, 2], [P256.generator])


@ALL
def test_curves_are_values(curve):
    point = curve.multiply_base(9)
    assert pickle.loads(pickle.dumps(point)) == point
    assert copy.deepcopy(curve) is curve
    assert curve_named(curve.name) is curve
    assert len({point, curve.generator * 9, -point}) == 2


def test_unknown_names_and_wrong_constants():
    with pytest.raises(ValueError, match="no curve is called 'p-521'"):
        curve_named("p-521")
    with pytest.raises(ValueError, match="the base is not on the curve"):
        Curve("wrong", P256.law, order=P256.order, base=(1, 1), encoding=P256.encoding)
    with pytest.raises(ValueError, match="has no coordinates"):
        _ = P256.identity.coordinates


@ALL
def test_commitments_and_scalars(curve):
    assert curve.commit(5, 7) == curve.generator * 5 + curve.second_generator * 7
    assert curve.commit(0, 0).is_identity
    drawn = curve.random_scalar(lambda size: b"\xff" * size)
    assert drawn == (2**384 - 1) % curve.order
    assert curve.decode_scalar(curve.encode_scalar(drawn)) == drawn
