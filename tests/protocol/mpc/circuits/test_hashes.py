from __future__ import annotations

import hashlib

import numpy as np
import pytest
from eth_utils import keccak

from quorate.protocol.mpc import ABORT, Plan, preprocess, set_up
from quorate.protocol.mpc.circuits import (
    BYTE_BITS,
    PRIME_BITS,
    keccak_256,
    keccak_f,
    sha3_256,
    sha256,
    sha256_plan,
)
from quorate.protocol.mpc.circuits.sha256 import MAX_MESSAGE_BYTES


def messages(size, batch=2):
    return [bytes((place * (number + 3) + number) % 256 for place in range(size)) for number in range(batch)]


@pytest.mark.parametrize("size", [0, 1, 55, 56, 64, 120])
def test_sha256_of_any_length(on_bytes, size):
    texts = messages(size)
    assert on_bytes.open(on_bytes.run(sha256, on_bytes.share(texts))) == [
        hashlib.sha256(text).digest() for text in texts
    ]


@pytest.mark.parametrize("size", [0, 1, 135, 136, 137, 272])
def test_keccak_of_any_length(on_bytes, size):
    texts = messages(size)
    shares = on_bytes.share(texts)
    assert on_bytes.open(on_bytes.run(sha3_256, shares)) == [hashlib.sha3_256(text).digest() for text in texts]
    assert on_bytes.open(on_bytes.run(keccak_256, shares)) == [keccak(text) for text in texts]


def test_published_digests(on_bytes):
    shares = on_bytes.share([b"abc"])
    assert on_bytes.open(on_bytes.run(sha256, shares))[0].hex() == (  # FIPS 180-4 examples
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert on_bytes.open(on_bytes.run(sha3_256, shares))[0].hex() == (  # FIPS 202 examples
        "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"
    )


def test_malicious_security_with_abort(machine_of):
    """The robust scheme takes a minute for a block; what hashes are made of runs under it in test_layers."""
    machine = machine_of(3, 1, PRIME_BITS)
    for party in machine.group.parties:
        party.scheme = ABORT
    shares = machine.share([b"abc"])
    assert machine.open(machine.run(sha256, shares)) == [hashlib.sha256(b"abc").digest()]
    assert machine.open(machine.run(sha3_256, shares)) == [hashlib.sha3_256(b"abc").digest()]


def test_several_blocks_over_the_prime_field(machine_of):
    machine = machine_of(3, 1, PRIME_BITS)
    text = messages(140, 1)
    shares = machine.share(text)
    assert machine.open(machine.run(keccak_256, shares)) == [keccak(text[0])]


@pytest.mark.parametrize("layer", [BYTE_BITS, PRIME_BITS])
def test_five_parties(machine_of, layer):
    machine = machine_of(5, 2, layer)
    shares = machine.share([b"five"])
    assert machine.open(machine.run(sha3_256, shares)) == [hashlib.sha3_256(b"five").digest()]


def test_keccak_costs_one_round_of_conjunctions_each(on_bytes):
    state = np.zeros((64, 5, 5, 1), dtype=np.uint8)
    on_bytes.group.run(set_up)
    before = on_bytes.first.statistics.rounds
    out = on_bytes.run(keccak_f, state)
    assert on_bytes.first.statistics.rounds - before == 24
    opened = on_bytes.open_bits([own[:, 0, :1] for own in out])[:, 0, 0]
    # the first lane of the permuted zero state, of the reference implementation's test vectors
    assert sum(int(bit) << place for place, bit in enumerate(opened)) == 0xF1258F7940E1DDE7


@pytest.mark.parametrize("layer", [BYTE_BITS, PRIME_BITS])
def test_the_plan_is_what_a_block_takes(machine_of, layer):
    machine = machine_of(3, 1, layer)
    shares = machine.share([b"x"])
    machine.group.run(set_up)
    stock = machine.first.pool.stock
    machine.group.run(preprocess, sha256_plan(machine.first, layer, 1))
    machine.run(sha256, shares)
    assert machine.first.pool.stock == stock
    assert sha256_plan(machine.first, BYTE_BITS, 9) == Plan()


@pytest.mark.parametrize("circuit", [sha256, sha3_256])
def test_long_messages_are_refused(on_bytes, circuit):
    with pytest.raises(ValueError, match="at most"):
        next(circuit(on_bytes.first, BYTE_BITS, np.zeros((8, MAX_MESSAGE_BYTES + 1, 1), dtype=np.uint8)))
