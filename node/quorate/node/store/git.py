"""Running git on repositories that we do not trust.

No configuration of the system or the user is read, no hook runs, nothing prompts, only file and https transports
are allowed, every object is checked (fsckObjects), and time, output and disk are bounded. The process has a
session of its own, so that what it started dies with it.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from typing import Any, Final

import trio

from quorate.node.errors import MissingPart

from .errors import GitFailed, GitTimeout, GitTooLarge

MAX_OUTPUT_BYTES: Final = 64 << 20
"""The most that one git command may print."""
MAX_ERROR_BYTES: Final = 8 << 10
"""How much of what git says about an error is kept."""
TIMEOUT_S: Final = 60.0
"""How long one git command may take."""
_WATCH_INTERVAL_S: Final = 0.1

_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "credential.helper=",
    "fetch.fsckObjects=true",
    "fetch.unpackLimit=1",
    "gc.auto=0",
    "http.followRedirects=false",
    "init.defaultBranch=main",
    "maintenance.auto=false",
    "protocol.version=2",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
)
_ENVIRONMENT: Final = {
    "GIT_ALLOW_PROTOCOL": "file:https",
    "GIT_ASKPASS": "true",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_INHERITED: Final = ("PATH", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "https_proxy", "HTTPS_PROXY", "no_proxy")


@dataclass(frozen=True, slots=True)
class Growth:
    """A folder that a command may fill up to `most_bytes`."""

    folder: Path
    most_bytes: int


@dataclass(slots=True)
class _Output:
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    status: int = 0
    too_large: int | None = None


def environment() -> dict[str, str]:
    """The whole environment in which git runs."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {**inherited, **_ENVIRONMENT, "HOME": os.devnull}


async def run_git(
    repository: Path | None,
    *arguments: str,
    stdin: bytes = b"",
    growth: Growth | None = None,
    timeout_s: float = TIMEOUT_S,
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """What git prints for `arguments` in the bare `repository`.

    Raises GitFailed, GitTimeout, GitTooLarge, or MissingPart when there is no git.
    """
    executable = shutil.which("git")
    if executable is None:
        raise MissingPart("git", todo="install git 2.30 or later, and see that it is on the PATH")
    command = [executable, *(part for setting in _SETTINGS for part in ("-c", setting))]
    if repository is not None:
        command.append(f"--git-dir={repository}")
    output = _Output()
    with trio.move_on_after(timeout_s) as scope:
        await _run([*command, *arguments], stdin, output, growth, {**environment(), **(variables or {})})
    if scope.cancelled_caught:
        raise GitTimeout(arguments[0], seconds=timeout_s)
    if output.too_large is not None:
        raise GitTooLarge(arguments[0], most_bytes=output.too_large)
    if output.status != 0:
        raise GitFailed(arguments[0], status=output.status, reason=_printable(bytes(output.stderr)))
    return bytes(output.stdout)


def folder_bytes(folder: Path) -> int:
    """The bytes of all files under `folder`; files that vanish meanwhile count nothing."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.lstat(os.path.join(parent, name)).st_size
    return total


async def _run(
    command: list[str], stdin: bytes, output: _Output, growth: Growth | None, variables: dict[str, str]
) -> None:
    async with trio.open_nursery() as watchers, trio.open_nursery() as readers:

        def stop(most_bytes: int) -> None:
            output.too_large = most_bytes
            watchers.cancel_scope.cancel()

        process: trio.Process = await watchers.start(_git, command, variables)
        assert process.stdin is not None  # all three are pipes, as asked
        assert process.stdout is not None
        assert process.stderr is not None
        readers.start_soon(_feed, process.stdin, stdin)
        readers.start_soon(_read, process.stdout, output.stdout, stop)
        readers.start_soon(_read_start, process.stderr, output.stderr)
        if growth is not None:
            watchers.start_soon(_watch, growth, process, stop)
        output.status = await process.wait()


async def _git(
    command: list[str],
    variables: dict[str, str],
    task_status: Any,  # Any: the stubs of trio disagree on whether it exports this type
) -> None:
    await trio.run_process(
        command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        check=False,
        env=variables,
        start_new_session=True,
        deliver_cancel=_kill_session,
        task_status=task_status,
    )


async def _kill_session(process: trio.Process) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _feed(stream: trio.abc.SendStream, data: bytes) -> None:
    async with stream:
        with suppress(trio.BrokenResourceError):  # git may end before it has read everything; its status says why
            await stream.send_all(data)


async def _read(stream: trio.abc.ReceiveStream, into: bytearray, stop: Callable[[int], None]) -> None:
    async with stream:
        while data := await stream.receive_some(1 << 16):
            into += data
            if len(into) > MAX_OUTPUT_BYTES:
                stop(MAX_OUTPUT_BYTES)
                return


async def _read_start(stream: trio.abc.ReceiveStream, into: bytearray) -> None:
    async with stream:
        while data := await stream.receive_some(1 << 16):
            into += data[: MAX_ERROR_BYTES - len(into)]


async def _watch(growth: Growth, process: trio.Process, stop: Callable[[int], None]) -> None:
    while process.returncode is None:
        if await trio.to_thread.run_sync(folder_bytes, growth.folder) > growth.most_bytes:
            stop(growth.most_bytes)
            return
        await trio.sleep(_WATCH_INTERVAL_S)


def _printable(data: bytes) -> str:
    """The last lines that git printed, as one line without control characters."""
    text = " ".join(data.decode("utf-8", "replace").split())
    return "".join(character for character in text if character.isprintable())[-500:] or "it said nothing"
