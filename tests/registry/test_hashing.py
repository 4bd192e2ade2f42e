from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.registry import (
    FileEntry,
    HashMismatch,
    InvalidPackage,
    content_hash,
    file_entries,
    open_archive,
    pack_archive,
)
from quorate.registry.archive import MAGIC, MAX_ARCHIVE_BYTES
from quorate.registry.hashing import MAX_FILE_BYTES, MAX_FILES, MAX_PACKAGE_BYTES, check_entries, check_path

names = st.from_regex(r"[a-z0-9]{1,6}(/[a-z0-9]{1,6}){0,2}\.x", fullmatch=True)
packages = st.dictionaries(names, st.binary(max_size=40), min_size=1, max_size=6)


def test_the_content_hash_is_the_documented_text() -> None:
    files = {"b.txt": b"two", "a.txt": b"one"}
    text = f"a.txt {hashlib.sha256(b'one').hexdigest()} 3\nb.txt {hashlib.sha256(b'two').hexdigest()} 3\n"
    assert content_hash(file_entries(files)) == hashlib.sha256(text.encode()).digest()


@given(packages, st.randoms(use_true_random=False))
def test_the_order_of_files_changes_neither_hash_nor_archive(files: dict[str, bytes], random: object) -> None:
    shuffled = list(files.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis types its randoms as object
    assert content_hash(file_entries(dict(shuffled))) == content_hash(file_entries(files))
    assert pack_archive(dict(shuffled)) == pack_archive(files)


@given(packages)
def test_an_archive_gives_back_its_files(files: dict[str, bytes]) -> None:
    assert open_archive(pack_archive(files), content_hash(file_entries(files))) == files


@settings(max_examples=300)
@given(packages, st.data())
def test_no_changed_byte_passes(files: dict[str, bytes], data: st.DataObject) -> None:
    archive = bytearray(pack_archive(files))
    archive[data.draw(st.integers(0, len(archive) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises((HashMismatch, InvalidPackage)):
        open_archive(bytes(archive), content_hash(file_entries(files)))


@given(packages, st.integers(1, 30))
def test_a_cut_or_longer_archive_is_refused(files: dict[str, bytes], count: int) -> None:
    archive = pack_archive(files)
    expected = content_hash(file_entries(files))
    with pytest.raises(InvalidPackage):
        open_archive(archive[:-count], expected)
    with pytest.raises(InvalidPackage):
        open_archive(archive + bytes(count), expected)


def test_another_package_is_named_by_both_hashes() -> None:
    archive = pack_archive({"a": b"1"})
    expected, actual = content_hash(file_entries({"a": b"2"})), content_hash(file_entries({"a": b"1"}))
    with pytest.raises(HashMismatch) as caught:
        open_archive(archive, expected)
    assert (caught.value.expected, caught.value.actual) == (expected, actual)
    assert expected.hex() in str(caught.value)
    assert actual.hex() in str(caught.value)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a/./b",
        "a//b",
        "a/",
        ".git/config",
        "a\\b",
        "C:x",
        "a b",
        "a\nb",
        "é",
        "x.",
        "-x",
        "a/b/c/d/e/f/g/h/i",
        "x" * 201,
    ],
)
def test_paths_that_leave_the_package_or_need_quoting_are_refused(path: str) -> None:
    with pytest.raises(InvalidPackage, match="path"):
        check_path(path)


def test_paths_that_one_file_system_would_confuse_are_refused() -> None:
    with pytest.raises(InvalidPackage, match="case"):
        file_entries({"Main.stfl": b"", "main.stfl": b""})
    with pytest.raises(InvalidPackage, match="folder"):
        file_entries({"a": b"", "a-b": b"", "a/b": b""})


def test_counts_and_sizes_are_bounded() -> None:
    with pytest.raises(InvalidPackage, match="files"):
        file_entries({})
    with pytest.raises(InvalidPackage, match="files"):
        file_entries({f"f{place}": b"" for place in range(MAX_FILES + 1)})
    with pytest.raises(InvalidPackage, match="bytes"):
        check_entries([FileEntry("a", bytes(32), MAX_FILE_BYTES + 1)])
    many = [FileEntry(f"f{place}", bytes(32), MAX_FILE_BYTES) for place in range(3)]
    with pytest.raises(InvalidPackage, match=str(MAX_PACKAGE_BYTES)):
        check_entries(many)
    with pytest.raises(InvalidPackage, match="sorted"):
        check_entries([FileEntry("b", bytes(32), 0), FileEntry("a", bytes(32), 0)])
    with pytest.raises(InvalidPackage, match="case"):
        check_entries([FileEntry("a", bytes(32), 0), FileEntry("a", bytes(32), 0)])


def test_damaged_headers_are_refused() -> None:
    whole = pack_archive({"a": b"1"})
    with pytest.raises(InvalidPackage, match="start"):
        open_archive(b"", bytes(32))
    with pytest.raises(InvalidPackage, match="header has"):
        open_archive(MAGIC + b"\xff\xff\xff\xff" + whole, bytes(32))
    with pytest.raises(InvalidPackage, match="damaged"):
        open_archive(MAGIC + (8).to_bytes(4, "big") + b"nonsense", bytes(32))
    with pytest.raises(InvalidPackage, match="the most"):
        open_archive(MAGIC + bytes(MAX_ARCHIVE_BYTES), bytes(32))
