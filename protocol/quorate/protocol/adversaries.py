"""The adversaries that committees withstand and the fields they compute in, by name; no arithmetic is loaded here.

passive: t < n/2, semi-honest. abort: t < n/2, malicious, security with abort. robust: n >= 3t + 1, malicious, with
an output in spite of t liars. Whatever withstands a later one withstands the earlier ones.
"""

from __future__ import annotations

from typing import Final

PROTOCOLS: Final = ("passive", "abort", "robust")
"""From the weakest adversary to the strongest."""
COMPUTE_FIELDS: Final = ("bn254", "bls12-381", "secp256k1", "p256", "ed25519")
"""The fields in which 64-bit integers can be compared with 40 bits of statistical security and more."""


def least_parties(protocol: str, threshold: int) -> int:
    """The smallest committee that withstands `threshold` corrupted members under `protocol`."""
    return 3 * threshold + 1 if protocol == "robust" else 2 * threshold + 1


def is_at_least(offered: str, demanded: str) -> bool:
    """Whether the protocol `offered` withstands what `demanded` does. Raises ValueError for unknown names."""
    return PROTOCOLS.index(offered) >= PROTOCOLS.index(demanded)
