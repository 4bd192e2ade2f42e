"""Asynchronous verifiable secret sharing: Cachin, Kursawe, Lysyanskaya, Strobl (CCS 2002), section 3, n >= 3t + 1.

    dealer     PROPOSE(C, row of i) to each i             C commits to symmetric bivariate polynomials, see `bivariate`
    everyone   on the first PROPOSE with a right row:     ECHO(H(C), F(i, m)) to each m
               on ECHO of more than (n + t) / 2 parties
               or READY of t + 1, all with one C:         its row through their points; READY(C, F(i, m)) to each m
               on READY of 2t + 1, all with one C:        output F(i, 0) and the commitment to F(x, 0)

Against t malicious parties, the dealer among them or not, on private channels without synchrony: if one honest party
completes, all do (a party that the dealer passed over gets C and t + 1 points of its row from the others' READY:
share recovery is part of the protocol); all have shares of one polynomial for each secret, which the commitment binds;
when the dealer is honest, all complete with its secrets and t parties learn no more than the commitments show, which
under Pedersen is nothing. A dishonest dealer may make nobody complete, and may know its secrets. With t + 1 liars
consistency and secrecy are lost.

Points count only once they are checked against C. As long as C is unknown they are kept, one ECHO and one READY a
sender. ECHO carries a hash where the paper sends C: a party sends READY only once it has C, from the dealer or from a
READY, and t + 1 honest READY follow from the first completion, so nobody waits for C for ever. A batch of secrets
shares its messages: for m secrets a party sends each other one m shares in ECHO, and in READY m shares and
m (t + 1)(t + 2) / 2 points. This suits committees of up to some 16 parties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from quorate.protocol.broadcast.effects import Send
from quorate.protocol.broadcast.machine import Machine, Seat
from quorate.protocol.codec import MAX_MESSAGE_BYTES, Limit, decode_one_of, encode
from quorate.protocol.curve import SCALAR_BYTES, Curve
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import PartyId

from .bivariate import (
    BivariateCommitment,
    RowVerifier,
    random_bivariate,
    row_through,
    triangle,
    value_at,
)
from .commitment import Commitment, Scheme, Share, decode_points

MAX_SECRETS: Final = 512
"""The most secrets in one sharing."""
_OVERHEAD_BYTES: Final = 256
_DOMAIN: Final = b"quorate/avss/1"

Long = Annotated[bytes, Limit(most=MAX_MESSAGE_BYTES)]
Digest = Annotated[bytes, Limit(size=32)]


@dataclass(frozen=True, slots=True)
class Propose:
    """The dealer's word to one party: its commitments, and the coefficients of the party's rows."""

    commitments: Long
    rows: Long = field(repr=False)


@dataclass(frozen=True, slots=True)
class Echo:
    """The hash of the commitments, and the points of the receiver's rows that the sender knows."""

    digest: Digest
    points: Long = field(repr=False)


@dataclass(frozen=True, slots=True)
class Ready:
    """The commitments, and the points of the receiver's rows that the sender knows."""

    commitments: Long
    points: Long = field(repr=False)


@dataclass(frozen=True, slots=True)
class SharedSecrets:
    """One party's outcome: its share of each secret, and the commitments to the polynomials, the same everywhere."""

    shares: tuple[Share, ...] = field(repr=False)
    commitments: tuple[Commitment, ...]


@dataclass(slots=True)
class _Candidate:
    """What was said under one value of the commitments; points are those of this party's rows, checked."""

    commitments: tuple[BivariateCommitment, ...] | None = None
    verifier: RowVerifier | None = None
    points: dict[PartyId, tuple[Share, ...]] = field(default_factory=dict, repr=False)
    echoes: dict[PartyId, tuple[Share, ...]] = field(default_factory=dict, repr=False)
    readies: dict[PartyId, tuple[Share, ...]] = field(default_factory=dict, repr=False)


