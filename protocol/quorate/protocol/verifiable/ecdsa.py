"""Threshold ECDSA for an honest majority: exactly 2t + 1 signers, on secp256k1 and p-256.

After Damgard, Jakobsen, Nielsen, Pagter, Ostergaard, "Fast Threshold ECDSA with Honest Majority" (SCN 2020), section 3.
x is the key, shared with degree t; every signer deals in the first round.

    deal      random k and a with degree t; zeros with degree 2t for two masks
    open      R_i = k_i G and w_i = a_i k_i + zero_i to all;  R = k G in the exponent, checked;  w = a k;  r = x(R)
    compare   the hash of all R_i and w_i that came (and of the message, in `sign_ecdsa`); all must be equal
    sign      s_i = (a_i / w) (m + r x_i) + zero'_i to all;  s = (m + r x) / k;  low s; the signature is verified

Nobody learns k or a: k is inverted by opening its product with a, and what products of shares tell is hidden by random
zeros of degree 2t.

Adversary: t malicious parties of 2t + 1 signers, rushing, in a synchronous network of private authenticated channels;
security with abort. Two facts carry it. Any values that t + 1 honest parties hold lie on one polynomial of degree t,
so a cheating dealer only picks another random k or a, independently of the honest dealers' secret part. And wrong
messages later add errors that the adversary knows: R must lie on a polynomial of degree t with the t + 1 honest
points, and a wrong w, the same to all since it is compared, only scales s by a factor that the adversary knows.
What a cheater can do: stop the signature; keep the others from the signature and have it itself, since it sees their
last messages first; make honest parties disagree on whether there is one. What it cannot do: make an honest party
return what does not verify; get a signature on what the honest signers did not sign; learn the key. It is named
(PartyFault) only for malformed messages: a wrong sum names nobody (ProtocolAbort), so a cheater that stops signatures
again and again must be found by other means, such as leaving signers out in turn. With t + 1 of the signers malicious
the key is theirs. More than 2t + 1 signers would let a dealer give honest parties shares of no polynomial of degree t,
to which the argument above does not apply; hence the exact number.

`presign` needs no message. Its results are secret, are used once, and all signers must use them in the same order for
the same message: agree on that before. Handing out signatures on messages chosen after R is known costs security in
theory [Groth, Shoup, EUROCRYPT 2022]; never derive keys from the signed key by public offsets together with stored
presignatures. `sign_ecdsa` compares the message before anything that depends on the key is sent.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from quorate.protocol.curve import P256, SCALAR_BYTES, SECP256K1, Curve, Point
from quorate.protocol.errors import MalformedMessage, PartyFault, ProtocolAbort
from quorate.protocol.mpc.party import Exchange, Protocol
from quorate.protocol.sharing import PartyId

from .exponent import open_in_exponent
from .key import KeyShare
from .polynomial import evaluate, interpolate, random_polynomial

MAX_PRESIGNATURES: Final = 1024
"""The most presignatures made in one run."""
DIGEST_BYTES: Final = 32
_DEALT: Final = 4
"""Scalars dealt for a signature: k, a, and two zeros."""
_VIEW_DOMAIN: Final = b"quorate/ecdsa/view/1"


@dataclass(frozen=True, slots=True)
class EcdsaSignature:
    """(r, s) with s at most half the order; `recovery` (0 to 3) tells which R, as Ethereum's v - 27 does."""

    curve: Curve
    r: int
    s: int
    recovery: int

    def encode(self) -> bytes:
        """r and s, 32 big-endian bytes each."""
        return self.r.to_bytes(SCALAR_BYTES, "big") + self.s.to_bytes(SCALAR_BYTES, "big")


@dataclass(slots=True)
class Presignature:
    """One party's part of a signature to come; it can be taken once."""

    signers: tuple[PartyId, ...]
    public_nonce: Point
    inverse_share: int = field(repr=False)
    mask: int = field(repr=False)
    _is_taken: bool = field(default=False, init=False, repr=False)

    def take(self) -> None:
        """Mark it as used; raises ValueError the second time, since two signatures would give the key away."""
        if self._is_taken:
            raise ValueError("a presignature was used before; two signatures with one nonce reveal the key")
        self._is_taken = True


