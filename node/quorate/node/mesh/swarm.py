"""libp2p's swarm and host, with Noise and our yamux only, and our own count of who may connect."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, Final, cast

import trio
from libp2p.abc import IMuxedConn, INetConn, INetStream, INetwork, INotifee, ISecureConn
from libp2p.crypto.ed25519 import Ed25519PrivateKey
from libp2p.crypto.keys import KeyPair
from libp2p.custom_types import TProtocol
from libp2p.host.basic_host import BasicHost, _IdentifyNotifee
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.trio import TrioTCPStream
from libp2p.network.config import ConnectionConfig, RetryConfig
from libp2p.network.connection import swarm_connection
from libp2p.network.connection.raw_connection import RawConnection
from libp2p.network.connection.swarm_connection import SwarmConn
from libp2p.network.exceptions import SwarmException
from libp2p.network.stream.net_stream import NetStream
from libp2p.network.swarm import Swarm
from libp2p.peer.id import ID
from libp2p.peer.peerstore import PeerStore
from libp2p.stream_muxer.muxer_multistream import MuxerMultistream
from libp2p.transport.manager import TransportManager
from libp2p.transport.upgrader import TransportUpgrader
from multiaddr import Multiaddr

from .addresses import expand_wildcard, transport_address
from .admission import InboundGate
from .config import MeshConfig
from .noise import NOISE_PROTOCOL, NoiseSession, NoiseTransport
from .tcp import TcpTransport
from .unread import UnreadLedger
from .yamux import Yamux
from .yamux_stream import YamuxStream

YAMUX_PROTOCOL: Final = TProtocol("/yamux/1.0.0")
LIBP2P_VERSION: Final = "0.8.1"
"""The libp2p whose swarm, host and gossip are subclassed here; another version needs this room's tests first."""
_IDENTIFY_S: Final = 15.0
_MOST_IDENTIFIED: Final = 8
_log = logging.getLogger(__name__)

Admission = Callable[[str], bool]


def prepare_libp2p() -> None:
    """Refuse to run over a libp2p that these subclasses were not tested with; stop it from writing to stderr.

    With LIBP2P_DEBUG in the environment it writes as it likes.
    """
    found = version("libp2p")
    if found != LIBP2P_VERSION:
        raise RuntimeError(
            f"the mesh is built on libp2p {LIBP2P_VERSION}, and {found} is installed: "
            f"install libp2p=={LIBP2P_VERSION}"
        )
    log = logging.getLogger("libp2p")
    if "LIBP2P_DEBUG" not in os.environ:
        log.addHandler(logging.NullHandler())
        log.setLevel(logging.CRITICAL)
    # this module of libp2p logs through the root logger, which configures logging for the whole program
    cast(Any, swarm_connection).logging = logging.getLogger("libp2p.network.connection")


class MeshMuxers(MuxerMultistream):
    """Negotiates yamux, nothing else, and makes our connection of it."""

    def __init__(self, config: MeshConfig, unread: UnreadLedger) -> None:
        super().__init__({YAMUX_PROTOCOL: cast(Any, Yamux)}, int(config.inbound.handshake_s))
        self._config = config
        self._unread = unread

    async def new_conn(self, conn: ISecureConn, peer_id: ID) -> IMuxedConn:
        """The multiplexed connection over `conn`."""
        await self.select_transport(cast(Any, conn))
        return Yamux(
            cast(NoiseSession, conn),
            peer_id,
            limits=self._config.muxer,
            most_streams_in=self._config.inbound.most_streams_per_connection,
            unread=self._unread,
        )


