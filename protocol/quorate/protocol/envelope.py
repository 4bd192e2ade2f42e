"""Output envelopes: what a committee member sends, encrypted, to a client that receives an output.

An envelope is an anonymous-sender hybrid encryption to the client's X25519 key: an ephemeral Diffie-Hellman,
HKDF-SHA256 over both public keys, then ChaCha20-Poly1305 with the context as associated data (the construction
of RFC 9180, base mode, with one message a key). The context binds request, party and client, so that an
envelope cannot be replayed for another one. Only the client's key opens it; the sender is authenticated by the
attested result digest, which covers the hash of every envelope.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .codec import Limit, encode
from .errors import MalformedMessage

KEY_BYTES: Final = 32
TAG_BYTES: Final = 16
MAX_ENVELOPE_BYTES: Final = 512 << 10
"""The largest envelope, in bytes: 16,000 output values a client."""
_INFO: Final = b"quorate/envelope/1"
_NONCE: Final = bytes(12)  # each key encrypts exactly one message

Key = Annotated[bytes, Limit(size=32)]


@dataclass(frozen=True, slots=True)
class EnvelopeContext:
    """What an envelope is bound to: the request id, the sending party (1..n) and the client's slot (0..)."""

    request_id: Key
    party: Annotated[int, Limit(least=1, most=1024)]
    client: Annotated[int, Limit(most=1024)]


@dataclass(frozen=True, slots=True)
class EnvelopeHash:
    """The sha256 of the envelope that `party` made for `client`."""

    party: Annotated[int, Limit(least=1, most=1024)]
    client: Annotated[int, Limit(most=1024)]
    sha256: Key


@dataclass(frozen=True, slots=True)
class ResultStatement:
    """What a committee attests: the request, the public result as text, and every envelope's hash in order."""

    request_id: Key
    program: Key
    public_result: Annotated[str, Limit(most=4096)]
    envelopes: Annotated[tuple[EnvelopeHash, ...], Limit(most=4096)]

    def digest(self) -> bytes:
        """The 32-byte result digest that members sign and the chain stores."""
        return hashlib.sha256(encode(self)).digest()


def seal(plaintext: bytes, *, receiver: bytes, context: EnvelopeContext, ephemeral: bytes) -> bytes:
    """Encrypt `plaintext` to the X25519 public key `receiver`; `ephemeral` is 32 fresh random bytes.

    Returns the ephemeral public key (32 bytes) and the ciphertext with its tag. Raises ValueError when the
    receiver's key is not usable (wrong size, or of small order).
    """
    private = X25519PrivateKey.from_private_bytes(ephemeral)
    public = private.public_key().public_bytes_raw()
    shared = private.exchange(X25519PublicKey.from_public_bytes(receiver))
    body = ChaCha20Poly1305(_key(shared, public, receiver)).encrypt(_NONCE, plaintext, encode(context))
    return public + body


def unseal(envelope: bytes, *, private_key: bytes, context: EnvelopeContext) -> bytes:
    """The plaintext of `envelope`; raises MalformedMessage when it was not made for this key and context."""
    if not KEY_BYTES + TAG_BYTES <= len(envelope) <= MAX_ENVELOPE_BYTES:
        raise MalformedMessage(f"an envelope of {len(envelope)} bytes")
    private = X25519PrivateKey.from_private_bytes(private_key)
    public = envelope[:KEY_BYTES]
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
        key = _key(shared, public, private.public_key().public_bytes_raw())
        return ChaCha20Poly1305(key).decrypt(_NONCE, envelope[KEY_BYTES:], encode(context))
    except (InvalidTag, ValueError):
        raise MalformedMessage("an envelope that this key and this request do not open") from None


def _key(shared: bytes, ephemeral_public: bytes, receiver: bytes) -> bytes:
    derivation = HKDF(algorithm=hashes.SHA256(), length=32, salt=ephemeral_public + receiver, info=_INFO)
    return derivation.derive(shared)
