"""Where an index comes from: a folder that `publish` made, a git repository in a folder, or a URL."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from .errors import SourceRefused

PROGRAMS_FOLDER: Final = "programs"
"""The registry of a node, inside its home."""
INDEX_FOLDER: Final = "index.git"
"""The bare index repository inside a published registry, and inside a node's own programs."""
ARCHIVES_FOLDER: Final = "archives"
"""The archives inside a published registry, and inside a node's own programs."""


@dataclass(frozen=True, slots=True)
class Source:
    """What git fetches from, and the folder with archives beside it when there is one."""

    location: str
    archives: Path | None = None


def parse_source(text: str, *, base: Path) -> Source:
    """The source that `text` means: a folder relative to `base`, or an https or file URL; or SourceRefused."""
    if "://" in text:
        return _parse_url(text)
    if not text or text.startswith("-") or "\0" in text:
        raise SourceRefused(text, "it is neither a folder nor a URL")
    return _folder_source(text, (base / text).resolve())


def _folder_source(text: str, folder: Path) -> Source:
    if not folder.is_dir():
        raise SourceRefused(text, f"there is no folder {folder}")
    index, archives = folder / INDEX_FOLDER, folder / ARCHIVES_FOLDER
    if not index.is_dir():
        index = folder
    owner = index.stat().st_uid
    if owner != os.geteuid():  # git refuses it too, since a repository's own settings can name programs to run
        todo = f"run: chown -R {os.geteuid()} '{folder}', or copy the folder, or serve it over https"
        raise SourceRefused(text, f"{index} belongs to user {owner}, not to us", todo=todo)
    return Source(index.as_uri(), archives if index is not folder and archives.is_dir() else None)


def _parse_url(text: str) -> Source:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise SourceRefused("a URL", "it is malformed") from None
    if parts.username is not None or parts.password is not None:
        raise SourceRefused(f"{parts.scheme}://...", "it holds a user name or password, which would reach logs")
    if parts.scheme not in ("https", "file"):
        raise SourceRefused(text, f"{parts.scheme} is not a transport that we take")
    if parts.scheme == "file":
        return _folder_source(text, Path(unquote(parts.path)))
    return Source(text)
