"""What an operation costs, found by running it dry, and long batches cut into pieces that are paid for at once.

A dry run is the operation itself on zeros, under a scheme that communicates nothing and writes down what is asked
of it. That works because the course of an operation never depends on the values: so the plan is exact, and there
is no second description of an operation to be kept true.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NoReturn

import numpy as np

from quorate.protocol.field import PrimeField, Vector
from quorate.protocol.mpc.batches import join
from quorate.protocol.mpc.galois import Bytes
from quorate.protocol.mpc.party import Converse, Exchange, Party, Protocol
from quorate.protocol.mpc.passive import PASSIVE
from quorate.protocol.mpc.pool import Column, Item, Plan, Preprocessing
from quorate.protocol.mpc.preprocessing import reserve
from quorate.protocol.mpc.scheme import Scheme
from quorate.protocol.sharing import PartyId

MAX_PIECE_ITEMS: Final = 1 << 20
"""The most preprocessed items that one piece of a batch takes, a bit over GF(2^8) counted as one; then the next."""
_ENDLESS: Final = 1 << 62

Operation = Callable[..., Protocol[Any]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What an operation takes: preprocessed items, products (an inner product of k terms is k), opened values.

    `rounds` is how many communication rounds it takes when the pool holds the plan, a multiplication and an
    opening being one round each.
    """

    plan: Plan
    products: int
    opened: int
    rounds: int

    def times(self, count: int) -> Cost:
        """The cost of `count` values at once; the rounds stay, until a batch is so long that it goes in pieces."""
        return Cost(self.plan.times(count), self.products * count, self.opened * count, self.rounds)


def cost_of(party: Party, operation: Operation, *lengths: int, **options: Any) -> Cost:
    """What `operation(party, *vectors, **options)` takes, for vectors of these lengths; without communication.

    For an operation that works element by element, `cost_of(party, operation, 1, 1, ...).times(count)` is exact
    and quick. Raises what the operation raises.
    """
    key = (party.field, party.parties, party.threshold, party.kappa, party.scheme.computes_on_bytes)
    return _dry_cost(key, operation, lengths, tuple(sorted(options.items())))


def plan_of(party: Party, operation: Operation, *lengths: int, **options: Any) -> Plan:
    """What `operation(party, *vectors, **options)` takes from the pool, under the scheme of the party."""
    cost = cost_of(party, operation, *lengths, **options)
    return cost.plan + party.scheme.multiplication_plan(party, cost.products)


