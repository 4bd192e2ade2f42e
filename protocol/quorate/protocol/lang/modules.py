"""Putting a program together: the file itself, and the modules that it imports, each once.

An import names a module by its path in the folder of the program: `import math.rules` is `math/rules.stfl`. What is
imported is text that the caller gives; this package reads no files.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from . import syntax
from .diagnostics import Reporter
from .parser import parse
from .source import Span

MAX_MODULES: Final = 64
"""The most modules of one program."""


def load_modules(reporter: Reporter, texts: Mapping[str, str]) -> tuple[syntax.Module, dict[str, frozenset[str]]]:
    """The program as one tree, and the functions of each module by the names it is known by."""
    main = parse(reporter)
    available = {_module_name(path): (path, text) for path, text in texts.items()}
    found: list[syntax.Module] = [main]
    loaded: dict[str, syntax.Module] = {}
    names: dict[str, frozenset[str]] = {}
    waiting = list(main.imports)
    while waiting:
        one = waiting.pop(0)
        module = loaded.get(one.module)
        if module is None:
            if not _available(reporter, one, available, len(loaded)):
                continue
            path, text = available[one.module]
            filename = path if path.endswith(".stfl") else f"{path.replace('.', '/')}.stfl"
            module = loaded[one.module] = parse(reporter, reporter.source.add(text, filename))
            found.append(module)
            waiting.extend(module.imports)
        names[one.alias] = frozenset(function.name for function in module.functions)
    return _joined(found), names


def _module_name(path: str) -> str:
    return path.removesuffix(".stfl").replace("/", ".")


def _available(
    reporter: Reporter, one: syntax.Import, available: Mapping[str, tuple[str, str]], loaded: int
) -> bool:
    if one.module in available and loaded < MAX_MODULES:
        return True
    close = difflib.get_close_matches(one.module, available, n=1)
    fix = (
        f"did you mean `{close[0]}`?"
        if close
        else f"put it beside the program as {one.module.replace('.', '/')}.stfl"
    )
    message, why = f"there is no module `{one.module}`", "modules are looked for in the folder of the program"
    if one.module in available:
        message, why, fix = (
            f"more than {MAX_MODULES} modules",
            "a program has a named maximum of them",
            "merge some",
        )
    reporter.error("E0310", Span(one.span.start, one.span.end), message, why=why, fix=fix)
    return False


def _joined(modules: list[syntax.Module]) -> syntax.Module:
    return syntax.Module(
        tuple(one for module in modules for one in module.functions),
        tuple(one for module in modules for one in module.objects),
        tuple(one for module in modules for one in module.enumerations),
        tuple(one for module in modules for one in module.aliases),
        tuple(one for module in modules for one in module.imports),
    )
