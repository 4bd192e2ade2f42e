"""The exceptions of quorate.node.chain.

ChainError (quorate.node.errors)
+-- ChainUnreachable           no answer from the endpoint
+-- WrongChain                 the endpoint speaks for another chain
+-- RpcError                   the endpoint answered with an error
+-- MalformedResponse          the endpoint answered with something that is not what was asked for, or too much
+-- TransactionError           a transaction of ours
|   +-- TransactionReverted        the contract refuses it: found by simulating, nothing was sent
|   +-- TransactionFailed          it was mined and reverted
|   +-- TransactionRejected        the endpoint will not take it into its pool
|   +-- TransactionCancelled       a cancellation was mined in its place
|   +-- InsufficientFunds
|   +-- FeeAboveCap
|   +-- IntentConflict             the intent id was used for another call
+-- NoMarket                   the address holds no market
+-- ReadOnly                   a write without a sender
+-- JournalInUse               another process has the journal open
+-- JournalMismatch            the transaction journal belongs to another chain or account
+-- ReorgTooDeep               the chain changed further back than the follower remembers

A full disk is quorate.node.errors.DiskFull.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quorate.node.amounts import format_amount
from quorate.node.errors import ChainError


class ChainUnreachable(ChainError):
    """The endpoint `url` (without its secrets) gave no answer; `why` says what happened on the way."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"the chain at {url} does not answer",
            why=why,
            todo="check that a chain runs there and that chain.url in quorate.toml names it; for a local one: "
            "python -m quorate.node.devchain",
        )
        self.url = url


class WrongChain(ChainError):
    """The endpoint `url` speaks for chain `actual`, not `expected`."""

    def __init__(self, url: str, *, expected: int, actual: int) -> None:
        super().__init__(
            f"the endpoint {url} is of another chain",
            why=f"its chain id is {actual}, and {expected} is configured",
            todo="change the endpoint, or the chain id, so that both name one chain",
        )
        self.url = url
        self.expected = expected
        self.actual = actual


class RpcError(ChainError):
    """The endpoint answered `method` with an error: `code`, `message`, and `data` (such as revert data)."""

    def __init__(self, method: str, *, code: int, message: str, data: bytes = b"") -> None:
        super().__init__(f"the chain refused {method}", why=f"{message} (code {code})")
        self.method = method
        self.code = code
        self.message = message
        self.data = data


class MalformedResponse(ChainError):
    """The endpoint `url` answered `method` with something unusable; `reason` says how."""

    def __init__(self, url: str, method: str, reason: str) -> None:
        super().__init__(
            f"the endpoint {url} gave a bad answer to {method}",
            why=reason,
            todo="use another endpoint if this goes on",
        )
        self.url = url
        self.method = method
        self.reason = reason


class TransactionError(ChainError):
    """A transaction of ours; `intent` is the id that its caller chose."""

    def __init__(self, intent: str, what: str, *, why: str = "", todo: str = "") -> None:
        super().__init__(what, why=why, todo=todo)
        self.intent = intent


class TransactionReverted(TransactionError):
    """The contract refuses the call with error `name` and `arguments`; nothing was sent and nothing paid."""

    def __init__(self, intent: str, *, name: str, arguments: Mapping[str, object], advice: str) -> None:
        super().__init__(intent, f"the contract refuses {intent!r}", why=f"{name}: {advice}")
        self.name = name
        self.arguments = dict(arguments)
        self.advice = advice


class TransactionFailed(TransactionError):
    """Transaction `hash` was mined in block `block_number` and reverted; its gas is spent."""

    def __init__(self, intent: str, *, hash: bytes, block_number: int) -> None:
        super().__init__(
            intent,
            f"the transaction of {intent!r} failed in block {block_number}",
            why="the contract reverted it, so what it relied on changed after it was simulated",
            todo=f"look at transaction 0x{hash.hex()}, then try again under a new intent",
        )
        self.hash = hash
        self.block_number = block_number


class TransactionRejected(TransactionError):
    """The endpoint does not take the transaction; `reason` is its word."""

    def __init__(self, intent: str, reason: str) -> None:
        super().__init__(
            intent,
            f"the endpoint refuses the transaction of {intent!r}",
            why=reason,
            todo="the same intent can be sent again once the reason is gone",
        )
        self.reason = reason


class TransactionCancelled(TransactionError):
    """The cancellation of the intent was mined as `hash`; the call never took place."""

    def __init__(self, intent: str, *, hash: bytes) -> None:
        super().__init__(intent, f"{intent!r} was cancelled", why=f"0x{hash.hex()} was mined in its place")
        self.hash = hash


class InsufficientFunds(TransactionError):
    """The account `address` has `balance` wei, and `needed` are needed for the value and the highest fee."""

    def __init__(self, intent: str, *, address: str, balance: int, needed: int) -> None:
        super().__init__(
            intent,
            f"the account {address} cannot pay for {intent!r}",
            why=f"it has {format_amount(balance)} and needs {format_amount(needed)}",
            todo=f"send at least {format_amount(max(needed - balance, 0))} to {address}",
        )
        self.address = address
        self.balance = balance
        self.needed = needed


class FeeAboveCap(TransactionError):
    """A block costs `needed` wei per gas now, and we pay at most `cap`."""

    def __init__(self, intent: str, *, needed: int, cap: int) -> None:
        super().__init__(
            intent,
            f"fees are too high to send {intent!r}",
            why=f"the chain asks for {needed / 1e9:g} gwei per gas, and the cap is {cap / 1e9:g}",
            todo="wait until fees fall, or raise the cap",
        )
        self.needed = needed
        self.cap = cap


class IntentConflict(TransactionError):
    """The intent id was used before for another call: a bug of the caller."""

    def __init__(self, intent: str) -> None:
        super().__init__(
            intent,
            f"the intent {intent!r} was used for another call",
            why="an intent id names one call for ever, so that it is never sent twice",
            todo="use another id for another call",
        )


class NoMarket(ChainError):
    """There is no market of this version at `address` on the chain at `url`."""

    def __init__(self, address: str, url: str) -> None:
        super().__init__(
            f"there is no market at {address}",
            why=f"the chain at {url} has no contract there, or another one",
            todo="check chain.market; on a development chain that was started anew, deploy the market again",
        )
        self.address = address
        self.url = url


class ReadOnly(ChainError):
    """`intent` is a write, and this market client was made without a sender."""

    def __init__(self, intent: str) -> None:
        super().__init__(
            f"cannot send {intent!r}",
            why="no account signs for this market client",
            todo="open a sender with a key and give it to the client",
        )
        self.intent = intent


class JournalInUse(ChainError):
    """Another process has the journal at `path` open."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the journal {path} is in use",
            why="another process has it open, and two would use the same nonces",
            todo="stop the other process, or use another account and journal",
        )
        self.path = path


class JournalMismatch(ChainError):
    """The journal at `path` belongs to something else; `reason` says to what."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"the journal {path} does not fit",
            why=reason,
            todo="use the journal of this chain and account; for a development chain that was started anew, "
            "move the old journal away",
        )
        self.path = path
        self.reason = reason


class ReorgTooDeep(ChainError):
    """The chain changed below block `oldest`, the oldest that the follower remembers."""

    def __init__(self, oldest: int) -> None:
        super().__init__(
            f"the chain changed below block {oldest}",
            why="that is further back than the follower remembers, so it cannot tell what to undo",
            todo="check the endpoint; if it is right, move the follower's journal away and read the chain anew",
        )
        self.oldest = oldest
