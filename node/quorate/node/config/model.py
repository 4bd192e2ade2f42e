"""The configuration of a node, as frozen dataclasses: one class a table of quorate.toml, one field a key.

A field's annotation holds how its value is read and what it means; the loader and the commented template that
`quorate node init` writes are both made from it, so that neither can drift from the other.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, get_args, get_type_hints

from quorate.node.amounts import Wei, format_amount

from . import values
from .values import Reader

FILE_NAME: Final = "quorate.toml"
MAX_INTEGER: Final = (1 << 63) - 1
"""The largest integer that every TOML parser reads."""
DEFAULT_BASE_PRICE: Final = Wei(10**14)
DEFAULT_COLLATERAL_CAP: Final = Wei(10**18)
DEFAULT_MAX_FEE_PER_GAS: Final = Wei(500 * 10**9)


@dataclass(frozen=True, slots=True)
class Setting:
    """One key: how it is read, what it means, an example when it has no default, whether its value is shown."""

    read: Reader[Any]  # Any: a reader's value type is the field's, which an annotation's metadata cannot express
    meaning: str
    example: object = None
    shown: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """Where the keys of this node are, and what opens them."""

    key_file: Annotated[
        Path, Setting(values.path, "The mesh identity (Ed25519) and the encryption key (X25519), sealed.")
    ] = Path("keys/identity.json")
    chain_key_file: Annotated[
        Path, Setting(values.path, "The chain account (secp256k1), a keystore of version 3.")
    ] = Path("keys/chain.json")
    passphrase_file: Annotated[
        Path | None,
        Setting(
            values.path,
            "A file of mode 600 with the passphrase of both; without it QUORATE_PASSPHRASE or a prompt.",
            example="passphrase",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshConfig:
    """How this node meets its peers."""

    listen: Annotated[
        tuple[str, ...], Setting(values.multiaddrs(with_peer=False), "Where to listen; port 0 takes a free one.")
    ] = ("/ip4/0.0.0.0/tcp/4001",)
    bootstrap: Annotated[
        tuple[str, ...], Setting(values.multiaddrs(with_peer=True), "Peers to dial first, each with its /p2p/ID.")
    ] = ()
    mdns: Annotated[bool, Setting(values.boolean, "Whether to find peers on the local network.")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainConfig:
    """The chain that pays, and the market on it."""

    url: Annotated[
        str,
        Setting(
            values.http_url,
            "The JSON-RPC endpoint. Never shown or logged, since providers put keys into it.",
            example="http://127.0.0.1:8545",
            shown=False,
        ),
    ] = field(repr=False)
    chain_id: Annotated[
        int,
        Setting(
            values.integer(1, MAX_INTEGER),
            "The chain id; a node refuses an endpoint of another chain.",
            example=31337,
        ),
    ]
    market: Annotated[
        str,
        Setting(
            values.address,
            "The address of the market contract.",
            example="0x0000000000000000000000000000000000000000",
        ),
    ]
    confirmations: Annotated[
        int, Setting(values.integer(0, 1024), "Blocks on top of one before it counts as final.")
    ] = 2
    poll_seconds: Annotated[float, Setting(values.seconds(0.05, 60), "How often to look for a new block.")] = 1.0
    max_fee_per_gas: Annotated[Wei, Setting(values.amount, "The most to pay for a unit of gas.")] = (
        DEFAULT_MAX_FEE_PER_GAS
    )

    @property
    def market_bytes(self) -> bytes:
        """The 20 bytes of the market's address."""
        return bytes.fromhex(self.market[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryConfig:
    """Where programs come from."""

    index: Annotated[
        str | None,
        Setting(
            values.text,
            "The registry index: a folder or a git URL; without it, the programs that come with Quorate only.",
            example="../registry",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingConfig:
    """What this node asks, and what it risks."""

    base_price: Annotated[Wei, Setting(values.amount, "The least price of one session.")] = DEFAULT_BASE_PRICE
    collateral_cap: Annotated[
        Wei, Setting(values.amount, "The most collateral to lock in all sessions together.")
    ] = DEFAULT_COLLATERAL_CAP


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsConfig:
    """How much of this machine sessions may use."""

    sessions: Annotated[int, Setting(values.integer(1, 256), "Sessions at once.")] = 4
    memory_mb: Annotated[int, Setting(values.integer(64, 1 << 20), "Memory of all sessions together, in MiB.")] = (
        2048
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """What is logged, how and where."""

    level: Annotated[
        str, Setting(values.choice("debug", "info", "warning", "error"), "debug, info, warning or error.")
    ] = "info"
    format: Annotated[
        str,
        Setting(
            values.choice("auto", "json", "console"),
            "json lines, console, or auto: console on a terminal, json otherwise.",
        ),
    ] = "auto"
    file: Annotated[
        Path | None,
        Setting(values.path, "A file to append to; without it standard error.", example="node.log"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeConfig:
    """The whole configuration of a node, with absolute paths; `home` is the folder of its quorate.toml."""

    home: Path
    identity: IdentityConfig
    mesh: MeshConfig
    chain: ChainConfig
    registry: RegistryConfig
    pricing: PricingConfig
    limits: LimitsConfig
    log: LogConfig


SECTIONS: Final[dict[str, type[Any]]] = {  # Any: seven classes with nothing in common but being dataclasses
    "identity": IdentityConfig,
    "mesh": MeshConfig,
    "chain": ChainConfig,
    "registry": RegistryConfig,
    "pricing": PricingConfig,
    "limits": LimitsConfig,
    "log": LogConfig,
}
"""The tables of quorate.toml in their order."""


def settings_of(section: str) -> dict[str, Setting]:
    """The keys of table `section`, in order."""
    hints = get_type_hints(SECTIONS[section], include_extras=True)
    return {entry.name: get_args(hints[entry.name])[1] for entry in dataclasses.fields(SECTIONS[section])}


def is_required(section: str, key: str) -> bool:
    """Whether `key` of table `section` has no default."""
    return _default_of(section, key) is dataclasses.MISSING


def shown_default(section: str, key: str) -> object:
    """The TOML value that the template shows for `key`: its default, or an example when it has none."""
    default, setting = _default_of(section, key), settings_of(section)[key]
    if default is dataclasses.MISSING or default is None:
        return setting.example
    if setting.read is values.amount and isinstance(default, int):
        return format_amount(default)
    if isinstance(default, tuple):
        return list(default)
    return str(default) if isinstance(default, Path) else default


def _default_of(section: str, key: str) -> object:
    fields = {entry.name: entry for entry in dataclasses.fields(SECTIONS[section])}
    return fields[key].default
