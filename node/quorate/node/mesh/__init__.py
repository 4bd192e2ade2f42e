"""The mesh: who we are, whom we know, gossip, and streams between peers (py-libp2p, Noise and yamux over TCP).

    async with open_mesh(private_key, MeshConfig(listen=("/ip4/0.0.0.0/tcp/4001",))) as mesh:
        peer = await mesh.connect("/ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...")     # DialFailed, AddressInvalid
        mesh.serve("/quorate/echo/1", handler, allow=may_echo, most_streams_per_peer=8)
        stream = await mesh.open_stream(peer, "/quorate/echo/1", timeout_s=5)    # StreamOpenFailed, DialFailed
        async with mesh.subscribe("quorate/orders", validator) as received:      # trio receive channel
            await mesh.publish("quorate/orders", payload)                         # MessageTooLarge
            async for message in received:                                        # Received(topic, author, data)
                ...

`mesh.peer_id`, `mesh.public_key`, `mesh.addresses`, `mesh.peers()`, `await mesh.wait_for_peers(count)`,
`await mesh.disconnect(peer)`, `mesh.statistics()`. A peer is named everywhere by its peer id (str);
`peer_id_of(raw_public_key)` and `public_key_of(peer_id)` convert, exactly, without libp2p.

`Stream` is safe to cancel: a cancelled `receive` loses nothing; a cancelled `send` may have sent a part. For
messages use quorate.node.channel: `open_channel`, `call`, `serve_calls`, `SessionTransport`.

Importing this package does not import libp2p; `open_mesh` does (about 1 s and 60 MB).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from .config import DiscoveryConfig, GossipConfig, InboundLimits, MeshConfig, MuxerLimits
from .errors import (
    AddressInvalid,
    ChannelError,
    DialFailed,
    ListenFailed,
    MeshClosed,
    MessageTooLarge,
    StreamBroken,
    StreamOpenFailed,
)
from .identity import peer_id_of, peer_id_of_private, public_key_of, public_key_of_private
from .received import Received, Validator
from .transport import ByteStream, Network

if TYPE_CHECKING:
    from .mesh import Mesh
    from .stream import Stream

__all__ = [
    "AddressInvalid",
    "ByteStream",
    "ChannelError",
    "DialFailed",
    "DiscoveryConfig",
    "GossipConfig",
    "InboundLimits",
    "ListenFailed",
    "Mesh",
    "MeshClosed",
    "MeshConfig",
    "MessageTooLarge",
    "MuxerLimits",
    "Network",
    "Received",
    "Stream",
    "StreamBroken",
    "StreamOpenFailed",
    "Validator",
    "open_mesh",
    "peer_id_of",
    "peer_id_of_private",
    "public_key_of",
    "public_key_of_private",
]


def open_mesh(
    private_key: bytes, config: MeshConfig | None = None, *, allow: Callable[[str], bool] | None = None
) -> AbstractAsyncContextManager[Mesh]:
    """A running mesh under the Ed25519 identity `private_key` (32 raw bytes), closed on exit.

    `allow(peer_id)` is asked once for every connection, after Noise proved the peer id and before any stream;
    None admits everyone. Raises ListenFailed, and AddressInvalid for a malformed address in `config`.
    """
    _import_libp2p()
    from .mesh import run_mesh

    return run_mesh(private_key, config or MeshConfig(), allow=allow)


def _import_libp2p() -> None:
    """Import libp2p without the deprecation warnings of libraries that only it uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import libp2p  # noqa: F401  # for its side effect


def __getattr__(name: str) -> object:
    """Give `Mesh` and `Stream` on demand, since their modules import libp2p."""
    if name in {"Mesh", "Stream"}:
        _import_libp2p()
    if name == "Mesh":
        from .mesh import Mesh

        return Mesh
    if name == "Stream":
        from .stream import Stream

        return Stream
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
