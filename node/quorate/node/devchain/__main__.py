"""Run the embedded chain: `python -m quorate.node.devchain --port 8545 --fund "0xADDRESS=10 ether"`.

When it is ready it writes one line of JSON to standard output: {"url": ..., "chain_id": ..., "pid": ...}.
SIGTERM and SIGINT stop it after the request at hand. Exit codes: 0 stopped, 2 bad arguments, 3 port in use,
4 packages missing, 5 state file unusable, 1 anything else.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Final

from .errors import DevchainError, DevchainMissing, DevchainPortInUse, StateFileError
from .serve import DEFAULT_CHAIN_ID, DEFAULT_PORT, Options, Ready, parse_funding, serve

EXIT_PORT_IN_USE: Final = 3
EXIT_MISSING: Final = 4
EXIT_STATE: Final = 5


def parse(arguments: list[str] | None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m quorate.node.devchain", description="an embedded EVM chain")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1", help="anything but loopback lets others use the chain")
    parser.add_argument("--chain-id", type=int, default=DEFAULT_CHAIN_ID)
    parser.add_argument("--state", type=Path, help="keep the chain in this file across restarts")
    parser.add_argument(
        "--fund", action="append", default=[], metavar="ADDRESS=AMOUNT", help="in wei, or '1 ether'"
    )
    parser.add_argument("--stop-with-stdin", action="store_true", help="stop when standard input closes")
    given = vars(parser.parse_args(arguments))
    try:
        return Options(**{**given, "fund": dict(map(parse_funding, given["fund"]))})
    except ValueError as error:
        parser.error(str(error))


def announce(ready: Ready) -> None:
    """Write the line that says it is ready."""
    print(json.dumps(dataclasses.asdict(ready)), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    try:
        serve(parse(arguments), announce)
    except DevchainError as error:
        print(f"quorate devchain: {error}; {error.todo}", file=sys.stderr)
        codes = {DevchainPortInUse: EXIT_PORT_IN_USE, DevchainMissing: EXIT_MISSING, StateFileError: EXIT_STATE}
        return codes.get(type(error), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
