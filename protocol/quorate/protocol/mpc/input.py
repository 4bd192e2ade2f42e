"""Inputs of clients that are no parties, by masks; an integer enters bit by bit, so it cannot leave its range.

Per input of `bits` bits the parties draw `bits` random shared masks r_i and send the client their shares of them.
The client reconstructs the masks, and sends every party the same masked bits m_i = b_i + r_i; then
[b_i] = m_i - [r_i]. A field element takes one mask and has no range. [Damgard, Damgard, Nielsen, Nordholt, Toft,
Confidential Benchmarking, FC 2016, for masked inputs]

Before anything is computed from them, the inputs are checked in four rounds: the parties compare digests of what
each client sent; then, the inputs being fixed, they open a random seed; then, per client, the sum of
alpha_i b_i (b_i - 1) over its bits, alpha_i from the seed. It is zero when all are bits. A client that sends a
non-bit passes with the probability of guessing alpha: below 2^-120 over a field of 224 bits or more, about 2^-60
over one of 61 bits.

A client may be malicious and learns nothing. Under passive and abort a party that lies about a digest can have an
honest client blamed, and then nobody computes. Under robust the parties agree on what counts: a message that t + 1
of them report, which those that lack it get from the others.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

import numpy as np

from quorate.protocol.errors import MalformedMessage, QuorateProtocolError
from quorate.protocol.field import Vector
from quorate.protocol.sharing import PartyId

from .logic import bits_to_integer
from .operations import inner_products, open_shares, reveal
from .party import Party, Protocol
from .preprocessing import random_shares
from .rounds import exchange_until, together
from .seeds import SEED_BYTES, Stream

MAX_INPUT_BITS: Final = 128
"""The widest integer that a client can give."""
MAX_INPUT_MASKS: Final = 1 << 14
"""The most masks of one client: 16,384 field elements or booleans, 256 integers of 64 bits."""
_DIGEST_BYTES: Final = 32
_DIGEST_DOMAIN: Final = b"quorate/masked-input/1"
_SEED_DOMAIN: Final = b"quorate/input-check/1"


class InputFault(QuorateProtocolError):
    """Client `client` (its index) gave an input that cannot be used; `reason` says why."""

    def __init__(self, client: int, reason: str) -> None:
        super().__init__(f"client {client}: {reason}")
        self.client = client
        self.reason = reason


@dataclass(frozen=True, slots=True)
class InputKind:
    """The type of one input: an integer of `bits` bits, signed (two's complement) or not; None: a field element.

    A boolean is an unsigned integer of one bit. Raises ValueError for a width out of 1..MAX_INPUT_BITS.
    """

    bits: int | None = None
    signed: bool = False

    def __post_init__(self) -> None:
        if self.bits is not None and not 1 <= self.bits <= MAX_INPUT_BITS:
            raise ValueError(f"an integer input has 1 to {MAX_INPUT_BITS} bits, not {self.bits}")

    @property
    def masks(self) -> int:
        """How many masks one such input takes."""
        return 1 if self.bits is None else self.bits

    @property
    def offset(self) -> int:
        """What is added to a value so that its bits are those of a non-negative number."""
        return 1 << (self.bits - 1) if self.bits is not None and self.signed else 0


def mask_count(kinds: Sequence[InputKind]) -> int:
    """How many masks a client's inputs take. Raises ValueError beyond MAX_INPUT_MASKS."""
    count = sum(kind.masks for kind in kinds)
    if count > MAX_INPUT_MASKS:
        raise ValueError(f"a client's inputs take {count} masks; the most is {MAX_INPUT_MASKS}")
    return count


@dataclass(frozen=True, slots=True)
class InputMasks:
    """A party's shares of one client's masks, in input order and, within an integer, from bit 0 up."""

    client: int
    kinds: tuple[InputKind, ...]
    shares: Vector = field(repr=False)


def draw_masks(party: Party, clients: Mapping[int, Sequence[InputKind]]) -> Protocol[list[InputMasks]]:
    """Fresh masks for every client's inputs, in client order; from the pool, so never used before or after.

    The party sends each client `field.to_bytes(masks.shares)`, and nobody else.
    """
    counts = {client: mask_count(kinds) for client, kinds in sorted(clients.items())}
    drawn = yield from random_shares(party, sum(counts.values()))
    result, start = [], 0
    for client, count in counts.items():
        result.append(InputMasks(client, tuple(clients[client]), drawn[start : start + count]))
        start += count
    return result


def accept_inputs(
    party: Party, masks: Sequence[InputMasks], masked: Mapping[int, bytes]
) -> Protocol[dict[int, Vector]]:
    """Shares of every client's inputs, one element an input; `masked` holds each client's message.

    Four rounds. Raises InputFault naming the first client that sent the parties different messages, malformed
    ones, or something that is not a bit; every party names the same one. Raises KeyError when a message is absent.
    """
    digests = b"".join(_digest(entry.client, masked[entry.client]) for entry in masks)
    reports, seed = yield from together(party, party.scheme.agree(party, digests), random_shares(party, 1))
    if party.scheme.guarantees_output:
        masked = yield from _complete(party, masks, masked, reports)
    else:
        _check_agreement(masks, list(reports.values()))
    unmasked = {entry.client: _unmask(party, entry, masked[entry.client]) for entry in masks}
    yield from _check_bits(party, masks, unmasked, seed=seed)
    return {entry.client: _values(party, entry.kinds, unmasked[entry.client]) for entry in masks}


def _digest(client: int, message: bytes) -> bytes:
    return hashlib.sha256(_DIGEST_DOMAIN + client.to_bytes(4, "big") + message).digest()


def _check_agreement(masks: Sequence[InputMasks], digests: Sequence[bytes]) -> None:
    for index, entry in enumerate(masks):
        if len({digest[_span(index)] for digest in digests}) > 1:
            raise InputFault(entry.client, "sent different masked inputs to different parties")


def _complete(
    party: Party, masks: Sequence[InputMasks], masked: Mapping[int, bytes], reports: Mapping[PartyId, bytes]
) -> Protocol[dict[int, bytes]]:
    """The masked inputs that count, at every honest party alike; who lacks one gets it from those that have it.

    A message counts when t + 1 parties report its digest, so that an honest one has it. An honest client's message
    always does; two that count are a client's that told the parties different things.
    """
    accepted = {entry.client: _accepted(party, entry, index, reports) for index, entry in enumerate(masks)}
    result = {}
    for index, entry in enumerate(masks):
        place = _span(index)
        holders = [speaker for speaker, report in reports.items() if report[place] == accepted[entry.client]]
        size = len(entry.shares) * party.field.size_bytes
        message = _Message(entry.client, accepted[entry.client], size)
        result[entry.client] = yield from _fetch(party, message, holders, masked[entry.client])
    return result


@dataclass(frozen=True, slots=True)
class _Message:
    """Which message of a client counts."""

    client: int
    digest: bytes
    size: int


def _fetch(party: Party, message: _Message, holders: Sequence[PartyId], own: bytes) -> Protocol[bytes]:
    """Send a client's message to those that lack it; and get it, for one that does: one round if any does."""
    lacking = [number for number in (party.identity, *party.others) if number not in holders]
    if not lacking:
        return own

    def is_right(reply: bytes) -> bool:
        return _digest(message.client, reply) == message.digest

    if party.identity in holders:
        yield from exchange_until(party, dict.fromkeys(lacking, own), {}, enough=lambda replies: True)
        return own
    sizes = dict.fromkeys(holders, message.size)
    replies = yield from exchange_until(party, {}, sizes, enough=lambda got: any(map(is_right, got.values())))
    for reply in replies.values():
        if is_right(reply):
            return reply
    raise InputFault(message.client, "sent its masked input to parties that do not pass it on")


def _accepted(party: Party, entry: InputMasks, index: int, reports: Mapping[PartyId, bytes]) -> bytes:
    """The digest of a client's message that counts. Raises InputFault for none, and for two."""
    support = Counter(report[_span(index)] for report in reports.values())
    del support[_digest(entry.client, b"")]
    counting = [digest for digest, count in support.items() if count > party.threshold]
    if not counting:
        raise InputFault(entry.client, "sent no masked input to enough parties")
    if len(counting) > 1:
        raise InputFault(entry.client, "sent different masked inputs to different parties")
    return counting[0]


def _span(index: int) -> slice:
    """Where the digest of the client at place `index` is in a report."""
    return slice(index * _DIGEST_BYTES, (index + 1) * _DIGEST_BYTES)


def _unmask(party: Party, entry: InputMasks, message: bytes) -> Vector:
    try:
        public = party.field.from_bytes(message, len(entry.shares))
    except MalformedMessage as error:
        raise InputFault(entry.client, f"sent a masked input that is malformed: {error.reason}") from None
    return party.field.sub(public, entry.shares)


def _bit_positions(kinds: Sequence[InputKind]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of a client's masked elements are bits."""
    return np.repeat([kind.bits is not None for kind in kinds], [kind.masks for kind in kinds])


def _check_bits(
    party: Party, masks: Sequence[InputMasks], unmasked: Mapping[int, Vector], *, seed: Vector
) -> Protocol[None]:
    field = party.field
    binary = {entry.client: unmasked[entry.client][_bit_positions(entry.kinds)] for entry in masks}
    binary = {client: bits for client, bits in binary.items() if len(bits)}
    if not binary:
        return
    opened = yield from open_shares(party, seed)
    key = hashlib.sha256(_SEED_DOMAIN + field.to_bytes(opened)).digest()
    stream = Stream(key[:SEED_BYTES])
    sums = []
    for bits in binary.values():
        weighted = field.mul(stream.elements(field, len(bits)), bits)
        sums.append(inner_products(party, weighted, field.add_constant(bits, -1), length=len(bits)))
    totals = yield from together(party, *sums)
    checks = yield from reveal(party, np.concatenate(totals))
    for client, check in zip(binary, checks, strict=True):
        if np.any(check):
            raise InputFault(client, "sent an input that is outside the range of its type")


def _values(party: Party, kinds: Sequence[InputKind], unmasked: Vector) -> Vector:
    """One element an input, from its bits; equal kinds in a row are put together at once."""
    values, start = [party.field.zeros(0)], 0
    for kind, run in groupby(kinds):
        length = sum(1 for _ in run)
        stop = start + length * kind.masks
        if kind.bits is None:
            values.append(unmasked[start:stop])
        else:
            table = unmasked[start:stop].reshape(length, kind.bits, party.field.limbs)
            integers = bits_to_integer(party, [table[:, position] for position in range(kind.bits)])
            values.append(party.field.add_constant(integers, -kind.offset))
        start = stop
    return np.concatenate(values)
