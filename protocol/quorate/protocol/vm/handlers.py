"""What each instruction does: one handler an opcode.

A handler checks the types of the clear values it reads, since bytecode may come from anyone; integers that leave
int64 are a fault, never a wrap-around.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from . import derived
from .closure import Closure
from .display import show
from .engine import UNKNOWN, Secret
from .limits import Fault, WrongType
from .natives import NATIVES
from .natives.collections import key_of
from .numbers import Fixed, Operator, operate
from .opcodes import OPCODES, OPERATION_KINDS, Opcode, Query, ValueKind
from .program import INT64_LEAST, INT64_MOST, Instruction
from .secret_operators import SecretOperator, check_public_operand
from .state import State
from .values import secrets_of

Handler = Callable[[State, Instruction], None]

MAX_SENT_VALUES: Final = 1 << 16
"""The most elements that one instruction sends to a client or multiplies."""


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise WrongType("the value is not an int64")
    return value


def _boolean(value: Any) -> bool:
    if type(value) is not bool:
        raise WrongType("the value is not a bool")
    return value


def _text(value: Any) -> str:
    if type(value) is not str:
        raise WrongType("the value is not a string")
    return value


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise WrongType("the value is not a list")
    return value


def _fits(value: int, operation: str) -> int:
    if not INT64_LEAST <= value <= INT64_MOST:
        raise Fault(f"{operation} leaves int64; use smaller numbers")
    return value


def _divide(x: int, y: int) -> int:
    quotient = abs(x) // abs(y)
    return quotient if (x < 0) == (y < 0) else -quotient


def _divisor(y: int) -> int:
    if y == 0:
        raise Fault("division by zero")
    return y


def _amount(y: int) -> int:
    if not 0 <= y <= 63:
        raise Fault(f"a shift by {y}; shift by 0 to 63")
    return y


def _shift_left(x: int, y: int) -> int:
    """A shift drops the bits that leave 64, and the result is read as a signed number."""
    bits = (x << _amount(y)) & 0xFFFF_FFFF_FFFF_FFFF
    return bits - (1 << 64) if bits >> 63 else bits


_EQUATABLE: Final = (int, bool, str, bytes, float, Fixed)


_ARITHMETIC: Final[dict[Opcode, tuple[str, Callable[[int, int], int]]]] = {
    Opcode.ADD: ("an addition", lambda x, y: x + y),
    Opcode.SUBTRACT: ("a subtraction", lambda x, y: x - y),
    Opcode.MULTIPLY: ("a multiplication", lambda x, y: x * y),
    Opcode.DIVIDE: ("a division", lambda x, y: _divide(x, _divisor(y))),
    Opcode.REMAINDER: ("a remainder", lambda x, y: x - y * _divide(x, _divisor(y))),
    Opcode.FLOOR_DIVIDE: ("a division", lambda x, y: x // _divisor(y)),
    Opcode.MODULO: ("a modulo", lambda x, y: x % _divisor(y)),
    Opcode.BIT_AND: ("and", lambda x, y: x & y),
    Opcode.BIT_OR: ("or", lambda x, y: x | y),
    Opcode.BIT_XOR: ("xor", lambda x, y: x ^ y),
    Opcode.SHIFT_LEFT: ("a shift", _shift_left),
    Opcode.SHIFT_RIGHT: ("a shift", lambda x, y: x >> _amount(y)),
    Opcode.MINIMUM: ("min", min),
    Opcode.MAXIMUM: ("max", max),
}


def _arithmetic(opcode: Opcode) -> Handler:
    name, operation = _ARITHMETIC[opcode]

    def handler(state: State, instruction: Instruction) -> None:
        _, target, left, right = instruction
        clear = state.clear
        x, y = clear[left], clear[right]
        if type(x) is not int or type(y) is not int:
            raise WrongType("the value is not an int64")
        value = operation(x, y)
        if not INT64_LEAST <= value <= INT64_MOST:
            raise Fault(f"{name} leaves int64; use smaller numbers")
        clear[target] = value

    return handler


def _unary(convert: Callable[[Any], Any], operation: Callable[[Any], Any]) -> Handler:
    def handler(state: State, instruction: Instruction) -> None:
        _, target, source = instruction
        state.clear[target] = operation(convert(state.clear[source]))

    return handler


def _load(state: State, instruction: Instruction) -> None:
    state.clear[instruction[1]] = state.program.constants[instruction[2]]


def _move(state: State, instruction: Instruction) -> None:
    state.clear[instruction[1]] = state.clear[instruction[2]]


def _comparison(*, negate: bool) -> Handler:
    def handler(state: State, instruction: Instruction) -> None:
        _, target, left, right = instruction
        x, y = state.clear[left], state.clear[right]
        if type(x) is not type(y) or type(x) not in _EQUATABLE:
            raise WrongType("the values cannot be compared")
        if type(x) in (str, bytes):
            state.steps += len(x) >> 3
        state.clear[target] = (x == y) != negate

    return handler


def _less(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    state.clear[target] = _integer(state.clear[left]) < _integer(state.clear[right])


def _less_equal(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    state.clear[target] = _integer(state.clear[left]) <= _integer(state.clear[right])


def _concatenate(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    text = _text(state.clear[left]) + _text(state.clear[right])
    state.allocate((len(text) >> 3) + 1)
    state.clear[target] = text


def _jump(state: State, instruction: Instruction) -> None:
    state.position = instruction[1]


def _jump_if(state: State, instruction: Instruction) -> None:
    if _boolean(state.clear[instruction[1]]):
        state.position = instruction[2]


def _jump_unless(state: State, instruction: Instruction) -> None:
    if not _boolean(state.clear[instruction[1]]):
        state.position = instruction[2]


def _call(state: State, instruction: Instruction) -> None:
    state.call(instruction[1], instruction[2], instruction[3])


def _return(state: State, instruction: Instruction) -> None:
    state.leave(value=state.clear[instruction[1]])


def _return_secret(state: State, instruction: Instruction) -> None:
    state.leave(secret=state.secret[instruction[1]])


def _return_none(state: State, instruction: Instruction) -> None:
    state.leave()


def _make_list(state: State, instruction: Instruction) -> None:
    state.allocate(1)
    state.clear[instruction[1]] = []


def _length(state: State, instruction: Instruction) -> None:
    value = state.clear[instruction[2]]
    state.clear[instruction[1]] = len(value) if type(value) in (str, bytes, dict) else len(_list(value))


def _append(state: State, instruction: Instruction) -> None:
    state.allocate(1)
    _list(state.clear[instruction[1]]).append(state.clear[instruction[2]])


def _append_secret(state: State, instruction: Instruction) -> None:
    state.allocate(1)
    _list(state.clear[instruction[1]]).append(state.secret[instruction[2]])


def _container(value: Any) -> Any:
    """A list or a dictionary."""
    return value if type(value) is dict else _list(value)


def _position(items: Any, value: Any) -> Any:
    """A list index, where negative ones count from the end, or a key that the dictionary has."""
    if type(items) is dict:
        if key_of(value) not in items:
            raise Fault("the dictionary has no such key; test with `contains` before")
        return value
    index = _integer(value)
    size = len(items)
    if not -size <= index < size:
        has = f"has indexes 0 to {size - 1}" if size else "is empty"
        raise Fault(f"there is no element {index}; the list {has}")
    return index


def _clear_item(item: Any) -> Any:
    if isinstance(item, Secret):
        raise WrongType("the element is a secret")
    return item


def _secret_item(item: Any) -> Secret:
    if not isinstance(item, Secret):
        raise WrongType("the element is not a secret")
    return item


def _get(state: State, instruction: Instruction) -> None:
    _, target, source, index = instruction
    items = _container(state.clear[source])
    state.clear[target] = _clear_item(items[_position(items, state.clear[index])])


def _get_secret(state: State, instruction: Instruction) -> None:
    _, target, source, index = instruction
    items = _container(state.clear[source])
    state.secret[target] = _secret_item(items[_position(items, state.clear[index])])


def _place(state: State, instruction: Instruction) -> tuple[Any, Any]:
    """What is written into, and where; a dictionary may get a new key."""
    items, index = _container(state.clear[instruction[1]]), state.clear[instruction[2]]
    if type(items) is not dict:
        return items, _position(items, index)
    if key_of(index) not in items:
        state.allocate(2)
    return items, index


def _set(state: State, instruction: Instruction) -> None:
    items, place = _place(state, instruction)
    items[place] = state.clear[instruction[3]]


def _set_secret(state: State, instruction: Instruction) -> None:
    items, place = _place(state, instruction)
    items[place] = state.secret[instruction[3]]


def _popped(items: list[Any]) -> Any:
    if not items:
        raise Fault("pop from an empty list")
    return items.pop()


def _pop(state: State, instruction: Instruction) -> None:
    state.clear[instruction[1]] = _clear_item(_popped(_list(state.clear[instruction[2]])))


def _pop_secret(state: State, instruction: Instruction) -> None:
    state.secret[instruction[1]] = _secret_item(_popped(_list(state.clear[instruction[2]])))


def _slice(state: State, instruction: Instruction) -> None:
    _, target, source, start, stop = instruction
    items = _list(state.clear[source])
    part = items[_integer(state.clear[start]) : _integer(state.clear[stop])]
    state.allocate(len(part) + 1)
    state.clear[target] = part


def _print(state: State, instruction: Instruction) -> None:
    state.printer.write(show(state.clear[instruction[1]]))


def _print_line(state: State, instruction: Instruction) -> None:
    state.printer.end_line()


def _assert(state: State, instruction: Instruction) -> None:
    if not _boolean(state.clear[instruction[1]]):
        raise Fault(f"assertion failed: {_text(state.clear[instruction[2]])}")


def _query(state: State, instruction: Instruction) -> None:
    facts = state.engine.environment
    answers: dict[Query, int | str] = {
        Query.CLIENTS: facts.clients,
        Query.INPUT_CLIENTS: facts.input_clients,
        Query.OUTPUT_CLIENTS: facts.output_clients,
        Query.PARTIES: facts.parties,
        Query.THRESHOLD: facts.threshold,
        Query.FIELD: facts.field,
        Query.PROTOCOL: facts.protocol,
        Query.INSTANCE: facts.instance,
        Query.CURVE: facts.curve,
    }
    state.clear[instruction[1]] = answers[Query(instruction[2])]


def _capability(state: State, instruction: Instruction) -> None:
    name = _text(state.clear[instruction[2]])
    state.clear[instruction[1]] = state.engine.environment.offers(name)


def _number(value: Any) -> int:
    """A clear number or bool as the integer that represents it."""
    if type(value) is bool:
        return int(value)
    if type(value) is Fixed:
        return value.secret_units
    return _integer(value)


def _lift(state: State, instruction: Instruction) -> None:
    state.secret[instruction[1]] = state.engine.constant(_number(state.clear[instruction[2]]))


def _lift_bits(state: State, instruction: Instruction) -> None:
    _, target, source, size = instruction
    value, bits = _number(state.clear[source]), _integer(state.clear[size])
    if not 1 <= bits <= 64:
        raise Fault(f"a share of {bits} bits; choose from 1 to 64")
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise Fault(f"{value} does not fit in {bits} bits")
    state.secret[target] = state.engine.constant(value)


def _move_secret(state: State, instruction: Instruction) -> None:
    state.secret[instruction[1]] = state.secret[instruction[2]]


def _secret_binary(operation: Callable[[Any, Secret, Secret], Secret]) -> Handler:
    """`operation` takes the engine first."""

    def handler(state: State, instruction: Instruction) -> None:
        _, target, left, right = instruction
        secret = state.secret
        secret[target] = operation(state.engine, secret[left], secret[right])

    return handler


def _secret_unary(operation: Callable[[Any, Secret], Secret]) -> Handler:
    def handler(state: State, instruction: Instruction) -> None:
        state.secret[instruction[1]] = operation(state.engine, state.secret[instruction[2]])

    return handler


def _add_clear(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    constant = _number(state.clear[right])
    state.secret[target] = state.engine.add_constant(state.secret[left], constant)


def _scale(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    state.secret[target] = state.engine.scale(state.secret[left], _number(state.clear[right]))


def _select(state: State, instruction: Instruction) -> None:
    _, target, condition, x, y = instruction
    secret = state.secret
    secret[target] = derived.select(state.engine, secret[condition], secret[x], secret[y])


def _random(state: State, instruction: Instruction) -> None:
    bits = _integer(state.clear[instruction[2]])
    if not 1 <= bits <= 64:
        raise Fault(f"a random integer of {bits} bits; choose from 1 to 64")
    state.secret[instruction[1]] = state.engine.random(bits)


def _multiply_lists(state: State, instruction: Instruction) -> None:
    _, target, left, right = instruction
    x, y = secrets_of(state.clear[left]), secrets_of(state.clear[right])
    if len(x) != len(y):
        raise Fault(f"lists of {len(x)} and {len(y)} elements; give two of equal length")
    if len(x) > MAX_SENT_VALUES:
        raise Fault(f"a list of {len(x)} elements; the most is {MAX_SENT_VALUES}")
    state.allocate(len(x) + 1)
    state.clear[target] = [state.engine.multiply(one, other) for one, other in zip(x, y, strict=True)]


def _input(state: State, instruction: Instruction) -> None:
    _, target, client, index, kind = instruction
    state.secret[target] = state.engine.input(
        _integer(state.clear[client]), _integer(state.clear[index]), kind=ValueKind(kind)
    )


def _send(state: State, instruction: Instruction) -> None:
    _, client, source, kind = instruction
    state.allocate(1)
    state.engine.send(_integer(state.clear[client]), [state.secret[source]], kind=ValueKind(kind))


def _send_list(state: State, instruction: Instruction) -> None:
    _, client, source, kind = instruction
    values = secrets_of(state.clear[source])
    if len(values) > MAX_SENT_VALUES:
        raise Fault(f"a list of {len(values)} elements; the most is {MAX_SENT_VALUES}")
    state.allocate(len(values))
    state.engine.send(_integer(state.clear[client]), values, kind=ValueKind(kind))


def _operate(state: State, instruction: Instruction) -> None:
    _, target, left, right, operation = instruction
    operator, kind = divmod(operation, OPERATION_KINDS)
    state.clear[target] = operate(Operator(operator), ValueKind(kind), state.clear[left], state.clear[right])


def _native(state: State, instruction: Instruction) -> None:
    _, target, number, base, secret_base = instruction
    native = NATIVES[number]
    clear = state.clear[base : base + native.clear]
    if UNKNOWN in clear:
        raise WrongType("the value is unknown")
    state.clear[target] = native.run(state, clear, state.secret[secret_base : secret_base + native.secrets])


def _native_secret(state: State, instruction: Instruction) -> None:
    _, target, number, base, secret_base = instruction
    native = NATIVES[number]
    secrets = state.secret[secret_base : secret_base + native.secrets]
    state.secret[target] = native.run(state, state.clear[base : base + native.clear], secrets)


def _closure(state: State, instruction: Instruction) -> None:
    state.allocate(1)
    state.clear[instruction[1]] = Closure(instruction[2], {})


def _call_closure(state: State, instruction: Instruction) -> None:
    """The verifier knows no callee here, so what it checks of other calls is checked now."""
    _, source, base = instruction
    closure = state.clear[source]
    if type(closure) is not Closure:
        raise WrongType("the value is not a closure")
    function = state.program.functions[closure.function]
    if function.secret_parameters or function.result.startswith("secret "):
        raise Fault("a closure takes and gives clear values")
    if base + max(1, function.clear_parameters) > len(state.clear):
        raise Fault(f"{function.name} takes {function.clear_parameters} arguments; the call has fewer")
    state.call(closure.function, base, 0, closure=closure)


def _secret_operate(state: State, instruction: Instruction) -> None:
    _, target, left, right, operation = instruction
    operator, kind = divmod(operation, OPERATION_KINDS)
    x, y = state.secret[left], state.secret[right]
    state.secret[target] = state.engine.operate(SecretOperator(operator), x, y, kind=ValueKind(kind))


def _secret_operate_clear(state: State, instruction: Instruction) -> None:
    _, target, left, right, operation = instruction
    number, code = divmod(operation, OPERATION_KINDS)
    operator, kind = SecretOperator(number), ValueKind(code)
    constant = check_public_operand(operator, kind, _number(state.clear[right]))
    state.secret[target] = state.engine.operate(operator, state.secret[left], constant, kind=kind)


_TABLE: Final[dict[Opcode, Handler]] = {
    **{opcode: _arithmetic(opcode) for opcode in _ARITHMETIC},
    Opcode.LOAD: _load,
    Opcode.MOVE: _move,
    Opcode.NEGATE: _unary(_integer, lambda x: _fits(-x, "a negation")),
    Opcode.BIT_NOT: _unary(_integer, lambda x: ~x),
    Opcode.EQUAL: _comparison(negate=False),
    Opcode.NOT_EQUAL: _comparison(negate=True),
    Opcode.LESS: _less,
    Opcode.LESS_EQUAL: _less_equal,
    Opcode.NOT: _unary(_boolean, lambda x: not x),
    Opcode.ABSOLUTE: _unary(_integer, lambda x: _fits(abs(x), "abs")),
    Opcode.CONCATENATE: _concatenate,
    Opcode.JUMP: _jump,
    Opcode.JUMP_IF: _jump_if,
    Opcode.JUMP_UNLESS: _jump_unless,
    Opcode.CALL: _call,
    Opcode.RETURN: _return,
    Opcode.RETURN_SECRET: _return_secret,
    Opcode.RETURN_NONE: _return_none,
    Opcode.LIST: _make_list,
    Opcode.LENGTH: _length,
    Opcode.APPEND: _append,
    Opcode.APPEND_SECRET: _append_secret,
    Opcode.GET: _get,
    Opcode.GET_SECRET: _get_secret,
    Opcode.SET: _set,
    Opcode.SET_SECRET: _set_secret,
    Opcode.POP: _pop,
    Opcode.POP_SECRET: _pop_secret,
    Opcode.SLICE: _slice,
    Opcode.PRINT: _print,
    Opcode.PRINT_LINE: _print_line,
    Opcode.ASSERT: _assert,
    Opcode.QUERY: _query,
    Opcode.CAPABILITY: _capability,
    Opcode.OPERATE: _operate,
    Opcode.NATIVE: _native,
    Opcode.CLOSURE: _closure,
    Opcode.CALL_CLOSURE: _call_closure,
    Opcode.NATIVE_SECRET: _native_secret,
    Opcode.SECRET_OPERATE: _secret_operate,
    Opcode.SECRET_OPERATE_CLEAR: _secret_operate_clear,
    Opcode.LIFT: _lift,
    Opcode.LIFT_BITS: _lift_bits,
    Opcode.MOVE_SECRET: _move_secret,
    Opcode.SECRET_ADD: _secret_binary(lambda engine, x, y: engine.add(x, y)),
    Opcode.SECRET_SUBTRACT: _secret_binary(lambda engine, x, y: engine.subtract(x, y)),
    Opcode.SECRET_NEGATE: _secret_unary(lambda engine, x: engine.scale(x, -1)),
    Opcode.SECRET_ADD_CLEAR: _add_clear,
    Opcode.SECRET_SCALE: _scale,
    Opcode.SECRET_MULTIPLY: _secret_binary(lambda engine, x, y: engine.multiply(x, y)),
    Opcode.SECRET_LESS: _secret_binary(lambda engine, x, y: engine.less_than(x, y)),
    Opcode.SECRET_EQUAL: _secret_binary(lambda engine, x, y: engine.equal(x, y)),
    Opcode.SECRET_NOT: _secret_unary(derived.negation),
    Opcode.SECRET_OR: _secret_binary(derived.disjunction),
    Opcode.SECRET_XOR: _secret_binary(derived.exclusive_or),
    Opcode.SECRET_SELECT: _select,
    Opcode.SECRET_MINIMUM: _secret_binary(derived.minimum),
    Opcode.SECRET_MAXIMUM: _secret_binary(derived.maximum),
    Opcode.SECRET_ABSOLUTE: _secret_unary(derived.absolute),
    Opcode.SECRET_RANDOM: _random,
    Opcode.MULTIPLY_LISTS: _multiply_lists,
    Opcode.INPUT: _input,
    Opcode.SEND: _send,
    Opcode.SEND_LIST: _send_list,
}


def _refuse(state: State, instruction: Instruction) -> None:
    raise AssertionError(f"opcode {instruction[0]} has no handler")


HANDLERS: Final[tuple[Handler, ...]] = tuple(
    next((handler for opcode, handler in _TABLE.items() if opcode == number), _refuse) for number in range(OPCODES)
)
"""The handler of each opcode, by number; openings are the machine's own."""
