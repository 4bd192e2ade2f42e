"""The graph of secrets that are not computed yet.

A node is linear (a combination of other nodes and a public constant) or an operation that communicates. A node
that has been evaluated has a `row` in the engine's table of shares and forgets its operands.

Every node has a stage (d, m): d comparisons deep, and m multiplications behind the d-th comparison. Stages are
evaluated in order, each as one batch of every kind, and kinds of one stage side by side. All multiplications that
can go before a comparison do, so comparisons, which take the most rounds, meet in the fewest batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

from quorate.protocol.vm.engine import Secret

from .kinds import Kind

Stage: TypeAlias = tuple[int, int]
READY: Final[Stage] = (0, 0)
"""The stage of what needs no communication."""


class Node(Secret):
    """A secret: `row` is its place in the table of shares, or -1; `uses` counts the nodes that take it."""

    __slots__ = ("epoch", "row", "sequence", "stage", "uses")

    def __init__(self, sequence: int, stage: Stage, epoch: int) -> None:
        self.row = -1
        self.uses = 0
        self.sequence = sequence
        self.stage = stage
        self.epoch = epoch


class Linear(Node):
    """constant + sum of coefficient * node."""

    __slots__ = ("constant", "terms")

    def __init__(self, terms: Sequence[tuple[int, Node]], constant: int, place: tuple[int, Stage, int]) -> None:
        super().__init__(*place)
        self.terms = tuple(terms)
        self.constant = constant
        for _, node in self.terms:
            node.uses += 1


class Operation(Node):
    """An operation of some kind on other nodes."""

    __slots__ = ("kind", "operands", "parameter")

    def __init__(
        self, kind: Kind, operands: tuple[Node, ...], parameter: int, place: tuple[int, Stage, int]
    ) -> None:
        super().__init__(*place)
        self.kind = kind
        self.operands = operands
        self.parameter = parameter
        for node in operands:
            node.uses += 1


Form: TypeAlias = dict[Node, int]
"""Coefficients by evaluated, or separately evaluated, node."""


def forms_of(targets: Sequence[Node]) -> list[list[tuple[Linear, Form, int]]]:
    """What to compute so that every target has a row: levels of (node, form, constant), each level after the last.

    A linear node that only one other node uses is folded into that one; one that several use is computed once.
    """
    forms: dict[Linear, tuple[Form, int]] = {}
    waiting = [node for node in targets if isinstance(node, Linear) and node.row < 0]
    while waiting:
        node = waiting.pop()
        if node in forms:
            continue
        form, constant = forms[node] = _flatten(node)
        del constant
        waiting.extend(child for child in form if isinstance(child, Linear) and child.row < 0)
    levels: list[list[tuple[Linear, Form, int]]] = []
    depths: dict[Node, int] = {}
    for node in sorted(forms, key=lambda one: one.sequence):
        form, constant = forms[node]
        depth = 1 + max((depths.get(child, -1) for child in form), default=-1)
        depths[node] = depth
        if depth == len(levels):
            levels.append([])
        levels[depth].append((node, form, constant))
    return levels


def _flatten(root: Linear) -> tuple[Form, int]:
    """The form of `root` with its exclusive linear operands folded in, and its constant."""
    form: Form = {}
    constant = root.constant
    stack = list(root.terms)
    while stack:
        coefficient, node = stack.pop()
        if isinstance(node, Linear) and node.row < 0 and node.uses <= 1:
            constant += coefficient * node.constant
            stack.extend((coefficient * factor, child) for factor, child in node.terms)
        else:
            form[node] = form.get(node, 0) + coefficient
    return form, constant
