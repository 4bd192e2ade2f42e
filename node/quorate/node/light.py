"""A light node: keys, mesh, chain and registry of a home, for a client or a requestor that serves nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
import trio

from quorate.node.chain import MarketClient, Signer, open_chain, open_sender
from quorate.node.config import NodeConfig
from quorate.node.daemon import TRANSACTIONS_FILE, mesh_config, open_node_registry, sender_policy
from quorate.node.errors import NetworkError, QuorateNodeError
from quorate.node.home import open_keys
from quorate.node.keys import NodeKeys
from quorate.node.mesh import Mesh, open_mesh
from quorate.node.programs import Programs
from quorate.node.store import Registry

CONNECT_S: Final = 10.0
"""How long the first peer may take to answer."""

_log = structlog.get_logger(__name__)


class NoPeers(NetworkError):
    """None of the bootstrap peers answers."""

    def __init__(self, addresses: tuple[str, ...], reason: str) -> None:
        super().__init__(
            f"none of {len(addresses)} bootstrap peers answers",
            why=reason or "mesh.bootstrap in quorate.toml is empty",
            todo="check that the nodes run, and mesh.bootstrap in quorate.toml",
        )


@dataclass(frozen=True, slots=True)
class LightNode:
    """The parts of an open light node; `market` sends transactions when it was opened to."""

    config: NodeConfig
    keys: NodeKeys
    mesh: Mesh
    market: MarketClient
    registry: Registry
    programs: Programs


@asynccontextmanager
async def open_light_node(config: NodeConfig, *, sends: bool) -> AsyncIterator[LightNode]:
    """Open the home of `config` and connect to its bootstrap peers; with `sends` it can send transactions.

    Raises ChainUnreachable, WrongChain, NoMarket, NoPeers, KeyFileError.
    """
    keys = await trio.to_thread.run_sync(open_keys, config)
    async with open_chain(config.chain.url, expected_chain_id=config.chain.chain_id) as chain:
        market = MarketClient(chain, config.chain.market_bytes)
        await market.check()
        async with open_mesh(keys.mesh.secret.reveal(), mesh_config(config)) as mesh:
            await connect_any(mesh, config.mesh.bootstrap)
            registry = await open_node_registry(config, mesh)
            node = LightNode(config, keys, mesh, market, registry, Programs(registry))
            if not sends:
                yield node
                return
            path = config.home / TRANSACTIONS_FILE
            async with open_sender(
                chain, Signer(keys.chain), journal_path=path, policy=sender_policy(config)
            ) as sender:
                market.sender = sender
                yield node


async def connect_any(mesh: Mesh, addresses: tuple[str, ...]) -> None:
    """Dial all of `addresses` and return when the first answers; NoPeers when none does."""
    reasons: list[str] = []
    with trio.move_on_after(CONNECT_S):
        async with trio.open_nursery() as nursery:

            async def dial(address: str) -> None:
                try:
                    await mesh.connect(address)
                    nursery.cancel_scope.cancel()
                except QuorateNodeError as error:
                    reasons.append(str(error))

            for address in addresses:
                nursery.start_soon(dial, address)
    if not mesh.peers():
        raise NoPeers(addresses, "; ".join(reasons[:3]))
