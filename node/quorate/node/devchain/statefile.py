"""The journal that lets an embedded chain survive a restart: one JSON object a line.

The first line is the genesis; every further line is one action (a raw transaction, an empty block, a balance
set by hand) with the timestamp of its block. Replaying the lines in order gives the same blocks with the same
hashes, since everything that enters a block is in the journal.

A process killed in the middle of a write leaves a last line without its newline: that action was never
acknowledged, so opening the file cuts it off. The file is locked while it is open.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from .errors import StateFileError

FORMAT_VERSION = 1
MAX_LINE_BYTES = 1 << 20

ActionKind = Literal["transaction", "block", "balance"]


@dataclass(frozen=True, slots=True)
class Genesis:
    """What block 0 is made of: the chain id, its timestamp in Unix seconds, and balances in wei by address."""

    chain_id: int
    timestamp: int
    balances: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that changed the chain; `payload` is the raw transaction in hex, or the address of a balance."""

    kind: ActionKind
    timestamp: int
    payload: str = ""
    wei: int = 0


class StateFile:
    """An open, locked journal; `append` returns once the line is with the operating system."""

    def __init__(self, path: Path, genesis: Genesis) -> None:
        """Open `path`, or create it with `genesis`.

        StateFileError if it is locked, damaged or of another chain.
        """
        self._path = path
        self._file = self._open_locked(path)
        try:
            self.genesis = self._read_genesis(genesis)
        except BaseException:
            self._file.close()
            raise

    @staticmethod
    def _open_locked(path: Path) -> IO[bytes]:
        try:
            file = path.open("a+b", buffering=0)
        except OSError as error:
            raise StateFileError(
                path, f"it cannot be opened: {error.strerror}", "check the path and its rights"
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StateFileError(
                path, "another process uses it", "stop that process, or choose another file"
            ) from error
        return file

    def _read_genesis(self, genesis: Genesis) -> Genesis:
        self._file.seek(0)
        first = self._file.readline(MAX_LINE_BYTES)
        if not first.endswith(b"\n"):  # new, or killed before the first line was whole
            self._file.truncate(0)
            line = {
                "version": FORMAT_VERSION,
                "chain_id": genesis.chain_id,
                "timestamp": genesis.timestamp,
                "balances": {address: str(wei) for address, wei in genesis.balances.items()},
            }
            self._write_line(line)
            return genesis
        record = self._parse(first, 1)
        if record.get("version") != FORMAT_VERSION:
            raise StateFileError(self._path, "another version wrote it", "move it away and start anew")
        if record.get("chain_id") != genesis.chain_id:
            raise StateFileError(
                self._path,
                f"it holds chain {record.get('chain_id')}, not {genesis.chain_id}",
                "choose another file",
            )
        balances = {str(address): int(str(wei)) for address, wei in _mapping(record.get("balances")).items()}
        return Genesis(genesis.chain_id, _integer(record.get("timestamp")), balances)

    def _parse(self, line: bytes, number: int) -> dict[str, object]:
        try:
            return _mapping(json.loads(line))
        except (ValueError, TypeError) as error:
            raise StateFileError(
                self._path, f"line {number} is damaged", "restore it from a copy, or move it away and start anew"
            ) from error

    def replay(self) -> Iterator[Action]:
        """Yield every recorded action in order, cutting off a last line that was not written to its end."""
        self._file.seek(0)
        self._file.readline(MAX_LINE_BYTES)
        whole = self._file.tell()
        number = 1
        while line := self._file.readline(MAX_LINE_BYTES):
            number += 1
            if not line.endswith(b"\n"):
                self._file.truncate(whole)
                return
            whole += len(line)
            yield self._action(self._parse(line, number), number)

    def _action(self, record: dict[str, object], number: int) -> Action:
        try:
            kind = record["kind"]
            if kind not in ("transaction", "block", "balance"):
                raise ValueError(kind)
            return Action(
                kind=kind,
                timestamp=_integer(record["timestamp"]),
                payload=str(record.get("payload", "")),
                wei=int(str(record.get("wei", "0"))),
            )
        except (KeyError, ValueError, TypeError) as error:
            raise StateFileError(
                self._path, f"line {number} is damaged", "restore it from a copy, or move it away and start anew"
            ) from error

    def append(self, action: Action) -> None:
        """Write one action; OSError if the disk refuses it, in which case nothing of it stays in the file."""
        self._write_line(
            {
                "kind": action.kind,
                "timestamp": action.timestamp,
                "payload": action.payload,
                "wei": str(action.wei),
            }
        )

    def _write_line(self, record: dict[str, object]) -> None:
        line = json.dumps(record).encode() + b"\n"
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"a journal line of {len(line)} bytes is over the bound of {MAX_LINE_BYTES}")
        end = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(28, "No space left on device")
        except OSError:
            self._file.truncate(end)
            raise

    def close(self) -> None:
        """Flush to the disk, unlock and close."""
        os.fsync(self._file.fileno())
        self._file.close()


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _integer(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("not an integer")
    return value
