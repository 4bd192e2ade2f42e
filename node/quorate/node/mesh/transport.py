"""What channels, calls and sessions need of a network; the mesh is one, a direct TLS link could be another."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol


class ByteStream(Protocol):
    """What a channel needs from a transport: any ordered, authenticated, bidirectional stream of bytes."""

    @property
    def peer_id(self) -> str:
        """The authenticated peer id of the other end."""
        ...

    @property
    def protocol(self) -> str:
        """The protocol id that both ends agreed on."""
        ...

    async def receive(self, most_bytes: int = ...) -> bytes:
        """At least one and at most `most_bytes` bytes, b"" at the end; StreamBroken when it died."""
        ...

    async def send(self, data: bytes) -> None:
        """Send all of `data`; StreamBroken when the stream died or is closed."""
        ...

    def send_now(self, data: bytes) -> bool:
        """Send all of `data` if that needs no waiting; False, with nothing sent, otherwise."""
        ...

    def end_sending(self) -> None:
        """Half-close: nothing more follows."""
        ...

    def close(self) -> None:
        """Send nothing more and read nothing more."""
        ...

    def reset(self) -> None:
        """Kill the stream in both directions."""
        ...


class Network(Protocol):
    """Opens and accepts authenticated streams between peers that are named by their peer ids."""

    @property
    def peer_id(self) -> str:
        """Our own peer id."""
        ...

    async def open_stream(self, peer: str, protocol: str, *, timeout_s: float = ...) -> ByteStream:
        """A new stream of `protocol` with `peer`; NetworkError when there is none within `timeout_s`."""
        ...

    def serve(
        self,
        protocol: str,
        handler: Callable[[ByteStream], Awaitable[None]],
        *,
        allow: Callable[[str], bool] | None = ...,
        most_streams_per_peer: int = ...,
    ) -> None:
        """Run `handler` for every inbound stream of `protocol` from a peer that `allow` admits."""
        ...
