"""The command line of a node that misbehaves in its sessions while HOME/misdeed names how.

garbage    bytes that are no field elements, as long as they should be, from the third message to each party on
oversized  a frame that announces more than any message may have
epoch      a header of another epoch, as of another run of the session
replay     the sequence number of the frame before

The last three go to all members at once when the online phase begins.
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
    """A session's transport that carries out a misdeed."""

    is_online = False

    def __init__(self, transport, misdeed):
        self._transport = transport
        self._misdeed = misdeed
        self._sent = {}

    def __getattr__(self, name):
        return getattr(self._transport, name)

    async def send(self, party, payload, *, operation=0):
        self._sent[party] = self._sent.get(party, 0) + 1
        if self._misdeed == "garbage" and self._sent[party] > 2:
            payload = b"\xff" * len(payload)
        elif self._misdeed != "garbage" and Byzantine.is_online:
            for link in self._transport._links.values():
                await self._break(link)
        await self._transport.send(party, payload, operation=operation)

    async def _break(self, link):
        if self._misdeed == "oversized":
            await link.channel.stream.send(struct.pack("<I", (1 << 30) - 1))
            return
        epoch, sequence = (1, link._next_out) if self._misdeed == "epoch" else (0, link._next_out - 1)
        await link.channel.send(encode_header(epoch=epoch, operation=0, sequence=sequence, size=0))


def transport_patched(plain):
    @contextlib.asynccontextmanager
    async def open_session(*arguments, **options):
        async with plain(*arguments, **options) as transport:
            misdeed = HOME / "misdeed"
            Byzantine.is_online = False
            yield Byzantine(transport, misdeed.read_text()) if misdeed.exists() else transport

    return open_session


def online_noted(plain):
    def evaluate(*arguments):
        Byzantine.is_online = True
        return plain(*arguments)

    return evaluate


if __name__ == "__main__":
    session.open_session = transport_patched(session.open_session)
    session.evaluate = online_noted(session.evaluate)
    main()
