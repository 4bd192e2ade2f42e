"""How the command line ends when something goes wrong: one message, an exit code, no traceback.

Exit codes: those of quorate.node.errors; 70 for a bug of ours, 130 for Ctrl-C. QUORATE_DEBUG=1 shows tracebacks.
"""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator
from typing import Final

from quorate.node.errors import DISK_FULL_ERRNOS, QuorateNodeError

EXIT_BUG: Final = 70
EXIT_INTERRUPTED: Final = 130
DEBUG_VARIABLE: Final = "QUORATE_DEBUG"
WRAP_COLUMNS: Final = 100


def main() -> None:
    """Run the command line and exit."""
    from .root import app

    try:
        app(prog_name="quorate")
    except (Exception, KeyboardInterrupt, BaseExceptionGroup) as error:
        sys.exit(report(error, as_json="--json" in sys.argv[1:]))


def report(error: BaseException, *, as_json: bool) -> int:
    """Print what `error` means to the user, and return the exit code."""
    if os.environ.get(DEBUG_VARIABLE) == "1":
        import traceback

        traceback.print_exception(error)
    leaves = list(_leaves(error))
    if all(isinstance(leaf, KeyboardInterrupt) for leaf in leaves):
        return EXIT_INTERRUPTED
    ours = _explain(leaves)
    code = EXIT_BUG if isinstance(ours, _Bug) else ours.exit_code
    if as_json:
        print(json.dumps({"error": {**ours.as_json(), "exit_code": code}}), flush=True)
    else:
        print(_text(ours), file=sys.stderr, flush=True)
    return code


class _Bug(QuorateNodeError):
    """An exception that no one here raises on purpose."""


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _explain(leaves: list[BaseException]) -> QuorateNodeError:
    """The most telling of several errors: one of ours, then one of another room, then the system's, then a bug."""
    known = [leaf for leaf in leaves if isinstance(leaf, QuorateNodeError)]
    if known:
        return known[0]
    for leaf in leaves:
        if type(leaf).__module__.startswith("quorate."):
            return QuorateNodeError(str(leaf) or type(leaf).__name__, todo=str(getattr(leaf, "todo", "")))
    for leaf in leaves:
        if isinstance(leaf, OSError) and leaf.strerror:
            return _system_error(leaf)
    leaf = leaves[0]
    return _Bug(
        f"a bug in quorate: {type(leaf).__name__}",
        why=str(leaf)[:500],
        todo=f"run the command again with {DEBUG_VARIABLE}=1 and report what it prints",
    )


def _system_error(error: OSError) -> QuorateNodeError:
    where = f" {error.filename}" if error.filename else ""
    todo = "free some space and try again" if error.errno in DISK_FULL_ERRNOS else "check the path and its mode"
    return QuorateNodeError(f"the system refused{where}", why=error.strerror or "", todo=todo)


def _text(error: QuorateNodeError) -> str:
    lines = [f"Error: {error.what}"]
    lines += [_indented("why", error.why)] if error.why else []
    lines += [_indented("do", error.todo)] if error.todo else []
    return "\n".join(lines)


def _indented(label: str, text: str) -> str:
    opening = f"  {label + ':':<5}"
    paragraphs = [
        textwrap.fill(
            line, WRAP_COLUMNS, initial_indent=" " * 7, subsequent_indent=" " * 7, break_long_words=False
        )
        for line in text.splitlines()
    ]
    return opening + "\n".join(paragraphs)[7:]