@dataclass(frozen=True, slots=True)
class _Seats:
    """The signers of one run, and who of them this party is."""

    curve: Curve
    identity: PartyId
    signers: tuple[PartyId, ...]
    threshold: int

    @property
    def others(self) -> tuple[PartyId, ...]:
        return tuple(party for party in self.signers if party != self.identity)

    def exchange(self, messages: Mapping[PartyId, bytes], *, size: int) -> Protocol[Mapping[PartyId, bytes]]:
        """Send to each other signer, and get `size` bytes of each; raises PartyFault for another size."""
        replies = yield Exchange(messages, dict.fromkeys(self.others, size))
        for party in self.others:
            if len(replies.get(party, b"")) != size:
                raise PartyFault(party, f"sent {len(replies.get(party, b''))} bytes in a round of {size}")
        return replies

    def scalars(self, party: PartyId, data: bytes) -> list[int]:
        """The scalars in `party`'s message; raises PartyFault for one that is not below the order."""
        try:
            return [
                self.curve.decode_scalar(data[i : i + SCALAR_BYTES]) for i in range(0, len(data), SCALAR_BYTES)
            ]
        except MalformedMessage as error:
            raise PartyFault(party, error.reason) from None

    def open(self, values: Mapping[PartyId, int]) -> int:
        """The secret of degree 2t of all 2t + 1 shares."""
        return interpolate(values, order=self.curve.order)


@dataclass(frozen=True, slots=True)
class _Secrets:
    """This party's shares for one signature."""

    nonce: int = field(repr=False)
    factor: int = field(repr=False)
    product_mask: int = field(repr=False)
    signature_mask: int = field(repr=False)


def sign_ecdsa(
    key: KeyShare, digest: bytes, *, signers: Sequence[PartyId], randomness: Callable[[int], bytes]
) -> Protocol[EcdsaSignature]:
    """The signature of a message's 32-byte hash, the same at all `signers`: four rounds.

    Raises ValueError unless the key is on secp256k1 or p-256, `signers` are 2t + 1 different parties with this one,
    and the digest has 32 bytes; PartyFault and ProtocolAbort as described above.
    """
    _check_digest(digest)
    seats = _seats(key, signers)
    presignatures = yield from _presign(seats, count=1, randomness=randomness, message=digest)
    return (yield from sign_presigned(key, presignatures[0], digest))


def presign(
    key: KeyShare, *, signers: Sequence[PartyId], count: int, randomness: Callable[[int], bytes]
) -> Protocol[list[Presignature]]:
    """`count` presignatures, before the messages are known: three rounds.

    Raises as `sign_ecdsa`, and ValueError for a count outside 1..MAX_PRESIGNATURES.
    """
    if not 1 <= count <= MAX_PRESIGNATURES:
        raise ValueError(f"{count} presignatures; there are 1 to {MAX_PRESIGNATURES} in a run")
    return (yield from _presign(_seats(key, signers), count=count, randomness=randomness, message=b""))


def sign_presigned(key: KeyShare, presignature: Presignature, digest: bytes) -> Protocol[EcdsaSignature]:
    """The signature of a message's 32-byte hash by a presignature that all signers take for it: one round."""
    _check_digest(digest)
    seats = _seats(key, presignature.signers)
    presignature.take()
    curve, order = seats.curve, seats.curve.order
    message = int.from_bytes(digest, "big")
    r = presignature.public_nonce.coordinates[0] % order
    own = (presignature.inverse_share * (message + r * key.secret) + presignature.mask) % order
    sent = curve.encode_scalar(own)
    replies = yield from seats.exchange(dict.fromkeys(seats.others, sent), size=len(sent))
    shares = {key.identity: own} | {party: seats.scalars(party, replies[party])[0] for party in seats.others}
    signature = _normalised(presignature.public_nonce, seats.open(shares))
    if not _is_signature(key.public_key.fixed_multiple, digest, signature):
        raise ProtocolAbort(
            "the signature does not verify: a signer gave a wrong share, or signed another message"
        )
    return signature


def verify_ecdsa(public_key: Point, digest: bytes, signature: EcdsaSignature) -> bool:
    """Whether (r, s) is a signature of the hash (FIPS 186-5, section 6.4.2), with a low s."""
    return signature.curve is public_key.curve and _is_signature(public_key.__mul__, digest, signature)


def _is_signature(multiply_key: Callable[[int], Point], digest: bytes, signature: EcdsaSignature) -> bool:
    """The equation of `verify_ecdsa`, given how the public key is multiplied."""
    curve, r, s = signature.curve, signature.r, signature.s
    if len(digest) != DIGEST_BYTES or not 0 < r < curve.order or not 0 < s <= curve.order // 2:
        return False
    inverse = pow(s, -1, curve.order)
    point = curve.multiply_base(int.from_bytes(digest, "big") * inverse) + multiply_key(r * inverse)
    return not point.is_identity and point.coordinates[0] % curve.order == r


def _check_digest(digest: bytes) -> None:
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a hash of {len(digest)} bytes; ECDSA here takes {DIGEST_BYTES}")


