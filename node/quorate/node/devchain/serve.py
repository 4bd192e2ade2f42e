"""Run the embedded chain in this process until a signal, or the end of standard input, stops it."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from quorate.node.amounts import parse_amount

from .errors import DevchainMissing
from .statefile import Genesis, StateFile

if TYPE_CHECKING:
    from .evm import EmbeddedChain

DEFAULT_CHAIN_ID: Final = 31337
DEFAULT_PORT: Final = 8545
MAX_CHAIN_ID: Final = (1 << 53) - 1
MAX_FUNDED: Final = 1000
MAX_FUNDING_WEI: Final = (1 << 128) - 1
REQUIRED_PACKAGES: Final = ("alysis", "eth", "ethereum_rpc")
POLL_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True)
class Options:
    """What to run: `port` 0 takes any free one; `fund` gives balances in wei by address.

    ValueError if a value is out of its range.
    """

    port: int = DEFAULT_PORT
    host: str = "127.0.0.1"
    chain_id: int = DEFAULT_CHAIN_ID
    state: Path | None = None
    fund: dict[str, int] = field(default_factory=dict)
    stop_with_stdin: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.port < 1 << 16:
            raise ValueError("a port is 0..65535")
        if not 0 < self.chain_id <= MAX_CHAIN_ID:
            raise ValueError(f"a chain id is 1..{MAX_CHAIN_ID}")
        if len(self.fund) > MAX_FUNDED:
            raise ValueError(f"at most {MAX_FUNDED} accounts can be funded")


@dataclass(frozen=True, slots=True)
class Ready:
    """What a started chain says of itself."""

    url: str
    chain_id: int
    pid: int


def parse_funding(text: str) -> tuple[str, int]:
    """The address and wei of ADDRESS=AMOUNT, such as 0x12..=5 ether; ValueError if it is none."""
    account, _, amount = text.partition("=")
    try:
        canonical = bytes.fromhex(account.removeprefix("0x"))
        wei = parse_amount(amount)
    except ValueError as error:
        raise ValueError(f"{text!r} is not ADDRESS=AMOUNT: {error}") from None
    if len(canonical) != 20 or not 0 < wei <= MAX_FUNDING_WEI:
        raise ValueError(f"{text!r} is not ADDRESS=AMOUNT: an address has 20 bytes, an amount 1..2^128-1 wei")
    return f"0x{canonical.hex()}", wei


def require_packages() -> None:
    """Raise DevchainMissing unless the optional packages are installed."""
    for package in REQUIRED_PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise DevchainMissing(package)


def serve(options: Options, announce: Callable[[Ready], None]) -> None:
    """Run the chain; `announce` is called once it answers. DevchainError if it cannot start.

    SIGTERM and SIGINT stop it after the request at hand.
    """
    require_packages()
    from .evm import EmbeddedChain
    from .methods import Methods
    from .server import RpcServer

    genesis = Genesis(options.chain_id, int(time.time()), options.fund)
    statefile = StateFile(options.state, genesis) if options.state is not None else None
    try:
        chain = EmbeddedChain(statefile.genesis if statefile else genesis, statefile)
        fund_newcomers(chain, options.fund)
        server = RpcServer(Methods(chain), host=options.host, port=options.port)
        _stop_when_asked(server.shutdown, options)
        announce(Ready(server.url, options.chain_id, os.getpid()))
        server.serve_forever(poll_interval=POLL_SECONDS)
        server.server_close()
        with server.lock:  # the request at hand is over
            return
    finally:
        if statefile is not None:
            statefile.close()


def _stop_when_asked(stop: Callable[[], None], options: Options) -> None:
    def in_a_thread(*_: object) -> None:
        # shutdown() waits for the serving loop, which the thread of the signal handler runs
        threading.Thread(target=stop).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, in_a_thread)
    if options.stop_with_stdin:
        threading.Thread(target=_stop_with_input, args=(stop,), daemon=True).start()


def _stop_with_input(stop: Callable[[], None]) -> None:
    """Call `stop` once standard input ends; by descriptor, since a buffered reader hinders the exit."""
    while os.read(0, 1024):
        pass
    stop()


def fund_newcomers(chain: EmbeddedChain, balances: dict[str, int]) -> None:
    """Give the asked balance to accounts that have none: on a chain that was kept, the genesis is long past."""
    for account, wei in balances.items():
        if chain.balance(account) == 0:
            chain.set_balance(account, wei)
