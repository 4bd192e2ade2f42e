"""Shares that a party keeps: bound to a committee and an epoch, so that shares of different times never meet.

An epoch is one sharing of a secret. A refresh adds a fresh sharing of zero, and a handover deals a new sharing to
another committee: both begin the next epoch. Shares of one epoch lie on one polynomial; a share of another epoch
is an unrelated value, so that what t parties lost in one epoch is worth nothing beside what t others lose in the
next [Herzberg, Jarecki, Krawczyk, Yung, Proactive Secret Sharing, CRYPTO 1995]. That holds when the honest
parties erase the old shares; whoever holds t + 1 shares of one epoch knows the secret.

Adversary: that of the scheme that makes the zero sharings (passive: semi-honest; abort: malicious with abort, the
new epoch begins only after `verify`; robust: malicious, and it ends well).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as member
from typing import Annotated, Final

from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.errors import MalformedMessage, ProgramError
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.operations import verify, zero_shares
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.sharing import MAX_PARTIES, PartyId

MAX_STORED_ELEMENTS: Final = 1 << 14
"""The most elements in one stored vector: 512 KiB of shares."""
MAX_EPOCH: Final = (1 << 63) - 1
_DOMAIN: Final = b"quorate/committee-key/1"
_DIGEST_BYTES: Final = 32


class StaleEpoch(ProgramError):
    """Shares of another committee or epoch were offered; they do not fit with those of the present one."""

    def __init__(self, expected: CommitteeKey, found: CommitteeKey) -> None:
        if expected.digest != found.digest:
            reason = "these shares belong to another committee; ask its members, or hand them over first"
        else:
            reason = (
                f"these shares are of epoch {found.epoch} and the committee is at {expected.epoch}: "
                "they were refreshed since, and the old ones are of no use"
            )
        super().__init__(reason)
        self.expected = expected
        self.found = found


@dataclass(frozen=True, slots=True)
class CommitteeKey:
    """Which committee holds a secret, and the how-many-eth sharing of it this is."""

    digest: Annotated[bytes, Limit(size=_DIGEST_BYTES)]
    epoch: Annotated[int, Limit(most=MAX_EPOCH)]

    @staticmethod
    def of(members: Sequence[bytes], *, threshold: int, field: PrimeField, epoch: int = 0) -> CommitteeKey:
        """The key of the committee whose party i has the identity `members[i - 1]` (a public key, say)."""
        total = hashlib.sha256(_DOMAIN)
        for part in (field.modulus.to_bytes(32, "big"), threshold.to_bytes(2, "big"), *members):
            total.update(len(part).to_bytes(2, "big") + part)
        return CommitteeKey(total.digest(), epoch)

    def next(self) -> CommitteeKey:
        """The same committee, one epoch later."""
        return CommitteeKey(self.digest, self.epoch + 1)


@dataclass(frozen=True, slots=True)
class _Stored:
    key: CommitteeKey
    party: Annotated[int, Limit(least=1, most=MAX_PARTIES)]
    count: Annotated[int, Limit(most=MAX_STORED_ELEMENTS)]
    shares: Annotated[bytes, Limit(most=MAX_STORED_ELEMENTS * 32)]


@dataclass(frozen=True, slots=True)
class StoredShares:
    """One party's shares of a stored vector of secrets, at one epoch of one committee."""

    key: CommitteeKey
    party: PartyId
    shares: Vector = member(repr=False)

    def at(self, key: CommitteeKey) -> Vector:
        """The shares, for use at `key`. Raises StaleEpoch when they are of another committee or epoch."""
        if key != self.key:
            raise StaleEpoch(key, self.key)
        return self.shares

    def to_bytes(self, field: PrimeField) -> bytes:
        """The canonical bytes, in clear: a store encrypts them. Raises MalformedMessage beyond the bounds."""
        return encode(_Stored(self.key, self.party, len(self.shares), field.to_bytes(self.shares)))

    @staticmethod
    def from_bytes(field: PrimeField, data: bytes) -> StoredShares:
        """What `to_bytes` wrote. Raises MalformedMessage for anything else."""
        stored = decode(_Stored, data)
        if len(stored.shares) != stored.count * field.size_bytes:
            raise MalformedMessage(f"{len(stored.shares)} bytes are not {stored.count} elements of {field.name}")
        return StoredShares(stored.key, PartyId(stored.party), field.from_bytes(stored.shares, stored.count))


def refresh(party: Party, stored: StoredShares, key: CommitteeKey) -> Protocol[StoredShares]:
    """The same secrets at the next epoch; `key` is the present one. Keep the result, then erase `stored`.

    One round at most, and the scheme's verification. Raises StaleEpoch for shares of another epoch, and what the
    scheme raises when a party cheats: the old epoch then stays in force.
    """
    present = stored.at(key)
    fresh = party.field.add(present, (yield from zero_shares(party, len(present))))
    yield from verify(party)
    return StoredShares(key.next(), stored.party, fresh)
