"""The index: which versions of which coprocessors exist, and the content hash of each.

    config.toml                     schema and title of this index
    index/<aa>/<bb>/<name>          one JSON line a version, in the order of publication

`<name>` is the folded name, `<aa>` and `<bb>` its first and second two characters, padded with '_'. A line never
changes after publication, except for `yanked`: a yanked version no longer answers to a bare name, and still
answers to `name@version` and to its hash, so that what runs keeps running. A mirror can therefore be checked
without trusting the history of its repository: `check_update` compares what it says with what was known.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from quorate.protocol import bounded_json

from .errors import IndexConflict, InvalidIndex, InvalidName, InvalidPackage, ManifestError, UnknownPackage
from .hashing import MAX_FILES, MAX_PATH_CHARS, FileEntry, check_entries, content_hash
from .manifest import KINDS
from .names import MAX_NAME_CHARS, MAX_VERSION_CHARS, Reference, Version, check_name, fold
from .schema import Table
from .store import Store

SCHEMA: Final = 1
"""The version of the schema of config.toml and of the lines."""
CONFIG_PATH: Final = "config.toml"
"""Where the index describes itself."""
MAX_NAMES: Final = 10_000
"""The most names in one index."""
MAX_VERSIONS: Final = 500
"""The most versions of one name."""
MAX_LINE_BYTES: Final = 128 << 10
"""The largest line: room for MAX_FILES files with the longest paths."""
MAX_FILE_BYTES: Final = 4 << 20
"""The largest file of the index, in bytes."""
MAX_CONFIG_BYTES: Final = 4 << 10
"""The largest config.toml."""

_HEX_HASH = r"[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One published version: what its package is called and what it holds."""

    name: str
    version: Version
    kind: str
    content_hash: bytes
    files: tuple[FileEntry, ...]
    yanked: bool = False

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(entry.size for entry in self.files)

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


def index_path(name: str) -> str:
    """Where the index keeps `name`; raises InvalidName."""
    folded = fold(name)
    return f"index/{folded[:2].ljust(2, '_')}/{folded[2:4].ljust(2, '_')}/{folded}"


def config_text(title: str) -> str:
    """The config.toml of a new index called `title`."""
    return f"schema = {SCHEMA}\ntitle = {json.dumps(title)}\n"


def render_line(entry: Entry) -> str:
    """The canonical JSON line of `entry`, without the line break."""
    values = {
        "schema": SCHEMA,
        "name": entry.name,
        "version": str(entry.version),
        "kind": entry.kind,
        "hash": entry.content_hash.hex(),
        "size": entry.size,
        "files": [{"path": item.path, "sha256": item.sha256.hex(), "size": item.size} for item in entry.files],
        "yanked": entry.yanked,
    }
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True)


def render_entries(entries: tuple[Entry, ...]) -> bytes:
    """The file of the index that holds `entries`, all of one name."""
    return "".join(f"{render_line(entry)}\n" for entry in entries).encode("ascii")


def parse_entries(path: str, data: bytes) -> tuple[Entry, ...]:
    """The entries in the untrusted index file `data` at `path`; raises InvalidIndex."""
    if len(data) > MAX_FILE_BYTES:
        raise InvalidIndex(path, f"has {len(data)} bytes; the most is {MAX_FILE_BYTES}")
    lines = data.split(b"\n")
    if lines.pop() != b"" or not lines:
        raise InvalidIndex(path, "must hold lines, each with a line break at its end")
    if len(lines) > MAX_VERSIONS:
        raise InvalidIndex(path, f"has {len(lines)} versions; the most is {MAX_VERSIONS}")
    entries = tuple(_parse_line(path, number, line) for number, line in enumerate(lines, start=1))
    names = {entry.name for entry in entries}
    if len(names) != 1 or index_path(entries[0].name) != path:
        raise InvalidIndex(path, f"is not the place of {', '.join(sorted(names))}")
    if len({entry.version for entry in entries}) != len(entries):
        raise InvalidIndex(path, "holds one version twice")
    return entries


