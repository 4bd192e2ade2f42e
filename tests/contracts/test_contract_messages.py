from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import MAX_AMOUNT, Attestation, Bid, Fault, Request
from quorate.protocol.codec import decode, encode
from quorate.protocol.errors import MalformedMessage

ADDRESSES = st.binary(min_size=20, max_size=20)
DIGESTS = st.binary(min_size=32, max_size=32)
AMOUNTS = st.integers(0, MAX_AMOUNT)
TIMES = st.integers(0, 2**64 - 1)
REQUESTS = st.builds(
    Request,
    ADDRESSES,
    st.integers(0, 2**256 - 1),
    ADDRESSES,
    AMOUNTS,
    AMOUNTS,
    st.integers(3, 64),
    st.integers(1, 31),
    TIMES,
    TIMES,
    DIGESTS,
    DIGESTS,
)
BIDS = st.builds(Bid, DIGESTS, ADDRESSES, AMOUNTS, DIGESTS, TIMES)
SAMPLE = Request(b"\1" * 20, 1, b"\0" * 20, 9, 1, 3, 1, 1, 2, b"\1" * 32, b"\2" * 32)


@given(
    message=st.one_of(
        REQUESTS, BIDS, st.builds(Attestation, DIGESTS, DIGESTS), st.builds(Fault, DIGESTS, ADDRESSES)
    )
)
def test_messages_travel(message: Any) -> None:
    assert decode(type(message), encode(message)) == message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("requestor", b"\1" * 19),
        ("token", b"\1" * 32),
        ("max_price", MAX_AMOUNT + 1),
        ("collateral", 2**200),
        ("parties", 2),
        ("parties", 65),
        ("threshold", 0),
        ("threshold", 32),
        ("deadline", 2**64),
        ("program", b"\1" * 33),
        ("nonce", -1),
    ],
)
def test_bounds_hold_on_the_wire(name: str, value: Any) -> None:
    with pytest.raises(MalformedMessage, match=name):
        encode(dataclasses.replace(SAMPLE, **{name: value}))


def test_messages_are_no_other_messages() -> None:
    attestation = encode(Attestation(b"\1" * 32, b"\2" * 32))
    with pytest.raises(MalformedMessage):
        decode(Fault, attestation)
