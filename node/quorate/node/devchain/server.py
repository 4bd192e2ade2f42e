"""The HTTP face: POST one JSON-RPC request, or a batch, to a loopback port.

A thread per connection, one lock around the chain. What comes in is bounded in bytes, batch length and number of
connections; a page in a browser cannot use the port, since neither a foreign Host nor a body that is not
application/json is accepted.
"""

from __future__ import annotations

import errno
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from quorate.protocol import bounded_json

from .errors import CannotListen, DevchainPortInUse
from .methods import MethodError, Methods

MAX_REQUEST_BYTES = 1 << 20
MAX_BATCH = 200
MAX_CONNECTIONS = 128
IDLE_CONNECTION_SECONDS = 300.0
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})


class RpcServer(ThreadingHTTPServer):
    """Serves `methods` on `host`:`port` (0 takes a free port; see `url`). DevchainPortInUse, CannotListen."""

    daemon_threads = True
    request_queue_size = MAX_CONNECTIONS

    def __init__(self, methods: Methods, *, host: str, port: int) -> None:
        self.methods = methods
        self.lock = threading.Lock()
        self.slots = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self.loopback = host in LOOPBACK_NAMES
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise DevchainPortInUse(host, port) from error
            raise CannotListen(host, port, error.strerror or str(error)) from error

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Give the connection a thread, or close it if there are too many."""
        if not self.slots.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self.slots.release()
            raise

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Serve one connection and give its slot back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.slots.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet about clients that went away."""

    def respond(self, body: bytes) -> bytes:
        """The response to one request or to a batch."""
        try:
            message = bounded_json.loads(body)
        except ValueError:
            return _dump(_error(None, -32700, "the body is not JSON"))
        if not isinstance(message, list):
            return _dump(self._answer(message))
        if not 0 < len(message) <= MAX_BATCH:
            return _dump(_error(None, -32600, f"a batch holds 1 to {MAX_BATCH} requests"))
        return _dump([self._answer(each) for each in message])

    def _answer(self, request: object) -> dict[str, object]:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _error(None, -32600, "not a JSON-RPC request")
        identity, params = request.get("id"), request.get("params")
        if not isinstance(params, list | None):
            return _error(identity, -32602, "params must be a list")
        try:
            with self.lock:
                result = self.methods.answer(request["method"], params or [])
        except MethodError as error:
            return _error(identity, error.code, error.message, error.data)
        except Exception as error:  # a fault of this chain must not end the connection without an answer
            return _error(identity, -32603, f"{type(error).__name__}: {error}")
        return {"jsonrpc": "2.0", "id": identity, "result": result}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_CONNECTION_SECONDS
    disable_nagle_algorithm = True

    @property
    def _rpc(self) -> RpcServer:
        assert isinstance(self.server, RpcServer)
        return self.server

    def do_POST(self) -> None:
        """Answer one POST."""
        refusal = self._refusal()
        if refusal is not None:
            self.close_connection = True
            self._reply(*refusal)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._reply(200, self._rpc.respond(body))

    def do_GET(self) -> None:
        """Say what this is."""
        self.close_connection = True
        self._reply(405, b'{"error": "POST JSON-RPC to this address"}')

    def _refusal(self) -> tuple[int, bytes] | None:
        host = self.headers.get("Host", "")
        if self._rpc.loopback and host.rpartition(":")[0] not in LOOPBACK_NAMES and host not in LOOPBACK_NAMES:
            return 403, b'{"error": "this Host is not served"}'
        if self.headers.get_content_type() != "application/json":
            return 415, b'{"error": "Content-Type must be application/json"}'
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return 411, b'{"error": "Content-Length is needed"}'
        if int(length) > MAX_REQUEST_BYTES:
            return 413, json.dumps({"error": f"a request holds at most {MAX_REQUEST_BYTES} bytes"}).encode()
        return None

    def _reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write no access log."""


def _error(identity: object, code: int, message: str, data: bytes | None = None) -> dict[str, object]:
    error: dict[str, object] = {"code": code, "message": message}
    if data is not None:
        error["data"] = "0x" + data.hex()
    return {"jsonrpc": "2.0", "id": identity, "error": error}


def _dump(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
