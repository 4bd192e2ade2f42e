"""Passive security: Shamir sharing with degree reduction by resharing, for an honest majority.

Adversary: semi-honest. Up to t < n/2 parties may pool everything they see and learn nothing but outputs; they
follow the protocol. Network: synchronous, with private, authenticated, ordered and reliable channels. The seeds
make privacy computational (AES-128 as a pseudorandom generator); masked openings are statistical on top.

Beyond that: a party that sends malformed bytes, or none, is named (PartyFault, by the reader or the driver). A
party that deviates in content can make results wrong, and no privacy is claimed against it. An opening uses all
n shares and stops (InconsistentShares, a ProtocolAbort) unless they lie on one polynomial of degree t. That
catches shares that are wrong at some parties when they are opened. It does not catch a dealer that consistently
shares another value, nor a wrong share that a further multiplication has turned into a consistent sharing of a
wrong value. It blames nobody, since another party may have dealt the wrong share to its holder.

Multiplication [Gennaro, Rabin, Rabin 1998]: each of 2t + 1 dealers reshares its product of shares, weighted by
its Lagrange coefficient; the sum is a fresh sharing of the product. By seeds (see `dealing`) a dealer sends
n - 1 - t elements. Larger committees multiply large batches by kings instead (see `atlas`): two rounds, and fewer
elements. For random and zero sharings see `random_sharings`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from quorate.protocol.field import Vector
from quorate.protocol.sharing import MAX_PARTIES, PartyId, lagrange_fractions, reconstruct

from .atlas import reduce_by_kings, uses_kings
from .batches import in_pieces, pieces
from .byte_dealing import multiply_bytes_passively, open_bytes_passively
from .dealing import Dealt, JointDealing, agree_on_seeds, deal
from .dealt_items import produce_dealt
from .dual_items import produce_bytes, produce_dual_bits, produce_dual_integers
from .galois import Bytes
from .operations import run_sums
from .party import Party, Protocol
from .pool import BYTE, BYTE_BIT, DOUBLE, DUAL_BIT, SHARE, TRIPLE, Plan
from .random_sharings import deal_random, deal_zero, produce_doubles
from .rounds import exchange_vectors, together
from .scheme import Scheme

_PRODUCED: Final = frozenset(
    {
        "bit",
        "byte",
        "byte_bit",
        "double",
        "dual_bit",
        "dual_integer",
        "exact_integer",
        "integer",
        "share",
        "triple",
    }
)


class Passive(Scheme):
    """Semi-honest security for t < n/2; see the module."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name, passive."""
        return "passive"

    def check_committee(self, parties: int, threshold: int) -> None:
        """An honest majority: raises ValueError unless 2t + 1 <= n."""
        if threshold < 0 or 2 * threshold >= parties:
            raise ValueError(f"threshold {threshold} needs {2 * threshold + 1} parties")

    def set_up(self, party: Party) -> Protocol[None]:
        """The seeds of every pair of parties: one round."""
        yield from agree_on_seeds(party)

    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        """One round and n - 1 - t elements sent by each of 2t + 1 parties, a product; see `atlas` for more."""

        def step(start: int, stop: int) -> Protocol[Vector]:
            return reduce_degree(party, party.field.mul(x[start:stop], y[start:stop]))

        return (yield from in_pieces(party, len(x), step))

    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        """As one multiplication each: the sums are of degree 2t already."""
        return (yield from _reduce_all(party, run_sums(party, party.field.mul(x, y), length)))

    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        """As one multiplication for each element of the result."""
        return (yield from _reduce_all(party, party.field.matrix_product(x, y, inner=inner)))

    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        """One round. Raises InconsistentShares when the n shares disagree."""
        return (yield from open_degree(party, x, degree=party.threshold))

    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        """At most one round."""
        return (yield from deal_zero(party, count, degree=party.threshold))

    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        """Bits and integers from t + 1 dealers, elements from all; other items are refused with ValueError."""
        if unknown := [item.name for item in plan if item.name not in _PRODUCED]:
            raise ValueError(f"the passive scheme makes no {', '.join(unknown)}")
        dealt = produce_dealt(party, plan, deal_secrets)
        yield from together(
            party,
            dealt,
            _produce_shares(party, plan.shares),
            _produce_triples(party, plan.triples),
            produce_doubles(party, plan[DOUBLE]),
            produce_dual_bits(party, plan[DUAL_BIT], deal_secrets),
            produce_dual_integers(party, plan, deal_secrets),
            produce_bytes(party, plan[BYTE], bits=plan[BYTE_BIT]),
        )

    def verify(self, party: Party) -> Protocol[None]:
        """Nothing: semi-honest parties compute correctly."""
        del party
        yield from ()

    @property
    def computes_on_bytes(self) -> bool:
        """Yes, at a byte an element; see `byte_dealing`."""
        return True

    def multiply_bytes(self, party: Party, x: Bytes, y: Bytes) -> Protocol[Bytes]:
        """One round and n - 1 - t bytes sent by each of 2t + 1 parties, a product."""
        return (yield from multiply_bytes_passively(party, x, y))

    def open_bytes(self, party: Party, x: Bytes) -> Protocol[Bytes]:
        """One round. Raises InconsistentShares when the n shares disagree."""
        return (yield from open_bytes_passively(party, x))


