from __future__ import annotations

import string
from typing import Any

import pytest
from eth_abi.abi import encode as encode_abi
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import (
    MalformedLog,
    RequestState,
    UnknownEvent,
    checksum,
    decode_event,
    decode_revert,
    topic_of,
)
from quorate.contracts.artifacts import Entry, entries
from quorate.contracts.events import Cancelled, Deposited, Locked
from quorate.contracts.reverts import _ADVICE

MARKET_ERRORS = entries("QuorateMarket", "error")
SAMPLES = {"address": "0x" + "ab" * 20, "uint256": 77, "bytes32": b"\xcd" * 32, "uint8": 3}
# no call of a deployed market can raise them: they are about the length of its EIP-712 name
UNREACHABLE = {"InvalidShortString", "StringTooLong"}


def revert_data(entry: Entry) -> bytes:
    return entry.selector + encode_abi(entry.types, [SAMPLES[kind] for kind in entry.types])


@pytest.mark.parametrize("name", sorted(MARKET_ERRORS.keys() - UNREACHABLE))
def test_every_error_of_the_market_says_what_to_do(name: str) -> None:
    entry = MARKET_ERRORS[name]
    used = {field for _, field, _, _ in string.Formatter().parse(_ADVICE[name]) if field}
    assert used <= set(entry.names)
    error = decode_revert(revert_data(entry))
    assert error.name == name
    assert list(error.arguments) == list(entry.names)
    assert str(error).startswith(f"{name}: ")
    assert "{" not in error.advice


def test_no_advice_is_about_an_error_that_does_not_exist() -> None:
    assert _ADVICE.keys() <= MARKET_ERRORS.keys() | entries("TestToken", "error").keys()


def test_arguments_have_their_types() -> None:
    state = decode_revert(revert_data(MARKET_ERRORS["WrongState"]))
    assert state.arguments == {
        "requestId": b"\xcd" * 32,
        "actual": RequestState.FULFILLED,
        "needed": RequestState.FULFILLED,
    }
    assert "Fulfilled" in state.advice
    member = decode_revert("0x" + revert_data(MARKET_ERRORS["NotMember"]).hex())
    assert member.arguments == {"account": b"\xab" * 20}
    assert checksum(b"\xab" * 20) in member.advice


def test_plain_reasons_and_panics_are_read() -> None:
    reason = decode_revert("0x08c379a0" + encode_abi(["string"], ["not today"]).hex())
    assert (reason.name, reason.advice) == ("Error", "not today")
    panic = decode_revert("0x4e487b71" + encode_abi(["uint256"], [0x11]).hex())
    assert panic.name == "Panic"
    assert "overflow" in panic.advice


@given(data=st.binary(max_size=200))
def test_any_data_gives_an_error(data: bytes) -> None:
    error = decode_revert(data)
    assert error.name
    assert error.advice


@given(
    selector=st.sampled_from([entry.selector for entry in MARKET_ERRORS.values()]), data=st.binary(max_size=200)
)
def test_broken_arguments_give_an_error(selector: bytes, data: bytes) -> None:
    error = decode_revert(selector + data)
    assert error.name in {*MARKET_ERRORS, "Unknown"}


def test_empty_data_asks_whether_the_address_is_right() -> None:
    assert decode_revert(b"").name == "Empty"


def test_foreign_events_are_named_by_their_topic() -> None:
    with pytest.raises(UnknownEvent) as caught:
        decode_event({"topics": [b"\1" * 32], "data": b""})
    assert caught.value.topic == b"\1" * 32
    with pytest.raises(UnknownEvent):
        decode_event({"topics": [], "data": "0x"})


@pytest.mark.parametrize(
    "log",
    [
        {},
        {"topics": [], "data": None},
        {"topics": ["0xzz"], "data": "0x"},
        {"topics": [topic_of(Cancelled)], "data": "0x"},
        {"topics": [topic_of(Deposited), b"\xff" * 32, b"\0" * 32], "data": b"\0" * 32},
        {"topics": [topic_of(Locked), b"\1" * 32], "data": b"\xff" * 64},
        {
            "topics": [topic_of(Locked), b"\1" * 32, b"\2" * 32],
            "data": encode_abi(["uint256[]"] * 3, [[], [], []]),
        },
    ],
)
def test_malformed_logs_are_refused(log: dict[str, object]) -> None:
    with pytest.raises(MalformedLog):
        decode_event(log)


def test_logs_are_read_as_text_and_as_bytes() -> None:
    as_bytes: dict[str, Any] = {"topics": [topic_of(Cancelled), b"\5" * 32], "data": b""}
    as_text = {"topics": ["0x" + topic.hex() for topic in as_bytes["topics"]], "data": "0x"}
    assert decode_event(as_bytes) == decode_event(as_text) == Cancelled(b"\5" * 32)
