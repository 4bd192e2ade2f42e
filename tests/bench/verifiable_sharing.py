"""Verifiable sharing and threshold signatures, in CPU seconds of one thread.

    python tests/bench/verifiable_sharing.py [--json] [--sharings N]

In the same process run what there is to compare with: py_ecc for scalar multiplication on the pairing curves, and
single signers, which are the limit of any threshold signature: `cryptography` for ed25519 and p-256, coincurve for
secp256k1. Compare the ratios, not the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from random import Random
from time import thread_time
from typing import Any

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

from quorate.protocol.broadcast import Seat
from quorate.protocol.curve import BLS12_381_G1, BN254_G1, CURVES, P256, SECP256K1, Curve
from quorate.protocol.mpc import run_local
from quorate.protocol.sharing import PartyId
from quorate.protocol.simulation import SeededRandomness
from quorate.protocol.verifiable import (
    BIP340,
    FROST_ED25519,
    FROST_P256,
    KeyShare,
    Scheme,
    VerifiableSharing,
    check_dealing,
    deal,
    presign,
    sign_presigned,
    sign_schnorr,
)

PARTIES, THRESHOLD = 4, 1
PEERS = {BN254_G1: "optimized_bn128", BLS12_381_G1: "optimized_bls12_381"}
ROUNDS = 3
DIGEST = hashlib.sha256(b"a message").digest()
Row = dict[str, float | None]


def seconds(step: Callable[[], object], *, repeats: int = 1) -> float:
    """CPU seconds of one call: the best of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        begin = thread_time()
        for _ in range(repeats):
            step()
        best = min(best, (thread_time() - begin) / repeats)
    return best


def multiplication(curve: Curve) -> Row:
    """Microseconds of a scalar multiplication: by the table of the generator, of any point, and py_ecc's."""
    scalar = Random(1).randrange(curve.order)
    point = curve.second_generator
    curve.multiply_base(scalar)
    row: Row = {
        "generator": 1e6 * seconds(lambda: curve.multiply_base(scalar), repeats=100),
        "any point": 1e6 * seconds(lambda: point * scalar, repeats=20),
        "py_ecc": None,
    }
    if curve in PEERS:
        peer: Any = import_module(f"py_ecc.{PEERS[curve]}")  # it ships no usable types
        row["py_ecc"] = 1e6 * seconds(lambda: peer.multiply(peer.G1, scalar), repeats=3)
    return row


def sharing(curve: Curve, scheme: Scheme, count: int) -> Row:
    """Seconds to deal `count` secrets to 4 parties, and for one of them to check all its shares at once."""
    source = SeededRandomness(1, "bench")
    secrets = [curve.random_scalar(source) for _ in range(count)]
    curve.commit(1, 1)

    def step() -> Any:
        return deal(curve, secrets, scheme=scheme, parties=PARTIES, threshold=THRESHOLD, randomness=source)

    dealing = step()

    def check() -> None:
        check_dealing(
            dealing.commitments, dealing.shares[1], dealer=PartyId(1), receiver=PartyId(2), randomness=source
        )

    encoded = [point.encode() for commitment in dealing.commitments for point in commitment.points]
    return {
        "deal": seconds(step),
        "decode": seconds(lambda: [curve.decode(data, identity=True) for data in encoded]),
        "check": seconds(check),
    }


def asynchronous(count: int) -> Row:
    """Milliseconds of all 4 parties together for each secret of one asynchronous sharing."""

    def step() -> None:
        machines = {
            PartyId(party): VerifiableSharing(
                Seat(PartyId(party), parties=PARTIES, threshold=THRESHOLD),
                PartyId(1),
                curve=SECP256K1,
                scheme=Scheme.PEDERSEN,
                randomness=SeededRandomness(party, "bench"),
                count=count,
            )
            for party in range(1, PARTIES + 1)
        }
        waiting = [(PartyId(1), send) for send in machines[PartyId(1)].start(range(count))]
        while waiting:
            sender, send = waiting.pop(0)
            answers = machines[send.receiver].receive(sender, send.message)
            waiting.extend((send.receiver, answer) for answer in answers)
        assert all(machine.output is not None for machine in machines.values())

    return {"secrets": count, "ms a secret": 1e3 * seconds(step) / count}


