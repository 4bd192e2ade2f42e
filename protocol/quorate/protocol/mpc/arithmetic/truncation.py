"""Division of secret integers by a public power of two: probabilistic, loose, or rounded to the nearest.

[Catrina, Saxena, Secure Computation with Fixed-Point Numbers, Financial Cryptography 2010, section 3: TruncPr.]
For |x| < 2^(bits-1), the sum of x, 2^(bits-1) and a mask r = 2^power r'' + r' is opened; r'' is kappa bits wider
than what it hides, so that the opened value tells nothing about x but with probability 2^-kappa. With c its last
`power` bits, (x + r' - c) / 2^power is floor((x + r') / 2^power): one round, whatever the batch.

What r' is makes the difference. Uniform in 0..2^power - 1, made of random bits, it rounds x / 2^power up with the
probability of its fraction. A bounded random integer is far cheaper, but it is a sum of several dealers' integers
below 2^power: the quotient may come out too large, by less than `slack`. Inner steps of a function take that with
some more bits of fraction. The exact quotient is `shift_right` of the package above.
"""

from __future__ import annotations

from quorate.protocol.field import Vector
from quorate.protocol.mpc.compare import shift_right
from quorate.protocol.mpc.operations import open_shares
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import BIT, Plan, integer
from quorate.protocol.mpc.preprocessing import reserve, sum_bits
from quorate.protocol.mpc.room import require_room


def slack_bits(party: Party) -> int:
    """The bits of `slack`."""
    return sum_bits(0, party.threshold)


def slack(party: Party) -> int:
    """How much too large a loosely truncated value may be; a bounded random integer is less than slack 2^width."""
    return 1 << slack_bits(party)


def truncate(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """floor(x / 2^power), or one more with the probability of the fraction that is lost: one round.

    For |x| < 2^(bits-1) and 0 <= power < bits; the error is less than 1. Raises ValueError for other powers, and
    when the field has too few bits.
    """
    if not _cuts(party, bits, power):
        return x
    count = len(x)
    wide = bits - power + party.kappa
    yield from reserve(party, Plan(bits=power * count, integers={wide: count}))
    rows = party.pool.take(BIT, power * count)
    high = party.pool.take(integer(wide), count)
    split = [rows[position * count : (position + 1) * count] for position in range(power)]
    low = party.field.combine([1 << position for position in range(power)], split)
    return (yield from _cut(party, x, high, low, bits=bits, power=power))


def truncate_loosely(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """floor(x / 2^power) + e, where 0 <= e <= slack: one round, and two bounded integers each.

    For |x| < 2^(bits-1) and 0 <= power < bits. Raises ValueError for other powers, and when the field has too few
    bits.
    """
    if not _cuts(party, bits, power):
        return x
    wide = integer(bits - power + party.kappa)
    yield from reserve(party, Plan({wide: len(x)}) + Plan({integer(power): len(x)}))
    high = party.pool.take(wide, len(x))
    low = party.pool.take(integer(power), len(x))
    return (yield from _cut(party, x, high, low, bits=bits, power=power))


def truncate_nearest(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """x / 2^power, rounded to the nearest integer, halves up; exact. For |x| < 2^(bits-1), 0 <= power < bits."""
    if not _cuts(party, bits, power):
        return x
    raised = party.field.add_constant(x, 1 << (power - 1))
    return (yield from shift_right(party, raised, bits=bits + 1, power=power))


def truncate_closely(party: Party, x: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    """x / 2^power with an error of at most 1/2 + 1/16: loose down to a few bits, which are rounded exactly.

    For |x| < 2^(bits-1) and 0 <= power < bits: cheaper than `truncate_nearest`, where a power is large.
    """
    kept = slack_bits(party) + 4
    if not _cuts(party, bits, power) or power <= kept:
        return (yield from truncate_nearest(party, x, bits=bits, power=power))
    near = yield from truncate_loosely(party, x, bits=bits, power=power - kept)
    centred = party.field.add_constant(near, -(slack(party) // 2))
    return (yield from truncate_nearest(party, centred, bits=bits - power + kept + 2, power=kept))


def _cuts(party: Party, bits: int, power: int) -> bool:
    """Whether there is anything to cut off, after checking that it can be."""
    if not 0 <= power < bits:
        raise ValueError(f"a truncation of {power} bits of an integer of {bits}")
    require_room(party, bits)
    return power > 0


def _cut(party: Party, x: Vector, high: Vector, low: Vector, *, bits: int, power: int) -> Protocol[Vector]:
    field = party.field
    raised = field.add(x, low)
    masked = field.combine([1, 1 << power], [raised, high])
    opened = yield from open_shares(party, field.add_constant(masked, 1 << (bits - 1)))
    rest = field.from_bits(field.bits(opened, power))
    return field.scale(field.sub(raised, rest), field.inverse(1 << power))
