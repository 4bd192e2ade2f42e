"""Logs: what comes out, and what never does."""

import io
import json
import logging

import numpy as np
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from quorate.node.config import LogConfig
from quorate.node.keys import ChainKey, EncryptionKey, MeshKey, Secret
from quorate.node.log import LogFile, configure_logging, get_logger, log_context, redact

CANARY = "canary-5f1c"
CANARY_BYTES = b"canary-5f1c" * 3


@pytest.fixture
def lines(monkeypatch):
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers[:], logging.getLogger().level
    stream = io.StringIO()
    configure_logging(LogConfig(format="json", level="debug"), stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:], root.level = handlers, level


def test_a_line_has_its_context(lines):
    log = get_logger("daemon", node="node1")
    with log_context(peer="12D3", session="ab", party=3):
        log.info("round done", round=7)
    log.debug("after")
    first, second = lines()
    assert first | {"timestamp": ""} == {
        "component": "daemon", "node": "node1", "peer": "12D3", "session": "ab", "party": 3,
        "event": "round done", "round": 7, "level": "info", "timestamp": "",
    }  # fmt: skip
    assert "party" not in second


@pytest.mark.parametrize(
    "name",
    [
        "secret", "private_key", "chain_key", "keys", "share", "my_shares", "mask", "input_mask", "passphrase",
        "PASSPHRASE", "input", "inputs", "masked_input", "password", "chain_url", "url", "mnemonic", "Authorization",
    ],
)  # fmt: skip
def test_values_under_names_of_secrets_are_masked(lines, name):
    log = get_logger("x")
    log.info("a", **{name: CANARY})
    log.info("b", **{name: {"inner": CANARY}})
    log.info("c", outer={"deep": [{name: [CANARY]}]})
    assert CANARY not in json.dumps(lines())


@pytest.mark.parametrize(
    "value",
    [
        CANARY_BYTES,
        bytearray(CANARY_BYTES),
        memoryview(CANARY_BYTES),
        [CANARY_BYTES],
        {"a": {"b": (CANARY_BYTES,)}},
        Secret(CANARY.encode()),
        type("Holder", (), {"__repr__": lambda self: CANARY})(),
        {CANARY_BYTES.hex() and "ok": type("Holder", (), {"__str__": lambda self: CANARY})()},
    ],
)
def test_values_that_may_hold_secrets_are_masked_under_any_name(lines, value):
    get_logger("x").info("event", harmless=value)
    assert CANARY not in json.dumps(lines())
    assert CANARY_BYTES.hex() not in json.dumps(lines())


@pytest.mark.parametrize(
    "key", [MeshKey(Secret(b"\x05" * 32)), ChainKey(Secret(b"\x05" * 32)), EncryptionKey(Secret(b"\x05" * 32))]
)
def test_keys_and_arrays_show_their_class_only(lines, key):
    get_logger("x").info("event", a=key, b=np.full((2, 4), 0xDEAD, dtype=np.uint64))
    assert lines()[0]["b"] == "<ndarray>"
    assert lines()[0]["a"] == f"<{type(key).__name__}>"


def test_short_bytes_and_public_names_are_shown(lines):
    get_logger("x").info("event", digest=b"\x01\x02", peer_key="ab", shares_count=4, mask=None, with_inputs=True)
    (line,) = lines()
    assert (line["digest"], line["peer_key"], line["shares_count"], line["mask"]) == ("0102", "ab", 4, None)
    assert line["with_inputs"] is True


def test_an_exception_shows_no_locals_and_no_provider_key(lines):
    def failing():
        local = CANARY
        raise ValueError(f"for url 'https://user:{local[:3]}pw@host.example:8545/v2/PROVIDERKEY?k=1'")

    try:
        failing()
    except ValueError:
        get_logger("x").exception("it failed")
    (line,) = lines()
    assert line["error"] == "ValueError: for url 'https://host.example:8545/...'"
    assert [frame.split(":")[0] for frame in line["frames"]] == ["test_ops_log.py"] * 2
    assert CANARY not in json.dumps(line)


def test_libraries_are_heard_from_warning_only(lines):
    logging.getLogger("httpx").info("GET http://host/v2/%s", CANARY)
    logging.getLogger("some.library").warning("peer %s is odd", "12D3")
    (line,) = lines()
    assert (line["component"], line["event"], line["level"]) == ("some.library", "peer 12D3 is odd", "warning")


def test_nothing_below_the_level_is_written(lines):
    stream = io.StringIO()
    configure_logging(LogConfig(format="json", level="warning"), stream=stream)
    get_logger("x").info("no")
    get_logger("x").warning("yes")
    assert json.loads(stream.getvalue())["event"] == "yes"


def test_the_console_is_redacted_too(lines):
    stream = io.StringIO()
    configure_logging(LogConfig(format="console"), stream=stream)
    try:
        raise ValueError("x")
    except ValueError:
        local = CANARY
        get_logger("x").exception("event", secret=local)
    assert "event" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_before_it_is_configured_it_redacts_too(capsys):
    structlog.reset_defaults()
    log = get_logger("x")
    try:
        local = CANARY
        raise ValueError("x" + local[:0])
    except ValueError:
        log.exception("event", passphrase=local)
    finally:
        structlog.reset_defaults()
    printed = capsys.readouterr().err
    assert "event" in printed
    assert CANARY not in printed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=64),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["a", "share", "nested", "blob", "event"]), json_values, max_size=5))
def test_whatever_is_logged_is_json_and_never_holds_long_bytes(event):
    result = redact(None, "info", dict(event))
    json.dumps(result)

    def walk(value):
        if isinstance(value, dict):
            for entry in value.values():
                yield from walk(entry)
        elif isinstance(value, list):
            for entry in value:
                yield from walk(entry)
        else:
            yield value

    assert not any(isinstance(value, bytes) for value in walk(result))
    if "share" in event and not isinstance(event["share"], bool | None):
        assert result["share"] == "<masked>"


def test_a_log_file_is_private_and_turned_over(tmp_path):
    file = LogFile(tmp_path / "node.log", most_bytes=100)
    for number in range(30):
        file.write(f"line {number:04d} \n")
    file.close()
    assert (tmp_path / "node.log").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "node.log").stat().st_size < 120
    assert (tmp_path / "node.log.1").stat().st_size < 120
    assert "line 0029" in (tmp_path / "node.log").read_text()


def test_a_full_disk_does_not_stop_the_writer(tmp_path, monkeypatch):
    file = LogFile(tmp_path / "node.log")
    real = file._append

    def full(text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(file, "_append", full)
    file.write("lost\n")
    file.write("lost\n")
    monkeypatch.setattr(file, "_append", real)
    file.write("kept\n")
    first, second = (tmp_path / "node.log").read_text().splitlines()
    assert json.loads(first) == {"event": "log lines were dropped", "count": 2}
    assert second == "kept"
    file.close()
