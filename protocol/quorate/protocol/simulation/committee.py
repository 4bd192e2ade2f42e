"""The simulator: parties as generators, messages as events on a virtual clock, everything decided by a seed.

A crashed party's connections close: a peer that waits for it, with nothing of it on the way, gets PartyFault
naming it. A party that ends with an error tells its peers, as the session layer of a node does: a peer that waits
for it gets PartyFault naming the party it blamed, or ProtocolAbort when it blamed none. A party that does not need all
its peers just goes on without those that are gone. Computing takes no time.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from quorate.protocol.errors import PartyFault, ProtocolAbort, QuorateProtocolError
from quorate.protocol.mpc import Deadlock, PartyId, Protocol
from quorate.protocol.mpc.mailbox import Mailbox, must_hear_all, sends
from quorate.protocol.mpc.party import Effect

from .faults import Crash, Disconnect, Fault, Lie, Mute, Network, Partition, Stall, Tamper
from .randomness import SeededRandomness
from .trace import Happening, TraceEvent, short_digest

Output = TypeVar("Output")

MAX_EVENTS: Final = 5_000_000
"""The most events of one simulation; a protocol that never ends stops here."""


@dataclass(frozen=True, slots=True)
class Finished(Generic[Output]):
    """The party ended with `value`."""

    value: Output


@dataclass(frozen=True, slots=True)
class Failed:
    """The party ended with `error`."""

    error: QuorateProtocolError


@dataclass(frozen=True, slots=True)
class Crashed:
    """The party was stopped by the simulation."""


Outcome: TypeAlias = Finished[Output] | Failed | Crashed


@dataclass(frozen=True, slots=True)
class Simulation(Generic[Output]):
    """How each party ended, what happened on the way, and when the last event was."""

    outcomes: Mapping[PartyId, Outcome[Output]]
    trace: tuple[TraceEvent, ...]
    time_us: int

    def values(self) -> list[Output]:
        """The results of all parties; raises the error of the first that failed, and ValueError for a crash."""
        results = []
        for party, outcome in self.outcomes.items():
            if isinstance(outcome, Failed):
                raise outcome.error
            if isinstance(outcome, Crashed):
                raise ValueError(f"party {party} crashed and has no result")
            results.append(outcome.value)
        return results


def simulate(
    protocols: Sequence[Protocol[Output]],
    *,
    seed: int,
    network: Network | None = None,
    faults: Sequence[Fault] = (),
) -> Simulation[Output]:
    """Run the protocols of parties 1..n. The same arguments give the same trace.

    Raises Deadlock when parties wait for messages that nobody will send, RuntimeError beyond MAX_EVENTS, and any
    error that is not a QuorateProtocolError, since it is a defect. Prints nothing: report the seed on a failure.
    """
    world = _World(protocols, SeededRandomness(seed, "network"), network or Network(), faults)
    try:
        world.run()
    finally:
        for protocol in protocols:
            protocol.close()
    outcomes = {party: actor.outcome for party, actor in world.actors.items() if actor.outcome is not None}
    return Simulation(outcomes, tuple(world.trace), world.now_us)


@dataclass(slots=True)
class _Actor(Generic[Output]):
    """One party: its protocol, what it waits for, since which exchange and when, what has arrived, how it ended."""

    protocol: Protocol[Output]
    wanted: Effect | None = None
    exchange: int = 0
    since_us: int = 0
    waits: bool = False
    box: Mailbox = field(default_factory=Mailbox)
    closed: dict[PartyId, QuorateProtocolError] = field(default_factory=dict)
    outcome: Outcome[Output] | None = None


class _World(Generic[Output]):
    """The state of one simulation; an event is (time, number, whether it is a timeout, action)."""

    def __init__(
        self,
        protocols: Sequence[Protocol[Output]],
        randomness: SeededRandomness,
        network: Network,
        faults: Sequence[Fault],
    ) -> None:
        self.actors = {PartyId(number): _Actor(protocol) for number, protocol in enumerate(protocols, start=1)}
        self.trace: list[TraceEvent] = []
        self.now_us = 0
        self._randomness = randomness
        self._network = network
        self._faults = faults
        self._cut: set[frozenset[PartyId]] = set()
        self._last_arrival: dict[tuple[PartyId, PartyId], int] = {}
        self._events: list[tuple[int, int, bool, Callable[[], None]]] = []
        self._number = 0
        self._lively = 0

    def run(self) -> None:
        """Handle events until every party has ended."""
        for party in self.actors:
            self._after(self._delay_us(), partial(self._advance, party, None))
        for fault in self._faults:
            if isinstance(fault, Crash) and fault.time_us is not None:
                self._after(fault.time_us, partial(self._crash, fault.party))
            elif isinstance(fault, Disconnect):
                self._after(fault.time_us, partial(self._disconnect, fault))
        while any(actor.outcome is None for actor in self.actors.values()):
            if not self._lively:  # only timeouts are left, and nothing can end the waiting
                raise Deadlock(
                    {name: one.box.missing() for name, one in self.actors.items() if one.outcome is None}
                )
            self.now_us, _, is_timeout, action = heapq.heappop(self._events)
            self._lively -= not is_timeout
            action()

    # The clock

    def _delay_us(self) -> int:
        return self._randomness.between(self._network.least_delay_us, self._network.most_delay_us)

    def _after(self, delay_us: int, action: Callable[[], None], *, is_timeout: bool = False) -> None:
        self._number += 1
        if self._number > MAX_EVENTS:
            raise RuntimeError(f"the simulation took more than {MAX_EVENTS} events")
        self._lively += not is_timeout
        heapq.heappush(self._events, (self.now_us + delay_us, self._number, is_timeout, action))

    def _note(
        self,
        what: Happening,
        party: PartyId,
        *,
        peer: PartyId | None = None,
        message: bytes | None = None,
        reason: str = "",
    ) -> None:
        digest = reason if message is None else short_digest(message)
        size = 0 if message is None else len(message)
        self.trace.append(TraceEvent(self.now_us, what, party, peer, self.actors[party].exchange, size, digest))

    # Parties

    def _advance(self, party: PartyId, feed: Mapping[PartyId, bytes] | QuorateProtocolError | None) -> None:
        """Resume a party with its replies or with an error, up to its next exchange or its end."""
        actor = self.actors[party]
        if actor.outcome is not None:
            return
        actor.waits = False
        try:
            if feed is None:
                actor.wanted = next(actor.protocol)
            elif isinstance(feed, QuorateProtocolError):
                actor.wanted = actor.protocol.throw(feed)
            else:
                actor.wanted = actor.protocol.send(feed)
        except StopIteration as stop:
            actor.outcome = Finished(stop.value)
            self._note(Happening.FINISHED, party)
            return
        except QuorateProtocolError as error:
            actor.outcome = Failed(error)
            self._note(Happening.FAILED, party, reason=str(error))
            self._close_channels(party, _relayed(party, error))
            return
        actor.exchange += 1
        self._begin_exchange(party)

    def _begin_exchange(self, party: PartyId) -> None:
        exchange = self.actors[party].exchange
        for fault in self._faults:
            if isinstance(fault, Crash) and (fault.party, fault.exchange) == (party, exchange):
                self._send(party, only=fault.reached)
                self._crash(party)
                return
            if isinstance(fault, Stall) and (fault.party, fault.exchange) == (party, exchange):
                self._note(Happening.STALLED, party)
                self._after(fault.pause_us, partial(self._send_and_wait, party))
                return
        self._send_and_wait(party)

    def _send_and_wait(self, party: PartyId) -> None:
        actor = self.actors[party]
        if actor.outcome is not None or actor.wanted is None:
            return
        self._send(party, only=None)
        actor.waits = True
        if actor.box.is_new(actor.wanted):
            actor.since_us = self.now_us
        actor.box.want(actor.wanted)
        if must_hear_all(actor.wanted):
            timeout = partial(self._time_out, party, actor.exchange)
            self._after(self._network.timeout_us, timeout, is_timeout=True)
        elif actor.wanted.deadline_ms is not None:
            left_us = actor.since_us + 1000 * actor.wanted.deadline_ms - self.now_us
            if left_us <= 0:
                self._resume_if_ready(party, late=True)
                return
            self._after(left_us, partial(self._expire, party, actor.exchange))
        self._resume_if_ready(party)

    def _resume_if_ready(self, party: PartyId, *, late: bool = False) -> None:
        """Hand over the replies once enough are there, or the news that one will never come."""
        actor = self.actors[party]
        if not actor.waits or actor.wanted is None:
            return
        replies = actor.box.take(late=late)
        if replies is not None:
            actor.waits = False
            self._after(0, partial(self._advance, party, replies))
        elif must_hear_all(actor.wanted):
            news = next((actor.closed[one] for one in actor.box.missing() if one in actor.closed), None)
            if news is not None:
                actor.waits = False
                self._after(0, partial(self._advance, party, news))

    def _time_out(self, party: PartyId, exchange: int) -> None:
        actor = self.actors[party]
        if actor.waits and actor.exchange == exchange and actor.outcome is None:
            silent = actor.box.missing()[0]
            self._advance(party, PartyFault(silent, f"sent nothing for {self._network.timeout_us} us"))

    def _expire(self, party: PartyId, exchange: int) -> None:
        """The deadline of an exchange or of a step of a conversation."""
        if self.actors[party].exchange == exchange and self.actors[party].outcome is None:
            self._resume_if_ready(party, late=True)

    def _crash(self, party: PartyId) -> None:
        actor = self.actors[party]
        if actor.outcome is None:
            actor.outcome = Crashed()
            self._note(Happening.CRASHED, party)
            self._close_channels(party, PartyFault(party, "closed its connection"))

    # Channels

    def _send(self, party: PartyId, *, only: Sequence[PartyId] | None) -> None:
        actor = self.actors[party]
        assert actor.wanted is not None
        for receiver, message, phase in sends(actor.wanted):
            if only is not None and receiver not in only:
                continue
            if frozenset((party, receiver)) in self._cut or self._is_mute(party):
                self._note(Happening.LOST, party, peer=receiver, message=message)
                continue
            changed = self._tampered(party, receiver, message)
            what = Happening.SENT if changed == message else Happening.TAMPERED
            self._note(what, party, peer=receiver, message=changed)
            self._carry(party, receiver, partial(self._deliver, party, receiver, changed, phase))

    def _is_mute(self, party: PartyId) -> bool:
        mutes = (fault for fault in self._faults if isinstance(fault, Mute) and fault.party == party)
        return any(self.actors[party].exchange >= mute.exchange for mute in mutes)

    def _tampered(self, sender: PartyId, receiver: PartyId, message: bytes) -> bytes:
        place = (sender, receiver, self.actors[sender].exchange)
        for fault in self._faults:
            if isinstance(fault, Tamper) and (fault.sender, fault.receiver, fault.exchange) == place:
                message = fault.change(message)
            elif isinstance(fault, Lie) and fault.party == sender and place[2] >= fault.exchange:
                message = fault.change(message, receiver)
        return message

    def _carry(self, sender: PartyId, receiver: PartyId, action: Callable[[], None]) -> None:
        """Let something arrive after a random delay, behind everything earlier on its channel."""
        channel = (sender, receiver)
        arrival = max(self.now_us + self._delay_us(), self._last_arrival.get(channel, 0) + 1)
        for fault in self._faults:
            if isinstance(fault, Partition) and fault.separates(sender, receiver, arrival):
                arrival = fault.until_us
        self._last_arrival[channel] = arrival
        self._after(arrival - self.now_us, action)

    def _deliver(self, sender: PartyId, receiver: PartyId, message: bytes, phase: int) -> None:
        if frozenset((sender, receiver)) in self._cut:
            self._note(Happening.LOST, sender, peer=receiver, message=message)
            return
        self._note(Happening.DELIVERED, receiver, peer=sender, message=message)
        self.actors[receiver].box.put(sender, message, phase=phase)
        self._resume_if_ready(receiver)

    def _close_channels(self, party: PartyId, news: QuorateProtocolError) -> None:
        for receiver in self.actors:
            if receiver != party:
                self._carry(party, receiver, partial(self._close, party, receiver, news))

    def _close(self, sender: PartyId, receiver: PartyId, news: QuorateProtocolError) -> None:
        self.actors[receiver].closed.setdefault(sender, news)
        self.actors[receiver].box.close(sender)
        self._resume_if_ready(receiver)

    def _disconnect(self, fault: Disconnect) -> None:
        self._cut.add(frozenset((fault.first, fault.second)))
        for party, peer in ((fault.first, fault.second), (fault.second, fault.first)):
            self._note(Happening.DISCONNECTED, party, peer=peer)
            self._close(peer, party, PartyFault(peer, "the connection to it broke"))


def _relayed(party: PartyId, error: QuorateProtocolError) -> QuorateProtocolError:
    """What the peers of a party that ended with `error` learn from it."""
    if isinstance(error, PartyFault):
        return PartyFault(error.party, f"blamed by party {party}: {error.reason}")
    return ProtocolAbort(f"party {party} stopped: {type(error).__name__}")
