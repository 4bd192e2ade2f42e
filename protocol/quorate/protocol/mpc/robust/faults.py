"""From public statements to culprits: who is wrong for certain, and pairs of whom one is.

A statement that everybody has by agreement can prove one party wrong. Two parties that contradict each other about a
message between them are a pair: at least one of them is corrupted, and both stop holding shares [player elimination:
Hirt, Maurer, Przydatek, ASIACRYPT 2000; Beerliova-Trubiniova, Hirt, TCC 2008]. Of n' holders of whom t' may be
corrupted, n' - 2 with t' - 1 are left, and sharings of degree t open among these as before: n >= 3t + 1 gives
n' >= t + 2t' + 1 for ever. Who contradicts more than t' others is wrong alone: an honest party contradicts only
corrupted ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from quorate.protocol.errors import ProtocolAbort
from quorate.protocol.mpc.standing import Standing
from quorate.protocol.sharing import PartyId


@dataclass(slots=True)
class Findings:
    """What the statements of one step show; alike at all honest parties."""

    proven: dict[PartyId, str] = field(default_factory=dict)
    contradictions: set[tuple[PartyId, PartyId]] = field(default_factory=set)

    def prove(self, party: PartyId, reason: str) -> None:
        """`party` is wrong for certain."""
        self.proven.setdefault(party, reason)

    def contradict(self, first: PartyId, second: PartyId) -> None:
        """One of two is wrong; a party that contradicts itself is."""
        if first == second:
            self.prove(first, "contradicted itself in preprocessing")
        else:
            self.contradictions.add((min(first, second), max(first, second)))

    def apply(self, standing: Standing) -> bool:
        """Exclude the culprits from the holders; whether there are any.

        Pairs that share a party count once. Raises ProtocolAbort when more are wrong than the committee withstands.
        """
        often = Counter(party for pair in self.contradictions for party in pair)
        for party in sorted(often):
            if often[party] > standing.most_wrong:
                self.prove(party, "contradicted more parties than can be wrong in preprocessing")
        culprits = {party: reason for party, reason in self.proven.items() if party in standing.holders}
        wrong = len(culprits)
        for first, second in sorted(self.contradictions):
            if first not in culprits and second not in culprits:
                reason = f"parties {first} and {second} contradict each other in preprocessing"
                culprits |= {first: reason, second: reason}
                wrong += 1
        if wrong > standing.most_wrong:
            raise ProtocolAbort("more parties are wrong or too late than the committee withstands")
        for party in culprits:
            if party in self.proven:
                standing.catch(party, culprits[party])
        standing.exclude(culprits, of_which_wrong=wrong)
        return bool(culprits)
