from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.protocol.errors import PartyFault, ProtocolAbort, QuorateProtocolError
from quorate.protocol.field import BN254, PrimeField
from quorate.protocol.mpc import Party, PartyId, run_local, signed_integers
from quorate.protocol.mpc.membership import Handover, reshare
from quorate.protocol.mpc.membership import handover as module
from quorate.protocol.sharing import check_degree, reconstruct, share
from quorate.protocol.simulation import Crash, Failed, Finished, SeededRandomness, Tamper, simulate

VALUES = [5, -7, 2**62, 0]


def ids(*numbers):
    return tuple(PartyId(number) for number in numbers)


MOVES = [
    Handover(ids(1, 2, 3), 1, ids(4, 5, 6), 1),
    Handover(ids(1, 2, 3), 1, ids(1, 2, 3), 1),
    Handover(ids(1, 2, 3), 1, ids(3, 4, 5, 6, 2), 2),
    Handover(ids(2, 4, 6, 1, 3), 2, ids(5, 6, 7), 1),
    Handover(ids(1, 2, 3, 4), 1, ids(3, 4, 5, 6, 7, 8, 9), 2),
    Handover(ids(1), 0, ids(2, 3, 4), 1),
    Handover(ids(1, 2, 3), 1, ids(1), 0),
]


class Joint:
    """A joint session: the contexts of all members, and the old committee's shares and checks."""

    def __init__(self, handover: Handover, values=VALUES, *, seed: int = 1) -> None:
        self.handover = handover
        self.size = max(*handover.old, *handover.new)
        dealer = SeededRandomness(seed, "dealer")
        size = {"parties": len(handover.old), "threshold": handover.old_threshold, "randomness": dealer}
        self.count = len(values)
        self.shares = dict(zip(handover.old, share(BN254, BN254.vector(values), **size), strict=True))
        random = BN254.from_random_bytes(dealer(80))
        self.checks = dict(zip(handover.old, share(BN254, random, **size), strict=True))
        self.parties = {
            member: Party(
                BN254,
                member,
                parties=self.size,
                threshold=0,
                randomness=SeededRandomness(seed, f"party-{member}"),
            )
            for member in ids(*range(1, self.size + 1))
        }

    def protocols(self):
        return [
            reshare(
                party,
                self.handover,
                count=self.count,
                shares=self.shares.get(member),
                checks=self.checks.get(member),
            )
            for member, party in self.parties.items()
        ]

    def secrets(self, results) -> list[int]:
        """What the new committee holds; all its shares must lie on polynomials of the new degree."""
        held = {PartyId(point): results[member - 1] for point, member in enumerate(self.handover.new, start=1)}
        return signed_integers(BN254, reconstruct(BN254, held, threshold=self.handover.new_threshold))


@pytest.mark.parametrize("handover", MOVES)
def test_the_new_committee_holds_the_secrets(handover):
    joint = Joint(handover)
    results = run_local(joint.protocols())
    assert joint.secrets(results) == VALUES
    assert all((results[member - 1] is None) == (member not in handover.new) for member in joint.parties)


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.lists(st.integers(-(2**63), 2**63), max_size=6), st.sampled_from(MOVES), st.integers(0, 99))
def test_any_secrets_of_any_number(values, handover, seed):
    joint = Joint(handover, values, seed=seed)
    assert joint.secrets(run_local(joint.protocols())) == values


def test_long_vectors_are_dealt_in_pieces(monkeypatch):
    monkeypatch.setattr("quorate.protocol.mpc.batches.MAX_ROUND_ELEMENTS", 3)
    values = list(range(20))
    joint = Joint(MOVES[2], values)
    assert joint.secrets(run_local(joint.protocols())) == values


def test_old_and_new_shares_do_not_fit_together():
    joint = Joint(MOVES[1])
    results = run_local(joint.protocols())
    mixed = {PartyId(1): joint.shares[PartyId(1)], PartyId(2): results[1], PartyId(3): results[2]}
    assert not check_degree(BN254, mixed, degree=1)


