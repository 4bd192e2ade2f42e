"""Corrupted parties under the abort scheme: an honest party has the correct result or stops, never a wrong one."""

from __future__ import annotations

import random

import numpy as np
import pytest

from quorate.protocol.errors import MalformedMessage, PartyFault, ProtocolAbort
from quorate.protocol.field import BN254
from quorate.protocol.mpc import (
    ABORT,
    ClientInput,
    InconsistentShares,
    InputFault,
    InputKind,
    Party,
    PartyId,
    Plan,
    VerificationFailed,
    accept_inputs,
    draw_masks,
    inner_products,
    less_than_zero,
    less_than_zero_plan,
    matrix_product,
    multiply,
    output_shares,
    preprocess,
    reveal,
    run_local,
    set_up,
    signed_integers,
    together,
    verify,
    zero_shares,
)
from quorate.protocol.mpc.abort import items, verification
from quorate.protocol.mpc.abort import scheme as abort_scheme
from quorate.protocol.mpc.prss import InconsistentKeys
from quorate.protocol.sharing import lagrange_coefficients, share
from quorate.protocol.simulation import (
    Failed,
    Finished,
    Happening,
    SeededRandomness,
    Tamper,
    simulate,
    simulated_committee,
)

X, Y = [3, -5, 2, 1], [2, 7, -1, 4]
EXPECTED = [6, -35, -2, 4, -29, 2, 11, 1, 3, 18, 0, 1, *X]
SET_UP = 1
"""The exchange in which seeds are sent, when it is the first thing a session does."""


def dealt(values, parties, threshold):
    randomness = SeededRandomness(9, "dealer")
    return share(BN254, BN254.vector(values), parties=parties, threshold=threshold, randomness=randomness)


def committee(parties, threshold, seed=1):
    group = simulated_committee(BN254, parties=parties, threshold=threshold, seed=seed)
    for party in group:
        party.scheme = ABORT
    return group


def program(party: Party, x, y):
    """Every primitive: random items, products of all kinds, a masked opening, and outputs re-randomised."""
    yield from preprocess(party, less_than_zero_plan(2, 4, party.kappa) + Plan(shares=1))
    products, sums = yield from together(party, multiply(party, x, y), inner_products(party, x, y, length=2))
    matrix = yield from matrix_product(party, x, y, inner=2)
    negative = yield from less_than_zero(party, y[1:3].copy(), bits=4)
    outputs = yield from output_shares(party, x)
    opened = yield from reveal(party, np.concatenate([products, sums, matrix, negative, outputs]))
    return signed_integers(BN254, opened)


def simulated(parties, threshold, *, faults=(), seed=1, run=program):
    x, y = dealt(X, parties, threshold), dealt(Y, parties, threshold)
    group = committee(parties, threshold, seed)
    return simulate(
        [run(party, *rows) for party, *rows in zip(group, x, y, strict=True)], seed=seed, faults=faults
    )


def changed(choice):
    """A change of a message: a constant added to one element, or to all; a flipped byte where it holds no elements."""
    source = random.Random(choice)

    def change(message):
        try:
            vector = BN254.from_bytes(message, len(message) // BN254.size_bytes)
        except MalformedMessage:  # seeds, digests
            return bytes([message[0] ^ 1, *message[1:]])
        amount = source.choice([1, -1, source.randrange(1, BN254.modulus)])
        shifted = BN254.add_constant(vector, amount)
        if source.random() < 0.3:
            return BN254.to_bytes(shifted)
        place = source.randrange(len(vector))
        return BN254.to_bytes(np.concatenate([vector[:place], shifted[place : place + 1], vector[place + 1 :]]))

    return change


def messages(parties, threshold):
    """(sender, receiver, exchange) of everything that an undisturbed run sends."""
    trace = simulated(parties, threshold).trace
    return sorted((e.party, e.peer, e.exchange) for e in trace if e.what is Happening.SENT and e.size_bytes)


def judge(simulation, corrupted, counts, expected=None):
    """Every honest party has the correct result or stopped; nobody honest is named."""
    for party, outcome in simulation.outcomes.items():
        if party in corrupted:
            continue
        if isinstance(outcome, Finished):
            assert outcome.value == (EXPECTED if expected is None else expected)
        else:
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.error, PartyFault | ProtocolAbort)
            assert not isinstance(outcome.error, PartyFault) or outcome.error.party in corrupted
        kind = type(outcome.error) if isinstance(outcome, Failed) else Finished
        counts[kind] = counts.get(kind, 0) + 1


