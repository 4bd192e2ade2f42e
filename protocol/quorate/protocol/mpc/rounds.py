"""Communication rounds: counted, checked against what was asked for, and merged when they are independent."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
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


def exchange_reports(party: Party, report: bytes) -> Protocol[dict[PartyId, bytes]]:
    """One round in which every party tells every other as many bytes as `report`; all of them, this party's too."""
    outgoing, sizes = dict.fromkeys(party.others, report), dict.fromkeys(party.others, len(report))
    replies = (yield from exchange_bytes(party, outgoing, sizes)) if party.others else {}
    return {**replies, party.identity: report}


def exchange_until(
    party: Party,
    outgoing: Mapping[PartyId, bytes],
    incoming: Mapping[PartyId, int],
    *,
    enough: Callable[[Mapping[PartyId, bytes]], bool],
    deadline_ms: int | None = None,
) -> Protocol[dict[PartyId, bytes]]:
    """One round that waits for no particular sender: the replies as they are, once `enough` of them is true.

    Fewer when all senders have answered or are gone, or `deadline_ms` is over. Blames nobody: who is absent may be
    slow or gone, and a reply may be of any size.
    """
    party.statistics.rounds += 1
    party.statistics.bytes_sent += sum(len(message) for message in outgoing.values())
    replies = yield Exchange(outgoing, incoming, enough, deadline_ms)
    party.statistics.bytes_received += sum(len(message) for message in replies.values())
    return dict(replies)


def exchange_more(
    party: Party,
    incoming: Mapping[PartyId, int],
    *,
    enough: Callable[[Mapping[PartyId, bytes]], bool],
    deadline_ms: int | None = None,
) -> Protocol[dict[PartyId, bytes]]:
    """Further replies of the round before, from senders that were absent from them, once `enough` of them is true."""
    replies = yield Exchange({}, incoming, enough, deadline_ms, continues=True)
    party.statistics.bytes_received += sum(len(message) for message in replies.values())
    return dict(replies)


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
    common = _CommonRound({})
    try:
        wanted: dict[int, Exchange] = {}
        for index, protocol in enumerate(protocols):
            yield from _advance(protocol, common, wanted, results, index)
        while wanted:
            party.statistics.rounds -= len(wanted) - 1
            common, wanted = _CommonRound(wanted), {}
            common.arrived |= yield _merge(common.wanted)
            for index in common.wanted:
                yield from _advance(protocols[index], common, wanted, results, index)
    finally:
        for protocol in protocols:
            protocol.close()
    return tuple(results)


class _CommonRound:
    """One round of several protocols, by their index: what they asked for, and what has arrived of it so far."""

    def __init__(self, wanted: Mapping[int, Exchange]) -> None:
        self.wanted = wanted
        self.arrived: dict[PartyId, bytes] = {}

    def part(
        self, index: int, replies: Mapping[PartyId, bytes], senders: Container[PartyId]
    ) -> dict[PartyId, bytes]:
        """What `senders` among the replies said to one protocol."""
        mine = _slices(self.wanted, replies)[index]
        return {sender: reply for sender, reply in mine.items() if sender in senders}

    def more(self, index: int, exchange: Exchange) -> Protocol[dict[PartyId, bytes]]:
        """Serve an exchange of one protocol that continues this round: the driver must hear of all that are absent."""
        part = self.part(index, self.arrived, exchange.incoming)
        sizes = _merge(self.wanted).incoming
        absent = {sender: size for sender, size in sizes.items() if sender not in self.arrived}
        if absent and not _each_enough({index: exchange}, {index: part}):

            def enough(replies: Mapping[PartyId, bytes]) -> bool:
                mine = self.part(index, {**self.arrived, **replies}, exchange.incoming)
                return _each_enough({index: exchange}, {index: mine})

            self.arrived |= yield Exchange({}, absent, enough, exchange.deadline_ms, continues=True)
        return self.part(index, self.arrived, exchange.incoming)


def _advance(
    protocol: Protocol[Any],
    common: _CommonRound,
    wanted: dict[int, Exchange],
    results: list[Any],
    index: int,
) -> Protocol[None]:
    """Bring one protocol to its next round, or to its result, before the next protocol gets its turn.

    So all parties take from their pools in one order, although some may have to wait for more in this round.
    """
    try:
        if index in common.wanted:
            effect = protocol.send(common.part(index, common.arrived, common.wanted[index].incoming))
        else:
            effect = next(protocol)
        while isinstance(effect, Converse) or effect.continues:
            reply: Mapping[PartyId, bytes]
            if isinstance(effect, Converse):
                reply = yield effect
            else:
                reply = yield from common.more(index, effect)
            effect = protocol.send(reply)
        wanted[index] = effect
    except StopIteration as stop:
        results[index] = stop.value


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

    def enough(replies: Mapping[PartyId, bytes]) -> bool:
        return _each_enough(wanted, _slices(wanted, replies))

    return Exchange(joined, incoming, enough, _last_deadline(wanted))


def _last_deadline(wanted: Mapping[int, Exchange]) -> int | None:
    """The last deadline of those exchanges that have enough by themselves; None when one may wait for ever."""
    patient = [exchange.deadline_ms for exchange in wanted.values() if exchange.enough is not None]
    deadlines = [deadline for deadline in patient if deadline is not None]
    return max(deadlines) if len(deadlines) == len(patient) else None


def _each_enough(wanted: Mapping[int, Exchange], parts: Mapping[int, Mapping[PartyId, bytes]]) -> bool:
    """Whether each exchange has enough with its part; one that cannot tell needs all of its senders."""
    return all(
        len(parts[index]) == len(exchange.incoming)
        or (exchange.enough is not None and exchange.enough(parts[index]))
        for index, exchange in wanted.items()
    )


def _slices(wanted: Mapping[int, Exchange], merged: Mapping[PartyId, bytes]) -> dict[int, Mapping[PartyId, bytes]]:
    """Each protocol's slice; the last one of a sender takes what is left, so that it sees a wrong size."""
    if len(wanted) == 1:
        return dict.fromkeys(wanted, merged)
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
