"""Keys of a home: a mesh identity (Ed25519), a chain account (secp256k1) and an encryption key (X25519).

They rest encrypted under one passphrase, hide themselves in reprs and logs, and bind themselves to one another.
"""

from .binding import BindingDomain, PeerBinding, create_binding, verify_binding
from .identity import ChainKey, EncryptionKey, MeshKey, recover_account, verify_mesh_signature
from .passphrase import choose_passphrase, find_passphrase, write_random_passphrase
from .peer_id import peer_id_of, public_key_of
from .seal import STANDARD_COST, TEST_COST, Cost
from .secret import Secret
from .store import KeyFiles, NodeKeys, PublicKeys, create_keys, load_keys, load_public_keys

__all__ = [
    "STANDARD_COST",
    "TEST_COST",
    "BindingDomain",
    "ChainKey",
    "Cost",
    "EncryptionKey",
    "KeyFiles",
    "MeshKey",
    "NodeKeys",
    "PeerBinding",
    "PublicKeys",
    "Secret",
    "choose_passphrase",
    "create_binding",
    "create_keys",
    "find_passphrase",
    "load_keys",
    "load_public_keys",
    "peer_id_of",
    "public_key_of",
    "recover_account",
    "verify_binding",
    "verify_mesh_signature",
    "write_random_passphrase",
]
