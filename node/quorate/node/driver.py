"""The one place that carries protocol machines over a network: effects out, replies in, deadlines kept.

A protocol is a generator of effects (quorate.protocol.mpc). The driver sends what each asks to send, waits for what
it expects, and resumes it. Exchanges that every peer must answer go over the bare transport, one after another;
from the first effect on that need not hear all, everything goes through a `Post`. A step that turned out slow runs
the following ones in a worker thread, so that arithmetic on large batches never stops the trio loop; its kernels
release the GIL.
"""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Final, Generic, TypeVar

import trio

from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import Effect, Exchange, PartyId
from quorate.protocol.mpc import Protocol as Machine

from .post import Post, Transport, Waiting, check_sizes, open_post

__all__ = ["ROUND_TIMEOUT_S", "SLOW_STEP_S", "Post", "Transport", "Waiting", "drive", "open_post"]

Output = TypeVar("Output")

SLOW_STEP_S: Final = 0.010
"""A step longer than this sends the next one to a worker thread."""
ROUND_TIMEOUT_S: Final = 20.0
"""How long a live peer may take for one round before it is at fault."""


async def drive(
    machine: Machine[Output],
    transport: Transport,
    *,
    round_timeout_s: float = ROUND_TIMEOUT_S,
    waiting: Waiting | None = None,
    post: Post | None = None,
) -> Output:
    """Run `machine` to its end over `transport` and return its output.

    A session that runs several machines, any of which need not hear all peers, opens one `post` over its transport
    and gives it to all of them. Raises PartyFault naming the party that was silent for `round_timeout_s` or broke
    the protocol, in an exchange that every sender must answer, and whatever the machine itself raises.
    """
    noted = waiting if waiting is not None else Waiting()
    steps = _Steps(machine)
    try:
        effect = await steps.advance(None)
        while post is None and isinstance(effect, Exchange) and effect.enough is None:
            effect = await steps.advance(await _exchange(effect, transport, round_timeout_s, noted))
        if effect is not None and post is None:
            async with open_post(transport) as own:
                await _carry_all(steps, effect, own, round_timeout_s, noted)
        elif effect is not None and post is not None:
            await _carry_all(steps, effect, post, round_timeout_s, noted)
        return steps.output()
    finally:
        machine.close()


async def _carry_all(
    steps: _Steps[Output], effect: Effect, post: Post, round_timeout_s: float, waiting: Waiting
) -> None:
    step: Effect | None = effect
    while step is not None:
        step = await steps.advance(await post.carry(step, round_timeout_s=round_timeout_s, waiting=waiting))


class _Steps(Generic[Output]):
    """A machine, step by step, in this thread or, after a slow step, in another."""

    def __init__(self, machine: Machine[Output]) -> None:
        self._machine = machine
        self._slow = False
        self._outputs: list[Output] = []

    async def advance(self, replies: Mapping[PartyId, bytes] | None) -> Effect | None:
        """The machine's next effect; None at its end."""
        started = perf_counter()
        effect = await trio.to_thread.run_sync(self._step, replies) if self._slow else self._step(replies)
        self._slow = perf_counter() - started > SLOW_STEP_S
        return effect

    def _step(self, replies: Mapping[PartyId, bytes] | None) -> Effect | None:
        try:
            return next(self._machine) if replies is None else self._machine.send(replies)
        except StopIteration as stop:
            self._outputs.append(stop.value)
            return None

    def output(self) -> Output:
        """What the machine returned; call it after its end."""
        return self._outputs[0]


async def _exchange(
    effect: Exchange, transport: Transport, round_timeout_s: float, waiting: Waiting
) -> dict[PartyId, bytes]:
    for party, payload in effect.outgoing.items():
        await transport.send(party, payload)
    replies: dict[PartyId, bytes] = {}
    for party in effect.incoming:
        waiting.party, waiting.since = party, trio.current_time()
        with trio.move_on_after(round_timeout_s):
            replies[party] = await transport.receive(party)
            check_sizes(effect, {party: replies[party]})
        if party not in replies:
            raise PartyFault(party, f"sent nothing for {round_timeout_s:g} s")
    waiting.party = 0
    return replies
