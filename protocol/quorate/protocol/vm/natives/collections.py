"""Lists and dictionaries: what programs do to them beyond reading, writing, appending and popping.

Both may hold secrets, so equality never looks into a handle: searching a list of secrets is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from quorate.protocol.vm.engine import Secret
from quorate.protocol.vm.limits import Fault, WrongType
from quorate.protocol.vm.numbers import Fixed

from .native import Native, index_in, integer, items, octets, size_in_cells, text

if TYPE_CHECKING:
    from quorate.protocol.vm.state import State

_ORDERED: Final = (int, str, bytes, float)
_KEYS: Final = (int, str, bool, bytes)


def key_of(value: Any) -> Any:
    """A clear value as a dictionary's key; raises WrongType for kinds that cannot be one."""
    if type(value) not in _KEYS:
        raise WrongType("the value cannot be a key")
    return value


def mapping(value: Any) -> dict[Any, Any]:
    """A dictionary; raises WrongType."""
    if type(value) is not dict:
        raise WrongType("the value is not a dictionary")
    return value


def same(left: Any, right: Any) -> bool:
    """Whether two clear values are equal; raises WrongType for secrets, and for what has no equality."""
    if type(left) is not type(right):
        raise WrongType("the values cannot be compared")
    if type(left) is list:
        return len(left) == len(right) and all(map(same, left, right))
    if type(left) not in (int, bool, str, bytes, float, Fixed):
        raise WrongType("the values cannot be compared")
    return bool(left == right)


def _charged(state: State, values: list[Any]) -> list[Any]:
    state.allocate(len(values) + 1)
    return values


def _extend(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    target, more = items(clear[0]), items(clear[1])
    state.allocate(len(more))
    target.extend(more)


def _insert(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    target, index = items(clear[0]), integer(clear[1])
    state.allocate(1)
    state.steps += len(target) >> 3
    target.insert(index, secrets[0] if secrets else clear[2])


def _remove(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    target = items(clear[0])
    del target[_find(state, target, clear[1], 0, len(target))]


def _find(state: State, values: list[Any], wanted: Any, start: int, stop: int) -> int:
    state.steps += len(values)
    for place in range(*slice(start, stop).indices(len(values))):
        if same(values[place], wanted):
            return place
    raise Fault("the list has no such element; test with `contains` before")


def _index(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> int:
    return _find(state, items(clear[0]), clear[1], integer(clear[2]), integer(clear[3]))


def _count(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> int:
    values = items(clear[0])
    state.steps += len(values)
    return sum(same(value, clear[1]) for value in values)


def _contains(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    container, wanted = clear
    if type(container) is str:
        state.steps += len(container)
        return text(wanted) in container
    if type(container) is bytes:
        state.steps += len(container)
        return (octets(wanted) if type(wanted) is bytes else integer(wanted)) in container
    if type(container) is dict:
        return key_of(wanted) in container
    values = items(container)
    state.steps += len(values)
    return any(same(value, wanted) for value in values)


def _clear(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    if type(clear[0]) is dict:
        clear[0].clear()
    else:
        items(clear[0]).clear()


def _reverse(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    state.steps += len(items(clear[0]))
    items(clear[0]).reverse()


def _sort(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    values = items(clear[0])
    state.steps += len(values) * len(values).bit_length()
    kinds = {type(value) for value in values}
    if kinds == {Fixed}:
        values.sort(key=lambda value: value.units)
    elif len(kinds) > 1 or not kinds <= set(_ORDERED):
        raise WrongType("the values have no order")
    else:
        values.sort()


def _delete(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> None:
    if type(clear[0]) is dict:
        _lookup(clear[0], clear[1])
        del clear[0][key_of(clear[1])]
        return
    target = items(clear[0])
    state.steps += len(target) >> 3
    del target[index_in(target, clear[1])]


def _lookup(values: dict[Any, Any], key: Any) -> Any:
    if key_of(key) not in values:
        raise Fault("the dictionary has no such key; test with `contains` before")
    return values[key]


def _take(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    target = items(clear[0])
    state.steps += len(target) >> 3
    return target.pop(index_in(target, clear[1]))


def _take_clear(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    value = _take(state, clear, secrets)
    if isinstance(value, Secret):
        raise WrongType("the element is a secret")
    return value


def _take_secret(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Secret:
    value = _take(state, clear, secrets)
    if not isinstance(value, Secret):
        raise WrongType("the element is not a secret")
    return value


def _slice(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    """values[start:stop:step] of a list, a string or bytes; None bounds are open."""
    values, start, stop, step = clear
    if any(bound is not None and type(bound) is not int for bound in (start, stop, step)) or step == 0:
        raise Fault("a slice has integer bounds and a step that is not zero")
    if type(values) not in (list, str, bytes):
        raise WrongType("the value cannot be sliced")
    part = values[start:stop:step]
    state.allocate(len(part) + 1 if type(part) is list else size_in_cells(part))
    return part


def _range(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[int]:
    start, stop, step = map(integer, clear)
    if step == 0:
        raise Fault("the step of a range is not zero")
    numbers = range(start, stop, step)
    count = max(0, (stop - start + step - (1 if step > 0 else -1)) // step)
    state.allocate(count + 1)
    return list(numbers)


def _copy(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> Any:
    if type(clear[0]) is dict:
        state.allocate(2 * len(clear[0]) + 1)
        return dict(clear[0])
    return _charged(state, list(items(clear[0])))


def _dictionary(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> dict[Any, Any]:
    state.allocate(1)
    return {}


def _keys(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[Any]:
    return _charged(state, list(mapping(clear[0])))


def _values(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[Any]:
    return _charged(state, list(mapping(clear[0]).values()))


def _repeat(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[Any]:
    values, times = items(clear[0]), max(0, integer(clear[1]))
    state.allocate(len(values) * times + 1)
    return values * times


def _join_lists(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> list[Any]:
    left, right = items(clear[0]), items(clear[1])
    state.allocate(len(left) + len(right) + 1)
    return left + right


def _equal(state: State, clear: Sequence[Any], secrets: Sequence[Secret]) -> bool:
    state.steps += len(clear[0]) if type(clear[0]) is list else 0
    return same(clear[0], clear[1])


COLLECTIONS: Final = (
    Native("extend", 2, _extend, pure=False),
    Native("insert", 3, _insert, pure=False),
    Native("insert_secret", 2, _insert, secrets=1, pure=False),
    Native("remove", 2, _remove, pure=False),
    Native("index", 4, _index),
    Native("count", 2, _count),
    Native("contains", 2, _contains),
    Native("clear", 1, _clear, pure=False),
    Native("reverse", 1, _reverse, pure=False),
    Native("sort", 1, _sort, pure=False),
    Native("delete", 2, _delete, pure=False),
    Native("pop_at", 2, _take_clear, pure=False),
    Native("pop_secret_at", 2, _take_secret, gives_secret=True, pure=False),
    Native("slice", 4, _slice),
    Native("range", 3, _range),
    Native("copy", 1, _copy),
    Native("dictionary", 0, _dictionary),
    Native("keys", 1, _keys),
    Native("values", 1, _values),
    Native("repeat", 2, _repeat),
    Native("join_lists", 2, _join_lists),
    Native("equal_lists", 2, _equal),
)
"""Every native of this module."""
