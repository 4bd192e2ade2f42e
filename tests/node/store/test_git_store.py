from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
import trio

from quorate.node.errors import MissingPart
from quorate.node.store import (
    ArchiveCache,
    ArchiveCorrupt,
    ArchiveUnavailable,
    GitFailed,
    GitTimeout,
    GitTooLarge,
    IndexMirror,
    PublishFailed,
    SourceRefused,
    open_registry,
    parse_source,
    publish,
    publish_folder,
    read_package,
    shipped_packages,
)
from quorate.node.store import git as git_module
from quorate.node.store.git import Growth, environment, folder_bytes, run_git
from quorate.protocol.codec import encode
from quorate.registry import (
    HashMismatch,
    IndexConflict,
    InvalidIndex,
    InvalidPackage,
    Package,
    UnknownPackage,
    Version,
    serve_archive,
    set_yanked,
)
from quorate.registry.index import config_text, index_path, render_entries
from quorate.registry.serving import ArchiveRequest

MANIFEST = """
schema = 1
name = "{name}"
version = "{version}"
kind = "mpc"
description = "{description}"
license = "Apache-2.0"
authors = ["A"]
clients = {{ minimum = 1, maximum = 2 }}
outputs = [{{ name = "sum", type = "uint32", to = "public" }}]

[program]
language = "stoffel"
entry = "main"
sources = ["main.stfl"]
protocol = "passive"
field = "bn254"
"""


def package(name: str = "test-program", version: str = "1.0.0", *, description: str = "Plain.") -> Package:
    text = MANIFEST.format(name=name, version=version, description=description)
    return Package.from_files(
        {"coprocessor.toml": text.encode(), "main.stfl": b"def main() -> int64:\n  return 1\n"}
    )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _exists(path: Path) -> bool:
    return path.exists()


