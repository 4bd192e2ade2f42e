"""JSON-RPC over HTTP for trio: bounded answers, bounded retries of reads, errors as types.

Reads are asked again after a network error, a timeout, or a status that says "later" (429 and 5xx); writes are
not, since the sender knows better what to do. The endpoint is not trusted with our memory: an answer over
MAX_RESPONSE_BYTES is cut off. An endpoint's address often carries an access key, so errors show its host only.
"""

from __future__ import annotations

import itertools
import json
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import httpx
import trio

from quorate.protocol import bounded_json

from .errors import ChainUnreachable, MalformedResponse, RpcError

MAX_RESPONSE_BYTES = 16 << 20
MAX_CONNECTIONS = 16
MAX_ERROR_CHARACTERS = 500
REQUEST_TIMEOUT_SECONDS = 20.0
CONNECT_TIMEOUT_SECONDS = 5.0
READ_ATTEMPTS = 4
FIRST_BACKOFF_SECONDS = 0.1
MAX_BACKOFF_SECONDS = 2.0
WRITES = frozenset({"eth_sendRawTransaction", "eth_sendTransaction"})

Json = object  # what json.loads gives


class RpcClient:
    """One endpoint. `display_url` is safe to show; use `request` for one call, `aclose` at the end."""

    def __init__(self, url: str, *, timeout_seconds: float = REQUEST_TIMEOUT_SECONDS) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ChainUnreachable(parts.scheme or "(none)", "the address must start with http:// or https://")
        self.display_url = f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
        self._url = url
        self._identities = itertools.count(1)
        self._timeout_seconds = timeout_seconds
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(timeout_seconds, connect=min(CONNECT_TIMEOUT_SECONDS, timeout_seconds)),
            limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
            headers={"Content-Type": "application/json", "Accept-Encoding": "identity"},
            verify=ssl.create_default_context() if parts.scheme == "https" else False,
            trust_env=False,
        )

    def __repr__(self) -> str:
        return f"RpcClient({self.display_url})"

    async def request(self, method: str, *params: Json) -> Json:
        """The `result` of one call.

        ChainUnreachable after the last attempt, RpcError if the endpoint answers with an error,
        MalformedResponse if its answer is no JSON-RPC or too large.
        """
        attempts = 1 if method in WRITES else READ_ATTEMPTS
        delay = FIRST_BACKOFF_SECONDS
        for attempt in range(1, attempts + 1):
            try:
                return await self._attempt(method, params)
            except ChainUnreachable:
                if attempt == attempts:
                    raise
            await trio.sleep(delay)
            delay = min(2 * delay, MAX_BACKOFF_SECONDS)
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _attempt(self, method: str, params: Sequence[Json]) -> Json:
        identity = next(self._identities)
        request = {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}
        try:
            status, body = await self._post(method, json.dumps(request).encode())
        except httpx.TimeoutException:
            raise self._silence() from None
        except httpx.HTTPError as error:
            # the text of an httpx error never holds the request, but may hold the address
            why = f"{type(error).__name__}: {error}".replace(self._url, self.display_url)
            raise ChainUnreachable(self.display_url, why) from None
        if status == 429 or status >= 500:
            raise ChainUnreachable(self.display_url, f"it answers with HTTP status {status}")
        return self._result(method, identity, status, body)

    async def _post(self, method: str, content: bytes) -> tuple[int, bytes]:
        """Status and body. An answer that is too large is left by cancelling the read.

        httpx's nested generators would otherwise stay suspended until they are collected as garbage.
        """
        body, status, size = bytearray(), None, 0
        with trio.move_on_after(self._timeout_seconds) as scope:
            async with self._client.stream("POST", self._url, content=content) as response:
                async for chunk in response.aiter_raw():
                    size += len(chunk)
                    if size > MAX_RESPONSE_BYTES:
                        scope.cancel()
                    else:
                        body += chunk
            status = response.status_code
        if size > MAX_RESPONSE_BYTES:
            raise MalformedResponse(self.display_url, method, f"it is over {MAX_RESPONSE_BYTES} bytes")
        if status is None:
            raise self._silence()
        return status, bytes(body)

    def _silence(self) -> ChainUnreachable:
        return ChainUnreachable(self.display_url, f"no answer within {self._timeout_seconds:g} s")

    def _result(self, method: str, identity: int, status: int, body: bytes) -> Json:
        try:
            answer = bounded_json.loads(body)
        except ValueError:
            reason = f"it is not JSON (HTTP status {status})"
            raise MalformedResponse(self.display_url, method, reason) from None
        if not isinstance(answer, dict):
            raise MalformedResponse(self.display_url, method, "it is not an object")
        if answer.get("error") is not None:
            raise _rpc_error(method, answer["error"])
        if answer.get("id") != identity or "result" not in answer:
            raise MalformedResponse(self.display_url, method, f"it answers nothing (HTTP status {status})")
        return answer["result"]

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()


def _rpc_error(method: str, error: Json) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, code=0, message=str(error)[:MAX_ERROR_CHARACTERS])
    code = error.get("code")
    return RpcError(
        method,
        code=code if isinstance(code, int) else 0,
        message=str(error.get("message", ""))[:MAX_ERROR_CHARACTERS],
        data=_error_data(error.get("data")),
    )


def _error_data(data: Json) -> bytes:
    """Revert data as nodes give it: hex, or hex inside an object."""
    if isinstance(data, dict):
        data = data.get("data")
    if not isinstance(data, str) or not data.startswith("0x"):
        return b""
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return b""
