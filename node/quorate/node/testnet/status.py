"""How a local network is: asked from its files, its processes, its nodes and its chain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import trio

from quorate.contracts import COIN, parse_address
from quorate.node.chain import MarketClient, open_chain
from quorate.node.control import ask_async
from quorate.node.errors import ChainError, ControlError, TestnetNotRunning
from quorate.node.journal import lock_holder

from .identity import is_alive, resident_bytes
from .state import LOCK_NAME, Network, NodeEntry, Supervision, read_network, read_supervision

ASK_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStatus:
    """How one node is; what could not be asked is None. Amounts are wei."""

    name: str
    pid: int
    alive: bool
    peer_id: str
    address: str
    balance: int | None
    collateral: int | None
    peers: int | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkStatus:
    """How the network is: its supervisor, its chain (`height` is None when it does not answer), its nodes."""

    home: str
    supervisor_pid: int
    chain_url: str
    chain_id: int
    chain_kind: str
    height: int | None
    market: str
    nodes: tuple[NodeStatus, ...]

    def as_json(self) -> dict[str, object]:
        """The same as JSON values."""
        return asdict(self)


async def network_status(home: Path) -> NetworkStatus:
    """How the network in `home` is; TestnetNotRunning when there is none, or when it is not up yet."""
    network, supervision = read_network(home), read_supervision(home)
    holder = lock_holder(home, name=LOCK_NAME)
    if network is None or supervision is None or holder is None:
        raise TestnetNotRunning(home)
    amounts, height = await _ask_chain(network)
    peers: dict[str, int | None] = {}

    async def count_peers(node: NodeEntry) -> None:
        peers[node.name] = await _count_peers(Path(node.home))

    async with trio.open_nursery() as nursery:
        for node in network.nodes:
            nursery.start_soon(count_peers, node)
    return NetworkStatus(
        home=str(home),
        supervisor_pid=supervision.supervisor.pid,
        chain_url=network.chain_url,
        chain_id=network.chain_id,
        chain_kind=network.chain_kind,
        height=height,
        market=network.market,
        nodes=tuple(_node_status(node, supervision, amounts.get(node.name), peers) for node in network.nodes),
    )


def _node_status(
    node: NodeEntry, supervision: Supervision, amounts: tuple[int, int] | None, peers: dict[str, int | None]
) -> NodeStatus:
    process = supervision.processes.get(node.name)
    alive = process is not None and is_alive(process)
    balance, collateral = amounts if amounts is not None else (None, None)
    return NodeStatus(
        name=node.name,
        pid=process.pid if process is not None else node.pid,
        alive=alive,
        peer_id=node.peer_id,
        address=node.address,
        balance=balance,
        collateral=collateral,
        peers=peers[node.name],
        memory_bytes=resident_bytes(process.pid) if process is not None and alive else None,
    )


async def _count_peers(home: Path) -> int | None:
    try:
        peers = await ask_async(home, "peers", timeout_s=ASK_SECONDS)
    except ControlError:
        return None
    return len(peers) if isinstance(peers, Sequence) else None


async def _ask_chain(network: Network) -> tuple[dict[str, tuple[int, int]], int | None]:
    """For each node by name its balance and its free collateral; and the height. Empty when the chain is silent."""
    amounts: dict[str, tuple[int, int]] = {}
    try:
        async with open_chain(network.chain_url, timeout_seconds=ASK_SECONDS) as chain:
            market = MarketClient(chain, parse_address(network.market))
            height = await chain.height()
            for node in network.nodes:
                account = parse_address(node.address)
                amounts[node.name] = (await chain.balance(account), await market.free_balance(COIN, account))
    except ChainError:
        return {}, None
    return amounts, height
