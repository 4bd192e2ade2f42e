"""The same protocols over every field that has a name, under every scheme that takes it."""

from __future__ import annotations

import pytest

from quorate.protocol.field import (
    BLS12_381,
    BN254,
    ED25519,
    GOLDILOCKS,
    MERSENNE61,
    P256,
    SECP256K1,
    PrimeField,
    by_name,
)
from quorate.protocol.mpc import (
    PartyId,
    equal,
    inner_products,
    less_than,
    matrix_product,
    multiply,
    open_shares,
    random_bits,
    random_integers,
    random_shares,
    reveal,
    run_local,
    schemes,
    signed_integers,
    to_bits,
    zero_shares,
)
from quorate.protocol.sharing import InconsistentShares, decode, reconstruct, share
from quorate.protocol.simulation import SeededRandomness, simulated_committee

LARGE = [BN254, BLS12_381, SECP256K1, P256, ED25519]
SMALL = [GOLDILOCKS, MERSENNE61]
NAMED = [*LARGE, *SMALL]
SCHEMES = sorted(schemes)
LEAST_BITS = {"robust": 128}


def name_of(value):
    return value.name if isinstance(value, PrimeField) else None


def committee(field: PrimeField, scheme: str, *, kappa: int = 40):
    return simulated_committee(field, parties=4, threshold=1, seed=5, kappa=kappa, scheme=schemes[scheme])


def dealt(field: PrimeField, values):
    return share(field, field.vector(values), parties=4, threshold=1, randomness=SeededRandomness(1, "dealer"))


def opened(parties, protocols):
    """What all parties reveal of the results of `protocols`, as signed integers."""

    def main(party, protocol):
        return (yield from reveal(party, (yield from protocol)))

    pairs = zip(parties, protocols, strict=True)
    rows = run_local([main(party, protocol) for party, protocol in pairs])
    results = [signed_integers(parties[0].field, row) for row in rows]
    assert all(result == results[0] for result in results)
    return results[0]


TAKEN = [
    (field, scheme)
    for field in NAMED
    for scheme in SCHEMES
    if field.modulus.bit_length() >= LEAST_BITS.get(scheme, 0)
]


@pytest.fixture(params=TAKEN, ids=lambda pair: f"{pair[0].name}-{pair[1]}")
def parties(request):
    return committee(*request.param)


def test_products_sums_and_matrices(parties):
    field = parties[0].field
    x, y = [3, -4, 5, 0, 7, -1], [2, 9, -6, 8, 1, -1]
    pairs = list(zip(parties, dealt(field, x), dealt(field, y), strict=True))
    assert opened(parties, [multiply(*pair) for pair in pairs]) == [a * b for a, b in zip(x, y, strict=True)]
    assert opened(parties, [inner_products(*pair, length=3) for pair in pairs]) == [-60, 8]
    table = [[x[0:3], x[3:6]], [y[0:2], y[2:4], y[4:6]]]
    expected = [sum(row[k] * table[1][k][j] for k in range(3)) for row in table[0] for j in range(2)]
    assert opened(parties, [matrix_product(*pair, inner=3) for pair in pairs]) == expected


def test_random_items(parties):
    bits = opened(parties, [random_bits(party, 64) for party in parties])
    assert set(bits) == {0, 1}
    integers = opened(parties, [random_integers(party, 20, bits=9) for party in parties])
    assert 0 <= min(integers) <= max(integers) < 2**12
    assert len(set(opened(parties, [random_shares(party, 30) for party in parties]))) == 30
    assert opened(parties, [zero_shares(party, 3) for party in parties]) == [0, 0, 0]


def test_comparisons_of_what_fits(parties):
    """40 bits of statistical security and a field of 61 bits leave integers of 16 bits room."""
    field = parties[0].field
    bits = 64 if field in LARGE else 16
    edge = 1 << (bits - 1)
    x = [0, 5, -5, edge - 1, -edge, 7]
    y = [0, 6, -6, -edge, edge - 1, 7]
    pairs = list(zip(parties, dealt(field, x), dealt(field, y), strict=True))
    less = opened(parties, [less_than(*pair, bits=bits) for pair in pairs])
    assert less == [int(a < b) for a, b in zip(x, y, strict=True)]
    same = opened(parties, [equal(*pair, bits=bits) for pair in pairs])
    assert same == [1, 0, 0, 0, 0, 1]

    def first_bits(party, vector):
        return (yield from to_bits(party, vector, bits=bits))[0]

    lowest = opened(parties, [first_bits(party, vector) for party, vector, _ in pairs])
    assert lowest == [value & 1 for value in x]


@pytest.mark.parametrize("field", SMALL, ids=name_of)
def test_what_does_not_fit_is_refused(field):
    members = committee(field, "passive")
    pairs = zip(members, dealt(field, [1]), dealt(field, [2]), strict=True)
    with pytest.raises(ValueError, match=r"bits"):
        run_local([less_than(*pair, bits=64) for pair in pairs])


@pytest.mark.parametrize("scheme", sorted(LEAST_BITS))
@pytest.mark.parametrize("field", SMALL, ids=name_of)
def test_a_scheme_refuses_a_field_in_which_it_could_be_cheated(field, scheme):
    with pytest.raises(ValueError, match="bits"):
        committee(field, scheme)


@pytest.mark.parametrize("field", NAMED, ids=name_of)
def test_sharing_and_decoding(field):
    values = [0, 1, field.modulus - 1, field.modulus // 3]
    shares = {PartyId(party): own for party, own in enumerate(dealt(field, values), start=1)}
    assert field.integers(reconstruct(field, shares, threshold=1)) == values
    shares[PartyId(3)] = field.add_constant(shares[PartyId(3)], 1)
    with pytest.raises(InconsistentShares):
        reconstruct(field, shares, threshold=1)
    decoded = decode(field, shares, threshold=1)
    assert field.integers(decoded.secrets) == values
    assert decoded.wrong == {3}


def test_a_field_of_ones_own_is_one_line():
    field = PrimeField("mine", 2**255 - 19)
    members = committee(field, "passive")
    pairs = zip(members, dealt(field, [6]), dealt(field, [7]), strict=True)
    products = run_local([multiply(*pair) for pair in pairs])
    rows = run_local([open_shares(party, own) for party, own in zip(members, products, strict=True)])
    assert {tuple(field.integers(row)) for row in rows} == {(42,)}
    assert "mine" not in by_name