class MeshSwarm(Swarm):
    """A swarm that counts inbound connections itself and asks `allow` about every peer id."""

    def __init__(
        self, keys: KeyPair, config: MeshConfig, nursery: trio.Nursery, *, allow: Admission | None
    ) -> None:
        upgrader = TransportUpgrader({NOISE_PROTOCOL: NoiseTransport(keys)}, {})
        self.unread = UnreadLedger(config.muxer.most_unread_bytes)
        upgrader.muxer_multistream = MeshMuxers(config, self.unread)
        peer_id = ID.from_pubkey(keys.public_key)
        peers = PeerStore()
        peers.add_key_pair(peer_id, keys)
        super().__init__(
            peer_id,
            peers,
            upgrader,
            transports=[TcpTransport(nursery)],
            retry_config=RetryConfig(max_retries=0),
            connection_config=_connection_config(config),
            transport_manager=TransportManager(),
        )
        self.gate = InboundGate(config.inbound)
        self._limits = config.inbound
        self._allow = allow

    def admits(self, peer_id: ID) -> bool:
        """Whether a connection with `peer_id` is wanted."""
        return peer_id != self.self_id and (self._allow is None or self._allow(str(peer_id)))

    async def _handle_inbound_connection(self, read_write_closer: ReadWriteCloser, maddr: Multiaddr) -> None:
        """Carry a connection from accept to its end, within the limits."""
        tcp = cast(TrioTCPStream, read_write_closer)
        address = tcp.get_remote_address()
        if address is None:
            return
        handshake = self.gate.begin(address[0])
        muxed: Yamux | None = None
        try:
            with handshake.scope, trio.move_on_after(self._limits.handshake_s):
                muxed = await self._shake_hands(tcp)
            if muxed is not None and self.gate.admit(handshake):
                try:
                    await self.add_conn(muxed, "inbound")
                    await muxed.event_closed.wait()
                finally:
                    self.gate.leave(handshake.host)
        except Exception as error:
            _log.debug("an inbound connection from %s failed: %r", handshake.host, error)
        finally:
            self.gate.abandon(handshake)
            if muxed is not None:
                muxed.cut("the connection was refused")

    async def _shake_hands(self, tcp: TrioTCPStream) -> Yamux | None:
        """A multiplexed connection with a peer that is welcome; None when it is not."""
        with trio.move_on_after(self._limits.first_byte_s) as patience:
            if not await tcp.stream.socket.recv(1, socket.MSG_PEEK):
                return None
        if patience.cancelled_caught:
            return None
        secured = await self.upgrader.upgrade_security(RawConnection(tcp, False), False)
        peer_id = secured.get_remote_peer()
        if not self.admits(peer_id):
            return None
        if len(self.connections.get(peer_id, ())) >= self._limits.most_connections_per_peer:
            self.gate.refused += 1
            return None
        return cast(Yamux, await self.upgrader.upgrade_connection(secured, peer_id))

    async def dial(self, address: Multiaddr, peer_id: ID) -> SwarmConn:
        """A new connection to `peer_id` at `address` (without /p2p/).

        Raises SwarmException or OpenConnectionError with the reason.
        """
        if not self.admits(peer_id):
            raise SwarmException("the peer is ourselves, or not admitted here")
        transport = self.transport_manager.transport_for_dialing(address)
        if transport is None:
            raise SwarmException("only /tcp addresses can be dialled")
        raw = await transport.dial(address)
        try:
            return await self.upgrade_outbound_raw_conn(raw, peer_id)
        except BaseException:
            cast(TrioTCPStream, cast(RawConnection, raw).stream).stream.socket.close()
            raise

    async def dial_peer(self, peer_id: ID) -> list[INetConn]:
        """The connections that exist: nothing inside libp2p dials on its own."""
        connections = self.live_connections(peer_id)
        if not connections:
            raise SwarmException(f"not connected to {peer_id}")
        return cast(list[INetConn], connections)

    def _schedule_auto_connect(self) -> None:
        """Nothing: discovery is ours."""

    def live_connections(self, peer_id: ID) -> list[SwarmConn]:
        """The open connections with `peer_id`, oldest first."""
        found = cast(list[SwarmConn], self.connections.get(peer_id, []))
        return [each for each in found if not each.is_closed and not each.muxed_conn.is_closed]


