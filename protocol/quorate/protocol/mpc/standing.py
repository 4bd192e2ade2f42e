"""Who holds shares in a session, and whom this party has caught: what a robust scheme remembers of its committee."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.protocol.sharing import PartyId


@dataclass(slots=True)
class Standing:
    """The holders of shares, of whom at most `most_wrong` may be corrupted; the same at all honest parties.

    `liars` is this party's own knowledge: whom it caught, and at what. A holder among them is no longer listened to.
    """

    holders: tuple[PartyId, ...]
    most_wrong: int
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

    def exclude(self, culprits: frozenset[PartyId], *, of_which_wrong: int) -> None:
        """All parties have agreed to go on without some holders, of whom so many are corrupted at least."""
        self.holders = tuple(holder for holder in self.holders if holder not in culprits)
        self.most_wrong = max(0, self.most_wrong - of_which_wrong)
