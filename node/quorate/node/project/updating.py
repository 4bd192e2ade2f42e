"""Newer versions of the programs that a project names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from quorate.node.errors import ConfigError, UsageError
from quorate.node.store import Registry
from quorate.registry import QuorateRegistryError

from .artefacts import write_file
from .configuration import Project, parse_project


def newest_versions(project: Project, registry: Registry) -> dict[str, str]:
    """The newest version of every program of `project` that is not yanked; raises UsageError for an unknown one."""
    versions: dict[str, str] = {}
    for name in project.programs:
        try:
            versions[name] = str(registry.resolve(name).version)
        except QuorateRegistryError as error:
            raise UsageError(
                f"there is no program {name}", why=str(error), todo="see what there is with: quorate registry list"
            ) from None
    return versions


def write_versions(project: Project, versions: Mapping[str, str]) -> None:
    """Write `versions` into the project file, and leave every other character of it as it is."""
    text = project.file.read_text(encoding="utf-8")
    heading = re.search(r"^[ \t]*\[programs\][ \t]*(#.*)?$", text, re.MULTILINE)
    if heading is None:
        raise ConfigError(
            f"{project.file} has no line [programs]",
            why="the programs are written otherwise",
            todo="change it by hand",
        )
    following = re.search(r"^[ \t]*\[", text[heading.end() :], re.MULTILINE)
    stop = len(text) if following is None else heading.end() + following.start()
    section = text[heading.end() : stop]
    for name, version in versions.items():
        pattern = rf"(^[ \t]*\"?{re.escape(name)}\"?[ \t]*=[ \t]*)(\"[^\"\n]*\"|'[^'\n]*')"
        section = re.sub(pattern, rf'\g<1>"{version}"', section, flags=re.MULTILINE)
    changed = text[: heading.end()] + section + text[stop:]
    wanted = {**project.programs, **versions}
    if dict(parse_project(changed, project.file).programs) != wanted:
        raise ConfigError(f"{project.file} cannot be changed safely", todo="change the versions by hand")
    write_file(project.file, changed.encode())
