"""The data plane of a committee: one long-lived stream for every pair of parties, and nothing else on it.

The lower party of a pair dials. Both ends know from the session's table which peer id every party must have, and
Noise has proved which one is there; whoever says hello for a party with another peer id is cut and logged, and
the wait for the right one goes on. After the hellos every message carries epoch, operation, sequence and length,
and the first that is out of place ends the stream with a PeerFault that names the party.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from quorate.node.errors import NetworkError
from quorate.node.mesh.errors import ChannelError, StreamBroken
from quorate.node.mesh.scopes import service_nursery, shielded
from quorate.node.mesh.transport import ByteStream, Network
from quorate.protocol.errors import PartyFault

from .framing import Channel, ChannelConfig
from .rendezvous import rendezvous_of
from .setup import Setup
from .wire import (
    HEADER_BYTES,
    MOST_EPOCH,
    MOST_OPERATION,
    MOST_PARTY,
    MOST_SEQUENCE,
    SESSION_ID_BYTES,
    Hello,
    check_header,
    encode_header,
)


class PeerFault(PartyFault):
    """Party `party`, who is `peer`, broke the session or went silent; `reason` says how."""

    def __init__(self, peer: str, party: int, reason: str) -> None:
        super().__init__(party, f"{reason} (peer {peer})")
        self.peer = peer


class SessionSetupFailed(NetworkError):
    """Not every party came; `missing` says, by party, why there is no stream with it."""

    def __init__(self, missing: Mapping[int, str], seconds: float) -> None:
        parties = ", ".join(f"party {party} ({reason})" for party, reason in sorted(missing.items()))
        super().__init__(
            f"the session was not complete after {seconds:g} s",
            why=f"no stream with {parties}",
            todo="check that these parties run and can be reached, or report the fault and start another session",
        )
        self.missing = dict(missing)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """The bounds of one session, in bytes and seconds."""

    most_message_bytes: int = 256 * 1024 * 1024
    most_ahead_bytes: int = 512 * 1024 * 1024
    """What a party may have sent that we have not used yet; one that sends more is cut."""
    most_queued_out_bytes: int = 64 * 1024 * 1024
    heartbeat_s: float = 1.0
    silence_s: float = 6.0
    close_s: float = 5.0

    def channel_config(self) -> ChannelConfig:
        """The same bounds for one channel."""
        return ChannelConfig(
            most_message_bytes=self.most_message_bytes + HEADER_BYTES,
            most_queued_out_bytes=self.most_queued_out_bytes,
            most_queued_in_bytes=self.most_ahead_bytes,
            cut_when_full=True,
            heartbeat_s=self.heartbeat_s,
            silence_s=self.silence_s,
            close_s=self.close_s,
        )


class _Link:
    """One pair's stream, its channel and its two sequences."""

    def __init__(self, party: int, stream: ByteStream, epoch: int, limits: SessionLimits) -> None:
        self.party = party
        self.channel = Channel(stream, limits.channel_config(), inspect=self._inspect)
        self._epoch = epoch
        self._next_in = self._next_out = 0

    def _inspect(self, message: bytes) -> None:
        check_header(message, epoch=self._epoch, sequence=self._next_in)
        self._next_in += 1

    async def send(self, payload: bytes, operation: int) -> None:
        if self._next_out > MOST_SEQUENCE:
            raise ValueError("the sequence of this stream is used up; start a new epoch")
        head = encode_header(epoch=self._epoch, operation=operation, sequence=self._next_out, size=len(payload))
        self._next_out += 1
        await self.channel.send(head + payload)


@dataclass(frozen=True, slots=True)
class SessionMessage:
    """A payload and the operation it belongs to."""

    operation: int
    payload: bytes