def _connection_config(config: MeshConfig) -> ConnectionConfig:
    """Values that keep libp2p's own pruning, auto-connecting and limits out of the way."""
    most = config.inbound.most_connections + 1024
    return ConnectionConfig(
        max_connections=most,
        min_connections=0,
        low_watermark=0,
        high_watermark=most,
        max_connections_per_peer=config.inbound.most_connections_per_peer + 2,
        outbound_upgrade_timeout=config.dial_s,
        inbound_stream_protocol_negotiation_timeout=config.inbound.negotiation_s,
        auto_connect_interval=86400.0,
    )


class MeshNotifee(INotifee):
    """Passes on connections that begin and end."""

    def __init__(self, connected: Callable[[INetConn], None], disconnected: Callable[[INetConn], None]) -> None:
        self._connected = connected
        self._disconnected = disconnected

    async def connected(self, network: INetwork, conn: INetConn) -> None:
        """A connection is ready."""
        self._connected(conn)

    async def disconnected(self, network: INetwork, conn: INetConn) -> None:
        """A connection is gone."""
        self._disconnected(conn)

    async def opened_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to do."""

    async def closed_stream(self, network: INetwork, stream: INetStream) -> None:
        """Nothing to do."""

    async def listen(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to do."""

    async def listen_close(self, network: INetwork, multiaddr: Multiaddr) -> None:
        """Nothing to do."""


class MeshHost(BasicHost):
    """A host whose handlers cannot hurt it, and whose tasks live in a nursery instead of trio's system tasks."""

    def __init__(self, swarm: MeshSwarm, config: MeshConfig, nursery: trio.Nursery) -> None:
        announced = [transport_address(each) for each in config.announce]
        super().__init__(
            swarm,
            addrs_factory=lambda bound: announced or [each for one in bound for each in expand_wildcard(one)],
            disable_identify_address_discovery=True,
        )
        self.on_identified: Callable[[str, list[str]], None] = lambda peer, addresses: None
        self._nursery = nursery
        self.handler_failures = 0
        swarm.notifees = [each for each in swarm.notifees if not isinstance(each, _IdentifyNotifee)]
        swarm.register_notifee(MeshNotifee(self._peer_connected, self._on_notifee_disconnected))

    def _peer_connected(self, conn: INetConn) -> None:
        self._schedule_identify(conn.muxed_conn.peer_id, reason="connected")

    def _schedule_identify(self, peer_id: ID, *, reason: str) -> None:
        """Ask a new peer, once, what it is and where it listens."""
        if peer_id not in self._identify_inflight and peer_id not in self._identified_peers:
            self._identify_inflight.add(peer_id)
            self._nursery.start_soon(self._identify_contained, peer_id, reason)

    async def _identify_contained(self, peer_id: ID, reason: str) -> None:
        try:
            with trio.move_on_after(_IDENTIFY_S):
                await self._identify_peer(peer_id, reason=reason)
            if peer_id in self._identified_peers:
                found = self.peerstore.addrs(peer_id)[:_MOST_IDENTIFIED]
                suffix = f"/p2p/{peer_id}"  # the addresses of a signed record have it, the others do not
                self.on_identified(str(peer_id), [str(each).removesuffix(suffix) + suffix for each in found])
        except Exception as error:
            _log.debug("identify of %s failed: %r", peer_id, error)
        finally:
            self._identify_inflight.discard(peer_id)

    async def _swarm_stream_handler(self, net_stream: INetStream) -> None:
        """Negotiate and serve one inbound stream; whatever happens, the stream ends and the host lives."""
        muxed = cast(YamuxStream, cast(NetStream, net_stream).muxed_stream)
        try:
            await super()._swarm_stream_handler(net_stream)
        except Exception as error:
            self.handler_failures += 1
            _log.debug("the handler of %s failed: %r", net_stream.get_protocol(), error, exc_info=error)
            muxed.abandon()
        finally:
            muxed.give_up()


def key_pair(private_key: bytes) -> KeyPair:
    """libp2p's key pair of a raw Ed25519 private key (32 bytes)."""
    private = Ed25519PrivateKey.from_bytes(private_key)
    return KeyPair(private, private.get_public_key())
