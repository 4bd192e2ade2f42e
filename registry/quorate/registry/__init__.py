"""The coprocessor registry as pure code over a store port: index, manifests, content hashes."""

from .archive import open_archive, pack_archive
from .errors import (
    HashMismatch,
    IndexConflict,
    InvalidIndex,
    InvalidInput,
    InvalidName,
    InvalidPackage,
    ManifestError,
    QuorateRegistryError,
    UnknownPackage,
)
from .hashing import FileEntry, content_hash, file_entries
from .index import Entry, Index, add_entry, check_update, set_yanked
from .manifest import Manifest
from .names import Reference, Version
from .package import Package, check_entry
from .serving import Download, serve_archive
from .store import Archives, Snapshot, Store
from .vectors import Case

__all__ = [
    "Archives",
    "Case",
    "Download",
    "Entry",
    "FileEntry",
    "HashMismatch",
    "Index",
    "IndexConflict",
    "InvalidIndex",
    "InvalidInput",
    "InvalidName",
    "InvalidPackage",
    "Manifest",
    "ManifestError",
    "Package",
    "QuorateRegistryError",
    "Reference",
    "Snapshot",
    "Store",
    "UnknownPackage",
    "Version",
    "add_entry",
    "check_entry",
    "check_update",
    "content_hash",
    "file_entries",
    "open_archive",
    "pack_archive",
    "serve_archive",
    "set_yanked",
]
