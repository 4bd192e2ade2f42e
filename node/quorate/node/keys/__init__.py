"""Keys of a home: a mesh identity (Ed25519), a chain account (secp256k1) and an encryption key (X25519).

They rest encrypted under one passphrase and hide themselves in reprs and logs. Each bid is signed by two of them,
which binds account and peer to one another (quorate.marketplace.messages).
"""

from .identity import ChainKey, EncryptionKey, MeshKey
from .passphrase import choose_passphrase, find_passphrase, write_random_passphrase
from .peer_id import peer_id_of, public_key_of
from .seal import STANDARD_COST, TEST_COST, Cost
from .secret import Secret
from .store import KeyFiles, NodeKeys, PublicKeys, create_keys, load_keys, load_public_keys

__all__ = [
    "STANDARD_COST",
    "TEST_COST",
    "ChainKey",
    "Cost",
    "EncryptionKey",
    "KeyFiles",
    "MeshKey",
    "NodeKeys",
    "PublicKeys",
    "Secret",
    "choose_passphrase",
    "create_keys",
    "find_passphrase",
    "load_keys",
    "load_public_keys",
    "peer_id_of",
    "public_key_of",
    "write_random_passphrase",
]
