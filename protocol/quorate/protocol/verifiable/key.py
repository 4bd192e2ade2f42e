"""A shared key: each party's scalar, and the Feldman commitment from which everybody has every public share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.curve import SCALAR_BYTES, Curve, Point, curve_named
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.sharing import MAX_PARTIES, PartyId

from .commitment import MAX_THRESHOLD, Commitment, Scheme, Share, decode_commitment


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


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key share as bytes, to be kept."""

    curve: Annotated[str, Limit(most=16)]
    identity: Annotated[int, Limit(least=1, most=MAX_PARTIES)]
    threshold: Annotated[int, Limit(most=MAX_THRESHOLD)]
    secret: Annotated[bytes, Limit(size=SCALAR_BYTES)] = field(repr=False)
    commitment: bytes


def encode_key(key: KeyShare) -> bytes:
    """The bytes of a key share, secret included: they belong in an encrypted place."""
    secret = key.curve.encode_scalar(key.secret)
    return encode(KeyRecord(key.curve.name, key.identity, key.threshold, secret, key.commitment.encode()))


def decode_key(data: bytes) -> KeyShare:
    """The key share of bytes that `encode_key` made; raises MalformedMessage for any others."""
    record = decode(KeyRecord, data)
    try:
        curve = curve_named(record.curve)
        commitment = decode_commitment(
            record.commitment, curve=curve, scheme=Scheme.FELDMAN, threshold=record.threshold
        )
        return KeyShare(PartyId(record.identity), curve.decode_scalar(record.secret), commitment)
    except ValueError as error:  # an unknown curve, or a share that does not belong to the commitment
        raise MalformedMessage(str(error)) from None
