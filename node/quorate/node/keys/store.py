"""The key files of a home: identity.json (Ed25519 and X25519) and chain.json (keystore of version 3).

Both are 0600 in a 0700 folder and are never overwritten. Reading the public part needs no passphrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from quorate.node.errors import KeyFileError, KeyFileMalformed
from quorate.node.files import private_folder, read_private, write_private

from .identity import KEY_BYTES, ChainKey, EncryptionKey, MeshKey
from .keystore import keystore_account, seal_chain_key, unseal_chain_key
from .peer_id import peer_id_of
from .seal import STANDARD_COST, Cost, read_header, seal_secret, unseal_secret
from .secret import Secret

_KIND: Final = "identity"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Where the key files of a home are."""

    identity: Path
    chain: Path


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """The keys of a home, open for use."""

    mesh: MeshKey
    chain: ChainKey
    encryption: EncryptionKey

    @classmethod
    def generate(cls) -> NodeKeys:
        """Three fresh keys."""
        return cls(mesh=MeshKey.generate(), chain=ChainKey.generate(), encryption=EncryptionKey.generate())


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """What a home's key files tell without a passphrase; not proven until the keys are opened."""

    peer_id: str
    peer_key: bytes
    encryption_key: bytes
    address: str
    account: bytes
    test_only: bool


def create_keys(files: KeyFiles, passphrase: Secret, *, cost: Cost = STANDARD_COST) -> NodeKeys:
    """Generate keys and write both files; KeyFileError when either exists already."""
    _refuse_existing(files)
    keys = NodeKeys.generate()
    identity = Secret(keys.mesh.secret.reveal() + keys.encryption.secret.reveal())
    public = {"ed25519": keys.mesh.public_key.hex(), "x25519": keys.encryption.public_key.hex()}
    for path in (files.identity, files.chain):
        private_folder(path.parent)
    sealed = seal_secret(identity, passphrase, kind=_KIND, public=public, cost=cost)
    keystore = seal_chain_key(keys.chain, passphrase, cost=cost)
    try:
        write_private(files.identity, sealed)
        write_private(files.chain, keystore)
    except FileExistsError:
        _refuse_existing(files)
        raise
    return keys


def load_keys(files: KeyFiles, passphrase: Secret) -> NodeKeys:
    """Open both files; raises WrongPassphrase, InsecurePermissions, KeyFileMalformed or KeyFileError."""
    data = _read(files.identity)
    plaintext = unseal_secret(data, passphrase, kind=_KIND, path=files.identity).reveal()
    if len(plaintext) != 2 * KEY_BYTES:
        raise KeyFileMalformed(files.identity, "it does not hold two keys of 32 bytes")
    chain = unseal_chain_key(_read(files.chain), passphrase, path=files.chain)
    mesh, encryption = MeshKey(Secret(plaintext[:KEY_BYTES])), EncryptionKey(Secret(plaintext[KEY_BYTES:]))
    return NodeKeys(mesh=mesh, chain=chain, encryption=encryption)


def load_public_keys(files: KeyFiles) -> PublicKeys:
    """The public part of both files, for display."""
    header = read_header(_read(files.identity), kind=_KIND, path=files.identity)
    try:
        peer_key, encryption_key = (bytes.fromhex(header["public"][name]) for name in ("ed25519", "x25519"))
        peer_id = peer_id_of(peer_key)
    except (KeyError, TypeError, ValueError):
        raise KeyFileMalformed(files.identity, "its public keys are absent or are not 32 bytes of hex") from None
    account = keystore_account(_read(files.chain), path=files.chain)
    return PublicKeys(
        peer_id=peer_id,
        peer_key=peer_key,
        encryption_key=encryption_key,
        address=_checksummed(account),
        account=account,
        test_only=bool(header["test_only"]),
    )


def _checksummed(account: bytes) -> str:
    from eth_utils.address import to_checksum_address

    return str(to_checksum_address(account))


def _read(path: Path) -> bytes:
    try:
        return read_private(path)
    except FileNotFoundError:
        raise KeyFileError(
            path,
            f"there is no key file {path}",
            why="the home was not initialised, or identity in quorate.toml names other files",
            todo="make keys with: quorate node init --home DIR",
        ) from None


def _refuse_existing(files: KeyFiles) -> None:
    for path in (files.identity, files.chain):
        if path.exists():
            raise KeyFileError(
                path,
                f"the key file {path} exists already",
                why="key files are never overwritten, since funds and reputation depend on them",
                todo="choose another --home, or move the file to a safe place first",
            )
