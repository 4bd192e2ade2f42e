"""Secrets that outlive a session: shares with an epoch, refreshed in place or handed over to another committee."""

from .custody import MAX_STORED_ELEMENTS, CommitteeKey, StaleEpoch, StoredShares, refresh
from .handover import MIN_SOUNDNESS_BITS, Handover, reshare

__all__ = [
    "MAX_STORED_ELEMENTS",
    "MIN_SOUNDNESS_BITS",
    "CommitteeKey",
    "Handover",
    "StaleEpoch",
    "StoredShares",
    "refresh",
    "reshare",
]
