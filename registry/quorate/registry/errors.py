"""The exceptions of quorate.registry; the type says whose fault it is.

QuorateRegistryError
+-- ManifestError          coprocessor.toml or its vectors break the schema; `key` says where
+-- InvalidName            a name, version or reference is not well formed
+-- InvalidPackage         a list of files, or an archive, breaks a rule or a bound
+-- HashMismatch           bytes from a peer or from disk are not what their hash promises
+-- InvalidIndex           an index file breaks the schema or a bound
+-- IndexConflict          an update would change or remove what the index has already published
+-- InvalidInput           values given to a program are not what its manifest asks for
+-- UnknownPackage         nothing in the index answers to the reference
"""

from __future__ import annotations


class QuorateRegistryError(Exception):
    """The root of every error that this package raises on purpose."""


class ManifestError(QuorateRegistryError):
    """The file `source` breaks the schema at `key`; `reason` says how."""

    def __init__(self, key: str, reason: str, *, source: str = "coprocessor.toml") -> None:
        super().__init__(f"{source}: {key}: {reason}")
        self.key = key
        self.reason = reason
        self.source = source


class InvalidName(QuorateRegistryError):
    """The text `given` is not a well-formed name, version or reference."""

    def __init__(self, given: str, reason: str) -> None:
        super().__init__(f"{given[:80]!r} {reason}")
        self.given = given
        self.reason = reason


class InvalidPackage(QuorateRegistryError):
    """A list of files or an archive breaks a rule or a bound."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"this package is refused: {reason}")
        self.reason = reason


class HashMismatch(QuorateRegistryError):
    """The bytes of `what` hash to `actual`, not to `expected`: they were damaged or exchanged on the way."""

    def __init__(self, what: str, *, expected: bytes, actual: bytes) -> None:
        super().__init__(
            f"{what} has the sha256 {actual.hex()}, not {expected.hex()} as promised; "
            "discard it and fetch it again from another source"
        )
        self.what = what
        self.expected = expected
        self.actual = actual


class InvalidIndex(QuorateRegistryError):
    """The index file at `path` breaks the schema or a bound."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"registry index: {path}: {reason}")
        self.path = path
        self.reason = reason


class IndexConflict(QuorateRegistryError):
    """An update would change or remove `name` `version`, of which only `yanked` may change."""

    def __init__(self, name: str, version: str, reason: str) -> None:
        super().__init__(f"{name} {version}: {reason}; publish a new version instead")
        self.name = name
        self.version = version
        self.reason = reason


class UnknownPackage(QuorateRegistryError):
    """Nothing in the index answers to `reference`."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"{reference}: {reason}")
        self.reference = reference
        self.reason = reason


class InvalidInput(QuorateRegistryError):
    """A value for `name` is not what the manifest asks for; the message never quotes it, for it may be secret."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason
