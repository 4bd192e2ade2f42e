"""TCP for the swarm: a listener of ours, since libp2p's shares its port with whoever asks for it.

libp2p's listener sets SO_REUSEPORT, so a second process of the same user could bind our port and take half of
our connections unnoticed; it also lives in a trio system task, whose failure ends the program.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio
from libp2p.abc import IListener
from libp2p.custom_types import THandler
from libp2p.io.trio import TrioTCPStream
from libp2p.transport.tcp.tcp import TCP
from multiaddr import Multiaddr

from quorate.node.tasks import TaskStatus

from .errors import ListenFailed
from .scopes import open_scope


class TcpListener(IListener):
    """One listening address; connections are handled in the nursery it is given."""

    def __init__(self, nursery: trio.Nursery, handler: Callable[[TrioTCPStream], Awaitable[None]]) -> None:
        self._nursery = nursery
        self._handler = handler
        self._listeners: list[trio.SocketListener] = []
        self._addresses: tuple[Multiaddr, ...] = ()
        self._scope = open_scope()

    async def listen(self, maddr: Multiaddr) -> None:
        """Bind and start accepting; ListenFailed when that is impossible."""
        host, port = host_and_port(maddr)
        try:
            self._listeners = list(await trio.open_tcp_listeners(port, host=host))
        except OSError as error:
            raise ListenFailed(str(maddr), error.strerror or str(error)) from error
        self._addresses = tuple(_address_of(listener) for listener in self._listeners)
        await self._nursery.start(self._serve)

    async def _serve(self, task_status: TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        async def accepted(stream: trio.SocketStream) -> None:
            try:
                await self._handler(TrioTCPStream(stream))
            finally:
                stream.socket.close()

        with self._scope:
            task_status.started(None)
            await trio.serve_listeners(accepted, self._listeners, handler_nursery=self._nursery)

    def get_addrs(self) -> tuple[Multiaddr, ...]:
        """The addresses that were bound, with their real ports; asked for also while the mesh closes."""
        return self._addresses

    async def close(self) -> None:
        """Stop accepting."""
        self._scope.cancel()
        for listener in self._listeners:
            listener.socket.close()
        await trio.lowlevel.checkpoint()


class TcpTransport(TCP):
    """Dials like libp2p, listens as above."""

    def __init__(self, nursery: trio.Nursery) -> None:
        super().__init__()
        self._nursery = nursery

    def create_listener(self, handler_function: THandler) -> TcpListener:  # type: ignore[override]  # IListener
        """A listener that hands every accepted connection to `handler_function`."""
        return TcpListener(self._nursery, handler_function)


def host_and_port(address: Multiaddr) -> tuple[str, int]:
    """The numbers inside /ip4/.../tcp/... or /ip6/.../tcp/..."""
    names = {protocol.name for protocol in address.protocols()}
    host = address.value_for_protocol("ip6" if "ip6" in names else "ip4")
    port = address.value_for_protocol("tcp")
    if host is None or port is None:
        raise ListenFailed(str(address), "it is not an /ip4 or /ip6 address with /tcp")
    return host, int(port)


def _address_of(listener: trio.SocketListener) -> Multiaddr:
    host, port = listener.socket.getsockname()[:2]
    return Multiaddr(f"/{'ip6' if ':' in host else 'ip4'}/{host}/tcp/{port}")
