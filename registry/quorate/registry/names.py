"""Names, versions and references: how a coprocessor is called.

A name is letters and digits with single hyphens or underscores between them. Two names that differ only in case
or in hyphen against underscore are the same name (`fold`), so that nobody can register a look-alike of that kind.
Versions follow Semantic Versioning 2.0.0 without build metadata, so that one version has one spelling.
A reference is `name`, `name@version`, or the 64 hex digits of a content hash.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from .errors import InvalidName

MAX_NAME_CHARS: Final = 64
"""The longest name."""
MIN_NAME_CHARS: Final = 2
"""The shortest name."""
MAX_VERSION_CHARS: Final = 48
"""The longest version, with its pre-release part."""
HASH_BYTES: Final = 32
"""The size of a content hash, a sha256."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)*")
_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_PART = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(rf"({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_PART}(?:\.{_PART})*))?")
_HASH = re.compile(r"[0-9a-f]{64}")


def check_name(name: str) -> str:
    """Return `name` itself, or raise InvalidName that says which rule it breaks."""
    if not MIN_NAME_CHARS <= len(name) <= MAX_NAME_CHARS:
        raise InvalidName(name, f"is not a name: a name has {MIN_NAME_CHARS} to {MAX_NAME_CHARS} characters")
    if not _NAME.fullmatch(name):
        raise InvalidName(name, "is not a name: use letters and digits, with single hyphens between them")
    return name


def fold(name: str) -> str:
    """The form under which names are compared and stored: lower case, with hyphens for underscores."""
    return check_name(name).lower().replace("_", "-")


@functools.total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version; the order is the precedence of Semantic Versioning 2.0.0, section 11."""

    major: int
    minor: int
    patch: int
    prerelease: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Version:
        """The version that `text` spells; raises InvalidName."""
        match = _VERSION.fullmatch(text) if len(text) <= MAX_VERSION_CHARS else None
        if match is None:
            raise InvalidName(text, "is not a version: write major.minor.patch, as in 1.0.0 or 2.1.0-rc.1")
        prerelease = match[4].split(".") if match[4] else []
        return cls(int(match[1]), int(match[2]), int(match[3]), tuple(prerelease))

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        return f"{text}-{'.'.join(self.prerelease)}" if self.prerelease else text

    def __lt__(self, other: Version) -> bool:
        return self._precedence() < other._precedence()

    def _precedence(self) -> tuple[tuple[int, int, int], bool, list[tuple[bool, int, str]]]:
        """Numbers sort below words, a longer pre-release above its prefix, a release above its pre-releases."""
        parts = [(False, int(part), "") if part.isdecimal() else (True, 0, part) for part in self.prerelease]
        return (self.major, self.minor, self.patch), not self.prerelease, parts


@dataclass(frozen=True, slots=True)
class Reference:
    """What a user asks for: a content hash, or a name with or without a version."""

    name: str | None = None
    version: Version | None = None
    content_hash: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Reference:
        """The reference that `text` spells: `name`, `name@version` or 64 hex digits; raises InvalidName."""
        if _HASH.fullmatch(text):
            return cls(content_hash=bytes.fromhex(text))
        name, separator, version = text.partition("@")
        return cls(name=check_name(name), version=Version.parse(version) if separator else None)

    def __str__(self) -> str:
        if self.content_hash is not None:
            return self.content_hash.hex()
        return f"{self.name}@{self.version}" if self.version is not None else str(self.name)
