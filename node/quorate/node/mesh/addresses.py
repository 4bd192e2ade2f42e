"""Multiaddrs as text in, parts out."""

from __future__ import annotations

from typing import Final

from multiaddr import Multiaddr

from .errors import AddressInvalid
from .identity import public_key_of

MOST_ADDRESS_TEXT: Final = 256
_HOSTS: Final = frozenset({"ip4", "ip6", "dns", "dns4", "dns6"})


def split_address(text: str) -> tuple[Multiaddr, str]:
    """The transport part and the peer id of /ip4/.../tcp/.../p2p/...; AddressInvalid otherwise."""
    address = _parse(text)
    names = [protocol.name for protocol in address.protocols()]
    if len(names) != 3 or names[0] not in _HOSTS or names[1:] != ["tcp", "p2p"]:
        raise AddressInvalid(text, "it is not a host, a tcp port and a peer id")
    peer_id = str(address.value_for_protocol("p2p"))
    public_key_of(peer_id)
    return address.decapsulate(Multiaddr(f"/p2p/{peer_id}")), peer_id


def listen_address(text: str) -> Multiaddr:
    """The address of /ip4/.../tcp/... or /ip6/.../tcp/...; AddressInvalid otherwise."""
    address = _parse(text)
    names = [protocol.name for protocol in address.protocols()]
    if len(names) != 2 or names[0] not in {"ip4", "ip6"} or names[1] != "tcp":
        raise AddressInvalid(text, "an address to listen on is /ip4/... or /ip6/... with /tcp/...")
    return address


def _parse(text: str) -> Multiaddr:
    if len(text) > MOST_ADDRESS_TEXT:
        raise AddressInvalid(text, f"it is longer than {MOST_ADDRESS_TEXT} characters")
    try:
        return Multiaddr(text)
    except Exception as error:  # multiaddr raises whatever the codec of the part raised
        raise AddressInvalid(text, str(error)) from error
