"""Whether the prime field has room for a masked integer.

An integer of w bits is hidden by one of kappa bits more, which is a sum over t + 1 dealers; their sum, and an offset
that keeps it positive, must stay below the modulus, or what is opened is no longer x plus the mask.
"""

from __future__ import annotations

from .party import Party
from .preprocessing import sum_bits


def has_room(party: Party, bits: int) -> bool:
    """Whether integers of `bits` bits can be masked in the party's field, at its kappa."""
    return _needed(party, bits) < party.field.modulus.bit_length()


def require_room(party: Party, bits: int) -> None:
    """Raise ValueError unless integers of `bits` bits can be masked."""
    if not has_room(party, bits):
        raise ValueError(
            f"integers of {bits} bits, masked at kappa {party.kappa}, need {_needed(party, bits)} of the field's "
            f"{party.field.modulus.bit_length()} bits; take a narrower type, a lower kappa or a larger field"
        )


def _needed(party: Party, bits: int) -> int:
    return sum_bits(bits + party.kappa, party.threshold) + 1
