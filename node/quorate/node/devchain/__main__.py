"""Run the embedded chain: `python -m quorate.node.devchain --port 8545 --fund 0xADDRESS=1000000000000000000`.

When it is ready it writes one line of JSON to standard output: {"url": ..., "chain_id": ..., "pid": ...}.
SIGTERM and SIGINT stop it after the request at hand. Exit codes: 0 stopped, 2 bad arguments, 3 port in use,
4 packages missing, 5 state file unusable.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import DevchainError, DevchainMissing, DevchainPortInUse, StateFileError
from .statefile import Genesis, StateFile

if TYPE_CHECKING:
    from .evm import EmbeddedChain

EXIT_PORT_IN_USE = 3
EXIT_MISSING = 4
EXIT_STATE = 5
REQUIRED_PACKAGES = ("alysis", "eth", "ethereum_rpc", "pyrevm")
DEFAULT_CHAIN_ID = 31337
MAX_FUNDED = 1000


def funding(argument: str) -> tuple[str, int]:
    """Read ADDRESS=WEI."""
    account, _, wei = argument.partition("=")
    try:
        if len(bytes.fromhex(account.removeprefix("0x"))) != 20 or not 0 < int(wei) < 1 << 128:
            raise ValueError
    except ValueError:
        raise argparse.ArgumentTypeError(f"{argument!r} is not ADDRESS=WEI") from None
    return "0x" + account.removeprefix("0x").lower(), int(wei)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m quorate.node.devchain", description="an embedded EVM chain")
    parser.add_argument("--port", type=int, default=8545, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1", help="anything but loopback lets others use the chain")
    parser.add_argument("--chain-id", type=int, default=DEFAULT_CHAIN_ID)
    parser.add_argument("--state", type=Path, help="keep the chain in this file across restarts")
    parser.add_argument("--fund", type=funding, action="append", default=[], metavar="ADDRESS=WEI")
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input closes")
    options = parser.parse_args(arguments)
    if not 0 <= options.port < 1 << 16 or not 0 < options.chain_id < 1 << 53 or len(options.fund) > MAX_FUNDED:
        parser.error("a port is 0..65535, a chain id 1..2^53-1, and at most 1000 accounts can be funded")
    return options


def require_packages() -> None:
    """Raise DevchainMissing unless the optional packages are installed."""
    for package in REQUIRED_PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise DevchainMissing(package)


def serve(options: argparse.Namespace) -> None:
    """Run the chain until a signal, or the end of standard input, stops it."""
    require_packages()
    from .evm import EmbeddedChain
    from .methods import Methods
    from .server import RpcServer

    genesis = Genesis(options.chain_id, int(time.time()), dict(options.fund))
    statefile = StateFile(options.state, genesis) if options.state is not None else None
    try:
        chain = EmbeddedChain(statefile.genesis if statefile else genesis, statefile)
        fund_newcomers(chain, dict(options.fund))
        server = RpcServer(Methods(chain), host=options.host, port=options.port)
        for number in (signal.SIGTERM, signal.SIGINT):
            # shutdown() waits for the serving loop, which this very thread runs
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        if options.stop_with_stdin:
            threading.Thread(target=stop_with_input, args=(server.shutdown,), daemon=True).start()
        print(json.dumps({"url": server.url, "chain_id": options.chain_id, "pid": os.getpid()}), flush=True)
        server.serve_forever(poll_interval=0.1)
        server.server_close()
        with server.lock:  # the request at hand is over
            return
    finally:
        if statefile is not None:
            statefile.close()


def stop_with_input(stop: Callable[[], None]) -> None:
    """Call `stop` once standard input ends; read by descriptor, since a buffered reader hinders the exit."""
    while os.read(0, 1024):
        pass
    stop()


def fund_newcomers(chain: EmbeddedChain, balances: dict[str, int]) -> None:
    """Give the asked balance to accounts that have none: on a chain that was kept, the genesis is long past."""
    for account, wei in balances.items():
        if chain.balance(account) == 0:
            chain.set_balance(account, wei)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    try:
        serve(parse(arguments))
    except DevchainError as error:
        print(f"quorate devchain: {error}; {error.todo}", file=sys.stderr)
        codes = {DevchainPortInUse: EXIT_PORT_IN_USE, DevchainMissing: EXIT_MISSING, StateFileError: EXIT_STATE}
        return codes.get(type(error), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
