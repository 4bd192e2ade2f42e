"""How single configuration values are read: each reader takes what TOML gave and returns the value, or raises.

A reader raises ValueError with what is expected, in words that complete "expected ...".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from quorate.node.amounts import Wei, parse_amount
from quorate.node.keys.peer_id import public_key_of

Value = TypeVar("Value")
Reader = Callable[[object], Value]

MAX_TEXT_CHARACTERS: Final = 4096
MAX_ENTRIES: Final = 256
_HOST: Final = re.compile(r"[0-9A-Za-z:.\-]{1,253}")
_MULTIADDR: Final = re.compile(
    r"/(?P<kind>ip4|ip6|dns|dns4|dns6)/(?P<host>[^/]+)/tcp/(?P<port>[0-9]{1,5})(?:/p2p/(?P<peer>[^/]+))?"
)


def boolean(value: object) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def text(value: object) -> str:
    """A string that is not empty."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARACTERS:
        raise ValueError("a string that is not empty")
    return value


def integer(least: int, most: int) -> Reader[int]:
    """A reader of integers from `least` to `most`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"an integer from {least} to {most}")
        return value

    return read


def seconds(least: float, most: float) -> Reader[float]:
    """A reader of durations in seconds from `least` to `most`."""

    def read(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return read


def choice(*names: str) -> Reader[str]:
    """A reader of one of `names`."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            raise ValueError("one of " + ", ".join(f'"{name}"' for name in names))
        return value

    return read


def path(value: object) -> Path:
    """A file or folder; relative ones start at the home, and ~ is the user's folder."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARACTERS or "\0" in value:
        raise ValueError("a path, as a string")
    return Path(value).expanduser()


def amount(value: object) -> Wei:
    """An amount of ether: an integer of wei, or a string with a unit."""
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            return parse_amount(str(value))
        if isinstance(value, str):
            return parse_amount(value)
    except ValueError as error:
        raise ValueError(f'an amount such as "0.5 ether", "20 gwei" or 1000 (wei): {error}') from None
    raise ValueError('an amount such as "0.5 ether", "20 gwei" or 1000 (wei)')


def http_url(value: object) -> str:
    """An http or https URL."""
    expected = 'an http or https URL such as "http://127.0.0.1:8545"'
    if not isinstance(value, str) or len(value) > MAX_TEXT_CHARACTERS:
        raise ValueError(expected)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(expected)
    return value


def address(value: object) -> str:
    """A 20-byte account or contract address; one in mixed case must have the right EIP-55 checksum."""
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{40}", value):
        raise ValueError("an address: 0x and 40 hex digits")
    digits = value[2:]
    if digits not in (digits.lower(), digits.upper()):
        from eth_utils.address import is_checksum_address

        if not is_checksum_address(value):
            raise ValueError("an address whose upper and lower case match its checksum (EIP-55)")
    return value


def multiaddrs(*, with_peer: bool) -> Reader[tuple[str, ...]]:
    """A reader of lists of TCP multiaddrs, which must end in /p2p/ID when `with_peer`, and must not otherwise."""

    def read(value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > MAX_ENTRIES:
            raise ValueError(f"a list of at most {MAX_ENTRIES} multiaddrs")
        return tuple(_multiaddr(entry, with_peer=with_peer) for entry in value)

    return read


def _multiaddr(value: object, *, with_peer: bool) -> str:
    form = "/ip4/HOST/tcp/PORT" + ("/p2p/ID" if with_peer else "")
    match = _MULTIADDR.fullmatch(value) if isinstance(value, str) else None
    if not isinstance(value, str) or match is None or not _HOST.fullmatch(match["host"]):
        raise ValueError(f"multiaddrs such as {form} (also ip6, dns, dns4, dns6); {value!r} is not one")
    if int(match["port"]) > 65535 or (with_peer and int(match["port"]) == 0):
        raise ValueError(f"multiaddrs with a port up to 65535; {value!r} has none")
    if not _host_fits(match["kind"], match["host"]):
        raise ValueError(f"multiaddrs whose host is an {match['kind']} address; {value!r} has another")
    if with_peer != (match["peer"] is not None):
        raise ValueError(f"multiaddrs {'with' if with_peer else 'without'} /p2p/ID at the end; see {value!r}")
    if match["peer"] is not None:
        try:
            public_key_of(match["peer"])
        except ValueError as error:
            raise ValueError(f"multiaddrs with Ed25519 peer ids; {value!r} has {error}") from None
    return value


def _host_fits(kind: str, host: str) -> bool:
    import ipaddress

    if kind.startswith("dns"):
        return ":" not in host
    try:
        return ipaddress.ip_address(host).version == int(kind[2])
    except ValueError:
        return False
