"""Run all parties of a committee in one process, as fast as they go: for tests and tools.

Time stands still while anybody can go on; when nobody can, it jumps to the next deadline.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from quorate.protocol.errors import QuorateProtocolError
from quorate.protocol.sharing import PartyId

from .mailbox import Mailbox, sends
from .party import Effect, Protocol

Output = TypeVar("Output")


class Deadlock(QuorateProtocolError):
    """No party can go on; `waiting` says for whom each waits."""

    def __init__(self, waiting: Mapping[PartyId, Sequence[PartyId]]) -> None:
        self.waiting = dict(waiting)
        detail = "; ".join(f"party {party} for {', '.join(map(str, peers))}" for party, peers in waiting.items())
        super().__init__(f"every party waits for a message that nobody sends: {detail}")


class _Ended:
    """A protocol has returned."""


@dataclass(slots=True)
class _Runner(Generic[Output]):
    """One party's protocol, the messages that wait for it, since when and until when it waits, if not for ever."""

    protocol: Protocol[Output]
    box: Mailbox = field(default_factory=Mailbox)
    started: bool = False
    since_ms: int = 0
    until_ms: int | None = None
    finished: bool = False
    result: Output | None = None

    def resume(self, now_ms: int) -> Effect | _Ended | None:
        """Go on to the next effect or the end, if the replies to the last are there; None if not."""
        replies = self.box.take(late=self.until_ms is not None and now_ms >= self.until_ms)
        if replies is None:
            return None
        try:
            effect = self.protocol.send(replies) if self.started else next(self.protocol)
        except StopIteration as stop:
            self.finished, self.result = True, stop.value
            return _Ended()
        self.started = True
        if self.box.is_new(effect):
            self.since_ms = now_ms
        self.until_ms = None if effect.deadline_ms is None else self.since_ms + effect.deadline_ms
        self.box.want(effect)
        return effect


def run_local(protocols: Sequence[Protocol[Output]]) -> list[Output]:
    """Run the protocols of parties 1..n to their end and return their results, in order.

    A party that has ended is gone for the others. Raises what a protocol raises, after closing the others, and
    Deadlock when they wait for one another.
    """
    runners = {PartyId(index): _Runner(protocol) for index, protocol in enumerate(protocols, start=1)}
    now_ms = 0
    try:
        while any(not runner.finished for runner in runners.values()):
            moved = [_step(party, runners, now_ms) for party in runners]
            if not any(moved):
                now_ms = _next_deadline(runners, now_ms)
    finally:
        for runner in runners.values():
            runner.protocol.close()
    return [runner.result for runner in runners.values()]  # type: ignore[misc]  # all have finished


def _step(party: PartyId, runners: Mapping[PartyId, _Runner[Output]], now_ms: int) -> bool:
    """Resume one party if it can go on; whether it could."""
    runner = runners[party]
    effect = None if runner.finished else runner.resume(now_ms)
    if effect is None:
        return False
    if isinstance(effect, _Ended):
        for other in runners.values():
            other.box.close(party)
        return True
    for receiver, message, phase in sends(effect):
        runners[receiver].box.put(party, message, phase=phase)
    return True


def _next_deadline(runners: Mapping[PartyId, _Runner[Output]], now_ms: int) -> int:
    """The time of the next deadline, when nobody can go on before it."""
    waiting = {party: runner for party, runner in runners.items() if not runner.finished}
    deadlines = [runner.until_ms for runner in waiting.values() if runner.until_ms is not None]
    later = [deadline for deadline in deadlines if deadline > now_ms]
    if not later:
        raise Deadlock({party: runner.box.missing() for party, runner in waiting.items()})
    return min(later)
