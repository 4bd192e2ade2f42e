"""JSON from others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol import bounded_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=30,
)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


@given(values, st.booleans())
def test_depth_is_counted_outside_of_strings(value: object, ascii_only: bool) -> None:
    data = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert bounded_json.depth_of(data) == depth(value)
    assert bounded_json.loads(data) == value


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"[":'])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    with pytest.raises(ValueError, match="deeper than 64"):
        bounded_json.loads(opening * 1_000_000)


def test_a_wide_value_is_taken() -> None:
    assert bounded_json.loads(b"[" + b",".join([b"[[]]"] * 1000) + b"]") == [[[]]] * 1000


@pytest.mark.parametrize("data", [b'"' + b'\\"' * 500_000, b"[" * 65 + b'"' + b'\\"' * 500_000 + b"\\", b"\xff"])
def test_unfinished_strings_take_linear_time(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # json's own
        bounded_json.loads(data)
