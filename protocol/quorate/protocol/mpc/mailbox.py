"""What has arrived at one party and not been used: the part of a driver that keeps effects apart, without I/O.

A sender's messages for exchanges keep their order, and each exchange that names the sender consumes one. When an
exchange ends without a sender, the box owes it one message to drop. Messages of conversations go by their number.
What a peer can make the box keep is bounded: one that sends more is taken for gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from quorate.protocol.sharing import PartyId

from .party import Converse, Effect, Exchange

MAX_OWED: Final = 1 << 16
"""How many exchanges may end without a sender before it is taken for gone."""
MAX_EARLY_MESSAGES: Final = 1 << 14
"""The most messages of conversations that are kept of one peer."""
MAX_EARLY_BYTES: Final = 256 << 20
"""The most bytes of conversations that are kept of one peer."""


class Mailbox:
    """The messages of one party, and the effect that waits for them."""

    __slots__ = ("_absent", "_early", "_gone", "_messages", "_owed", "_phase", "_spoken", "_wanted")

    def __init__(self) -> None:
        self._messages: dict[PartyId, deque[bytes]] = {}
        self._owed: dict[PartyId, int] = {}
        self._spoken: dict[int, deque[tuple[PartyId, bytes]]] = {}
        self._early: dict[PartyId, tuple[int, int]] = {}
        self._absent: set[PartyId] = set()
        self._gone: set[PartyId] = set()
        self._phase = 0
        self._wanted: Effect | None = None

    def put(self, sender: PartyId, message: bytes, *, phase: int = 0) -> None:
        """Take a message of an exchange, or of the conversation `phase`."""
        if phase:
            self._put_spoken(sender, message, phase)
        elif self._owed and (owed := self._owed.get(sender, 0)):
            self._owed[sender] = owed - 1
        elif (queue := self._messages.get(sender)) is not None:
            queue.append(message)
        else:
            self._messages[sender] = deque([message])

    def _put_spoken(self, sender: PartyId, message: bytes, phase: int) -> None:
        count, size = self._early.get(sender, (0, 0))
        if count == MAX_EARLY_MESSAGES or size + len(message) > MAX_EARLY_BYTES:
            self._gone.add(sender)
        if phase >= self._phase and sender not in self._gone:
            self._spoken.setdefault(phase, deque()).append((sender, message))
            self._early[sender] = (count + 1, size + len(message))

    def close(self, sender: PartyId) -> None:
        """Nothing more comes of `sender`; what it sent before is still used."""
        self._gone.add(sender)

    def holds(self, sender: PartyId) -> bool:
        """Whether a message of an exchange is here that is not asked for yet, nor late for the last exchange."""
        return len(self._messages.get(sender, ())) > (sender in self._absent)

    def want(self, effect: Effect) -> None:
        """Begin to wait for what `effect` asks for.

        Raises ValueError for a conversation with a lower number than the last, and for an exchange that continues
        another from which one of its senders was not absent.
        """
        self._wanted = effect
        if isinstance(effect, Converse):
            self._begin_phase(effect.phase)
            return
        if not effect.continues:
            if self._absent:
                self._owe(self._absent)
                self._absent = set()
            return
        if not self._absent.issuperset(effect.incoming):
            raise ValueError("an exchange continues with senders that have answered")
        self._owe(self._absent.difference(effect.incoming))
        self._absent = set()

    def _begin_phase(self, wanted: int) -> None:
        if wanted < self._phase:
            raise ValueError(f"conversation {wanted} after conversation {self._phase}")
        self._phase = wanted
        for phase in [phase for phase in self._spoken if phase < wanted]:
            for sender, message in self._spoken.pop(phase):
                self._forget(sender, message)

    def is_new(self, effect: Effect) -> bool:
        """Whether the deadline of `effect` counts from now: all but the further steps of a conversation."""
        return not isinstance(effect, Converse) or effect.phase != self._phase

    def missing(self) -> list[PartyId]:
        """The senders that the effect waits for: for a conversation, all peers that are not gone."""
        if isinstance(self._wanted, Exchange):
            return [sender for sender in self._wanted.incoming if not self._messages.get(sender)]
        return [peer for peer in self._wanted.peers if peer not in self._gone] if self._wanted else []

    def take(self, *, late: bool = False) -> dict[PartyId, bytes] | None:
        """The replies, taken out of the box, if the effect can go on: None if not.

        `late` says that its deadline is over: then there are always replies, but for an exchange without `enough`.
        """
        if isinstance(self._wanted, Converse):
            return self._take_spoken(self._wanted, late=late)
        if self._wanted is None:
            return {}
        return self._take_exchanged(self._wanted, late=late)

    def _take_spoken(self, wanted: Converse, *, late: bool) -> dict[PartyId, bytes] | None:
        if late or wanted.deadline_ms == 0:
            return {}
        if queue := self._spoken.get(wanted.phase):
            sender, message = queue.popleft()
            self._forget(sender, message)
            return {sender: message}
        return {} if self._gone.issuperset(wanted.peers) else None

    def _take_exchanged(self, wanted: Exchange, *, late: bool) -> dict[PartyId, bytes] | None:
        messages = self._messages
        if wanted.enough is None:
            for sender in wanted.incoming:
                if not messages.get(sender):
                    return None
            return {sender: messages[sender].popleft() for sender in wanted.incoming}
        ready = {sender: messages[sender][0] for sender in wanted.incoming if messages.get(sender)}
        if len(ready) < len(wanted.incoming):
            absent = [sender for sender in wanted.incoming if sender not in ready]
            if not (late or self._gone.issuperset(absent) or wanted.enough(ready)):
                return None
            self._absent = set(absent)
        for sender in ready:
            messages[sender].popleft()
        return ready

    def _owe(self, absent: Iterable[PartyId]) -> None:
        """Drop the message of each for a round that is over: now, or when it comes."""
        for sender in absent:
            if self._messages.get(sender):
                self._messages[sender].popleft()
                continue
            self._owed[sender] = self._owed.get(sender, 0) + 1
            if self._owed[sender] > MAX_OWED:
                self._gone.add(sender)

    def _forget(self, sender: PartyId, message: bytes) -> None:
        count, size = self._early[sender]
        self._early[sender] = (count - 1, size - len(message))


def sends(effect: Effect) -> list[tuple[PartyId, bytes, int]]:
    """What an effect sends: receiver, message, and the number of its conversation, 0 for an exchange."""
    if isinstance(effect, Converse):
        return [(receiver, message, effect.phase) for receiver, message in effect.outgoing]
    return [(receiver, message, 0) for receiver, message in effect.outgoing.items()]


def must_hear_all(effect: Effect) -> bool:
    """Whether the effect is an exchange that every sender must answer."""
    return isinstance(effect, Exchange) and effect.enough is None
