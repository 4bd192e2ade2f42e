"""The exceptions of quorate.node: the type says whose fault it is, the class gives the exit code of the CLI.

QuorateNodeError                  1
+-- UsageError                    2   the command cannot be carried out as asked
|   +-- MissingPart                   a part of Quorate, or a tool it needs, is not installed
+-- ConfigError                   3   a quorate.toml is wrong, absent or already there
+-- KeyFileError                  4   a key file cannot be used
|   +-- WrongPassphrase
|   +-- PassphraseMissing
|   +-- InsecurePermissions
|   +-- KeyFileMalformed
+-- HomeError                     5   the home folder or its disk
|   +-- HomeLocked                    another daemon holds this home
|   +-- DiskFull
|   +-- JournalCorrupt
|   +-- JournalTooNew
|   +-- JournalConflict               a replay or our bug: the journal refuses to contradict itself
|       +-- MaskReused
|       +-- UnknownRecord
|       +-- IllegalState
+-- NetworkError                  6   a peer, or the network between us
|   +-- PeerError                     a peer is at fault
+-- ChainError                    7   the chain, or the endpoint that speaks for it
+-- ControlError                  8   the control socket of a daemon
|   +-- NodeNotRunning
|   +-- ControlRefused
+-- TestnetError                  9   the supervisor of a local network
    +-- TestnetRunning
    +-- TestnetNotRunning
    +-- PortInUse
    +-- ProcessFailed
    +-- ReadinessTimeout

Every error has three sentences: `what` happened, `why`, and `todo`, what to do next. Subclasses derive them from
typed fields. None of them ever quotes a secret.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import ClassVar, Final

DISK_FULL_ERRNOS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The errno values that mean "no room": the disk, the quota, or the largest file allowed."""


class QuorateNodeError(Exception):
    """The root of every error that this package raises on purpose: `what` happened, `why`, `todo` next."""

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.todo = todo

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what

    def as_json(self) -> dict[str, object]:
        """The error as `--json` prints it, without the surrounding {"error": ...}."""
        return {
            "type": type(self).__name__,
            "what": self.what,
            "why": self.why,
            "todo": self.todo,
            "exit_code": self.exit_code,
        }


# --- the operator


class UsageError(QuorateNodeError):
    """The command cannot be carried out as asked."""

    exit_code = 2


class MissingPart(UsageError):
    """`part` (a module of ours, an extra or a tool) is not installed here."""

    def __init__(self, part: str, *, todo: str) -> None:
        super().__init__(f"{part} is not installed", why="this command needs it", todo=todo)
        self.part = part


class ConfigError(QuorateNodeError):
    """A quorate.toml is wrong, absent or already there."""

    exit_code = 3


# --- keys at rest


class KeyFileError(QuorateNodeError):
    """The key file at `path` cannot be used."""

    exit_code = 4

    def __init__(self, path: Path, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.path = path


class WrongPassphrase(KeyFileError):
    """The passphrase does not open the key file at `path`, or the file was altered."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"cannot open the key file {path}",
            why="the passphrase is wrong, or the file was altered",
            todo="check the passphrase file, QUORATE_PASSPHRASE or what you typed; else restore the file",
        )


class PassphraseMissing(KeyFileError):
    """No passphrase was given, and there is no terminal to ask on."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            f"no passphrase for {path}",
            why="neither identity.passphrase_file nor QUORATE_PASSPHRASE is set, and there is no terminal",
            todo="set one of the two, or run the command in a terminal",
        )


class InsecurePermissions(KeyFileError):
    """Others than the owner may read or write the secret at `path`, whose mode is `mode`."""

    def __init__(self, path: Path, mode: int, *, why: str | None = None) -> None:
        wanted = "700" if path.is_dir() else "600"
        super().__init__(
            path,
            f"refusing to use {path}",
            why=why or f"its mode is {mode & 0o7777:03o}: others than its owner have access",
            todo=f"own it and run: chmod {wanted} '{path}'; treat the secret as leaked if others could read it",
        )
        self.mode = mode


class KeyFileMalformed(KeyFileError):
    """The key file at `path` is not what this program writes."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            path,
            f"{path} is not a key file of this version",
            why=reason,
            todo="restore it from a backup, or make a new home with: quorate node init",
        )
        self.reason = reason


# --- the home and its disk


class HomeError(QuorateNodeError):
    """The home folder, its journal or its disk stops us."""

    exit_code = 5


class HomeLocked(HomeError):
    """Process `holder` (None when unknown) already runs on `home`."""

    def __init__(self, home: Path, holder: int | None) -> None:
        who = "another process" if holder is None else f"process {holder}"
        super().__init__(
            f"the home {home} is in use",
            why=f"{who} already runs on it",
            todo="stop that process, or give this one a home of its own with --home",
        )
        self.home = home
        self.holder = holder


class DiskFull(HomeError):
    """There is no room to write `path`."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"cannot write {path}",
            why="the disk or the quota is full, or the file reached its largest size",
            todo="free some space and start again; what was committed before is safe",
        )
        self.path = path


