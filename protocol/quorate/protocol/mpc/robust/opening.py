"""Openings that t liars can neither stop nor falsify, in an asynchronous network.

Adversary: malicious, t of n >= d + 2t + 1 parties, for sharings of degree d (t, or 2t where n >= 4t + 1) of which
every honest party holds its right share. Values that lie on one polynomial of degree d are right as soon as d + t + 1
of them came, for d + 1 of those are honest and fix it; so nobody waits for more than n - t parties, and no silent or
lying party ends an opening. With more than t liars an opening may end with InconsistentShares, or be wrong; with more
than t silent parties it waits for ever.

A codeword of vectors is taken as consistent when all of its columns are, which costs one parity a share and a value.
If not, one inconsistent column is decoded [Berlekamp, Welch 1986; on-line error correction: Ben-Or, Canetti,
Goldreich, STOC 1993, section 4]: the liars that it shows are left out for the rest of the session, and the rest is
checked again. If the shares that came cannot tell, more of them are waited for. At most t columns are decoded in a
session, however much is opened.

Two ways to open m values. Direct: each party sends all n - 1 others its m shares, one round. Packed [Damgard,
Nielsen 2007, section 4; Lu et al., HoneyBadgerMPC, CCS 2019, section 4]: t + 1 values at a time are the coefficients
of a polynomial g; party j is sent the shares of g(j), decodes g(j) and sends it to everybody, who decodes g. Two
rounds, and 2 (n - 1) / (t + 1) elements sent for each value instead of n - 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.batches import join, pieces
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import exchange_more, exchange_until
from quorate.protocol.mpc.standing import Standing
from quorate.protocol.sharing import InconsistentShares, PartyId, lagrange_fractions
from quorate.protocol.sharing.decoding import wrong_in_one_column

PACKED_FROM_PARTIES: Final = 10
"""From this size of a committee on, large batches are opened packed."""
PACKED_FROM_ELEMENTS: Final = 4096
"""The least batch that is opened packed: below, a second round costs more than it saves."""
_CACHED_PLANS: Final = 4096


def standing_of(party: Party) -> Standing:
    """What the party remembers of its committee; at first all hold shares, and t may be corrupted."""
    if party.standing is None:
        everybody = tuple(PartyId(each) for each in range(1, party.parties + 1))
        party.standing = Standing(everybody, party.threshold)
    return party.standing


def open_robustly(party: Party, x: Vector, *, degree: int) -> Protocol[Vector]:
    """The values of sharings of degree `degree`, to everybody: one round, or two for a packed batch.

    Raises InconsistentShares only when more parties than the scheme withstands are wrong or gone.
    """
    results = []
    for start, stop in pieces(len(x)):
        piece = x[start:stop]
        packed = party.parties >= PACKED_FROM_PARTIES and len(piece) >= PACKED_FROM_ELEMENTS
        results.append((yield from (open_packed if packed else open_directly)(party, piece, degree=degree)))
    return join(party.field, results)


def open_directly(party: Party, x: Vector, *, degree: int) -> Protocol[Vector]:
    """The values of `x`: everybody sends everybody its shares."""
    message = party.field.to_bytes(x)
    codeword = yield from _receive(party, dict.fromkeys(party.others, message), x, degree=degree)
    return interpolate(party.field, codeword, degree=degree)


def open_packed(party: Party, x: Vector, *, degree: int) -> Protocol[Vector]:
    """The values of `x`, t + 1 at a time as the coefficients of a polynomial of which each party opens one value."""
    field, size = party.field, party.threshold + 1
    each = -(-len(x) // size)
    padded = np.concatenate([x, field.zeros(each * size - len(x))])
    blocks = [padded[index * each : (index + 1) * each] for index in range(size)]
    powers = [[point**exponent for exponent in range(size)] for point in range(1, party.parties + 1)]
    rows = field.matrix(powers, blocks)
    outgoing = {other: field.to_bytes(rows[other - 1]) for other in party.others}
    own = rows[party.identity - 1]
    codeword = yield from _receive(party, outgoing, own, degree=degree)
    value = interpolate(field, codeword, degree=degree)
    message = field.to_bytes(value)
    codeword = yield from _receive(party, dict.fromkeys(party.others, message), value, degree=size - 1)
    base = sorted(codeword)[:size]
    scale, lines = _coefficient_lines(tuple(base))
    found = field.matrix(lines, [codeword[point] for point in base])
    return field.scale(np.concatenate(found), field.inverse(scale))[: len(x)]


def _receive(
    party: Party, outgoing: Mapping[PartyId, bytes], own: Vector, *, degree: int
) -> Protocol[dict[PartyId, Vector]]:
    """A round in which party j says its value of a codeword of `degree`; enough consistent values of it."""
    standing, count = standing_of(party), len(own)
    size = count * party.field.size_bytes
    values = {party.identity: own} if party.identity in standing.holders else {}
    replies: Mapping[PartyId, bytes] = {}
    unheard = set(party.others)
    wanted = _agreeing(standing, degree) - len(values)

    def enough(said: Mapping[PartyId, bytes]) -> bool:
        heard = standing.heard
        return sum(len(message) == size and sender in heard for sender, message in said.items()) >= wanted

    if party.others:
        replies = yield from exchange_until(party, outgoing, dict.fromkeys(party.others, size), enough=enough)
    while True:
        unheard -= replies.keys()
        values |= _read(party, standing, replies, count)
        while len(values) >= _agreeing(standing, degree):
            if is_consistent(party.field, values, degree=degree):
                return values
            liars = _find_liars(party, standing, values, degree=degree)
            if not liars:
                break
            values = {sender: value for sender, value in values.items() if sender not in liars}
        waited = {sender: size for sender in unheard if sender in standing.heard}
        if not waited:
            raise InconsistentShares
        wanted = max(1, _agreeing(standing, degree) - len(values))
        replies = yield from exchange_more(party, waited, enough=enough)


def _agreeing(standing: Standing, degree: int) -> int:
    """How many values have to agree for a polynomial of `degree` to be the right one."""
    return degree + 1 + standing.budget


def _read(party: Party, standing: Standing, replies: Mapping[PartyId, bytes], count: int) -> dict[PartyId, Vector]:
    """The values of the holders that are not caught; one that sends no vector of that size is caught at it."""
    values = {}
    for sender, message in replies.items():
        if sender in standing.heard:
            try:
                values[sender] = party.field.from_bytes(message, count)
            except MalformedMessage as error:
                standing.catch(sender, f"sent no shares in an opening: {error.reason}")
    return values


def _find_liars(
    party: Party, standing: Standing, values: Mapping[PartyId, Vector], *, degree: int
) -> frozenset[PartyId]:
    """Catch whoever is wrong in the first inconsistent column, if the values that are here can tell."""
    most = min(standing.budget, len(values) - _agreeing(standing, degree))
    wrong = wrong_in_one_column(party.field, values, threshold=degree, most=most) if most > 0 else frozenset()
    for liar in wrong:
        standing.catch(liar, "sent a wrong share in an opening")
    return wrong


# Codewords


def is_consistent(field: PrimeField, values: Mapping[PartyId, Vector], *, degree: int) -> bool:
    """Whether the vectors lie on polynomials of at most `degree`; there are more than `degree` of them."""
    points = sorted(values)
    base = tuple(points[: degree + 1])
    rows = [values[point] for point in base]
    for point in points[degree + 1 :]:
        parity = field.combine(_parity(base, point), [*rows, values[point]])
        if parity.any():
            return False
    return True


def interpolate(field: PrimeField, values: Mapping[PartyId, Vector], *, degree: int) -> Vector:
    """The secrets behind a consistent codeword."""
    base = tuple(sorted(values)[: degree + 1])
    scale, coefficients = _whole(lagrange_fractions(base))
    combined = field.combine(coefficients, [values[point] for point in base])
    return combined if scale == 1 else field.scale(combined, field.inverse(scale))


@lru_cache(maxsize=_CACHED_PLANS)
def _parity(base: tuple[int, ...], point: int) -> tuple[int, ...]:
    """Integers that combine the values at `base` and then at `point` to zero: small ones, so that kernels are fast."""
    scale, coefficients = _whole(lagrange_fractions(base, at=point))
    return (*coefficients, -scale)


def _whole(fractions: tuple[Fraction, ...]) -> tuple[int, tuple[int, ...]]:
    """A common denominator, and the fractions times it."""
    scale = lcm(*(fraction.denominator for fraction in fractions))
    return scale, tuple(int(fraction * scale) for fraction in fractions)


@lru_cache(maxsize=_CACHED_PLANS)
def _coefficient_lines(base: tuple[int, ...]) -> tuple[int, tuple[tuple[int, ...], ...]]:
    """Lines that turn the values at `base` into the coefficients of their polynomial, times a common denominator."""
    columns = []
    for index, point in enumerate(base):
        column = [Fraction(1)]
        for other in (*base[:index], *base[index + 1 :]):
            below, above = [Fraction(0), *column], [*(entry * -other for entry in column), Fraction(0)]
            column = [(x + y) / (point - other) for x, y in zip(below, above, strict=True)]
        columns.append(column)
    scale = lcm(*(entry.denominator for column in columns for entry in column))
    lines = tuple(tuple(int(column[power] * scale) for column in columns) for power in range(len(base)))
    return scale, lines
