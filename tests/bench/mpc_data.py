"""Sorting, circuits and array accesses on shares, next to MPyC in the same run, and to fixed bars.

    python tests/bench/mpc_data.py [--json] [--rows 1024] [--blocks 64] [--repeat 5]

Three parties, threshold 1, each a process of its own; they talk over TCP on the loopback interface, in clear, as
MPyC does too. A time is of the fastest repetition, averaged over the parties; preprocessing counts. The ratio is
of CPU times. MPyC sorts 32-bit integers in the field of its SecInt(32) and computes AES over GF(2^8); it ships no
SHA-256. A bar is the wall time in milliseconds that is to be undercut at the default sizes.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from mpc_processes import connect, free_base_port, run_processes

PARTIES, THRESHOLD = 3, 1
BARS_MS = {"sort": 3000.0, "AES block": 150.0}
KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
BLOCK = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
ENCRYPTED = bytes.fromhex("3925841d02dc09fbdc118597196a0b32")


async def party_main(options: argparse.Namespace) -> None:
    """One party of ours: measure, check a few results, print JSON."""
    import os

    import numpy as np

    from quorate.protocol.field import BN254
    from quorate.protocol.mpc import Party, PartyId, open_shares, set_up
    from quorate.protocol.mpc.circuits import (
        BYTE_BITS,
        bytes_of_bits,
        encrypt_blocks,
        keccak_256,
        public_bits,
        sha256,
    )
    from quorate.protocol.mpc.data import read, sort
    from quorate.protocol.sharing import share
    from quorate.protocol.simulation import SeededRandomness

    size = {"parties": PARTIES, "threshold": THRESHOLD}
    party = Party(BN254, PartyId(options.party), randomness=os.urandom, **size)
    dealer = SeededRandomness(1, "bench")
    peers = await connect(options.party, PARTIES, options.base_port)
    await peers.run(set_up(party))

    def shared(values: list[int]) -> Any:
        return share(BN254, BN254.vector(values), randomness=dealer, **size)[options.party - 1]

    async def shared_bytes(strings: list[bytes]) -> Any:
        bits = np.stack([public_bits(string) for string in strings], axis=2)
        own = await peers.run(BYTE_BITS.enter(party, shared(bits.reshape(-1).astype(int).tolist())))
        return own.reshape(bits.shape)

    values = [(7919 * place) % 1_000_003 for place in range(options.rows)]
    x, place = shared(values), shared([options.rows // 2])
    key, one = await shared_bytes([KEY]), await shared_bytes([BLOCK])
    many = await shared_bytes([BLOCK] * options.blocks)
    operations: dict[str, Callable[[], Any]] = {
        "sort": lambda: sort(party, x, bits=32),
        "AES block": lambda: encrypt_blocks(party, BYTE_BITS, key, one),
        "AES batch": lambda: encrypt_blocks(party, BYTE_BITS, key, many),
        "SHA-256 block": lambda: sha256(party, BYTE_BITS, one),
        "Keccak-256 block": lambda: keccak_256(party, BYTE_BITS, one),
        "read": lambda: read(party, x, place),
    }
    results, last = {}, {}
    for name, operation in operations.items():
        times = []
        for _ in range(options.repeat + 1):
            await peers.run(open_shares(party, place))  # start together
            cpu, wall = time.process_time(), time.perf_counter()
            last[name] = await peers.run(operation())
            times.append((1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - wall)))
        best_cpu, best_wall = (min(entry[side] for entry in times[1:]) for side in (0, 1))
        results[name] = {"cpu_ms": best_cpu, "wall_ms": best_wall}
    assert BN254.integers(await peers.run(open_shares(party, last["sort"]))) == sorted(values)
    assert BN254.integers(await peers.run(open_shares(party, last["read"]))) == [values[options.rows // 2]]
    bits = await peers.run(BYTE_BITS.leave(party, last["AES block"]))
    opened = ~BN254.is_zero(await peers.run(open_shares(party, bits)))
    assert bytes_of_bits(opened.reshape(8, 16)) == ENCRYPTED
    print(json.dumps(results))


def compare(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Run both committees, one after the other."""
    sizes = [str(options.rows), str(options.blocks), str(options.repeat)]
    base = [sys.executable, __file__, "--rows", sizes[0], "--blocks", sizes[1], "--repeat", sizes[2]]
    base += ["--base-port", str(free_base_port(PARTIES))]
    own = run_processes([[*base, "--party", str(party)] for party in range(1, PARTIES + 1)])
    script = str(Path(__file__).with_name("mpyc_data_party.py"))
    base = [sys.executable, script, f"-M{PARTIES}", f"-T{THRESHOLD}", f"-B{free_base_port(PARTIES)}"]
    other = run_processes([[*base, f"-I{party}", *sizes] for party in range(PARTIES)])
    rows = []
    for name, figures in own.items():
        row: dict[str, Any] = {"operation": name, "wall_ms": figures["wall_ms"], "cpu_ms": figures["cpu_ms"]}
        row["mpyc_wall_ms"] = other[name]["wall_ms"] if name in other else None
        row["mpyc_cpu_ms"] = other[name]["cpu_ms"] if name in other else None
        row["ratio"] = other[name]["cpu_ms"] / figures["cpu_ms"] if name in other else None
        row["bar_ms"] = BARS_MS.get(name)
        rows.append(row)
    return rows


def main() -> int:
    """Run the benchmark; the exit code is 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rows", type=int, default=1024)
    parser.add_argument("--blocks", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    for internal in ("--party", "--base-port"):
        parser.add_argument(internal, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.party is not None:
        trio.run(party_main, options)
        return 0
    rows = compare(options)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        print(f"{'':18} {'quorate':>21} {'MPyC':>21}")
        print(
            f"{'operation':18} {'CPU':>10} {'wall':>10} {'CPU':>10} {'wall':>10} {'CPU ratio':>10} {'bar':>8}  (ms)"
        )
        for row in rows:
            columns = [row[key] for key in ("cpu_ms", "wall_ms", "mpyc_cpu_ms", "mpyc_wall_ms", "ratio")]
            figures = " ".join("         -" if value is None else f"{value:10.1f}" for value in columns)
            print(f"{row['operation']:18} {figures} {row['bar_ms'] or '-':>8}")
    return 0 if all(row["wall_ms"] < row["bar_ms"] for row in rows if row["bar_ms"]) else 1


if __name__ == "__main__":
    raise SystemExit(main())
