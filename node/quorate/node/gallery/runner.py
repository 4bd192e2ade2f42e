"""Programs on worker processes: a program that takes too long ends with its worker, and another one takes over.

Workers are fed one program at a time and speak JSON over a pipe. What a program does is bounded by the VM; the
process bounds the time, and keeps a crash of the machine from ending the gallery.
"""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import multiprocessing.connection
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Final

from quorate.node.errors import QuorateNodeError, UsageError

from .report import Outcome, Report, Status
from .trial import Trial, judge

MAX_JOBS: Final = 64
"""The most workers at once."""
MAX_MESSAGE_BYTES: Final = 1 << 16
START_S: Final = 300.0
"""How long a worker may take to load, which includes compiling the kernels on a new machine."""
END_S: Final = 5.0
"""How long a killed worker may take to disappear."""


def run_gallery(
    folder: Path,
    programs: Sequence[Path],
    trial: Trial,
    *,
    jobs: int = 1,
    timeout_s: float = 120.0,
    progress: Callable[[Outcome], None] = lambda _: None,
) -> Report:
    """Try `programs`, which lie in `folder`, on `jobs` processes; raises UsageError, and if no worker starts.

    A program that is not done after `timeout_s` has failed.
    """
    if not 1 <= jobs <= MAX_JOBS or not 0 < timeout_s < float("inf"):
        raise UsageError(
            "the gallery cannot be run like this",
            why=f"it takes 1 to {MAX_JOBS} jobs and a positive timeout",
            todo="change --jobs or --timeout",
        )
    waiting = deque(programs)
    outcomes: dict[Path, Outcome] = {}
    workers = [_Worker(trial, timeout_s) for _ in range(min(jobs, len(programs)))]
    try:
        while len(outcomes) < len(programs):
            for worker in workers:
                outcome = worker.advance(waiting)
                if outcome is not None:
                    shown = dataclasses.replace(outcome, path=outcome.path.relative_to(folder))
                    outcomes[outcome.path] = shown
                    progress(shown)
            _wait(workers)
    finally:
        for worker in workers:
            worker.end()
    return Report([outcomes[path] for path in programs])


def _wait(workers: Sequence[_Worker]) -> None:
    busy = [worker for worker in workers if worker.deadline is not None]
    if busy:
        soonest = min(worker.deadline for worker in busy if worker.deadline is not None)
        connections = [worker.connection for worker in busy]
        multiprocessing.connection.wait(connections, timeout=max(0.0, soonest - monotonic()))


class _Worker:
    """One process, which is loading, trying a program, or idle; `deadline` is None when it is idle."""

    def __init__(self, trial: Trial, timeout_s: float) -> None:
        self._trial = trial
        self._timeout_s = timeout_s
        self._path: Path | None = None
        self._started = 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would copy the threads of the kernels
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=serve, args=(theirs, self._trial), daemon=True)
        self._process.start()
        theirs.close()
        self._path = None
        self.deadline: float | None = monotonic() + START_S

    def end(self) -> None:
        """Kill the process."""
        self.connection.close()
        self._process.kill()
        self._process.join(END_S)

    def advance(self, waiting: deque[Path]) -> Outcome | None:
        """Take what the process has to say, and give it the next program when it is idle."""
        outcome: Outcome | None = None
        if self.deadline is not None:
            if self.connection.poll():
                outcome = self._receive()
            elif monotonic() >= self.deadline:
                outcome = self._give_up(f"not done after {self._timeout_s:g} s")
        if self.deadline is None and waiting:
            self._path = waiting.popleft()
            self._started = monotonic()
            self.deadline = self._started + self._timeout_s
            self.connection.send_bytes(json.dumps({"path": str(self._path)}).encode())
        return outcome

    def _receive(self) -> Outcome | None:
        try:
            answer = json.loads(self.connection.recv_bytes(MAX_MESSAGE_BYTES))
        except (EOFError, OSError):
            return self._give_up("the process that ran it ended")
        self.deadline = None
        if self._path is None:
            return None  # it has loaded
        return self._outcome(Status(answer["status"]), answer["error"])

    def _give_up(self, reason: str) -> Outcome:
        if self._path is None:
            raise QuorateNodeError(
                "a worker of the gallery did not start", why=reason, todo="run: quorate warm, and try again"
            )
        outcome = self._outcome(Status.FAILED, reason)
        self.end()
        self._start()
        return outcome

    def _outcome(self, status: Status, error: str) -> Outcome:
        assert self._path is not None  # only asked while a program runs
        return Outcome(self._path, status, monotonic() - self._started, error)


def serve(connection: Connection, trial: Trial) -> None:
    """The work of a worker process: load the kernels, then judge program after program until the pipe closes."""
    if trial.engine == "mpc":
        from quorate.protocol.field.warm import warm

        warm(lambda done, total, name: None)
    connection.send_bytes(b"{}")
    while True:
        try:
            job = json.loads(connection.recv_bytes(MAX_MESSAGE_BYTES))
        except (EOFError, OSError):
            return
        status, error = _judged(Path(job["path"]), trial)
        connection.send_bytes(json.dumps({"status": str(status), "error": error}).encode())


def _judged(path: Path, trial: Trial) -> tuple[Status, str]:
    """How a program ends; an exception that nobody raises on purpose is a failure of it, and said to be our bug."""
    try:
        return judge(path, trial)
    except Exception as error:  # the gallery goes on with the next program
        return Status.FAILED, f"a bug in quorate: {type(error).__name__}: {str(error)[:500]}"
