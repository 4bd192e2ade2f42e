"""The command line of a node that misbehaves in its sessions while HOME/misdeed names how.

garbage    bytes that are no field elements, as long as they should be
oversized  a frame that announces more than any message may have
epoch      a header of another epoch, as of another run of the session
replay     the sequence number of the frame before
"""

import contextlib
import struct
import sys
from pathlib import Path

from quorate.node.channel.wire import encode_header
from quorate.node.cli import main
from quorate.node.session import session

HOME = Path(sys.argv[sys.argv.index("--home") + 1])


class Byzantine:
    """A session's transport that carries out a misdeed from the third message to each party on."""

    def __init__(self, transport, misdeed):
        self._transport = transport
        self._misdeed = misdeed
        self._sent = {}

    def __getattr__(self, name):
        return getattr(self._transport, name)

    async def send(self, party, payload, *, operation=0):
        self._sent[party] = self._sent.get(party, 0) + 1
        link = self._transport._links[party]
        if self._sent[party] < 3:
            await self._transport.send(party, payload, operation=operation)
        elif self._misdeed == "garbage":
            await self._transport.send(party, b"\xff" * len(payload), operation=operation)
        elif self._misdeed == "oversized":
            for other in self._transport._links.values():  # all at once: the first that cuts us ends our session
                await other.channel.stream.send(struct.pack("<I", (1 << 30) - 1))
        else:
            epoch, sequence = (1, link._next_out) if self._misdeed == "epoch" else (0, link._next_out - 1)
            head = encode_header(epoch=epoch, operation=operation, sequence=sequence, size=len(payload))
            await link.channel.send(head + payload)


def patched(plain):
    @contextlib.asynccontextmanager
    async def open_session(*arguments, **options):
        async with plain(*arguments, **options) as transport:
            misdeed = HOME / "misdeed"
            yield Byzantine(transport, misdeed.read_text()) if misdeed.exists() else transport

    return open_session


if __name__ == "__main__":
    session.open_session = patched(session.open_session)
    main()
