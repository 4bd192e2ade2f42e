"""Counting signatures until the chain accepts them: t+1 members must attest a result, or name a fault.

A member attests at most one result, and accuses each member and nobody at most once, so that t corrupted members
alone can neither publish a result nor accuse anybody, nor fill our memory. Pure: the session gives it what arrived,
and asks what is ready.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from quorate.contracts import Attestation, Domain, Fault, is_signed_by

NO_MEMBER = bytes(20)
"""The accused of a fault that blames no member: a client's, or one that the members cannot agree on."""


class UnknownSigner(ValueError):
    """A signature that was not made by the member that claims it, or by no member of the committee."""


@dataclass(slots=True)
class SignatureTally:
    """The signatures of one request's committee; `members` in committee order, addresses of 20 bytes."""

    domain: Domain
    request_id: bytes
    members: Sequence[bytes]
    threshold: int
    attestations: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    faults: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)

    def attest(self, member: bytes, *, digest: bytes, signature: bytes) -> bool:
        """Take `member`'s attestation of `digest`; True when it was new.

        Raises UnknownSigner, also for a second digest of the same member: it can only mean to confuse.
        """
        if any(member in votes for other, votes in self.attestations.items() if other != digest):
            raise UnknownSigner("this member attested another result before")
        self._check(member, Attestation(self.request_id, digest).digest(self.domain), signature)
        return self._add(self.attestations, digest, member, signature)

    def accuse(self, member: bytes, *, accused: bytes, signature: bytes) -> bool:
        """Take `member`'s accusation of `accused`; True when it was new. Raises UnknownSigner."""
        if accused != NO_MEMBER and accused not in self.members:
            raise UnknownSigner("the accused is not in the committee")
        if accused == member:
            raise UnknownSigner("a member cannot accuse itself")
        self._check(member, Fault(self.request_id, accused).digest(self.domain), signature)
        return self._add(self.faults, accused, member, signature)

    def attested(self) -> tuple[bytes, list[bytes]] | None:
        """The digest that t+1 members attest, with their signatures in committee order; None while none has."""
        return self._ready(self.attestations)

    def accused(self) -> tuple[bytes, list[bytes]] | None:
        """Whom t+1 members accuse, with their signatures; None while nobody is. A named member goes first."""
        named = {key: value for key, value in self.faults.items() if key != NO_MEMBER}
        return self._ready(named) or self._ready(self.faults)

    def _check(self, member: bytes, digest: bytes, signature: bytes) -> None:
        if member not in self.members:
            raise UnknownSigner("the signer is not in the committee")
        if not is_signed_by(member, digest, signature):
            raise UnknownSigner("the signature is not this member's")

    @staticmethod
    def _add(table: dict[bytes, dict[bytes, bytes]], key: bytes, member: bytes, signature: bytes) -> bool:
        votes = table.setdefault(key, {})
        if member in votes:
            return False
        votes[member] = signature
        return True

    def _ready(self, table: dict[bytes, dict[bytes, bytes]]) -> tuple[bytes, list[bytes]] | None:
        for key, votes in table.items():
            if len(votes) > self.threshold:
                ordered = [votes[member] for member in self.members if member in votes]
                return key, ordered[: self.threshold + 1]
        return None
