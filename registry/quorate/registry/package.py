"""A package: the files of one version, proved against its content hash, with its manifest and vectors read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .archive import open_archive, pack_archive
from .errors import InvalidPackage
from .hashing import FileEntry, content_hash, file_entries
from .index import Entry
from .manifest import FILE_NAME, Manifest
from .vectors import Case, parse_vectors


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one coprocessor, whole: `files` has the bytes of every file by path."""

    manifest: Manifest
    content_hash: bytes
    entries: tuple[FileEntry, ...]
    files: Mapping[str, bytes]

    @classmethod
    def from_files(cls, files: Mapping[str, bytes]) -> Package:
        """The package of trusted or already verified `files`; raises InvalidPackage or ManifestError."""
        entries = file_entries(files)
        text = files.get(FILE_NAME)
        if text is None:
            raise InvalidPackage(f"it has no {FILE_NAME}")
        manifest = Manifest.parse(text)
        package = cls(manifest, content_hash(entries), entries, MappingProxyType(dict(files)))
        for path in (*manifest.program.sources, manifest.program.vectors):
            if path is not None and path not in files:
                raise InvalidPackage(f"its manifest names {path}, which is not there")
        package.cases()
        return package

    @classmethod
    def from_archive(cls, archive: bytes, expected_hash: bytes) -> Package:
        """The package in an untrusted `archive`; raises HashMismatch, InvalidPackage or ManifestError."""
        return cls.from_files(open_archive(archive, expected_hash))

    def archive(self) -> bytes:
        """The deterministic archive of this package."""
        return pack_archive(self.files)

    def entry(self) -> Entry:
        """What the index says about this package."""
        manifest = self.manifest
        return Entry(manifest.name, manifest.version, manifest.kind, self.content_hash, self.entries)

    def source(self) -> str:
        """The text of the main source file; raises InvalidPackage when it is not UTF-8."""
        return self.sources()[self.manifest.program.sources[0]]

    def sources(self) -> dict[str, str]:
        """Every source file as text, by path, in the manifest's order; raises InvalidPackage."""
        try:
            return {path: self.files[path].decode("utf-8") for path in self.manifest.program.sources}
        except UnicodeDecodeError:
            raise InvalidPackage(f"a source of {self.manifest.name} is not UTF-8 text") from None

    def cases(self) -> tuple[Case, ...]:
        """The test vectors; none when the manifest names no file of them. Raises ManifestError."""
        path = self.manifest.program.vectors
        return parse_vectors(self.files[path], self.manifest) if path is not None else ()


def check_entry(package: Package, entry: Entry) -> None:
    """Raise InvalidPackage when the index says something else about `package` than its own manifest."""
    said = (entry.name, entry.version, entry.kind)
    own = (package.manifest.name, package.manifest.version, package.manifest.kind)
    if said != own:
        raise InvalidPackage(f"the index calls it {entry}, its manifest {own[0]}@{own[1]} of kind {own[2]}")