def test_an_undisturbed_run():
    for size in ((3, 1), (4, 1), (5, 2)):
        assert all(value == EXPECTED for value in simulated(*size).values())


@pytest.mark.parametrize("seed", [1, 2])
def test_one_liar_in_every_message_of_three_parties(seed):
    counts: dict[type, int] = {}
    for place, (sender, receiver, exchange) in enumerate(messages(3, 1)):
        fault = Tamper(sender, receiver, exchange, changed(seed * 10_000 + place))
        simulation = simulated(3, 1, faults=[fault], seed=seed)
        assert any(event.what is Happening.TAMPERED for event in simulation.trace)
        judge(simulation, {sender}, counts)
    assert counts[InconsistentShares] > counts.get(Finished, 0)


def test_one_liar_in_every_exchange_towards_everybody():
    counts: dict[type, int] = {}
    for sender, exchange in sorted({(sender, exchange) for sender, _, exchange in messages(4, 1)}):
        others = [PartyId(other) for other in range(1, 5) if other != sender]
        faults = [Tamper(sender, other, exchange, changed(exchange * 10 + other)) for other in others]
        judge(simulated(4, 1, faults=faults), {sender}, counts)
    assert counts[InconsistentShares] > counts.get(Finished, 0)


def test_two_liars_in_every_exchange_of_five_parties():
    counts: dict[type, int] = {}
    for exchange in sorted({exchange for _, _, exchange in messages(5, 2)}):
        faults = [
            Tamper(PartyId(liar), PartyId(other), exchange, changed(exchange * 100 + 10 * liar + other))
            for liar in (1, 4)
            for other in (2, 3, 5)
        ]
        judge(simulated(5, 2, faults=faults), {PartyId(1), PartyId(4)}, counts)
    assert counts[InconsistentShares] > counts.get(Finished, 0)


def test_a_wrong_share_to_one_party_in_the_last_opening_stops_only_that_one():
    """Selective abort: the others have the correct result, and the corrupted party has it anyway."""
    last = max(exchange for _, _, exchange in messages(3, 1))
    simulation = simulated(3, 1, faults=[Tamper(PartyId(1), PartyId(2), last, changed(5))])
    assert isinstance(simulation.outcomes[PartyId(3)], Finished)
    assert isinstance(simulation.outcomes[PartyId(2)], Failed)
    judge(simulation, {PartyId(1)}, {})


# Dealers that deviate consistently


def adds_to_dealings(monkeypatch, cheaters, *, where):
    """Let `cheaters` add 1 to what they reshare: in products, in the steps of a verification, or in both."""
    honest = verification.reshare

    def cheating(party, products):
        if party.identity in cheaters:
            products = BN254.add_constant(products, 1)
        return (yield from honest(party, products))

    for module in where:
        monkeypatch.setattr(module, "reshare", cheating)


@pytest.mark.parametrize(("parties", "threshold", "cheaters"), [(3, 1, {2}), (5, 2, {1, 5}), (7, 2, {3, 4})])
@pytest.mark.parametrize("where", [(abort_scheme,), (verification,), (abort_scheme, verification)])
def test_a_constant_added_to_a_dealing_is_found(monkeypatch, parties, threshold, cheaters, where):
    adds_to_dealings(monkeypatch, cheaters, where=where)

    def run(party, x, y):
        yield from multiply(party, x, y)
        yield from verify(party)

    for outcome in simulated(parties, threshold, run=run).outcomes.values():
        assert isinstance(outcome, Failed)
        assert type(outcome.error) is VerificationFailed


