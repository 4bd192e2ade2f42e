"""What is built from a project, where it lies, and how it is removed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from quorate.node.errors import UsageError
from quorate.protocol.vm import Program, dump

from .configuration import Project


def write_bytecode(program: Program, path: Path) -> int:
    """Write the bytecode of `program` to `path`, at once or not at all; its size in bytes. Raises UsageError."""
    return write_file(path, dump(program))


def write_file(path: Path, data: bytes) -> int:
    """Write `data` to `path`, at once or not at all; its size in bytes. Raises UsageError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write {path}", why=error.strerror or "", todo="choose another place") from None
    return len(data)


def is_current(project: Project) -> bool:
    """Whether the bytecode of a project is there and no source is newer."""
    try:
        built = project.bytecode().stat().st_mtime_ns
        return all(path.stat().st_mtime_ns <= built for path in (project.file, *project.sources()))
    except OSError:
        return False


def built_files(project: Project) -> list[Path]:
    """The files in the target folder."""
    return sorted(path for path in project.target.rglob("*") if path.is_file())


def remove_built(project: Project) -> list[Path]:
    """Remove the target folder and return the files it held; raises UsageError when that might not be ours."""
    target, root = project.target, project.root
    if target.is_symlink() or root not in target.resolve().parents:
        raise UsageError(
            f"{target} is not removed", why="it is a link or leads out of the project", todo="remove it by hand"
        )
    if project.file in target.rglob("*") or target in project.source.parents:
        raise UsageError(
            f"{target} is not removed",
            why="the sources are in it",
            todo="give build.target_dir a folder of its own",
        )
    files = built_files(project)
    if target.is_dir():
        shutil.rmtree(target)
    return files
