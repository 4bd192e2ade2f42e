"""Opening one Shamir-shared element while shares are still arriving, some of them wrong (on-line error correction).

Ben-Or, Canetti and Goldreich (STOC 1993): a polynomial of degree t on which 2t + 1 of the shares that came agree is
the right one, since t + 1 of those are honest and determine it. With n >= 3t + 1 the honest shares alone suffice in
the end, so nobody waits for a liar; and with r liars answering, 2t + 1 + r shares do. Each attempt decodes by Gao's
algorithm (2003): the Euclidean algorithm on the interpolant and the product of all (x - i), stopped half way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from quorate.protocol.sharing import PartyId


@dataclass(frozen=True, slots=True)
class Opened:
    """The secret, and the parties among those that answered whose shares are wrong."""

    secret: int = field(repr=False)
    wrong: frozenset[PartyId]


def open_online(shares: Mapping[PartyId, int], *, threshold: int, modulus: int) -> Opened | None:
    """The secret behind shares of degree `threshold`, once 2 threshold + 1 of them agree; None until then."""
    if len(shares) < 2 * threshold + 1:
        return None
    points = sorted(shares)
    polynomial = _decode(points, [shares[point] for point in points], degree=threshold, modulus=modulus)
    if polynomial is None:
        return None
    wrong = frozenset(point for point in points if _evaluate(polynomial, point, modulus) != shares[point])
    if len(points) - len(wrong) < 2 * threshold + 1:
        return None
    return Opened(_evaluate(polynomial, 0, modulus), wrong)


def _decode(points: Sequence[int], values: Sequence[int], *, degree: int, modulus: int) -> list[int] | None:
    """The polynomial of at most `degree` nearest to the values, low coefficient first; None when none is near."""
    vanishing, interpolant = [1], [0]
    for point, value in zip(points, values, strict=True):
        missing = (value - _evaluate(interpolant, point, modulus)) % modulus
        step = missing * pow(_evaluate(vanishing, point, modulus), -1, modulus) % modulus
        interpolant = _add_multiple(interpolant, vanishing, step, modulus)
        vanishing = _multiply(vanishing, [-point % modulus, 1], modulus)
    higher, lower = vanishing, _trimmed(interpolant)
    previous, cofactor = [0], [1]
    while 2 * (len(lower) - 1) >= len(points) + degree + 1:
        quotient, remainder = _divide(higher, lower, modulus)
        higher, lower = lower, remainder
        product = _multiply(quotient, cofactor, modulus)
        previous, cofactor = cofactor, _trimmed(_add_multiple(previous, product, -1, modulus))
    polynomial, remainder = _divide(lower, cofactor, modulus)
    return None if any(remainder) or len(polynomial) > degree + 1 else polynomial


def _evaluate(polynomial: Sequence[int], point: int, modulus: int) -> int:
    value = 0
    for coefficient in reversed(polynomial):
        value = (value * point + coefficient) % modulus
    return value


def _trimmed(polynomial: list[int]) -> list[int]:
    """Without leading zeros; zero itself is [0]."""
    while len(polynomial) > 1 and not polynomial[-1]:
        polynomial.pop()
    return polynomial


def _add_multiple(x: Sequence[int], y: Sequence[int], factor: int, modulus: int) -> list[int]:
    """x + factor * y, as long as the longer of the two."""
    total = [*x, *([0] * (len(y) - len(x)))]
    for index, coefficient in enumerate(y):
        total[index] = (total[index] + factor * coefficient) % modulus
    return total


def _multiply(x: Sequence[int], y: Sequence[int], modulus: int) -> list[int]:
    product = [0] * (len(x) + len(y) - 1)
    for place, factor in enumerate(x):
        for index, coefficient in enumerate(y):
            product[place + index] = (product[place + index] + factor * coefficient) % modulus
    return product


def _divide(numerator: Sequence[int], divisor: Sequence[int], modulus: int) -> tuple[list[int], list[int]]:
    """Quotient and remainder, both without leading zeros, by a divisor without leading zeros that is not zero."""
    remainder = list(numerator)
    if len(remainder) < len(divisor):
        return [0], _trimmed(remainder)
    inverse = pow(divisor[-1], -1, modulus)
    quotient = [0] * (len(remainder) - len(divisor) + 1)
    for shift in reversed(range(len(quotient))):
        factor = quotient[shift] = remainder[shift + len(divisor) - 1] * inverse % modulus
        for index, coefficient in enumerate(divisor):
            remainder[shift + index] = (remainder[shift + index] - factor * coefficient) % modulus
    return _trimmed(quotient), _trimmed(remainder)
