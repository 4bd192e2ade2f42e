"""Threshold Schnorr signatures: FROST (Komlo, Goldberg, SAC 2020; RFC 9591), two rounds, any t + 1 or more signers.

    round 1    D_i = d_i G, E_i = e_i G to all signers, for fresh nonces d_i, e_i
               rho_i = H1(key, message, all D and E, i);  R = sum of D_i + rho_i E_i;  c = H2(R, key, message)
    round 2    z_i = d_i + rho_i e_i + lambda_i x_i c to all signers, beside the hash of the message, all D and E
               z = sum of z_i; the signature is (R, z), which everybody verifies

There is no coordinator: every signer talks to every other, and each has the signature at the end.

Adversary: up to t malicious parties among the n that hold the key, in a synchronous network of private authenticated
channels; unforgeable where the one-more-logarithm problem is hard, in the random oracle model [Bellare, Crites, Komlo,
Maller, Tessaro, Zhu, CRYPTO 2022]. A malicious signer can stop the signature, no more. It is named (PartyFault) when
its message is malformed or its z_i is wrong for the D and E that all signers saw. When the hashes of round 2 differ,
the signers were not asked to sign the same message, or somebody gave different D or E to different signers, or lied
about the hash: it ends with ProtocolAbort and names nobody. With t + 1 malicious parties the key is theirs.

Nonces are drawn inside and used once; hashing the share of the key into them keeps them secret under bad randomness.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from quorate.protocol.curve import Point
from quorate.protocol.errors import MalformedMessage, PartyFault, ProtocolAbort
from quorate.protocol.mpc.party import Exchange, Protocol
from quorate.protocol.sharing import PartyId, lagrange_coefficients

from .key import KeyShare
from .suites import Suite

_NONCE_BYTES: Final = 32
_VIEW_BYTES: Final = 32
_VIEW_DOMAIN: Final = b"quorate/frost/view/1"


@dataclass(frozen=True, slots=True)
class Nonces:
    """One signer's two nonces for one signature; using them twice gives the key's share away."""

    hiding: int = field(repr=False)
    binding: int = field(repr=False)


@dataclass(frozen=True, slots=True)
class NonceCommitments:
    """D = hiding G and E = binding G of one signer."""

    hiding: Point
    binding: Point

    def encode(self) -> bytes:
        """D and then E."""
        return self.hiding.encode() + self.binding.encode()


@dataclass(frozen=True, slots=True)
class Challenge:
    """What follows for all signers from the commitments and the message."""

    binding_factors: Mapping[PartyId, int]
    group_commitment: Point
    challenge: int


def draw_nonces(
    suite: Suite, secret: int, *, randomness: Callable[[int], bytes]
) -> tuple[Nonces, NonceCommitments]:
    """Fresh nonces and their commitments (RFC 9591, sections 4.1 and 5.1)."""
    encoded = suite.encode_scalar(secret)
    hiding = suite.nonce(randomness(_NONCE_BYTES) + encoded)
    binding = suite.nonce(randomness(_NONCE_BYTES) + encoded)
    multiply = suite.curve.multiply_base
    return Nonces(hiding, binding), NonceCommitments(multiply(hiding), multiply(binding))


def derive_challenge(
    suite: Suite, public_key: Point, commitments: Mapping[PartyId, NonceCommitments], message: bytes
) -> Challenge:
    """Binding factors, R and c (RFC 9591, sections 4.4 to 4.6)."""
    encoded = b"".join(suite.encode_scalar(party) + commitments[party].encode() for party in sorted(commitments))
    prefix = public_key.encode() + suite.message_digest(message) + suite.commitments_digest(encoded)
    factors = {party: suite.binding_factor(prefix + suite.encode_scalar(party)) for party in sorted(commitments)}
    bound = suite.curve.sum_of_products(list(factors.values()), [commitments[party].binding for party in factors])
    group = suite.curve.sum([bound, *(entry.hiding for entry in commitments.values())])
    if group.is_identity:
        raise ProtocolAbort("the nonces of the signers cancel")
    return Challenge(factors, group, suite.challenge(group, public_key, message))


def signature_share(
    suite: Suite, key: KeyShare, nonces: Nonces, challenge: Challenge, *, signers: Sequence[PartyId]
) -> int:
    """z_i (RFC 9591, section 5.2)."""
    nonce = nonces.hiding + challenge.binding_factors[key.identity] * nonces.binding
    factor = lagrange_of(key.identity, signers, order=suite.curve.order)
    own = suite.sign_of(challenge.group_commitment) * nonce
    return (own + suite.sign_of(key.public_key) * factor * key.secret * challenge.challenge) % suite.curve.order


def is_signature_share(
    suite: Suite,
    key: KeyShare,
    share: int,
    *,
    party: PartyId,
    commitments: NonceCommitments,
    challenge: Challenge,
    signers: Sequence[PartyId],
) -> bool:
    """Whether `share` is z_i of `party` (RFC 9591, section 5.4); `key` is any signer's."""
    curve = suite.curve
    nonce_sign, key_sign = suite.sign_of(challenge.group_commitment), suite.sign_of(key.public_key)
    factor = key_sign * lagrange_of(party, signers, order=curve.order) * challenge.challenge
    expected = curve.sum_of_products(
        [nonce_sign, nonce_sign * challenge.binding_factors[party], factor],
        [commitments.hiding, commitments.binding, key.public_share(party)],
    )
    return curve.multiply_base(share) == expected


