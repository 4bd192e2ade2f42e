"""What a command works on: a file, or the project that a folder is in."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from quorate.node.errors import ConfigError
from quorate.node.jobs.packages import SOURCE_SUFFIX
from quorate.protocol.vm import Program

from .configuration import Project, find_project
from .execution import Committee
from .sources import BYTECODE_SUFFIX, load_program


@dataclasses.dataclass(frozen=True, slots=True)
class Selection:
    """The program to work on, and the project that it belongs to, if it belongs to one."""

    program: Path
    project: Project | None

    @property
    def root(self) -> Path:
        """The folder that paths are shown from."""
        return self.program.parent if self.project is None else self.project.root

    @property
    def folders(self) -> Sequence[Path]:
        """Where modules are looked for besides the folder of a file."""
        return () if self.project is None else (self.project.source.parent,)

    def sources(self) -> list[Path]:
        """The source files that are checked, tested and laid out."""
        return [self.program] if self.project is None else self.project.sources()

    def load(self, path: Path | None = None, *, level: int | None = None) -> Program:
        """The program, or the one at `path`, compiled by the project's level unless another is given."""
        given = self.project.level if level is None and self.project is not None else level
        return load_program(path or self.program, level=given, folders=self.folders)

    def committee(
        self,
        *,
        parties: int | None = None,
        threshold: int | None = None,
        protocol: str | None = None,
        field: str | None = None,
    ) -> Committee:
        """The committee of the project, with what is given instead."""
        usual = Committee() if self.project is None else _committee(self.project)
        return Committee(
            usual.parties if parties is None else parties,
            usual.threshold if threshold is None else threshold,
            protocol or usual.protocol,
            field or usual.field,
        )


def _committee(project: Project) -> Committee:
    return Committee(project.parties, project.threshold, project.protocol, project.field)


def select(path: Path | None) -> Selection:
    """The program file at `path` on its own, or the project that the folder `path`, or this one, is in.

    Raises ConfigError when there is no project and no file is named.
    """
    if path is not None and path.suffix in (SOURCE_SUFFIX, BYTECODE_SUFFIX):
        return Selection(path.absolute(), None)
    folder = path or Path()
    if not folder.exists():
        raise ConfigError(f"there is no {folder}", todo="name a program file or the folder of a project")
    project = find_project(folder)
    return Selection(project.source, project)
