"""Verified random sharings: every holder deals, a random combination of all it dealt is made public and compared.

Adversary: malicious, t of n >= 3t + 1; the checks miss a wrong dealing with a probability below 2^-80 (a hash value
guessed, or m / p for m dealt items). Network: private channels that deliver in DEALING_DEADLINE_MS. A party that is
later counts as corrupted: the corrupted and the late ones together must be at most t, else results may be wrong and
what is preprocessed may not be secret.

A segment, among n' holders of whom t' may be corrupted; t' = t until somebody is excluded:

1. Each holder deals its items: families of polynomials (see `layout`), among them pairs with equal values at 0 and
   ones that are zero there. Each family has one more, random, and one more is zero at 0: masks for step 3. One message
   to each other holder.
2. All agree on everybody's report: from whom its dealing came, and a random nonce. The nonces make a seed, which no
   dealing can depend on.
3. All agree on everybody's report: with random weights from the seed, G combines each family, and F what must be zero
   at 0: values that must be, and differences. As a dealer it says its polynomials G and F by their coefficients, F
   without a constant; as a holder its shares of everybody's.
4. Where a share is off its dealer's polynomial, dealer and holder contradict each other; both are excluded, and the
   segment is thrown away and dealt again. At most t segments are lost in a session.
5. If not, n' - t' combinations by a Vandermonde matrix of what the n' dealt are random to any t' of them [Damgard,
   Nielsen, CRYPTO 2007, section 4].

That a few public random combinations find wrong dealings is batch verification [Bellare, Garay, Rabin, EUROCRYPT
1998]; that a dealer's own statement of them localises the fault is dispute control [Beerliova-Trubiniova, Hirt, TCC
2006, section 3].
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.dealing import random_elements
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.rounds import exchange_until
from quorate.protocol.mpc.seeds import SEED_BYTES, Stream
from quorate.protocol.sharing import PartyId

from .agreement import agree_on_reports
from .faults import Findings
from .layout import Family, Layout
from .opening import standing_of

DEALING_DEADLINE_MS: Final = 5_000
"""How long a message of preprocessing is waited for before its sender counts as gone."""
_NONCE_BYTES: Final = 32
_SEED_DOMAIN: Final = b"quorate/robust/dealing/1"


@dataclass(frozen=True, slots=True)
class Dealings:
    """One party's view of a segment that stood the check.

    `own[family]` are the coefficient vectors of what it dealt, constant first; `shares[dealer][family]` its shares.
    """

    layout: Layout
    own: list[list[Vector]] = field(repr=False)
    shares: Mapping[PartyId, list[Vector]] = field(repr=False)


def deal_segment(party: Party, layout: Layout) -> Protocol[Dealings | None]:
    """One segment; None when it was thrown away, since someone had to be excluded.

    A party that holds no shares any more takes part in the agreements, and gets an empty view. Raises ProtocolAbort
    when more are wrong or late than the committee withstands.
    """
    standing = standing_of(party)
    holders = standing.holders
    is_holder = party.identity in holders
    own = _draw(party, layout) if is_holder else []
    rows = _evaluate(party, own, holders) if is_holder else {}
    received = yield from _exchange(party, rows, layout)
    nonce = party.randomness(_NONCE_BYTES)
    came = bytes(holder in received for holder in holders)
    reports = yield from agree_on_reports(party, holders, nonce + came)
    findings = Findings()
    _judge_arrivals(findings, holders, reports)
    if findings.apply(standing):
        return None
    weights = _weights(party.field, reports, layout)
    shares = {dealer: layout.split(row) for dealer, row in received.items()}
    statement = _statement(party, own, shares, layout=layout, weights=weights) if is_holder else b""
    reports = yield from agree_on_reports(party, holders, statement)
    _judge_statements(findings, party, layout, holders=holders, reports=reports)
    return None if findings.apply(standing) else Dealings(layout, own, shares)


def _draw(party: Party, layout: Layout) -> list[list[Vector]]:
    """Random polynomials of all families: those of LOW are free but for the zeros, others repeat their values."""
    field = party.field
    constants = {Family.LOW: random_elements(party, layout.counts[Family.LOW])}
    low = constants[Family.LOW]
    low[layout.zeros_at] = 0
    constants[Family.HIGH] = np.concatenate([low[layout.doubles_at], field.zeros(1), random_elements(party, 1)])
    masks = field.zeros(layout.masks)
    constants[Family.WIDE] = np.concatenate([low[layout.products_at], masks, random_elements(party, 1)])
    if layout.has_inner:
        constants[Family.INNER] = np.concatenate([low[layout.operands_at], random_elements(party, 1)])
    return [
        [
            constants[family],
            *(random_elements(party, len(constants[family])) for _ in range(layout.degrees[family])),
        ]
        for family in layout.families
    ]


def _evaluate(party: Party, own: list[list[Vector]], holders: tuple[PartyId, ...]) -> dict[PartyId, Vector]:
    """What each holder gets: its shares of all families, one after another."""
    parts = []
    for coefficients in own:
        powers = [[holder**exponent for exponent in range(len(coefficients))] for holder in holders]
        parts.append(party.field.matrix(powers, coefficients))
    return {holder: np.concatenate(rows) for holder, *rows in zip(holders, *parts, strict=True)}


def _exchange(party: Party, rows: Mapping[PartyId, Vector], layout: Layout) -> Protocol[dict[PartyId, Vector]]:
    """Send the dealings; those that came in time and are well formed, with one's own."""
    field, count = party.field, sum(layout.counts)
    outgoing = {holder: field.to_bytes(row) for holder, row in rows.items() if holder != party.identity}
    replies = yield from exchange_among_holders(party, outgoing, count * field.size_bytes)
    received = {party.identity: rows[party.identity]} if party.identity in rows else {}
    for sender, message in replies.items():
        try:
            received[sender] = field.from_bytes(message, count)
        except MalformedMessage as error:
            standing_of(party).catch(sender, f"dealt what are no shares: {error.reason}")
    return dict(sorted(received.items()))


