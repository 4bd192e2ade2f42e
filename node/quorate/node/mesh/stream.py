"""A byte stream of the mesh."""

from __future__ import annotations

from libp2p.stream_muxer.exceptions import MuxedStreamEOF, MuxedStreamError

from .errors import StreamBroken
from .yamux_stream import YamuxStream


class Stream:
    """A stream of the mesh. `receive` is safe to cancel; a cancelled `send` may have sent a part."""

    def __init__(self, muxed: YamuxStream, peer_id: str, protocol: str) -> None:
        self._muxed = muxed
        self._peer_id = peer_id
        self._protocol = protocol

    @property
    def peer_id(self) -> str:
        """The authenticated peer id of the other end."""
        return self._peer_id

    @property
    def protocol(self) -> str:
        """The protocol id that both ends agreed on."""
        return self._protocol

    async def receive(self, most_bytes: int = -1) -> bytes:
        """At least one byte, at most `most_bytes` (-1: all there is), b"" at the end; StreamBroken if it died."""
        try:
            return await self._muxed.read(most_bytes)
        except MuxedStreamEOF:
            return b""
        except MuxedStreamError as error:
            raise StreamBroken(self._peer_id, self._protocol, str(error)) from error

    async def send(self, data: bytes) -> None:
        """Send all of `data`, waiting as long as the peer does not read; StreamBroken when the stream died."""
        try:
            await self._muxed.write(data)
        except MuxedStreamError as error:
            raise StreamBroken(self._peer_id, self._protocol, str(error)) from error

    def send_now(self, data: bytes) -> bool:
        """Send all of `data` if nothing has to be waited for; False, and nothing sent, otherwise."""
        try:
            return self._muxed.write_now(data)
        except MuxedStreamError:
            return False

    def end_sending(self) -> None:
        """Half-close: nothing more follows; reading goes on."""
        self._muxed.end_sending()

    def close(self) -> None:
        """Send nothing more and read nothing more; what was sent still arrives."""
        self._muxed.give_up()

    def reset(self) -> None:
        """Kill the stream in both directions, now."""
        self._muxed.abandon()

    def __repr__(self) -> str:
        """Protocol and peer."""
        return f"<Stream {self._protocol} with {self._peer_id}>"