def element(value: int) -> bytes:
    return BN254.to_bytes(BN254.vector([value]))


def shifted(message: bytes) -> bytes:
    """The message with one added to its first element."""
    vector = BN254.from_bytes(message, len(message) // 32)
    first = BN254.add_constant(vector[:1], 1)
    return BN254.to_bytes(np.concatenate([first, vector[1:]]))


FOUR = Handover(ids(1, 2, 3, 4), 1, ids(5, 6, 7, 8), 1)


@pytest.mark.parametrize("handover", [MOVES[0], MOVES[2], FOUR])
@pytest.mark.parametrize("exchange", [1, 2, 3])
def test_a_changed_message_is_survived_or_noticed(handover, exchange):
    """Whatever is tampered with, nobody ends with shares of something else."""
    for sender in handover.old if exchange == 1 else handover.new:
        for receiver in handover.new:
            if receiver == sender:
                continue
            joint = Joint(handover)
            fault = Tamper(sender, receiver, exchange=exchange, change=shifted)
            simulation = simulate(joint.protocols(), seed=exchange, faults=[fault])
            outcomes = [simulation.outcomes[member] for member in handover.new]
            finished = all(isinstance(outcome, Finished) for outcome in outcomes)
            assert finished or any(isinstance(outcome, Failed) for outcome in outcomes)
            if finished:
                results = {m: o.value for m, o in simulation.outcomes.items() if isinstance(o, Finished)}
                assert joint.secrets([results.get(m) for m in joint.parties]) == VALUES


class WrongDealer(Joint):
    """One old member deals something else, consistently: a false share, or a polynomial of too high a degree."""

    def __init__(self, handover: Handover, liar: PartyId) -> None:
        super().__init__(handover)
        self.shares[liar] = BN254.add_constant(self.shares[liar], 1)


def test_a_false_share_is_noticed():
    joint = WrongDealer(MOVES[0], PartyId(2))
    with pytest.raises(ProtocolAbort, match="polynomial"):
        run_local(joint.protocols())


@pytest.mark.parametrize("liar", ids(1, 2, 3, 4))
def test_a_false_share_is_left_out_where_the_liar_can_be_told(liar):
    joint = WrongDealer(FOUR, liar)
    assert joint.secrets(run_local(joint.protocols())) == VALUES


@pytest.mark.parametrize("liar", ids(1, 4))
def test_a_dealing_of_too_high_a_degree_is_left_out(liar, monkeypatch):
    original = module.share

    def dealt(field, secrets, *, parties, threshold, randomness):
        wrong = 1 if randomness.label == f"party-{liar}" else 0
        return original(field, secrets, parties=parties, threshold=threshold + wrong, randomness=randomness)

    class Labelled(SeededRandomness):
        def __init__(self, seed, label):
            super().__init__(seed, label)
            self.label = label

    monkeypatch.setattr(module, "share", dealt)
    joint = Joint(FOUR)
    for member, party in joint.parties.items():
        party.randomness = Labelled(1, f"party-{member}")
    assert joint.secrets(run_local(joint.protocols())) == VALUES


def test_liars_beyond_the_threshold_can_pass_another_secret():
    """There is no protection against t + 1 false shares that lie on one polynomial with an honest one."""
    joint = Joint(Handover(ids(1, 2, 3), 1, ids(4, 5, 6), 1))
    for member in joint.handover.old:  # a sharing of 1, added by all but the party where it is zero
        offset = BN254.vector([3 - member])
        joint.shares[member] = BN254.add(joint.shares[member], np.repeat(offset, len(VALUES), axis=0))
    assert joint.secrets(run_local(joint.protocols())) == [value + 3 for value in VALUES]


def test_a_dealer_that_is_silent_is_named():
    joint = Joint(MOVES[0])
    simulation = simulate(joint.protocols(), seed=3, faults=[Crash(PartyId(2), exchange=1)])
    for member in joint.handover.new:
        outcome = simulation.outcomes[member]
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, PartyFault)
        assert outcome.error.party == 2


