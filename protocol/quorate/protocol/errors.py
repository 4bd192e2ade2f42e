"""The exceptions of quorate.protocol; the type says whose fault it is.

QuorateProtocolError
+-- MalformedMessage       bytes from outside that break the schema or a bound
+-- PartyFault             a named party broke the protocol, or went silent
+-- ProtocolAbort          the protocol stopped without an output; no party can be named
|   +-- InconsistentShares     (sharing) shares that lie on no one polynomial
|   +-- VerificationFailed     (mpc.abort) products that are not all correct
+-- InputFault             (mpc) a client gave an input that cannot be used
+-- ProofError             (proof) a file, a point, a constraint or a statement that does not hold
+-- ProgramError           the program, its input or its limits are at fault
"""

from __future__ import annotations


class QuorateProtocolError(Exception):
    """The root of every error that this package raises on purpose."""


class MalformedMessage(QuorateProtocolError):
    """Bytes from outside break the schema or a bound; `reason` says which, never quoting secrets."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"malformed message: {reason}")
        self.reason = reason


class PartyFault(QuorateProtocolError):
    """Party `party` (1..n) broke the protocol or went silent; `reason` says how."""

    def __init__(self, party: int, reason: str) -> None:
        super().__init__(f"party {party}: {reason}")
        self.party = party
        self.reason = reason


class ProtocolAbort(QuorateProtocolError):
    """The protocol stopped without an output and no single party can be named."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProgramError(QuorateProtocolError):
    """The program, its input or its limits are at fault, not a peer."""
