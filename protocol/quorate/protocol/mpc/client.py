"""What a client of a committee computes: masked inputs out of mask shares, outputs out of output shares.

The client trusts no single party: mask shares and output shares must lie on polynomials of degree t. It needs no
randomness of its own, since the masks are the committee's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from quorate.protocol.errors import MalformedMessage, PartyFault, ProgramError
from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.sharing import Decoded, PartyId, decode, reconstruct

from .input import InputKind, mask_count


def signed_integers(field: PrimeField, vector: Vector) -> list[int]:
    """The integers -p/2..p/2 that a vector of embedded signed integers stands for."""
    half = field.modulus // 2
    return [value - field.modulus if value > half else value for value in field.integers(vector)]


class ClientInput:
    """One client's side of one input: it masks its values once, with the shares that the parties sent it.

    With `corrects`, wrong shares are left out as far as `decode` can; else one is an error.
    """

    __slots__ = ("_corrects", "_count", "_field", "_kinds", "_parties", "_threshold", "_used")

    def __init__(
        self,
        field: PrimeField,
        kinds: Sequence[InputKind],
        *,
        parties: int,
        threshold: int,
        corrects: bool = False,
    ) -> None:
        self._field = field
        self._corrects = corrects
        self._kinds = tuple(kinds)
        self._parties = parties
        self._threshold = threshold
        self._count = mask_count(kinds)
        self._used = False

    @property
    def size_bytes(self) -> int:
        """The size of a party's mask shares, and of the masked input."""
        return self._count * self._field.size_bytes

    def mask(self, values: Sequence[int], mask_shares: Mapping[PartyId, bytes]) -> bytes:
        """The masked input, the same bytes to every party, from the mask shares of at least 2t + 1 parties.

        Raises ProgramError for a value outside its type, and on a second call, since a mask hides one input only;
        PartyFault for malformed shares; InconsistentShares when they do not fit together (of 2t + 1 shares t + 1
        are honest, so a wrong one cannot pass).
        """
        if self._used:
            raise ProgramError("these masks have been used; ask the committee for fresh ones")
        if len(mask_shares) < 2 * self._threshold + 1:
            needed = 2 * self._threshold + 1
            raise ProgramError(f"mask shares of {len(mask_shares)} parties; {needed} are needed to check them")
        plain = self._field.vector(self._elements(values))
        shares = _parse(self._field, mask_shares, count=self._count, parties=self._parties)
        if self._corrects:
            masks = decode(self._field, shares, threshold=self._threshold).secrets
        else:
            masks = reconstruct(self._field, shares, threshold=self._threshold)
        self._used = True
        return self._field.to_bytes(self._field.add(plain, masks))

    def _elements(self, values: Sequence[int]) -> list[int]:
        """The bits of the integers and the field elements themselves, in mask order."""
        if len(values) != len(self._kinds):
            raise ProgramError(f"{len(values)} inputs were given; the program takes {len(self._kinds)}")
        elements: list[int] = []
        for index, (value, kind) in enumerate(zip(values, self._kinds, strict=True)):
            if kind.bits is None:
                elements.append(value)
                continue
            shifted = value + kind.offset
            if not 0 <= shifted < 1 << kind.bits:
                sign = "a signed" if kind.signed else "an unsigned"
                raise ProgramError(f"input {index} is out of the range of {sign} integer of {kind.bits} bits")
            elements.extend(shifted >> position & 1 for position in range(kind.bits))
        return elements


class ClientOutput:
    """One client's side of one output of `count` values."""

    __slots__ = ("_count", "_field", "_parties", "_threshold")

    def __init__(self, field: PrimeField, count: int, *, parties: int, threshold: int) -> None:
        self._field = field
        self._count = count
        self._parties = parties
        self._threshold = threshold

    def reconstruct(self, output_shares: Mapping[PartyId, bytes]) -> Decoded:
        """The values, and whose shares were off, from the shares of at least t + 1 parties.

        From 3t + 1 shares on, up to t wrong ones are corrected and named. With fewer, one wrong share raises
        InconsistentShares; exactly t + 1 leave nothing to check by. Raises PartyFault for malformed shares (leave
        that party out and try again), and ProgramError for too few.
        """
        if len(output_shares) <= self._threshold:
            raise ProgramError(f"output shares of {len(output_shares)} parties; {self._threshold + 1} are needed")
        shares = _parse(self._field, output_shares, count=self._count, parties=self._parties)
        return decode(self._field, shares, threshold=self._threshold)


def _parse(
    field: PrimeField, messages: Mapping[PartyId, bytes], *, count: int, parties: int
) -> dict[PartyId, Vector]:
    shares = {}
    for party, message in sorted(messages.items()):
        if not 1 <= party <= parties:
            raise PartyFault(party, f"is not in a committee of {parties}")
        try:
            shares[party] = field.from_bytes(message, count)
        except MalformedMessage as error:
            raise PartyFault(party, error.reason) from None
    return shares
