"""Handing secrets over from one committee to another: other members, another n, another t.

Roles: the members of the old committee (n parties, threshold t), those of the new one (n', t'), in one joint
session; a member may be in both. Each old member shares its share to the new committee by a polynomial of degree
t'; a combination of t + 1 of these, with Lagrange coefficients, is a fresh sharing of the same secrets [Desmedt,
Jajodia 1997]. What either committee's t (t') parties see is independent of the secrets, and shares of the old
sharing do not combine with those of the new one.

Verification, in the manner of batched resharing [Maram et al., CHURP, CCS 2019; Goyal et al., Fluid MPC 2021]:
two sharings of random values, which the old committee made beforehand, are handed over with the secrets. When all
is dealt, the new members open the first, which fixes random coefficients; then each publishes, for every old
member, the combination of all it was dealt, hidden by the second. Each such row must be of degree t', and the
constants of the rows must be of degree t in the old points. A deviation passes with probability about 1/|F|.

Adversary: malicious, synchronous, at most t of the old members and at most t' of the new ones. With honest
majorities on both sides a wrong handover is detected and ends in ProtocolAbort. Where n >= 3t + 1 and n' >= 3t' +
1 the wrong rows are left out, and the handover goes on as long as t + 1 right ones can be told, which they can
whenever only old members, or only new ones, cheat; an old member that sends nothing, or bytes that are no
elements, is named by PartyFault. New members compare digests of what was published, so that a new member that
tells different stories is noticed (ProtocolAbort). With t + 1 corrupted old members the secrets are theirs
anyway; with t' + 1 corrupted new ones, the new sharing is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.field import Vector
from quorate.protocol.mpc.batches import join, pieces
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import exchange_bytes, exchange_vectors
from quorate.protocol.mpc.seeds import SEED_BYTES, Stream
from quorate.protocol.sharing import (
    InconsistentShares,
    PartyId,
    check_degree,
    decode,
    lagrange_coefficients,
    share,
)

MIN_SOUNDNESS_BITS: Final = 40
"""The least field size, in bits, whose single check leaves a cheater less than 2^-40."""
CHECK_ELEMENTS: Final = 2
"""Random sharings that a handover uses up: one for the coefficients, one that hides what is published."""
_COIN_DOMAIN: Final = b"quorate/handover/coin/1"
_DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Handover:
    """Who hands over to whom: party i of a committee is the i-th of its members' numbers in the joint session.

    Raises ValueError for a member that is named twice, or a committee without an honest majority.
    """

    old: tuple[PartyId, ...]
    old_threshold: int
    new: tuple[PartyId, ...]
    new_threshold: int

    def __post_init__(self) -> None:
        for members, threshold in ((self.old, self.old_threshold), (self.new, self.new_threshold)):
            if len(set(members)) != len(members):
                raise ValueError("a committee has each member once")
            if threshold < 0 or 2 * threshold >= len(members):
                raise ValueError(f"threshold {threshold} needs {2 * threshold + 1} members, not {len(members)}")

    @property
    def names_cheaters(self) -> bool:
        """Whether wrong dealings are named and left out, and do not end the handover."""
        return len(self.old) > 3 * self.old_threshold and len(self.new) > 3 * self.new_threshold


def reshare(
    party: Party, handover: Handover, *, count: int, shares: Vector | None, checks: Vector | None
) -> Protocol[Vector | None]:
    """Hand `count` secrets over; returns this member's shares in the new committee, or None if it is not in it.

    `party` is this member's context in the joint session: its number there, of all members of both committees. An
    old member gives its `shares` and its shares of CHECK_ELEMENTS random values that nobody knows (`checks`).
    Five rounds at most for a batch below MAX_ROUND_ELEMENTS. Raises PartyFault, InconsistentShares or
    ProtocolAbort when members cheat: the old shares then stay in force. Raises ValueError for arguments that do
    not fit, and for a field too small to check in.
    """
    _check_arguments(party, handover, count, shares, checks)
    given = None if shares is None or checks is None else np.concatenate([shares, checks])
    dealt = yield from _deal(party, handover, given, count + CHECK_ELEMENTS)
    if party.identity not in handover.new:
        return None
    coins, coin_hash = yield from _publish(party, handover, [row[count : count + 1] for row in dealt])
    wrong = _wrong_dealers(party, handover, coins)
    coin = _constant(party, handover, coins, wrong)
    weights = _weights(party, coin, count)
    sums = [_combined(party, weights, row, count) for row in dealt]
    published, sum_hash = yield from _publish(party, handover, sums)
    wrong |= _wrong_dealers(party, handover, published)
    yield from _agree(party, handover, coin_hash + sum_hash)
    points = _right_points(handover, wrong)
    coefficients = lagrange_coefficients(party.field.modulus, points)
    return party.field.combine(coefficients, [dealt[point - 1][:count] for point in points])


def _check_arguments(
    party: Party, handover: Handover, count: int, shares: Vector | None, checks: Vector | None
) -> None:
    if party.field.modulus.bit_length() <= MIN_SOUNDNESS_BITS:
        raise ValueError(f"a handover over {party.field.name} could be cheated in: the field is too small")
    if any(not 1 <= number <= party.parties for number in (*handover.old, *handover.new)):
        raise ValueError("a committee names a member that is not in the joint session")
    is_old = party.identity in handover.old
    if is_old != (shares is not None) or is_old != (checks is not None):
        raise ValueError("the members of the old committee, and no others, give shares and checks")
    if shares is not None and checks is not None and (len(shares) != count or len(checks) != CHECK_ELEMENTS):
        raise ValueError(f"{count} shares and {CHECK_ELEMENTS} checks are needed")


def _deal(party: Party, handover: Handover, given: Vector | None, count: int) -> Protocol[list[Vector]]:
    """What each old member dealt to this one, in the order of the old committee; empty for a member that leaves."""
    field, is_new = party.field, party.identity in handover.new
    parts: dict[PartyId, list[Vector]] = {dealer: [] for dealer in handover.old}
    for start, stop in pieces(count):
        outgoing: dict[PartyId, Vector] = {}
        if given is not None:
            dealt = share(
                field,
                given[start:stop],
                parties=len(handover.new),
                threshold=handover.new_threshold,
                randomness=party.randomness,
            )
            outgoing = dict(zip(handover.new, dealt, strict=True))
            if is_new:
                parts[party.identity].append(outgoing.pop(party.identity))
        dealers = [dealer for dealer in handover.old if dealer != party.identity]
        incoming = dict.fromkeys(dealers, stop - start) if is_new else {}
        received = yield from exchange_vectors(party, outgoing, incoming)
        for dealer, vector in received.items():
            parts[dealer].append(vector)
    return [join(field, parts[dealer]) for dealer in handover.old] if is_new else []


def _publish(
    party: Party, handover: Handover, rows: Sequence[Vector]
) -> Protocol[tuple[dict[PartyId, Vector], bytes]]:
    """One element for each old member, to all new members: by new point, and the digest of all of it."""
    own = np.concatenate(rows)
    others = [member for member in handover.new if member != party.identity]
    received = yield from exchange_vectors(party, dict.fromkeys(others, own), dict.fromkeys(others, len(own)))
    received[party.identity] = own
    columns = {PartyId(point): received[member] for point, member in enumerate(handover.new, start=1)}
    digest = hashlib.sha256()
    for point in sorted(columns):
        digest.update(party.field.to_bytes(columns[point]))
    return columns, digest.digest()


def _agree(party: Party, handover: Handover, digest: bytes) -> Protocol[None]:
    others = [member for member in handover.new if member != party.identity]
    replies = yield from exchange_bytes(
        party, dict.fromkeys(others, digest), dict.fromkeys(others, 2 * _DIGEST_BYTES)
    )
    if any(reply != digest for reply in replies.values()):
        raise ProtocolAbort("members of the new committee published different values to different members")


def _wrong_dealers(party: Party, handover: Handover, columns: Mapping[PartyId, Vector]) -> set[int]:
    """The old points whose dealings are wrong. Raises InconsistentShares where they cannot be told."""
    trusted = dict(columns)
    if handover.names_cheaters:
        for liar in _lying_publishers(party, handover, columns):
            del trusted[liar]
    rows = [{point: vector[place : place + 1] for point, vector in trusted.items()} for place in _places(handover)]
    wrong = {
        place + 1
        for place, row in zip(_places(handover), rows, strict=True)
        if not check_degree(party.field, row, degree=handover.new_threshold)
    }
    if wrong and not handover.names_cheaters:
        raise InconsistentShares
    constants = {
        PartyId(place + 1): _interpolated(party, handover, rows[place])
        for place in _places(handover)
        if place + 1 not in wrong
    }
    if len(constants) <= handover.old_threshold:
        raise InconsistentShares
    if check_degree(party.field, constants, degree=handover.old_threshold):
        return wrong
    if not handover.names_cheaters:
        raise InconsistentShares
    return wrong | {int(point) for point in decode(party.field, constants, threshold=handover.old_threshold).wrong}


def _lying_publishers(party: Party, handover: Handover, columns: Mapping[PartyId, Vector]) -> set[PartyId]:
    """New points that published what does not fit with the others in more rows than there are wrong dealers."""
    misfits = dict.fromkeys(columns, 0)
    for place in _places(handover):
        row = {point: vector[place : place + 1] for point, vector in columns.items()}
        try:
            wrong = decode(party.field, row, threshold=handover.new_threshold).wrong
        except InconsistentShares:
            continue  # a dealer's work: no t' publishers explain it
        for point in wrong:
            misfits[point] += 1
    return {point for point, count in misfits.items() if count > handover.old_threshold}


def _places(handover: Handover) -> range:
    return range(len(handover.old))


def _interpolated(party: Party, handover: Handover, row: Mapping[PartyId, Vector]) -> Vector:
    points = sorted(row)[: handover.new_threshold + 1]
    coefficients = lagrange_coefficients(party.field.modulus, points)
    return party.field.combine(coefficients, [row[point] for point in points])


def _right_points(handover: Handover, wrong: set[int]) -> list[int]:
    """The first t + 1 old points with right dealings: the same at every honest member."""
    right = [place + 1 for place in _places(handover) if place + 1 not in wrong]
    if len(right) <= handover.old_threshold:
        raise InconsistentShares([handover.old[point - 1] for point in sorted(wrong)])
    return right[: handover.old_threshold + 1]


def _constant(party: Party, handover: Handover, columns: Mapping[PartyId, Vector], wrong: set[int]) -> bytes:
    """The opened coin, from rows that are right."""
    points = _right_points(handover, wrong)
    field = party.field
    trusted = dict(columns)
    if handover.names_cheaters:
        for liar in _lying_publishers(party, handover, columns):
            del trusted[liar]
    rows = []
    for point in points:
        row = {new_point: vector[point - 1 : point] for new_point, vector in trusted.items()}
        rows.append(_interpolated(party, handover, row))
    return field.to_bytes(field.combine(lagrange_coefficients(field.modulus, points), rows))


def _weights(party: Party, coin: bytes, count: int) -> Vector:
    key = hashlib.sha256(_COIN_DOMAIN + coin).digest()
    return Stream(key[:SEED_BYTES]).elements(party.field, count)


def _combined(party: Party, weights: Vector, row: Vector, count: int) -> Vector:
    """The weighted sum of a dealer's row, and its second check, which hides it."""
    field = party.field
    total = field.dot(weights, row[:count]) if count else field.zeros(1)
    return field.add(total, row[count + 1 : count + 2])
