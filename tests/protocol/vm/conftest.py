"""What the machine's tests share: running a program in the clear, as a dry run, and as a committee."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from quorate.protocol.field import BN254
from quorate.protocol.lang import compile_source
from quorate.protocol.mpc import preprocess, run_local, set_up, signed_integers
from quorate.protocol.sharing import reconstruct
from quorate.protocol.simulation import SeededRandomness, simulated_committee
from quorate.protocol.vm import (
    ClearEngine,
    CountingEngine,
    Counts,
    Environment,
    MpcEngine,
    Program,
    Result,
    SecretEngine,
    dump,
    load,
    run,
)

PROGRAMS = Path(__file__).parent / "programs"
Inputs = Mapping[tuple[int, int], int]


@dataclasses.dataclass(frozen=True)
class Joint:
    """What a committee did: its public result, the reconstructed outputs, and what it cost."""

    result: Result
    outputs: list[tuple[int, list[int]]]
    rounds: int
    counts: Counts
    stock_left: int


class Lab:
    """Ways to run a program."""

    def program(self, name: str) -> Program:
        path = PROGRAMS / f"{name}.stfl"
        return compile_source(path.read_text(), path.name)

    def compiled(self, source: str) -> Program:
        return load(dump(compile_source(source, "test.stfl")))

    def alone(self, code: Program, engine: SecretEngine, **options: Any) -> Result:
        """Run on an engine that does not communicate."""
        running = run(code, engine, **options)
        try:
            next(running)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        raise AssertionError("an engine for one communicates")

    def clear(self, code: Program, inputs: Inputs | None = None, **options: Any) -> Result:
        return self.alone(code, ClearEngine(inputs or {}, randomness=SeededRandomness(1, "clear")), **options)

    def environment(self, inputs: Inputs, parties: int = 3, threshold: int = 1) -> Environment:
        clients = 1 + max((client for client, _ in inputs), default=-1)
        return Environment(clients, clients, clients, parties, threshold, "bn254", "passive")

    def jointly(
        self,
        code: Program,
        inputs: Inputs,
        *,
        parties: int = 3,
        threshold: int = 1,
        engine: Mapping[str, int] | None = None,
        **options: Any,
    ) -> Joint:
        """Run as a committee, preprocessed by a dry run."""
        members = simulated_committee(BN254, parties=parties, threshold=threshold, seed=1)
        facts = self.environment(inputs, parties, threshold)
        limits = dict(engine or {})
        pending = {key: value for key, value in limits.items() if key == "most_pending"}
        counting = CountingEngine(set(inputs), facts, **pending)
        self.alone(code, counting, **options)
        run_local([set_up(member) for member in members])
        run_local([preprocess(member, counting.plan(member)) for member in members])
        before = members[0].statistics.rounds
        shared = {key: _share(value, parties, threshold) for key, value in inputs.items()}
        engines = [
            MpcEngine(member, {key: rows[place] for key, rows in shared.items()}, facts, **limits)
            for place, member in enumerate(members)
        ]
        results = run_local([run(code, each, **options) for each in engines])
        assert len({(str(result.value), result.printed, result.steps) for result in results}) == 1
        outputs = []
        for same in zip(*(result.outputs for result in results), strict=True):
            shares = {member.identity: output.values for member, output in zip(members, same, strict=True)}
            opened = reconstruct(BN254, shares, threshold=threshold)
            outputs.append((same[0].client, signed_integers(BN254, opened)))
        stock = members[0].pool.stock
        rounds = members[0].statistics.rounds - before
        return Joint(results[0], outputs, rounds, counting.counts(), stock.bits + sum(stock.integers.values()))


def _share(value: int, parties: int, threshold: int) -> Sequence[Any]:
    randomness = SeededRandomness(1, f"input {value}")
    coefficients = [value, *(randomness.between(0, BN254.modulus - 1) for _ in range(threshold))]
    points = range(1, parties + 1)
    return [BN254.vector([sum(c * point**power for power, c in enumerate(coefficients))]) for point in points]


@pytest.fixture(scope="session")
def lab() -> Lab:
    """One laboratory for all tests; it keeps nothing."""
    return Lab()
