"""Secrets and items that outlive a session: refreshed in place, or handed over to another committee."""

from .custody import MAX_STORED_ELEMENTS, CommitteeKey, StaleEpoch, StoredShares, refresh
from .handover import MIN_SOUNDNESS_BITS, Handover, reshare
from .pools import reshare_items

__all__ = [
    "MAX_STORED_ELEMENTS",
    "MIN_SOUNDNESS_BITS",
    "CommitteeKey",
    "Handover",
    "StaleEpoch",
    "StoredShares",
    "refresh",
    "reshare",
    "reshare_items",
]
