"""Reads quorate.toml into a NodeConfig, or says everything that is wrong with it at once."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from quorate.node.errors import ConfigError

from .model import FILE_NAME, SECTIONS, NodeConfig, is_required, settings_of

MAX_CONFIG_BYTES: Final = 1 << 20
MAX_SHOWN_PROBLEMS: Final = 20
MAX_SHOWN_VALUE_CHARACTERS: Final = 120


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: the dotted `key`, its `value` as text (None when absent), and its line if known."""

    key: str
    value: str | None
    expected: str
    line: int | None

    def __str__(self) -> str:
        where = "" if self.line is None else f"line {self.line}: "
        found = "" if self.value is None else f" = {self.value}"
        return f"{where}{self.key}{found}: {self.expected}"


class ConfigInvalid(ConfigError):
    """The file at `path` has `problems`."""

    def __init__(self, path: Path, problems: tuple[Problem, ...]) -> None:
        shown = [str(problem) for problem in problems[:MAX_SHOWN_PROBLEMS]]
        if len(problems) > MAX_SHOWN_PROBLEMS:
            shown.append(f"and {len(problems) - MAX_SHOWN_PROBLEMS} more")
        super().__init__(f"{path} is not valid", why="; ".join(shown), todo="correct the file and try again")
        self.path = path
        self.problems = problems


def load_config(home: Path) -> NodeConfig:
    """The configuration in `home`/quorate.toml; raises ConfigError or ConfigInvalid."""
    home = home.expanduser().absolute()
    path = home / FILE_NAME
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONFIG_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise ConfigError(
            f"there is no {path}",
            why="the home was not initialised",
            todo=f"make one with: quorate node init --home '{home}'",
        ) from None
    except OSError as error:
        reason = error.strerror or "unknown"
        raise ConfigError(f"cannot read {path}", why=reason, todo="check the file's mode and owner") from error
    if len(data) > MAX_CONFIG_BYTES:
        raise ConfigError(f"{path} is longer than {MAX_CONFIG_BYTES} bytes", todo="shorten it")
    try:
        return parse_config(data.decode(), path=path)
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", todo="save it as UTF-8") from None


def parse_config(text: str, *, path: Path) -> NodeConfig:
    """The configuration in `text`, which stands (or would stand) at `path`; raises ConfigInvalid."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigInvalid(path, (_syntax_problem(error),)) from None
    problems: list[Problem] = []
    for name in document:
        if name not in SECTIONS:
            problems.append(_unknown_section(name, text))
    sections: dict[str, Any] = {}  # Any: seven unrelated section classes
    for name in SECTIONS:
        values = _read_section(name, document.get(name, {}), text=text, problems=problems)
        if not problems:
            sections[name] = _absolute(SECTIONS[name](**values), path.parent)
    if problems:
        raise ConfigInvalid(path, tuple(problems))
    return NodeConfig(home=path.parent, **sections)


def _read_section(name: str, table: object, *, text: str, problems: list[Problem]) -> dict[str, object]:
    if not isinstance(table, dict):
        problems.append(Problem(name, _show(table), "expected a table", _line_of(text, "", name)))
        return {}
    settings, values = settings_of(name), {}
    for key in table:
        if key not in settings:
            problems.append(_unknown_key(name, key, text))
    for key, setting in settings.items():
        if key not in table:
            if is_required(name, key):
                problems.append(
                    Problem(f"{name}.{key}", None, "is required and absent", _line_of(text, name, None))
                )
            continue
        try:
            values[key] = setting.read(table[key])
        except ValueError as error:
            shown = _show(table[key]) if setting.shown else "(hidden)"
            problems.append(Problem(f"{name}.{key}", shown, f"expected {error}", _line_of(text, name, key)))
    return values


def _absolute(section: Any, home: Path) -> Any:  # Any: whichever section class came in goes out
    changes = {
        entry.name: home / value
        for entry in dataclasses.fields(section)
        if isinstance(value := getattr(section, entry.name), Path)
    }
    return dataclasses.replace(section, **changes)


def _unknown_section(name: str, text: str) -> Problem:
    owners = [section for section in SECTIONS if name in settings_of(section)]
    hint = f"it belongs under [{owners[0]}]" if owners else _did_you_mean(name, list(SECTIONS))
    return Problem(
        name, None, f"unknown table or key; {hint}", _line_of(text, name, None) or _line_of(text, "", name)
    )


def _unknown_key(section: str, key: str, text: str) -> Problem:
    owners = [other for other in SECTIONS if key in settings_of(other)]
    hint = f"it belongs under [{owners[0]}]" if owners else _did_you_mean(key, list(settings_of(section)))
    return Problem(f"{section}.{key}", None, f"unknown key; {hint}", _line_of(text, section, key))


def _did_you_mean(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


def _show(value: object) -> str:
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_SHOWN_VALUE_CHARACTERS else text[:MAX_SHOWN_VALUE_CHARACTERS] + "..."


def _syntax_problem(error: tomllib.TOMLDecodeError) -> Problem:
    message = str(error)
    line = re.search(r"at line (\d+)", message)
    return Problem("the file", None, f"not TOML: {message}", int(line[1]) if line else None)


def _line_of(text: str, section: str, key: str | None) -> int | None:
    """The line that sets `key` (or opens the table, for None) in `section`; None unless there is exactly one."""
    found, current = [], ""
    for number, line in enumerate(text.splitlines(), start=1):
        header = re.match(r"\s*\[\s*([A-Za-z0-9_.\-]+)\s*\]", line)
        if header:
            current = header[1]
            if key is None and current == section:
                found.append(number)
            continue
        name = re.match(r"\s*([A-Za-z0-9_.\-]+)\s*=", line)
        dotted = f"{current}.{name[1]}".lstrip(".") if name else None
        if key is not None and dotted == f"{section}.{key}".lstrip("."):
            found.append(number)
    return found[0] if len(found) == 1 else None
