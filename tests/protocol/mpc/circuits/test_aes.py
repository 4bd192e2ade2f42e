from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.mpc import Plan, preprocess, set_up
from quorate.protocol.mpc.circuits import (
    BYTE_BITS,
    MAX_BLOCKS,
    PRIME_BITS,
    aes_plan,
    encrypt_blocks,
    encrypt_counter_mode,
    keystream,
)

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
VECTORS = [  # FIPS 197, appendices B and C.1
    (KEY, "3243f6a8885a308d313198a2e0370734", "3925841d02dc09fbdc118597196a0b32"),
    (bytes(range(16)), "00112233445566778899aabbccddeeff", "69c4e0d86a7b0430d8cdb78070b4c55a"),
]
COUNTER = bytes(range(0xF0, 0x100))


def reference(key, blocks):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return [encryptor.update(block) for block in blocks]


@pytest.mark.parametrize(("key", "block", "expected"), VECTORS, ids=["B", "C.1"])
def test_published_vectors(machine, key, block, expected):
    shares = machine.share([bytes.fromhex(block)])
    assert machine.open(machine.run(encrypt_blocks, machine.share([key]), shares)) == [bytes.fromhex(expected)]


@settings(max_examples=6, deadline=None, derandomize=True)
@given(st.binary(min_size=16, max_size=16), st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=9))
def test_any_blocks(machine_of, key, blocks):
    machine = machine_of(3, 1, BYTE_BITS)
    assert machine.open(machine.run(encrypt_blocks, machine.share([key]), machine.share(blocks))) == reference(
        key, blocks
    )


def test_a_key_for_each_block(machine):
    keys, blocks = [KEY, bytes(16), bytes(range(16))], [bytes(16), bytes(16), KEY]
    expected = [reference(key, [block])[0] for key, block in zip(keys, blocks, strict=True)]
    assert machine.open(machine.run(encrypt_blocks, machine.share(keys), machine.share(blocks))) == expected


@pytest.mark.parametrize("layer", [BYTE_BITS, PRIME_BITS])
def test_five_parties(machine_of, layer):
    machine = machine_of(5, 2, layer)
    shares = machine.share([KEY])
    assert machine.open(machine.run(encrypt_blocks, shares, shares)) == reference(KEY, [KEY])


def test_under_every_scheme(under_scheme):
    shares = under_scheme.share([KEY])
    assert under_scheme.open(under_scheme.run(encrypt_blocks, shares, shares)) == reference(KEY, [KEY])


def test_counter_mode_published_vector(on_bytes):
    """NIST SP 800-38A, F.5.1, the first block."""
    text = on_bytes.share([bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")])
    text = [own[:, :, 0] for own in text]
    out = on_bytes.run(encrypt_counter_mode, on_bytes.share([KEY]), text, first_counter=COUNTER)
    assert on_bytes.open([own[:, :, np.newaxis] for own in out]) == [
        bytes.fromhex("874d6191b620e3261bef6864990db6ce")
    ]


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 49])
def test_counter_mode(machine, size):
    text = bytes(7 * place % 256 for place in range(size))
    counter = b"\xff" * 15 + b"\xfe"  # it wraps
    shares = [own[:, :, 0] for own in machine.share([text])]
    out = machine.run(encrypt_counter_mode, machine.share([KEY]), shares, first_counter=counter)
    encryptor = Cipher(algorithms.AES(KEY), modes.CTR(counter)).encryptor()
    assert machine.open([own[:, :, np.newaxis] for own in out]) == [encryptor.update(text)]


def test_the_plan_is_what_encrypting_takes(on_bytes):
    machine = on_bytes
    key, blocks = machine.share([KEY]), machine.share([KEY] * 3)
    machine.group.run(set_up)
    stock = machine.first.pool.stock
    machine.group.run(preprocess, aes_plan(BYTE_BITS, 3))
    rounds = machine.first.statistics.rounds
    machine.run(encrypt_blocks, key, blocks)
    assert machine.first.statistics.rounds - rounds == 40
    assert machine.first.pool.stock == stock
    assert aes_plan(PRIME_BITS, 3) == Plan()


def test_rounds_over_the_prime_field(machine_of):
    machine = machine_of(3, 1, PRIME_BITS)
    shares = machine.share([KEY])
    machine.group.run(set_up)
    rounds = machine.first.statistics.rounds
    machine.run(encrypt_blocks, shares, shares)
    assert machine.first.statistics.rounds - rounds == 1 + 9 * 7 + 7


def test_what_does_not_fit(on_bytes):
    party, layer = on_bytes.first, BYTE_BITS
    key = np.zeros((8, 16, 1), dtype=np.uint8)
    for bad_key, blocks in (
        (key, np.zeros((8, 15, 1), dtype=np.uint8)),
        (key[:, :15], np.zeros((8, 16, 1), dtype=np.uint8)),
        (np.zeros((8, 16, 2), dtype=np.uint8), np.zeros((8, 16, 3), dtype=np.uint8)),
        (key[:, :, 0], np.zeros((8, 16), dtype=np.uint8)),
    ):
        with pytest.raises(ValueError, match="does not fit"):
            next(encrypt_blocks(party, layer, bad_key, blocks))
    with pytest.raises(ValueError, match="at most"):
        next(encrypt_blocks(party, layer, key, np.zeros((8, 16, MAX_BLOCKS + 1), dtype=np.uint8)))
    with pytest.raises(ValueError, match="16 bytes, not 15"):
        next(encrypt_counter_mode(party, layer, key, key[:, :, 0], first_counter=bytes(15)))
    with pytest.raises(ValueError, match="block has 16 bytes"):
        next(keystream(party, layer, key, [bytes(15)]))
    with pytest.raises(ValueError, match="one key"):
        next(keystream(party, layer, np.zeros((8, 16, 2), dtype=np.uint8), [bytes(16)]))
    long = np.zeros((8, 16 * MAX_BLOCKS + 1), dtype=np.uint8)
    with pytest.raises(ValueError, match="at most"):
        next(encrypt_counter_mode(party, layer, key, long, first_counter=COUNTER))


def test_no_blocks(machine):
    out = machine.run(encrypt_blocks, machine.share([KEY]), [own[:, :, :0] for own in machine.share([KEY])])
    assert out[0].shape[:3] == (8, 16, 0)