def _seats(key: KeyShare, signers: Sequence[PartyId]) -> _Seats:
    if key.curve not in (SECP256K1, P256):
        raise ValueError(f"ECDSA is on secp256k1 or p-256, not {key.curve.name}")
    ordered = tuple(sorted(set(signers)))
    if len(ordered) != len(signers) or key.identity not in ordered or ordered[0] < 1:
        raise ValueError("the signers are different parties, and this party is one of them")
    if len(ordered) != 2 * key.threshold + 1:
        raise ValueError(f"{len(ordered)} signers; ECDSA takes exactly {2 * key.threshold + 1}")
    return _Seats(key.curve, key.identity, ordered, key.threshold)


def _presign(
    seats: _Seats, *, count: int, randomness: Callable[[int], bytes], message: bytes
) -> Protocol[list[Presignature]]:
    secrets = yield from _deal(seats, count=count, randomness=randomness)
    curve = seats.curve
    sent = b"".join(_opened(curve, entry) for entry in secrets)
    replies = yield from seats.exchange(dict.fromkeys(seats.others, sent), size=len(sent))
    said = {seats.identity: sent} | {party: replies[party] for party in seats.others}
    yield from _compare(seats, said, message=message)
    size = curve.size_bytes + SCALAR_BYTES
    presignatures = []
    for index, own in enumerate(secrets):
        parts = {party: data[index * size : (index + 1) * size] for party, data in said.items()}
        nonce, product = _open_nonce(seats, parts)
        inverse = own.factor * pow(product, -1, curve.order) % curve.order
        presignatures.append(Presignature(seats.signers, nonce, inverse, own.signature_mask))
    return presignatures


def _deal(seats: _Seats, *, count: int, randomness: Callable[[int], bytes]) -> Protocol[list[_Secrets]]:
    """Everybody deals k, a and two zeros for each signature; the shares of all dealers are added up."""
    curve, degree = seats.curve, seats.threshold
    polynomials = []
    for _ in range(count):
        for constant_is_random in (True, True, False, False):
            constant = curve.random_scalar(randomness) if constant_is_random else 0
            width = degree if constant_is_random else 2 * degree
            polynomials.append(random_polynomial(curve, constant, degree=width, randomness=randomness))
    dealt = {
        party: [evaluate(polynomial, party, order=curve.order) for polynomial in polynomials]
        for party in seats.signers
    }
    messages = {party: b"".join(map(curve.encode_scalar, dealt[party])) for party in seats.others}
    replies = yield from seats.exchange(messages, size=_DEALT * count * SCALAR_BYTES)
    rows = [dealt[seats.identity], *(seats.scalars(party, replies[party]) for party in seats.others)]
    totals = [sum(column) % curve.order for column in zip(*rows, strict=True)]
    return [_Secrets(*totals[start : start + _DEALT]) for start in range(0, len(totals), _DEALT)]


def _opened(curve: Curve, own: _Secrets) -> bytes:
    """R_i and w_i."""
    product = own.nonce * own.factor + own.product_mask
    return curve.multiply_base(own.nonce).encode() + curve.encode_scalar(product)


def _compare(seats: _Seats, said: Mapping[PartyId, bytes], *, message: bytes) -> Protocol[None]:
    """One round in which all see that all got the same; raises ProtocolAbort where they did not."""
    parts = [_VIEW_DOMAIN, len(message).to_bytes(1, "big"), message]
    parts += [bytes([party]) + hashlib.sha256(said[party]).digest() for party in seats.signers]
    view = hashlib.sha256(b"".join(parts)).digest()
    replies = yield from seats.exchange(dict.fromkeys(seats.others, view), size=len(view))
    for party in seats.others:
        if replies[party] != view:
            raise ProtocolAbort(f"party {party} says that it signs another message or was sent other values")


def _open_nonce(seats: _Seats, parts: Mapping[PartyId, bytes]) -> tuple[Point, int]:
    """R and w of what each signer sent for one signature."""
    curve, points, products = seats.curve, {}, {}
    for party, data in parts.items():
        try:
            points[party] = curve.decode(data[: curve.size_bytes], identity=True)
        except MalformedMessage as error:
            raise PartyFault(party, error.reason) from None
        products[party] = seats.scalars(party, data[curve.size_bytes :])[0]
    nonce, product = open_in_exponent(points, threshold=seats.threshold), seats.open(products)
    if nonce.is_identity or not nonce.coordinates[0] % curve.order or not product:
        raise ProtocolAbort("the nonce or its mask is zero: start again")
    return nonce, product


def _normalised(nonce: Point, s: int) -> EcdsaSignature:
    """The low-s form, with the recovery number of the nonce that then belongs to it."""
    curve = nonce.curve
    x, y = nonce.coordinates
    odd = y & 1
    if 2 * s > curve.order:
        s, odd = curve.order - s, 1 - odd
    return EcdsaSignature(curve, x % curve.order, s, odd | (2 if x >= curve.order else 0))
