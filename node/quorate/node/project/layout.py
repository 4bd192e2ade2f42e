"""Laying out source files."""

from __future__ import annotations

from pathlib import Path

from quorate.node.errors import UsageError
from quorate.node.jobs.packages import SOURCE_SUFFIX
from quorate.protocol.lang import CompileErrors
from quorate.protocol.lang.formatter import format_source

from .sources import SourceInvalid, read_source


def laid_out(path: Path) -> str | None:
    """The layout of the file at `path`, or None when it has it; raises SourceInvalid, UsageError."""
    if path.suffix != SOURCE_SUFFIX:
        raise UsageError(f"{path} is no source file", todo=f"name a file that ends in {SOURCE_SUFFIX}")
    text = read_source(path)
    try:
        formatted = format_source(text, path.name)
    except CompileErrors as error:
        raise SourceInvalid(path, error) from None
    return None if formatted == text else formatted
