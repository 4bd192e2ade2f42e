"""Run all parties of a committee in one process, as fast as they go: for tests and tools."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from quorate.protocol.errors import QuorateProtocolError
from quorate.protocol.sharing import PartyId

from .party import Exchange, Protocol

Output = TypeVar("Output")


class Deadlock(QuorateProtocolError):
    """No party can go on; `waiting` says for whom each waits."""

    def __init__(self, waiting: Mapping[PartyId, Sequence[PartyId]]) -> None:
        self.waiting = dict(waiting)
        detail = "; ".join(f"party {party} for {', '.join(map(str, peers))}" for party, peers in waiting.items())
        super().__init__(f"every party waits for a message that nobody sends: {detail}")


@dataclass(slots=True)
class _Runner(Generic[Output]):
    """One party's protocol and the messages that wait for it."""

    protocol: Protocol[Output]
    inbox: dict[PartyId, deque[bytes]] = field(default_factory=dict)
    wanted: Exchange | None = None
    finished: bool = False
    result: Output | None = None

    def missing(self) -> list[PartyId]:
        assert self.wanted is not None
        return [sender for sender in self.wanted.incoming if not self.inbox.get(sender)]

    def resume(self) -> Exchange | None:
        """Go on to the next exchange; None at the end."""
        try:
            if self.wanted is None:
                self.wanted = next(self.protocol)
            else:
                replies = {sender: self.inbox[sender].popleft() for sender in self.wanted.incoming}
                self.wanted = self.protocol.send(replies)
        except StopIteration as stop:
            self.finished, self.wanted, self.result = True, None, stop.value
        return self.wanted


def run_local(protocols: Sequence[Protocol[Output]]) -> list[Output]:
    """Run the protocols of parties 1..n to their end and return their results, in order.

    Raises what a protocol raises, after closing the others, and Deadlock when they wait for one another.
    """
    runners = {PartyId(index): _Runner(protocol) for index, protocol in enumerate(protocols, start=1)}
    try:
        while any(not runner.finished for runner in runners.values()):
            moved = [_step(party, runners) for party in runners]
            if not any(moved):
                raise Deadlock({party: r.missing() for party, r in runners.items() if not r.finished})
    finally:
        for runner in runners.values():
            runner.protocol.close()
    return [runner.result for runner in runners.values()]  # type: ignore[misc]  # all have finished


def _step(party: PartyId, runners: Mapping[PartyId, _Runner[Output]]) -> bool:
    """Resume one party if it can go on; whether it could."""
    runner = runners[party]
    if runner.finished or (runner.wanted is not None and runner.missing()):
        return False
    exchange = runner.resume()
    if exchange is not None:
        for receiver, message in exchange.outgoing.items():
            runners[receiver].inbox.setdefault(party, deque()).append(message)
    return True
