"""Verification of all products since the last one, at a cost in bytes that grows with the logarithm of their number.

Roles: all n parties alike. Adversary: see the package; t < n/2, malicious. Rounds: 4, and 2 a step, which shortens
an inner product 32 times, or 8 times above 2^14, until it has at most 32 elements; and one more when random sharings
have to be dealt. 500 products take 6 rounds, 10^6 take 12.

1. A random sharing is opened; it was fixed with all claims, and nobody knew it. It weights the claims, which become
   one: that the inner product of X and Y, N shares each, is z.
2. A step cuts X and Y into k chunks, the coefficients of F(s) = sum X_i s^i and G(s) = sum Y_i s^(k-1-i). The
   coefficients of the polynomial h = <F, G> are reshared, one element each; that of s^(k-1) is not, since z is its
   place. A random r is opened, and the claim is now that <F(r), G(r)> = h(r), of length N / k. Were the old claim
   wrong, the new one would be right for at most 2k - 2 of all r. [Boneh, Boyle, Corrigan-Gibbs, Gilboa, Ishai,
   CRYPTO 2019; Goyal, Song, CRYPTO 2020; Goyal, Polychroniadou, Song, CRYPTO 2021, section 4, with evaluations
   instead of coefficients]
3. Of the last L elements of X and Y the polynomials get one term more, a s^L and b s^L for random a and b. They
   touch no coefficient up to s^L, and make F(r) and G(r) uniform: these and h(r) are opened, and compared.

A wrong claim passes with a probability below 2^9/p: 4 for the weights, 14 or 62 for each step, at most 64 for the
last. It is tried once: who fails has no second try.

What is opened tells nothing: coins and F(r), G(r) are uniform, their sharings too; h(r) is their product, by a fresh
sharing, plus a combination of the errors that the adversary made itself and knows. If n > 2t + 1, the weighted sum
of all results, of dealt items and of a random sharing is opened beside the first step and its degree checked: only
when all sharings are of degree t is an error in a product a constant, so this is over before h(r) is opened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import numpy as np

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import open_degree, reshare
from quorate.protocol.mpc.random_sharings import deal_random, deal_zero
from quorate.protocol.mpc.rounds import exchange_bytes, together
from quorate.protocol.mpc.seeds import SEED_BYTES, Stream

from .transcript import Batch, InnerProduct, Transcript, VerificationFailed, coefficients

_LONG: Final = 1 << 14
_LONG_FACTOR: Final = 8
_FACTOR: Final = 32
_DOTS_FROM: Final = 1 << 10
"""From chunks of this many elements on, inner products are taken one by one, without transposing."""
_MASKS_AT_ONCE: Final = 64
_COIN_DOMAIN: Final = b"quorate/verification/1"


def transcript_of(party: Party) -> Transcript:
    """The party's transcript. Raises VerificationFailed once a verification has failed or was cut off."""
    if party.transcript is None:
        party.transcript = Transcript()
    if party.transcript.failed:
        raise VerificationFailed("an earlier verification of this session did not succeed")
    return party.transcript


def verify(party: Party) -> Protocol[None]:
    """Verify everything since the last verification. Raises VerificationFailed, InconsistentShares or PartyFault.

    When another one is running beside it (see `together`), this waits for its end.
    """
    transcript = transcript_of(party)
    while transcript.running:
        yield from exchange_bytes(party, {}, {})
        transcript = transcript_of(party)
    if transcript.is_empty:
        return
    batch, passed = transcript.begin(), False
    try:
        yield from _verify_batch(party, batch)
        passed = True
    finally:
        transcript.end(passed=passed)


def checked_zeros(party: Party, count: int) -> Protocol[Vector]:
    """`count` fresh sharings of zero of degree t; a random combination of them, masked by one more, is opened.

    Raises VerificationFailed or InconsistentShares when they are none. Three rounds.
    """
    field = party.field
    (coin,) = yield from _draw(party, 1)
    dealt = yield from deal_zero(party, count + 1, degree=party.threshold)
    weights = coefficients(field, (yield from _seed(party, coin)), count)
    masked = field.add(field.dot(weights, dealt[:count]), dealt[count:])
    if (yield from open_degree(party, masked, degree=party.threshold)).any():
        transcript_of(party).failed = True
        raise VerificationFailed("the sharings of zero are none: a party dealt others")
    return dealt[:count]


# Random sharings and coins


def _draw(party: Party, count: int) -> Protocol[list[Vector]]:
    """Random sharings that nothing else uses, one element each; they are dealt in stock."""
    masks = transcript_of(party).masks
    while masks.count < count:
        masks.put((yield from deal_random(party, max(count, _MASKS_AT_ONCE))))
    (column,) = masks.take(count)
    return [column[index : index + 1] for index in range(count)]


def _toss(party: Party, share: Vector) -> Protocol[Vector]:
    return (yield from open_degree(party, share, degree=party.threshold))


