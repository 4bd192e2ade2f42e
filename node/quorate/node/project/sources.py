"""Files to programs: source is read within bounds and compiled, bytecode is loaded and checked."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from quorate.node.errors import QuorateNodeError, UsageError
from quorate.node.jobs.packages import MAX_SOURCE_BYTES, SOURCE_SUFFIX
from quorate.protocol.errors import ProgramError
from quorate.protocol.lang import CompileErrors, compile_source
from quorate.protocol.vm import MAX_PROGRAM_BYTES, Program, load

BYTECODE_SUFFIX: Final = ".stflb"


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
            "file": errors.source.filename,
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


def compile_file(path: Path) -> Program:
    """The program of a source file; raises SourceInvalid, UsageError."""
    text = read_source(path)
    try:
        return compile_source(text, path.name)
    except CompileErrors as error:
        raise SourceInvalid(path, error) from None


def load_program(path: Path) -> Program:
    """The program at `path`, source or bytecode; raises SourceInvalid, UsageError."""
    if path.suffix == SOURCE_SUFFIX:
        return compile_file(path)
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