class SessionTransport:
    """Ordered, authenticated messages between the parties of one session; made by `open_session`.

    A party that breaks its stream, ends it or falls silent raises PeerFault at every `send` and `receive` that
    concerns it; messages that it sent before are still delivered first.
    """

    def __init__(
        self,
        session_id: bytes,
        *,
        party: int,
        epoch: int,
        links: Mapping[int, _Link],
        absent: Mapping[int, tuple[str, str]] | None = None,
    ) -> None:
        """`absent` are parties that never came: their peer ids, and why."""
        self.session_id = session_id
        self.party = party
        self.epoch = epoch
        self._links = links
        self._absent = dict(absent or {})

    @property
    def parties(self) -> list[int]:
        """The other parties."""
        return sorted({*self._links, *self._absent})

    async def send(self, party: int, payload: bytes, *, operation: int = 0) -> None:
        """Queue `payload` for `party`, waiting while its queue is full; PeerFault when its stream is over."""
        if not 0 <= operation <= MOST_OPERATION:
            raise ValueError(f"an operation is 0..{MOST_OPERATION}, not {operation}")
        link = self._link(party)
        try:
            await link.send(payload, operation)
        except (StreamBroken, ChannelError) as error:
            raise self._fault(link, error.reason) from error

    async def receive(self, party: int) -> bytes:
        """The next payload of `party`; PeerFault when none can come any more."""
        return (await self.receive_message(party)).payload

    async def receive_message(self, party: int) -> SessionMessage:
        """The next payload of `party` with its operation; PeerFault when none can come any more."""
        link = self._link(party)
        try:
            message = await link.channel.receive()
        except trio.EndOfChannel:
            raise self._fault(link, "it left the session") from None
        except (StreamBroken, ChannelError) as error:
            raise self._fault(link, error.reason) from error
        return SessionMessage(int.from_bytes(message[2:4], "little"), message[HEADER_BYTES:])

    def faults(self) -> dict[int, str]:
        """The parties whose streams failed so far, with the reasons."""
        absent = {party: f"it never came: {reason}" for party, (_, reason) in self._absent.items()}
        broken = {party: link.channel.failure for party, link in self._links.items() if link.channel.failure}
        return absent | broken

    def traffic(self) -> dict[int, tuple[int, int]]:
        """By party: bytes in and bytes out, headers and heartbeats included."""
        return {
            party: (link.channel.statistics.bytes_in, link.channel.statistics.bytes_out)
            for party, link in self._links.items()
        }

    def _link(self, party: int) -> _Link:
        if party in self._absent:
            peer, reason = self._absent[party]
            raise PeerFault(peer, party, f"it never came: {reason}")
        return self._links[party]

    @staticmethod
    def _fault(link: _Link, reason: str) -> PeerFault:
        return PeerFault(link.channel.peer_id, link.party, reason)


@asynccontextmanager
async def open_session(
    network: Network,
    session_id: bytes,
    *,
    party: int,
    table: Mapping[int, str],
    epoch: int = 0,
    setup_s: float = 20.0,
    limits: SessionLimits | None = None,
    most_absent: int = 0,
) -> AsyncIterator[SessionTransport]:
    """A transport to every other party of `table` (party -> peer id, ourselves included).

    Raises SessionSetupFailed when more than `most_absent` parties are missing after `setup_s`; those that are
    missing otherwise are faulty from the beginning. The exit sends what is queued, then ends
    the streams.
    """
    _check_arguments(network, session_id, party, table, epoch)
    bounds = limits or SessionLimits()
    setup = Setup(network, Hello(session_id, epoch, party, 0), table)
    missing = await setup.complete(setup_s, most_absent=most_absent)
    if len(missing) > most_absent:
        raise SessionSetupFailed(missing, setup_s)
    links = {other: _Link(other, stream, epoch, bounds) for other, stream in setup.streams.items()}
    async with setup, service_nursery() as nursery:
        for link in links.values():
            await nursery.start(link.channel.run)
        try:
            absent = {other: (table[other], reason) for other, reason in missing.items()}
            yield SessionTransport(session_id, party=party, epoch=epoch, links=links, absent=absent)
        finally:
            with shielded():
                async with trio.open_nursery() as closing:
                    for link in links.values():
                        closing.start_soon(link.channel.aclose)


def _check_arguments(
    network: Network, session_id: bytes, party: int, table: Mapping[int, str], epoch: int
) -> None:
    if len(session_id) != SESSION_ID_BYTES:
        raise ValueError(f"a session id has {SESSION_ID_BYTES} bytes, not {len(session_id)}")
    if not 0 <= epoch <= MOST_EPOCH:
        raise ValueError(f"an epoch is 0..{MOST_EPOCH}, not {epoch}")
    if not all(1 <= each <= MOST_PARTY for each in table):
        raise ValueError(f"parties are 1..{MOST_PARTY}")
    if table.get(party) != network.peer_id:
        raise ValueError(f"party {party} of the table is not this node")
    if len(set(table.values())) != len(table):
        raise ValueError("two parties of the table are the same peer")


def expect_sessions(network: Network) -> None:
    """Serve the session protocol on `network` from now on, so that parties that open a session first can wait."""
    rendezvous_of(network)