async def commit(repository: Path, files: dict[str, bytes | str], *, branch: str = "main") -> None:
    """A commit with exactly `files`; a text is the target of a symbolic link."""
    parts = [f"commit refs/heads/{branch}\ncommitter A <a@b> 1 +0000\ndata 1\nx\ndeleteall\n".encode()]
    for path, content in files.items():
        mode, data = ("100644", content) if isinstance(content, bytes) else ("120000", content.encode())
        parts.append(f"M {mode} inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
    if not _exists(repository):
        await run_git(None, "init", "--quiet", "--bare", str(repository))
    await run_git(repository, "fast-import", "--quiet", "--force", stdin=b"".join(parts))


def index_files(*packages: Package) -> dict[str, bytes | str]:
    files: dict[str, bytes | str] = {"config.toml": config_text("test").encode()}
    for item in packages:
        files[index_path(item.manifest.name)] = render_entries((item.entry(),))
    return files


async def test_what_is_published_is_mirrored_resolved_and_loaded(tmp_path: Path) -> None:
    old, new = package(), package(version="1.1.0")
    published = await publish([old, new], tmp_path / "registry")
    registry = await open_registry(tmp_path / "programs", source=parse_source("registry", base=tmp_path))
    await registry.sync()
    assert registry.index.tip == published.tip
    assert (await registry.package("test-program")).manifest.version == Version(1, 1, 0)
    assert await registry.package(old.content_hash.hex()) == old
    again = await open_registry(tmp_path / "programs")
    assert again.index.tip == published.tip
    assert again.load(old.content_hash) == old.archive()


async def test_publishing_twice_is_deterministic_and_adds_only_what_is_new(tmp_path: Path) -> None:
    first = await publish([package()], tmp_path / "one")
    assert (await publish([package()], tmp_path / "one")).tip == first.tip
    assert (await publish([package()], tmp_path / "two")).tip == first.tip
    more = await publish([package("other")], tmp_path / "one")
    assert [str(entry) for entry in more.entries] == ["other@1.0.0", "test-program@1.0.0"]
    with pytest.raises(IndexConflict, match="publish a new version"):
        await publish([package(description="Changed.")], tmp_path / "one")


async def test_a_folder_of_coprocessors_is_published(tmp_path: Path) -> None:
    folder = tmp_path / "source" / "test-program"
    folder.mkdir(parents=True)
    for path, data in package().files.items():
        (folder / path).write_bytes(data)
    (folder / ".hidden").write_bytes(b"x")
    published = await publish_folder(tmp_path / "source", tmp_path / "registry")
    assert published.entries == (package().entry(),)
    (folder / "link").symlink_to("/etc/passwd")
    with pytest.raises(InvalidPackage, match="link"):
        read_package(folder)
    with pytest.raises(PublishFailed, match="no such folder"):
        await publish_folder(tmp_path / "absent", tmp_path / "registry")
    with pytest.raises(PublishFailed, match=r"coprocessor\.toml"):
        await publish_folder(folder, tmp_path / "registry")


async def test_an_empty_index_is_not_the_shipped_one(tmp_path: Path) -> None:
    await commit(tmp_path / "source", index_files())
    await IndexMirror(tmp_path / "programs" / "index.git").sync((tmp_path / "source").as_uri())
    assert len((await open_registry(tmp_path / "programs")).index) == 0
    assert len((await open_registry(tmp_path / "elsewhere")).index) == len(shipped_packages())


async def test_sync_follows_additions_and_yanks(tmp_path: Path) -> None:
    source, mirror = tmp_path / "source", IndexMirror(tmp_path / "mirror")
    assert await mirror.load() is None
    await commit(source, index_files(package()))
    first = await mirror.sync(source.as_uri())
    assert (await mirror.sync(source.as_uri())).tip == first.tip
    files = index_files(package(), package("other"))
    files[index_path("test-program")] = render_entries(
        set_yanked((package().entry(),), Version(1, 0, 0), yanked=True)
    )
    await commit(source, files)
    second = await mirror.sync(source.as_uri())
    assert second.names() == ("other", "test-program")
    assert second.resolve("test-program@1.0.0").yanked


@pytest.mark.parametrize("rewrite", ["remove", "change"])
async def test_a_source_that_rewrites_what_was_published_is_refused(tmp_path: Path, rewrite: str) -> None:
    source, mirror = tmp_path / "source", IndexMirror(tmp_path / "mirror")
    await commit(source, index_files(package(), package("other")))
    known = await mirror.sync(source.as_uri())
    changed = [package("other")] if rewrite == "remove" else [package(description="Evil."), package("other")]
    await commit(source, index_files(*changed))
    with pytest.raises(IndexConflict, match="test-program"):
        await mirror.sync(source.as_uri())
    kept = await mirror.load()
    assert kept is not None
    assert (kept.tip, list(kept)) == (known.tip, list(known))


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"README": b"no index"}, r"config\.toml"),
        ({"config.toml": config_text("t").encode(), "index/te/st/test": b"nonsense\n"}, "not JSON"),
        ({"config.toml": config_text("t").encode(), "index/te/st/test": "/etc/passwd"}, "not a plain file"),
        ({"config.toml": b"#" * (5 << 20)}, "the most is"),
    ],
)
async def test_a_damaged_index_is_refused(tmp_path: Path, files: dict[str, bytes | str], reason: str) -> None:
    await commit(tmp_path / "source", files)
    mirror = IndexMirror(tmp_path / "mirror")
    with pytest.raises(InvalidIndex, match=reason):
        await mirror.sync((tmp_path / "source").as_uri())
    assert await mirror.load() is None


async def test_an_unreachable_or_empty_source_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(GitFailed, match="git fetch failed"):
        await IndexMirror(tmp_path / "mirror").sync((tmp_path / "absent").as_uri())
    await run_git(None, "init", "--quiet", "--bare", str(tmp_path / "empty"))
    with pytest.raises(GitFailed):
        await IndexMirror(tmp_path / "mirror").sync((tmp_path / "empty").as_uri())


