from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import PASSIVE, Plan, Scheme, preprocess, set_up
from quorate.protocol.mpc.circuits import (
    BYTE_BITS,
    MAX_TERMS,
    PRIME_BITS,
    bit_layer,
    bytes_of_bits,
    bytes_of_words,
    public_bits,
    words_of_bytes,
)
from quorate.protocol.mpc.circuits.s_box import S_BOX
from quorate.protocol.mpc.passive import Passive

THREE = np.array([[value >> place & 1 for value in range(8)] for place in range(3)], dtype=np.bool_)
LAYERS = {"bytes": BYTE_BITS, "prime": PRIME_BITS}


class WithoutBytes(Passive):
    """The passive scheme as if it did not compute on bytes."""

    __slots__ = ()
    multiply_bytes = Scheme.multiply_bytes
    open_bytes = Scheme.open_bytes

    @property
    def computes_on_bytes(self) -> bool:
        return False


def on_layer(name):
    """The operation of that name, called like a circuit."""

    def run(party, layer, *operands):
        return (yield from getattr(layer, name)(party, *operands))

    return run


def check_operations(machine):
    """Every operation, on all values of three bits."""
    x, y, z = (machine.share_bits(row) for row in THREE)
    cases = {
        "exclusive_or": ((x, y, z), THREE[0] ^ THREE[1] ^ THREE[2]),
        "both": ((x, y), THREE[0] & THREE[1]),
        "choose": ((x, y, z), np.where(THREE[0], THREE[1], THREE[2])),
        "majority": ((x, y, z), THREE.sum(axis=0) >= 2),
    }
    for name, (operands, expected) in cases.items():
        assert machine.open_bits(machine.run(on_layer(name), *operands)).tolist() == expected.tolist(), name


def test_operations(machine):
    check_operations(machine)


def test_operations_under_every_scheme(under_scheme):
    check_operations(under_scheme)
    words = [under_scheme.share_bits(bits_of([200, 7], 8)), under_scheme.share_bits(bits_of([100, 1], 8))]
    total = under_scheme.open_bits(under_scheme.run(added, *words))
    assert total.tolist() == bits_of([44, 8], 8).tolist()
    substituted = under_scheme.run(on_layer("substitute_bytes"), under_scheme.share_bits(public_bits(b"\x00\x53")))
    assert bytes_of_bits(under_scheme.open_bits(substituted)) == b"\x63\xed"


def test_flipping_and_public_bits(machine):
    table = np.arange(12).reshape(3, 4) % 3 == 0
    where = np.array([[True], [False], [True]])
    shares = machine.share_bits(table)
    flipped = [
        machine.layer.flip(party, own, where) for party, own in zip(machine.group.parties, shares, strict=True)
    ]
    assert machine.open_bits(flipped).tolist() == (table ^ where).tolist()
    public = [machine.layer.public(party, table) for party in machine.group.parties]
    assert machine.open_bits(public).tolist() == table.tolist()


def added(party, layer, *words):
    return (yield from layer.add(party, words))


def bits_of(values, width):
    return np.array([[value >> place & 1 for value in values] for place in range(width)], dtype=np.bool_)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(1, 40), st.integers(1, MAX_TERMS), st.sampled_from(sorted(LAYERS)), st.integers(0, 2**32))
def test_sums_of_words(machine_of, width, terms, layer, seed):
    numbers = np.random.default_rng(seed).integers(0, 1 << width, (terms, 3)).tolist()
    numbers = [*numbers[:-1], [0, (1 << width) - 1, 1]]
    machine = machine_of(3, 1, LAYERS[layer])
    tables = [machine.share_bits(bits_of(row, width)) for row in numbers]

    total = machine.open_bits(machine.run(added, *tables))
    sums = [sum(column) % (1 << width) for column in zip(*numbers, strict=True)]
    assert total.tolist() == bits_of(sums, width).tolist()


