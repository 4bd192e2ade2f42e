"""Messages between peers, over the streams of the mesh.

    async with open_channel(stream, ChannelConfig(most_message_bytes=1 << 20)) as channel:   # framed messages
        await channel.send(b"...")            # waits while the queue is full; StreamBroken, ChannelError
        reply = await channel.receive()       # trio.EndOfChannel after the last; StreamBroken, ChannelError

    reply = await call(mesh, peer, "/quorate/blob/1", request, timeout_s=10)                 # RemoteRefusal
    serve_calls(mesh, "/quorate/blob/1", handler)       # async handler(peer, request) -> reply; raises Refusal

    table = {1: peer_a, 2: peer_b, 3: peer_c}           # party -> peer id, ourselves included
    async with open_session(mesh, session_id, party=1, table=table, setup_s=20) as transport:  # SessionSetupFailed
        await transport.send(2, payload)                # PeerFault (a PartyFault) names who broke the session
        payload = await transport.receive(2)

All of it is safe to cancel. docs/wire.md describes every byte.
"""

from __future__ import annotations

from quorate.node.mesh.errors import ChannelError, StreamBroken

from .calls import CallLimits, Refusal, RefusalCode, RemoteRefusal, call, serve_calls
from .framing import Channel, ChannelConfig, ChannelStatistics, open_channel
from .session import PeerFault, SessionLimits, SessionSetupFailed, SessionTransport, expect_sessions, open_session

__all__ = [
    "CallLimits",
    "Channel",
    "ChannelConfig",
    "ChannelError",
    "ChannelStatistics",
    "PeerFault",
    "Refusal",
    "RefusalCode",
    "RemoteRefusal",
    "SessionLimits",
    "SessionSetupFailed",
    "SessionTransport",
    "StreamBroken",
    "call",
    "expect_sessions",
    "open_channel",
    "open_session",
    "serve_calls",
]
