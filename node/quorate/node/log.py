"""Logs: JSON lines (or readable ones on a terminal) with bound context, from which no secret comes out.

Redaction is by name and by type. A value under a name that speaks of a secret is masked, whatever it is. Bytes of
32 and more are masked under any name. A value of a type that is not known to be harmless is shown as its class
name only, so that an array of shares or a key object cannot slip through its repr. Of an http URL in a text only
the host is kept, since providers put keys into the rest.
"""

from __future__ import annotations

import contextlib
import enum
import logging
import os
import re
import sys
import threading
import types
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from .config import LogConfig

MASKED: Final = "<masked>"
MAX_TEXT_CHARACTERS: Final = 4096
"""The longest string in a log line; longer ones are cut."""
MAX_ITEMS: Final = 64
MAX_DEPTH: Final = 6
MAX_LOG_BYTES: Final = 64 << 20
"""A log file that reaches this size becomes FILE.1, replacing the one before."""
SECRET_BYTES: Final = 32
"""Bytes of this length and more are masked: keys, shares and masks are never shorter."""
_SECRET_NAME: Final = re.compile(
    r"secret|key|share|mask|passphrase|password|input|mnemonic|credential|authorization|(^|_)url$", re.IGNORECASE
)
PUBLIC_NAMES: Final = frozenset(
    {"peer_key", "public_key", "verifying_key", "encryption_key", "shares_count", "inputs_count", "masks_count"}
)
"""Names that look secret and are not."""
_HTTP_URL: Final = re.compile(r"(https?://)(?:[^/\s@'\"]*@)?([^/\s'\"?#]+)[/?#][^\s'\"]*")
_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}
_CONTEXT_NAMES: Final = frozenset({"event", "level", "timestamp", "component"})


def configure_logging(config: LogConfig, *, stream: TextIO | None = None) -> None:
    """Send the logs of this process, and the warnings of libraries, where `config` says.

    `stream` (standard error by default) is used when `config.file` is None. Call it once, before the first line.
    """
    target = LogFile(config.file) if config.file is not None else stream or _StandardError()
    _configure(config, target)
    _adopt_library_logs()


def _configure(config: LogConfig, target: TextIO | LogFile | _StandardError) -> None:
    console = config.format == "console" or (config.format == "auto" and target.isatty())
    renderer: Any = (  # Any: structlog's renderers share no type
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(default=_class_name, sort_keys=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _format_exception,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[config.level]),
        logger_factory=structlog.WriteLoggerFactory(file=target),  # type: ignore[arg-type]  # it writes and flushes only
        cache_logger_on_first_use=False,
    )


def get_logger(name: str, **context: object) -> FilteringBoundLogger:
    """A logger that adds `component=name` and `context` to every line.

    Before `configure_logging` it writes warnings to standard error, redacted too: structlog's own default would
    print the local variables of every frame of an exception.
    """
    if not structlog.is_configured():
        _configure(LogConfig(level="warning"), _StandardError())
    logger: FilteringBoundLogger = structlog.get_logger(component=name, **context)
    return logger


def log_context(**context: object) -> contextlib.AbstractContextManager[None]:
    """Bind `context` (node, peer, session, party) to every line of this task and of the tasks it starts."""
    return _bound(context)


@contextlib.contextmanager
def _bound(context: Mapping[str, object]) -> Iterator[None]:
    tokens = structlog.contextvars.bind_contextvars(**context)
    try:
        yield
    finally:
        structlog.contextvars.reset_contextvars(**tokens)


def redact(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The structlog processor that masks secrets in `event`, in place."""
    for name in list(event):
        event[name] = _redacted(name, event[name], 0)
    return event


def _redacted(name: str, value: object, depth: int) -> object:
    if name not in PUBLIC_NAMES and name not in _CONTEXT_NAMES and _SECRET_NAME.search(name):
        return value if isinstance(value, bool | None) else MASKED
    return _harmless(value, depth)


def _harmless(value: object, depth: int) -> object:
    if value is None or (isinstance(value, bool | int | float) and not isinstance(value, enum.Enum)):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        size = len(bytes(value))
        return f"<{size} bytes>" if size >= SECRET_BYTES else bytes(value).hex()
    if isinstance(value, enum.Enum):
        return value.name.lower()
    if isinstance(value, str | Path | BaseException):
        return _cut(str(value) if not isinstance(value, BaseException) else _describe(value))
    if depth >= MAX_DEPTH:
        return _class_name(value)
    if isinstance(value, Mapping):
        items = list(value.items())[:MAX_ITEMS]
        return {str(key): _redacted(str(key), entry, depth + 1) for key, entry in items}
    if isinstance(value, list | tuple | set | frozenset):
        return [_harmless(entry, depth + 1) for entry in list(value)[:MAX_ITEMS]]
    return _class_name(value)


def _class_name(value: object) -> str:
    return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    text = _HTTP_URL.sub(r"\1\2/...", text[: MAX_TEXT_CHARACTERS + 1])
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[:MAX_TEXT_CHARACTERS] + "..."


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _format_exception(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace exc_info by the frames' places and the error's text: no locals, no source lines."""
    given = event.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        event["error"] = _describe(error)
        event["frames"] = [f"{Path(frame.f_code.co_filename).name}:{line}" for frame, line in _frames(error)]
    return event


def _frames(error: BaseException) -> Iterator[tuple[types.FrameType, int]]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame, trace.tb_lineno
        trace = trace.tb_next


class _StandardError:
    """Whatever sys.stderr is when a line is written."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    def isatty(self) -> bool:
        return sys.stderr.isatty()


class LogFile:
    """A text file that is appended to line by line, turned over at MAX_LOG_BYTES, and never stops its writer.

    A line that cannot be written (a full disk) is dropped and counted; the count is written once there is room.
    """

    def __init__(self, path: Path, *, most_bytes: int = MAX_LOG_BYTES) -> None:
        self.path = path
        self.dropped = 0
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._descriptor = self._open()

    def write(self, text: str) -> int:
        """Append `text`."""
        with self._lock:
            try:
                if os.fstat(self._descriptor).st_size >= self._most_bytes:
                    self._turn_over()
                if self.dropped:
                    self._append(f'{{"event": "log lines were dropped", "count": {self.dropped}}}\n')
                    self.dropped = 0
                self._append(text)
            except OSError:
                self.dropped += 1
        return len(text)

    def flush(self) -> None:
        """Every write reaches the kernel at once: nothing to do."""

    def isatty(self) -> bool:
        """Never."""
        return False

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _open(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def _append(self, text: str) -> None:
        data = memoryview(text.encode(errors="backslashreplace"))
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _turn_over(self) -> None:
        os.replace(self.path, self.path.with_name(self.path.name + ".1"))
        fresh = self._open()
        os.close(self._descriptor)
        self._descriptor = fresh


class _LibraryHandler(logging.Handler):
    """Passes the warnings of libraries that use the standard library's logging to ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = min(max(record.levelno // 10 * 10, logging.WARNING), logging.ERROR)
            get_logger(record.name).log(level, _cut(record.getMessage()), exc_info=record.exc_info)
        except Exception:
            self.handleError(record)


def _adopt_library_logs() -> None:
    """Libraries log from WARNING only: below it, HTTP clients log URLs, which may hold a provider's key."""
    root = logging.getLogger()
    root.handlers[:] = [_LibraryHandler()]
    root.setLevel(logging.WARNING)
