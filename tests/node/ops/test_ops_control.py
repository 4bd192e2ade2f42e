"""The control socket."""

import contextlib
import json
import socket
import stat

import pytest
import trio

from quorate.node.control import MAX_LINE_BYTES, ask, ask_async, serve_control, socket_path
from quorate.node.errors import ControlError, ControlRefused, InsecurePermissions, NodeNotRunning, UsageError


async def echo(params):
    return {"echo": params}


async def refuse(params):
    raise UsageError("not now", todo="later")


async def fail(params):
    raise RuntimeError("secret-inside")


METHODS = {"echo": echo, "refuse": refuse, "fail": fail}


@pytest.fixture
async def home(tmp_path, nursery):
    # pytest's folders may be too deep for a socket; that case has a test of its own
    await nursery.start(lambda task_status: serve_control(tmp_path, METHODS, task_status=task_status))
    return tmp_path


async def test_a_method_answers(home):
    assert await ask_async(home, "echo", {"a": [1, None]}) == {"echo": {"a": [1, None]}}
    assert await ask_async(home, "echo") == {"echo": {}}


async def test_many_ask_at_once(home):
    async with trio.open_nursery() as nursery:
        for number in range(40):
            nursery.start_soon(ask_async, home, "echo", {"n": number})


@pytest.mark.parametrize(
    ("method", "words"),
    [("none", "known are echo, fail, refuse"), ("refuse", "not now"), ("fail", "failed on it")],
)
async def test_what_is_refused_says_why(home, method, words, capsys):
    with pytest.raises(ControlRefused) as caught:
        await ask_async(home, method)
    assert words in caught.value.why
    assert "secret-inside" not in caught.value.why
    assert caught.value.todo


async def test_only_the_owner_can_connect(home):
    assert stat.S_IMODE(socket_path(home).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "data", [b"\xff\n", b"[]\n", b"{}\n", b'{"method": 3}\n', b'{"method": "echo", "params": 1}\n', b"\n"]
)
async def test_what_is_no_request_is_answered_so(home, data):
    assert "not a request" in (await raw(home, data))["error"]["reason"]


async def raw(home, data):
    stream = await trio.open_unix_socket(str(socket_path(home)))
    async with stream:
        await stream.send_all(data)
        return json.loads(await stream.receive_some(65536))


async def test_a_line_without_end_is_cut(home):
    stream = await trio.open_unix_socket(str(socket_path(home)))
    async with stream:
        with contextlib.suppress(trio.BrokenResourceError):
            await stream.send_all(b"x" * 2 * MAX_LINE_BYTES)
        with contextlib.suppress(trio.BrokenResourceError):
            assert await stream.receive_some(1) == b""
    assert await ask_async(home, "echo") == {"echo": {}}


async def test_several_requests_on_one_connection(home):
    stream = await trio.open_unix_socket(str(socket_path(home)))
    async with stream:
        await stream.send_all(b'{"method":"echo"}\n{"method":"none"}\n{"method":"echo"}\n')
        received = b""
        while received.count(b"\n") < 3:
            received += await stream.receive_some(65536)
    assert ["result" in json.loads(line) for line in received.splitlines()] == [True, False, True]


async def test_a_deep_home_gets_a_short_socket(tmp_path, nursery):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    path = await nursery.start(lambda task_status: serve_control(deep, METHODS, task_status=task_status))
    assert path.parent != deep
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert await ask_async(deep, "echo") == {"echo": {}}


async def test_an_open_socket_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("quorate.node.control.tempfile.gettempdir", lambda: str(tmp_path))
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    socket_path(deep).parent.mkdir(mode=0o755)
    socket_path(deep).parent.chmod(0o755)
    with pytest.raises(InsecurePermissions):
        await serve_control(deep, METHODS)


async def test_the_socket_goes_with_the_server_and_a_stale_one_is_replaced(tmp_path):
    for _ in range(2):
        async with trio.open_nursery() as nursery:
            await nursery.start(lambda task_status: serve_control(tmp_path, METHODS, task_status=task_status))
            assert await ask_async(tmp_path, "echo") == {"echo": {}}
            nursery.cancel_scope.cancel()
        assert not socket_path(tmp_path).exists()
        left = socket.socket(socket.AF_UNIX)
        left.bind(str(socket_path(tmp_path)))
        left.close()
        with pytest.raises(NodeNotRunning):
            ask(tmp_path, "echo")


def test_without_a_node(tmp_path):
    with pytest.raises(NodeNotRunning) as caught:
        ask(tmp_path, "echo")
    assert "quorate node run" in caught.value.todo
    with pytest.raises(NodeNotRunning):
        ask(tmp_path / "absent" / "home", "echo")


async def test_a_node_that_hangs_is_not_waited_for(tmp_path, nursery):
    async def hang(params):
        await trio.sleep_forever()

    await nursery.start(lambda task_status: serve_control(tmp_path, {"hang": hang}, task_status=task_status))
    with pytest.raises(ControlError, match="did not answer"):
        await ask_async(tmp_path, "hang", timeout_s=0.2)
    nursery.cancel_scope.cancel()
