"""Malicious security with abort for an honest majority: GRR multiplication, all of it verified before any opening.

Adversary: static, malicious, t < n/2 of n parties (any n from 2t + 1 on); they may send anything, and see the
others' messages of a round first. Network: synchronous, with private, authenticated, ordered channels. What it
gives: an honest party ends with the correct result, or with a ProtocolAbort or PartyFault; whatever the adversary
does, it learns nothing but outputs. Which honest parties abort is the adversary's choice (selective abort): after a
verification that failed everywhere nobody releases anything, but a wrong share in an opening may stop one party
while others, which got right ones, have the right value. With more than t corrupted parties nothing is promised.

Multiplication is that of the passive scheme: each of 2t + 1 dealers reshares its product [Gennaro, Rabin, Rabin
1998]. The shares of the honest parties define every value. If n = 2t + 1, they always lie on a polynomial of degree
t, so all that a corrupted dealer can do is to add a constant of its choice to a product [Genkin, Ishai,
Prabhakaran, Sahai, Tromer, STOC 2014, section 4]. If n > 2t + 1, it can also deal a polynomial of too high a
degree, which the verification finds beside.

Nothing is opened before everything up to it is verified. An error that a masked opening may follow is no matter of
correctness only: a mask of bounded size hides a bounded value, and a wrong product need not be bounded, nor is a
dealt "bit" that is none a mask. So an opening costs the rounds of a verification when anything was computed since
the last; its cost in bytes and time is that of the verification alone, which is the same however it is cut.

See `verification` for the check, `transcript` for what is remembered, `items` for random bits and integers.
"""

from .scheme import ABORT, LEAST_FIELD_BITS, Abort
from .transcript import MAX_TRANSCRIPT_ELEMENTS, VerificationFailed

__all__ = ["ABORT", "LEAST_FIELD_BITS", "MAX_TRANSCRIPT_ELEMENTS", "Abort", "VerificationFailed"]