def test_bytes_that_are_no_elements_name_their_sender():
    joint = Joint(MOVES[0])
    fault = Tamper(PartyId(3), PartyId(5), exchange=1, change=lambda message: b"\xff" * len(message))
    simulation = simulate(joint.protocols(), seed=3, faults=[fault])
    outcome = simulation.outcomes[PartyId(5)]
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.error, PartyFault)
    assert outcome.error.party == 3


def test_different_stories_are_noticed():
    """A new member that publishes one value to one and another to another: where it is decoded, digests differ."""
    joint = Joint(FOUR)
    fault = Tamper(PartyId(6), PartyId(7), exchange=3, change=shifted)
    simulation = simulate(joint.protocols(), seed=3, faults=[fault])
    errors = [o.error for o in simulation.outcomes.values() if isinstance(o, Failed)]
    assert any("different values" in str(error) for error in errors)
    assert all(isinstance(error, QuorateProtocolError) for error in errors)


@pytest.mark.parametrize(
    ("old", "old_threshold", "new", "new_threshold", "message"),
    [
        ((1, 1, 2), 1, (4, 5, 6), 1, "each member once"),
        ((1, 2), 1, (4, 5, 6), 1, "needs 3 members"),
        ((1, 2, 3), 1, (4, 5, 6), 2, "needs 5 members"),
    ],
)
def test_impossible_committees_are_refused(old, old_threshold, new, new_threshold, message):
    with pytest.raises(ValueError, match=message):
        Handover(ids(*old), old_threshold, ids(*new), new_threshold)


def test_arguments_that_do_not_fit_are_refused():
    joint = Joint(MOVES[0])
    one, four = joint.parties[PartyId(1)], joint.parties[PartyId(4)]
    shares, checks = joint.shares[PartyId(1)], joint.checks[PartyId(1)]
    for party, held, drawn in ((one, None, None), (one, shares, None), (four, shares, checks)):
        with pytest.raises(ValueError, match="and no others"):
            next(reshare(party, MOVES[0], count=4, shares=held, checks=drawn))
    with pytest.raises(ValueError, match="5 shares and 2 checks"):
        next(reshare(one, MOVES[0], count=5, shares=shares, checks=checks))
    with pytest.raises(ValueError, match="not in the joint session"):
        next(reshare(one, Handover(ids(1), 0, ids(99), 0), count=4, shares=shares, checks=checks))


def test_views_of_the_new_committee_do_not_depend_on_the_secret():
    """What one new member is dealt and sees published, as low bits: uniform, whatever the secret."""
    for value in (0, 1, 2**200):
        seen = []
        for seed in range(60):
            joint = Joint(MOVES[0], [value], seed=seed)
            protocols = joint.protocols()
            protocols[3] = watched(protocols[3], seen)
            run_local(protocols)
        words = np.frombuffer(b"".join(seen), dtype=np.uint64)[::4] & np.uint64(15)
        counts = np.bincount(words.astype(np.int64), minlength=16)
        expected = counts.sum() / 16
        assert ((counts - expected) ** 2 / expected).sum() < 60


def watched(protocol, seen):
    try:
        exchange = next(protocol)
        while True:
            replies = yield exchange
            seen.extend(message for message in replies.values() if len(message) != 64)
            exchange = protocol.send(replies)
    except StopIteration as stop:
        return stop.value


def test_a_field_that_is_too_small_is_refused():
    class Small:
        name = "small"
        modulus = 65_537

    party = Joint(MOVES[0]).parties[PartyId(4)]
    object.__setattr__(party, "field", Small())
    with pytest.raises(ValueError, match="too small"):
        next(reshare(party, MOVES[0], count=1, shares=None, checks=None))
    assert isinstance(BN254, PrimeField)
