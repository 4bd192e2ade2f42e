"""Print the published vectors of verifiable sharing, as JSON; the output is kept in verifiable_sharing.json.

Nothing of the project is imported: textbook affine arithmetic on Python integers, so that the vectors are a second
implementation of curves, encodings, second generators and commitments.
"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass

Pair = tuple[int, int]


@dataclass(frozen=True)
class Weierstrass:
    p: int
    a: int
    b: int

    def add(self, left: Pair | None, right: Pair | None) -> Pair | None:
        if left is None or right is None:
            return left or right
        (x1, y1), (x2, y2) = left, right
        if x1 == x2 and (y1 + y2) % self.p == 0:
            return None
        if left == right:
            slope = (3 * x1 * x1 + self.a) * pow(2 * y1, -1, self.p)
        else:
            slope = (y2 - y1) * pow(x2 - x1, -1, self.p)
        x3 = (slope * slope - x1 - x2) % self.p
        return x3, (slope * (x1 - x3) - y1) % self.p

    def lift(self, value: int, odd: bool) -> Pair | None:
        x = value % self.p
        square = (x**3 + self.a * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)
        if y * y % self.p != square or (odd and not y):
            return None
        return x, (y if y % 2 == odd else self.p - y)


class Edwards:
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, 2**255 - 19) % (2**255 - 19)

    def add(self, left: Pair | None, right: Pair | None) -> Pair | None:
        (x1, y1), (x2, y2) = left or (0, 1), right or (0, 1)
        product = self.d * x1 * x2 * y1 * y2
        x3 = (x1 * y2 + x2 * y1) * pow(1 + product, -1, self.p) % self.p
        y3 = (y1 * y2 + x1 * x2) * pow(1 - product, -1, self.p) % self.p
        return None if (x3, y3) == (0, 1) else (x3, y3)

    def lift(self, value: int, odd: bool) -> Pair | None:
        y = value % self.p
        square = (y * y - 1) * pow(self.d * y * y + 1, -1, self.p) % self.p
        x = pow(square, (self.p + 3) // 8, self.p)
        if x * x % self.p != square:
            x = x * pow(2, (self.p - 1) // 4, self.p) % self.p
        if x * x % self.p != square or not x:
            return None
        return (x if x % 2 == odd else self.p - x), y


def sec1(curve: Weierstrass, point: Pair | None) -> bytes:
    return bytes(33) if point is None else bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")


def rfc8032(curve: Edwards, point: Pair | None) -> bytes:
    x, y = point or (0, 1)
    return (y + (x % 2 << 255)).to_bytes(32, "little")


def bn254(curve: Weierstrass, point: Pair | None) -> bytes:
    if point is None:
        return b"\x40" + bytes(31)
    return (point[0] + ((3 if 2 * point[1] > curve.p else 2) << 254)).to_bytes(32, "big")


def bls12_381(curve: Weierstrass, point: Pair | None) -> bytes:
    if point is None:
        return b"\xc0" + bytes(47)
    return (point[0] + ((5 if 2 * point[1] > curve.p else 4) << 381)).to_bytes(48, "big")


P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
BLS = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
CURVES = {
    "bn254": (
        Weierstrass(21888242871839275222246405745257275088696311157297823662689037894645226208583, 0, 3),
        21888242871839275222246405745257275088548364400416034343698204186575808495617,
        1,
        (1, 2),
        bn254,
    ),
    "bls12-381": (
        Weierstrass(BLS, 0, 4),
        0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001,
        (0xD201000000010000 + 1) ** 2 // 3,
        (
            0x17F1D3A73197D7942695638C4FA9AC0FC3688C4F9774B905A14E3A3F171BAC586C55E83FF97A1AEFFB3AF00ADB22C6BB,
            0x08B3F481E3AAA0F1A09E30ED741D8AE4FCF5E095D5D00AF600DB18CB2C04B3EDD03CC744A2888AE40CAA232946C5E7E1,
        ),
        bls12_381,
    ),
    "secp256k1": (
        Weierstrass(2**256 - 2**32 - 977, 0, 7),
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
        1,
        (
            0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
            0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
        ),
        sec1,
    ),
    "p-256": (
        Weierstrass(P256, -3, 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B),
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        1,
        (
            0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
        ),
        sec1,
    ),
    "ed25519": (
        Edwards(),
        2**252 + 27742317777372353535851937790883648493,
        8,
        Edwards().lift(4 * pow(5, -1, 2**255 - 19), False),
        rfc8032,
    ),
}
CASES = [(4, 1, 2**63), (7, 2, 123456789)]  # parties, threshold, secret


def multiply(curve: Weierstrass | Edwards, scalar: int, point: Pair | None) -> Pair | None:
    total = None
    for bit in bin(scalar)[2:] if scalar else "":
        total = curve.add(total, total)
        if bit == "1":
            total = curve.add(total, point)
    return total


def second_generator(name: str) -> Pair | None:
    curve, _, cofactor, _, _ = CURVES[name]
    domain = b"quorate/curve/second generator/1"
    prefix = b"quorate/curve/hash to group/1" + bytes([len(name)]) + name.encode()
    prefix += len(domain).to_bytes(8, "big") + domain
    for counter in range(256):
        digest = hashlib.shake_256(prefix + bytes([counter])).digest(65)
        point = curve.lift(int.from_bytes(digest[:64], "big"), bool(digest[64] & 1))
        if point is not None:
            return multiply(curve, cofactor, point)
    raise AssertionError("no counter gave a point")


def draw(name: str, scheme: str, what: str, index: int) -> int:
    digest = hashlib.sha512(f"quorate/vectors/{name}/{scheme}/{what}/{index}".encode()).digest()
    return int.from_bytes(digest, "big") % CURVES[name][1]


def evaluate(coefficients: list[int], point: int, order: int) -> int:
    return sum(value * point**exponent for exponent, value in enumerate(coefficients)) % order


def case(name: str, scheme: str, parties: int, threshold: int, secret: int) -> dict[str, object]:
    curve, order, _, base, encode = CURVES[name]
    values = [secret, *(draw(name, scheme, "value", index) for index in range(threshold))]
    blindings = [
        draw(name, scheme, "blinding", index) if scheme == "pedersen" else 0 for index in range(threshold + 1)
    ]
    second = second_generator(name)
    points = [
        curve.add(multiply(curve, value, base), multiply(curve, blinding, second))
        for value, blinding in zip(values, blindings, strict=True)
    ]
    everyone = range(1, parties + 1)
    return {
        "curve": name,
        "scheme": scheme,
        "parties": parties,
        "threshold": threshold,
        "secret": str(secret),
        "values": [str(value) for value in values],
        "blindings": [str(blinding) for blinding in blindings],
        "commitment": [encode(curve, point).hex() for point in points],
        "shares": [[str(evaluate(row, party, order)) for row in (values, blindings)] for party in everyone],
        "public_shares": [
            encode(curve, multiply(curve, evaluate(values, party, order), base)).hex() for party in everyone
        ],
        "opened_in_exponent": encode(curve, multiply(curve, secret, base)).hex(),
    }


if __name__ == "__main__":
    document = {
        "description": "Sharings with commitments: coefficients, shares (value, blinding) of parties 1..n, what opens",
        "second_generators": {
            name: entry[4](entry[0], second_generator(name)).hex() for name, entry in CURVES.items()
        },
        "cases": [
            case(name, scheme, *entry) for name in CURVES for scheme in ("feldman", "pedersen") for entry in CASES
        ],
    }
    json.dump(document, sys.stdout, indent=1)
    sys.stdout.write("\n")
