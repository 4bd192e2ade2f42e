"""The files of circom and snarkjs for BN254: bytes in, values out, and back; every bound and value is checked."""

from .constraints import read_r1cs, write_r1cs
from .keys import read_zkey, write_zkey
from .snarkjs import (
    read_proof,
    read_public,
    read_verification_key,
    write_proof,
    write_public,
    write_verification_key,
)
from .witness import read_witness, write_witness

__all__ = [
    "read_proof",
    "read_public",
    "read_r1cs",
    "read_verification_key",
    "read_witness",
    "read_zkey",
    "write_proof",
    "write_public",
    "write_r1cs",
    "write_verification_key",
    "write_witness",
    "write_zkey",
]
