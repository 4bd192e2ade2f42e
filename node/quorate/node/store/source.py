"""Where an index comes from: a folder that `publish` made, a git repository in a folder, or a URL."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

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
        return Source(_check_url(text))
    if not text or text.startswith("-") or "\0" in text:
        raise SourceRefused(text, "it is neither a folder nor a URL")
    folder = (base / text).resolve()
    if not folder.is_dir():
        raise SourceRefused(text, f"there is no folder {folder}")
    index = folder / INDEX_FOLDER
    if index.is_dir():
        archives = folder / ARCHIVES_FOLDER
        return Source(index.as_uri(), archives if archives.is_dir() else None)
    return Source(folder.as_uri())


def _check_url(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise SourceRefused("a URL", "it is malformed") from None
    if parts.username is not None or parts.password is not None:
        raise SourceRefused(f"{parts.scheme}://...", "it holds a user name or password, which would reach logs")
    if parts.scheme not in ("https", "file"):
        raise SourceRefused(text, f"{parts.scheme} is not a transport that we take")
    return text
