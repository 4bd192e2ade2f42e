"""Every number of the mesh that has a name: limits, deadlines, addresses."""

from __future__ import annotations

from dataclasses import dataclass, field

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundLimits:
    """How many connections and streams strangers may hold, and for how long they may dither.

    A full handshake table evicts its oldest entry instead of refusing the newest, so sockets that say nothing
    cannot keep anyone out.
    """

    handshake_s: float = 8.0
    """From accept to a multiplexed connection; whoever is not done by then is cut."""
    first_byte_s: float = 3.0
    """From accept to the first byte of the peer."""
    most_handshakes: int = 256
    most_handshakes_per_ip: int = 64
    most_connections: int = 512
    most_connections_per_ip: int = 128
    most_connections_per_peer: int = 4
    most_streams_per_connection: int = 256
    """Inbound streams open at once on one connection; one more is reset at once."""
    negotiation_s: float = 8.0
    """From the opening of a stream to the name of its protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MuxerLimits:
    """Flow control and liveness of one connection, in bytes and seconds.

    256 KiB is the window that yamux gives a stream without asking. Only streams that carry bulk grow to
    `window_bytes`, and only while the connection as a whole stays under `most_granted_bytes`.
    """

    window_bytes: int = 4 * MIB
    most_granted_bytes: int = 96 * MIB
    """Credit of one connection, over all its streams, above which no window grows any more."""
    most_unread_bytes: int = 512 * MIB
    """What all connections of a mesh together may have received and not yet read."""
    congested_bytes: int = 256 * KIB
    """Sealed and unsent bytes above which writers wait."""
    most_backlog_bytes: int = 16 * MIB
    """Sealed and unsent bytes above which the peer counts as one that does not read."""
    ping_s: float = 1.0
    silence_s: float = 6.0
    """A peer from which nothing at all came for this long, pings included, is cut."""
    most_streams_out: int = 256
    linger_s: float = 30.0
    """A stream that we closed and the peer did not is reset after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GossipConfig:
    """Gossipsub 1.1 as measured: hashes and small signed messages, about 20 a second."""

    enabled: bool = True
    degree: int = 6
    degree_low: int = 4
    degree_high: int = 12
    heartbeat_s: float = 1.0
    most_message_bytes: int = 64 * KIB
    most_topics: int = 64
    most_messages_per_s: int = 200
    """From one forwarder, over all topics; the rest is dropped and counted."""
    most_queued_out: int = 4096
    """Messages waiting for one peer."""
    most_queued_in: int = 4096
    """Messages waiting for one subscriber of ours; the newest is dropped and counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryConfig:
    """How peers are found: fixed addresses, the local network, and what known peers tell."""

    bootstrap: tuple[str, ...] = ()
    """Multiaddrs with /p2p/; kept connected, with backoff."""
    mdns: bool = False
    exchange: bool = True
    """Ask connected peers for the addresses of theirs while we have fewer than `wanted_peers`."""
    wanted_peers: int = 16
    most_known_peers: int = 512
    retry_s: float = 1.0
    most_retry_s: float = 60.0
    exchange_s: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshConfig:
    """Everything that `open_mesh` needs besides the identity."""

    listen: tuple[str, ...] = ("/ip4/127.0.0.1/tcp/0",)
    """Multiaddrs without /p2p/; port 0 takes a free one."""
    announce: tuple[str, ...] = ()
    """Addresses to tell others instead of the ones listened on (behind a NAT or in a container)."""
    dial_s: float = 10.0
    inbound: InboundLimits = field(default_factory=InboundLimits)
    muxer: MuxerLimits = field(default_factory=MuxerLimits)
    gossip: GossipConfig = field(default_factory=GossipConfig)
    discovery: DiscoveryConfig = field(default_factory=DiscoveryConfig)
