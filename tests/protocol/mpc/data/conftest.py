"""Committees under every scheme, beside one that stands for any other: it offers the primitives and nothing more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from quorate.protocol.field import Vector
from quorate.protocol.mpc import PASSIVE, Party, Plan, Protocol, Scheme, schemes


class Elementary(Scheme):
    """The passive primitives under another name, without the short cuts that need the passive scheme."""

    __slots__ = ()

    @property
    def name(self) -> str:
        return "elementary"

    def check_committee(self, parties: int, threshold: int) -> None:
        PASSIVE.check_committee(parties, threshold)

    def set_up(self, party: Party) -> Protocol[None]:
        return PASSIVE.set_up(party)

    def multiply(self, party: Party, x: Vector, y: Vector) -> Protocol[Vector]:
        return PASSIVE.multiply(party, x, y)

    def inner_products(self, party: Party, x: Vector, y: Vector, *, length: int) -> Protocol[Vector]:
        return PASSIVE.inner_products(party, x, y, length=length)

    def matrix_product(self, party: Party, x: Vector, y: Vector, *, inner: int) -> Protocol[Vector]:
        return PASSIVE.matrix_product(party, x, y, inner=inner)

    def open_shares(self, party: Party, x: Vector) -> Protocol[Vector]:
        return PASSIVE.open_shares(party, x)

    def zero_shares(self, party: Party, count: int) -> Protocol[Vector]:
        return PASSIVE.zero_shares(party, count)

    def produce(self, party: Party, plan: Plan) -> Protocol[None]:
        return PASSIVE.produce(party, plan)

    def verify(self, party: Party) -> Protocol[None]:
        return PASSIVE.verify(party)


ELEMENTARY = Elementary()
SCHEMES = {**schemes, "elementary": ELEMENTARY}


def size_for(scheme: Scheme) -> tuple[int, int]:
    """The smallest committee with threshold 1 that the scheme accepts."""
    for parties in range(2, 8):
        try:
            scheme.check_committee(parties, 1)
        except ValueError:
            continue
        return parties, 1
    raise AssertionError(f"no small committee for {scheme.name}")


@pytest.fixture(params=sorted(SCHEMES))
def under_scheme(request: pytest.FixtureRequest, committee: Callable[..., Any]) -> Any:
    """A small committee under each scheme in turn."""
    scheme = SCHEMES[request.param]
    group = committee(*size_for(scheme))
    for party in group.parties:
        party.scheme = scheme
    return group


@pytest.fixture
def elementary(committee: Callable[..., Any]) -> Any:
    """Three parties under a scheme that offers only the primitives."""
    group = committee(3, 1)
    for party in group.parties:
        party.scheme = ELEMENTARY
    return group
