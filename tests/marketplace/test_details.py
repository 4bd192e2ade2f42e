from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import account_of
from quorate.marketplace import ClientEntry, Details, InvalidDetails
from quorate.marketplace.details import MAX_CLIENTS, MAX_INPUTS
from quorate.protocol.codec import decode, encode
from quorate.protocol.errors import MalformedMessage

from .conftest import client, details

keys = st.binary(min_size=32, max_size=32).filter(any)
entries = st.builds(
    ClientEntry,
    name=st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,31}", fullmatch=True),
    peer_key=keys,
    encryption_key=keys,
    receives=st.booleans(),
    input_count=st.integers(0, MAX_INPUTS),
)
any_details = st.builds(
    details,
    clients=st.lists(
        entries, min_size=1, max_size=5, unique_by=(lambda e: e.name.lower(), lambda e: e.peer_key)
    ).map(tuple),
    arguments=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4).map(tuple),
    kappa=st.integers(40, 128),
)


@given(any_details)
def test_details_travel_whole(made: Details) -> None:
    assert decode(Details, encode(made)) == made


@given(any_details, any_details)
def test_the_digest_binds_every_field(one: Details, two: Details) -> None:
    assert (one.digest() == two.digest()) == (one == two)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("version", 2),
        ("program", "second-price-auction"),
        ("program", "x" * 200 + "@1.0.0"),
        ("program_hash", bytes(31)),
        ("clients", ()),
        ("clients", tuple(client(f"c{place}") for place in range(MAX_CLIENTS + 1))),
        ("clients", (client("alice"), client("Alice", peer_key=bytes(31) + b"x"))),
        ("clients", (client("alice"), client("bob", peer_key=client("alice").peer_key))),
        ("arguments", (2**63,)),
        ("arguments", (0,) * 33),
        ("protocol", "magic"),
        ("field", "gf7"),
        ("kappa", 39),
        ("kappa", 129),
    ],
)
def test_details_that_break_a_rule_say_which(field: str, value: Any) -> None:
    with pytest.raises(InvalidDetails) as caught:
        details(**{field: value})
    assert caught.value.field == field
    assert str(caught.value).startswith(f"{field}: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * 33},
        {"name": "a=b"},
        {"name": "-a"},
        {"name": "é"},
        {"name": "a\n"},
        {"peer_key": bytes(32)},
        {"peer_key": b"short"},
        {"encryption_key": bytes(32)},
        {"input_count": MAX_INPUTS + 1},
        {"input_count": -1},
    ],
)
def test_clients_that_break_a_rule_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidDetails, match="clients"):
        dataclasses.replace(client("alice"), **changes)


def test_what_cannot_be_made_cannot_be_decoded() -> None:
    good = encode(details())
    with pytest.raises(MalformedMessage, match="kappa"):
        decode(Details, good[:-1] + b"\x27")
    bad = good.replace(b"\xa5alice", b"\xa5al=ce")
    with pytest.raises(MalformedMessage, match="name of a client"):
        decode(Details, bad)


def test_clients_are_found_by_their_peer_key() -> None:
    made = details(clients=(client("alice"), client("bob", receives=False), client("carol")))
    assert made.client_index(client("bob").peer_key) == 1
    assert made.client_index(account_of(b"x" * 32)) is None
    assert made.receivers == (0, 2)
    assert dataclasses.replace(made, kappa=64).kappa == 64
