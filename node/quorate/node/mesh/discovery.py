"""Finding peers: addresses we were given, addresses that peers tell, and the local network.

Bootstrap addresses are kept connected, each with its own backoff. While fewer than `wanted_peers` are connected,
connected peers are asked for the addresses they know (protocol /quorate/peers/1: the opener sends nothing, the
other end answers with newline-separated multiaddrs and ends the stream), and known peers are dialled. What a peer
tells is only a hint: Noise proves who answers at an address, and `believable` keeps strangers from naming
addresses of our own machine or site.
"""

from __future__ import annotations

import logging
import random
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import trio

from quorate.node.errors import NetworkError

from .addresses import Reach, believable, reach_of, split_address
from .config import DiscoveryConfig
from .transport import ByteStream

if TYPE_CHECKING:
    from .mesh import Mesh

PEERS_PROTOCOL: Final = "/quorate/peers/1"
_MOST_ADDRESSES_PER_PEER: Final = 8
_MOST_TOLD_PEERS: Final = 64
_MOST_TOLD_BYTES: Final = 32 * 1024
_EXCHANGE_S: Final = 5.0
_MOST_DIALS: Final = 4
_MOST_BACKOFFS: Final = 4096
_log = logging.getLogger(__name__)


class AddressBook:
    """The latest addresses of the latest peers, both bounded; the oldest is forgotten first."""

    def __init__(self, most_peers: int) -> None:
        self._most_peers = most_peers
        self._known: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def add(self, peer: str, addresses: Iterable[str]) -> None:
        """Remember addresses of `peer`, the best one last."""
        known = self._known.setdefault(peer, OrderedDict())
        self._known.move_to_end(peer)
        for address in addresses:
            known[address] = None
            known.move_to_end(address)
        while len(known) > _MOST_ADDRESSES_PER_PEER:
            known.popitem(last=False)
        while len(self._known) > self._most_peers:
            self._known.popitem(last=False)

    def addresses(self, peer: str) -> list[str]:
        """The addresses of `peer`, latest first."""
        return list(reversed(self._known.get(peer, OrderedDict())))

    def peers(self) -> list[str]:
        """Everyone with an address, latest first."""
        return list(reversed(self._known))


class Backoff:
    """When a peer that did not answer may be tried again; doubles with every failure."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = first_s
        self._most_s = most_s
        self._next: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def may_try(self, peer: str) -> bool:
        """Whether its time has come."""
        return trio.current_time() >= self._next.get(peer, (0.0, 0.0))[0]

    def failed(self, peer: str) -> None:
        """Wait twice as long as last time."""
        _, last = self._next.pop(peer, (0.0, 0.0))
        wait = min(2 * last or self._first_s, self._most_s)
        self._next[peer] = (trio.current_time() + wait, wait)
        if len(self._next) > _MOST_BACKOFFS:
            self._next.popitem(last=False)

    def worked(self, peer: str) -> None:
        """Forget its failures."""
        self._next.pop(peer, None)


class Discovery:
    """Keeps a mesh connected; run by the mesh."""

    def __init__(self, mesh: Mesh, config: DiscoveryConfig) -> None:
        self.book = AddressBook(config.most_known_peers)
        self._mesh = mesh
        self._config = config
        self._backoff = Backoff(config.retry_s, config.most_retry_s)
        self._bootstrap = {split_address(address)[1] for address in config.bootstrap}
        self._found = trio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        if self._config.exchange:
            self._mesh.serve(PEERS_PROTOCOL, self._tell, most_streams_per_peer=2)
        async with trio.open_nursery() as nursery:
            for address in self._config.bootstrap:
                nursery.start_soon(self._keep_connected, address)
            if self._config.exchange:
                nursery.start_soon(self._ask_forever)
            if self._config.exchange or self._config.mdns:
                nursery.start_soon(self._dial_forever)
            if self._config.mdns:
                from .mdns import announce_and_browse

                nursery.start_soon(announce_and_browse, self._mesh.addresses, self._heard_on_site)
            await trio.sleep_forever()

    # --- the addresses we were given

    async def _keep_connected(self, address: str) -> None:
        _, peer = split_address(address)
        wait = self._config.retry_s
        while peer != self._mesh.peer_id:
            try:
                await self._mesh.connect(address)
                wait = self._config.retry_s
            except NetworkError as error:
                _log.info("bootstrap %s: %s", address, error)
                wait = min(2 * wait, self._config.most_retry_s)
            await trio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret

    # --- what peers tell

    async def _tell(self, stream: ByteStream) -> None:
        """Answer with the addresses of our other peers."""
        others = [peer for peer in self._mesh.peers() if peer != stream.peer_id]
        told = [
            address
            for peer in random.sample(others, min(len(others), _MOST_TOLD_PEERS))
            for address in self._mesh.known_addresses(peer)[:2]
        ]
        with trio.move_on_after(_EXCHANGE_S):
            await stream.send("\n".join(told).encode()[:_MOST_TOLD_BYTES])
            stream.end_sending()

    async def _ask_forever(self) -> None:
        while True:
            peers = self._mesh.peers()
            if peers and len(peers) < self._config.wanted_peers:
                peer = random.choice(peers)  # noqa: S311  # spreads the load, guards nothing
                try:
                    with trio.move_on_after(_EXCHANGE_S):
                        await self._ask(peer)
                except NetworkError as error:
                    _log.debug("asking %s for peers: %s", peer, error)
                await trio.sleep(self._config.exchange_s * random.uniform(0.5, 1.0))  # noqa: S311
            else:
                await self._mesh.wait_for_change(self._config.exchange_s)

    async def _ask(self, peer: str) -> None:
        host = self._mesh.remote_host(peer)
        stream = await self._mesh.open_stream(peer, PEERS_PROTOCOL, timeout_s=_EXCHANGE_S)
        stream.end_sending()
        told = bytearray()
        while (data := await stream.receive()) and len(told) <= _MOST_TOLD_BYTES:
            told += data
        stream.close()
        lines = told[:_MOST_TOLD_BYTES].decode(errors="replace").split("\n")
        self.learn(lines[: 2 * _MOST_TOLD_PEERS], reach_of(host))

    def learn(self, addresses: Iterable[str], teller: Reach) -> None:
        """Remember those of `addresses` that a peer at `teller` may name."""
        for address in addresses:
            if believable(address, teller):
                peer = split_address(address)[1]
                if peer != self._mesh.peer_id:
                    self.book.add(peer, [address])
                    self._found.set()

    def _heard_on_site(self, addresses: list[str]) -> None:
        self.learn(addresses, Reach.MACHINE)

    # --- dialling whom we know

    async def _dial_forever(self) -> None:
        while True:
            candidates = self._candidates()
            async with trio.open_nursery() as nursery:
                for peer in candidates:
                    nursery.start_soon(self._try, peer)
            self._found = trio.Event()
            if not self._candidates():
                with trio.move_on_after(self._config.retry_s):
                    await self._found.wait()

    def _candidates(self) -> list[str]:
        missing = self._config.wanted_peers - len(self._mesh.peers())
        known = [
            peer
            for peer in self.book.peers()
            if peer not in self._bootstrap and not self._mesh.is_connected(peer) and self._backoff.may_try(peer)
        ]
        return known[: max(0, min(missing, _MOST_DIALS))]

    async def _try(self, peer: str) -> None:
        try:
            await self._mesh.connect_peer(peer)
            self._backoff.worked(peer)
        except NetworkError as error:
            _log.debug("discovery: %s", error)
            self._backoff.failed(peer)
