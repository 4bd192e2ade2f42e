"""A process on a leash: it ends when the process that holds the other end of its standard input is gone.

The supervisor of a local network gives each child a pipe as standard input and keeps the other end. However the
supervisor dies, the kernel closes that end, the child reads the end of the file, and stops. A thread does the
reading, so that a child whose event loop hangs is stopped too.

`python -m quorate.node.leash -- COMMAND...` puts a program that knows nothing of this on a leash.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Final

GRACE_SECONDS: Final = 10.0
"""How long a process has to stop by itself before it is killed."""


def hold_leash(*, grace_seconds: float = GRACE_SECONDS) -> None:
    """Send this process SIGTERM when its standard input ends, and SIGKILL `grace_seconds` later."""

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace_seconds)
        os.kill(os.getpid(), signal.SIGKILL)

    _when_input_ends(stop)


def _when_input_ends(stop: Callable[[], None]) -> None:
    def watch() -> None:
        try:
            while os.read(0, 4096):
                pass
        except OSError:
            pass  # no standard input at all: nobody holds the leash
        stop()

    threading.Thread(target=watch, name="leash", daemon=True).start()


def main(arguments: list[str]) -> int:
    """Run `arguments` as a child in a process group of its own until it ends or standard input does."""
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    child = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # its purpose

    def stop(*_: object) -> None:
        threading.Thread(target=_stop_group, args=(child,), daemon=True).start()

    _when_input_ends(stop)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    status = child.wait()
    _signal_group(child.pid, signal.SIGKILL)  # what it left behind
    return status if status >= 0 else 128 - status


def _stop_group(child: subprocess.Popen[bytes]) -> None:
    _signal_group(child.pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    _signal_group(child.pid, signal.SIGKILL)


def _signal_group(leader: int, number: signal.Signals) -> None:
    # All of them may be gone; macOS answers EPERM for a group of zombies.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
