"""A committee of machines on a network that a seed schedules, with liars in it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Any, Protocol, TypeAlias

from quorate.protocol.broadcast import Machine, Seat, Send, Toss
from quorate.protocol.sharing import PartyId

MOST_STEPS = 400_000
SIZES = [(4, 1), (7, 2), (10, 3)]


class Actor(Protocol):
    """What the network drives: a machine, or a liar."""

    def receive(self, sender: PartyId, message: bytes) -> list[Send]: ...


def seats(parties: int, threshold: int) -> dict[PartyId, Seat]:
    everyone = [PartyId(party) for party in range(1, parties + 1)]
    return {party: Seat(party, parties=parties, threshold=threshold) for party in everyone}


class Network:
    """Delivers messages in an order that depends on `seed` only; actors that are left out have crashed.

    One seed in three is fair, one delivers the newest message first, and one starves a party: what is meant for it
    arrives when nothing else is left.
    """

    def __init__(self, actors: Mapping[PartyId, Actor], *, seed: int) -> None:
        self.actors = dict(actors)
        self.random = Random(seed)
        self.steps = 0
        self.bytes_sent: dict[PartyId, int] = {}
        self._manner = seed % 3
        self._starved = self.random.choice(sorted(self.actors))
        self._waiting: list[tuple[PartyId, PartyId, bytes]] = []
        self._starving: list[tuple[PartyId, PartyId, bytes]] = []

    def post(self, sender: PartyId, sends: Iterable[Send]) -> None:
        for send in sends:
            assert send.receiver != sender, "nobody sends to itself"
            self.bytes_sent[sender] = self.bytes_sent.get(sender, 0) + len(send.message)
            if send.receiver in self.actors:
                late = self._manner == 2 and send.receiver == self._starved
                (self._starving if late else self._waiting).append((sender, send.receiver, send.message))

    def run(self) -> None:
        """Until nothing is on the way."""
        while self._waiting or self._starving:
            self.steps += 1
            assert self.steps < MOST_STEPS, "the protocol does not come to rest"
            sender, receiver, message = self._take()
            self.post(receiver, self.actors[receiver].receive(sender, message))

    def _take(self) -> tuple[PartyId, PartyId, bytes]:
        queue = self._waiting or self._starving
        newest = len(queue) - 1
        index = newest if self._manner == 1 and self.random.random() < 0.8 else self.random.randint(0, newest)
        queue[index], queue[-1] = queue[-1], queue[index]
        return queue.pop()


class Coalition:
    """Liars who play two consistent runs at once: one for the parties of `hears_first`, one for the other honest ones.

    Every member runs two honest machines; those of one run talk to each other directly.
    """

    def __init__(
        self,
        first: Mapping[PartyId, Machine[Any]],
        second: Mapping[PartyId, Machine[Any]],
        *,
        members: Iterable[PartyId],
        hears_first: Iterable[PartyId],
    ) -> None:
        self._runs = (first, second)
        self._members = frozenset(members)
        self._hears_first = frozenset(hears_first)
        self._network: Network | None = None

    def network(self, honest: Mapping[PartyId, Actor], seed: int) -> Network:
        """The network of this coalition and the honest parties."""
        members = {member: CoalitionMember(self, member) for member in self._members}
        self._network = Network({**honest, **members}, seed=seed)
        return self._network

    def say(self, run: int, speaker: PartyId, sends: Iterable[Send]) -> None:
        assert self._network is not None
        for send in sends:
            if send.receiver in self._members:
                answer = self._runs[run][send.receiver].receive(speaker, send.message)
                self.say(run, send.receiver, answer)
            elif self._run_of(send.receiver) == run:
                self._network.post(speaker, [send])

    def hear(self, member: PartyId, sender: PartyId, message: bytes) -> None:
        run = self._run_of(sender)
        self.say(run, member, self._runs[run][member].receive(sender, message))

    def _run_of(self, party: PartyId) -> int:
        return 0 if party in self._hears_first else 1


class CoalitionMember:
    def __init__(self, coalition: Coalition, identity: PartyId) -> None:
        self._coalition = coalition
        self._identity = identity

    def receive(self, sender: PartyId, message: bytes) -> list[Send]:
        self._coalition.hear(self._identity, sender, message)
        return []


Change: TypeAlias = Callable[[Random, Send, Sequence[Send]], list[Send]]


class Meddler:
    """A liar that runs the protocol and changes what it sends; `change` sees all it sent before."""

    def __init__(self, machine: Machine[Any], change: Change, *, seed: int) -> None:
        self.machine = machine
        self._change = change
        self._random = Random(seed)
        self._history: list[Send] = []

    def receive(self, sender: PartyId, message: bytes) -> list[Send]:
        return self.change(self.machine.receive(sender, message))

    def change(self, sends: Iterable[Send]) -> list[Send]:
        changed = []
        for send in sends:
            changed.extend(self._change(self._random, send, self._history))
            self._history.append(send)
        return changed


def flip_bits(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    data = bytearray(send.message)
    if data and random.random() < 0.7:
        data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    return [Send(send.receiver, bytes(data))]


def flip_all(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    """The header stays, everything behind it is another value for each receiver."""
    body = send.message[2:]
    return [Send(send.receiver, send.message[:2] + bytes(byte ^ send.receiver for byte in body))]


def replay(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    old = random.choice(history).message if history else b""
    return [send, send, Send(send.receiver, old)]


def misroute(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    return [Send(send.receiver, random.choice(history).message if history else send.message)]


def withhold(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    return [send] if send.receiver % 2 else []


def grow(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    return [Send(send.receiver, send.message + bytes(200_000)), Send(send.receiver, send.message[:-1])]


def babble(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    return [send, Send(send.receiver, random.randbytes(random.randrange(80))), Send(send.receiver, b"")]


def both_values(random: Random, send: Send, history: Sequence[Send]) -> list[Send]:
    """Every message again with its last bit flipped: both values of an agreement."""
    if not send.message:
        return [send]
    other = send.message[:-1] + bytes([send.message[-1] ^ 1])
    messages = [send, Send(send.receiver, other)]
    random.shuffle(messages)
    return messages


CHANGES: dict[str, Change] = {
    change.__name__: change
    for change in (flip_bits, flip_all, replay, misroute, withhold, grow, babble, both_values)
}


class InsecureTestCoins:
    """Coins that are a hash of a seed: good against a scheduler that does not know it, and nobody else.

    A bit shows once t + 1 parties have asked, as with a real coin.
    """

    tosses = 24

    def __init__(self, seat: Seat, seed: int) -> None:
        self._seat = seat
        self._seed = seed

    def toss(self, instance: int, number: int) -> InsecureTestToss:
        name = f"{self._seed}/{instance}/{number}".encode()
        return InsecureTestToss(self._seat, bool(hashlib.sha256(name).digest()[0] & 1))


class InsecureTestToss(Toss):
    def __init__(self, seat: Seat, bit: bool) -> None:
        super().__init__(seat)
        self._bit = bit
        self._asked: set[PartyId] = set()

    @property
    def finished(self) -> bool:
        return False

    def start(self) -> list[Send]:
        self._send_all(b"ask")
        return self._flush()

    def _handle(self, sender: PartyId, message: bytes) -> None:
        self._asked.add(sender)
        if len(self._asked) >= self.seat.one_honest:
            self._output = self._bit
