"""Finding peers: addresses we were given, addresses that peers tell, and the local network.

Bootstrap addresses are kept connected, each with its own backoff. While fewer than `wanted_peers` are connected,
a connected peer is asked every `exchange_s` for the addresses it knows (protocol /quorate/peers/1, one request
of zero bytes, one answer of newline-separated multiaddrs). What a peer tells is only a hint: Noise proves who
answers at an address.
"""

from __future__ import annotations

import logging
import random
from collections import OrderedDict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import trio

from .addresses import split_address
from .config import DiscoveryConfig

if TYPE_CHECKING:
    from .mesh import Mesh

PEERS_PROTOCOL: Final = "/quorate/peers/1"
_MOST_ADDRESSES_PER_PEER: Final = 8
_log = logging.getLogger(__name__)


class AddressBook:
    """The latest addresses of the latest peers, both bounded; the oldest is forgotten first."""

    def __init__(self, most_peers: int) -> None:
        self._most_peers = most_peers
        self._known: OrderedDict[str, OrderedDict[str, None]] = OrderedDict()

    def add(self, peer: str, addresses: Iterable[str]) -> None:
        """Remember addresses of `peer`."""
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


class Discovery:
    """Keeps a mesh connected; run by the mesh."""

    def __init__(self, mesh: Mesh, config: DiscoveryConfig) -> None:
        self.book = AddressBook(config.most_known_peers)
        self._mesh = mesh
        self._config = config

    async def run(self) -> None:
        """Until cancelled."""
        async with trio.open_nursery() as nursery:
            for address in self._config.bootstrap:
                nursery.start_soon(self._keep_connected, address)
            await trio.sleep_forever()

    async def _keep_connected(self, address: str) -> None:
        _, peer = split_address(address)
        wait = self._config.retry_s
        while peer != self._mesh.peer_id:
            if self._mesh.is_connected(peer):
                wait = self._config.retry_s
            else:
                try:
                    await self._mesh.connect(address)
                    wait = self._config.retry_s
                except Exception as error:
                    _log.info("bootstrap %s: %s", address, error)
                    wait = min(2 * wait, self._config.most_retry_s)
            await trio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # jitter, not a secret
