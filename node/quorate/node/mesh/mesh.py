"""The mesh of one node: connections, streams, protocols served, gossip and discovery, in one nursery."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import cast

import trio
from libp2p.abc import INetConn, INetStream
from libp2p.custom_types import TProtocol
from libp2p.exceptions import BaseLibp2pError
from libp2p.network.stream.net_stream import NetStream
from libp2p.peer.id import ID
from libp2p.stream_muxer.exceptions import MuxedStreamError
from multiaddr import Multiaddr

from .addresses import believable, listen_address, reach_of, split_address
from .config import GossipConfig, MeshConfig
from .discovery import Discovery
from .errors import DialFailed, ListenFailed, MeshClosed, StreamOpenFailed
from .gossip import Gossip, run_gossip
from .identity import public_key_of
from .negotiation import NegotiationFailed, choose
from .received import Received, Validator
from .scopes import service_nursery, shielded
from .service import contained
from .stream import Stream
from .swarm import Admission, MeshHost, MeshNotifee, MeshSwarm, key_pair, prepare_libp2p
from .yamux import Yamux
from .yamux_stream import YamuxStream

Handler = Callable[[Stream], Awaitable[None]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MeshStatistics:
    """A snapshot of counters."""

    peers: int
    connections: int
    streams: int
    handshakes: int
    handshakes_evicted: int
    connections_refused: int
    streams_refused: int
    handler_failures: int
    unread_bytes: int
    bytes_in: int
    bytes_out: int
    gossip_dropped: dict[str, int]


class Mesh:
    """What a node sees of the network; made by `open_mesh`, which also closes it."""

    def __init__(self, host: MeshHost, swarm: MeshSwarm, gossip: Gossip | None, config: MeshConfig) -> None:
        self._host = host
        self._swarm = swarm
        self._gossip = gossip
        self._config = config
        self._dialling: dict[str, trio.Lock] = {}
        self._serving: dict[str, Counter[str]] = {}
        self._streams_refused = 0
        self._peers_changed = trio.Event()
        self.closed = False
        self.discovery = Discovery(self, config.discovery)
        host.on_identified = self._on_identified
        swarm.register_notifee(MeshNotifee(self._on_change, self._on_change))

    # --- who we are and whom we know

    @property
    def peer_id(self) -> str:
        """Our own peer id."""
        return str(self._swarm.self_id)

    @property
    def public_key(self) -> bytes:
        """Our raw Ed25519 public key, 32 bytes."""
        return public_key_of(self.peer_id)

    @property
    def addresses(self) -> list[str]:
        """What others can dial: multiaddrs with /p2p/."""
        return [str(address) for address in self._host.get_addrs()]

    def peers(self) -> list[str]:
        """The peer ids with an open connection."""
        return [str(peer) for peer in [*self._swarm.connections] if self._swarm.live_connections(peer)]

    def is_connected(self, peer: str) -> bool:
        """Whether a connection with `peer` is open."""
        return bool(self._swarm.live_connections(ID.from_string(peer)))

    def known_addresses(self, peer: str) -> list[str]:
        """Where `peer` says that it listens, as multiaddrs with /p2p/."""
        return self.discovery.book.addresses(peer)

    async def wait_for_peers(self, count: int) -> None:
        """Wait until at least `count` peers are connected."""
        while len(self.peers()) < count:
            await self._peers_changed.wait()

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until a connection begins or ends, or `timeout_s` has passed."""
        with trio.move_on_after(timeout_s):
            await self._peers_changed.wait()

    def remote_host(self, peer: str) -> str:
        """The IP address at which `peer` is connected, or "" when it is not."""
        for conn in self._swarm.live_connections(ID.from_string(peer)):
            address = cast(Yamux, conn.muxed_conn).get_remote_address()
            if address is not None:
                return address[0]
        return ""

    async def wait_for_neighbours(self, topic: str, count: int) -> None:
        """Wait until `topic` reaches us from at least `count` peers."""
        while self._gossip is None or len(self._gossip.neighbours(topic)) < count:
            await trio.sleep(0.05)

    def _on_identified(self, peer: str, addresses: list[str]) -> None:
        reach = reach_of(self.remote_host(peer))
        self.discovery.book.add(peer, [each for each in reversed(addresses) if believable(each, reach)])

    def _on_change(self, conn: INetConn) -> None:
        self._peers_changed.set()
        self._peers_changed = trio.Event()

    # --- connections

    async def connect(self, address: str, *, timeout_s: float | None = None) -> str:
        """Connect to a multiaddr with /p2p/, unless connected already; returns its peer id.

        Raises AddressInvalid, and DialFailed when it does not answer in time or is somebody else.
        """
        transport, peer = split_address(address)
        self.discovery.book.add(peer, [address])
        await self._dial(peer, [transport], timeout_s)
        return peer

    async def connect_peer(self, peer: str, *, timeout_s: float | None = None) -> None:
        """Connect to a peer whose addresses are known; DialFailed when none answers."""
        known = [split_address(address)[0] for address in self.known_addresses(peer)]
        if not known and not self.is_connected(peer):
            raise DialFailed(peer, "no address of it is known")
        await self._dial(peer, known, timeout_s)

    async def _dial(self, peer: str, addresses: list[Multiaddr], timeout_s: float | None) -> None:
        if self.closed:
            raise MeshClosed(f"cannot connect to {peer}")
        limit = self._config.dial_s if timeout_s is None else timeout_s
        lock = self._dialling.setdefault(peer, trio.Lock())
        try:
            with trio.fail_after(limit):
                async with lock:
                    if not self.is_connected(peer):
                        await self._dial_each(peer, addresses)
        except trio.TooSlowError as error:
            raise DialFailed(peer, f"no answer within {limit:g} s") from error
        finally:
            if not lock.statistics().tasks_waiting and not lock.locked():
                self._dialling.pop(peer, None)

    async def _dial_each(self, peer: str, addresses: list[Multiaddr]) -> None:
        reasons: list[str] = []
        for address in addresses:
            try:
                await self._swarm.dial(address, ID.from_string(peer))
                return
            except (BaseLibp2pError, OSError) as error:
                reasons.append(f"{address}: {error}")
        raise DialFailed(peer, "; ".join(reasons))

    async def disconnect(self, peer: str) -> None:
        """Close all connections with `peer`."""
        for conn in self._swarm.live_connections(ID.from_string(peer)):
            await conn.close()

    # --- streams

    async def open_stream(self, peer: str, protocol: str, *, timeout_s: float = 10.0) -> Stream:
        """A new stream of `protocol` with `peer`, dialling it when it is not connected but known.

        Raises DialFailed, and StreamOpenFailed when the peer gives none within `timeout_s`.
        """
        if not self.is_connected(peer):
            await self.connect_peer(peer, timeout_s=timeout_s)
        connections = self._swarm.live_connections(ID.from_string(peer))
        if not connections:
            raise StreamOpenFailed(peer, protocol, "the connection closed again")
        muxed: YamuxStream | None = None
        try:
            with trio.fail_after(timeout_s):
                connection = connections[-1].muxed_conn
                assert isinstance(connection, Yamux)
                muxed = await connection.open_stream()
                await choose(muxed, protocol)
        except BaseException as error:
            if muxed is not None:
                muxed.abandon()
            if isinstance(error, trio.TooSlowError):
                raise StreamOpenFailed(peer, protocol, f"no answer within {timeout_s:g} s") from error
            if isinstance(error, MuxedStreamError | NegotiationFailed):
                raise StreamOpenFailed(peer, protocol, str(error)) from error
            raise
        return Stream(muxed, peer, protocol)

    def serve(
        self,
        protocol: str,
        handler: Handler,
        *,
        allow: Callable[[str], bool] | None = None,
        most_streams_per_peer: int = 32,
    ) -> None:
        """Run `handler(stream)` for every inbound stream of `protocol`; the stream ends when it returns.

        `allow(peer_id)` is asked first; who is refused, or has `most_streams_per_peer` open, gets a reset.
        An exception of the handler is logged and resets its stream; nothing else. A handler whose peer is gone
        learns it at its next `receive` or `send`.
        """
        if protocol in self._serving:
            raise ValueError(f"{protocol} is served already")
        counts = self._serving[protocol] = Counter()

        async def guarded(net_stream: INetStream) -> None:
            assert isinstance(net_stream, NetStream)
            muxed = net_stream.muxed_stream
            assert isinstance(muxed, YamuxStream)
            peer = str(muxed.muxed_conn.peer_id)
            if counts[peer] >= most_streams_per_peer or (allow is not None and not allow(peer)):
                self._streams_refused += 1
                muxed.abandon()
                return
            counts[peer] += 1
            try:
                await handler(Stream(muxed, peer, protocol))
            finally:
                counts[peer] -= 1
                if not counts[peer]:
                    del counts[peer]

        self._host.set_stream_handler(TProtocol(protocol), guarded)

    def stop_serving(self, protocol: str) -> None:
        """Refuse new streams of `protocol`; open ones go on."""
        if self._serving.pop(protocol, None) is not None:
            self._host.remove_stream_handler(TProtocol(protocol))

    # --- gossip

    async def publish(self, topic: str, data: bytes) -> None:
        """Sign `data` and spread it to everyone who subscribes to `topic`.

        Raises MessageTooLarge above `GossipConfig.most_message_bytes`.
        """
        await self._gossiping().publish(topic, data)

    def subscribe(
        self, topic: str, validator: Validator | None = None
    ) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[Received]]:
        """Receive what others publish on `topic`, and what we do, while the block runs.

        Only messages that `validator` accepts are delivered and forwarded; it must be quick. The channel holds
        `GossipConfig.most_queued_in`; more are dropped and counted.
        """
        return self._gossiping().subscribe(topic, validator)

    def subscribers(self, topic: str) -> list[str]:
        """The peers that subscribe to `topic`, as far as we know."""
        return self._gossiping().peers(topic)

    def _gossiping(self) -> Gossip:
        if self._gossip is None:
            raise ValueError("gossip is switched off in this configuration")
        return self._gossip

    def statistics(self) -> MeshStatistics:
        """A snapshot of counters."""
        muxed = [
            conn.muxed_conn
            for peer in [*self._swarm.connections]
            for conn in self._swarm.live_connections(peer)
            if isinstance(conn.muxed_conn, Yamux)
        ]
        return MeshStatistics(
            peers=len(self.peers()),
            connections=len(muxed),
            streams=sum(len(each.streams) for each in muxed),
            handshakes=len(self._swarm.gate.handshakes),
            handshakes_evicted=self._swarm.gate.evicted,
            connections_refused=self._swarm.gate.refused,
            streams_refused=self._streams_refused + sum(each.streams_refused for each in muxed),
            handler_failures=self._host.handler_failures,
            unread_bytes=self._swarm.unread.total,
            bytes_in=sum(each.secured_conn.bytes_in for each in muxed),
            bytes_out=sum(each.secured_conn.bytes_out for each in muxed),
            gossip_dropped=dict(self._gossip.dropped) if self._gossip is not None else {},
        )