def lagrange_of(party: PartyId, signers: Sequence[PartyId], *, order: int) -> int:
    """The coefficient by which `party`'s share enters the secret when `signers` open it."""
    points = sorted(signers)
    return lagrange_coefficients(order, points)[points.index(party)]


def sign_schnorr(
    suite: Suite,
    key: KeyShare,
    message: bytes,
    *,
    signers: Sequence[PartyId],
    randomness: Callable[[int], bytes],
) -> Protocol[bytes]:
    """The signature of `message`, the same at all `signers`, of whom this party is one: two rounds.

    Raises ValueError for a key of another curve, or signers that are too few, repeated or without this party;
    PartyFault naming a signer that sent a malformed message or a wrong share; ProtocolAbort as described above.
    """
    _check_signers(suite, key, signers)
    others = [party for party in sorted(signers) if party != key.identity]
    nonces, own = draw_nonces(suite, key.secret, randomness=randomness)
    size = 2 * suite.curve.size_bytes
    replies = yield Exchange(dict.fromkeys(others, own.encode()), dict.fromkeys(others, size))
    commitments = {key.identity: own}
    commitments |= {party: _decode_commitments(suite, party, replies) for party in others}
    challenge = derive_challenge(suite, key.public_key, commitments, message)
    share = signature_share(suite, key, nonces, challenge, signers=signers)
    view = _view(suite, commitments, message)
    sent = view + suite.encode_scalar(share)
    replies = yield Exchange(dict.fromkeys(others, sent), dict.fromkeys(others, len(sent)))
    shares = {key.identity: share} | {party: _decode_share(suite, party, replies, view=view) for party in others}
    response = sum(shares.values()) % suite.curve.order
    signature = suite.encode_signature(challenge.group_commitment, response)
    signed_challenge = suite.sign_of(key.public_key) * challenge.challenge
    if not suite.holds(challenge.group_commitment, response, key.public_key.fixed_multiple(signed_challenge)):
        _name_cheater(suite, key, shares, commitments=commitments, challenge=challenge)
    return signature


def _check_signers(suite: Suite, key: KeyShare, signers: Sequence[PartyId]) -> None:
    if key.curve is not suite.curve:
        raise ValueError(f"a key on {key.curve.name} cannot sign on {suite.curve.name}")
    if len(set(signers)) != len(signers) or key.identity not in signers or min(signers) < 1:
        raise ValueError("the signers are different parties, and this party is one of them")
    if len(signers) <= key.threshold:
        raise ValueError(f"{len(signers)} signers are too few: {key.threshold + 1} are needed")


def _decode_commitments(suite: Suite, party: PartyId, replies: Mapping[PartyId, bytes]) -> NonceCommitments:
    size = suite.curve.size_bytes
    data = replies.get(party, b"")
    try:
        return NonceCommitments(suite.curve.decode(data[:size]), suite.curve.decode(data[size:]))
    except MalformedMessage as error:
        raise PartyFault(party, error.reason) from None


def _decode_share(suite: Suite, party: PartyId, replies: Mapping[PartyId, bytes], *, view: bytes) -> int:
    data = replies.get(party, b"")
    try:
        share = suite.decode_scalar(data[_VIEW_BYTES:])
    except MalformedMessage as error:
        raise PartyFault(party, error.reason) from None
    if data[:_VIEW_BYTES] != view:
        raise ProtocolAbort(f"party {party} says that it signs another message or got other commitments to nonces")
    return share


def _view(suite: Suite, commitments: Mapping[PartyId, NonceCommitments], message: bytes) -> bytes:
    parts = [hashlib.sha256(message).digest()]
    parts += [bytes([party]) + commitments[party].encode() for party in sorted(commitments)]
    return hashlib.sha256(_VIEW_DOMAIN + suite.context + b"".join(parts)).digest()


def _name_cheater(
    suite: Suite,
    key: KeyShare,
    shares: Mapping[PartyId, int],
    *,
    commitments: Mapping[PartyId, NonceCommitments],
    challenge: Challenge,
) -> None:
    """Raise for a signature that does not verify."""
    signers = sorted(shares)
    for party in signers:
        good = is_signature_share(
            suite,
            key,
            shares[party],
            party=party,
            commitments=commitments[party],
            challenge=challenge,
            signers=signers,
        )
        if not good:
            raise PartyFault(party, "gave a wrong share of a signature")
    raise ProtocolAbort("every share is right and the signature is not: the shares are not of this key")
