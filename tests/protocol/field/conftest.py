"""Both kernel sets, one after the other, and a field of each kind, for the tests that ask for them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quorate.protocol.field import BLS12_381, BN254, ED25519, GOLDILOCKS, MERSENNE61, P256, PrimeField, dispatch
from quorate.protocol.field.constants import IFMA, PORTABLE

KERNELS = [PORTABLE, IFMA] if dispatch.has_ifma() else [PORTABLE]
FIELDS = (
    BN254,
    BLS12_381,
    ED25519,
    P256,
    GOLDILOCKS,
    MERSENNE61,
    PrimeField("p224", 2**224 - 2**96 + 1),
    PrimeField("longest word", 2**64 - 59),
    PrimeField("shortest word", 2**31 + 11),
)


@pytest.fixture(params=KERNELS, scope="module")
def kernels(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(dispatch.OVERRIDE, request.param)
        dispatch.preferred.cache_clear()
        yield request.param
    dispatch.preferred.cache_clear()


@pytest.fixture(params=FIELDS, ids=lambda field: field.name)
def field(request: pytest.FixtureRequest) -> PrimeField:
    value: PrimeField = request.param
    return value