def key_shares(curve: Curve) -> dict[PartyId, KeyShare]:
    """A key among three parties, of which two can sign."""
    source = SeededRandomness(1, "key")
    dealing = deal(
        curve, [curve.random_scalar(source)], scheme=Scheme.FELDMAN, parties=3, threshold=1, randomness=source
    )
    return {
        PartyId(party): KeyShare(PartyId(party), own[0].value, dealing.commitments[0])
        for party, own in enumerate(dealing.shares, start=1)
    }


def schnorr(suite: Any, single: Callable[[], object]) -> Row:
    """Signatures a second of one of two signers, and of a single signer."""
    keys = key_shares(suite.curve)
    signers = [PartyId(1), PartyId(2)]

    def step() -> object:
        return run_local(
            [
                sign_schnorr(
                    suite, keys[party], DIGEST, signers=signers, randomness=SeededRandomness(party, "sign")
                )
                for party in signers
            ]
        )

    step()
    return rates(seconds(step, repeats=20) / len(signers), single)


def ecdsa(curve: Curve, single: Callable[[], object]) -> Row:
    """Signatures a second of one of three signers, presigned in batches of 50."""
    keys: Mapping[PartyId, KeyShare] = key_shares(curve)
    signers: Sequence[PartyId] = sorted(keys)
    count = 50

    def step() -> None:
        made = run_local(
            [
                presign(keys[party], signers=signers, count=count, randomness=SeededRandomness(party, "sign"))
                for party in signers
            ]
        )
        for index in range(count):
            run_local([sign_presigned(keys[party], made[party - 1][index], DIGEST) for party in signers])

    return rates(seconds(step) / count / len(signers), single)


def rates(own: float, single: Callable[[], object]) -> Row:
    """Both as signatures a second, and the ratio."""
    peer = seconds(single, repeats=200)
    return {"a signer's rate": 1 / own, "single signer": 1 / peer, "times slower": own / peer}


def signatures() -> dict[str, Row]:
    """Every threshold signature with the single signer that it replaces."""
    edwards, on_p256 = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
    on_secp256k1 = PrivateKey()
    sign_p256 = partial(on_p256.sign, DIGEST, ec.ECDSA(Prehashed(SHA256())))
    return {
        "frost ed25519": schnorr(FROST_ED25519, partial(edwards.sign, DIGEST)),
        "frost p-256 (to ECDSA)": schnorr(FROST_P256, sign_p256),
        "frost bip340": schnorr(BIP340, partial(on_secp256k1.sign_schnorr, DIGEST)),
        "ecdsa secp256k1": ecdsa(SECP256K1, partial(on_secp256k1.sign, DIGEST, hasher=None)),
        "ecdsa p-256": ecdsa(P256, sign_p256),
    }


def print_table(title: str, rows: Mapping[str, Row]) -> None:
    """Rows under their columns; what was not measured is left out."""
    columns = list(next(iter(rows.values())))
    print(f"\n{title}")
    print(" " * 28 + "".join(f"{column:>18}" for column in columns))
    for name, row in rows.items():
        cells = [
            "" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}" for value in row.values()
        ]
        print(f"{name:28}" + "".join(f"{cell:>18}" for cell in cells))


def main() -> None:
    """Measure, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--sharings", type=int, default=1000, help="sharings in a batch")
    options = parser.parse_args()
    tables: dict[str, dict[str, Row]] = {
        "scalar multiplication, us": {name: multiplication(curve) for name, curve in CURVES.items()},
        f"{options.sharings} sharings, n=4 t=1, s": {
            f"{name} {scheme.value}": sharing(curve, scheme, options.sharings)
            for name, curve in CURVES.items()
            for scheme in Scheme
        },
        "asynchronous sharing, secp256k1 pedersen, n=4 t=1": {
            "batch": asynchronous(1),
            "batch of 50": asynchronous(50),
        },
        "signatures a CPU second, t=1": signatures(),
    }
    if options.json:
        print(json.dumps({"unit": "CPU time of one thread", "tables": tables}))
        return
    for title, rows in tables.items():
        print_table(title, rows)


if __name__ == "__main__":
    main()