def _seed(party: Party, share: Vector) -> Protocol[Stream]:
    """A stream of coefficients that nobody could foresee before this round."""
    coin = yield from _toss(party, share)
    return Stream(hashlib.sha256(_COIN_DOMAIN + party.field.to_bytes(coin)).digest()[:SEED_BYTES])


# The verification


def factors_for(size: int) -> list[int]:
    """By how much each step shortens an inner product of `size` elements."""
    factors = []
    while size > _FACTOR:
        factors.append(_LONG_FACTOR if size > _LONG else _FACTOR)
        size = -(-size // factors[-1])
    return factors


def _verify_batch(party: Party, batch: Batch) -> Protocol[None]:
    field = party.field
    factors = factors_for(batch.size)
    coin, degree_mask, left_mask, right_mask, *points = yield from _draw(party, 4 + len(factors) + 1)
    stream = yield from _seed(party, coin)
    claim = batch.combined(field, stream, multiple=factors[0] if factors else 1)
    checks = [_prove(party, claim, factors, masks=(left_mask, right_mask), points=points)] if batch.claims else []
    if party.parties > 2 * party.threshold + 1:
        sharings = [*batch.sharings, left_mask, right_mask]
        checks.append(_check_degree(party, stream, claim.total, sharings, mask=degree_mask))
    yield from together(party, *checks)


def _check_degree(
    party: Party, stream: Stream, total: Vector, sharings: Sequence[Vector], *, mask: Vector
) -> Protocol[None]:
    """Open a combination of all sharings, `total` being that of the results. Raises InconsistentShares."""
    field = party.field
    masked = field.add(total, mask)
    for sharing in sharings:
        masked = field.add(masked, field.dot(coefficients(field, stream, len(sharing)), sharing))
    yield from open_degree(party, masked, degree=party.threshold)


def _prove(
    party: Party,
    claim: InnerProduct,
    factors: Sequence[int],
    *,
    masks: tuple[Vector, Vector],
    points: Sequence[Vector],
) -> Protocol[None]:
    """Shorten the claim step by step, and check what is left of it. Raises VerificationFailed."""
    field = party.field
    for factor, point in zip(factors, points, strict=False):
        left, right = (_chunks(field, vector, factor) for vector in (claim.left, claim.right))
        claim = yield from _step(party, left, right[::-1], claim.total, known=factor - 1, point=point)
    size = len(claim.left)
    left, right = (_chunks(field, vector, size) for vector in (claim.left, claim.right))
    last = yield from _step(
        party, [*left, masks[0]], [*right[::-1], masks[1]], claim.total, known=size - 1, point=points[-1]
    )
    shares = np.concatenate([last.left, last.right, last.total])
    opened = yield from open_degree(party, shares, degree=party.threshold)
    if not np.array_equal(field.mul(opened[:1], opened[1:2]), opened[2:]):
        raise VerificationFailed("the products since the last verification are not all correct")


def _chunks(field: PrimeField, vector: Vector, count: int) -> list[Vector]:
    """Equal chunks; the last is padded with zeros."""
    size = -(-len(vector) // count)
    if size * count > len(vector):
        vector = np.concatenate([vector, field.zeros(size * count - len(vector))])
    return [vector[start : start + size] for start in range(0, size * count, size)]


def _step(
    party: Party, left: Sequence[Vector], right: Sequence[Vector], total: Vector, *, known: int, point: Vector
) -> Protocol[InnerProduct]:
    """From the polynomials with coefficients `left` and `right` to their values at a random point; two rounds.

    `total` stands for the coefficient of s^known in their inner product.
    """
    field = party.field
    products = _polynomial_product(field, left, right)
    fresh = yield from reshare(party, np.delete(products, known, axis=0))
    coefficients_shared = np.insert(fresh, known, total, axis=0)
    value = field.integers((yield from _toss(party, point)))[0] or 1  # at zero a and b would mask nothing
    powers = [1]
    for _ in range(len(products) - 1):
        powers.append(powers[-1] * value % field.modulus)
    values = [field.combine(powers[: len(rows)], rows) for rows in (left, right)]
    return InnerProduct(values[0], values[1], field.dot(field.vector(powers), coefficients_shared))


def _polynomial_product(field: PrimeField, left: Sequence[Vector], right: Sequence[Vector]) -> Vector:
    """The coefficients of <F, G>, lowest first, for polynomials whose coefficients are equally long vectors."""
    count, size = len(left), len(left[0])
    if size < _DOTS_FROM:
        columns = np.stack(right, axis=1).reshape(-1, field.limbs)
        pairs = field.matrix_product(np.concatenate(left), columns, inner=size)
    else:
        pairs = np.concatenate([field.dot(one, other) for one in left for other in right])
    table = np.zeros((count, 2 * count - 1, field.limbs), dtype=np.uint64)
    for shift in range(count):
        table[shift, shift : shift + count] = pairs[shift * count : (shift + 1) * count]
    return field.combine([1] * count, list(table))
