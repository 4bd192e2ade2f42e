"""Loading the numeric kernels off the trio loop, once a process, when the first session is near.

A node at rest holds neither numba nor its kernels. They are loaded in a worker thread when a bid is made or a
session begins: about a second from the cache, tens of seconds when nothing is compiled yet (`quorate warm`).
"""

from __future__ import annotations

import trio

_lock = trio.Lock()
_loaded = False


async def load_kernels() -> None:
    """Return when every kernel is loaded; later calls return at once."""
    global _loaded  # noqa: PLW0603 -- whether this process has its kernels is a fact about the process
    async with _lock:
        if not _loaded:
            await trio.to_thread.run_sync(_load)
            _loaded = True


def _load() -> None:
    from quorate.protocol.field import BN254
    from quorate.protocol.field.warm import warm

    warm(lambda done, total, name: None)
    assert BN254.integers(BN254.mul(BN254.vector([3]), BN254.vector([5]))) == [15]
