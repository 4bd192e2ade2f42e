"""What an event machine asks its driver to do: send one message to one party."""

from __future__ import annotations

from dataclasses import dataclass, field

from quorate.protocol.sharing import PartyId


@dataclass(frozen=True, slots=True)
class Send:
    """Send `message` to `receiver`, who is never the sending party itself.

    Channels are private, authenticated and reliable; nothing is assumed about when or in which order they deliver.
    """

    receiver: PartyId
    message: bytes = field(repr=False)
