"""Groth16 over BN254: a set-up for development, the prover and the verifier."""

from .keys import Proof, ProvingKey, VerificationKey
from .prove import prove
from .setup import insecure_test_setup
from .verify import verify, verify_all

__all__ = ["Proof", "ProvingKey", "VerificationKey", "insecure_test_setup", "prove", "verify", "verify_all"]
