"""What an endpoint means when it does not take a transaction; nodes say it in words, each in its own."""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from .errors import RpcError


class Refusal(Enum):
    """What follows from a refusal."""

    KNOWN = auto()  # it has it already: as good as taken
    NONCE_USED = auto()  # some transaction with this nonce is in a block, perhaps ours
    UNDERPRICED_REPLACEMENT = auto()  # it has another one with this nonce, and wants more for this one
    UNFUNDED = auto()
    LATER = auto()  # not now: the pool is full, the fee too low, an earlier nonce missing
    INVALID = auto()  # never


_WORDS: Final[tuple[tuple[Refusal, tuple[str, ...]], ...]] = (
    (Refusal.KNOWN, ("already known", "already imported", "known transaction", "already exists", "alreadyknown")),
    (Refusal.NONCE_USED, ("nonce too low", "nonce is too low", "old nonce", "oldnonce")),
    (Refusal.UNDERPRICED_REPLACEMENT, ("replacement transaction underpriced", "gas price too low to replace")),
    (Refusal.UNFUNDED, ("insufficient funds", "insufficient balance")),
    (
        Refusal.LATER,
        (
            "nonce too high",
            "nonce gap",
            "underpriced",
            "less than block base fee",
            "fee too low",
            "feetoolow",
            "pool is full",
            "pool limit",
            "rate limit",
            "too many requests",
            "state file cannot be written",
        ),
    ),
)


def classify(error: RpcError) -> Refusal:
    """What the endpoint's refusal of a signed transaction means."""
    message = error.message.lower()
    for refusal, words in _WORDS:
        if any(word in message for word in words):
            return refusal
    return Refusal.INVALID
