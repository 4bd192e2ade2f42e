"""Robust openings, multiplications and preprocessing a CPU second a party, beside the passive scheme in the same run.

    python tests/bench/mpc_robust.py [--json] [--count 100000] [--triples 40000] [--repeat 5]

Every party is a process of its own, with the driver of a node; they talk over TCP on the loopback interface, in
clear, by the transport of `quorate bench mpc`, which itself has no parties that lie. The field is that of BN254. A
time is the CPU time of the fastest repetition, averaged over the honest parties, an element; "found" is the first
opening, in which the liars are caught. Liars add one to every share that they open.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import trio

from quorate.node.bench.loopback import listen, open_loopback

COMMITTEES = ((4, 1, 0), (5, 1, 0), (7, 2, 0), (7, 2, 2), (10, 3, 0))
TARGET_OPENS = 1_000_000.0
TARGET_OPENS_WITH_LIARS = 300_000.0
TARGET_TRIPLES = 50_000.0


def lying(protocol: Any) -> Any:
    """The same protocol, but one is added to every share that it sends."""
    from quorate.protocol.field import BN254

    effect = next(protocol)
    try:
        while True:
            for receiver, message in effect.outgoing.items():
                wrong = BN254.add_constant(BN254.from_bytes(message, len(message) // 32), 1)
                effect.outgoing[receiver] = BN254.to_bytes(wrong)
            effect = protocol.send((yield effect))
    except StopIteration as stop:
        return stop.value


async def party_main(options: argparse.Namespace) -> None:
    """One party: measure, check results, print JSON."""
    import os

    from quorate.node.driver import drive, open_post
    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import (
        PASSIVE,
        ROBUST,
        Party,
        PartyId,
        Plan,
        exchange_bytes,
        multiply,
        open_shares,
        preprocess,
        reserve,
    )
    from quorate.protocol.mpc.robust import open_packed
    from quorate.protocol.sharing import share
    from quorate.protocol.simulation import SeededRandomness

    size = {"parties": options.parties, "threshold": options.threshold}
    is_liar = options.party > options.parties - options.liars
    party, passive = (
        Party(BN254, PartyId(options.party), randomness=os.urandom, scheme=scheme, **size)
        for scheme in (ROBUST, PASSIVE)
    )
    values = [7 * index - 50 for index in range(options.count)]
    x = share(BN254, BN254.vector(values), randomness=SeededRandomness(1, "bench"), **size)[options.party - 1]
    plan = party.scheme.multiplication_plan(party, options.count)
    ports = dict(enumerate(map(int, options.ports.split(",")), 1))
    listener = socket.socket(fileno=options.listener)
    results: dict[str, dict[str, float]] = {}
    async with open_loopback(options.party, listener, ports) as wires, open_post(wires) as post:

        async def together() -> None:
            """All start together; nothing is late after it."""
            await drive(
                exchange_bytes(party, dict.fromkeys(party.others, b"."), dict.fromkeys(party.others, 1)),
                wires,
                post=post,
            )

        async def measure(
            name: str, operation: Callable[[], Any], count: int, *, repeat: int, lies: bool = False
        ) -> Any:
            times = []
            for _ in range(repeat):
                await together()
                cpu, wall = time.process_time(), time.perf_counter()
                result = await drive(lying(operation()) if lies and is_liar else operation(), wires, post=post)
                times.append((time.process_time() - cpu, time.perf_counter() - wall))
            cpu_s, wall_s = (min(entry[side] for entry in times) for side in (0, 1))
            results[name] = {"cpu_us": cpu_s / count * 1e6, "wall_us": wall_s / count * 1e6}
            await together()
            return result

        await measure("passive open", lambda: open_shares(passive, x), len(x), repeat=options.repeat)
        if options.liars:
            await measure("open, found", lambda: open_shares(party, x), len(x), repeat=1, lies=True)
        opened = await measure("open", lambda: open_shares(party, x), len(x), repeat=options.repeat, lies=True)
        assert BN254.integers(opened[:9]) == [value % BN254.modulus for value in values[:9]]
        if not options.liars:
            degree = options.threshold
            opened = await measure(
                "open, packed", lambda: open_packed(party, x, degree=degree), len(x), repeat=options.repeat
            )
            assert BN254.integers(opened[:9]) == [value % BN254.modulus for value in values[:9]]
            made = Plan(triples=options.triples)
            await measure("triple", lambda: preprocess(party, made), options.triples, repeat=options.repeat)
            bits = Plan(bits=options.triples // 4)
            await measure("random bit", lambda: preprocess(party, bits), bits.total, repeat=options.repeat)
            times = []
            for _ in range(options.repeat):
                await drive(reserve(party, plan), wires, post=post)
                product = await measure("multiply", lambda: multiply(party, x, x), len(x), repeat=1)
                times.append(results["multiply"])
            results["multiply"] = {unit: min(entry[unit] for entry in times) for unit in ("cpu_us", "wall_us")}
            opened = await drive(open_shares(party, product), wires, post=post)
            assert BN254.integers(opened[:9]) == [value * value for value in values[:9]]
    print(json.dumps({} if is_liar else results))


def measure_committee(
    parties: int, threshold: int, liars: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Run one process a party; the mean over the honest ones."""
    base = [sys.executable, __file__, "--parties", str(parties), "--threshold", str(threshold)]
    base += ["--liars", str(liars), "--count", str(options.count), "--triples", str(options.triples)]
    base += ["--repeat", str(options.repeat)]
    listeners = [listen() for _ in range(parties)]
    base += ["--ports", ",".join(str(listener.getsockname()[1]) for listener in listeners)]
    processes = []
    for party, listener in enumerate(listeners, 1):
        own = listener.fileno()  # the process inherits it, under the same number
        command = [*base, "--party", str(party), "--listener", str(own)]
        processes.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=(own,)))
    for listener in listeners:
        listener.close()
    try:
        while any(process.poll() is None for process in processes):
            if any(process.poll() for process in processes):  # the others would wait for it
                raise RuntimeError(f"a party failed: {' '.join(base)}")
            time.sleep(0.05)
    finally:
        for process in processes:
            process.kill()
    outputs = [process.communicate()[0] for process in processes]
    results = [result for output in outputs if (result := json.loads(output.strip().splitlines()[-1]))]
    rows = []
    for name in results[0]:
        mean = {
            unit: sum(result[name][unit] for result in results) / len(results) for unit in ("cpu_us", "wall_us")
        }
        rows.append({"parties": parties, "threshold": threshold, "liars": liars, "operation": name, **mean})
    return rows


