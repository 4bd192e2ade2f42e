"""Secret permutations: shuffling rows at random, and moving them by a permutation that is itself shared.

A permutation is a column of destinations 0..n-1, each once. Where rows can be shuffled fast, they are shuffled
together with their destinations, these are opened - a uniform permutation, whatever they were - and the rows are
put in place. Everything up to such an opening is verified before it. Fast ways are `resharing` under the passive
scheme, and `dealt_shuffles` under passive and abort. Under any other scheme a sorting network moves the rows and
opens nothing: slower, with the guarantees of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate.protocol.field import Vector
from quorate.protocol.mpc.operations import reveal
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.pool import Plan
from quorate.protocol.mpc.preprocessing import random_integers, sum_bits

from .columns import check_columns, pack, public_places, row_numbers, scatter, unpack
from .dealt_shuffles import DEALT_SHUFFLES, can_deal, dealt_shuffle_plan
from .network import network_sort
from .resharing import agree_on_common_seeds, can_reshare
from .shuffles import Shuffles


def can_shuffle(party: Party) -> bool:
    """Whether there is a fast way to shuffle under the party's scheme."""
    return can_reshare(party) or can_deal(party)


def shuffle_plan(party: Party, rows: int) -> Plan:
    """What the fast way to shuffle takes from the pool, for one order of `rows` rows."""
    return dealt_shuffle_plan(party, rows) if can_deal(party) and not can_reshare(party) else Plan()


def agree_on_shuffles(party: Party) -> Protocol[Shuffles]:
    """The fastest way to shuffle. Raises ValueError where there is none."""
    if can_reshare(party):
        return (yield from agree_on_common_seeds(party))
    if can_deal(party):
        return DEALT_SHUFFLES
    raise ValueError(f"the {party.scheme.name} scheme has no fast shuffle; sort by a network")


def shuffle(party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The rows in a uniform order that nobody knows.

    The fastest way that the scheme allows (see the module). Without one the rows are sorted by random keys on a
    network; two keys are equal, which would tilt the order, with probability below 2^-kappa.
    """
    rows = check_columns(columns)
    if can_shuffle(party):
        drawn = yield from (yield from agree_on_shuffles(party)).draw(party, rows)
        return (yield from drawn.permute(party, columns))
    width = 2 * rows.bit_length() + party.kappa
    keys = yield from random_integers(party, rows, bits=width)
    return (yield from network_sort(party, keys, columns, bits=sum_bits(width, party.threshold) + 1))[1:]


def apply(party: Party, destinations: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns with row i at place `destinations[i]`.

    Raises ValueError when what is opened shows that the destinations are no permutation.
    """
    rows = check_columns([destinations, *columns])
    if not columns:
        return []
    if not can_shuffle(party):
        return (yield from network_sort(party, destinations, columns, bits=_index_bits(rows)))[1:]
    shuffles = yield from agree_on_shuffles(party)
    return (yield from apply_by(party, shuffles, destinations, columns))


def apply_by(
    party: Party, shuffles: Shuffles, destinations: Vector, columns: Sequence[Vector]
) -> Protocol[list[Vector]]:
    """`apply` by shuffling, in a way that was agreed on before."""
    rows = len(destinations)
    drawn = yield from shuffles.draw(party, rows)
    shuffled, *moved = yield from drawn.permute(party, [destinations, *columns])
    places = public_places(party.field, (yield from reveal(party, shuffled)), below=rows)
    return unpack(scatter(pack(moved), places))


def gather(party: Party, sources: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns with row `sources[i]` at place i: the inverse of `apply`, for sources 0..n-1, each once.

    Raises ValueError when what is opened shows that the sources are no permutation.
    """
    check_columns([sources, *columns])
    if not columns:
        return []
    if not can_shuffle(party):
        return (yield from apply(party, (yield from invert(party, sources)), columns))
    shuffles = yield from agree_on_shuffles(party)
    return (yield from gather_by(party, shuffles, sources, columns))


def gather_by(
    party: Party, shuffles: Shuffles, sources: Vector, columns: Sequence[Vector]
) -> Protocol[list[Vector]]:
    """`gather` by shuffling, in a way that was agreed on before."""
    drawn = yield from shuffles.draw(party, len(sources))
    (shuffled,) = yield from drawn.permute(party, [sources])
    places = public_places(party.field, (yield from reveal(party, shuffled)), below=len(sources))
    return (yield from drawn.permute_back(party, unpack(pack(columns)[places])))


def invert(party: Party, destinations: Vector) -> Protocol[Vector]:
    """The inverse permutation: at place `destinations[i]`, i."""
    (sources,) = yield from apply(party, destinations, [row_numbers(party.field, len(destinations))])
    return sources


def compose(party: Party, first: Vector, second: Vector) -> Protocol[Vector]:
    """The permutation that is `first` and then `second`: row i goes to `second[first[i]]`."""
    (composed,) = yield from gather(party, first, [second])
    return composed


def _index_bits(rows: int) -> int:
    return max(1, rows - 1).bit_length() + 1
