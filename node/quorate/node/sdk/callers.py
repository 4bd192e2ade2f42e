"""Serving whoever calls: no event loop, asyncio or trio."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from quorate.node.errors import UsageError

Value = TypeVar("Value")


def on_trio() -> bool:
    """Whether the caller runs on trio."""
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def on_asyncio() -> bool:
    """Whether the caller runs on asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def in_thread(work: Callable[[], Value]) -> Value:
    """The result of `work`, done in a thread so that the caller's loop goes on.

    A computation cannot be stopped half-way: a cancelled caller on trio waits for it, and one on asyncio leaves it.
    """
    if on_trio():
        return await trio.to_thread.run_sync(work)
    return await asyncio.to_thread(work)


async def with_trio(work: Callable[[], Awaitable[Value]]) -> Value:
    """The result of `work`, which is written for trio, for a caller on trio or asyncio."""
    if on_trio():
        return await work()
    return await asyncio.to_thread(lambda: trio.run(work))


def without_loop(work: Callable[[], Awaitable[Value]]) -> Value:
    """The result of `work`, which is written for trio; raises UsageError inside of an event loop."""
    if on_trio() or on_asyncio():
        raise UsageError(
            "this would block an event loop", why="the caller is asynchronous", todo="await the _async form of it"
        )
    return trio.run(work)
