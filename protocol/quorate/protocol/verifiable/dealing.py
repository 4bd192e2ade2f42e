"""Dealing secrets verifiably, and checking what was dealt or opened: many sharings by one sum of products.

A claim is "this is party i's share of that commitment". Claims k are checked together under random weights w_k of 128
bits: the sum of w_k (s_k G + s'_k H - sum_j i_k^j C_kj) is the identity when all are true, and with probability 2^-128
when one is false [Bellare, Garay, Rabin 1998, the small exponents test, which is sound in groups of prime order].
The weights must be unknown to whoever made the claims. A false claim is then found by halving.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from quorate.protocol.curve import Curve, Point
from quorate.protocol.errors import PartyFault, ProtocolAbort
from quorate.protocol.sharing import MAX_PARTIES, PartyId

from .commitment import Commitment, Scheme, Share
from .polynomial import evaluate, interpolate, random_polynomial

WEIGHT_BYTES: Final = 16
"""The size of a random weight; a false batch passes with probability 2^-128."""


@dataclass(frozen=True, slots=True)
class Dealing:
    """What a dealer makes of its secrets: a commitment each, to be published, and `shares[i - 1]` for party i."""

    commitments: tuple[Commitment, ...]
    shares: tuple[tuple[Share, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """That `share` is party `party`'s share of the sharing that `commitment` binds."""

    commitment: Commitment
    party: PartyId
    share: Share = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reconstructed:
    """The secrets, with their blindings under Pedersen, and the parties that gave wrong shares."""

    secrets: tuple[Share, ...] = field(repr=False)
    wrong: frozenset[PartyId]


def deal(
    curve: Curve,
    secrets: Sequence[int],
    *,
    scheme: Scheme,
    parties: int,
    threshold: int,
    randomness: Callable[[int], bytes],
) -> Dealing:
    """Share each secret by its own polynomial of degree `threshold`; the blindings of secrets are random too.

    Raises ValueError for a threshold that no committee of `parties` can have.
    """
    if not 0 <= threshold < parties <= MAX_PARTIES:
        raise ValueError(f"no threshold {threshold} among {parties} parties")
    commitments, shares = [], []
    for secret in secrets:
        values = random_polynomial(curve, secret, degree=threshold, randomness=randomness)
        blindings = (0,) * len(values)
        if scheme is Scheme.PEDERSEN:
            constant = curve.random_scalar(randomness)
            blindings = random_polynomial(curve, constant, degree=threshold, randomness=randomness)
        pairs = [Share(value, blinding) for value, blinding in zip(values, blindings, strict=True)]
        commitments.append(Commitment(curve, scheme, tuple(scheme.commit(curve, pair) for pair in pairs)))
        shares.append([evaluate_shares(pairs, point, order=curve.order) for point in range(1, parties + 1)])
    by_party = zip(*shares, strict=True) if shares else [()] * parties
    return Dealing(tuple(commitments), tuple(tuple(own) for own in by_party))


def evaluate_shares(coefficients: Sequence[Share], point: int, *, order: int) -> Share:
    """The values at `point` of the pair of polynomials with these coefficients."""
    value = evaluate([pair.value for pair in coefficients], point, order=order)
    return Share(value, evaluate([pair.blinding for pair in coefficients], point, order=order))


def interpolate_shares(shares: Mapping[PartyId, Share], *, order: int, at: int = 0) -> Share:
    """The values at `at` of the pair of polynomials of degree below len(shares) through these points."""
    value = interpolate({party: share.value for party, share in shares.items()}, order=order, at=at)
    blindings = {party: share.blinding for party, share in shares.items()}
    return Share(value, interpolate(blindings, order=order, at=at))


