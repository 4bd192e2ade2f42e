from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol.codec import encode
from quorate.protocol.errors import MalformedMessage
from quorate.registry import (
    Download,
    HashMismatch,
    InvalidPackage,
    content_hash,
    file_entries,
    pack_archive,
    serve_archive,
)
from quorate.registry.serving import MAX_CHUNK_BYTES, MAX_REPLY_BYTES, ArchiveReply, ArchiveRequest

LARGE = {"a": bytes(range(256)) * 4096, "b": b"tail"}


def archive_of(files: dict[str, bytes]) -> tuple[bytes, bytes]:
    return content_hash(file_entries(files)), pack_archive(files)


@pytest.mark.parametrize("files", [{"a": b"small"}, LARGE])
def test_an_archive_arrives_in_bounded_pieces(files: dict[str, bytes]) -> None:
    digest, archive = archive_of(files)
    download = Download(digest)
    pieces = 0
    while (request := download.request()) is not None:
        reply = serve_archive({digest: archive}.get, request)
        assert len(reply) <= MAX_REPLY_BYTES
        download.receive(reply)
        pieces += 1
    assert download.result() == archive
    assert pieces == -(-len(archive) // MAX_CHUNK_BYTES)


def test_an_absent_archive_is_said_so() -> None:
    download = Download(bytes(32))
    request = download.request()
    assert request is not None
    with pytest.raises(InvalidPackage, match="the peer has no archive"):
        download.receive(serve_archive(lambda _: None, request))


def test_a_lying_server_fails_the_hash() -> None:
    digest, _ = archive_of({"a": b"right"})
    _, other = archive_of({"a": b"wrong"})
    download = Download(digest)
    download.receive(encode(ArchiveReply(digest, len(other), 0, other)))
    assert download.request() is None
    with pytest.raises(HashMismatch):
        download.result()


@pytest.mark.parametrize(
    "reply",
    [
        ArchiveReply(bytes(31) + b"x", 9, 0, bytes(9)),
        ArchiveReply(bytes(32), 9, 1, bytes(8)),
        ArchiveReply(bytes(32), 9, 0, bytes(8)),
        ArchiveReply(bytes(32), 9, 0, b""),
        ArchiveReply(bytes(32), MAX_CHUNK_BYTES + 1, 0, bytes(9)),
    ],
)
def test_a_reply_that_does_not_answer_is_refused(reply: ArchiveReply) -> None:
    with pytest.raises(MalformedMessage):
        Download(bytes(32)).receive(encode(reply))


def test_an_archive_keeps_its_size_between_replies() -> None:
    download = Download(bytes(32))
    download.receive(encode(ArchiveReply(bytes(32), MAX_CHUNK_BYTES + 9, 0, bytes(MAX_CHUNK_BYTES))))
    with pytest.raises(MalformedMessage, match="size"):
        download.receive(encode(ArchiveReply(bytes(32), MAX_CHUNK_BYTES + 8, MAX_CHUNK_BYTES, bytes(8))))


@given(st.binary(max_size=200))
def test_bytes_that_are_no_request_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessage):
        serve_archive(lambda _: b"secret", data)


def test_an_offset_past_the_end_gives_nothing() -> None:
    digest, archive = archive_of({"a": b"1"})
    reply = serve_archive({digest: archive}.get, encode(ArchiveRequest(digest, len(archive) + 5)))
    assert reply == encode(ArchiveReply(digest, len(archive), len(archive) + 5, b""))