def exchange_among_holders(
    party: Party, outgoing: Mapping[PartyId, bytes], size: int
) -> Protocol[dict[PartyId, bytes]]:
    """A round of the holders: what came of them before DEALING_DEADLINE_MS.

    For others it is an empty round, so that rounds that they have in common with other protocols stay in step.
    """
    holders = standing_of(party).holders
    if party.identity not in holders:
        outgoing, holders = {}, ()
    incoming = {holder: size for holder in holders if holder != party.identity}
    return (
        yield from exchange_until(
            party,
            outgoing,
            incoming,
            enough=lambda replies: len(replies) == len(incoming),
            deadline_ms=DEALING_DEADLINE_MS,
        )
    )


def judge_absence(
    findings: Findings, holders: tuple[PartyId, ...], reports: Mapping[PartyId, bytes], *, size: int
) -> None:
    """A holder whose report is not there in time, or of another size, is wrong."""
    for holder in holders:
        if holder not in reports:
            findings.prove(holder, "said nothing in time in preprocessing")
        elif len(reports[holder]) != size:
            findings.prove(holder, "gave a malformed report in preprocessing")


def _judge_arrivals(findings: Findings, holders: tuple[PartyId, ...], reports: Mapping[PartyId, bytes]) -> None:
    judge_absence(findings, holders, reports, size=_NONCE_BYTES + len(holders))
    for holder, report in reports.items():
        if holder not in findings.proven:
            for dealer, came in zip(holders, report[_NONCE_BYTES:], strict=True):
                if not came:
                    findings.contradict(dealer, holder)


# The check


@dataclass(frozen=True, slots=True)
class _Weights:
    """By family, the weights of its G, and those with which it enters F; masks have the weight 1."""

    of_family: list[Vector]
    of_zero: list[Vector]


