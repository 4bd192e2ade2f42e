"""The home of a node: a folder with quorate.toml, keys/, the journal, the lock and the control socket."""

from __future__ import annotations

from pathlib import Path

from .config import FILE_NAME, NodeConfig, write_config
from .config.template import Values
from .errors import ConfigError
from .files import disk_errors
from .keys import STANDARD_COST, Cost, KeyFiles, NodeKeys, Secret, create_keys, find_passphrase, load_keys

IDENTITY_FILE = Path("keys") / "identity.json"
CHAIN_FILE = Path("keys") / "chain.json"


def home_key_files(home: Path) -> KeyFiles:
    """Where a new home keeps its keys."""
    return KeyFiles(identity=home / IDENTITY_FILE, chain=home / CHAIN_FILE)


def key_files(config: NodeConfig) -> KeyFiles:
    """Where a configured node keeps its keys."""
    return KeyFiles(identity=config.identity.key_file, chain=config.identity.chain_key_file)


def create_home(home: Path, passphrase: Secret, *, values: Values, cost: Cost = STANDARD_COST) -> NodeKeys:
    """Make `home` with a commented quorate.toml and fresh keys, and return the keys.

    Raises ConfigError or KeyFileError when a file of a node is there already, ConfigInvalid for bad values.
    """
    home = home.expanduser().absolute()
    require_new_home(home)
    with disk_errors(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = create_keys(home_key_files(home), passphrase, cost=cost)
    write_config(home, values)
    return keys


def require_new_home(home: Path) -> None:
    """Raise ConfigError when `home` has a quorate.toml."""
    if (home / FILE_NAME).exists():
        raise ConfigError(
            f"{home} is the home of a node already",
            why=f"there is a {FILE_NAME} in it",
            todo="choose another --home, or start it with: quorate node run",
        )


def open_keys(config: NodeConfig) -> NodeKeys:
    """The keys of a configured node; blocks (0.7 s a file), and may ask for the passphrase on the terminal."""
    files = key_files(config)
    passphrase = find_passphrase(files.identity, passphrase_file=config.identity.passphrase_file)
    return load_keys(files, passphrase)
