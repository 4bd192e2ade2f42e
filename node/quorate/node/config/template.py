"""Writes a quorate.toml in which every key is explained, and those with a default are shown with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from quorate.node.errors import ConfigError
from quorate.node.files import write_private

from .loader import parse_config
from .model import FILE_NAME, SECTIONS, is_required, settings_of, shown_default

Values = Mapping[str, Mapping[str, object]]
"""TOML values by table and key."""

_OPENING = """\
# Configuration of a Quorate node. Lines that start with "# " and a key show its default.
# Relative paths start at the folder of this file. Amounts: "0.5 ether", "20 gwei", or an integer of wei.
"""


def render_config(values: Values) -> str:
    """The text of a commented quorate.toml with `values` set; required keys without a value stay comments."""
    import tomli_w

    lines = [_OPENING]
    for section, kind in SECTIONS.items():
        lines.append(f"[{section}]  # {(kind.__doc__ or '').strip()}")
        for key, setting in settings_of(section).items():
            given = values.get(section, {})
            lines.append(f"# {setting.meaning}" + (" Required." if is_required(section, key) else ""))
            line = tomli_w.dumps({key: given.get(key, shown_default(section, key))}).strip()
            lines.append(line if key in given else "\n".join("# " + part for part in line.splitlines()))
        lines.append("")
    return "\n".join(lines)


def write_config(home: Path, values: Values, *, overwrite: bool = False) -> Path:
    """Write `home`/quorate.toml with `values`; ConfigInvalid for bad values, ConfigError when it is there already.

    Required keys may be left out: they stay commented out, and loading the file asks for them.
    """
    path = home / FILE_NAME
    text = render_config(values)
    required = {(s, k) for s in SECTIONS for k in settings_of(s) if is_required(s, k)}
    if all(key in values.get(section, {}) for section, key in required):
        parse_config(text, path=path)
    try:
        write_private(path, text.encode(), overwrite=overwrite)
    except FileExistsError:
        raise ConfigError(
            f"{path} exists already",
            why="a configuration is never overwritten",
            todo="edit it, or choose another --home",
        ) from None
    return path
