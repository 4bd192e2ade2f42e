"""Where the registry touches the world: git, the disk, the shipped coprocessors."""

from .cache import ArchiveCache
from .errors import (
    ArchiveCorrupt,
    ArchiveUnavailable,
    GitFailed,
    GitTimeout,
    GitTooLarge,
    PublishFailed,
    SourceRefused,
)
from .mirror import IndexMirror
from .publish import Published, publish, publish_folder
from .registry import Fetch, Registry, open_registry
from .shipped import read_package, read_packages, shipped_folder, shipped_index, shipped_packages
from .source import Source, parse_source

__all__ = [
    "ArchiveCache",
    "ArchiveCorrupt",
    "ArchiveUnavailable",
    "Fetch",
    "GitFailed",
    "GitTimeout",
    "GitTooLarge",
    "IndexMirror",
    "PublishFailed",
    "Published",
    "Registry",
    "Source",
    "SourceRefused",
    "open_registry",
    "parse_source",
    "publish",
    "publish_folder",
    "read_package",
    "read_packages",
    "shipped_folder",
    "shipped_index",
    "shipped_packages",
]
