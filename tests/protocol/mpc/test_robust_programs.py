"""Arithmetic and programs under the robust scheme, beside a liar, and what they take from the pool."""

from __future__ import annotations

import pytest

from quorate.protocol.field import BN254
from quorate.protocol.lang import compile_source
from quorate.protocol.mpc import (
    ROBUST,
    PartyId,
    equal,
    inner_products,
    less_than,
    matrix_product,
    modulo_power,
    open_shares,
    output_shares,
    preprocess,
    shift_right,
    signed_integers,
    to_bits,
)
from quorate.protocol.mpc.arithmetic.costs import plan_of
from quorate.protocol.mpc.standing import Standing
from quorate.protocol.sharing import decode, share
from quorate.protocol.simulation import Finished, Lie, SeededRandomness, simulate, simulated_committee
from quorate.protocol.vm import CountingEngine, Environment, MpcEngine, run

X, Y = [5, -7, 100, 0, -128, 127], [6, -7, -100, 1, 127, -128]
LIAR = PartyId(4)


def shifted(message, receiver):
    if len(message) % 32 or not message:
        return message
    return BN254.to_bytes(BN254.add_constant(BN254.from_bytes(message, len(message) // 32), 1))


def shares_of(values, parties, threshold, purpose):
    secrets, deal = BN254.vector(values), SeededRandomness(1, purpose)
    return share(BN254, secrets, parties=parties, threshold=threshold, randomness=deal)


def outcomes(operation, *, parties=4, seed=1):
    """What honest parties get of `operation(party, x, y)`, opened, when one lies in everything."""
    faults = [Lie(LIAR, shifted)]
    group = simulated_committee(BN254, parties=parties, threshold=1, seed=seed, scheme=ROBUST)
    x, y = shares_of(X, parties, 1, "x"), shares_of(Y, parties, 1, "y")

    def opened(party, one, other):
        return signed_integers(BN254, (yield from open_shares(party, (yield from operation(party, one, other)))))

    protocols = [opened(party, one, other) for party, one, other in zip(group, x, y, strict=True)]
    simulation = simulate(protocols, seed=seed, faults=faults)
    values = []
    for party, outcome in simulation.outcomes.items():
        if party != LIAR:
            assert isinstance(outcome, Finished), outcome
            values.append(outcome.value)
    assert all(value == values[0] for value in values)
    return values[0]


@pytest.mark.parametrize("parties", [4, 5])
def test_comparisons_and_bits_beside_a_liar(parties):
    assert outcomes(lambda party, x, y: less_than(party, x, y, bits=8), parties=parties) == [1, 0, 0, 1, 1, 0]
    assert outcomes(lambda party, x, y: equal(party, x, y, bits=8), parties=parties) == [0, 1, 0, 0, 0, 0]
    remainders = outcomes(lambda party, x, y: modulo_power(party, x, bits=8, power=3), parties=parties)
    assert remainders == [x % 8 for x in X]
    halves = outcomes(lambda party, x, y: shift_right(party, x, bits=8, power=1), parties=parties)
    assert halves == [x >> 1 for x in X]

    def highest(party, x, y):
        return (yield from to_bits(party, x, bits=8))[7]

    assert outcomes(highest, parties=parties) == [int(x < 0) for x in X]


@pytest.mark.parametrize("parties", [4, 5])
def test_inner_and_matrix_products_beside_a_liar(parties):
    sums = outcomes(lambda party, x, y: inner_products(party, x, y, length=3), parties=parties)
    assert sums == [sum(x * y for x, y in zip(X[at : at + 3], Y[at : at + 3], strict=True)) for at in (0, 3)]
    product = outcomes(lambda party, x, y: matrix_product(party, x, y, inner=2), parties=parties)
    assert product == [
        X[2 * row] * Y[column] + X[2 * row + 1] * Y[3 + column] for row in range(3) for column in range(3)
    ]


@pytest.mark.parametrize("parties", [4, 5])
@pytest.mark.parametrize(("operation", "bits"), [(less_than, 8), (less_than, 33), (equal, 16)])
def test_plans_say_exactly_what_is_taken(parties, operation, bits):
    group = simulated_committee(BN254, parties=parties, threshold=1, seed=1, scheme=ROBUST)
    x, y = shares_of([1, 2], parties, 1, "x"), shares_of([2, 1], parties, 1, "y")

    def measure(party, one, other):
        plan = plan_of(party, operation, 2, 2, bits=bits)
        yield from preprocess(party, plan)
        assert party.pool.stock == plan
        yield from operation(party, one, other, bits=bits)
        return party.pool.stock.total

    protocols = [measure(party, one, other) for party, one, other in zip(group, x, y, strict=True)]
    assert simulate(protocols, seed=1).values() == [0] * parties


PROGRAM = """
def main():
  var x = ClientStore.take_share(0, 0)
  var y = ClientStore.take_share(1, 0)
  (x * y).send_to_client(0)
  (x < y).send_to_client(0)
"""


@pytest.mark.parametrize("faults", [(), (Lie(LIAR, shifted),)])
def test_a_program_is_planned_and_run_beside_a_liar(faults):
    code = compile_source(PROGRAM, "main.stfl")
    facts = Environment(2, 2, 2, 4, 1, "bn254", "robust")
    counting = CountingEngine({(0, 0), (1, 0)}, facts)
    with pytest.raises(StopIteration):
        next(run(code, counting))
    group = simulated_committee(BN254, parties=4, threshold=1, seed=1, scheme=ROBUST)
    inputs = {(client, 0): shares_of([value], 4, 1, f"input {client}") for client, value in ((0, 12), (1, -5))}

    def member(party):
        yield from preprocess(party, counting.plan(party))
        engine = MpcEngine(party, {key: rows[party.identity - 1] for key, rows in inputs.items()}, facts)
        result = yield from run(code, engine)
        sent = []
        for output in result.outputs:
            sent.append((yield from output_shares(party, output.values)))
        return sent, party.pool.stock.total

    simulation = simulate([member(party) for party in group], seed=3, faults=faults)
    honest = {party: one.value for party, one in simulation.outcomes.items() if not faults or party != LIAR}
    holders = {party for party in honest if party in (group[0].standing or Standing((), 0)).holders}
    assert {left for _, left in honest.values()} == {0}, "the plan is exact"
    shares = {party: honest[party][0][0] for party in holders}
    assert signed_integers(BN254, decode(BN254, shares, threshold=1).secrets) == [-60, 0]
