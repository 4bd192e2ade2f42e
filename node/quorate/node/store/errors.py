"""What can go wrong between the registry and the disk, git, or a peer.

QuorateNodeError
+-- UsageError
|   +-- SourceRefused          the place of an index is none that we take
+-- HomeError
|   +-- ArchiveCorrupt         a cached archive is not what its name promises
|   +-- PublishFailed          a folder cannot become a registry
+-- NetworkError
    +-- GitFailed              git could not do it
    |   +-- GitTimeout             it took too long
    |   +-- GitTooLarge            it brought, or printed, too much
    +-- ArchiveUnavailable     nobody has the archive
"""

from __future__ import annotations

from pathlib import Path

from quorate.node.errors import HomeError, NetworkError, UsageError


class SourceRefused(UsageError):
    """The `source` of an index is none that we take."""

    def __init__(self, source: str, reason: str, *, todo: str = "") -> None:
        super().__init__(
            f"cannot take a registry index from {source!r}",
            why=reason,
            todo=todo or "give a folder, or a URL that starts with https:// or file://",
        )
        self.source = source
        self.reason = reason


class ArchiveCorrupt(HomeError):
    """The cached archive at `path` is not what its name promises."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the cached archive {path} is damaged",
            why=reason,
            todo="check the disk; the archive is removed, and fetched again when it is needed",
        )
        self.path = path
        self.reason = reason


class PublishFailed(HomeError):
    """The folder `path` cannot become, or be added to, a registry."""

    def __init__(self, path: Path, reason: str, *, todo: str) -> None:
        super().__init__(f"cannot publish {path}", why=reason, todo=todo)
        self.path = path
        self.reason = reason


class GitFailed(NetworkError):
    """`git` `command` ended with `status`; `reason` is the end of what it printed, without control characters."""

    def __init__(self, command: str, *, status: int, reason: str) -> None:
        super().__init__(
            f"git {command} failed with status {status}",
            why=reason,
            todo="check that the registry's index is there, that it is yours or safe, and that the network is up",
        )
        self.command = command
        self.status = status
        self.reason = reason


class GitTimeout(GitFailed):
    """`git` `command` was stopped after `seconds`."""

    def __init__(self, command: str, *, seconds: float) -> None:
        super().__init__(command, status=-9, reason=f"it was stopped after {seconds:g} s")
        self.seconds = seconds


class GitTooLarge(GitFailed):
    """`git` `command` was stopped when it had brought more than `most_bytes`."""

    def __init__(self, command: str, *, most_bytes: int) -> None:
        super().__init__(command, status=-9, reason=f"it was stopped at {most_bytes} bytes, the most")
        self.most_bytes = most_bytes


class ArchiveUnavailable(NetworkError):
    """Nobody has the archive of the package `content_hash`."""

    def __init__(self, content_hash: bytes, reason: str) -> None:
        super().__init__(
            f"the archive {content_hash.hex()} cannot be had",
            why=reason,
            todo="connect to a node that runs this program, or publish it to the registry's archives",
        )
        self.content_hash = content_hash
        self.reason = reason