async def test_git_reads_no_configuration_and_runs_no_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evil = tmp_path / "evil"
    (tmp_path / ".gitconfig").write_text(f"[core]\n  hooksPath = {tmp_path}\n[user]\n  name = evil\n")
    hook = tmp_path / "reference-transaction"
    hook.write_text(f"#!/bin/sh\ntouch {evil}\n")
    hook.chmod(0o755)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    await commit(tmp_path / "source", index_files(package()))
    repository_hook = tmp_path / "source" / "hooks" / "reference-transaction"
    repository_hook.parent.mkdir(exist_ok=True)
    repository_hook.write_bytes(hook.read_bytes())
    repository_hook.chmod(0o755)
    await commit(tmp_path / "source", index_files(package(), package("other")))
    await IndexMirror(tmp_path / "mirror").sync((tmp_path / "source").as_uri())
    assert not evil.exists()
    assert environment()["HOME"] == os.devnull
    assert "GIT_DIR" not in environment()


@pytest.mark.parametrize("location", ["ext::sh -c touch% x", "ssh://host/x", "git://host/x", "http://host/x"])
async def test_other_transports_are_not_allowed(tmp_path: Path, location: str) -> None:
    with pytest.raises(GitFailed, match="not allowed"):
        await IndexMirror(tmp_path / "mirror").sync(location)


async def test_git_is_stopped_in_time_and_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GitTimeout):
        await run_git(None, "-c", "alias.wait=!sleep 600", "wait", timeout_s=0.2)
    (tmp_path / "big").write_bytes(bytes(1000))
    growth = Growth(tmp_path, 999)
    with pytest.raises(GitTooLarge):
        await run_git(None, "-c", "alias.wait=!sleep 600", "wait", growth=growth)
    assert folder_bytes(tmp_path) == 1000
    monkeypatch.setattr(git_module, "MAX_OUTPUT_BYTES", 1000)
    with pytest.raises(GitTooLarge):
        await run_git(None, "help", "--all")


async def test_cancelling_kills_what_git_started(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with trio.move_on_after(5) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(run_git, None, "-c", f"alias.wait=!echo $$ > {marker}; exec sleep 600", "wait")
            while not marker.exists() or not marker.read_text().strip():
                await trio.sleep(0.01)
            nursery.cancel_scope.cancel()
    assert not scope.cancelled_caught
    with trio.fail_after(5):
        while _is_alive(int(marker.read_text())):
            await trio.sleep(0.01)


async def test_errors_of_git_are_one_printable_line(tmp_path: Path) -> None:
    with pytest.raises(GitFailed) as caught:
        await run_git(tmp_path, "cat-file", "-p", "\x1b[31mred")
    assert caught.value.reason.isprintable()


async def test_a_missing_git_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPart, match="git"):
        await run_git(None, "version")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "absent",
        "-upload-pack=x",
        "ssh://host/x",
        "http://host/x",
        "ext::sh",
        "https://user:secret@host/x",
        "git@host:x",
        "https://[bad/x",
        "a\x00b",
    ],
)
def test_sources_are_folders_and_safe_urls(tmp_path: Path, text: str) -> None:
    with pytest.raises(SourceRefused) as caught:
        parse_source(text, base=tmp_path)
    assert "secret" not in str(caught.value)


def test_a_url_is_taken_as_it_is(tmp_path: Path) -> None:
    assert parse_source("https://example.org/index.git", base=tmp_path).location == "https://example.org/index.git"
    assert parse_source(".", base=tmp_path).location == tmp_path.resolve().as_uri()


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert parse_source(tmp_path.as_uri(), base=Path("/")).location == tmp_path.resolve().as_uri()
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    for text in (".", tmp_path.as_uri()):
        with pytest.raises(SourceRefused, match="belongs to user") as caught:
            parse_source(text, base=tmp_path)
        assert "chown -R 4321" in caught.value.todo


