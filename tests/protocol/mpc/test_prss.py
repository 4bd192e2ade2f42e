from __future__ import annotations

import numpy as np
import pytest

from quorate.protocol.errors import PartyFault
from quorate.protocol.field import BN254, MERSENNE61
from quorate.protocol.mpc import Party, PartyId, run_local
from quorate.protocol.mpc.galois import reconstruct_elements
from quorate.protocol.mpc.prss import (
    InconsistentKeys,
    agree_on_keys,
    compare_keys,
    has_few_keys,
    integer_sum_bits,
    pseudorandom_byte_bits,
    pseudorandom_bytes,
    pseudorandom_integers,
    pseudorandom_shares,
    pseudorandom_zeros,
)
from quorate.protocol.sharing import check_degree, reconstruct
from quorate.protocol.simulation import SeededRandomness

SIZES = [(1, 0), (2, 0), (3, 1), (4, 1), (5, 2), (7, 3), (9, 3)]


class Holders:
    """A committee whose parties hold keys."""

    def __init__(self, parties, threshold, field=BN254):
        self.field, self.threshold = field, threshold
        self.parties = [
            Party(
                field,
                PartyId(index),
                parties=parties,
                threshold=threshold,
                randomness=SeededRandomness(7, f"party {index}"),
            )
            for index in range(1, parties + 1)
        ]
        self.keys = run_local([agree_on_keys(party) for party in self.parties])

    def shares(self, make, *arguments, **options):
        return {
            party.identity: make(party, keys, *arguments, **options)
            for party, keys in zip(self.parties, self.keys, strict=True)
        }

    def values(self, make, *arguments, **options):
        return self.field.integers(
            reconstruct(self.field, self.shares(make, *arguments, **options), threshold=self.threshold)
        )


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_keys_are_held_by_all_but_t_and_agree(parties, threshold):
    holders = Holders(parties, threshold)
    run_local([compare_keys(party, keys) for party, keys in zip(holders.parties, holders.keys, strict=True)])
    for party, keys in zip(holders.parties, holders.keys, strict=True):
        assert all(party.identity not in excluded for excluded in keys.of_threshold)
        assert party.statistics.rounds == (2 if parties > 1 else 0)
    everything = {excluded for keys in holders.keys for excluded in keys.of_threshold}
    assert all(len(excluded) == threshold for excluded in everything)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_shares_lie_on_a_polynomial_and_differ(parties, threshold):
    holders = Holders(parties, threshold)
    values = holders.values(pseudorandom_shares, 20) + holders.values(pseudorandom_shares, 20)
    assert len(set(values)) == 40
    if threshold:
        shares = holders.shares(pseudorandom_shares, 5)
        assert not check_degree(BN254, shares, degree=threshold - 1)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_zeros_are_zero_at_both_degrees(parties, threshold):
    for degree in {threshold, 2 * threshold}:
        holders = Holders(parties, threshold)
        shares = holders.shares(pseudorandom_zeros, 6, degree=degree)
        assert not reconstruct(BN254, shares, threshold=degree).any()
        if degree:
            assert all(row.any() for row in shares.values())
            assert not check_degree(BN254, shares, degree=degree - 1)
    with pytest.raises(ValueError, match="degree"):
        holders.shares(pseudorandom_zeros, 6, degree=2 * threshold + 1)


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
@pytest.mark.parametrize("bits", [1, 8, 13, 73])
def test_integers_are_bounded_and_fill_their_range(parties, threshold, bits):
    values = Holders(parties, threshold).values(pseudorandom_integers, 200, bits=bits)
    most = integer_sum_bits(bits, parties=parties, threshold=threshold)
    assert max(values).bit_length() <= most
    assert max(values) >= 2**bits // 2
    assert len(set(values)) > min(200, 2**bits) // 3


@pytest.mark.parametrize(("parties", "threshold"), SIZES)
def test_bytes_and_bits_over_the_other_field(parties, threshold):
    holders = Holders(parties, threshold)
    values = reconstruct_elements(holders.shares(pseudorandom_bytes, 1000), threshold=threshold)
    assert len(set(values.tolist())) > 230
    bits = reconstruct_elements(holders.shares(pseudorandom_byte_bits, 403), threshold=threshold)
    assert set(bits.tolist()) == {0, 1}
    assert 130 < int(bits.sum()) < 270


def test_it_works_in_a_small_field():
    holders = Holders(5, 2, MERSENNE61)
    assert all(0 <= value < 10 * 2**40 for value in holders.values(pseudorandom_integers, 50, bits=40))
    assert holders.values(pseudorandom_shares, 3) != holders.values(pseudorandom_shares, 3)


def test_what_t_parties_hold_does_not_tell_the_sum():
    """The sum changes with the one key that parties 1 and 2 of five do not hold, and their shares do not."""
    holders = Holders(5, 2)
    missing = (PartyId(1), PartyId(2))
    own = [keys.of_threshold for keys in holders.keys[:2]]
    assert all(missing not in streams for streams in own)
    assert all(missing in keys.of_threshold for keys in holders.keys[2:])


def test_only_small_committees_share_this_way():
    assert has_few_keys(9, 3)
    assert not has_few_keys(16, 5)
    with pytest.raises(ValueError, match="over 128"):
        Holders(16, 5)


def lying(protocol, receiver):
    """The protocol of a party that sends one receiver other keys than the rest."""
    try:
        exchange = next(protocol)
        outgoing = dict(exchange.outgoing)
        outgoing[receiver] = bytes(byte ^ 1 for byte in outgoing[receiver])
        replies = yield type(exchange)(outgoing, exchange.incoming)
        exchange = protocol.send(replies)
        while True:
            exchange = protocol.send((yield exchange))
    except StopIteration as stop:
        return stop.value


def test_different_keys_under_one_name_are_found():
    parties = Holders(4, 1).parties
    protocols = [agree_on_keys(party) for party in parties]
    keys = run_local([lying(protocols[0], PartyId(3)), *protocols[1:]])
    objections = {}
    for party, own in zip(parties, keys, strict=True):
        protocol = compare_keys(party, own)
        next(protocol)
        replies = {
            other.identity: other_keys.digests[party.identity]
            for other, other_keys in zip(parties, keys, strict=True)
            if other is not party
        }
        try:
            protocol.send(replies)
        except StopIteration:
            continue
        except InconsistentKeys as error:
            objections[party.identity] = error.party
    assert 3 in objections
    assert 4 in objections


def test_short_keys_are_blamed_on_their_sender():
    parties = Holders(3, 1).parties
    protocol = agree_on_keys(parties[1])
    exchange = next(protocol)
    with pytest.raises(PartyFault) as fault:
        protocol.send({sender: bytes(size - 1) for sender, size in exchange.incoming.items()})
    assert fault.value.party == 1


def test_keys_are_in_no_repr():
    holders = Holders(3, 1)
    assert "digests" not in repr(holders.keys[0])


def test_shares_of_a_party_look_uniform():
    holders = Holders(3, 1)
    for row in holders.shares(pseudorandom_shares, 8000).values():
        counts = np.bincount((row[:, 0] & np.uint64(15)).astype(np.int64), minlength=16)
        assert float(((counts - 500) ** 2 / 500).sum()) < 60
