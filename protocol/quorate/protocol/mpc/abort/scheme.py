"""The scheme `abort`: the primitives of the package as `Scheme` asks for them."""

from __future__ import annotations

from typing import Final

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.batches import join, pieces
from quorate.protocol.mpc.dealing import agree_on_seeds
from quorate.protocol.mpc.operations import run_sums
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.passive import open_degree, reshare
from quorate.protocol.mpc.pool import SHARE, TRIPLE, Plan
from quorate.protocol.mpc.random_sharings import deal_random
from quorate.protocol.mpc.rounds import together
from quorate.protocol.mpc.scheme import Scheme

from .items import produce_checked
from .transcript import Claim, MatrixClaim, ProductClaim
from .verification import checked_zeros, transcript_of, verify

LEAST_FIELD_BITS: Final = 50
"""The smallest modulus in bits: a wrong product then passes with a probability of at most 2^-40."""
_PRODUCED: Final = frozenset({"bit", "integer", "share", "triple"})


class Abort(Scheme):
    """Malicious security with abort for t < n/2; see the package."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """Its name, abort."""
        return "abort"

    def check_committee(self, parties: int, threshold: int) -> None:
        """An honest majority: raises ValueError unless 2t + 1 <= n."""
        if threshold < 0 or 2 * threshold >= parties:
            raise ValueError(f"threshold {threshold} needs {2 * threshold + 1} parties")

    def check_field(self, field: PrimeField) -> None:
        """A wrong product must pass with a probability of at most 2^-40: raises ValueError for a smaller field."""
        if field.modulus.bit_length() < LEAST_FIELD_BITS:
            raise ValueError(
                f"{field.name} has {field.modulus.bit_length()} bits; the abort scheme needs {LEAST_FIELD_BITS}"
            )

    def set_up(self, party: Party) -> Protocol[None]:
        """The seeds of every pair of parties: one round."""
        yield from agree_on_seeds(party)

    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        """One round and n - 1 - t elements sent by each of 2t + 1 parties, a product."""
        results = []
        for start, stop in pieces(len(x)):
            one, other = x[start:stop], y[start:stop]
            product = yield from reshare(party, party.field.mul(one, other))
            results.append(product)
            yield from _remember(party, ProductClaim(one, other, product))
        return join(party.field, results)

    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        """As one multiplication each; verified as inner products."""
        results = []
        for start, stop in pieces(len(x) // length):
            one, other = x[start * length : stop * length], y[start * length : stop * length]
            sums = run_sums(party, party.field.mul(one, other), length)
            result = yield from reshare(party, sums)
            results.append(result)
            yield from _remember(party, ProductClaim(one, other, result, length))
        return join(party.field, results)

    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        """As one multiplication for each element of the result; verified as one inner product."""
        products = party.field.matrix_product(x, y, inner=inner)
        results = []
        for start, stop in pieces(len(products)):
            results.append((yield from reshare(party, products[start:stop])))
        result = join(party.field, results)
        yield from _remember(party, MatrixClaim(x, y, result, inner=inner))
        return result

    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        """A verification of what is not verified yet, then one round.

        Raises VerificationFailed, and InconsistentShares when the n shares disagree.
        """
        yield from self.verify(party)
        return (yield from open_degree(party, x, degree=party.threshold))

    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        """A verification of what is not verified yet, then three rounds: dealt, a coin, and a check that they are zero.

        They re-randomise what leaves the computation, so that comes first.
        """
        if not party.threshold:
            return party.field.zeros(count)
        yield from self.verify(party)
        results = []
        for start, stop in pieces(count):
            results.append((yield from checked_zeros(party, stop - start)))
        return join(party.field, results)

    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        """Bits and integers from t + 1 dealers, elements from all, and triples; ValueError for other items.

        They are good for this session at once, for another one after `verify`.
        """
        if unknown := [item.name for item in plan if item.name not in _PRODUCED]:
            raise ValueError(f"the abort scheme makes no {', '.join(unknown)}")
        yield from together(
            party,
            produce_checked(party, plan),
            _produce_shares(party, plan.shares),
            _produce_triples(party, plan.triples),
        )

    def verify(self, party: Party) -> Protocol[None]:
        """Check everything since the last call; see `verification`. Without corrupted parties nothing is to check."""
        if party.threshold:
            yield from verify(party)


ABORT: Final = Abort()
"""The scheme."""


def _remember(party: Party, claim: Claim) -> Protocol[None]:
    """Keep a claim for the next verification, which is due when too much is kept."""
    if party.threshold:
        transcript = transcript_of(party)
        transcript.add_claim(claim)
        if transcript.is_full:
            yield from verify(party)


def _produce_shares(party: Party, count: int) -> Protocol[None]:
    if count:
        party.pool.put(SHARE, (yield from _random_shares(party, count)))


def _produce_triples(party: Party, count: int) -> Protocol[None]:
    for start, stop in pieces(count):
        factors = yield from _random_shares(party, 2 * (stop - start))
        a, b = factors[: stop - start], factors[stop - start :]
        party.pool.put(TRIPLE, a, b, (yield from ABORT.multiply(party, a, b)))


def _random_shares(party: Party, count: int) -> Protocol[Vector]:
    """Sharings of uniform values; their degree is checked by the next verification where it can be wrong."""
    shares = yield from deal_random(party, count)
    if party.threshold and party.parties > 2 * party.threshold + 1:
        transcript_of(party).add_sharing(shares)
    return shares
