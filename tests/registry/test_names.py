from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.registry import InvalidName, Reference, Version
from quorate.registry.names import MAX_NAME_CHARS, check_name, fold

PRECEDENCE = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
]

versions = st.builds(
    Version,
    st.integers(0, 99),
    st.integers(0, 99),
    st.integers(0, 99),
    st.lists(st.from_regex(r"(0|[1-9][0-9]{0,3}|[a-z][a-z0-9-]{0,3})", fullmatch=True), max_size=3).map(tuple),
)


def test_versions_follow_the_precedence_that_semver_gives_as_its_example() -> None:
    parsed = [Version.parse(text) for text in PRECEDENCE]
    assert all(low < high for low, high in itertools.pairwise(parsed))
    assert sorted(parsed) == parsed


@given(versions)
def test_a_version_reads_back_from_its_text(version: Version) -> None:
    assert Version.parse(str(version)) == version


@given(versions, versions, versions)
def test_versions_are_totally_ordered(one: Version, two: Version, three: Version) -> None:
    assert (one < two) + (one == two) + (one > two) == 1
    if one < two < three:
        assert one < three


@pytest.mark.parametrize(
    "text",
    ["1", "1.0", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0+build", "v1.0.0", "1.0.0 ", "1.0.0\n", "²5.0.0", "1" * 99],
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidName, match=r"major\.minor\.patch"):
        Version.parse(text)


@pytest.mark.parametrize(
    "name", ["", "a", "-a", "a-", "a--b", "a_-b", "9lives", "a.b", "a/b", "../x", "naïve", "a b", "a\n", "x" * 65]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        check_name(name)


def test_look_alikes_by_case_and_hyphen_fold_together() -> None:
    assert fold("Private_Average") == fold("private-average") == "private-average"
    assert fold("x" * MAX_NAME_CHARS) == "x" * MAX_NAME_CHARS


def test_references_have_three_forms() -> None:
    digest = bytes(range(32))
    assert Reference.parse("a-name") == Reference(name="a-name")
    assert Reference.parse("a-name@1.2.3") == Reference(name="a-name", version=Version(1, 2, 3))
    assert Reference.parse(digest.hex()) == Reference(content_hash=digest)
    for text in ("a-name", "a-name@1.2.3-rc.1", digest.hex()):
        assert str(Reference.parse(text)) == text


@pytest.mark.parametrize("text", ["a-name@", "@1.0.0", "a-name@latest", "a@b@1.0.0", "AB" * 32 + "!"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Reference.parse(text)
