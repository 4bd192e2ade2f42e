"""The files of a local network: network.json for everybody, supervisor.json for whoever stops or cleans up.

HOME/testnet.lock        held by the supervisor as long as it lives
HOME/supervisor.json     who supervises, and every process it started, each with its start time
HOME/network.json        the network once it is ready; removed when it ends
HOME/chain/  HOME/node1/ HOME/node2/ ...  HOME/registry/  HOME/logs/
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from quorate.node.errors import TestnetError
from quorate.node.files import write_private

from .identity import ProcessIdentity

LOCK_NAME: Final = "testnet.lock"
NETWORK_NAME: Final = "network.json"
SUPERVISOR_NAME: Final = "supervisor.json"
LOGS_NAME: Final = "logs"
SUPERVISOR_LOG: Final = "supervisor.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEntry:
    """A node as others see it: where it lives, who it is, where it listens."""

    name: str
    home: str
    pid: int
    peer_id: str
    address: str
    addresses: tuple[str, ...]
    api: str | None
    log: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What network.json tells: the chain, the market on it, the nodes, where to join, and the registry.

    `client_home` is a home with funded keys for whoever wants to submit requests.
    """

    chain_url: str
    chain_id: int
    chain_kind: str
    market: str
    registry: str
    client_home: str
    bootstrap: tuple[str, ...]
    nodes: tuple[NodeEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What supervisor.json tells: the supervisor and the processes it started, by name."""

    supervisor: ProcessIdentity
    processes: Mapping[str, ProcessIdentity]


def write_network(home: Path, network: Network) -> None:
    """Write network.json."""
    write_private(home / NETWORK_NAME, json.dumps(asdict(network), indent=2).encode() + b"\n", overwrite=True)


def read_network(home: Path) -> Network | None:
    """What network.json tells, or None when it is not there; TestnetError when it is damaged."""
    data = _read(home / NETWORK_NAME)
    if data is None:
        return None
    try:
        nodes = tuple(
            NodeEntry(**{**entry, "addresses": tuple(entry["addresses"])}) for entry in data.pop("nodes")
        )
        return Network(**{**data, "bootstrap": tuple(data["bootstrap"]), "nodes": nodes})
    except (KeyError, TypeError, AttributeError):
        raise _damaged(home / NETWORK_NAME) from None


def write_supervision(home: Path, supervision: Supervision) -> None:
    """Write supervisor.json; called after each start of a process."""
    write_private(
        home / SUPERVISOR_NAME, json.dumps(asdict(supervision), indent=2).encode() + b"\n", overwrite=True
    )


def read_supervision(home: Path) -> Supervision | None:
    """What supervisor.json tells, or None when it is not there; TestnetError when it is damaged."""
    data = _read(home / SUPERVISOR_NAME)
    if data is None:
        return None
    try:
        processes = {str(name): ProcessIdentity(**entry) for name, entry in data["processes"].items()}
        return Supervision(supervisor=ProcessIdentity(**data["supervisor"]), processes=processes)
    except (KeyError, TypeError, AttributeError):
        raise _damaged(home / SUPERVISOR_NAME) from None


def forget(home: Path) -> None:
    """Remove both files, once nothing runs any more."""
    for name in (NETWORK_NAME, SUPERVISOR_NAME):
        with contextlib.suppress(OSError):
            (home / name).unlink()


def _read(path: Path) -> Any:  # Any: JSON from disk, checked by the callers
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        raise _damaged(path) from None


def _damaged(path: Path) -> TestnetError:
    return TestnetError(
        f"{path} is damaged",
        why="it is not what this program writes",
        todo="remove it, and run: quorate testnet down",
    )
