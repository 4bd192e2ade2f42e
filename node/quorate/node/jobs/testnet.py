"""A testnet as the place of a job: its requestor and the accounts that take part."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from quorate.contracts import parse_address
from quorate.node.config import NodeConfig, load_config
from quorate.node.home import key_files
from quorate.node.keys import load_public_keys
from quorate.node.testnet import Network


def requestor_config(network: Network) -> NodeConfig:
    """The configuration of the testnet's funded home without a node, joined to all its nodes."""
    config = load_config(Path(network.client_home))
    return dataclasses.replace(config, mesh=dataclasses.replace(config.mesh, bootstrap=network.bootstrap))


def testnet_accounts(network: Network) -> dict[str, bytes]:
    """The accounts of the requestor and of every node, by name."""
    requestor = load_public_keys(key_files(load_config(Path(network.client_home)))).account
    return {"requestor": requestor} | {node.name: parse_address(node.address) for node in network.nodes}
