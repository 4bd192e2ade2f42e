"""Verified products in preprocessing: xy - m is opened at degree 2t', and whoever spoils it is found.

x and y are verified sharings of degree t', m verified ones of degree 2t' that nobody knows or of zero, and all of
them come from one segment of dealings. The holders send one another their shares of xy - m. There are n' of them and
t' may be corrupted: the n' - t' >= 2t' + 1 honest shares fix the polynomials, so if all n' lie on polynomials of
degree 2t', they are the right ones [as in Beerliova-Trubiniova, Hirt, TCC 2008, section 4]. There are not enough shares
to correct a wrong one. All agree on everybody's report, that it is fine or what is not: a sender of which nothing came,
or a column that is off with the shares that came.

In the second case every holder reports what it was dealt for this column, and what it dealt; all of it is random and
never used. Everybody compares: what holder and dealer say of a share, what a holder sent and what it should have sent.
Whoever contradicts is a pair, and a reporter whose column turns out right is wrong itself. The segment is lost.

Adversary, network and probability of error: those of `dealing`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage
from quorate.protocol.field import Vector
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.sharing import PartyId

from .agreement import agree_on_reports
from .dealing import Dealings, evaluate, exchange_among_holders, judge_absence, read_reports
from .faults import Findings
from .layout import Family, Layout
from .opening import interpolate, is_consistent, standing_of

_COLUMN_BYTES: Final = 4


class _Verdict(IntEnum):
    FINE = 0
    ABSENT = 1
    OFF = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where a column comes from: combination `row` of the operands at x and y, and of WIDE at `mask`."""

    row: int
    x: int
    y: int
    mask: int


@dataclass(frozen=True, slots=True)
class Products:
    """Columns to be opened: this party's shares of x y - m, and where column k comes from."""

    shares: Vector = field(repr=False)
    places: Sequence[Place]


@dataclass(frozen=True, slots=True)
class _Complaint:
    """What a holder says is off: a column, and everybody's shares in it, by holder."""

    reporter: PartyId
    column: int
    shares: tuple[int, ...]


def open_products(party: Party, products: Products, dealings: Dealings) -> Protocol[Vector | None]:
    """The values of x y - m; None when the segment is lost, since someone had to be excluded.

    A party that holds no shares gets zeros. Raises ProtocolAbort when more are wrong or late than the committee
    withstands.
    """
    standing, field, count = standing_of(party), party.field, len(products.shares)
    holders = standing.holders
    message = field.to_bytes(products.shares)
    outgoing = {holder: message for holder in holders if holder != party.identity}
    replies = yield from exchange_among_holders(party, outgoing, count * field.size_bytes)
    received = {party.identity: products.shares}
    for sender, reply in replies.items():
        try:
            received[sender] = field.from_bytes(reply, count)
        except MalformedMessage as error:
            standing.catch(sender, f"opened what are no shares: {error.reason}")
    degree = dealings.layout.degrees[Family.WIDE]
    report = _report(party, holders, received, degree=degree) if party.identity in holders else b""
    reports = yield from agree_on_reports(party, holders, report)
    findings = Findings()
    complaint = _judge_reports(findings, party, holders, reports, count)
    if complaint is not None and not findings.proven and not findings.contradictions:
        yield from _localise(findings, party, complaint, products.places[complaint.column], dealings)
    if findings.apply(standing):
        return None
    if party.identity not in holders:
        return field.zeros(count)
    return interpolate(field, received, degree=degree)


def _report(
    party: Party, holders: tuple[PartyId, ...], received: Mapping[PartyId, Vector], *, degree: int
) -> bytes:
    field = party.field
    absent = [holder for holder in holders if holder not in received]
    if absent:
        return bytes([_Verdict.ABSENT, absent[0]])
    if is_consistent(field, received, degree=degree):
        return bytes([_Verdict.FINE])
    column = _first_off(party, received, degree=degree)
    shares = [field.to_bytes(received[holder][column : column + 1]) for holder in holders]
    return bytes([_Verdict.OFF]) + column.to_bytes(_COLUMN_BYTES, "big") + b"".join(shares)


def _first_off(party: Party, received: Mapping[PartyId, Vector], *, degree: int) -> int:
    """The first column that is inconsistent, by halving; there is one."""
    start, stop = 0, len(received[party.identity])
    while stop - start > 1:
        middle = (start + stop) // 2
        part = {holder: np.ascontiguousarray(row[start:middle]) for holder, row in received.items()}
        if is_consistent(party.field, part, degree=degree):
            start = middle
        else:
            stop = middle
    return start