class VerifiableSharing(Machine[SharedSecrets]):
    """One sharing of `count` secrets by `dealer`; every party names the same curve, scheme and count.

    `randomness(size)` gives uniform bytes that no other party can predict: for the polynomials of the dealer, and
    for the weights of checks. Raises ValueError for a count outside 1..MAX_SECRETS, or one whose messages would be
    longer than MAX_MESSAGE_BYTES.
    """

    def __init__(
        self,
        seat: Seat,
        dealer: PartyId,
        *,
        curve: Curve,
        scheme: Scheme,
        randomness: Callable[[int], bytes],
        count: int = 1,
    ) -> None:
        super().__init__(seat)
        self.dealer = dealer
        self._curve, self._scheme, self._count = curve, scheme, count
        self._randomness = randomness
        self._candidates: dict[bytes, _Candidate] = {}
        self._spoken: set[tuple[type[object], PartyId]] = set()
        self._is_ready = False
        if not 1 <= dealer <= seat.parties:
            raise ValueError(f"party {dealer} is not in a committee of {seat.parties}")
        points, rows = self._commitment_bytes, self._scalar_bytes * (seat.threshold + 1)
        if not 1 <= count <= MAX_SECRETS or points + rows + _OVERHEAD_BYTES > MAX_MESSAGE_BYTES:
            raise ValueError(f"{count} secrets do not go into one sharing among {seat.parties} parties")

    @property
    def _commitment_bytes(self) -> int:
        return self._count * len(triangle(self.seat.threshold)) * self._curve.size_bytes

    @property
    def _scalar_bytes(self) -> int:
        return self._count * self._scheme.components * SCALAR_BYTES

    @property
    def finished(self) -> bool:
        """From the output on: this party's READY is on its way to everybody, and nobody needs its ECHO any more."""
        return self._output is not None

    def start(self, secrets: Sequence[int]) -> list[Send]:
        """Deal, as the dealer. Raises ValueError at another party, for a second call or another number of secrets."""
        if self.seat.identity != self.dealer:
            raise ValueError(f"party {self.dealer} is the dealer, not party {self.seat.identity}")
        if self._candidates:
            raise ValueError("a sharing starts once")
        if len(secrets) != self._count:
            raise ValueError(f"{len(secrets)} secrets in a sharing of {self._count}")
        polynomials = [
            random_bivariate(
                self._curve,
                secret,
                scheme=self._scheme,
                threshold=self.seat.threshold,
                randomness=self._randomness,
            )
            for secret in secrets
        ]
        committed = b"".join(
            self._scheme.commit(self._curve, pair).encode()
            for polynomial in polynomials
            for pair in polynomial.coefficients
        )
        for receiver in self.seat.everyone:
            rows = b"".join(self._encode_shares(polynomial.row(receiver)) for polynomial in polynomials)
            self._send(receiver, encode(Propose(committed, rows)))
        return self._flush()

    # Messages.

    def _handle(self, sender: PartyId, message: bytes) -> None:
        parsed = decode_one_of((Propose, Echo, Ready), message)
        said = (type(parsed), sender)
        if said in self._spoken:
            return  # a repetition, which a driver may cause; what differs from the first time has no effect either
        self._spoken.add(said)  # a wrong message counts too, so that nobody fills the table of candidates
        if isinstance(parsed, Propose):
            self._handle_propose(sender, parsed)
        elif isinstance(parsed, Echo):
            self._handle_echo(sender, parsed)
        elif isinstance(parsed, Ready):
            self._handle_ready(sender, parsed)
        self._settle()

    def _handle_propose(self, sender: PartyId, message: Propose) -> None:
        if sender != self.dealer:
            raise MalformedMessage("PROPOSE from a party that is not the dealer")
        shares = self._decode_shares(message.rows, count=self._count * (self.seat.threshold + 1))
        width = self.seat.threshold + 1
        rows = [shares[start : start + width] for start in range(0, len(shares), width)]
        digest = self._digest(message.commitments)
        candidate = self._learn(message.commitments)
        assert candidate.verifier is not None
        if not candidate.verifier.is_row(rows):
            raise MalformedMessage("PROPOSE with a row that its commitments do not bind")
        for receiver in self.seat.everyone:
            self._send(receiver, encode(Echo(digest, self._points_for(rows, receiver))))

    def _handle_echo(self, sender: PartyId, message: Echo) -> None:
        points = self._decode_shares(message.points, count=self._count)
        self._candidates.setdefault(message.digest, _Candidate()).echoes[sender] = points

    def _handle_ready(self, sender: PartyId, message: Ready) -> None:
        points = self._decode_shares(message.points, count=self._count)
        self._learn(message.commitments).readies[sender] = points

    def _learn(self, data: bytes) -> _Candidate:
        """The state under these commitments, which are parsed the first time; raises MalformedMessage."""
        digest = self._digest(data)
        known = self._candidates.get(digest)
        if known is not None and known.commitments is not None:
            return known
        places = len(triangle(self.seat.threshold))
        points = decode_points(data, curve=self._curve, count=self._count * places)
        commitments = tuple(
            BivariateCommitment(self._curve, self._scheme, self.seat.threshold, points[start : start + places])
            for start in range(0, len(points), places)
        )
        candidate = self._candidates.setdefault(digest, _Candidate())
        candidate.commitments = commitments
        candidate.verifier = RowVerifier(commitments, self.seat.identity, randomness=self._randomness)
        return candidate

    # What follows from them.

    def _settle(self) -> None:
        for candidate in list(self._candidates.values()):
            if candidate.commitments is not None:
                self._check_points(candidate)
                self._advance(candidate)

    def _check_points(self, candidate: _Candidate) -> None:
        """Check what came since the last time; a wrong point takes its sender's word with it."""
        assert candidate.verifier is not None
        for said, what in ((candidate.echoes, "ECHO"), (candidate.readies, "READY")):
            for sender, points in list(said.items()):
                if candidate.points.get(sender) == points:
                    continue
                if candidate.verifier.is_point(sender, points):
                    candidate.points[sender] = points
                else:
                    del said[sender]
                    self._blame(sender, f"{what} with a point that the commitments do not bind")

    def _advance(self, candidate: _Candidate) -> None:
        seat = self.seat
        enough = len(candidate.echoes) >= seat.intersecting or len(candidate.readies) >= seat.one_honest
        if enough and not self._is_ready:
            self._is_ready = True
            rows = self._rows(candidate)
            data = self._encode_commitments(candidate)
            for receiver in seat.everyone:
                self._send(receiver, encode(Ready(data, self._points_for(rows, receiver))))
        if len(candidate.readies) >= seat.mostly_honest and self._output is None:
            assert candidate.commitments is not None
            shares = tuple(row[0] for row in self._rows(candidate))
            self._output = SharedSecrets(shares, tuple(c.shares for c in candidate.commitments))
            self._candidates.clear()

    def _rows(self, candidate: _Candidate) -> list[tuple[Share, ...]]:
        """This party's rows, through t + 1 checked points."""
        chosen = sorted(candidate.points)[: self.seat.threshold + 1]
        return [
            row_through({party: candidate.points[party][index] for party in chosen}, order=self._curve.order)
            for index in range(self._count)
        ]

    def _points_for(self, rows: Sequence[Sequence[Share]], receiver: PartyId) -> bytes:
        return self._encode_shares([value_at(row, receiver, order=self._curve.order) for row in rows])

    # Bytes.

    def _digest(self, commitments: bytes) -> bytes:
        return hashlib.sha256(_DOMAIN + commitments).digest()

    def _encode_commitments(self, candidate: _Candidate) -> bytes:
        assert candidate.commitments is not None
        return b"".join(point.encode() for commitment in candidate.commitments for point in commitment.points)

    def _encode_shares(self, shares: Sequence[Share]) -> bytes:
        parts = []
        for share in shares:
            parts.append(self._curve.encode_scalar(share.value))
            if self._scheme is Scheme.PEDERSEN:
                parts.append(self._curve.encode_scalar(share.blinding))
        return b"".join(parts)

    def _decode_shares(self, data: bytes, *, count: int) -> tuple[Share, ...]:
        components = self._scheme.components
        if len(data) != count * components * SCALAR_BYTES:
            raise MalformedMessage(f"{len(data)} bytes are not {count} shares")
        scalars = [
            self._curve.decode_scalar(data[start : start + SCALAR_BYTES])
            for start in range(0, len(data), SCALAR_BYTES)
        ]
        if components == 1:
            return tuple(Share(value) for value in scalars)
        return tuple(Share(*pair) for pair in zip(scalars[::2], scalars[1::2], strict=True))
