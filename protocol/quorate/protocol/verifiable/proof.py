"""Proof that a public share s G belongs to a Pedersen commitment E = s G + b H, without telling s or b.

Two of Schnorr's proofs under one challenge (Journal of Cryptology 1991, made non-interactive as Fiat and Shamir do):
the prover knows s with Y = s G and b with E - Y = b H. Somebody who knows an opening (s', b') of E with s' != s too
would know the logarithm of H to G, so that Y = s G for the one s that E binds the prover to. Zero-knowledge and sound
in the random oracle model; `context` binds the proof to who makes it and where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final

from quorate.protocol.codec import Limit
from quorate.protocol.curve import SCALAR_BYTES, Curve, Point
from quorate.protocol.errors import MalformedMessage

from .commitment import Share

_DOMAIN: Final = b"quorate/public share proof/1"

Scalar = Annotated[bytes, Limit(size=SCALAR_BYTES)]


@dataclass(frozen=True, slots=True)
class PublicShareProof:
    """The challenge and the responses for s and b, as encoded scalars."""

    challenge: Scalar
    value_response: Scalar
    blinding_response: Scalar


def prove_public_share(
    curve: Curve, share: Share, *, context: bytes, randomness: Callable[[int], bytes]
) -> tuple[Point, PublicShareProof]:
    """Y = share.value times the generator, with the proof that it belongs to the commitment to `share`."""
    public = curve.multiply_base(share.value)
    commitment = curve.commit(share.value, share.blinding)
    nonces = curve.random_scalar(randomness), curve.random_scalar(randomness)
    announced = curve.multiply_base(nonces[0]), curve.second_generator.fixed_multiple(nonces[1])
    challenge = _challenge(curve, commitment, public, announced, context=context)
    responses = nonces[0] + challenge * share.value, nonces[1] + challenge * share.blinding
    encoded = [curve.encode_scalar(scalar) for scalar in (challenge, *responses)]
    return public, PublicShareProof(*encoded)


def check_public_share(public: Point, proof: PublicShareProof, *, commitment: Point, context: bytes) -> bool:
    """Whether `proof` shows that `public` belongs to the Pedersen `commitment`."""
    curve = commitment.curve
    try:
        challenge = curve.decode_scalar(proof.challenge)
        value_response = curve.decode_scalar(proof.value_response)
        blinding_response = curve.decode_scalar(proof.blinding_response)
    except MalformedMessage:
        return False
    left = curve.multiply_base(value_response) - public * challenge
    right = curve.second_generator.fixed_multiple(blinding_response) - (commitment - public) * challenge
    return challenge == _challenge(curve, commitment, public, (left, right), context=context)


def _challenge(
    curve: Curve, commitment: Point, public: Point, announced: tuple[Point, Point], *, context: bytes
) -> int:
    name = curve.name.encode()
    parts = [_DOMAIN, bytes([len(name)]), name, len(context).to_bytes(8, "big"), context]
    parts += [point.encode() for point in (commitment, public, *announced)]
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "big") % curve.order
