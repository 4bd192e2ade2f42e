from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol.codec import MAX_MESSAGE_BYTES, Limit, decode, decode_one_of, encode
from quorate.protocol.errors import MalformedMessage


@dataclass(frozen=True, slots=True)
class Inner:
    name: Annotated[str, Limit(most=8)]
    key: Annotated[bytes, Limit(size=4)]


@dataclass(frozen=True, slots=True)
class Outer:
    number: int
    flag: bool
    inner: Inner
    items: Annotated[tuple[int, ...], Limit(most=3)]
    maybe: bytes | None


outers = st.builds(
    Outer,
    number=st.integers(0, 2**256 - 1),
    flag=st.booleans(),
    inner=st.builds(Inner, name=st.text(max_size=2), key=st.binary(min_size=4, max_size=4)),
    items=st.lists(st.integers(0, 2**70), max_size=3).map(tuple),
    maybe=st.none() | st.binary(max_size=9),
)


@given(outers)
def test_decode_inverts_encode(message: Outer) -> None:
    assert decode(Outer, encode(message)) == message


@given(st.binary(max_size=200))
def test_arbitrary_bytes_decode_or_are_refused(data: bytes) -> None:
    try:
        message = decode(Outer, data)
    except MalformedMessage:
        return
    assert encode(message) == data


@given(outers, st.data())
def test_a_flipped_byte_never_decodes_to_the_same_message(message: Outer, data: st.DataObject) -> None:
    raw = bytearray(encode(message))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        assert decode(Outer, bytes(raw)) != message
    except MalformedMessage as error:
        assert error.reason


VALID = ["Outer", 1, True, ["Inner", "a", b"abcd"], [1], None]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["Other", *VALID[1:]], "not a Outer"),
        (VALID[:-1], "4 fields, not 5"),
        (["Outer", -1, *VALID[2:]], "outside"),
        (["Outer", True, *VALID[2:]], "not an int"),
        (["Outer", b"\x00" * 9, *VALID[2:]], "not a minimal integer"),
        (["Outer", 1, 1, *VALID[3:]], "not a bool"),
        (["Outer", 1, True, ["Inner", "a", b"abc"], [1], None], "length 3, not 4"),
        (["Outer", 1, True, ["Inner", "a" * 9, b"abcd"], [1], None], "the most is 8"),
        (["Outer", 1, True, ["Inner", "a", b"abcd"], [1, 2, 3, 4], None], "the most is 3"),
        ({"a": 1}, "not msgpack"),
    ],
)
def test_each_broken_schema_is_named(value: object, reason: str) -> None:
    with pytest.raises(MalformedMessage, match=reason):
        decode(Outer, msgpack.packb(value))


def test_two_encodings_of_one_value_are_not_both_accepted() -> None:
    data = encode(Outer(1, True, Inner("a", b"abcd"), (), None))
    longer = data.replace(b"\x01", b"\xcc\x01", 1)
    with pytest.raises(MalformedMessage, match="canonical"):
        decode(Outer, longer)


def test_oversized_input_is_refused_before_parsing() -> None:
    with pytest.raises(MalformedMessage, match="the most is"):
        decode(Outer, b"\x00" * (MAX_MESSAGE_BYTES + 1))


def test_a_union_is_told_apart_by_its_tag() -> None:
    inner = Inner("a", b"abcd")
    assert decode_one_of([Outer, Inner], encode(inner)) == inner
    with pytest.raises(MalformedMessage, match="not one of Outer"):
        decode_one_of([Outer], encode(inner))
    with pytest.raises(MalformedMessage, match="not one of"):
        decode_one_of([Outer], msgpack.packb(7))
