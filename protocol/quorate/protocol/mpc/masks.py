"""What comparisons take from the pool, before it is known under which scheme they run.

A plan may name steps: `sign_test(bits)`, `zero_test(bits)` and `decomposition(bits)`. `expand` turns them into items.
A scheme that computes on bytes takes them there, with one mask in both fields for each, and a bit in both for each bit
of the result; any other takes a random bit for each bit, and a wide integer.
"""

from __future__ import annotations

from typing import Final

from .pool import DUAL_BIT, Item, Plan, dual_integer, exact_integer, integer

COUNTED_FROM_BITS: Final = 12
"""From this width on, a zero test in the prime field counts differing bits and tests the count."""


def sign_test(bits: int) -> Item:
    """What one test for the sign of an integer of `bits` bits takes."""
    return Item("sign_test", bits)


def zero_test(bits: int) -> Item:
    """What one test for zero of an integer below 2^bits in absolute value takes."""
    return Item("zero_test", bits)


def decomposition(bits: int) -> Item:
    """What one decomposition of an integer of `bits` bits, at least two, takes."""
    return Item("decomposition", bits)


def expand(plan: Plan, *, kappa: int, on_bytes: bool) -> Plan:
    """The plan with items in place of steps; `on_bytes` is the scheme's `computes_on_bytes`."""
    expanded = Plan()
    for item, count in plan.items():
        if item.name in {"sign_test", "zero_test", "decomposition"}:
            needs = _on_bytes(item, kappa) if on_bytes else _in_field(item, kappa)
            expanded += needs.times(count)
        else:
            expanded += Plan({item: count})
    return expanded


def _on_bytes(step: Item, kappa: int) -> Plan:
    results = step.width if step.name == "decomposition" else 1
    return Plan({dual_integer(step.width): 1, integer(kappa): 1, DUAL_BIT: results})


def _in_field(step: Item, kappa: int) -> Plan:
    if step.name == "sign_test":
        return _mask_plan(step.width, step.width - 1, kappa)
    if step.name == "decomposition":
        return _mask_plan(step.width, step.width, kappa)
    plan = _mask_plan(step.width + 1, step.width, kappa)
    if step.width < COUNTED_FROM_BITS:
        return plan
    return plan + _in_field(zero_test(step.width.bit_length()), kappa)


def remainder_plan(bits: int, power: int, *, kappa: int, threshold: int, on_bytes: bool) -> Plan:
    """What a remainder modulo 2^power of one integer of `bits` bits takes."""
    if not on_bytes:
        return _mask_plan(bits, power, kappa)
    carried = threshold.bit_length()
    return Plan({exact_integer(power + carried): 1, integer(bits - power + kappa): 1, DUAL_BIT: 1 + carried})


def _mask_plan(bits: int, power: int, kappa: int) -> Plan:
    """What masks one integer of `bits` bits with `power` bits known one by one in the field."""
    return Plan(bits=power, integers={bits - power + kappa: 1})
