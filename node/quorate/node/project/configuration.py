"""Quorate.toml: what a project is called, where its sources are, and the committee that its programs are for.

    [package]   name, version, authors
    [build]     source, target_dir, optimization_level
    [mpc]       protocol, field, parties, threshold
    [programs]  name = "version", programs of the registry that the project uses

A Stoffel.toml is read too: `backend` is the protocol there (its backends withstand malicious parties and deliver, so
they mean robust), `curve` the field; what only Stoffel's compiler knows is passed over.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from quorate.node.config import ConfigInvalid, Problem
from quorate.node.errors import ConfigError
from quorate.protocol.adversaries import COMPUTE_FIELDS, PROTOCOLS, least_parties

from .sources import MAX_LEVEL

FILE_NAMES: Final = ("Quorate.toml", "Stoffel.toml")
"""The names of a project file, the first one that is there counts."""
MAX_FILE_BYTES: Final = 1 << 16
MAX_PARTIES: Final = 64
MAX_AUTHORS: Final = 64
MAX_PROGRAMS: Final = 64
MAX_TEXT_CHARACTERS: Final = 256

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_VERSION: Final = re.compile(r"[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(-[0-9A-Za-z.-]{1,32})?")
_FOREIGN_PROTOCOLS: Final = {"honeybadger": "robust", "avss": "robust"}
_PASSED_OVER: Final = {
    "mpc": ("instance_id", "client_output_counts"),
    "build": ("inline_budget", "unroll_budget", "unroll_max_expansion"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Project:
    """A project: `root` is the folder of its file, `source` and `target` lie in it."""

    file: Path
    name: str = "program"
    version: str = "0.1.0"
    authors: tuple[str, ...] = ()
    source: Path = Path("src/main.stfl")
    target: Path = Path("target")
    level: int | None = None
    protocol: str = "passive"
    field: str = "bn254"
    parties: int = 5
    threshold: int = 1
    programs: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder of the project."""
        return self.file.parent

    @property
    def tests(self) -> Path:
        """The folder of its tests."""
        return self.root / "tests"

    def bytecode(self, *, release: bool = False) -> Path:
        """Where `quorate build` puts the program."""
        return self.target / ("release" if release else "debug") / f"{self.name}.stflb"

    def sources(self) -> list[Path]:
        """Its source files and its tests, in order; the program itself also when it is not there."""
        folders = {self.source.parent, self.tests}
        found = {path for folder in folders if folder.is_dir() for path in folder.rglob("*.stfl")}
        return sorted(path for path in found | {self.source} if self.target not in path.parents)


def find_project(start: Path) -> Project:
    """The project that `start`, a file or a folder, is in; raises ConfigError when there is none."""
    folder = start.absolute() if start.is_dir() else start.absolute().parent
    for candidate in (folder, *folder.parents):
        for name in FILE_NAMES:
            if (candidate / name).is_file():
                return load_project(candidate / name)
    raise ConfigError(
        f"there is no {FILE_NAMES[0]} in {folder} or above it",
        why="the command is about a project",
        todo="make one with: quorate init, or name a file.stfl",
    )


def load_project(path: Path) -> Project:
    """The project whose file is `path`; raises ConfigError, or ConfigInvalid with everything that is wrong."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        text = data.decode()
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", todo="save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}", why=error.strerror or "", todo="check the path") from None
    if len(data) > MAX_FILE_BYTES:
        raise ConfigError(f"{path} is longer than {MAX_FILE_BYTES} bytes", todo="shorten it")
    return parse_project(text, path.absolute())


def parse_project(text: str, path: Path) -> Project:
    """The project whose file at `path` holds `text`; raises ConfigInvalid."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(path, (Problem("syntax", None, str(error), None),)) from None
    reader = _Reader(text)
    values = reader.read(document)
    for key in ("source", "target"):
        if key in values:
            values[key] = Path(values[key])
    project = Project(path, **values)
    least = least_parties(project.protocol, project.threshold)
    if project.parties < least and not reader.problems:
        reader.complain(
            "mpc", "parties", project.parties, f"expected {least} or more for this protocol and threshold"
        )
    if reader.problems:
        raise ConfigInvalid(path, tuple(reader.problems))
    return dataclasses.replace(project, source=path.parent / project.source, target=path.parent / project.target)


