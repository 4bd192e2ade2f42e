"""The exceptions of quorate.protocol.proof; the type says whose fault it is.

QuorateProtocolError
+-- ProofError
    +-- MalformedFile          a file from outside breaks its format or a bound
    +-- MalformedPoint         coordinates from outside that are no element of the group
    +-- UnsatisfiedConstraint  a witness that does not fulfil its constraint system
    +-- Mismatch               parts, each right in itself, that do not belong together
"""

from __future__ import annotations

from quorate.protocol.errors import QuorateProtocolError


class ProofError(QuorateProtocolError):
    """The root of the errors of proof systems."""


class MalformedFile(ProofError):
    """A file from outside breaks its `format` or a bound; `reason` says where, never quoting a witness."""

    def __init__(self, format_name: str, reason: str) -> None:
        super().__init__(f"not a valid {format_name}: {reason}")
        self.format_name = format_name
        self.reason = reason


class MalformedPoint(ProofError):
    """Point `index` of `name` is not an element of its group; `reason` says why."""

    def __init__(self, name: str, index: int, reason: str) -> None:
        super().__init__(f"{name}[{index}]: {reason}")
        self.name = name
        self.index = index
        self.reason = reason


class UnsatisfiedConstraint(ProofError):
    """The witness does not fulfil constraint `index`, counted from 0."""

    def __init__(self, index: int) -> None:
        super().__init__(f"the witness does not fulfil constraint {index}")
        self.index = index


class Mismatch(ProofError):
    """Parts that do not belong together: a witness of another circuit, another number of public inputs."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
