"""AsyncWeb3 under trio: a thin provider over the node's own RPC client.

Without middleware a call is one request, where web3's defaults make it three. What web3 builds on asyncio does
not work here: wait_for_transaction_receipt (use Chain.wait_for_receipt), batch_requests, subscriptions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from web3 import AsyncWeb3
from web3.providers.async_base import AsyncJSONBaseProvider

from .errors import ChainUnreachable

if TYPE_CHECKING:
    from web3.types import RPCEndpoint, RPCResponse

    from .rpc import RpcClient


class TrioProvider(AsyncJSONBaseProvider):
    """Sends what web3 asks for through an RpcClient; its errors are ours, not web3's."""

    def __init__(self, client: RpcClient) -> None:
        super().__init__()
        self._client = client

    async def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """One call; `params` are web3's values, made JSON by its own encoder."""
        encoded = json.loads(self.encode_rpc_request(method, params))["params"]
        result = await self._client.request(method, *encoded)
        return {"jsonrpc": "2.0", "id": 0, "result": result}

    async def is_connected(self, show_traceback: bool = False) -> bool:
        """Whether the endpoint answers."""
        try:
            await self._client.request("web3_clientVersion")
        except ChainUnreachable:
            if show_traceback:
                raise
            return False
        return True


def connect(client: RpcClient) -> AsyncWeb3[Any]:
    """An AsyncWeb3 over `client`."""
    return AsyncWeb3(TrioProvider(client), middleware=[])