def _weights(field: PrimeField, reports: Mapping[PartyId, bytes], layout: Layout) -> _Weights:
    said = b"".join(bytes([speaker]) + report for speaker, report in reports.items())
    stream = Stream(hashlib.sha256(_SEED_DOMAIN + said).digest()[:SEED_BYTES])
    one = field.full(1, 1)
    of_family = [
        np.concatenate([stream.elements(field, layout.counts[family] - 1), one]) for family in layout.families
    ]
    of_zero = [field.zeros(layout.counts[family]) for family in layout.families]
    low, high, wide = of_zero[:3]
    low[layout.zeros_at] = stream.elements(field, layout.zeros)
    high[: layout.doubles] = stream.elements(field, layout.doubles)
    high[layout.doubles] = one[0]
    wide[:-1] = stream.elements(field, layout.products + layout.masks)
    low[layout.doubles_at] = field.neg(high[: layout.doubles])
    low[layout.products_at] = field.neg(wide[: layout.products])
    if layout.has_inner:
        of_zero[Family.INNER][:-1] = stream.elements(field, layout.operands)
        low[layout.operands_at] = field.neg(of_zero[Family.INNER][:-1])
    return _Weights(of_family, of_zero)


def _statement(
    party: Party,
    own: list[list[Vector]],
    shares: Mapping[PartyId, list[Vector]],
    *,
    layout: Layout,
    weights: _Weights,
) -> bytes:
    """As a dealer: the coefficients of each G, then of F but the constant. As a holder: its shares of each dealer's."""
    field = party.field
    parts = [
        field.dot(weights.of_family[family], coefficient)
        for family in layout.families
        for coefficient in own[family]
    ]
    for exponent in range(1, 2 * layout.threshold + 1):
        terms = [
            field.dot(weights.of_zero[family], own[family][exponent])
            for family in layout.families
            if exponent <= layout.degrees[family]
        ]
        parts.append(field.sum(np.concatenate(terms)))
    for rows in shares.values():
        parts += [field.dot(weights.of_family[family], rows[family]) for family in layout.families]
        terms = [field.dot(weights.of_zero[family], rows[family]) for family in layout.families]
        parts.append(field.sum(np.concatenate(terms)))
    return field.to_bytes(np.concatenate(parts))


def _judge_statements(
    findings: Findings,
    party: Party,
    layout: Layout,
    *,
    holders: tuple[PartyId, ...],
    reports: Mapping[PartyId, bytes],
) -> None:
    """Compare each dealer's polynomials with what the holders got of them."""
    modulus = party.field.modulus
    degrees = [layout.degrees[family] for family in layout.families]
    dealt, each = sum(degree + 1 for degree in degrees) + 2 * layout.threshold, len(degrees) + 1
    said = read_reports(findings, party, holders, reports=reports, count=dealt + each * len(holders))
    for place, dealer in enumerate(holders):
        if dealer not in said:
            continue
        polynomials, start = [], 0
        for degree in degrees:
            polynomials.append(said[dealer][start : start + degree + 1])
            start += degree + 1
        polynomials.append([0, *said[dealer][start:dealt]])
        for holder, statement in said.items():
            got = statement[dealt + each * place :][:each]
            if got != [evaluate(polynomial, holder, modulus) for polynomial in polynomials]:
                findings.contradict(dealer, holder)


def read_reports(
    findings: Findings,
    party: Party,
    holders: tuple[PartyId, ...],
    *,
    reports: Mapping[PartyId, bytes],
    count: int,
) -> dict[PartyId, list[int]]:
    """The reports of `count` field elements; a holder that gave none is wrong."""
    field = party.field
    judge_absence(findings, holders, reports, size=count * field.size_bytes)
    said = {}
    for holder, report in reports.items():
        if holder not in findings.proven:
            try:
                said[holder] = field.integers(field.from_bytes(report, count))
            except MalformedMessage:
                findings.prove(holder, "gave a report of no field elements in preprocessing")
    return said


def evaluate(coefficients: list[int], point: int, modulus: int) -> int:
    """The value of a polynomial, constant first."""
    value = 0
    for coefficient in reversed(coefficients):
        value = (value * point + coefficient) % modulus
    return value
