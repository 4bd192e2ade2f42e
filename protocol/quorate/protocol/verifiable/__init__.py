"""Verifiable secret sharing, distributed keys and threshold signatures on elliptic curves.

Commitments of Feldman and Pedersen, checked many at once; opening in the exponent; asynchronous verifiable sharing
(n >= 3t + 1) and key generation as event machines; threshold Schnorr and ECDSA signatures as generators of
`Exchange`. Every module says which adversary it withstands; `quorate.protocol.curve` says what arithmetic that is not
constant time means.
"""

from .avss import MAX_SECRETS, SharedSecrets, VerifiableSharing
from .commitment import Commitment, Scheme, Share, decode_commitment, sum_commitments
from .dealing import (
    Claim,
    Dealing,
    Reconstructed,
    check_dealing,
    check_opening,
    deal,
    false_claims,
    reconstruct,
    verify,
)
from .ecdsa import (
    MAX_PRESIGNATURES,
    EcdsaSignature,
    Presignature,
    presign,
    sign_ecdsa,
    sign_presigned,
    verify_ecdsa,
)
from .exponent import interpolate_points, open_committed, open_in_exponent
from .frost import sign_schnorr
from .generation import KeyGeneration
from .key import KeyShare, decode_key, encode_key
from .proof import PublicShareProof, check_public_share, prove_public_share
from .publication import publish_key
from .suites import BIP340, FROST_ED25519, FROST_P256, FROST_SECP256K1, Suite

__all__ = [
    "BIP340",
    "FROST_ED25519",
    "FROST_P256",
    "FROST_SECP256K1",
    "MAX_PRESIGNATURES",
    "MAX_SECRETS",
    "Claim",
    "Commitment",
    "Dealing",
    "EcdsaSignature",
    "KeyGeneration",
    "KeyShare",
    "Presignature",
    "PublicShareProof",
    "Reconstructed",
    "Scheme",
    "Share",
    "SharedSecrets",
    "Suite",
    "VerifiableSharing",
    "check_dealing",
    "check_opening",
    "check_public_share",
    "deal",
    "decode_commitment",
    "decode_key",
    "encode_key",
    "false_claims",
    "interpolate_points",
    "open_committed",
    "open_in_exponent",
    "presign",
    "prove_public_share",
    "publish_key",
    "reconstruct",
    "sign_ecdsa",
    "sign_presigned",
    "sign_schnorr",
    "sum_commitments",
    "verify",
    "verify_ecdsa",
]
