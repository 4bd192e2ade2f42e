"""The one place that carries protocol machines over a network: exchange out, replies in, deadlines kept.

A protocol is a generator of `Exchange` effects (quorate.protocol.mpc). The driver sends what each asks to send,
waits for what it expects, and resumes it. A step that turned out slow runs the following ones in a worker
thread, so that arithmetic on large batches never stops the trio loop; its kernels release the GIL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Final, Protocol, TypeAlias, TypeVar

import trio

from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import Exchange, PartyId
from quorate.protocol.mpc import Protocol as Machine

Output = TypeVar("Output")
Step: TypeAlias = tuple[Exchange, None] | tuple[None, Output]

SLOW_STEP_S: Final = 0.010
"""A step longer than this sends the next one to a worker thread."""
ROUND_TIMEOUT_S: Final = 20.0
"""How long a live peer may take for one round before it is at fault."""


class Transport(Protocol):
    """Ordered, authenticated delivery between the parties of one session."""

    async def send(self, party: int, payload: bytes) -> None:
        """Queue `payload` for `party`; waits when its queue is full."""
        ...

    async def receive(self, party: int) -> bytes:
        """The next payload of `party`; raises PartyFault when its stream broke or a frame was not its own."""
        ...


@dataclass(slots=True)
class Waiting:
    """For whom a driver waits, and since when (trio time); `party` 0 is nobody."""

    party: int = 0
    since: float = 0.0


async def drive(
    machine: Machine[Output],
    transport: Transport,
    *,
    round_timeout_s: float = ROUND_TIMEOUT_S,
    waiting: Waiting | None = None,
) -> Output:
    """Run `machine` to its end over `transport` and return its output.

    Raises PartyFault naming the party that was silent for `round_timeout_s` or broke the protocol, and whatever
    the machine itself raises.
    """
    noted = waiting if waiting is not None else Waiting()
    replies: Mapping[PartyId, bytes] | None = None
    slow = False
    try:
        while True:
            started = perf_counter()
            step: Step[Output] = (
                await trio.to_thread.run_sync(_advance, machine, replies) if slow else _advance(machine, replies)
            )
            slow = perf_counter() - started > SLOW_STEP_S
            if step[0] is None:
                return step[1]
            replies = await _exchange(step[0], transport, round_timeout_s, noted)
    finally:
        machine.close()


def _advance(machine: Machine[Output], replies: Mapping[PartyId, bytes] | None) -> Step[Output]:
    """One step: the next effect, or no effect and the machine's output."""
    try:
        return (next(machine) if replies is None else machine.send(replies)), None
    except StopIteration as stop:
        output: Output = stop.value
        return None, output


async def _exchange(
    effect: Exchange, transport: Transport, round_timeout_s: float, waiting: Waiting
) -> dict[PartyId, bytes]:
    for party, payload in effect.outgoing.items():
        await transport.send(party, payload)
    replies: dict[PartyId, bytes] = {}
    for party, size_bytes in effect.incoming.items():
        waiting.party, waiting.since = party, trio.current_time()
        with trio.move_on_after(round_timeout_s):
            payload = await transport.receive(party)
            if len(payload) != size_bytes:
                raise PartyFault(party, f"sent {len(payload)} bytes in a round of {size_bytes}")
            replies[party] = payload
        if party not in replies:
            raise PartyFault(party, f"sent nothing for {round_timeout_s:g} s")
    waiting.party = 0
    return replies
