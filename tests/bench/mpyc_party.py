"""One MPyC party of the benchmark: python mpyc_party.py -M3 -T1 -I0 -B11365 COUNT COMPARED REPEAT; prints JSON."""

from __future__ import annotations

import json
import sys
import time

from mpyc.runtime import mpc

MODULUS = 21888242871839275222246405745257275088548364400416034343698204186575808495617

SIDE = 200
ROUNDS = 300


async def best(repeat, operation):
    """CPU and wall seconds of the fastest of `repeat` runs after one that warms up."""
    results = []
    for _ in range(repeat + 1):
        await mpc.barrier()
        cpu, wall = time.process_time(), time.perf_counter()
        await operation()
        results.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(result[0] for result in results[1:]), min(result[1] for result in results[1:])


async def main():
    count, compared, repeat = (int(argument) for argument in sys.argv[1:4])
    await mpc.start()
    field = mpc.SecFld(modulus=MODULUS)
    x = mpc.input(field.array(field.field.array([7 * i - 50 for i in range(count)])), senders=0)
    secure = mpc.SecInt(32)
    z = mpc.input(secure.array(secure.field.array([7 * i - 50 for i in range(compared)])), senders=0)
    await mpc.gather(x, z)

    async def multiply():
        await mpc.gather(mpc.np_multiply(x, x))

    async def opened():
        await mpc.output(x, raw=True)

    async def less():
        await mpc.gather(mpc.np_less(z, 0))

    matrix = mpc.input(
        field.array(field.field.array([[7 * (SIDE * i + j) - 50 for j in range(SIDE)] for i in range(SIDE)])),
        senders=0,
    )
    one = mpc.input(field(1), senders=0)
    await mpc.gather(matrix, one)

    async def matmul():
        await mpc.gather(mpc.np_matmul(matrix, matrix))

    async def rounds():
        value = one
        for _ in range(ROUNDS):
            value = value * one
            await mpc.gather(value)

    results = {}
    for name, operation, size in (
        ("multiply", multiply, count),
        ("open", opened, count),
        ("matmul200", matmul, 1),
        ("less32", less, compared),
        ("rounds", rounds, ROUNDS),
    ):
        cpu, wall = await best(repeat, operation)
        results[name] = {"cpu_us": cpu / size * 1e6, "wall_us": wall / size * 1e6}
    check = await mpc.output(mpc.np_multiply(x, x)[:8])
    assert [int(value) for value in check] == [(7 * i - 50) ** 2 % MODULUS for i in range(8)]
    await mpc.shutdown()
    print(json.dumps(results))


mpc.run(main())
