"""Where the clients of a session meet it: their mask shares wait here for them, their masked inputs for us."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import trio

from quorate.protocol.mpc import InputMasks

from .messages import MAX_INPUT_BYTES


class InputClosed(Exception):
    """A masked input, or a request for masks, that came too late or contradicts what the client sent before."""


class ClientInbox:
    """Masks out, masked inputs in, for the clients that give inputs; every wait is bounded by its caller."""

    def __init__(self, clients: Mapping[int, int]) -> None:
        """`clients` maps the slot of every client that gives inputs to the number of its masks."""
        self._expected = dict(clients)
        self._masks: dict[int, bytes] = {}
        self._inputs: dict[int, bytes] = {}
        self._masks_ready = trio.Event()
        self._complete = trio.Event()
        self._closed = False
        if not clients:
            self._complete.set()

    def publish(self, masks: list[InputMasks], encoded: Mapping[int, bytes]) -> None:
        """Offer every client its mask shares, as bytes by slot."""
        if {entry.client for entry in masks} != set(self._expected):
            raise ValueError("masks were drawn for other clients than this session has")
        self._masks = dict(encoded)
        self._masks_ready.set()

    async def masks_of(self, client: int) -> bytes:
        """The mask shares of `client`, once they are made; KeyError for a client that gives no input.

        Raises InputClosed once its input is here or none is taken any more: a client that was started again with
        another value would mask it by the same masks, and so show everybody the difference of the two.
        """
        if client not in self._expected:
            raise KeyError(client)
        await self._masks_ready.wait()
        if self._closed or client in self._inputs:
            raise InputClosed("masks are given out until the input they hide is here")
        return self._masks[client]

    def put(self, client: int, body: bytes) -> bool:
        """Take a masked input; False for the same one again. Raises InputClosed, or KeyError for no such client."""
        if client not in self._expected:
            raise KeyError(client)
        if len(body) > MAX_INPUT_BYTES or len(body) != self._expected[client] * 32:
            raise InputClosed(f"a masked input of {len(body)} bytes, not {self._expected[client] * 32}")
        known = self._inputs.get(client)
        if known is not None:
            if known != body:
                raise InputClosed("another masked input of this client was taken before")
            return False
        if self._closed or not self._masks_ready.is_set():
            raise InputClosed("inputs are not taken now")
        self._inputs[client] = body
        if len(self._inputs) == len(self._expected):
            self._complete.set()
        return True

    async def wait_complete(self) -> None:
        """Return when every client has sent its input."""
        await self._complete.wait()

    def close(self) -> dict[int, bytes]:
        """Take no further input and return what came, by slot."""
        self._closed = True
        return dict(self._inputs)

    def missing(self) -> list[int]:
        """The slots of clients that sent nothing."""
        return sorted(set(self._expected) - set(self._inputs))

    @staticmethod
    def digest(body: bytes) -> bytes:
        """The sha256 by which the journal remembers a masked input."""
        return hashlib.sha256(body).digest()
