"""The shipped coprocessors as a committee runs them: shares in, MPC engines, shares out, all in one process."""

from __future__ import annotations

import pytest

from quorate.node.store import shipped_packages
from quorate.node.store.trial import compile_package, public_values
from quorate.protocol.field import BN254, Vector
from quorate.protocol.mpc import preprocess, run_local, signed_integers
from quorate.protocol.sharing import reconstruct
from quorate.protocol.simulation import SeededRandomness, simulated_committee
from quorate.protocol.vm import CountingEngine, Environment, MpcEngine, Result, dump, load, run
from quorate.registry import Case, Package

PARTIES, THRESHOLD, SEED = 3, 1, 7
CASES = [
    pytest.param(package, case, id=f"{package.manifest.name}: {case.name}")
    for package in shipped_packages()
    for case in package.cases()
]


def shares_of(value: int, randomness: SeededRandomness) -> list[Vector]:
    slope = randomness.between(0, BN254.modulus - 1)
    return [BN254.vector([value + slope * point]) for point in range(1, PARTIES + 1)]


def run_jointly(package: Package, case: Case) -> tuple[tuple[int, ...], dict[int, tuple[int, ...]]]:
    """The public values, and what each client reconstructs."""
    program = load(dump(compile_package(package)))
    members = simulated_committee(BN254, parties=PARTIES, threshold=THRESHOLD, seed=SEED)
    clients = len(case.inputs)
    facts = Environment(clients, clients, clients, PARTIES, THRESHOLD, "bn254", "passive")
    randomness = SeededRandomness(SEED, "inputs")
    values = {(client, place): value for client, row in enumerate(case.inputs) for place, value in enumerate(row)}
    shared = {key: shares_of(value, randomness) for key, value in values.items()}
    counting = CountingEngine(set(values), facts)
    run_local([run(program, counting, arguments=case.arguments)])
    run_local([preprocess(member, counting.plan(member)) for member in members])
    engines = [
        MpcEngine(member, {key: rows[place] for key, rows in shared.items()}, facts)
        for place, member in enumerate(members)
    ]
    results: list[Result] = run_local([run(program, engine, arguments=case.arguments) for engine in engines])
    assert all(public_values(result) == public_values(results[0]) for result in results)
    received: dict[int, tuple[int, ...]] = {}
    for same in zip(*(result.outputs for result in results), strict=True):
        shares = {member.identity: output.values for member, output in zip(members, same, strict=True)}
        received[same[0].client] = tuple(signed_integers(BN254, reconstruct(BN254, shares, threshold=THRESHOLD)))
    return public_values(results[0]), received


@pytest.mark.parametrize(("package", "case"), CASES)
def test_a_committee_gives_what_the_vectors_say(package: Package, case: Case) -> None:
    public, received = run_jointly(package, case)
    assert public == case.public
    assert received == dict(enumerate(case.outputs))


def rounds_and_comparisons(clients: int) -> tuple[int, int]:
    auction = next(item for item in shipped_packages() if item.manifest.name == "second-price-auction")
    facts = Environment(clients, clients, clients, PARTIES, THRESHOLD, "bn254", "passive")
    counting = CountingEngine({(client, 0) for client in range(clients)}, facts)
    run_local([run(compile_package(auction), counting)])
    counts = counting.counts()
    return counts.rounds, sum(counts.comparisons.values())


def test_the_rounds_of_the_auction_grow_with_the_logarithm_of_its_clients() -> None:
    rounds = {clients: rounds_and_comparisons(clients)[0] for clients in (2, 4, 8, 16, 32)}
    steps = [rounds[2 * clients] - rounds[clients] for clients in (2, 4, 8, 16)]
    assert len(set(steps[1:])) == 1
    assert rounds_and_comparisons(50)[0] <= rounds[32] + steps[-1]
    assert rounds_and_comparisons(50)[1] == 25 + 2 * 24