def _text(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARACTERS or not value.isprintable():
        raise ValueError(f"a line of text of at most {MAX_TEXT_CHARACTERS} characters")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("a name of letters, digits, - and _ that begins with a letter")
    return value


def _version(value: object) -> str:
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise ValueError('a version as "1.2.3"')
    return value


def _authors(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_AUTHORS:
        raise ValueError(f"a list of at most {MAX_AUTHORS} names")
    return tuple(_text(entry) for entry in value)


def _inside(value: object) -> str:
    path = PurePosixPath(_text(value))
    if path.is_absolute() or ".." in path.parts or not path.parts or "\\" in str(value):
        raise ValueError("a path inside of the project, with /")
    return str(path)


def _protocol(value: object) -> str:
    known = _FOREIGN_PROTOCOLS.get(value, value) if isinstance(value, str) else None
    if known not in PROTOCOLS:
        raise ValueError(f"one of {', '.join(PROTOCOLS)}")
    return str(known)


def _field(value: object) -> str:
    known = value.replace("_", "-") if isinstance(value, str) else None
    if known not in COMPUTE_FIELDS:
        raise ValueError(f"one of {', '.join(COMPUTE_FIELDS)}")
    return str(known)


def _integer(least: int, most: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"an integer from {least} to {most}")
        return value

    return read


_Setting = tuple[str, Callable[[object], object]]
_SETTINGS: Final[dict[str, dict[str, _Setting]]] = {
    "package": {"name": ("name", _name), "version": ("version", _version), "authors": ("authors", _authors)},
    "build": {
        "source": ("source", _inside),
        "target_dir": ("target", _inside),
        "output_dir": ("target", _inside),
        "optimization_level": ("level", _integer(0, MAX_LEVEL)),
    },
    "mpc": {
        "protocol": ("protocol", _protocol),
        "backend": ("protocol", _protocol),
        "field": ("field", _field),
        "curve": ("field", _field),
        "parties": ("parties", _integer(3, MAX_PARTIES)),
        "threshold": ("threshold", _integer(1, MAX_PARTIES)),
    },
}
"""By section and key: the field of Project, and how the value is read."""


class _Reader:
    """Reads a document into the fields of a Project and collects what is wrong."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.problems: list[Problem] = []

    def read(self, document: Mapping[str, object]) -> dict[str, Any]:  # Any: the fields of Project
        values: dict[str, Any] = {}
        for section, table in document.items():
            if section != "programs" and section not in _SETTINGS:
                known = [*_SETTINGS, "programs"]
                self.complain(section, "", None, f"no such section{_hint(section, known)}")
            elif not isinstance(table, dict):
                self.complain(section, "", table, "expected a table")
            elif section == "programs":
                values["programs"] = self._programs(table)
            else:
                self._section(section, table, values)
        return values

    def _section(self, section: str, table: Mapping[str, object], values: dict[str, Any]) -> None:
        settings = _SETTINGS[section]
        for key, value in table.items():
            if key in _PASSED_OVER.get(section, ()):
                continue
            if key not in settings:
                self.complain(section, key, None, f"no such key{_hint(key, list(settings))}")
                continue
            field, read = settings[key]
            try:
                values[field] = read(value)
            except ValueError as error:
                self.complain(section, key, value, f"expected {error}")

    def _programs(self, table: Mapping[str, object]) -> dict[str, str]:
        programs: dict[str, str] = {}
        if len(table) > MAX_PROGRAMS:
            self.complain("programs", "", None, f"{len(table)} programs; the most is {MAX_PROGRAMS}")
            return programs
        for name, version in table.items():
            try:
                programs[_name(name)] = _version(version)
            except ValueError as error:
                self.complain("programs", name, version, f"expected {error}")
        return programs

    def complain(self, section: str, key: str, value: object, expected: str) -> None:
        """Note a problem, with the line that it is on where that can be found."""
        dotted = f"{section}.{key}" if key else section
        pattern = rf"\s*{re.escape(key)}\s*=" if key else rf"\s*\[?{re.escape(section)}\b"
        numbered = enumerate(self._text.splitlines(), start=1)
        line = next((number for number, text in numbered if re.match(pattern, text)), None)
        shown = None if value is None else repr(value)[:MAX_TEXT_CHARACTERS]
        self.problems.append(Problem(dotted, shown, expected, line))


def _hint(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
