"""Multiaddrs as text in, parts out; which addresses of ours to tell, and which of others to believe."""

from __future__ import annotations

import ipaddress
import socket
from enum import IntEnum
from typing import Final

from multiaddr import Multiaddr

from .errors import AddressInvalid
from .identity import public_key_of

MOST_ADDRESS_TEXT: Final = 256
_HOSTS: Final = frozenset({"ip4", "ip6", "dns", "dns4", "dns6"})
_PROBES: Final = {"ip4": (socket.AF_INET, "192.0.2.1"), "ip6": (socket.AF_INET6, "2001:db8::1")}
_LOOPBACK: Final = {"ip4": "127.0.0.1", "ip6": "::1"}


class Reach(IntEnum):
    """From how far away an address can be reached."""

    MACHINE = 0
    SITE = 1
    WORLD = 2


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


def transport_address(text: str) -> Multiaddr:
    """The address of /ip4, /ip6 or /dns with /tcp and without /p2p; AddressInvalid otherwise."""
    address = _parse(text)
    names = [protocol.name for protocol in address.protocols()]
    if len(names) != 2 or names[0] not in _HOSTS or names[1] != "tcp":
        raise AddressInvalid(text, "an address to announce is a host and a tcp port, without a peer id")
    return address


def _parse(text: str) -> Multiaddr:
    if len(text) > MOST_ADDRESS_TEXT:
        raise AddressInvalid(text, f"it is longer than {MOST_ADDRESS_TEXT} characters")
    try:
        return Multiaddr(text)
    except Exception as error:  # multiaddr raises whatever the codec of the part raised
        raise AddressInvalid(text, str(error)) from error


def expand_wildcard(address: Multiaddr) -> list[Multiaddr]:
    """An address bound to all interfaces, as the ones that others can dial: the routed one, then loopback."""
    for family, any_host in (("ip4", "0.0.0.0"), ("ip6", "::")):  # noqa: S104  # compared with, not bound to
        if str(address).startswith(f"/{family}/{any_host}/"):
            port = address.value_for_protocol("tcp")
            hosts = [_routed_host(family), _LOOPBACK[family]]
            return [Multiaddr(f"/{family}/{host}/tcp/{port}") for host in hosts if host]
    return [address]


def _routed_host(family: str) -> str:
    """The address of the interface towards the world, or "" without one; a UDP connect sends nothing."""
    kind, probe = _PROBES[family]
    try:
        with socket.socket(kind, socket.SOCK_DGRAM) as sock:
            sock.connect((probe, 9))
            return str(sock.getsockname()[0])
    except OSError:
        return ""


def reach_of(host: str) -> Reach:
    """How far an IP address reaches; a name counts as reaching the site, since it may resolve to anything."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return Reach.SITE
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback or address.is_unspecified:
        return Reach.MACHINE
    return Reach.WORLD if address.is_global else Reach.SITE


def believable(text: str, teller: Reach) -> bool:
    """Whether an address that a peer at `teller` told may be dialled: it must reach at least as far as the peer.

    A stranger on the internet cannot make us connect to our own machine or site.
    """
    try:
        transport, _ = split_address(text)
    except AddressInvalid:
        return False
    first = next(iter(transport.protocols())).name
    if first not in {"ip4", "ip6"}:
        return False
    return reach_of(str(transport.value_for_protocol(first))) >= teller
