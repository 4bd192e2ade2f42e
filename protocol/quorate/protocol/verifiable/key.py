"""A shared key: each party's scalar, and the Feldman commitment from which everybody has every public share."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.protocol.curve import Curve, Point
from quorate.protocol.sharing import PartyId

from .commitment import Commitment, Scheme, Share


@dataclass(frozen=True, slots=True)
class KeyShare:
    """Party `identity`'s share of a private key; `commitment` is public and the same at every party.

    Raises ValueError unless the share belongs to a Feldman commitment with a key other than 0.
    """

    identity: PartyId
    secret: int = field(repr=False)
    commitment: Commitment

    def __post_init__(self) -> None:
        if self.commitment.scheme is not Scheme.FELDMAN or self.commitment.secret.is_identity:
            raise ValueError("a key has a Feldman commitment, and is not 0")
        if not self.commitment.admits(self.identity, Share(self.secret)):
            raise ValueError(f"the share of party {self.identity} does not belong to the commitment")

    @property
    def curve(self) -> Curve:
        """The group of the key."""
        return self.commitment.curve

    @property
    def threshold(self) -> int:
        """So many parties can do nothing with the key; one more can sign."""
        return self.commitment.threshold

    @property
    def public_key(self) -> Point:
        """The public key."""
        return self.commitment.secret

    def public_share(self, party: PartyId) -> Point:
        """Party `party`'s share times the generator."""
        return self.commitment.of_share(party)
