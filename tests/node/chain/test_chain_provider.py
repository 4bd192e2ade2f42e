"""The endpoint: errors as types, bounded answers, retries of reads only, and web3 on top."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import trio

from quorate.node.chain import ChainUnreachable, MalformedResponse, RpcError, WrongChain, open_chain, rpc
from quorate.node.chain.async_web3 import TrioProvider
from quorate.node.chain.rpc import RpcClient

Answer = Callable[[dict[str, object]], tuple[int, bytes]]


class Scripted:
    """An HTTP server that answers as a test says."""

    def __init__(self) -> None:
        self.answer: Answer = lambda request: (200, result(request, "0x7a69"))
        self.requests: list[dict[str, object]] = []
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                scripted.requests.append(request)
                status, body = scripted.answer(request)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # type: ignore[method-assign]
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v3/SECRET-KEY"


def result(request: dict[str, object], value: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": value}).encode()


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    made = Scripted()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def no_backoff(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "FIRST_BACKOFF_SECONDS", 0.0)


async def test_no_chain_at_the_url(no_backoff: None) -> None:
    with pytest.raises(ChainUnreachable, match=r"http://127\.0\.0\.1:1 does not answer") as caught:
        async with open_chain("http://127.0.0.1:1/secret"):
            pass
    assert "devchain" in caught.value.todo
    assert "secret" not in f"{caught.value}{caught.value.todo}"


@pytest.mark.parametrize("url", ["ftp://example.org", "localhost:8545", "", "http://"])
async def test_bad_urls(url: str) -> None:
    with pytest.raises(ChainUnreachable, match="must start with"):
        async with open_chain(url):
            pass


async def test_wrong_chain(endpoint) -> None:
    with pytest.raises(WrongChain, match="31337, and 1 is configured") as caught:
        async with open_chain(endpoint.url, expected_chain_id=1):
            pass
    assert (caught.value.expected, caught.value.actual) == (1, 31337)


async def test_reads_are_tried_again(scripted: Scripted, no_backoff: None) -> None:
    def unwell(request: dict[str, object]) -> tuple[int, bytes]:
        if len(scripted.requests) < 3:
            return 503, b"busy"
        return 200, result(request, "0x7a69")

    scripted.answer = unwell
    async with open_chain(scripted.url) as chain:
        assert chain.chain_id == 31337
    assert len(scripted.requests) == 3


async def test_writes_are_not_tried_again(scripted: Scripted) -> None:
    async with open_chain(scripted.url) as chain:
        scripted.answer = lambda _: (503, b"")
        scripted.requests.clear()
        with pytest.raises(ChainUnreachable, match="HTTP status 503"):
            await chain.send_raw(b"\x01")
    assert len(scripted.requests) == 1


async def test_reads_give_up_after_their_attempts(scripted: Scripted, no_backoff: None) -> None:
    scripted.answer = lambda _: (429, b"")
    with pytest.raises(ChainUnreachable, match="429") as caught:
        async with open_chain(scripted.url):
            pass
    assert len(scripted.requests) == rpc.READ_ATTEMPTS
    assert "SECRET-KEY" not in str(caught.value)


async def test_an_answer_over_the_bound_is_cut_off(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc, "MAX_RESPONSE_BYTES", 1 << 20)
    async with open_chain(scripted.url) as chain:
        scripted.answer = lambda request: (200, result(request, "0x" + "00" * (1 << 20)))
        with pytest.raises(MalformedResponse, match="over 1048576 bytes") as caught:
            await chain.call(bytes(20), b"")
        assert "SECRET-KEY" not in str(caught.value)


async def test_silence_ends_in_a_timeout(no_backoff: None) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")  # takes connections and says nothing
    async with listener:
        url = f"http://127.0.0.1:{listener.socket.getsockname()[1]}"
        with pytest.raises(ChainUnreachable, match=r"no answer within 0\.05 s"):
            async with open_chain(url, timeout_seconds=0.05):
                pass


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<html>", "not JSON"),
        (b"[1]", "not an object"),
        (b'{"id": 999, "result": "0x1"}', "answers nothing"),
        (b'{"id": 1}', "answers nothing"),
        (b"[" * 100_000, "not JSON"),
    ],
)
async def test_answers_that_are_no_json_rpc(scripted: Scripted, body: bytes, reason: str) -> None:
    scripted.answer = lambda _: (200, body)
    with pytest.raises(MalformedResponse, match=reason):
        async with open_chain(scripted.url):
            pass


@pytest.mark.parametrize("value", [None, 7, "7", "0xzz", "0x", {}, [], "0x" + "f" * 65])
async def test_values_of_another_form(scripted: Scripted, value: object) -> None:
    async with open_chain(scripted.url) as chain:
        scripted.answer = lambda request: (200, result(request, value))
        with pytest.raises(MalformedResponse):
            await chain.height()
        with pytest.raises(MalformedResponse):
            await chain.latest()
        with pytest.raises(MalformedResponse):
            await chain.send_raw(b"")


@pytest.mark.parametrize("data", ["0x08c379a0", {"data": "0x08c379a0"}])
async def test_rpc_errors_keep_their_revert_data(scripted: Scripted, data: object) -> None:
    async with open_chain(scripted.url) as chain:
        scripted.answer = lambda request: (
            200,
            json.dumps({"id": request["id"], "error": {"code": 3, "message": "x" * 9999, "data": data}}).encode(),
        )
        with pytest.raises(RpcError) as caught:
            await chain.call(bytes(20), b"")
    assert caught.value.code == 3
    assert caught.value.data == bytes.fromhex("08c379a0")
    assert len(caught.value.message) <= rpc.MAX_ERROR_CHARACTERS


async def test_blocks_and_balances(endpoint, signer) -> None:
    async with open_chain(endpoint.url) as chain:
        latest = await chain.latest()
        assert latest == await chain.block(latest.number)
        assert await chain.block(latest.number + 10_000) is None
        assert await chain.height() >= latest.number
        assert await chain.finalized(latest.number + 10_000) < 0
        assert await chain.balance(signer.account) == 1000 * 10**18
        assert await chain.nonce(signer.account) == 0
        assert await chain.receipt(bytes(32)) is None
        assert not await chain.knows(bytes(32))
        assert await chain.logs(first=latest.number, last=latest.number) == ()


async def test_web3_works_under_trio(endpoint, signer, no_backoff: None) -> None:
    async with open_chain(endpoint.url) as chain:
        assert await chain.web3.eth.get_balance(signer.address) == 1000 * 10**18
        assert (await chain.web3.eth.get_block("latest"))["hash"] == (await chain.latest()).hash
        assert await chain.web3.is_connected()
    nobody = RpcClient("http://127.0.0.1:1")
    assert not await TrioProvider(nobody).is_connected()
    await nobody.aclose()