def verify(claims: Sequence[Claim], *, randomness: Callable[[int], bytes]) -> bool:
    """Whether all claims are true, but for an error of 2^-128; raises ValueError for claims on several curves."""
    if not claims:
        return True
    curve = claims[0].commitment.curve
    weights = [int.from_bytes(randomness(WEIGHT_BYTES), "big") for _ in claims]
    value = blinding = 0
    factors: dict[int, list[int]] = {}  # by commitment, so that claims on one share its points
    points: dict[int, tuple[Point, ...]] = {}
    for claim, weight in zip(claims, weights, strict=True):
        if claim.commitment.scheme is Scheme.FELDMAN and claim.share.blinding:
            return False
        value += weight * claim.share.value
        blinding += weight * claim.share.blinding
        key = id(claim.commitment)
        points[key] = claim.commitment.points
        row = factors.setdefault(key, [0] * len(points[key]))
        for exponent in range(len(row)):
            row[exponent] += weight * claim.party**exponent
    committed = curve.commit(value, blinding) if blinding else curve.multiply_base(value)
    scalars = [factor for row in factors.values() for factor in row]
    return committed == curve.sum_of_products(scalars, [point for row in points.values() for point in row])


def false_claims(claims: Sequence[Claim], *, randomness: Callable[[int], bytes]) -> list[Claim]:
    """The claims that are false, found by halving; none costs one check, one among m about 2 log2 m."""
    if verify(claims, randomness=randomness):
        return []
    if len(claims) == 1:
        return [claims[0]]
    middle = len(claims) // 2
    halves = (claims[:middle], claims[middle:])
    return [claim for half in halves for claim in false_claims(half, randomness=randomness)]


def check_dealing(
    commitments: Sequence[Commitment],
    shares: Sequence[Share],
    *,
    dealer: PartyId,
    receiver: PartyId,
    randomness: Callable[[int], bytes],
) -> None:
    """Check the shares that `dealer` gave `receiver`, one a commitment; raises PartyFault naming the dealer.

    The receiver alone is convinced: others have not seen the share, so that it could lie about it.
    """
    if len(commitments) != len(shares):
        raise PartyFault(dealer, f"dealt {len(shares)} shares of {len(commitments)} sharings")
    pairs = zip(commitments, shares, strict=True)
    if not verify([Claim(commitment, receiver, share) for commitment, share in pairs], randomness=randomness):
        raise PartyFault(dealer, "dealt a share that its commitment does not bind")


def check_opening(
    commitments: Sequence[Commitment],
    shares: Mapping[PartyId, Sequence[Share]],
    *,
    randomness: Callable[[int], bytes],
) -> None:
    """Check every party's shares, one a commitment; raises PartyFault naming the first party with a wrong one."""
    wrong = _wrong_parties(commitments, shares, randomness=randomness)
    if wrong:
        raise PartyFault(min(wrong), "gave a share that the commitment does not bind")


def reconstruct(
    commitments: Sequence[Commitment],
    shares: Mapping[PartyId, Sequence[Share]],
    *,
    randomness: Callable[[int], bytes],
) -> Reconstructed:
    """The secrets in spite of wrong shares, from any t + 1 parties whose shares are all right.

    Raises ProtocolAbort when fewer gave right ones.
    """
    wrong = _wrong_parties(commitments, shares, randomness=randomness)
    good = sorted(party for party in shares if party not in wrong)
    secrets = []
    for index, commitment in enumerate(commitments):
        if len(good) <= commitment.threshold:
            raise ProtocolAbort(f"{len(good)} right shares of {commitment.threshold + 1} that are needed")
        chosen = {party: shares[party][index] for party in good[: commitment.threshold + 1]}
        secrets.append(interpolate_shares(chosen, order=commitment.curve.order))
    return Reconstructed(tuple(secrets), frozenset(wrong))


def _wrong_parties(
    commitments: Sequence[Commitment],
    shares: Mapping[PartyId, Sequence[Share]],
    *,
    randomness: Callable[[int], bytes],
) -> set[PartyId]:
    wrong = {party for party, own in shares.items() if len(own) != len(commitments)}
    claims = [
        Claim(commitment, party, share)
        for party, own in shares.items()
        if party not in wrong
        for commitment, share in zip(commitments, own, strict=True)
    ]
    return wrong | {claim.party for claim in false_claims(claims, randomness=randomness)}
