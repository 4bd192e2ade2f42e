"""Communication rounds: counted, checked against what was asked for, and merged when they are independent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, overload

from quorate.protocol.errors import MalformedMessage, PartyFault
from quorate.protocol.field import Vector
from quorate.protocol.sharing import PartyId

from .party import Exchange, Party, Protocol

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
    rounds taken are those of the longest. An error of one ends them all.
    """
    results: list[Any] = [None] * len(protocols)
    try:
        replies: dict[int, Mapping[PartyId, bytes] | None] = dict.fromkeys(range(len(protocols)))
        while replies:
            wanted: dict[int, Exchange] = {}
            for index, reply in replies.items():
                try:
                    wanted[index] = next(protocols[index]) if reply is None else protocols[index].send(reply)
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
    return Exchange({receiver: b"".join(parts) for receiver, parts in outgoing.items()}, incoming)


def _split(
    wanted: Mapping[int, Exchange], merged: Mapping[PartyId, bytes]
) -> dict[int, Mapping[PartyId, bytes] | None]:
    """Hand each protocol its slice; the last one of a sender takes what is left, so that it sees a wrong size."""
    if len(wanted) == 1:
        return dict.fromkeys(wanted, merged)
    offsets = dict.fromkeys(merged, 0)
    last = {sender: index for index, exchange in wanted.items() for sender in exchange.incoming}
    parts: dict[int, Mapping[PartyId, bytes] | None] = {}
    for index, exchange in wanted.items():
        part = {}
        for sender, size in exchange.incoming.items():
            if sender in merged:
                start = offsets[sender]
                part[sender] = (
                    merged[sender][start:] if last[sender] == index else merged[sender][start : start + size]
                )
                offsets[sender] = start + size
        parts[index] = part
    return parts