def test_sums_in_a_field_too_small_for_masks(three):
    """A kappa that the field does not hold stands for a small field."""
    for party in three.parties:
        party.kappa = 128
    width = 126
    numbers = [[(1 << width) - 1, 3, 0], [1, (1 << width) - 2, 0], [7, 9, 5]]
    operands = [three.share(bits_of(row, width).reshape(-1).astype(int).tolist()) for row in numbers]
    shaped = [[own.reshape(width, 3, 4) for own in operand] for operand in operands]

    def flat_sum(party, *words):
        return (yield from PRIME_BITS.add(party, words)).reshape(-1, 4)

    assert PRIME_BITS.addition_plan(three.first, 3, width=width, terms=3) == Plan()
    sums = [sum(column) % (1 << width) for column in zip(*numbers, strict=True)]
    assert three.open(three.run(flat_sum, *shaped)) == bits_of(sums, width).reshape(-1).tolist()


def test_too_many_terms(machine):
    term = machine.layer.public(machine.first, np.zeros((4, 1), dtype=np.bool_))
    with pytest.raises(ValueError, match="16 words"):
        next(machine.layer.add(machine.first, [term] * (MAX_TERMS + 1)))


@pytest.mark.parametrize(("parties", "threshold"), [(1, 0), (3, 1), (5, 2)])
@pytest.mark.parametrize("layer", sorted(LAYERS))
def test_the_s_box_of_every_byte(machine_of, parties, threshold, layer):
    machine = machine_of(parties, threshold, LAYERS[layer])
    shares = machine.share_bits(public_bits(bytes(range(256))))
    substituted = machine.open_bits(machine.run(on_layer("substitute_bytes"), shares))
    assert bytes_of_bits(substituted) == S_BOX


def test_the_published_s_box():
    """FIPS 197, figure 7: a few entries, and that it is a permutation without fixed points."""
    assert S_BOX[0x00] == 0x63
    assert S_BOX[0x53] == 0xED
    assert S_BOX[0xFF] == 0x16
    assert sorted(S_BOX) == list(range(256))
    assert all(value not in {entry, entry ^ 0xFF} for entry, value in enumerate(S_BOX))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(st.binary(max_size=48), st.sampled_from([4, 8]), st.booleans())
def test_words_and_bytes(data, size, big_endian):
    data = data[: len(data) // size * size]
    table = public_bits(data)[:, :, np.newaxis]
    words = words_of_bytes(table, size, big_endian=big_endian)
    order = "big" if big_endian else "little"
    expected = [int.from_bytes(data[start : start + size], order) for start in range(0, len(data), size)]
    assert [sum(int(bit) << place for place, bit in enumerate(word)) for word in words[:, :, 0].T] == expected
    assert bytes_of_bits(bytes_of_words(words, big_endian=big_endian)[:, :, 0]) == data


def test_the_layer_of_a_scheme(three):
    assert bit_layer(three.first) is BYTE_BITS
    three.first.scheme = WithoutBytes()
    assert bit_layer(three.first) is PRIME_BITS


def test_the_byte_layer_refuses_schemes_that_do_not_compute_on_bytes(three):
    for party in three.parties:
        party.scheme = WithoutBytes()
    bits = np.ones(4, dtype=np.uint8)
    with pytest.raises(ValueError, match="does not compute on bytes"):
        three.run(BYTE_BITS.both, bits, bits)


def test_plans_of_additions(machine):
    plan = machine.layer.addition_plan(machine.first, 5, width=32, terms=3)
    machine.group.run(set_up)
    machine.group.run(preprocess, plan)
    x = machine.layer.public(machine.first, np.zeros((32, 5), dtype=np.bool_))
    machine.group.run(machine.layer.add, (x, x, x))
    assert machine.first.pool.stock == Plan()


def test_names():
    assert (BYTE_BITS.name, PRIME_BITS.name, PASSIVE.name) == ("bytes", "prime", "passive")
