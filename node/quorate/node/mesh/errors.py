"""What can go wrong on the mesh; the type says whose fault it is.

NetworkError
+-- MeshClosed              the mesh was shut down under the caller
+-- ListenFailed            an address cannot be listened on
+-- AddressInvalid          a multiaddr or a peer id of ours or of the configuration is malformed
+-- DialFailed              no address of a peer answered, or another peer did
+-- StreamOpenFailed        the peer is there, but gives no stream of this protocol
+-- StreamBroken            a stream ended before what it was for was done
+-- MessageTooLarge         what we were asked to send is over the limit of its protocol
PeerError
+-- ChannelError            a peer broke the framing of a channel, fell silent, or does not read
"""

from __future__ import annotations

from quorate.node.errors import NetworkError, PeerError


class MeshClosed(NetworkError):
    """The mesh was shut down while `what` was under way."""

    def __init__(self, what: str) -> None:
        super().__init__(what, why="the mesh is closed", todo="open a mesh and try again")


class ListenFailed(NetworkError):
    """Nothing can listen on `address`; `reason` says why."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"cannot listen on {address}",
            why=reason,
            todo="choose a free port, or an address that this machine has",
        )
        self.address = address
        self.reason = reason


class AddressInvalid(NetworkError):
    """`address` is not a usable multiaddr or peer id; `reason` says why."""

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(
            f"cannot use the address {address[:120]!r}",
            why=reason,
            todo="write it like /ip4/192.0.2.1/tcp/4001/p2p/12D3Koo...",
        )
        self.address = address
        self.reason = reason


class DialFailed(NetworkError):
    """Peer `peer` could not be reached; `reason` says what each address answered."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(
            f"cannot connect to {peer}",
            why=reason,
            todo="check that the peer runs and that its address and peer id are right",
        )
        self.peer = peer
        self.reason = reason


class StreamOpenFailed(NetworkError):
    """Peer `peer` gives no stream of `protocol`; `reason` says why."""

    def __init__(self, peer: str, protocol: str, reason: str) -> None:
        super().__init__(
            f"cannot open {protocol} to {peer}",
            why=reason,
            todo="the peer may not serve this protocol, or not serve it to us",
        )
        self.peer = peer
        self.protocol = protocol
        self.reason = reason


class StreamBroken(NetworkError):
    """The stream of `protocol` with `peer` ended early; `reason` says how."""

    def __init__(self, peer: str, protocol: str, reason: str) -> None:
        super().__init__(f"the stream {protocol} with {peer} broke", why=reason, todo="open it again")
        self.peer = peer
        self.protocol = protocol
        self.reason = reason


class MessageTooLarge(NetworkError):
    """`what` has `size` bytes; its protocol allows `limit`."""

    def __init__(self, what: str, *, size: int, limit: int) -> None:
        super().__init__(
            f"{what} is too large",
            why=f"it has {size} bytes; the limit is {limit}",
            todo="send less, or send the bulk over a stream",
        )
        self.size = size
        self.limit = limit


class ChannelError(PeerError):
    """Peer `peer` broke a channel; `reason` says how."""

    def __init__(self, peer: str, reason: str) -> None:
        super().__init__(peer, reason, todo="the connection was cut; connect again or choose another peer")
