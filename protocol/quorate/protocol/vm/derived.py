"""Secret operations that are built from the engine's primitives, once for all engines.

Bits are field elements 0 and 1: not x = 1 - x, x or y = x + y - xy, x xor y = x + y - 2xy, and
select(c, x, y) = y + c(x - y), each with at most one multiplication.
"""

from __future__ import annotations

from .engine import Secret, SecretEngine


def negation(engine: SecretEngine, x: Secret) -> Secret:
    """1 - x, the complement of a bit."""
    return engine.add_constant(engine.scale(x, -1), 1)


def disjunction(engine: SecretEngine, x: Secret, y: Secret) -> Secret:
    """X or y for bits."""
    return engine.subtract(engine.add(x, y), engine.multiply(x, y))


def exclusive_or(engine: SecretEngine, x: Secret, y: Secret) -> Secret:
    """X xor y for bits."""
    return engine.subtract(engine.add(x, y), engine.scale(engine.multiply(x, y), 2))


def select(engine: SecretEngine, condition: Secret, x: Secret, y: Secret) -> Secret:
    """X if the bit `condition` is 1, else y."""
    return engine.add(y, engine.multiply(condition, engine.subtract(x, y)))


def minimum(engine: SecretEngine, x: Secret, y: Secret) -> Secret:
    """The smaller of x and y."""
    return select(engine, engine.less_than(x, y), x, y)


def maximum(engine: SecretEngine, x: Secret, y: Secret) -> Secret:
    """The larger of x and y."""
    return select(engine, engine.less_than(x, y), y, x)


def absolute(engine: SecretEngine, x: Secret) -> Secret:
    """|x|; -2^63 has no absolute value in int64."""
    negative = engine.less_than(x, engine.constant(0))
    return engine.subtract(x, engine.scale(engine.multiply(negative, x), 2))
