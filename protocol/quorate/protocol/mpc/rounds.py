"""Communication rounds: counted, checked against what was asked for, and merged when they are independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar, overload

from quorate.protocol.errors import MalformedMessage, PartyFault
from quorate.protocol.field import Vector
from quorate.protocol.sharing import PartyId

from .party import MAX_CONVERSATIONS, Converse, Exchange, Party, Protocol

First = TypeVar("First")
Second = TypeVar("Second")
Third = TypeVar("Third")
Output = TypeVar("Output")


def exchange_bytes(
    party: Party, outgoing: Mapping[PartyId, bytes], incoming: Mapping[PartyId, int]
) -> Protocol[Mapping[PartyId, bytes]]:
    """One round: send `outgoing`, and return a message of the expected size from each of `incoming`.

    Raises PartyFault naming a sender whose message is missing or of another size.
    """
    statistics = party.statistics
    statistics.rounds += 1
    statistics.bytes_sent += sum(len(message) for message in outgoing.values())
    replies = yield Exchange(outgoing, incoming)
    for sender, size in incoming.items():
        message = replies.get(sender)
        if message is None:
            raise PartyFault(sender, f"sent nothing in a round of {size} bytes")
        if len(message) != size:
            raise PartyFault(sender, f"sent {len(message)} bytes in a round of {size}")
        statistics.bytes_received += size
    return replies


def exchange_until(
    party: Party,
    outgoing: Mapping[PartyId, bytes],
    incoming: Mapping[PartyId, int],
    *,
    enough: Callable[[Mapping[PartyId, bytes]], bool],
    deadline_ms: int | None = None,
) -> Protocol[dict[PartyId, bytes]]:
    """One round that waits for no particular sender: the replies of the right size when `enough` of these is true.

    Fewer when all senders have answered or are gone, or `deadline_ms` is over. Blames nobody: who is absent may be
    slow, gone, or have sent another size.
    """
    statistics = party.statistics
    statistics.rounds += 1
    statistics.bytes_sent += sum(len(message) for message in outgoing.values())

    def fitting(replies: Mapping[PartyId, bytes]) -> dict[PartyId, bytes]:
        return {sender: reply for sender, reply in replies.items() if len(reply) == incoming[sender]}

    received = yield Exchange(outgoing, incoming, lambda replies: enough(fitting(replies)), deadline_ms)
    replies = fitting(received)
    statistics.bytes_received += sum(len(message) for message in replies.values())
    return replies


def begin_conversation(party: Party) -> int:
    """The number of the party's next conversation: the same at all parties, as they run the same program.

    Raises ValueError beyond MAX_CONVERSATIONS.
    """
    if party.conversations == MAX_CONVERSATIONS:
        raise ValueError(f"a session has at most {MAX_CONVERSATIONS} conversations")
    party.conversations += 1
    return party.conversations


def converse(
    party: Party,
    phase: int,
    outgoing: Sequence[tuple[PartyId, bytes]] = (),
    *,
    deadline_ms: int | None = None,
) -> Protocol[tuple[PartyId, bytes] | None]:
    """One step of a conversation with all other parties: send, and take the next message, if one comes."""
    statistics = party.statistics
    statistics.bytes_sent += sum(len(message) for _, message in outgoing)
    replies = yield Converse(phase, party.others, tuple(outgoing), deadline_ms)
    for sender, message in replies.items():
        statistics.bytes_received += len(message)
        return sender, message
    return None


def exchange_vectors(
    party: Party, outgoing: Mapping[PartyId, Vector], incoming: Mapping[PartyId, int]
) -> Protocol[dict[PartyId, Vector]]:
    """One round of field elements: `incoming` counts the elements expected of each sender.

    Raises PartyFault naming a sender whose message is missing, of another size, or not of canonical elements.
    """
    field = party.field
    encoded: dict[int, bytes] = {}  # a vector that goes to several receivers is encoded once
    for vector in outgoing.values():
        if id(vector) not in encoded:
            encoded[id(vector)] = field.to_bytes(vector)
    messages = {receiver: encoded[id(vector)] for receiver, vector in outgoing.items()}
    sizes = {sender: count * field.size_bytes for sender, count in incoming.items()}
    replies = yield from exchange_bytes(party, messages, sizes)
    vectors = {}
    for sender, count in incoming.items():
        try:
            vectors[sender] = field.from_bytes(replies[sender], count)
        except MalformedMessage as error:
            raise PartyFault(sender, error.reason) from None
    return vectors


@overload
def together(
    party: Party, first: Protocol[First], second: Protocol[Second], /
) -> Protocol[tuple[First, Second]]: ...
@overload
def together(
    party: Party, first: Protocol[First], second: Protocol[Second], third: Protocol[Third], /
) -> Protocol[tuple[First, Second, Third]]: ...
@overload
def together(party: Party, /, *protocols: Protocol[Output]) -> Protocol[tuple[Output, ...]]: ...
def together(party: Party, /, *protocols: Protocol[Any]) -> Protocol[tuple[Any, ...]]:
    """Run independent protocols side by side, each of their rounds in one common round.

    Every party must name the same protocols in the same order. The result is their results in that order; the
    rounds taken are those of the longest. An error of one ends them all. A common round ends when each protocol has
    enough of its own slice, and at the last of their deadlines; conversations are held one after another.
    """
    results: list[Any] = [None] * len(protocols)
    try:
        replies: dict[int, Mapping[PartyId, bytes] | None] = dict.fromkeys(range(len(protocols)))
        while replies:
            wanted: dict[int, Exchange] = {}
            for index, reply in replies.items():
                try:
                    effect = next(protocols[index]) if reply is None else protocols[index].send(reply)
                    while isinstance(effect, Converse):
                        effect = protocols[index].send((yield effect))
                    wanted[index] = effect
                except StopIteration as stop:
                    results[index] = stop.value
            if not wanted:
                break
            party.statistics.rounds -= len(wanted) - 1
            merged = yield _merge(wanted)
            replies = _split(wanted, merged)
    finally:
        for protocol in protocols:
            protocol.close()
    return tuple(results)


def _merge(wanted: Mapping[int, Exchange]) -> Exchange:
    if len(wanted) == 1:
        return next(iter(wanted.values()))
    outgoing: dict[PartyId, list[bytes]] = {}
    incoming: dict[PartyId, int] = {}
    for exchange in wanted.values():
        for receiver, message in exchange.outgoing.items():
            outgoing.setdefault(receiver, []).append(message)
        for sender, size in exchange.incoming.items():
            incoming[sender] = incoming.get(sender, 0) + size
    joined = {receiver: b"".join(parts) for receiver, parts in outgoing.items()}
    if all(exchange.enough is None for exchange in wanted.values()):
        return Exchange(joined, incoming)
    patient = [exchange.deadline_ms for exchange in wanted.values() if exchange.enough is not None]
    deadlines = [deadline for deadline in patient if deadline is not None]
    return Exchange(
        joined,
        incoming,
        partial(_all_enough, wanted),
        max(deadlines) if len(deadlines) == len(patient) else None,
    )


def _all_enough(wanted: Mapping[int, Exchange], merged: Mapping[PartyId, bytes]) -> bool:
    """Whether each exchange has enough of its slice; one that cannot tell needs all of its senders."""
    for index, part in _slices(wanted, merged).items():
        exchange = wanted[index]
        if exchange.enough is None:
            if len(part) < len(exchange.incoming):
                return False
        elif len(part) < len(exchange.incoming) and not exchange.enough(part):
            return False
    return True


def _split(
    wanted: Mapping[int, Exchange], merged: Mapping[PartyId, bytes]
) -> dict[int, Mapping[PartyId, bytes] | None]:
    if len(wanted) == 1:
        return dict.fromkeys(wanted, merged)
    return dict(_slices(wanted, merged))


def _slices(wanted: Mapping[int, Exchange], merged: Mapping[PartyId, bytes]) -> dict[int, Mapping[PartyId, bytes]]:
    """Each protocol's slice; the last one of a sender takes what is left, so that it sees a wrong size."""
    offsets = dict.fromkeys(merged, 0)
    last = {sender: index for index, exchange in wanted.items() for sender in exchange.incoming}
    parts: dict[int, Mapping[PartyId, bytes]] = {}
    for index, exchange in wanted.items():
        part = {}
        for sender, size in exchange.incoming.items():
            if sender in merged:
                start = offsets[sender]
                stop = len(merged[sender]) if last[sender] == index else start + size
                part[sender] = merged[sender][start:stop]
                offsets[sender] = start + size
        parts[index] = part
    return parts