def test_nothing_is_opened_after_a_wrong_product(monkeypatch):
    """The error is found before the masked opening of a comparison, and before an output."""
    opened = []
    honest = abort_scheme.open_degree

    def recorded(party, x, *, degree):
        opened.append(party.identity)
        return (yield from honest(party, x, degree=degree))

    def compared(party, x, y):
        return (yield from less_than_zero(party, (yield from multiply(party, x, y)), bits=16))

    def revealed(party, x, y):
        return (yield from reveal(party, (yield from multiply(party, x, y))))

    def re_randomised(party, x, y):
        return (yield from output_shares(party, (yield from multiply(party, x, y))))

    monkeypatch.setattr(abort_scheme, "open_degree", recorded)
    for run in (compared, revealed):
        simulated(3, 1, run=run).values()
    assert opened
    opened.clear()
    adds_to_dealings(monkeypatch, {1}, where=(abort_scheme,))
    for run in (compared, revealed, re_randomised):
        with pytest.raises(VerificationFailed):
            simulated(3, 1, run=run).values()
    assert not opened


@pytest.mark.parametrize("value", [2, -1, (BN254.modulus + 1) // 2])
@pytest.mark.parametrize("plan", [Plan(bits=5), Plan(integers={3: 2})])
def test_a_dealt_bit_that_is_none_is_found(monkeypatch, value, plan):
    honest = items._own_bits

    def cheating(party, count):
        bits = honest(party, count)
        if party.identity == 2:
            bits[:1] = BN254.full(1, value)
        return bits

    monkeypatch.setattr(items, "_own_bits", cheating)

    def run(party, x, y):
        yield from preprocess(party, plan)
        yield from verify(party)

    with pytest.raises(VerificationFailed):
        simulated(3, 1, run=run).values()


def test_a_bit_of_a_dealt_integer_that_is_none_is_found_without_common_keys(monkeypatch):
    monkeypatch.setattr(items, "has_few_keys", lambda parties, threshold: False)
    test_a_dealt_bit_that_is_none_is_found(monkeypatch, 2, Plan(integers={3: 2}))


def test_different_common_keys_are_found():
    """Whoever is sent another key than the others hold stops, and so does who holds the other one."""

    def run(party, x, y):
        yield from preprocess(party, Plan(integers={20: 2}))
        return "unverified"

    fault = Tamper(PartyId(1), PartyId(2), 1, lambda message: bytes([*message[:-1], message[-1] ^ 1]))
    simulation = simulated(
        3, 1, run=run, faults=[fault]
    )  # the last key is one that parties 2 and 3 have in common
    for party in (2, 3):
        outcome = simulation.outcomes[PartyId(party)]
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, InconsistentKeys)


def test_dealt_zeros_that_are_none_are_found(monkeypatch):
    honest = verification.deal_zero

    def cheating(party, count, *, degree):
        return BN254.add_constant((yield from honest(party, count, degree=degree)), 1)

    monkeypatch.setattr(verification, "deal_zero", cheating)
    with pytest.raises(VerificationFailed, match="zero"):
        simulated(3, 1, run=lambda party, x, y: zero_shares(party, 4)).values()


@pytest.mark.parametrize("exchange", [SET_UP + 1, SET_UP + 2], ids=["a product", "random sharings"])
@pytest.mark.parametrize(("parties", "threshold"), [(4, 1), (6, 2)])
def test_a_dealing_of_too_high_a_degree_is_found(parties, threshold, exchange):
    """With n > 2t + 1 one wrong share makes the honest parties' shares disagree."""

    def run(party, x, y):
        yield from set_up(party)
        product = yield from multiply(party, x, y)
        yield from preprocess(party, Plan(shares=2))
        yield from verify(party)
        return product

    found = 0
    for sender in range(1, 2 * threshold + 2):
        for receiver in range(1, parties + 1):
            fault = Tamper(PartyId(sender), PartyId(receiver), exchange, changed(receiver))
            simulation = simulated(parties, threshold, run=run, faults=[fault])
            if any(event.what is Happening.TAMPERED for event in simulation.trace):
                for party, outcome in simulation.outcomes.items():
                    assert isinstance(outcome, Failed), (sender, receiver, party)
                    assert isinstance(outcome.error, ProtocolAbort)
                found += 1
    assert found >= 3


# Beyond the threshold


def forged_openings(monkeypatch, recorded, forgeries):
    """Let parties 1 and 2 of 3 know each other's shares, and open a last element that fits the first two."""
    honest = verification.open_degree

    def forging(party, x, *, degree):
        if len(x) == 3:
            recorded[party.identity] = x
            if party.identity in forgeries:
                x = np.concatenate([x[:2], forgeries[party.identity]])
        return (yield from honest(party, x, degree=degree))

    monkeypatch.setattr(verification, "open_degree", forging)


def forge(recorded):
    """Shares of parties 1 and 2 that, with the honest one of party 3, open to the product of the first two values."""
    rows = [recorded[PartyId(1)], recorded[PartyId(2)]]
    first, second, _ = (
        BN254.combine(lagrange_coefficients(BN254.modulus, (1, 2)), rows)[i : i + 1] for i in range(3)
    )
    own = BN254.combine(lagrange_coefficients(BN254.modulus, (1, 2), at=3), rows)[2:]
    wanted = BN254.mul(first, second)
    return {
        PartyId(at): BN254.combine(lagrange_coefficients(BN254.modulus, (0, 3), at=at), [wanted, own])
        for at in (1, 2)
    }


def test_more_than_t_corrupted_parties_defeat_the_verification(monkeypatch):
    """The boundary: two of three that pool what they know get a wrong product past the third."""

    def run(party, x, y):
        product = yield from multiply(party, x, y)
        return signed_integers(BN254, (yield from reveal(party, product)))

    adds_to_dealings(monkeypatch, {1}, where=(abort_scheme,))
    recorded: dict[PartyId, np.ndarray] = {}
    forgeries: dict[PartyId, np.ndarray] = {}
    forged_openings(monkeypatch, recorded, forgeries)
    assert isinstance(simulated(3, 1, run=run).outcomes[PartyId(3)], Failed)
    forgeries |= forge(recorded)
    outcome = simulated(3, 1, run=run).outcomes[PartyId(3)]
    assert isinstance(outcome, Finished)
    assert outcome.value != [a * b for a, b in zip(X, Y, strict=True)]


# Clients


def test_liars_among_those_that_accept_inputs():
    """A liar can stop the session, and have a client suspected by lying about a digest; no input becomes wrong."""
    kinds, values = [InputKind(4, signed=True), InputKind()], [-7, 12345]

    def accepted(faults):
        group = committee(3, 1)
        masks = run_local([draw_masks(party, {0: kinds}) for party in group])
        bodies = {PartyId(i): BN254.to_bytes(own[0].shares) for i, own in enumerate(masks, 1)}
        message = ClientInput(BN254, kinds, parties=3, threshold=1).mask(values, bodies)

        def run(party, own):
            shares = yield from accept_inputs(party, own, {0: message})
            return signed_integers(BN254, (yield from reveal(party, shares[0])))

        return simulate([run(*pair) for pair in zip(group, masks, strict=True)], seed=1, faults=faults)

    undisturbed = accepted([])
    assert undisturbed.values() == [values] * 3
    sent = {(e.party, e.peer, e.exchange) for e in undisturbed.trace if e.what is Happening.SENT and e.size_bytes}
    suspected = 0
    for sender, receiver, exchange in sorted(sent):
        simulation = accepted([Tamper(sender, receiver, exchange, changed(exchange))])
        outcome = simulation.outcomes[receiver]
        if isinstance(outcome, Failed) and isinstance(outcome.error, InputFault):
            suspected += 1
            continue
        judge(simulation, {sender}, {}, expected=values)
    assert 0 < suspected <= 6
