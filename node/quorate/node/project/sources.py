"""Files to programs: source is read within bounds and compiled, bytecode is loaded and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from quorate.node.errors import QuorateNodeError, UsageError
from quorate.node.jobs.packages import MAX_SOURCE_BYTES, SOURCE_SUFFIX
from quorate.protocol.errors import ProgramError
from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.lang.modules import MAX_MODULES
from quorate.protocol.vm import MAX_PROGRAM_BYTES, Program, load

BYTECODE_SUFFIX: Final = ".stflb"
MAX_LEVEL: Final = 3
"""The highest level of the optimiser."""
_IMPORT: Final = re.compile(r"^import\s+([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)", re.MULTILINE | re.ASCII)


class SourceInvalid(QuorateNodeError):
    """The program at `path` does not compile; `diagnostics` say what is wrong with it."""

    def __init__(self, path: Path, errors: CompileErrors) -> None:
        count = len(errors.diagnostics)
        super().__init__(
            f"{path} does not compile",
            why=f"{count} error{'' if count == 1 else 's'}\n{errors.render()}",
            todo="correct the program; each error above says how",
        )
        self.path = path
        self.errors = errors

    def as_json(self) -> dict[str, object]:
        """The error with the diagnostics as data."""
        return super().as_json() | {"diagnostics": diagnostics_json(self.errors)}


def diagnostics_json(errors: CompileErrors) -> list[dict[str, object]]:
    """Every diagnostic as an object."""
    return [
        {
            "code": one.code,
            "file": errors.source.file_at(one.span.start),
            "line": one.line,
            "column": one.column,
            "message": one.message,
            "why": one.explanation,
            "todo": one.suggestion,
        }
        for one in errors.diagnostics
    ]


def read_source(path: Path) -> str:
    """The text of a source file; raises UsageError when it cannot be read, is too long or not UTF-8."""
    data = _read(path, MAX_SOURCE_BYTES)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8", todo="save it as UTF-8") from None


def compile_file(path: Path, *, level: int | None = None, folders: Sequence[Path] = ()) -> Program:
    """The program of a source file; raises SourceInvalid, UsageError.

    What it imports is looked for in its own folder and then in `folders`. `level` is that of the
    optimiser, 0 to 3; None: the usual one.
    """
    text = read_source(path)
    try:
        return compile_text(text, path.name, modules=read_modules(text, (path.parent, *folders)), level=level)
    except CompileErrors as error:
        raise SourceInvalid(path, error) from None


def compile_text(
    text: str, name: str, *, modules: Mapping[str, str] | None = None, level: int | None = None
) -> Program:
    """The program of a text, by the compiler's usual level unless one is given; raises CompileErrors, UsageError."""
    if level is None:
        return compile_source(text, name, modules=modules)
    if not 0 <= level <= MAX_LEVEL:
        raise UsageError(f"there is no level {level}", why=f"levels are 0 to {MAX_LEVEL}")
    return compile_source(text, name, modules=modules, level=level)


def read_modules(text: str, folders: Sequence[Path]) -> dict[str, str]:
    """The texts of all modules that `text` imports, and that these import, as far as they are in `folders`."""
    modules: dict[str, str] = {}
    waiting = _IMPORT.findall(text)
    while waiting and len(modules) <= MAX_MODULES:
        name = waiting.pop()
        places = [folder.joinpath(*name.split(".")).with_suffix(SOURCE_SUFFIX) for folder in folders]
        place = next((place for place in places if place.is_file()), None)
        if name not in modules and place is not None:
            modules[name] = read_source(place)
            waiting += _IMPORT.findall(modules[name])
    return modules


def load_program(path: Path, *, level: int | None = None, folders: Sequence[Path] = ()) -> Program:
    """The program at `path`, source or bytecode; raises SourceInvalid, UsageError. The options are for source."""
    if path.suffix == SOURCE_SUFFIX:
        return compile_file(path, level=level, folders=folders)
    if path.suffix != BYTECODE_SUFFIX:
        raise UsageError(
            f"{path} is no program",
            why=f"programs end in {SOURCE_SUFFIX} (source) or {BYTECODE_SUFFIX} (bytecode)",
            todo="name such a file, or the folder of a project",
        )
    data = _read(path, MAX_PROGRAM_BYTES)
    try:
        return load(data)
    except ProgramError as error:
        raise UsageError(f"{path} cannot be loaded", why=str(error), todo="compile it again") from None


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or "", todo="check the path") from None
    if len(data) > most:
        raise UsageError(f"{path} is too long", why=f"the most is {most} bytes", todo="split it")
    return data
