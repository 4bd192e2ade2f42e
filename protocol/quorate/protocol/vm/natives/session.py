"""What belongs to one run: its store, its broadcasts, its closures.

A program runs once for the whole committee, in step: whatever one party would broadcast, every party already has.
So a broadcast is kept in the run, and received in the order in which it was sent. The store lasts as long as the
run, since shares are of no use to a later committee.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quorate.protocol.vm.closure import Closure
from quorate.protocol.vm.engine import Secret
from quorate.protocol.vm.limits import Fault, WrongType

from .native import Native, size_in_cells, text

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State

MAX_STORED_KEYS: Final = 4096
"""The most keys of the store, and the most broadcasts, of one run."""


def _store(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    key = text(clear[0])
    if key not in state.storage and len(state.storage) >= MAX_STORED_KEYS:
        raise Fault(f"more than {MAX_STORED_KEYS} keys in the store; delete some")
    state.allocate(1)
    state.storage[key] = secrets[0] if secrets else clear[1]
    return True


def _load(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    """A missing key gives None, which has no type: a program finds out by `exists`."""
    value = state.storage.get(text(clear[0]))
    if isinstance(value, Secret):
        raise WrongType("the stored value is a secret; declare the variable secret, or use load_share")
    return value


def _load_secret(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    value = state.storage.get(text(clear[0]))
    if not isinstance(value, Secret):
        raise Fault("the store has no share under this key; test with `exists` before")
    return value


def _exists(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    return text(clear[0]) in state.storage


def _delete(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    return state.storage.pop(text(clear[0]), state) is not state


def _broadcast(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> int:
    message = text(clear[0])
    if len(state.broadcasts) >= MAX_STORED_KEYS:
        raise Fault(f"more than {MAX_STORED_KEYS} broadcasts")
    state.allocate(size_in_cells(message))
    state.broadcasts.append(message)
    return len(state.broadcasts) - 1


def _receive(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> str:
    if not state.broadcasts:
        raise Fault("nothing has been broadcast; broadcast before you receive")
    return state.broadcasts[-1]


def _capabilities(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[str]:
    names = sorted(state.engine.environment.capabilities)
    state.allocate(len(names) + 1)
    return names


def _capture(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Closure:
    closure = clear[0]
    if type(closure) is not Closure:
        raise WrongType("the value is not a closure")
    state.allocate(1)
    return Closure(closure.function, {**closure.captured, text(clear[1]): clear[2]})


def _captured(state: State, name: Any) -> dict[str, Any]:
    if state.closure is None or text(name) not in state.closure.captured:
        raise Fault("this call captured no such value; name it where the closure is made")
    return state.closure.captured


def _get_captured(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    return _captured(state, clear[0])[clear[0]]


def _set_captured(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    _captured(state, clear[0])[clear[0]] = clear[1]


SESSION: Final = (
    Native("store", 2, _store, pure=False),
    Native("store_secret", 1, _store, secrets=1, pure=False),
    Native("load", 1, _load),
    Native("load_secret", 1, _load_secret, gives_secret=True),
    Native("exists", 1, _exists),
    Native("delete_stored", 1, _delete, pure=False),
    Native("broadcast", 1, _broadcast, pure=False),
    Native("receive", 2, _receive),
    Native("receive_any", 1, _receive),
    Native("capabilities", 0, _capabilities),
    Native("capture", 3, _capture),
    Native("get_captured", 1, _get_captured),
    Native("set_captured", 2, _set_captured, pure=False),
)
"""Every native of this module."""
