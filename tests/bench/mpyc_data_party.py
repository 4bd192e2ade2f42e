"""One MPyC party of the benchmark of data: python mpyc_data_party.py -M3 -T1 -I0 -B11365 ROWS BLOCKS REPEAT; JSON."""

from __future__ import annotations

import json
import sys
import time

import numpy as np
from mpyc.runtime import mpc

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
BLOCK = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
ENCRYPTED = bytes.fromhex("3925841d02dc09fbdc118597196a0b32")
SHIFTED = [4 * ((place // 4 + place % 4) % 4) + place % 4 for place in range(16)]


async def best(repeat, operation):
    """CPU and wall milliseconds of the fastest of `repeat` runs after one that warms up."""
    results = []
    for _ in range(repeat + 1):
        await mpc.barrier()
        cpu, wall = time.process_time(), time.perf_counter()
        await operation()
        results.append((1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)))
    return [min(result[side] for result in results[1:]) for side in (0, 1)]


class Aes:
    """AES-128 on arrays of shares over GF(2^8), a row of 16 bytes a block."""

    def __init__(self):
        self.kind = mpc.SecFld(2**8, modulus="x^8+x^4+x^3+x+1")
        self.field = self.kind.field
        matrix = [[int((row - column) % 8 in {0, 1, 2, 3, 4}) for column in range(8)] for row in range(8)]
        self.affine = self.field.array(matrix)
        self.constant = self.field.array([0x63 >> place & 1 for place in range(8)])
        mix = np.zeros((16, 16), dtype=int)
        for place in range(16):
            column, row = divmod(place, 4)
            for offset, factor in enumerate((2, 3, 1, 1)):
                mix[place, 4 * column + (row + offset) % 4] = factor
        self.mix = self.field.array(mix)

    def shared(self, blocks):
        return mpc.input(self.kind.array(self.field.array([list(block) for block in blocks])), senders=0)

    def substitute(self, x):
        bits = mpc.np_to_bits(x**254)
        return mpc.np_from_bits(bits @ self.affine.T + self.constant)

    def expand(self, key):
        keys, constant = [key], 1
        for _ in range(10):
            words = [keys[-1][:, 4 * place : 4 * place + 4] for place in range(4)]
            rotated = mpc.np_hstack((words[3][:, 1:], words[3][:, :1]))
            word = self.substitute(rotated) + self.field.array([constant, 0, 0, 0])
            following = []
            for old in words:
                word = word + old
                following.append(word)
            keys.append(mpc.np_hstack(following))
            constant = constant << 1 ^ (0x11B if constant & 0x80 else 0)
        return keys

    def encrypt(self, key, blocks):
        keys = self.expand(key)
        state = blocks + keys[0]
        for number in range(1, 11):
            state = self.substitute(state)[:, SHIFTED]
            if number < 10:
                state = state @ self.mix.T
            state = state + keys[number]
        return state


async def main():
    rows, blocks, repeat = (int(argument) for argument in sys.argv[1:4])
    await mpc.start()
    secure = mpc.SecInt(32)
    values = [(7919 * place) % 1_000_003 for place in range(rows)]
    x = mpc.input(secure.array(secure.field.array(values)), senders=0)
    place = mpc.input(secure(rows // 2), senders=0)
    aes = Aes()
    key, one, many = aes.shared([KEY]), aes.shared([BLOCK]), aes.shared([BLOCK] * blocks)
    await mpc.gather(x, place, key, one, many)

    def read():
        return mpc.np_unit_vector(place, rows) @ x

    operations = {
        "sort": lambda: mpc.gather(mpc.np_sort(x)),
        "AES block": lambda: mpc.gather(aes.encrypt(key, one)),
        "AES batch": lambda: mpc.gather(aes.encrypt(key, many)),
        "read": lambda: mpc.gather(read()),
    }
    results = {}
    for name, operation in operations.items():
        cpu, wall = await best(1 if name == "sort" else repeat, operation)
        results[name] = {"cpu_ms": cpu, "wall_ms": wall}
    encrypted = await mpc.output(aes.encrypt(key, one))
    assert bytes(int(value) for value in encrypted[0]) == ENCRYPTED
    assert int(await mpc.output(read())) == values[rows // 2]
    await mpc.shutdown()
    print(json.dumps(results))


mpc.run(main())
