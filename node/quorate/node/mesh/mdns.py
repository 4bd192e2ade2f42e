"""Finding peers on the local network by multicast DNS, in zeroconf's own thread.

Follows the libp2p mDNS specification with a private service name: a random instance name, and one TXT entry
`dnsaddr=<multiaddr>` per address. Without a network that carries multicast, or on a machine with nothing but
loopback, it says so in the log and does nothing.
"""

from __future__ import annotations

import logging
import secrets
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

import trio

from .scopes import shielded

SERVICE: Final = "_p2p-quorate._udp.local."
_KEY: Final = b"dnsaddr="
_MOST_ENTRIES: Final = 8
_MOST_ENTRY_BYTES: Final = 255
_MOST_HEARD: Final = 64
_RESOLVE_MS: Final = 2000
_DISCARD_PORT: Final = 9
_log = logging.getLogger(__name__)


async def announce_and_browse(addresses: list[str], heard: Callable[[list[str]], None]) -> None:
    """Announce `addresses` and call `heard` with those of each other node, until cancelled."""
    send, receive = trio.open_memory_channel[list[str]](_MOST_HEARD)
    token = trio.lowlevel.current_trio_token()

    def from_thread(found: list[str]) -> None:
        try:
            token.run_sync_soon(_offer, send, found)
        except trio.RunFinishedError:
            return

    try:
        session = await trio.to_thread.run_sync(_Session, addresses, from_thread)
    except Exception as error:  # zeroconf raises whatever the interfaces of this machine make it raise
        _log.warning("no discovery on the local network: %r", error)
        return
    try:
        async for found in receive:
            heard(found)
    finally:
        with shielded():
            await trio.to_thread.run_sync(session.close)


def _offer(send: trio.MemorySendChannel[list[str]], found: list[str]) -> None:
    try:
        send.send_nowait(found)
    except trio.WouldBlock:
        _log.debug("too many nodes answered on the local network at once")


class _Session:
    """One zeroconf instance with our service registered and a browser for the others'."""

    def __init__(self, addresses: list[str], found: Callable[[list[str]], None]) -> None:
        from zeroconf import ServiceBrowser, ServiceInfo, Zeroconf

        self._found = found
        self._name = f"{secrets.token_hex(16)}.{SERVICE}"
        self._zeroconf = Zeroconf()
        try:
            info = ServiceInfo(
                SERVICE,
                self._name,
                addresses=[socket.inet_aton("127.0.0.1")],
                port=_DISCARD_PORT,
                properties=encode_entries(addresses),
                server=f"{self._name.split('.')[0]}.local.",
            )
            self._zeroconf.register_service(info)
            self._browser = ServiceBrowser(self._zeroconf, SERVICE, handlers=[self._on_change])
        except BaseException:
            self._zeroconf.close()
            raise

    def _on_change(self, zeroconf: Any, service_type: str, name: str, state_change: Any) -> None:
        """Called in zeroconf's thread."""
        if name == self._name or state_change.name == "Removed":
            return
        try:
            info = zeroconf.get_service_info(service_type, name, _RESOLVE_MS)
            if info is not None and info.text:
                self._found(list(decode_entries(info.text)))
        except Exception as error:  # a malformed answer of somebody else must not end the thread
            _log.debug("an answer on the local network was ignored: %r", error)

    def close(self) -> None:
        """Say goodbye and stop the thread."""
        self._zeroconf.close()


def encode_entries(addresses: list[str]) -> bytes:
    """The TXT record of our addresses: length-prefixed `dnsaddr=...` strings."""
    entries = [_KEY + address.encode() for address in addresses[:_MOST_ENTRIES]]
    return b"".join(bytes([len(entry)]) + entry for entry in entries if len(entry) <= _MOST_ENTRY_BYTES)


def decode_entries(text: bytes) -> Iterator[str]:
    """The addresses in a TXT record; stops at the first entry that is cut off."""
    at = 0
    for _ in range(_MOST_ENTRIES):
        if at >= len(text) or at + 1 + text[at] > len(text):
            return
        entry = text[at + 1 : at + 1 + text[at]]
        at += 1 + text[at]
        if entry.startswith(_KEY):
            yield entry[len(_KEY) :].decode(errors="replace")
