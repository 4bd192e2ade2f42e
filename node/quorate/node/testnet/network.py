"""A whole network on this machine: `async with open_testnet(config) as testnet`."""

from __future__ import annotations

import contextlib
import functools
import json
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import trio

from quorate.node.config import write_config
from quorate.node.control import ask_async
from quorate.node.errors import ControlError, ReadinessTimeout, TestnetError, UsageError
from quorate.node.keys import NodeKeys

from .chain import start_chain
from .child import Child
from .config import TestnetConfig
from .setup import CLIENT_NAME, Prepared, clear_homes, node_names, prepare
from .state import LOGS_NAME, Network, NodeEntry, write_network
from .supervisor import Supervisor, open_supervisor

READY_NAME: Final = "ready.json"
"""What a node writes in its home when it serves: {"peer_id", "addresses", "pid", "api"}."""
POLL_SECONDS: Final = 0.1

Progress = Callable[[str], None]
"""Told, in a few words, what happens next."""


@dataclass(frozen=True, slots=True)
class TestnetNode:
    """One node of the network: its name, home, keys, and what it said when it was ready."""

    __test__ = False  # pytest: a class named Test... that holds no tests

    name: str
    home: Path
    keys: NodeKeys
    peer_id: str
    addresses: tuple[str, ...]
    api: str | None
    log: Path


@dataclass(slots=True)
class Testnet:
    """A running network. `nodes` are its nodes in order; `network` is what network.json tells."""

    __test__ = False  # pytest: a class named Test... that holds no tests

    config: TestnetConfig
    prepared: Prepared
    supervisor: Supervisor
    chain_kind: str
    nodes: list[TestnetNode] = field(default_factory=list)

    @property
    def chain_url(self) -> str:
        """The JSON-RPC endpoint of the chain."""
        return self.prepared.chain_url

    @property
    def network(self) -> Network:
        """What network.json tells."""
        entries = tuple(self._entry(node) for node in self.nodes)
        return Network(
            chain_url=self.prepared.chain_url,
            chain_id=self.prepared.chain_id,
            chain_kind=self.chain_kind,
            market=self.prepared.market,
            registry=str(self.prepared.registry),
            client_home=str(self.prepared.client_home),
            bootstrap=tuple(_joinable(self.nodes)),
            nodes=entries,
        )

    def node(self, name: str) -> TestnetNode:
        """The node called `name`; UsageError when there is none."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes)
        raise UsageError(
            f"there is no node {name!r}", why=f"the nodes are {names}", todo="give one of these names"
        )

    def child(self, name: str) -> Child:
        """The process of the node `name` (or "chain")."""
        return self.supervisor.children[name]

    async def kill(self, node: TestnetNode | str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a node a signal that ends it, and wait for its end; its exit status."""
        child = self.child(node if isinstance(node, str) else node.name)
        child.send_signal(number)
        return await child.wait()

    async def restart(self, node: TestnetNode | str) -> TestnetNode:
        """Start a node that has ended again, in its old home at its old addresses, and wait until it is meshed."""
        old = self.node(node) if isinstance(node, str) else node
        if self.child(old.name).status is None:
            raise UsageError(f"{old.name} still runs", todo="kill it first")
        others = [other for other in self.nodes if other.name != old.name and self._runs(other)]
        await self._configure(old.name, bootstrap=_joinable(others), listen=_bare(old.addresses))
        with _deadline(old.name, self.config.timeout_s, old.log):
            fresh = await self._start_node(old.name)
            self.nodes[[other.name for other in self.nodes].index(old.name)] = fresh
            await self._wait_for_peers(fresh, [other for other in self.nodes if self._runs(other)])
        write_network(self.config.home, self.network)
        return fresh

    def _runs(self, node: TestnetNode) -> bool:
        return self.child(node.name).status is None

    async def start_nodes(self, progress: Progress) -> None:
        """Start the first node, then all others with its address to join, and wait until they are meshed."""
        names = node_names(self.config.nodes)
        with _deadline("the network", self.config.timeout_s, self.config.home / LOGS_NAME):
            progress(f"starting {names[0]}")
            await self._configure(names[0])
            self.nodes = [await self._start_node(names[0])]
            progress(f"starting {len(names) - 1} more")
            await self._start_others(names[1:])
            progress("waiting until all are connected")
            async with trio.open_nursery() as nursery:
                for node in self.nodes:
                    nursery.start_soon(self._wait_for_peers, node, self.nodes)
        await self._configure(CLIENT_NAME, bootstrap=_joinable(self.nodes))
        write_network(self.config.home, self.network)

    async def watch(self) -> str:
        """Wait until a process of the network ends unasked; its name."""
        while True:
            for name, child in self.supervisor.children.items():
                if child.status is not None:
                    return name
            await trio.sleep(POLL_SECONDS)

    async def _start_others(self, names: Sequence[str]) -> None:
        bootstrap = _joinable(self.nodes)
        found: dict[str, TestnetNode] = {}

        async def start(name: str) -> None:
            await self._configure(name, bootstrap=bootstrap)
            found[name] = await self._start_node(name)

        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(start, name)
        self.nodes += [found[name] for name in names]

    async def _start_node(self, name: str) -> TestnetNode:
        home, log = self.prepared.homes[name], self.config.home / LOGS_NAME / f"{name}.log"
        (home / READY_NAME).unlink(missing_ok=True)
        child = await self.supervisor.start(name, (*self.config.node_command, str(home)), log)
        ready = await _wait_for_ready(child, home / READY_NAME)
        return TestnetNode(
            name=name,
            home=home,
            keys=self.prepared.keys[name],
            peer_id=ready["peer_id"],
            addresses=tuple(ready["addresses"]),
            api=ready.get("api"),
            log=log,
        )

    async def _configure(self, name: str, *, bootstrap: Sequence[str] = (), listen: Sequence[str] = ()) -> None:
        values = {table: dict(keys) for table, keys in self.prepared.values[name].items()}
        values["mesh"]["bootstrap"] = list(bootstrap)
        if listen:
            values["mesh"]["listen"] = list(listen)
        write = functools.partial(write_config, self.prepared.homes[name], values, overwrite=True)
        await trio.to_thread.run_sync(write)

    async def _wait_for_peers(self, node: TestnetNode, others: Sequence[TestnetNode]) -> None:
        """Until the node is connected to all `others`; each asks its peers whom they know."""
        wanted = {other.peer_id for other in others} - {node.peer_id}
        while True:
            child = self.child(node.name)
            if child.status is not None:
                raise child.failure()
            with contextlib.suppress(ControlError):
                peers = await ask_async(node.home, "peers")
                if isinstance(peers, list) and wanted <= {peer["peer_id"] for peer in peers}:
                    return
            await trio.sleep(POLL_SECONDS)

    def _entry(self, node: TestnetNode) -> NodeEntry:
        return NodeEntry(
            name=node.name,
            home=str(node.home),
            pid=self.child(node.name).pid,
            peer_id=node.peer_id,
            address=node.keys.chain.address,
            addresses=node.addresses,
            api=node.api,
            log=str(node.log),
        )


