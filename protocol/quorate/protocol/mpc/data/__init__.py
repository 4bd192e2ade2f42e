"""Data structures on shares: sorting, shuffling, secret permutations, arrays at secret places, histograms, groups.

Columns are vectors of shares, one element a row; a table is a list of columns. Where a faster way exists under the
passive scheme it is taken (`resharing`); everything also runs under every other scheme, with its guarantees.
"""

from .access import find, find_plan, lookup, lookup_bits, one_hot_places, read, swap, write
from .columns import MAX_COLUMNS, MAX_ROWS
from .groups import Groups, bring_forward, count_distinct, distinct, group_sums
from .histogram import MAX_EDGES, count_categories, histogram, histogram_plan
from .join import left_join
from .network import network_plan, network_sort
from .one_hot import MAX_INDEX_BITS, one_hot
from .permutation import apply, can_shuffle, compose, gather, invert, shuffle
from .places import access_plan, place_bits
from .prefix import prefix_products, prefix_sums
from .resharing import MAX_STEPS
from .sort import (
    SortMethod,
    argsort,
    default_method,
    median,
    quantile,
    rank,
    sort,
    sort_plan,
    sort_rows,
    top,
)

__all__ = [
    "MAX_COLUMNS",
    "MAX_EDGES",
    "MAX_INDEX_BITS",
    "MAX_ROWS",
    "MAX_STEPS",
    "Groups",
    "SortMethod",
    "access_plan",
    "apply",
    "argsort",
    "bring_forward",
    "can_shuffle",
    "compose",
    "count_categories",
    "count_distinct",
    "default_method",
    "distinct",
    "find",
    "find_plan",
    "gather",
    "group_sums",
    "histogram",
    "histogram_plan",
    "invert",
    "left_join",
    "lookup",
    "lookup_bits",
    "median",
    "network_plan",
    "network_sort",
    "one_hot",
    "one_hot_places",
    "place_bits",
    "prefix_products",
    "prefix_sums",
    "quantile",
    "rank",
    "read",
    "shuffle",
    "sort",
    "sort_plan",
    "sort_rows",
    "swap",
    "top",
    "write",
]
