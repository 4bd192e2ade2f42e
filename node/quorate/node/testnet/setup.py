"""Everything a local network needs on disk and on the chain before its nodes start."""

from __future__ import annotations

import functools
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import trio

from quorate.contracts import COIN, checksum
from quorate.node.amounts import format_amount
from quorate.node.chain import Chain, MarketClient, SenderPolicy, Signer, deploy_market, open_chain, open_sender
from quorate.node.config import FILE_NAME
from quorate.node.home import home_key_files
from quorate.node.keys import TEST_COST, NodeKeys, create_keys, write_random_passphrase
from quorate.node.store import publish, shipped_packages

from .chain import fund
from .config import TestnetConfig

PASSPHRASE_NAME: Final = "passphrase"  # noqa: S105  # the name of a file
REGISTRY_NAME: Final = "registry"
OPERATOR_NAME: Final = "operator"
CLIENT_NAME: Final = "client"
POLL_SECONDS: Final = 0.25
"""How often nodes look for a new block: local chains make them at once."""
MAX_DEPOSITS_AT_ONCE: Final = 8

ConfigValues = dict[str, dict[str, Any]]
"""TOML values by table and key; Any because they are of all TOML types."""
_SETUP_JOURNAL: Final = "setup.sqlite3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A network ready for its nodes: homes, keys and configuration values by name, those of the client besides."""

    chain_url: str
    chain_id: int
    market: str
    registry: Path
    homes: Mapping[str, Path]
    keys: Mapping[str, NodeKeys]
    values: Mapping[str, ConfigValues]

    @property
    def client_home(self) -> Path:
        """A funded home without a node, for whoever wants to submit requests."""
        return self.homes[CLIENT_NAME]


def node_names(count: int) -> list[str]:
    """node1, node2, ..."""
    return [f"node{number}" for number in range(1, count + 1)]


def clear_homes(home: Path) -> None:
    """Remove the homes and logs of the network that was here before: each network is a new one."""
    for name in (OPERATOR_NAME, CLIENT_NAME, REGISTRY_NAME, "logs"):
        shutil.rmtree(home / name, ignore_errors=True)
    for folder in home.glob("node*"):
        if (folder / FILE_NAME).is_file() or (folder / PASSPHRASE_NAME).is_file():
            shutil.rmtree(folder, ignore_errors=True)


async def prepare(config: TestnetConfig, chain_url: str) -> Prepared:
    """Make keys, fund accounts, deploy the market, deposit collateral, publish the registry, write configurations.

    An operator of its own deploys the market and receives the treasury's half of slashed collateral.
    """
    names = node_names(config.nodes)
    homes = {name: config.home / name for name in (*names, CLIENT_NAME, OPERATOR_NAME)}
    registry = config.home / REGISTRY_NAME
    async with open_chain(chain_url) as chain:
        keys = {name: await trio.to_thread.run_sync(_make_keys, home) for name, home in homes.items()}
        await fund(chain, {key.chain.account: config.funds for key in keys.values()})
        chain_id, market = chain.chain_id, await _deploy(chain, keys[OPERATOR_NAME], homes[OPERATOR_NAME])
        limiter = trio.CapacityLimiter(MAX_DEPOSITS_AT_ONCE)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_publish, registry)
            for name in names:
                work = functools.partial(_deposit, chain, market, keys=keys[name], home=homes[name])
                nursery.start_soon(functools.partial(work, amount=config.collateral, limiter=limiter))
    values = {
        name: _config_values(config, number, chain_url=chain_url, chain_id=chain_id, market=market)
        for number, name in enumerate((*names, CLIENT_NAME))
    }
    return Prepared(
        chain_url=chain_url,
        chain_id=chain_id,
        market=checksum(market),
        registry=registry,
        homes=homes,
        keys=keys,
        values=values,
    )


async def _publish(registry: Path) -> None:
    packages = await trio.to_thread.run_sync(shipped_packages)
    await publish(packages, registry)


def _make_keys(home: Path) -> NodeKeys:
    """Keys sealed at a low cost with a random passphrase that lies beside them: for test networks only."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return create_keys(home_key_files(home), write_random_passphrase(home / PASSPHRASE_NAME), cost=TEST_COST)


async def _deploy(chain: Chain, keys: NodeKeys, home: Path) -> bytes:
    policy = SenderPolicy(poll_seconds=POLL_SECONDS)
    async with open_sender(chain, Signer(keys.chain), journal_path=home / _SETUP_JOURNAL, policy=policy) as sender:
        market = await deploy_market(sender, treasury=keys.chain.account, intent="deploy the market")
        return market.address


async def _deposit(
    chain: Chain, market: bytes, *, keys: NodeKeys, home: Path, amount: int, limiter: trio.CapacityLimiter
) -> None:
    policy = SenderPolicy(poll_seconds=POLL_SECONDS)
    path, signer = home / _SETUP_JOURNAL, Signer(keys.chain)
    async with limiter, open_sender(chain, signer, journal_path=path, policy=policy) as sender:
        await MarketClient(chain, market, sender=sender).deposit(COIN, amount, intent="deposit the collateral")


def _config_values(
    config: TestnetConfig, number: int, *, chain_url: str, chain_id: int, market: bytes
) -> ConfigValues:
    """The TOML values of node `number` (from 0)."""
    return {
        "identity": {"passphrase_file": PASSPHRASE_NAME},
        "mesh": {"listen": ["/ip4/127.0.0.1/tcp/0"], "mdns": False},
        "chain": {
            "url": chain_url,
            "chain_id": chain_id,
            "market": checksum(market),
            "confirmations": 0,
            "poll_seconds": POLL_SECONDS,
        },
        "registry": {"index": f"../{REGISTRY_NAME}"},
        "pricing": {
            "base_price": format_amount(config.base_prices[number % len(config.base_prices)]),
            "collateral_cap": format_amount(config.collateral),
        },
        "log": {"level": config.log_level, "format": "json"},
    }