def add_entry(entries: tuple[Entry, ...], entry: Entry) -> tuple[Entry, ...]:
    """`entries` of one name with `entry` at the end; the same entry again changes nothing.

    Raises IndexConflict when the version exists with other contents, or when the name is spelt otherwise.
    """
    for known in entries:
        if known.name != entry.name:
            raise IndexConflict(entry.name, str(entry.version), f"the index spells this name {known.name!r}")
        if known.version == entry.version:
            if dataclasses.replace(entry, yanked=known.yanked) == known:
                return entries
            reason = f"is published with the hash {known.content_hash.hex()}, not {entry.content_hash.hex()}"
            raise IndexConflict(entry.name, str(entry.version), reason)
    if len(entries) >= MAX_VERSIONS:
        raise IndexConflict(entry.name, str(entry.version), f"the index holds {MAX_VERSIONS} versions, the most")
    return (*entries, entry)


def set_yanked(entries: tuple[Entry, ...], version: Version, *, yanked: bool) -> tuple[Entry, ...]:
    """`entries` with `version` yanked, or back; raises UnknownPackage when it is not among them."""
    if all(entry.version != version for entry in entries):
        raise UnknownPackage(str(version), "no such version is published")
    return tuple(
        dataclasses.replace(entry, yanked=yanked) if entry.version == version else entry for entry in entries
    )


class Index:
    """A checked view of one state of an index; immutable, and cheap to ask."""

    def __init__(self, tip: str, entries: Mapping[str, tuple[Entry, ...]]) -> None:
        """`entries` has the versions of each name under its folded form; raises InvalidIndex for a shared hash."""
        self.tip = tip
        self._entries = dict(sorted(entries.items()))
        self._by_hash: dict[bytes, Entry] = {}
        for entry in self:
            other = self._by_hash.setdefault(entry.content_hash, entry)
            if other is not entry:
                raise InvalidIndex(index_path(entry.name), f"{entry} has the content hash of {other}")

    @classmethod
    def load(cls, store: Store) -> Index:
        """Read and check the whole index; raises InvalidIndex for anything that breaks the schema or a bound."""
        _check_config(store.read(CONFIG_PATH))
        paths = [path for path in store.paths() if path.startswith("index/")]
        if len(paths) > MAX_NAMES:
            raise InvalidIndex("index", f"has {len(paths)} names; the most is {MAX_NAMES}")
        entries: dict[str, tuple[Entry, ...]] = {}
        for path in paths:
            parsed = parse_entries(path, store.read(path) or b"")
            entries[fold(parsed[0].name)] = parsed
        return cls(store.tip(), entries)

    def __iter__(self) -> Iterator[Entry]:
        for versions in self._entries.values():
            yield from versions

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> tuple[str, ...]:
        """Every name, as spelt by its author, sorted by its folded form."""
        return tuple(versions[0].name for versions in self._entries.values())

    def versions(self, name: str) -> tuple[Entry, ...]:
        """Every version of `name`, in the order of publication; none when the name is unknown."""
        return self._entries.get(fold(name), ())

    def resolve(self, reference: str | Reference) -> Entry:
        """The entry that `reference` means; raises InvalidName or UnknownPackage.

        `name@version` and a hash find yanked entries too (look at `yanked`); a bare name finds the greatest
        version that is neither yanked nor a pre-release, or the greatest pre-release when there is nothing else.
        """
        wanted = Reference.parse(reference) if isinstance(reference, str) else reference
        if wanted.content_hash is not None:
            found = self._by_hash.get(wanted.content_hash)
            if found is None:
                raise UnknownPackage(str(wanted), "no package in the index has this content hash")
            return found
        versions = self.versions(wanted.name or "")
        if not versions:
            raise UnknownPackage(str(wanted), "no package in the index has this name; is the index up to date?")
        return _latest(versions) if wanted.version is None else _exact(versions, wanted.version)