@contextlib.asynccontextmanager
async def open_testnet(config: TestnetConfig, *, progress: Progress = lambda _: None) -> AsyncIterator[Testnet]:
    """Start the network that `config` describes and yield it meshed and funded; nothing of it outlives the block.

    Raises TestnetRunning, PortInUse, MissingPart, ProcessFailed, ReadinessTimeout, DiskFull or ChainError.
    """
    config = _absolute(config)
    async with open_supervisor(config.home) as supervisor:
        await trio.to_thread.run_sync(clear_homes, config.home)
        progress("starting the chain" if config.chain_url is None else "using the given chain")
        chain = await start_chain(config, supervisor.start)
        progress(f"deploying the market ({chain.kind} chain) and funding {config.nodes} nodes")
        prepared = await prepare(config, chain.url)
        testnet = Testnet(config=config, prepared=prepared, supervisor=supervisor, chain_kind=chain.kind)
        await testnet.start_nodes(progress)
        yield testnet


def _joinable(nodes: Sequence[TestnetNode]) -> list[str]:
    """One address of each node, with its peer id."""
    return [node.addresses[0] for node in nodes if node.addresses]


def _bare(addresses: Sequence[str]) -> list[str]:
    """Addresses without the peer id at their end, as a node listens on them."""
    return [address.rpartition("/p2p/")[0] or address for address in addresses]


def _absolute(config: TestnetConfig) -> TestnetConfig:
    return replace(config, home=config.home.expanduser().absolute())


async def _wait_for_ready(child: Child, path: Path) -> dict[str, Any]:  # Any: JSON from our own node, checked
    while True:
        ready = _read_ready(path)
        if ready is not None:
            return ready
        if child.status is not None:
            raise child.failure()
        await trio.sleep(POLL_SECONDS)


def _read_ready(path: Path) -> dict[str, Any] | None:
    """What a node said, or None when it has not, or not to the end."""
    try:
        ready = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    if not isinstance(ready, dict) or not {"peer_id", "addresses"} <= ready.keys():
        raise TestnetError(f"{path} is not what a node writes", todo="use the same quorate everywhere")
    return ready


@contextlib.contextmanager
def _deadline(name: str, seconds: float, log: Path) -> Iterator[None]:
    try:
        with trio.fail_after(seconds):
            yield
    except trio.TooSlowError:
        raise ReadinessTimeout(name, seconds=seconds, log=log) from None
