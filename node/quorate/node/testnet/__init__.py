"""A whole network on this machine: a chain, a market, and several nodes, each a process of its own.

    async with open_testnet(TestnetConfig(home=folder, nodes=5)) as testnet:
        testnet.network, testnet.nodes, testnet.chain_url
        await testnet.kill("node2")

What it makes is for tests and demonstrations: keys are sealed at a low cost with a passphrase that lies beside them.
However the supervisor ends, its processes end with it: each holds a pipe of which the supervisor has the other end.
"""

from .cleanup import take_down
from .config import TestnetConfig
from .network import Testnet, TestnetNode, open_testnet
from .state import Network, NodeEntry, read_network

__all__ = [
    "Network",
    "NodeEntry",
    "Testnet",
    "TestnetConfig",
    "TestnetNode",
    "open_testnet",
    "read_network",
    "take_down",
]
