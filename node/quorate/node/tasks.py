"""The type of trio's task status, which the stubs that come with libp2p's dependencies do not export."""

from __future__ import annotations

from typing import Protocol, TypeVar

Started = TypeVar("Started", contravariant=True)


class TaskStatus(Protocol[Started]):
    """What `nursery.start` passes: a task calls `started` once, with its value, when it is ready."""

    def started(self, value: Started, /) -> None:
        """Say that the task is ready."""