def test_a_damaged_cached_archive_is_removed_and_said_so(tmp_path: Path) -> None:
    cache, item = ArchiveCache(tmp_path / "archives"), package()
    assert cache.read(item.content_hash) is None
    path = cache.store(item.content_hash, item.archive())
    assert cache.read(item.content_hash) == item.archive()
    path.write_bytes(item.archive()[:-1] + b"X")
    with pytest.raises(ArchiveCorrupt, match="damaged"):
        cache.read(item.content_hash)
    assert not path.exists()
    assert cache.load(item.content_hash) is None
    with pytest.raises(HashMismatch):
        cache.store(bytes(32), item.archive())
    assert list(cache.folder.iterdir()) == []


def test_a_full_cache_drops_what_was_not_read_for_longest(tmp_path: Path) -> None:
    items = [package(version=f"1.{minor}.0") for minor in range(4)]
    cache = ArchiveCache(tmp_path, most_bytes=3 * len(items[0].archive()))
    for age, item in enumerate(items[:3]):
        os.utime(cache.store(item.content_hash, item.archive()), ns=(age, age))
    assert cache.read(items[0].content_hash) is not None
    cache.store(items[3].content_hash, items[3].archive())
    assert [cache.path(item.content_hash).exists() for item in items] == [True, False, True, True]


async def test_a_corrupt_archive_is_fetched_again(tmp_path: Path) -> None:
    item = package()
    fetched: list[bytes] = []

    async def fetch(content_hash: bytes) -> bytes:
        fetched.append(content_hash)
        return item.archive()

    async def load() -> ArchiveCache:
        registry = await open_registry(tmp_path, fetch=fetch)
        assert await registry.package(item.content_hash.hex()) == item
        return registry.cache

    await load()
    cache = await load()
    assert len(fetched) == 1
    cache.path(item.content_hash).write_bytes(b"damaged")
    await load()
    assert len(fetched) == 2
    await load()
    assert len(fetched) == 2


async def test_a_lying_peer_is_refused_and_nothing_is_kept(tmp_path: Path) -> None:
    async def fetch(_: bytes) -> bytes:
        return package("other").archive()

    registry = await open_registry(tmp_path, fetch=fetch)
    with pytest.raises(HashMismatch):
        await registry.package(package().content_hash.hex())
    assert registry.load(package().content_hash) is None


async def test_what_nobody_has_is_an_error(tmp_path: Path) -> None:
    registry = await open_registry(tmp_path)
    with pytest.raises(ArchiveUnavailable, match="no peers to ask"):
        await registry.package("00" * 32)
    with pytest.raises(UnknownPackage):
        await registry.package("absent-program")


async def test_an_index_that_names_a_package_wrongly_is_refused(tmp_path: Path) -> None:
    item = package()
    entry = dataclasses.replace(item.entry(), name="wrong-name")
    files: dict[str, bytes | str] = {"config.toml": config_text("t").encode()}
    files[index_path("wrong-name")] = render_entries((entry,))
    await commit(tmp_path / "source", files)

    async def fetch(_: bytes) -> bytes:
        return item.archive()

    registry = await open_registry(
        tmp_path / "programs", source=parse_source("source", base=tmp_path), fetch=fetch
    )
    await registry.sync()
    with pytest.raises(InvalidPackage, match="the index calls it wrong-name"):
        await registry.package("wrong-name")


async def test_many_syncs_leave_few_packs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorate.node.store.mirror.MAX_PACKS", 2)
    mirror = IndexMirror(tmp_path / "mirror")
    for count in range(1, 5):
        await publish([package(version=f"1.{count}.0")], tmp_path / "registry")
        index = await mirror.sync((tmp_path / "registry" / "index.git").as_uri())
        assert len(list(index)) == count
    assert len(list((mirror.folder / "objects" / "pack").glob("*.pack"))) <= 2


async def test_shipped_coprocessors_are_served_without_a_cache(tmp_path: Path) -> None:
    registry = await open_registry(tmp_path)
    for item in shipped_packages():
        assert await registry.package(str(item.entry())) == item
        request = encode(ArchiveRequest(item.content_hash, 0))
        assert item.archive() in serve_archive(registry.load, request)
