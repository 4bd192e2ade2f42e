"""Archives from peers: one that lies is named and another is asked. Real meshes on loopback, no processes."""

from contextlib import AsyncExitStack

import pytest
import structlog.testing

from quorate.node.channel import serve_calls
from quorate.node.daemon import fetch_archive, serve_archives
from quorate.node.mesh import DiscoveryConfig, GossipConfig, MeshConfig, open_mesh
from quorate.node.store import ArchiveCache, ArchiveUnavailable, shipped_packages
from quorate.protocol.codec import decode, encode
from quorate.registry.serving import PROTOCOL_ID, ArchiveReply, ArchiveRequest

WANTED, OTHER = shipped_packages()[:2]
CONFIG = MeshConfig(gossip=GossipConfig(enabled=False), discovery=DiscoveryConfig(exchange=False))


class Shelf:
    """What serve_archives needs of a registry."""

    def __init__(self, folder, *packages):
        self.cache = ArchiveCache(folder)
        for package in packages:
            self.cache.store(package.content_hash, package.archive())
        self.load = self.cache.load


def lies(mesh, archive):
    """Serve `archive` under whatever hash is asked for."""

    async def answer(peer, request):
        asked = decode(ArchiveRequest, request)
        return encode(ArchiveReply(asked.content_hash, len(archive), asked.offset, archive[asked.offset :]))

    serve_calls(mesh, PROTOCOL_ID, answer)


@pytest.fixture
async def meshes():
    """Three that are not connected yet."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_mesh(bytes([seed]) * 32, CONFIG)) for seed in range(1, 4)]


async def test_a_peer_that_serves_another_archive_is_named_and_the_next_is_asked(meshes, tmp_path, monkeypatch):
    asker, liar, honest = meshes
    lies(liar, OTHER.archive())
    serve_archives(honest, Shelf(tmp_path, WANTED))
    for mesh in (liar, honest):
        await asker.connect(mesh.addresses[0])
    monkeypatch.setattr(asker, "peers", lambda: [liar.peer_id, honest.peer_id])
    with structlog.testing.capture_logs() as logs:
        assert await fetch_archive(asker, WANTED.content_hash) == WANTED.archive()
    [refused] = [entry for entry in logs if entry["event"] == "archive_refused"]
    assert (refused["peer"], refused["log_level"]) == (liar.peer_id, "warning")


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: data[:-1] + bytes([data[-1] ^ 1])])
async def test_a_damaged_archive_is_refused_and_everybody_who_failed_is_named(meshes, tmp_path, damage):
    asker, liar, empty = meshes
    lies(liar, damage(WANTED.archive()))
    serve_archives(empty, Shelf(tmp_path))
    for mesh in (liar, empty):
        await asker.connect(mesh.addresses[0])
    with structlog.testing.capture_logs() as logs, pytest.raises(ArchiveUnavailable) as failure:
        await fetch_archive(asker, WANTED.content_hash, rounds=2)
    assert liar.peer_id in str(failure.value)
    assert empty.peer_id in str(failure.value)
    named = [entry["peer"] for entry in logs if entry["event"] == "archive_refused"]
    assert named == [liar.peer_id]  # a peer that has no such archive does no wrong


async def test_an_archive_travels_on_from_whoever_fetched_it(meshes, tmp_path):
    first, second, third = meshes
    serve_archives(first, Shelf(tmp_path / "first", WANTED))
    await second.connect(first.addresses[0])
    await third.connect(second.addresses[0])
    with pytest.raises(ArchiveUnavailable):
        await fetch_archive(third, WANTED.content_hash, rounds=1)
    shelf = Shelf(tmp_path / "second")
    shelf.cache.store(WANTED.content_hash, await fetch_archive(second, WANTED.content_hash))
    serve_archives(second, shelf)
    assert await fetch_archive(third, WANTED.content_hash) == WANTED.archive()


async def test_an_archive_that_comes_a_little_later_is_waited_for(meshes, tmp_path):
    asker, peer, _ = meshes
    shelf = Shelf(tmp_path)
    serve_archives(peer, shelf)
    await asker.connect(peer.addresses[0])
    asked = []

    def load(content_hash):
        asked.append(content_hash)
        if len(asked) == 2:
            shelf.cache.store(WANTED.content_hash, WANTED.archive())
        return shelf.cache.load(content_hash)

    shelf.load = load
    assert await fetch_archive(asker, WANTED.content_hash) == WANTED.archive()
    assert len(asked) == 2


async def test_without_peers_there_is_nobody_to_ask(meshes):
    with pytest.raises(ArchiveUnavailable, match="no peers to ask"):
        await fetch_archive(meshes[0], WANTED.content_hash, rounds=1)
