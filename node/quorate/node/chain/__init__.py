"""The node's side of the EVM chain: an endpoint, a transaction sender, a log follower, a market client.

async with open_chain(url, expected_chain_id=31337) as chain:
    async with open_sender(chain, signer, journal_path=path) as sender:
        market = MarketClient(chain, market_address, sender=sender)
        result = await market.deposit(COIN, amount, intent="deposit 1")
"""

from __future__ import annotations

from .errors import (
    ChainUnreachable,
    FeeAboveCap,
    InsufficientFunds,
    IntentConflict,
    JournalInUse,
    JournalMismatch,
    MalformedResponse,
    NoMarket,
    ReadOnly,
    ReorgTooDeep,
    RpcError,
    TransactionCancelled,
    TransactionError,
    TransactionFailed,
    TransactionRejected,
    TransactionReverted,
    WrongChain,
)
from .follower import FollowerPolicy, LogFilter, LogFollower, LogHandler
from .journal import Call, Status, TransactionJournal
from .market import MarketClient, Member, TransactionResult, deploy_market, deploy_token
from .provider import Chain, open_chain
from .sender import SenderPolicy, TransactionSender, open_sender
from .signer import Signer
from .values import Block, Log, Receipt

__all__ = [
    "Block",
    "Call",
    "Chain",
    "ChainUnreachable",
    "FeeAboveCap",
    "FollowerPolicy",
    "InsufficientFunds",
    "IntentConflict",
    "JournalInUse",
    "JournalMismatch",
    "Log",
    "LogFilter",
    "LogFollower",
    "LogHandler",
    "MalformedResponse",
    "MarketClient",
    "Member",
    "NoMarket",
    "ReadOnly",
    "Receipt",
    "ReorgTooDeep",
    "RpcError",
    "SenderPolicy",
    "Signer",
    "Status",
    "TransactionCancelled",
    "TransactionError",
    "TransactionFailed",
    "TransactionJournal",
    "TransactionRejected",
    "TransactionResult",
    "TransactionReverted",
    "TransactionSender",
    "WrongChain",
    "deploy_market",
    "deploy_token",
    "open_chain",
    "open_sender",
]
