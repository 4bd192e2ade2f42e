"""The control socket of a daemon: HOME/control.sock, one JSON object a line each way, for the user's own tools.

A request is {"method": NAME, "params": {...}}; the reply is {"result": ...} or {"error": {"reason", "todo"}}. A
connection carries any number of requests, one after the other. Only the owner of the home can connect: the socket
is 0600 before it listens. A home whose path is too long for a socket address gets its socket in a private folder
under the temporary directory, named by the hash of the home, which both sides derive.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Final

import trio

from .errors import ControlError, ControlRefused, NodeNotRunning, QuorateNodeError
from .files import disk_errors, private_folder
from .log import get_logger
from .tasks import TaskStatus

SOCKET_NAME: Final = "control.sock"
MAX_SOCKET_PATH_BYTES: Final = 100
"""The longest path that every system takes as a socket address (macOS: 103, Linux: 107)."""
MAX_LINE_BYTES: Final = 1 << 20
MAX_CONNECTIONS: Final = 16
IDLE_SECONDS: Final = 60.0
"""A connection that sends nothing for this long is closed."""
CONNECT_POLL_SECONDS: Final = 0.02
REPLY_SECONDS: Final = 10.0
"""How long a client waits for a reply, unless it says otherwise."""

Method = Callable[[Mapping[str, object]], Awaitable[object]]
"""A control method: parameters in, a JSON value out; a QuorateNodeError becomes an error reply."""

_log = get_logger("control")


def socket_path(home: Path) -> Path:
    """Where the control socket of `home` is."""
    home = home.absolute()
    path = home / SOCKET_NAME
    if len(os.fsencode(path)) <= MAX_SOCKET_PATH_BYTES:
        return path
    name = hashlib.sha256(os.fsencode(home.resolve())).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"quorate-{os.geteuid()}" / f"{name}.sock"


async def serve_control(
    home: Path,
    methods: Mapping[str, Method],
    *,
    task_status: TaskStatus[Path] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer on the control socket of `home` until cancelled; started with the socket's path.

    The caller holds the HomeLock, so a socket that is already there is a dead daemon's and is replaced.
    """
    path = _free_socket_path(home)
    listening = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with disk_errors(path):
        await listening.bind(str(path))
    path.chmod(0o600)
    listening.listen(MAX_CONNECTIONS)
    slots = trio.Semaphore(MAX_CONNECTIONS)

    async def serve(stream: trio.SocketStream) -> None:
        async with slots:
            await _serve_connection(stream, methods)

    try:
        task_status.started(path)
        await trio.serve_listeners(serve, [trio.SocketListener(listening)])
    finally:
        path.unlink(missing_ok=True)


def _free_socket_path(home: Path) -> Path:
    path = socket_path(home)
    if path.parent != home.absolute():
        private_folder(path.parent)
    path.unlink(missing_ok=True)
    return path


async def _serve_connection(stream: trio.SocketStream, methods: Mapping[str, Method]) -> None:
    async with stream:
        buffer = bytearray()
        with contextlib.suppress(trio.BrokenResourceError, trio.TooSlowError):
            while (line := await _read_line(stream, buffer)) is not None:
                await stream.send_all(await _answer(line, methods))


async def _read_line(stream: trio.SocketStream, buffer: bytearray) -> bytes | None:
    """The next line without its end, or None when the other side is done or sends too long a line."""
    with trio.fail_after(IDLE_SECONDS):
        while (end := buffer.find(b"\n")) < 0:
            data = await stream.receive_some(64 << 10)
            if not data or len(buffer) + len(data) > MAX_LINE_BYTES:
                return None
            buffer += data
    line = bytes(buffer[:end])
    del buffer[: end + 1]
    return line


async def _answer(line: bytes, methods: Mapping[str, Method]) -> bytes:
    try:
        request = json.loads(line)
        name, params = request["method"], request.get("params", {})
        if not isinstance(name, str) or not isinstance(params, dict):
            raise TypeError
    except (ValueError, TypeError, KeyError, AttributeError):
        return _line({"error": {"reason": "not a request", "todo": "use the same quorate on both sides"}})
    method = methods.get(name)
    if method is None:
        known = ", ".join(sorted(methods))
        return _line({"error": {"reason": f"unknown method; known are {known}", "todo": "upgrade the node"}})
    try:
        return _line({"result": await method(params)})
    except QuorateNodeError as error:
        return _line({"error": {"reason": str(error), "todo": error.todo}})
    except Exception:
        _log.exception("a control method failed", method=name)
        return _line({"error": {"reason": "the node failed on it", "todo": "read the node's log"}})


def _line(reply: Mapping[str, object]) -> bytes:
    return json.dumps(reply, separators=(",", ":")).encode() + b"\n"


def ask(
    home: Path, method: str, params: Mapping[str, object] | None = None, *, timeout_s: float = REPLY_SECONDS
) -> object:
    """The result of `method` from the daemon of `home`; blocks. NodeNotRunning, ControlRefused or ControlError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_s)
        try:
            _connect(connection, home, timeout_s)
            connection.sendall(_line({"method": method, "params": dict(params or {})}))
            data = _receive_line(connection)
        except TimeoutError:
            raise ControlError(
                f"the node on {home} did not answer {method!r} within {timeout_s:g} s",
                why="it is overloaded or stuck",
                todo="read its log, and restart it if it stays so",
            ) from None
        except OSError as error:
            raise ControlError(
                f"the connection to the node on {home} broke", why=error.strerror or "", todo="try again"
            ) from error
    return _result(data, method, home)


async def ask_async(
    home: Path, method: str, params: Mapping[str, object] | None = None, *, timeout_s: float = REPLY_SECONDS
) -> object:
    """`ask` in a thread, for trio; it ends within `timeout_s` a step."""
    return await trio.to_thread.run_sync(lambda: ask(home, method, params, timeout_s=timeout_s))


def _connect(connection: socket.socket, home: Path, timeout_s: float) -> None:
    """Connect, waiting while the queue of the socket is full: for unix sockets that is an error, not a wait."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            connection.connect(str(socket_path(home)))
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise TimeoutError from None
            time.sleep(CONNECT_POLL_SECONDS)
        except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
            raise NodeNotRunning(home) from None
        else:
            return


def _receive_line(connection: socket.socket) -> bytes:
    buffer = bytearray()
    while not buffer.endswith(b"\n"):
        data = connection.recv(64 << 10)
        if not data or len(buffer) + len(data) > MAX_LINE_BYTES:
            break
        buffer += data
    return bytes(buffer)


def _result(data: bytes, method: str, home: Path) -> object:
    try:
        reply = json.loads(data)
        if "error" in reply:
            raise ControlRefused(method, str(reply["error"]["reason"]), todo=str(reply["error"]["todo"]))
        return reply["result"]
    except (ValueError, TypeError, KeyError):
        raise ControlError(
            f"the node on {home} gave no answer to {method!r}",
            why="the connection ended, or what came is not a reply",
            todo="use the same quorate on both sides, and read the node's log",
        ) from None
