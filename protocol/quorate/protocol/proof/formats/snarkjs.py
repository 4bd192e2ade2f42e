"""The JSON of snarkjs: proofs, verification keys and public values.

Numbers are decimal strings; points are projective with a last coordinate of 1, or of 0 for infinity, and F_p^2 is
[a, b] for a + b i. A key of ours that is for tests only says so in `quorate_test_only`, which snarkjs ignores.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from quorate.protocol import bounded_json
from quorate.protocol.field import BN254, BN254_BASE
from quorate.protocol.proof.errors import MalformedFile
from quorate.protocol.proof.groth16.keys import Proof, VerificationKey
from quorate.protocol.proof.points import G1, G2, Affine, Coordinate, PointGroup, Points

MAX_JSON_BYTES: Final = 1 << 24
"""The largest file."""
MAX_PUBLIC: Final = 1 << 16
"""The most public values."""
_TEST_ONLY: Final = "quorate_test_only"
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,77}")


def write_proof(proof: Proof) -> str:
    """proof.json."""
    points = {"pi_a": _shown(G1, proof.a)[0], "pi_b": _shown(G2, proof.b)[0], "pi_c": _shown(G1, proof.c)[0]}
    return json.dumps({**points, "protocol": "groth16", "curve": "bn128"}, indent=1)


def read_proof(data: bytes) -> Proof:
    """A proof whose points are in their groups; raises MalformedFile or MalformedPoint for anything else."""
    name = "Groth16 proof"
    found = _object(data, name)
    proof = Proof(*(_point(g, found.get(k), name, k) for g, k in ((G1, "pi_a"), (G2, "pi_b"), (G1, "pi_c"))))
    proof.check()
    return proof


def write_verification_key(key: VerificationKey) -> str:
    """verification_key.json, without the value of e(alpha, beta), which snarkjs does not read."""
    fields: dict[str, Any] = {"protocol": "groth16", "curve": "bn128", "nPublic": key.public_count}
    if key.test_only:
        fields[_TEST_ONLY] = "the maker of this key could prove falsehoods with it"
    fields["vk_alpha_1"] = _shown(G1, key.alpha)[0]
    for name, points in (("vk_beta_2", key.beta), ("vk_gamma_2", key.gamma), ("vk_delta_2", key.delta)):
        fields[name] = _shown(G2, points)[0]
    return json.dumps({**fields, "IC": _shown(G1, key.public)}, indent=1)


def read_verification_key(data: bytes) -> VerificationKey:
    """A key whose points are in their groups; raises MalformedFile or MalformedPoint for anything else."""
    name = "Groth16 verification key"
    found = _object(data, name)
    public = found.get("IC")
    if not isinstance(public, list) or not 1 <= len(public) <= MAX_PUBLIC + 1:
        raise MalformedFile(name, f"IC is not a list of 1 to {MAX_PUBLIC + 1} points")
    if found.get("nPublic") != len(public) - 1:
        raise MalformedFile(name, "nPublic does not agree with IC")
    fields = ("vk_beta_2", "vk_gamma_2", "vk_delta_2")
    beta, gamma, delta = (_point(G2, found.get(field), name, field) for field in fields)
    key = VerificationKey(
        _point(G1, found.get("vk_alpha_1"), name, "vk_alpha_1"),
        beta,
        gamma,
        delta,
        public=G1.array([_affine(G1, point, name, "IC") for point in public]),
        test_only=_TEST_ONLY in found,
    )
    key.check()
    return key


def write_public(values: Sequence[int]) -> str:
    """public.json."""
    return json.dumps([str(value) for value in values], indent=1)


def read_public(data: bytes) -> list[int]:
    """The public values, below r; raises MalformedFile for anything else."""
    name = "list of public values"
    found = _parsed(data, name)
    if not isinstance(found, list) or len(found) > MAX_PUBLIC:
        raise MalformedFile(name, f"not a list of at most {MAX_PUBLIC}")
    return [_number(value, BN254.modulus, name, "a public value") for value in found]


def _parsed(data: bytes, name: str) -> Any:  # Any: as json.loads
    if len(data) > MAX_JSON_BYTES:
        raise MalformedFile(name, f"{len(data)} bytes; at most {MAX_JSON_BYTES} are taken")
    try:
        return bounded_json.loads(data)
    except ValueError:
        raise MalformedFile(name, "no JSON") from None


def _object(data: bytes, name: str) -> dict[str, Any]:  # Any: as json.loads
    found = _parsed(data, name)
    if not isinstance(found, dict) or found.get("protocol") != "groth16" or found.get("curve") != "bn128":
        raise MalformedFile(name, "not an object of protocol groth16 and curve bn128")
    return found


def _point(group: PointGroup, value: object, name: str, field: str) -> Points:
    return group.array([_affine(group, value, name, field)])


def _affine(group: PointGroup, value: object, name: str, field: str) -> Affine:
    if not isinstance(value, list) or len(value) != 3:
        raise MalformedFile(name, f"{field} is not a point of three coordinates")
    x, y, z = (_coordinate(group, part, name, field) for part in value)
    one, zero = ((1, 0), (0, 0)) if group.width > 1 else (1, 0)
    if z == zero:
        return None
    if z != one:
        raise MalformedFile(name, f"the last coordinate of {field} is neither 0 nor 1")
    return x, y


def _coordinate(group: PointGroup, value: object, name: str, field: str) -> Coordinate:
    if group.width == 1:
        return _number(value, BN254_BASE.modulus, name, field)
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedFile(name, f"a coordinate of {field} is not a pair")
    return (
        _number(value[0], BN254_BASE.modulus, name, field),
        _number(value[1], BN254_BASE.modulus, name, field),
    )


def _number(value: object, modulus: int, name: str, field: str) -> int:
    if not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        raise MalformedFile(name, f"{field} has a number that is no decimal string")
    number = int(value)
    if number >= modulus:
        raise MalformedFile(name, f"{field} has a number that is not below the modulus")
    return number


def _shown(group: PointGroup, points: Points) -> list[list[Any]]:
    """Points as lists of strings, or of pairs of them."""
    result: list[list[Any]] = []  # Any: numbers, or pairs of them
    for point in group.integers(points):
        if group.width == 1:
            result.append(["0", "1", "0"] if point is None else [*map(str, point), "1"])
        elif point is None:
            result.append([["0", "0"], ["1", "0"], ["0", "0"]])
        else:
            pairs = [coordinate for coordinate in point if isinstance(coordinate, tuple)]
            result.append([*([str(a), str(b)] for a, b in pairs), ["1", "0"]])
    return result
