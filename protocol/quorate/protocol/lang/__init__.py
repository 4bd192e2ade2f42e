"""StoffelLang: source text to bytecode, with secrecy checked by the types."""

from __future__ import annotations

from .compiler import compile_source
from .diagnostics import CODES, CompileErrors, Diagnostic

__all__ = ["CODES", "CompileErrors", "Diagnostic", "compile_source"]