PASSIVE: Final = Passive()
"""The scheme."""


def _produce_shares(party: Party, count: int) -> Protocol[None]:
    if count:
        party.pool.put(SHARE, (yield from deal_random(party, count)))


def _produce_triples(party: Party, count: int) -> Protocol[None]:
    for start, stop in pieces(count):
        factors = yield from deal_random(party, 2 * (stop - start))
        a, b = factors[: stop - start], factors[stop - start :]
        party.pool.put(TRIPLE, a, b, (yield from reduce_degree(party, party.field.mul(a, b))))


def _reduce_all(party: Party, products: Vector) -> Protocol[Vector]:
    return (
        yield from in_pieces(party, len(products), lambda start, stop: reduce_degree(party, products[start:stop]))
    )


def reduce_degree(party: Party, products: Vector) -> Protocol[Vector]:
    """Sharings of degree t from local products or sums of products of shares (degree 2t).

    At most MAX_ROUND_ELEMENTS of them. By resharing in one round, or by kings in two, whichever is the faster.
    """
    if uses_kings(party, len(products)):
        return (yield from reduce_by_kings(party, products))
    return (yield from reshare(party, products))


def reshare(party: Party, products: Vector) -> Protocol[Vector]:
    """`reduce_degree` by resharing [Gennaro, Rabin, Rabin 1998]: one round."""
    joint = _resharing(party.threshold)
    seeds = yield from agree_on_seeds(party)
    value = products if party.identity in joint.dealers else None
    dealt = yield from deal(party, joint, count=len(products), seeds=seeds, value=value)
    return party.field.combine(dealt.factors, dealt.rows)


@lru_cache(maxsize=MAX_PARTIES)
def _resharing(threshold: int) -> JointDealing:
    """Parties 1..2t+1 deal their products, weighted by the signed binomials that interpolate degree 2t at 0."""
    dealers = tuple(PartyId(dealer) for dealer in range(1, 2 * threshold + 2))
    weights = tuple(int(weight) for weight in lagrange_fractions(dealers))
    return JointDealing(dealers, Dealt.SECRET, threshold, weights)


def open_degree(party: Party, x: Vector, *, degree: int) -> Protocol[Vector]:
    """The values of sharings of degree `degree` (t, or 2t for masked local products), to everybody: one round."""

    def step(start: int, stop: int) -> Protocol[Vector]:
        own = x[start:stop]
        shares = {party.identity: own}
        if party.parties > 1:
            incoming = dict.fromkeys(party.others, stop - start)
            shares |= yield from exchange_vectors(party, dict.fromkeys(party.others, own), incoming)
        return reconstruct(party.field, shares, threshold=degree)

    return (yield from in_pieces(party, len(x), step))


def deal_secrets(party: Party, value: Callable[[], Vector], count: int) -> Protocol[list[Vector]]:
    """The sharings that each of parties 1..t+1 deals of its `count` values `value()`: one round.

    One of the t + 1 dealers is honest, so what all of them contribute to is known to nobody.
    """
    dealers = tuple(PartyId(dealer) for dealer in range(1, party.threshold + 2))
    joint = JointDealing(dealers, Dealt.SECRET, party.threshold, (1,) * len(dealers))
    seeds = yield from agree_on_seeds(party)
    own = value() if party.identity in dealers else None
    dealt = yield from deal(party, joint, count=count, seeds=seeds, value=own)
    field = party.field
    pairs = zip(dealt.factors, dealt.rows, strict=True)
    return [row if factor == 1 else field.combine([factor], [row]) for factor, row in pairs]
