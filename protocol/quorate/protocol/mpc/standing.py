"""Who holds shares in a session, and whom this party has caught: what a robust scheme remembers of its committee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quorate.protocol.sharing import PartyId


@dataclass(slots=True)
class Standing:
    """The holders of shares, of whom at most `most_wrong` may be corrupted; the same at all honest parties.

    `excluded` were holders, and all parties agreed to go on without them. `liars` is this party's own knowledge: whom
    it caught, and at what. A holder among them is no longer listened to.
    """

    holders: tuple[PartyId, ...]
    most_wrong: int
    excluded: dict[PartyId, str] = field(default_factory=dict)
    liars: dict[PartyId, str] = field(default_factory=dict)

    def catch(self, party: PartyId, reason: str) -> None:
        """Note what `party` was caught at, the first time."""
        self.liars.setdefault(party, reason)

    @property
    def heard(self) -> tuple[PartyId, ...]:
        """The holders that are not caught."""
        return tuple(holder for holder in self.holders if holder not in self.liars)

    @property
    def budget(self) -> int:
        """How many of those may still be wrong."""
        return max(0, self.most_wrong - sum(holder in self.liars for holder in self.holders))

    def exclude(self, culprits: Mapping[PartyId, str], *, of_which_wrong: int) -> None:
        """Go on without some holders, of whom so many are corrupted at least; with the reason for each."""
        self.holders = tuple(holder for holder in self.holders if holder not in culprits)
        self.most_wrong -= of_which_wrong
        self.excluded |= culprits
