"""Reading an exact number of bytes from a stream."""

from __future__ import annotations

from quorate.node.mesh.errors import StreamBroken
from quorate.node.mesh.transport import ByteStream


async def read_exact(stream: ByteStream, size: int) -> bytes:
    """The next `size` bytes; StreamBroken when the stream ends before."""
    data = await stream.receive(size) if size else b""
    if len(data) == size:
        return data
    parts = [data]
    missing = size - len(data)
    while missing:
        if not parts[-1]:
            raise StreamBroken(stream.peer_id, stream.protocol, f"it ended {missing} bytes early")
        parts.append(await stream.receive(missing))
        missing -= len(parts[-1])
    return b"".join(parts)
