"""Noise XX over TCP, with one socket write per batch and no await between a nonce and its record.

libp2p's handshake is used as it is. After it, `NoiseSession` takes the socket over: `send` seals a record and
hands it to the kernel in the same step, so a cancelled task can never leave a nonce spent and a record unsent
(which would kill the connection), and what the kernel does not take waits in a backlog that one writer task
empties. `receive` takes whatever the kernel has and opens all whole records in it.

Specification: https://noiseprotocol.org/noise.html section 5; libp2p specs, noise/README.md, wire format: a
2-byte big-endian length, then at most 65,535 bytes of ciphertext with its 16-byte tag.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, cast

import trio
from libp2p.abc import IRawConnection, ISecureConn
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair
from libp2p.io.exceptions import ConnectionClosedError, IncompleteReadError
from libp2p.peer.id import ID
from libp2p.security.exceptions import HandshakeFailure
from libp2p.security.noise.transport import PROTOCOL_ID as NOISE_PROTOCOL
from libp2p.security.noise.transport import Transport as LibNoise
from libp2p.security.secure_session import SecureSession

from .identity import is_ed25519_peer

__all__ = ["MOST_PLAINTEXT", "NOISE_PROTOCOL", "NoiseSession", "NoiseTransport"]

MOST_PLAINTEXT: Final = 65535 - 16
"""Plaintext bytes that fit one record."""
_READ_BYTES: Final = 256 * 1024
_MOST_BUFFERS_PER_WRITE: Final = 64


class NoiseSession(SecureSession):
    """An authenticated, encrypted connection to one peer id, owning its socket."""

    def __init__(self, session: SecureSession, socket: trio.SocketStream) -> None:
        super().__init__(
            local_peer=session.local_peer,
            local_private_key=session.local_private_key,
            remote_peer=session.remote_peer,
            remote_permanent_pubkey=session.remote_permanent_pubkey,
            is_initiator=session.is_initiator,
            conn=session.conn,
        )
        noise = cast(Any, session.conn).noise_state  # noiseprotocol ships no types
        self._seal = noise.encrypt
        self._open = noise.decrypt
        self._socket = socket
        self._sealed = bytearray()  # received, not yet opened
        self._plain = bytearray()  # opened, not yet read
        self._backlog: deque[bytes | memoryview] = deque()
        self.backlog_bytes = 0
        self._wake = trio.Event()
        self._failed = False
        self.bytes_in = 0
        self.bytes_out = 0

    # --- sending

    def send(self, plaintext: bytes) -> None:
        """Seal `plaintext` (any length) and give it to the kernel, or to the backlog; never waits.

        Raises ConnectionClosedError when the socket is gone.
        """
        if self._failed:
            raise ConnectionClosedError("the connection is closed", transport="tcp")
        if len(plaintext) <= MOST_PLAINTEXT:
            record = self._record(plaintext)
        else:
            parts = (plaintext[at : at + MOST_PLAINTEXT] for at in range(0, len(plaintext), MOST_PLAINTEXT))
            record = b"".join(self._record(part) for part in parts)
        self.bytes_out += len(record)
        sent = 0 if self._backlog else self._write_now([record])
        if sent < len(record):
            self._backlog.append(memoryview(record)[sent:])
            self.backlog_bytes += len(record) - sent
            self._wake.set()

    def _record(self, plaintext: bytes) -> bytes:
        sealed: bytes = self._seal(plaintext)
        return len(sealed).to_bytes(2, "big") + sealed

    def _write_now(self, buffers: Sequence[bytes | memoryview]) -> int:
        """How many bytes the kernel took, 0 when it is full."""
        descriptor = self._socket.socket.fileno()
        try:
            return os.writev(descriptor, buffers)
        except BlockingIOError:
            return 0
        except OSError as error:
            self._failed = True
            raise ConnectionClosedError(f"the connection broke: {error.strerror}", transport="tcp") from error

    async def flush_forever(self, progress: Callable[[], None]) -> None:
        """Empty the backlog whenever the kernel has room; run by exactly one task until the socket closes.

        `progress` is called after each write. Raises ConnectionClosedError or trio.ClosedResourceError at the end.
        """
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            while self._backlog:
                await self._flush_once()
                progress()

    async def _flush_once(self) -> None:
        if self._failed:
            raise ConnectionClosedError("the connection is closed", transport="tcp")
        await trio.lowlevel.wait_writable(self._socket.socket.fileno())
        self._forget(self._write_now(list(islice(self._backlog, _MOST_BUFFERS_PER_WRITE))))

    def _forget(self, taken: int) -> None:
        self.backlog_bytes -= taken
        while taken:
            first = self._backlog[0]
            if taken < len(first):
                self._backlog[0] = memoryview(first)[taken:]
                return
            taken -= len(first)
            self._backlog.popleft()

    # --- receiving

    async def receive(self) -> list[bytes]:
        """The records that have arrived, opened: at least one, or none at the end of the connection.

        Safe to cancel. Raises ConnectionClosedError on a reset and on a record that does not authenticate.
        """
        if self._plain:
            rest = bytes(self._plain)
            self._plain.clear()
            return [rest]
        while True:
            try:
                data = await self._socket.receive_some(_READ_BYTES)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise ConnectionClosedError("the connection broke", transport="tcp") from error
            if not data:
                return []
            self.bytes_in += len(data)
            records = self._open_records(data)
            if records:
                return records

    def _open_records(self, data: bytes | bytearray) -> list[bytes]:
        self._sealed += data
        sealed, at, end = self._sealed, 0, len(self._sealed)
        records: list[bytes] = []
        with memoryview(sealed) as view:
            while end - at >= 2:
                after = at + 2 + (sealed[at] << 8 | sealed[at + 1])
                if after > end:
                    break
                records.append(self._open_record(bytes(view[at + 2 : after])))
                at = after
        del sealed[:at]
        return records

    def _open_record(self, sealed: bytes) -> bytes:
        try:
            opened: bytes = self._open(sealed)
        except Exception as error:  # noiseprotocol raises several unrelated classes here, all meaning the same
            self._failed = True
            raise ConnectionClosedError("a record does not authenticate", transport="tcp") from error
        return opened

    # --- what libp2p calls while it negotiates the multiplexer

    async def read(self, n: int | None = None) -> bytes:
        """Exactly `n` bytes, or all that is there; raises IncompleteReadError at the end of the connection."""
        while not self._plain or (n is not None and len(self._plain) < n):
            kept, self._plain = self._plain, bytearray()
            try:
                records = await self.receive()
            finally:
                self._plain = kept
            if not records:
                raise IncompleteReadError("the connection ended")
            for record in records:
                self._plain += record
        taken = bytes(self._plain if n is None else self._plain[:n])
        del self._plain[: len(taken)]
        return taken

    async def write(self, data: bytes) -> None:
        """Send `data`, and wait until the kernel has it; before `flush_forever` runs only."""
        self.send(bytes(data))
        while self._backlog:
            await self._flush_once()

    def abort(self) -> None:
        """Close the socket now; both ends' pending reads and writes fail."""
        self._failed = True
        self._backlog.clear()
        self.backlog_bytes = 0
        self._socket.socket.close()

    async def close(self) -> None:
        """Close the socket."""
        self.abort()
        await trio.lowlevel.checkpoint()


class NoiseTransport(LibNoise):
    """Noise for Ed25519 identities only; each connection becomes a `NoiseSession`."""

    def __init__(self, keys: KeyPair) -> None:
        super().__init__(keys, noise_privkey=create_new_key_pair().private_key)

    async def secure_inbound(self, conn: IRawConnection) -> ISecureConn:
        """Authenticate whoever dialled us."""
        return self._take_over(await super().secure_inbound(conn), conn)

    async def secure_outbound(self, conn: IRawConnection, peer_id: ID) -> ISecureConn:
        """Authenticate whom we dialled as `peer_id`."""
        return self._take_over(await super().secure_outbound(conn, peer_id), conn)

    @staticmethod
    def _take_over(session: ISecureConn, conn: IRawConnection) -> NoiseSession:
        if not is_ed25519_peer(session.get_remote_peer().to_bytes()):
            raise HandshakeFailure("the peer's identity is not an Ed25519 key")
        socket = cast(Any, conn).stream.stream  # RawConnection over TrioTCPStream over trio.SocketStream
        return NoiseSession(cast(SecureSession, session), cast(trio.SocketStream, socket))
