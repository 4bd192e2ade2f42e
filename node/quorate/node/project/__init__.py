"""Projects: a folder of StoffelLang with a Quorate.toml, and running what is in it."""

from __future__ import annotations

from .configuration import FILE_NAMES, Project, find_project, load_project
from .execution import Call, Committee, Execution, run_clear, run_committee
from .sources import SourceInvalid, compile_file, load_program

__all__ = [
    "FILE_NAMES",
    "Call",
    "Committee",
    "Execution",
    "Project",
    "SourceInvalid",
    "compile_file",
    "find_project",
    "load_program",
    "load_project",
    "run_clear",
    "run_committee",
]
