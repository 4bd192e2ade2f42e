"""The exceptions of quorate.contracts; the type says whose fault it is.

QuorateContractsError
+-- ContractError          the chain refused a call; carries the contract's own error
+-- InvalidSignature       bytes from outside that are no signature the market would take
+-- MalformedLog           a log from the node that does not match the contract's ABI
+-- UnknownEvent           a log of an event that the market does not have
"""

from __future__ import annotations

from collections.abc import Mapping


class QuorateContractsError(Exception):
    """The root of every error that this package raises on purpose."""


class ContractError(QuorateContractsError):
    """The chain refused a call with error `name` and its `arguments`; `advice` is a sentence for people.

    `data` is the revert data as the node gave it.
    """

    def __init__(self, name: str, arguments: Mapping[str, object], *, advice: str, data: bytes = b"") -> None:
        super().__init__(f"{name}: {advice}")
        self.name = name
        self.arguments = dict(arguments)
        self.advice = advice
        self.data = data


class InvalidSignature(QuorateContractsError):
    """Bytes that are no secp256k1 signature in the one form the market takes; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"invalid signature: {reason}")
        self.reason = reason


class MalformedLog(QuorateContractsError):
    """A log does not match the contract's ABI; `reason` says where."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"malformed log: {reason}")
        self.reason = reason


class UnknownEvent(QuorateContractsError):
    """The market has no event with this `topic`; the log is another contract's, or another version's."""

    def __init__(self, topic: bytes) -> None:
        super().__init__(f"the market has no event with topic 0x{topic.hex()}; is the address right?")
        self.topic = topic
