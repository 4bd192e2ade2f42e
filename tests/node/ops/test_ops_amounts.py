"""Amounts of ether."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.node.amounts import MAX_WEI, format_amount, parse_amount


@given(st.integers(0, MAX_WEI))
def test_what_is_shown_is_read_back(amount):
    assert parse_amount(format_amount(amount)) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1000", 1000),
        ("1_000 wei", 1000),
        ("20 gwei", 20 * 10**9),
        ("0.5 ether", 5 * 10**17),
        ("1.5ether", 15 * 10**17),
        ("0.000000000000000001 ether", 1),
        ("1.0 wei", 1),
    ],
)
def test_amounts_are_read(text, amount):
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    "text", ["", "ether", "-1", "1e3", "0.5 wei", "0.0000000001 gwei", "1 btc", "1" * 79, "1.2.3", "١"]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parse_amount(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 wei"), (7, "7 wei"), (10**9, "1 gwei"), (15 * 10**17, "1.5 ether"), (10**14, "0.0001 ether")],
)
def test_the_unit_is_readable(amount, text):
    assert format_amount(amount) == text
