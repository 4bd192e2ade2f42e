"""What a local network is made of."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from quorate.node.amounts import Wei
from quorate.node.errors import UsageError

MAX_NODES: Final = 64
DEFAULT_FUNDS: Final = Wei(100 * 10**18)
DEFAULT_COLLATERAL: Final = Wei(10 * 10**18)
DEFAULT_BASE_PRICE: Final = Wei(10**14)
READY_SECONDS: Final = 120.0
"""How long all nodes together have to be ready, unless said otherwise."""

NODE_COMMAND: Final = (sys.executable, "-m", "quorate.node", "node", "run", "--stop-with-stdin", "--home")
"""The command of a node; its home is appended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestnetConfig:
    """A local network of `nodes` nodes in `home`; `chain_url` None starts a chain of our own on `chain_port`.

    Amounts are wei, for each node: `funds` on its account, of which `collateral` goes to the market. `base_prices`
    is used in turn. `node_command` is for tests of the supervisor.
    """

    __test__ = False  # pytest: a class named Test... that holds no tests

    home: Path
    nodes: int = 5
    chain_url: str | None = None
    chain_port: int = 0
    funds: int = DEFAULT_FUNDS
    collateral: int = DEFAULT_COLLATERAL
    base_prices: tuple[int, ...] = (DEFAULT_BASE_PRICE,)
    log_level: str = "info"
    timeout_s: float = READY_SECONDS
    node_command: tuple[str, ...] = field(default=NODE_COMMAND, repr=False)

    def __post_init__(self) -> None:
        if not 1 <= self.nodes <= MAX_NODES:
            raise UsageError(
                f"a testnet of {self.nodes} nodes", why=f"1 to {MAX_NODES} are supported", todo="change --nodes"
            )
        if not 0 <= self.chain_port <= 65535:
            raise UsageError(f"port {self.chain_port}", why="ports go from 0 to 65535", todo="change --chain-port")
        if self.collateral > self.funds or self.collateral < 0:
            raise UsageError(
                "the collateral is more than the funds",
                why="each node deposits its collateral from its funds",
                todo="give more funds or less collateral",
            )
