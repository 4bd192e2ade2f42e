"""Shamir's secret sharing over the points 1..n: shares, reconstruction with a check, error decoding."""

from .decoding import Decoded, decode, reconstruct
from .points import MAX_PARTIES, PartyId, lagrange_coefficients, lagrange_fractions
from .shamir import InconsistentShares, check_degree, share

__all__ = [
    "MAX_PARTIES",
    "Decoded",
    "InconsistentShares",
    "PartyId",
    "check_degree",
    "decode",
    "lagrange_coefficients",
    "lagrange_fractions",
    "reconstruct",
    "share",
]