def is_met(row: Mapping[str, Any]) -> bool:
    """Whether a row reaches its target, if it has one."""
    rate = 1e6 / row["cpu_us"]
    if row["operation"] == "open" and row["parties"] == 7:
        return bool(rate >= (TARGET_OPENS_WITH_LIARS if row["liars"] else TARGET_OPENS))
    if row["operation"] == "triple" and row["parties"] == 4:
        return bool(rate >= TARGET_TRIPLES)
    return True


def main() -> int:
    """Run the benchmark; the exit code is 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--triples", type=int, default=40_000)
    parser.add_argument("--repeat", type=int, default=5)
    for internal in ("--party", "--parties", "--threshold", "--liars", "--listener"):
        parser.add_argument(internal, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ports", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.party is not None:
        trio.run(party_main, options)
        return 0
    rows = []
    for parties, threshold, liars in COMMITTEES:
        rows += measure_committee(parties, threshold, liars, options)
    if options.json:
        print(json.dumps(rows, indent=1))
        return 0 if all(map(is_met, rows)) else 1
    print(f"{'committee':18} {'operation':13} {'CPU a party':>26} {'wall':>12} {'to passive open':>16}")
    for row in rows:
        if row["operation"] == "passive open":
            passive = row["cpu_us"]
        name = f"n={row['parties']} t={row['threshold']} liars={row['liars']}"
        cpu = f"{row['cpu_us']:.3f} us ({1e6 / row['cpu_us']:,.0f}/s)"
        print(
            f"{name:18} {row['operation']:13} {cpu:>26} {row['wall_us']:9.3f} us {row['cpu_us'] / passive:15.2f}x"
        )
    return 0 if all(map(is_met, rows)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
