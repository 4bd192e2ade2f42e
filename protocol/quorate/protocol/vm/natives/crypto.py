"""Hashes, and elements of curve groups as bytes.

A point is its standard compressed encoding. `hash_to_g1` maps to BLS12-381 by try and increment (see
`quorate.protocol.curve`): its points have no known logarithm, but are not those of RFC 9380.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quorate.protocol.curve import BLS12_381_G1, CURVES, Curve
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.vm.engine import Secret
from quorate.protocol.vm.limits import Fault

from .elements import ELEMENT_BYTES, encode_element
from .native import Native, octets, text

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State

_ALIASES: Final = {
    "bls12-381": "bls12-381",
    "bls12-381-g1": "bls12-381",
    "bls12381": "bls12-381",
    "bls12-381 g1": "bls12-381",
    "bn254-g1": "bn254",
    "p256": "p-256",
    "secp256r1": "p-256",
    "curve25519": "ed25519",
}


def curve_for(name: str) -> Curve:
    """The curve that a program names; raises Fault for one that is not there."""
    known = {curve.name.lower(): curve for curve in CURVES.values()}
    lowered = name.lower()
    for candidate in (lowered, _ALIASES.get(lowered, lowered)):
        for spelled, curve in known.items():
            if spelled == candidate or spelled.replace("-", "") == candidate.replace("-", ""):
                return curve
    raise Fault(f"there is no curve {name[:32]!r}; there are {', '.join(sorted(known))}")


def decoded_point(data: Any, modulus: int) -> Any:
    """The point that compressed bytes encode; raises Fault when they encode none.

    Encodings of different curves may have the same size: the curve whose scalars are the field's is tried first.
    """
    encoded = octets(data)
    for curve in sorted(CURVES.values(), key=lambda one: one.order != modulus):
        if curve.size_bytes == len(encoded):
            try:
                return curve.decode(encoded)
            except MalformedMessage:
                continue
    raise Fault("the bytes are not a point of any curve")


def _sha256(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    state.steps += len(octets(clear[0])) >> 3
    return hashlib.sha256(clear[0]).digest()


def _sha512(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    state.steps += len(octets(clear[0])) >> 3
    return hashlib.sha512(clear[0]).digest()


def _hash_to_field(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    """A digest as a scalar: its big-endian integer (little-endian for ed25519) modulo the order."""
    curve = curve_for(text(clear[1]))
    order = "little" if curve.name == "ed25519" else "big"
    return encode_element(int.from_bytes(octets(clear[0]), order), curve.order)  # type: ignore[arg-type]  # two literals


def _field_inverse(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    curve = curve_for(text(clear[1]))
    value = _scalar(clear[0], curve)
    if value == 0:
        raise Fault("zero has no inverse")
    return encode_element(pow(value, -1, curve.order), curve.order)


def _scalar(value: Any, curve: Curve) -> int:
    data = octets(value)
    if len(data) != ELEMENT_BYTES:
        raise Fault(f"a scalar has {ELEMENT_BYTES} bytes, not {len(data)}")
    return int.from_bytes(data, "little") % curve.order


def _point_x(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    curve = curve_for(text(clear[1]))
    return encode_element(int(_point_of(curve, clear[0]).coordinates[0]), curve.order)


def _point_of(curve: Curve, data: Any) -> Any:
    try:
        return curve.decode(octets(data))
    except MalformedMessage as error:
        raise Fault(f"the bytes are not a point of {curve.name}: {error}") from None


def _scalar_bytes(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    curve = curve_for(text(clear[1]))
    return curve.encode_scalar(_scalar(clear[0], curve))


def _sec1(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    """The point in compressed SEC 1 form; for a curve whose encoding is another one, its own encoding."""
    return bytes(_point_of(curve_for(text(clear[1])), clear[0]).encode())


def _hash_to_g1(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    state.steps += 1000
    return BLS12_381_G1.hash_to_group(octets(clear[0])).encode()


def _generator(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bytes:
    name = text(clear[0])
    if not name:
        raise Fault("the field of this session is the scalar field of no curve; run the program over one that is")
    curve = curve_for(name)
    if curve.order != state.engine.environment.modulus:
        raise Fault(
            f"the field of this session is not the scalar field of {curve.name}; run the program over that"
        )
    return curve.generator.encode()


CRYPTO: Final = (
    Native("sha256", 1, _sha256),
    Native("sha512", 1, _sha512),
    Native("hash_to_field", 2, _hash_to_field),
    Native("curve_field_inverse", 2, _field_inverse),
    Native("point_x_to_field", 2, _point_x),
    Native("field_to_scalar_bytes", 2, _scalar_bytes),
    Native("point_to_sec1", 2, _sec1),
    Native("hash_to_g1", 1, _hash_to_g1),
    Native("curve_generator", 1, _generator),
)
"""Every native of this module."""
