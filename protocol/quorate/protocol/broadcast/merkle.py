"""A Merkle tree (Merkle, 1987) over the fragments of one payload: a 32-byte root, and a branch for each leaf.

Leaves and inner nodes are hashed in different domains, so that neither passes for the other. The tree is padded to a
power of two with a hash that is no leaf's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

HASH_BYTES: Final = 32
_LEAF: Final = b"quorate/merkle/leaf/1"
_NODE: Final = b"quorate/merkle/node/1"
_EMPTY: Final = hashlib.sha256(b"quorate/merkle/empty/1").digest()


def branch_bytes(leaves: int) -> int:
    """The size of a branch in a tree of so many leaves, in bytes."""
    return (leaves - 1).bit_length() * HASH_BYTES


class MerkleTree:
    """The tree over `leaves`, at least one. Raises ValueError for none."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        if not leaves:
            raise ValueError("a tree has at least one leaf")
        width = 1 << (len(leaves) - 1).bit_length()
        level = [_leaf(leaf) for leaf in leaves] + [_EMPTY] * (width - len(leaves))
        self._levels = [level]
        while len(level) > 1:
            level = [_node(level[index], level[index + 1]) for index in range(0, len(level), 2)]
            self._levels.append(level)

    @property
    def root(self) -> bytes:
        """The 32 bytes that commit to all leaves and their order."""
        return self._levels[-1][0]

    def branch(self, index: int) -> bytes:
        """The siblings on the way from leaf `index` to the root, lowest first."""
        siblings = []
        for level in self._levels[:-1]:
            siblings.append(level[index ^ 1])
            index >>= 1
        return b"".join(siblings)


def root_of(leaf: bytes | memoryview, branch: bytes, *, index: int) -> bytes:
    """The root of the tree that has `leaf` at `index` with that branch, whose size the caller has checked."""
    value = _leaf(leaf)
    for start in range(0, len(branch), HASH_BYTES):
        sibling = branch[start : start + HASH_BYTES]
        value = _node(sibling, value) if index & 1 else _node(value, sibling)
        index >>= 1
    return value


def _leaf(data: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(_LEAF)
    digest.update(data)
    return digest.digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()
