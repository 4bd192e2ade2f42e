"""The ports behind which the world lies: where the index is read from, and where archives are.

Both are synchronous: an adapter takes a snapshot first (from git, from a peer) and then hands it over as a value.
`Snapshot` is that value; `quorate.node.store` makes it from git.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol


class Store(Protocol):
    """One state of an index repository, read-only."""

    def tip(self) -> str:
        """The identity of this state: a commit id, or a text that changes when the state does."""
        ...

    def paths(self) -> Sequence[str]:
        """Every path in the repository, with slashes, sorted."""
        ...

    def read(self, path: str) -> bytes | None:
        """The file at `path`, or None."""
        ...


class Archives(Protocol):
    """Package archives by content hash."""

    def load(self, content_hash: bytes) -> bytes | None:
        """The archive of the package that `content_hash` names, or None; the caller verifies it."""
        ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A Store held in memory: the tip and every file by path."""

    identity: str
    files: Mapping[str, bytes] = field(default_factory=lambda: MappingProxyType({}))

    def tip(self) -> str:
        """The identity of this state."""
        return self.identity

    def paths(self) -> Sequence[str]:
        """Every path, sorted."""
        return sorted(self.files)

    def read(self, path: str) -> bytes | None:
        """The file at `path`, or None."""
        return self.files.get(path)
