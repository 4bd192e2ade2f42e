"""Random bytes and bits over GF(2^8), and random bits shared in both fields, from t + 1 dealers.

Over GF(2^8) the exclusive or is addition: what t + 1 dealers deal is added up, and an honest dealer makes the sum
uniform. In the prime field the exclusive or of the dealers' bits takes ceil(log2(t + 1)) rounds of products. A
dealer that deals different bits in the two fields is not caught: this is for the passive scheme.

A bounded integer is the sum of one integer of each dealer. Over GF(2^8) the dealers' bits are added up: carry-save
adders bring three integers down to two, at a product a bit, and a prefix adder [Sklansky 1960] adds the last two,
in 1 + ceil(log2(width - 1)) rounds.
"""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from quorate.protocol.field import Vector
from quorate.protocol.sharing import PartyId

from .byte_dealing import deal_bytes_of, deal_common_bytes, multiply_bytes_passively, own_bits
from .dealt_items import Deal, exclusive_or
from .galois import Bytes
from .party import Party, Protocol
from .pool import BYTE, BYTE_BIT, DUAL_BIT, Plan, dual_integer, exact_integer
from .rounds import together

MAX_STEP_ITEMS: Final = 1 << 18
"""The most items that are dealt in one round."""
MAX_STEP_BYTES: Final = 1 << 21
"""The most bits of integers that one dealer deals over GF(2^8) in one round."""


def produce_bytes(party: Party, count: int, *, bits: int) -> Protocol[None]:
    """Put `count` uniform elements of GF(2^8) and `bits` uniform bits into the pool: one round a step."""
    for start in range(0, count + bits, MAX_STEP_ITEMS):
        stop = min(start + MAX_STEP_ITEMS, count + bits)
        whole = max(0, min(stop, count) - start)
        value = np.concatenate(
            [np.frombuffer(party.randomness(whole), dtype=np.uint8), own_bits(party, stop - start - whole)]
        )
        shares = yield from deal_common_bytes(party, value)
        party.pool.put(BYTE, shares[:whole])
        party.pool.put(BYTE_BIT, shares[whole:])


def produce_dual_bits(party: Party, count: int, deal: Deal) -> Protocol[None]:
    """Put `count` uniform bits, shared in both fields, into the pool."""
    for start in range(0, count, MAX_STEP_ITEMS):
        own = own_bits(party, min(MAX_STEP_ITEMS, count - start))
        in_field = partial(party.field.from_small, own)
        rows, in_bytes = yield from together(party, deal(party, in_field, len(own)), deal_common_bytes(party, own))
        party.pool.put(DUAL_BIT, (yield from exclusive_or(party, rows)), in_bytes)


def produce_dual_integers(party: Party, plan: Plan, deal: Deal) -> Protocol[None]:
    """Put the integers of `plan` that are shared in both fields into the pool.

    Raises ValueError for an exact integer that is too narrow to hide anything.
    """
    for kind, carried in ((dual_integer, 0), (exact_integer, party.threshold.bit_length())):
        for width, count in plan.widths(kind(1).name).items():
            if width <= carried:
                raise ValueError(f"an integer of {width} bits is no sum of {party.threshold + 1} integers")
            step = max(1, MAX_STEP_BYTES // width)
            for start in range(0, count, step):
                size = min(step, count - start)
                total, bits = yield from _deal_integers(party, size, width - carried, carried, deal)
                party.pool.put(kind(width), total, bits.T)


def _deal_integers(
    party: Party, count: int, width: int, carried: int, deal: Deal
) -> Protocol[tuple[Vector, Bytes]]:
    """Sums of the dealers' integers of `width` bits, and their bits modulo 2^(width + carried), as rows."""
    own = own_bits(party, width * count)
    in_field = partial(party.field.from_bits, own.reshape(width, count).view(np.bool_))
    dealers = [PartyId(dealer) for dealer in range(1, party.threshold + 2)]
    rows, numbers = yield from together(
        party,
        deal(party, in_field, count),
        together(party, *(deal_bytes_of(party, dealer, own) for dealer in dealers)),
    )
    above = np.zeros((carried, count), dtype=np.uint8)
    tables = [np.concatenate([number.reshape(width, count), above]) for number in numbers]
    while len(tables) > 2:
        tables = yield from _save_carries(party, tables)
    bits = (yield from _add(party, *tables)) if len(tables) == 2 else tables[0]
    return party.field.combine([1] * len(rows), rows), bits


def _save_carries(party: Party, tables: list[Bytes]) -> Protocol[list[Bytes]]:
    """Two integers for every three, with the same sum modulo 2^width; bits are rows. One round."""
    width, count = tables[0].shape
    whole = len(tables) - len(tables) % 3
    triples = [tables[place : place + 3] for place in range(0, whole, 3)]
    left = np.concatenate([(a ^ b)[:-1].reshape(-1) for a, b, _ in triples])
    right = np.concatenate([(a ^ c)[:-1].reshape(-1) for a, _, c in triples])
    products = (yield from multiply_bytes_passively(party, left, right)).reshape(len(triples), width - 1, count)
    results = tables[whole:]
    for (a, b, c), product in zip(triples, products, strict=True):
        carries: Bytes = np.zeros((width, count), dtype=np.uint8)
        carries[1:] = product ^ a[:-1]  # the majority of three bits
        results += [a ^ b ^ c, carries]
    return results


def _add(party: Party, a: Bytes, b: Bytes) -> Protocol[Bytes]:
    """The bits of a + b modulo 2^width; bits are rows."""
    differing = a ^ b
    width, count = a.shape
    if width == 1:
        return differing
    shape = (width - 1, count)
    generate = (yield from multiply_bytes_passively(party, a[:-1].reshape(-1), b[:-1].reshape(-1))).reshape(shape)
    propagate = differing[:-1].copy()
    span = 1
    while span < width - 1:
        # every place in the upper half of a block of 2 span joins the last place of the lower half
        upper = np.array([place for place in range(width - 1) if place & span], dtype=np.intp)
        lower = (upper | (span - 1)) - span
        inner = upper >= 2 * span  # what starts at bit 0 has nothing to propagate
        left = np.concatenate([propagate[upper], propagate[upper[inner]]])
        right = np.concatenate([generate[lower], propagate[lower[inner]]])
        products = yield from multiply_bytes_passively(party, left.reshape(-1), right.reshape(-1))
        table = products.reshape(left.shape)
        generate[upper] ^= table[: len(upper)]
        propagate[upper[inner]] = table[len(upper) :]
        span *= 2
    differing[1:] ^= generate
    return differing
