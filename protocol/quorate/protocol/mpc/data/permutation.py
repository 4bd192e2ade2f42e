"""Secret permutations: shuffling rows at random, and moving them by a permutation that is itself shared.

A permutation is a column of destinations 0..n-1, each once. Under the passive scheme, where `resharing` is
possible, rows are shuffled together with their destinations, these are opened - a uniform permutation, whatever
they were - and the rows are put in place. Under any other scheme a sorting network moves the rows and opens
nothing: slower, with the guarantees of the scheme.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorate.protocol.field import Vector
from quorate.protocol.mpc.operations import open_shares
from quorate.protocol.mpc.party import Party, Protocol
from quorate.protocol.mpc.preprocessing import random_integers, sum_bits

from .columns import check_columns, pack, public_places, row_numbers, scatter, unpack
from .network import network_sort
from .resharing import CommonSeeds, agree_on_common_seeds, can_reshare, permute, permute_back


def shuffle(party: Party, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The rows in a uniform order that nobody knows.

    By resharing where that is possible: 1 + binomial(n, t) rounds. Under any other scheme the rows are sorted by
    random keys on a network; two keys are equal, which would tilt the order, with probability below 2^-kappa.
    """
    rows = check_columns(columns)
    if can_reshare(party):
        seeds = yield from agree_on_common_seeds(party)
        return (yield from permute(party, seeds.draw(rows), columns))
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
    if not can_reshare(party):
        return (yield from network_sort(party, destinations, columns, bits=_index_bits(rows)))[1:]
    seeds = yield from agree_on_common_seeds(party)
    return (yield from apply_by(party, seeds, destinations, columns))


def apply_by(
    party: Party, seeds: CommonSeeds, destinations: Vector, columns: Sequence[Vector]
) -> Protocol[list[Vector]]:
    """`apply` by resharing, with common seeds that were agreed on before."""
    rows = len(destinations)
    shuffled, *moved = yield from permute(party, seeds.draw(rows), [destinations, *columns])
    places = public_places(party.field, (yield from open_shares(party, shuffled)), below=rows)
    return unpack(scatter(pack(moved), places))


def gather(party: Party, sources: Vector, columns: Sequence[Vector]) -> Protocol[list[Vector]]:
    """The columns with row `sources[i]` at place i: the inverse of `apply`, for sources 0..n-1, each once.

    Raises ValueError when what is opened shows that the sources are no permutation.
    """
    check_columns([sources, *columns])
    if not columns:
        return []
    if not can_reshare(party):
        return (yield from apply(party, (yield from invert(party, sources)), columns))
    seeds = yield from agree_on_common_seeds(party)
    return (yield from gather_by(party, seeds, sources, columns))


def gather_by(
    party: Party, seeds: CommonSeeds, sources: Vector, columns: Sequence[Vector]
) -> Protocol[list[Vector]]:
    """`gather` by resharing, with common seeds that were agreed on before."""
    drawn = seeds.draw(len(sources))
    (shuffled,) = yield from permute(party, drawn, [sources])
    places = public_places(party.field, (yield from open_shares(party, shuffled)), below=len(sources))
    return (yield from permute_back(party, drawn, unpack(pack(columns)[places])))


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