def _judge_reports(
    findings: Findings,
    party: Party,
    holders: tuple[PartyId, ...],
    reports: Mapping[PartyId, bytes],
    count: int,
) -> _Complaint | None:
    """Absent reports and absent senders; the first complaint about a column, if it is one."""
    judge_absence(findings, holders, dict.fromkeys(reports, b""), size=0)
    complaints = []
    for holder, report in reports.items():
        if report == bytes([_Verdict.FINE]):
            continue
        if len(report) == 2 and report[0] == _Verdict.ABSENT and report[1] in holders:
            findings.contradict(holder, PartyId(report[1]))
            continue
        complaint = _read_complaint(party, holder, report, holders=holders, count=count)
        if complaint is None:
            findings.prove(holder, "gave a malformed report in preprocessing")
        else:
            complaints.append(complaint)
    return complaints[0] if complaints else None


def _read_complaint(
    party: Party, reporter: PartyId, report: bytes, *, holders: tuple[PartyId, ...], count: int
) -> _Complaint | None:
    field, head = party.field, 1 + _COLUMN_BYTES
    column = int.from_bytes(report[1:head], "big")
    if report[:1] != bytes([_Verdict.OFF]) or column >= count:
        return None
    try:
        shares = field.integers(field.from_bytes(report[head:], len(holders)))
    except MalformedMessage:
        return None
    return _Complaint(reporter, column, tuple(shares))


# Localisation


@dataclass(frozen=True, slots=True)
class _Account:
    """What a holder says of one column: the polynomials x, y, m that it dealt, and its shares of everybody's."""

    dealt: tuple[list[int], list[int], list[int]]
    shares: dict[PartyId, tuple[int, int, int]]


def _localise(
    findings: Findings, party: Party, complaint: _Complaint, place: Place, dealings: Dealings
) -> Protocol[None]:
    """Find who made the column of a complaint wrong, or that it is not."""
    standing, modulus = standing_of(party), party.field.modulus
    holders = standing.holders
    account = _account(party, place, dealings) if party.identity in holders else b""
    reports = yield from agree_on_reports(party, holders, account)
    accounts = _read_accounts(findings, party, dealings.layout, holders=holders, reports=reports)
    for holder, one in accounts.items():
        for dealer, other in accounts.items():
            expected = tuple(evaluate(part, holder, modulus) for part in other.dealt)
            if one.shares[dealer] != expected:
                findings.contradict(dealer, holder)
    if findings.proven or findings.contradictions:
        return
    for holder, claimed in zip(holders, complaint.shares, strict=True):
        parts = zip(*accounts[holder].shares.values(), strict=True)
        x, y, mask = (sum(share * point**place.row for point, share in enumerate(part, start=1)) for part in parts)
        if (x * y - mask - claimed) % modulus:
            findings.contradict(complaint.reporter, holder)
    if not findings.proven and not findings.contradictions:
        findings.prove(complaint.reporter, "complained about shares that are right")


def _account(party: Party, place: Place, dealings: Dealings) -> bytes:
    """The coefficients of what one dealt for a column, then one's shares of everybody's: x, y and m each."""
    sources = [
        (dealings.layout.operand_family, place.x),
        (dealings.layout.operand_family, place.y),
        (Family.WIDE, place.mask),
    ]
    parts = [row[at : at + 1] for family, at in sources for row in dealings.own[family]]
    for rows in dealings.shares.values():
        parts += [rows[family][at : at + 1] for family, at in sources]
    return party.field.to_bytes(np.concatenate(parts))


def _read_accounts(
    findings: Findings,
    party: Party,
    layout: Layout,
    *,
    holders: tuple[PartyId, ...],
    reports: Mapping[PartyId, bytes],
) -> dict[PartyId, _Account]:
    size = layout.inner + 1
    dealt = 2 * size + layout.degrees[Family.WIDE] + 1
    said = read_reports(findings, party, holders, reports=reports, count=dealt + 3 * len(holders))
    accounts = {}
    for holder, values in said.items():
        rest = iter(values[dealt:])
        shares = dict(zip(holders, zip(rest, rest, rest, strict=True), strict=True))
        accounts[holder] = _Account((values[:size], values[size : 2 * size], values[2 * size : dealt]), shares)
    return accounts
