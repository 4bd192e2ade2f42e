from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.registry import (
    Entry,
    Index,
    IndexConflict,
    InvalidIndex,
    Snapshot,
    UnknownPackage,
    Version,
    add_entry,
    check_update,
    content_hash,
    file_entries,
    set_yanked,
)
from quorate.registry.index import MAX_VERSIONS, config_text, index_path, parse_entries, render_entries


def entry(name: str = "private-average", version: str = "1.0.0", *, text: str = "", yanked: bool = False) -> Entry:
    files = file_entries({"coprocessor.toml": f"{name} {version} {text}".encode()})
    return Entry(name, Version.parse(version), "mpc", content_hash(files), files, yanked)


def store(*entries: Entry) -> Snapshot:
    files = {"config.toml": config_text("test").encode()}
    for item in entries:
        path = index_path(item.name)
        known = parse_entries(path, files[path]) if path in files else ()
        files[path] = render_entries((*known, item))
    return Snapshot("tip", files)


def index(*entries: Entry) -> Index:
    return Index.load(store(*entries))


def test_paths_fold_and_spread_names() -> None:
    assert index_path("Private_Average") == "index/pr/iv/private-average"
    assert index_path("ab") == "index/ab/__/ab"
    assert index_path("abc") == "index/ab/c_/abc"


def test_entries_read_back_from_their_lines() -> None:
    entries = (entry(version="1.0.0"), entry(version="1.1.0", yanked=True))
    path = index_path(entries[0].name)
    assert parse_entries(path, render_entries(entries)) == entries


def test_resolve_finds_by_name_version_and_hash() -> None:
    known = index(entry(version="1.9.0"), entry(version="1.10.0"), entry(version="2.0.0-rc.1"), entry("other"))
    assert str(known.resolve("private-average")) == "private-average@1.10.0"
    assert str(known.resolve("Private_Average@1.9.0")) == "private-average@1.9.0"
    assert str(known.resolve("private-average@2.0.0-rc.1")) == "private-average@2.0.0-rc.1"
    assert str(known.resolve(entry("other").content_hash.hex())) == "other@1.0.0"
    assert known.names() == ("other", "private-average")


def test_a_yanked_version_answers_to_its_version_and_hash_only() -> None:
    old, new = entry(version="1.0.0"), entry(version="1.1.0", yanked=True)
    known = index(old, new)
    assert known.resolve("private-average") == old
    assert known.resolve("private-average@1.1.0").yanked
    assert known.resolve(new.content_hash.hex()) == new
    with pytest.raises(UnknownPackage, match="every version is yanked"):
        index(new).resolve("private-average")


def test_a_lone_prerelease_answers_to_the_name() -> None:
    assert str(
        index(entry(version="1.0.0-rc.1"), entry(version="1.0.0-rc.2")).resolve("private-average")
    ).endswith("rc.2")


@pytest.mark.parametrize("reference", ["absent", "absent@1.0.0", "private-average@9.9.9", "00" * 32])
def test_what_is_not_there_is_an_error(reference: str) -> None:
    with pytest.raises(UnknownPackage):
        index(entry()).resolve(reference)


def test_a_published_version_never_changes() -> None:
    entries = (entry(),)
    assert add_entry(entries, entry()) == entries
    assert add_entry(set_yanked(entries, Version(1, 0, 0), yanked=True), entry())[0].yanked
    with pytest.raises(IndexConflict, match="publish a new version"):
        add_entry(entries, entry(text="changed"))
    with pytest.raises(IndexConflict, match="spells this name"):
        add_entry(entries, entry("Private_Average", "1.1.0"))
    with pytest.raises(UnknownPackage):
        set_yanked(entries, Version(2, 0, 0), yanked=True)
    with pytest.raises(IndexConflict, match="the most"):
        add_entry(entries * MAX_VERSIONS, entry(version="3.0.0"))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.sampled_from(["aa", "bb"]), st.integers(0, 3), st.booleans()),
        max_size=6,
        unique_by=lambda t: t[:2],
    )
)
def test_an_update_may_add_and_yank_and_nothing_else(rows: list[tuple[str, int, bool]]) -> None:
    entries = [entry(name, f"1.{minor}.0", yanked=yanked) for name, minor, yanked in rows]
    known = index(*entries)
    check_update(
        known, index(*[dataclasses.replace(item, yanked=not item.yanked) for item in entries], entry("new"))
    )
    for place, item in enumerate(entries):
        rest = entries[:place] + entries[place + 1 :]
        with pytest.raises(IndexConflict, match="lacks it"):
            check_update(known, index(*rest))
        with pytest.raises(IndexConflict, match="otherwise"):
            check_update(known, index(*rest, entry(item.name, str(item.version), text="evil")))


def _line(**changes: object) -> bytes:
    values = json.loads(render_entries((entry(),)))
    values.update(changes)
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "line break"),
        (render_entries((entry(),))[:-1], "line break"),
        (b"{}\n", "schema"),
        (b"nonsense\n", "not JSON"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (_line(schema=2), "schema"),
        (_line(name="other"), "is not the place of"),
        (_line(name="../../x"), "name"),
        (_line(version="1"), "version"),
        (_line(kind="potion"), "kind"),
        (_line(hash="00" * 32), "hash is not that of the files"),
        (_line(hash="zz"), "hash"),
        (_line(size=5), "canonical"),
        (_line(yanked=0), "yanked"),
        (_line(files=[]), "files"),
        (_line(files=[{"path": "/abs", "sha256": "00" * 32, "size": 0}]), "path"),
        (_line(extra=1), "extra"),
        (_line().replace(b":", b": ", 1), "canonical"),
        (render_entries((entry(), entry())), "twice"),
        (b" " * (200 << 10) + b"\n", "the most is"),
        (b"\n" * (MAX_VERSIONS + 1), "versions"),
        (b" " * (5 << 20), "the most is"),
    ],
)
def test_damaged_index_files_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidIndex, match=reason):
        parse_entries(index_path("private-average"), data)


@pytest.mark.parametrize("data", [None, b"\xff", b"schema = 2\ntitle = 'x'\n", b"title = 'x'\n", b"#" * 5000])
def test_a_damaged_config_is_refused(data: bytes | None) -> None:
    files = {} if data is None else {"config.toml": data}
    with pytest.raises(InvalidIndex, match=r"config\.toml"):
        Index.load(Snapshot("tip", files))


def test_one_hash_under_two_names_is_refused() -> None:
    other = dataclasses.replace(entry(), name="other-name")
    with pytest.raises(InvalidIndex, match="content hash of"):
        index(entry(), other)


def test_an_empty_index_is_an_index() -> None:
    empty = index()
    assert len(empty) == 0
    assert list(empty) == []
    assert empty.versions("absent") == ()
