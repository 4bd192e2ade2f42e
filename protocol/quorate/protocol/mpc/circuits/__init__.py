"""Boolean circuits on shares: AES-128, SHA-256, SHA3-256 and Keccak-256.

A circuit is written once, on a `BitLayer`; `bit_layer(party)` is the faster one that the party's scheme offers.
Byte strings are arrays of shared bits of the shape (8, bytes, batch), bit 0 of every byte first. `enter` takes
bits that are shared in the prime field into a layer, `leave` brings them back.
"""

from quorate.protocol.mpc.party import Party

from .aes import MAX_BLOCKS, aes_plan, encrypt_blocks, encrypt_counter_mode, keystream
from .byte_bits import BYTE_BITS, ByteBits
from .keccak import keccak_256, keccak_f, sha3_256
from .layer import MAX_TERMS, BitLayer, Bits
from .octets import bytes_of_bits, bytes_of_words, public_bits, words_of_bytes
from .prime_bits import PRIME_BITS, PrimeBits
from .sha256 import MAX_MESSAGE_BYTES, compress, sha256, sha256_plan

__all__ = [
    "BYTE_BITS",
    "MAX_BLOCKS",
    "MAX_MESSAGE_BYTES",
    "MAX_TERMS",
    "PRIME_BITS",
    "BitLayer",
    "Bits",
    "ByteBits",
    "PrimeBits",
    "aes_plan",
    "bit_layer",
    "bytes_of_bits",
    "bytes_of_words",
    "compress",
    "encrypt_blocks",
    "encrypt_counter_mode",
    "keccak_256",
    "keccak_f",
    "keystream",
    "public_bits",
    "sha3_256",
    "sha256",
    "sha256_plan",
    "words_of_bytes",
]


def bit_layer(party: Party) -> BitLayer:
    """Bits over GF(2^8) where the party's scheme computes on bytes, else in the prime field."""
    return BYTE_BITS if party.scheme.computes_on_bytes else PRIME_BITS