@asynccontextmanager
async def run_mesh(private_key: bytes, config: MeshConfig, *, allow: Admission | None) -> AsyncIterator[Mesh]:
    """See `quorate.node.mesh.open_mesh`."""
    prepare_libp2p()
    listen = [listen_address(text) for text in config.listen]
    for text in config.discovery.bootstrap:
        split_address(text)
    async with service_nursery() as nursery:
        swarm = MeshSwarm(key_pair(private_key), config, nursery, allow=allow)
        host = MeshHost(swarm, config, nursery)
        async with contained(swarm):
            for address in listen:
                await _listen(swarm, address)
            async with (
                _gossip(host, config.gossip) as gossip,
                _running(Mesh(host, swarm, gossip, config), nursery) as mesh,
            ):
                yield mesh


@asynccontextmanager
async def _gossip(host: MeshHost, config: GossipConfig) -> AsyncIterator[Gossip | None]:
    if not config.enabled:
        yield None
        return
    async with run_gossip(host, config) as gossip:
        yield gossip


async def _listen(swarm: MeshSwarm, address: Multiaddr) -> None:
    try:
        listening = await swarm.listen(address)
    except* ListenFailed as group:
        raise group.exceptions[0] from None
    if not listening:
        raise ListenFailed(str(address), "libp2p refused it")


@asynccontextmanager
async def _running(mesh: Mesh, nursery: trio.Nursery) -> AsyncIterator[Mesh]:
    nursery.start_soon(mesh.discovery.run)
    try:
        yield mesh
    finally:
        mesh.closed = True
        for peer in mesh.peers():
            with shielded(1.0):
                await mesh.disconnect(peer)