class JournalCorrupt(HomeError):
    """The journal at `path` is not a readable journal."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the journal {path} cannot be read",
            why=reason,
            todo="check the disk, then restore the journal from a backup; do not delete it while orders are open, "
            "since it is what stops masks from being used twice",
        )
        self.path = path
        self.reason = reason


class JournalTooNew(HomeError):
    """The journal at `path` has schema `found`; this program knows `known`."""

    def __init__(self, path: Path, *, found: int, known: int) -> None:
        super().__init__(
            f"the journal {path} was written by a newer quorate",
            why=f"its schema is {found}; this program knows up to {known}",
            todo="run the newer quorate, or use another home",
        )
        self.path = path
        self.found = found
        self.known = known


class JournalConflict(HomeError):
    """A write would contradict what the journal already holds: a replay, or our bug."""


class MaskReused(JournalConflict):
    """Masks `first`..`first + count - 1` of `client` in `session` overlap with masks that were used before."""

    def __init__(self, session: bytes, client: str, *, first: int, count: int) -> None:
        super().__init__(
            f"refusing input masks {first}..{first + count - 1} of {client} in session {session.hex()[:16]}",
            why="some of them were used before, and a mask used twice reveals the difference of two inputs",
            todo="start a new session with fresh masks",
        )
        self.session = session
        self.client = client
        self.first = first
        self.count = count


class UnknownRecord(JournalConflict):
    """The journal has no `kind` named `key`."""

    def __init__(self, kind: str, key: bytes) -> None:
        super().__init__(f"the journal has no {kind} {key.hex()[:16]}", todo="check the id")
        self.kind = kind
        self.key = key


class IllegalState(JournalConflict):
    """A `kind` in state `found` cannot go to `wanted`."""

    def __init__(self, kind: str, key: bytes, *, found: str, wanted: str) -> None:
        super().__init__(
            f"{kind} {key.hex()[:16]} cannot go from {found} to {wanted}",
            why="the journal never leaves a final state and never goes back",
        )
        self.kind = kind
        self.key = key
        self.found = found
        self.wanted = wanted


# --- peers and chain


class NetworkError(QuorateNodeError):
    """A peer, or the network between us and it."""

    exit_code = 6


class PeerError(NetworkError):
    """The peer named `peer` is at fault; `reason` says how."""

    def __init__(self, peer: str, reason: str, *, todo: str = "") -> None:
        super().__init__(f"peer {peer} misbehaved", why=reason, todo=todo)
        self.peer = peer
        self.reason = reason


class ChainError(QuorateNodeError):
    """The chain, or the endpoint that speaks for it."""

    exit_code = 7


# --- the control socket


class ControlError(QuorateNodeError):
    """The control socket of a daemon."""

    exit_code = 8


class NodeNotRunning(ControlError):
    """No daemon answers for `home`."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"no node runs on {home}",
            why="nothing answers on its control socket",
            todo=f"start it with: quorate node run --home '{home}'",
        )
        self.home = home


class ControlRefused(ControlError):
    """The daemon refused `method`; `reason` is its answer."""

    def __init__(self, method: str, reason: str, *, todo: str = "") -> None:
        super().__init__(f"the node refused {method!r}", why=reason, todo=todo)
        self.method = method
        self.reason = reason


# --- the local network


class TestnetError(QuorateNodeError):
    """The supervisor of a local network."""

    __test__ = False  # pytest: a class named Test... that holds no tests
    exit_code = 9


class TestnetRunning(TestnetError):
    """A local network already runs in `home`, supervised by process `pid`."""

    def __init__(self, home: Path, pid: int | None) -> None:
        by = "" if pid is None else f", supervised by process {pid}"
        super().__init__(
            f"a testnet already runs in {home}",
            why=f"it was started earlier{by}",
            todo=f"see it with: quorate testnet status --home '{home}'; stop it with: quorate testnet down "
            f"--home '{home}'; or choose another --home",
        )
        self.home = home
        self.pid = pid


class TestnetNotRunning(TestnetError):
    """No local network runs in `home`."""

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"no testnet runs in {home}",
            why="there is no live supervisor for it",
            todo=f"start one with: quorate testnet up --home '{home}'",
        )
        self.home = home


class PortInUse(TestnetError):
    """Another process listens on `port`, which `purpose` wants."""

    def __init__(self, port: int, purpose: str) -> None:
        super().__init__(
            f"port {port} is in use",
            why=f"{purpose} wants it, and another process listens there",
            todo="stop that process, choose another port, or give 0 to take a free one",
        )
        self.port = port
        self.purpose = purpose


class ProcessFailed(TestnetError):
    """The process `name` ended with `status` before it was asked to; `tail` is the end of its log at `log`."""

    def __init__(self, name: str, *, status: int, log: Path, tail: str) -> None:
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        super().__init__(
            f"{name} {how}",
            why=tail.strip() or "its log is empty",
            todo=f"read the whole log: {log}",
        )
        self.name = name
        self.status = status
        self.log = log
        self.tail = tail


class ReadinessTimeout(TestnetError):
    """`name` was not ready after `seconds`."""

    def __init__(self, name: str, *, seconds: float, log: Path) -> None:
        super().__init__(
            f"{name} was not ready after {seconds:g} s",
            why="it runs but has not said that it is ready",
            todo=f"read its log: {log}; on a slow machine give --timeout more seconds",
        )
        self.name = name
        self.seconds = seconds
        self.log = log