def check_update(known: Index, update: Index) -> None:
    """Raise IndexConflict when `update` lacks or changes an entry of `known`; only `yanked` may differ."""
    for entry in known:
        versions = {other.version: other for other in update.versions(entry.name)}
        other = versions.get(entry.version)
        if other is None:
            raise IndexConflict(entry.name, str(entry.version), "was published, and the update lacks it")
        if dataclasses.replace(other, yanked=entry.yanked) != entry:
            raise IndexConflict(entry.name, str(entry.version), "was published otherwise than the update says")


def _latest(versions: tuple[Entry, ...]) -> Entry:
    live = [entry for entry in versions if not entry.yanked]
    if not live:
        raise UnknownPackage(versions[0].name, "every version is yanked; name the version to use one anyway")
    return max(live, key=lambda entry: (not entry.version.prerelease, entry.version))


def _exact(versions: tuple[Entry, ...], version: Version) -> Entry:
    for entry in versions:
        if entry.version == version:
            return entry
    known = ", ".join(str(entry.version) for entry in versions[-5:])
    raise UnknownPackage(f"{versions[0].name}@{version}", f"no such version; the newest published are {known}")


def _check_config(data: bytes | None) -> None:
    if data is None:
        raise InvalidIndex(CONFIG_PATH, "is missing; is this a registry index at all?")
    if len(data) > MAX_CONFIG_BYTES:
        raise InvalidIndex(CONFIG_PATH, f"has {len(data)} bytes; the most is {MAX_CONFIG_BYTES}")
    try:
        table = Table(tomllib.loads(data.decode("utf-8")), source=CONFIG_PATH)
        schema = table.integer("schema", least=1, most=2**31)
        table.text("title", most=100)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, ManifestError) as error:
        raise InvalidIndex(CONFIG_PATH, str(error)) from None
    if schema != SCHEMA:
        raise InvalidIndex(CONFIG_PATH, f"has the schema {schema}; this software reads {SCHEMA}")


def _parse_line(path: str, number: int, line: bytes) -> Entry:
    """One checked entry; only the canonical form is taken, so that equal entries are equal bytes."""
    if len(line) > MAX_LINE_BYTES:
        raise InvalidIndex(path, f"line {number} has {len(line)} bytes; the most is {MAX_LINE_BYTES}")
    try:
        table = Table(bounded_json.loads(line), source=f"line {number}")
        entry = _entry(table)
    except (ManifestError, InvalidName, InvalidPackage) as error:
        raise InvalidIndex(path, f"line {number}: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InvalidIndex(path, f"line {number} is not JSON ({type(error).__name__})") from None
    if render_line(entry).encode("ascii") != line:
        raise InvalidIndex(path, f"line {number} is not in its canonical form")
    if content_hash(entry.files) != entry.content_hash:
        raise InvalidIndex(path, f"line {number}: the hash is not that of the files")
    return entry


def _entry(table: Table) -> Entry:
    if table.integer("schema", least=1, most=2**31) != SCHEMA:
        raise table.refuse("schema", f"must be {SCHEMA}")
    files = tuple(_file(item) for item in table.tables("files", most_items=MAX_FILES))
    table.integer("size", least=0, most=2**63)
    entry = Entry(
        name=check_name(table.text("name", most=MAX_NAME_CHARS)),
        version=Version.parse(table.text("version", most=MAX_VERSION_CHARS)),
        kind=table.choice("kind", KINDS),
        content_hash=bytes.fromhex(table.matching("hash", _HEX_HASH, meaning="a sha256 in hex")),
        files=check_entries(files),
        yanked=table.boolean("yanked"),
    )
    table.finish()
    return entry


def _file(table: Table) -> FileEntry:
    values: dict[str, Any] = {
        "path": table.text("path", most=MAX_PATH_CHARS),
        "sha256": bytes.fromhex(table.matching("sha256", _HEX_HASH, meaning="a sha256 in hex")),
        "size": table.integer("size", least=0, most=2**31),
    }
    table.finish()
    return FileEntry(**values)