def piecewise(party: Party, operation: Operation, *vectors: Vector, **options: Any) -> Protocol[Vector]:
    """Apply an element by element operation to equally long vectors, in pieces of at most MAX_PIECE_ITEMS items.

    All that a piece takes is preprocessed in one batch before it. Raises ValueError for unequal lengths.
    """
    count = len(vectors[0])
    if any(len(vector) != count for vector in vectors):
        raise ValueError(
            f"vectors of {', '.join(str(len(v)) for v in vectors)} elements: the lengths must be equal"
        )
    if isinstance(party.scheme, _DryScheme):
        return (yield from operation(party, *vectors, **options))  # type: ignore[no-any-return]  # of any operation
    each = plan_of(party, operation, *(1 for _ in vectors), **options)
    # what has a width and is no integer of the prime field alone, has that many bits over GF(2^8)
    in_bytes = sum(item.width * number for item, number in each.items() if item.name != "integer")
    size = max(1, MAX_PIECE_ITEMS // max(1, each.total + in_bytes))
    results = []
    for start in range(0, count, size):
        parts = [vector[start : start + size] for vector in vectors]
        yield from reserve(party, each.times(len(parts[0])))
        results.append((yield from operation(party, *parts, **options)))
    return join(party.field, results)


@lru_cache(maxsize=1024)
def _dry_cost(
    key: tuple[PrimeField, int, int, int, bool],
    operation: Operation,
    lengths: tuple[int, ...],
    options: tuple[tuple[str, Any], ...],
) -> Cost:
    field, parties, threshold, kappa, computes_on_bytes = key
    scheme = _DryScheme(computes_on_bytes=computes_on_bytes)
    party = Party(
        field,
        PartyId(1),
        parties=parties,
        threshold=threshold,
        kappa=kappa,
        randomness=_no_randomness,
        scheme=scheme,
    )
    ledger = _Ledger(field, parties, threshold)
    party.pool = ledger
    _run_dry(operation(party, *(field.zeros(length) for length in lengths), **dict(options)))
    return Cost(ledger.taken, scheme.products, party.statistics.opened, party.statistics.rounds)


def _run_dry(protocol: Protocol[Any]) -> None:
    """Answer every effect with zeros, which are canonical elements."""
    replies: dict[PartyId, bytes] = {}
    try:
        effect = next(protocol)
        while True:
            if isinstance(effect, Converse):
                raise RuntimeError("an operation that holds conversations cannot be run dry")
            replies = {sender: bytes(size) for sender, size in effect.incoming.items()}
            effect = protocol.send(replies)
    except StopIteration:
        return


def _no_randomness(size: int) -> NoReturn:
    raise RuntimeError(f"a dry run draws no randomness, but {size} bytes were asked for")


@lru_cache(maxsize=256)
def _columns_of(
    field: PrimeField, parties: int, threshold: int, item: Item
) -> tuple[tuple[tuple[int, ...], np.dtype[Any]], ...]:
    """The shape and type of one entry in each column of an item, as the passive scheme makes it of zeros."""
    party = Party(field, PartyId(1), parties=parties, threshold=threshold, randomness=bytes, scheme=PASSIVE)
    _run_dry(PASSIVE.produce(party, Plan({item: 1})))
    return tuple((column.shape[1:], column.dtype) for column in party.pool.take_columns(item, 1))


class _EndlessPlan(Plan):
    """A stock that has enough of everything."""

    __slots__ = ()

    def __getitem__(self, item: Item) -> int:
        return _ENDLESS


class _Ledger(Preprocessing):
    """A pool that hands out zeros and remembers how many."""

    __slots__ = ("_key", "taken")

    def __init__(self, field: PrimeField, parties: int, threshold: int) -> None:
        super().__init__(field.limbs)
        self._key = (field, parties, threshold)
        self.taken = Plan()

    def take(self, item: Item, count: int) -> Vector:
        if count == 0:
            return self._key[0].zeros(0)
        (column,) = self.take_columns(item, count)
        return column

    def take_columns(self, item: Item, count: int) -> tuple[Column, ...]:
        self.taken += Plan({item: count})
        return tuple(np.zeros((count, *shape), dtype=kind) for shape, kind in _columns_of(*self._key, item))

    @property
    def stock(self) -> Plan:
        return _EndlessPlan()


class _DryScheme(Scheme):
    """Every primitive is one empty round; what it would give is zero."""

    __slots__ = ("_computes_on_bytes", "products")

    def __init__(self, *, computes_on_bytes: bool) -> None:
        self._computes_on_bytes = computes_on_bytes
        self.products = 0

    @property
    def name(self) -> str:
        return "dry"

    def check_committee(self, parties: int, threshold: int) -> None:
        del parties, threshold

    def set_up(self, party: Party) -> Protocol[None]:
        del party
        yield from ()

    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        del y
        self.products += len(x)
        yield from _round(party)
        return party.field.zeros(len(x))

    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        del y
        self.products += len(x)
        yield from _round(party)
        return party.field.zeros(len(x) // length)

    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        columns = len(y) // inner
        self.products += len(x) * columns
        yield from _round(party)
        return party.field.zeros(len(x) // inner * columns)

    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        yield from _round(party)
        return party.field.zeros(len(x))

    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        yield from ()
        return party.field.zeros(count)

    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        del party, plan
        yield from ()

    def verify(self, party: Party) -> Protocol[None]:
        del party
        yield from ()

    @property
    def computes_on_bytes(self) -> bool:
        return self._computes_on_bytes

    def multiply_bytes(self, party: Party, x: Bytes, y: Bytes) -> Protocol[Bytes]:
        del y
        yield from _round(party)
        return np.zeros_like(x)

    def open_bytes(self, party: Party, x: Bytes) -> Protocol[Bytes]:
        yield from _round(party)
        return np.zeros_like(x)


def _round(party: Party) -> Protocol[None]:
    party.statistics.rounds += 1
    yield Exchange({}, {})
