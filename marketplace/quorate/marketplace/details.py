"""The details of a request: who gives inputs, who gets outputs, with which arguments the program runs.

They travel off the chain, beside the request, whose field `details` is the sha256 of their canonical encoding: the
requestor's signature and escrow cover them, and nobody can exchange a client or a key. Clients are numbered by
their place, from 0; a client is known by the Ed25519 key of its peer, and its outputs are sealed to its X25519
key.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Final

from quorate.contracts import Digest
from quorate.protocol.adversaries import COMPUTE_FIELDS, PROTOCOLS
from quorate.protocol.codec import Limit, encode

from .errors import InvalidDetails

VERSION: Final = 1
"""The version of this message."""
MIN_CLIENTS: Final = 1
"""The fewest clients; a program may ask for more."""
MAX_CLIENTS: Final = 64
"""The most clients."""
MAX_NAME_CHARS: Final = 32
"""The longest name of a client."""
MAX_INPUTS: Final = 4096
"""The most values that one client gives."""
MAX_ARGUMENTS: Final = 32
"""The most public arguments."""
MAX_PROGRAM_CHARS: Final = 128
"""The longest `name@version`."""
MIN_KAPPA: Final = 40
"""The least statistical security parameter, in bits."""
MAX_KAPPA: Final = 128
"""The greatest statistical security parameter, in bits."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9_-]*@[0-9][0-9A-Za-z.-]*")

Argument = Annotated[int, Limit(least=-(1 << 63), most=(1 << 63) - 1)]


@dataclass(frozen=True, slots=True)
class ClientEntry:
    """One client: its name, its raw Ed25519 and X25519 public keys, what it gives, whether it gets outputs."""

    name: Annotated[str, Limit(least=1, most=MAX_NAME_CHARS)]
    peer_key: Digest
    encryption_key: Digest
    receives: bool
    input_count: Annotated[int, Limit(most=MAX_INPUTS)]

    def __post_init__(self) -> None:
        if len(self.name) > MAX_NAME_CHARS or not _NAME.fullmatch(self.name):
            rule = f"is 1 to {MAX_NAME_CHARS} letters, digits and . _ - , and starts with a letter or a digit"
            raise InvalidDetails("clients", f"the name of a client {rule}")
        for key in (self.peer_key, self.encryption_key):
            if len(key) != 32 or key == bytes(32):
                raise InvalidDetails("clients", f"a key of {self.name} is not 32 bytes that are not all zero")
        if not 0 <= self.input_count <= MAX_INPUTS:
            raise InvalidDetails("clients", f"{self.name} gives 0 to {MAX_INPUTS} values, not {self.input_count}")


@dataclass(frozen=True, slots=True)
class Details:
    """What a request leaves out of the chain; see the module. Raises InvalidDetails when made wrongly.

    `program` is the name for people, as `name@version`; what runs is what `program_hash` names. `kappa` is the
    statistical security parameter in bits.
    """

    version: Annotated[int, Limit(most=255)]
    program: Annotated[str, Limit(most=MAX_PROGRAM_CHARS)]
    program_hash: Digest
    clients: Annotated[tuple[ClientEntry, ...], Limit(least=MIN_CLIENTS, most=MAX_CLIENTS)]
    arguments: Annotated[tuple[Argument, ...], Limit(most=MAX_ARGUMENTS)]
    protocol: Annotated[str, Limit(most=32)]
    field: Annotated[str, Limit(most=32)]
    kappa: Annotated[int, Limit(least=MIN_KAPPA, most=MAX_KAPPA)]

    def __post_init__(self) -> None:
        if self.version != VERSION:
            raise InvalidDetails("version", f"is {self.version}; this software knows {VERSION}")
        if len(self.program) > MAX_PROGRAM_CHARS or not _PROGRAM.fullmatch(self.program):
            raise InvalidDetails("program", "must be name@version, as in private-average@1.0.0")
        if len(self.program_hash) != 32:
            raise InvalidDetails("program_hash", "must be a sha256 of 32 bytes")
        if self.protocol not in PROTOCOLS:
            raise InvalidDetails("protocol", f"must be one of {', '.join(PROTOCOLS)}")
        if self.field not in COMPUTE_FIELDS:
            raise InvalidDetails("field", f"must be one of {', '.join(COMPUTE_FIELDS)}")
        if not MIN_KAPPA <= self.kappa <= MAX_KAPPA:
            raise InvalidDetails("kappa", f"must be {MIN_KAPPA} to {MAX_KAPPA} bits, not {self.kappa}")
        self._check_arguments()
        self._check_clients()

    def digest(self) -> bytes:
        """The sha256 of the canonical encoding, 32 bytes: the `details` of the request."""
        return hashlib.sha256(encode(self)).digest()

    def client_index(self, peer_key: bytes) -> int | None:
        """The number of the client whose raw Ed25519 key is `peer_key`, or None when there is none."""
        return next((index for index, entry in enumerate(self.clients) if entry.peer_key == peer_key), None)

    @property
    def receivers(self) -> tuple[int, ...]:
        """The numbers of the clients that get outputs."""
        return tuple(index for index, entry in enumerate(self.clients) if entry.receives)

    def _check_arguments(self) -> None:
        if len(self.arguments) > MAX_ARGUMENTS:
            raise InvalidDetails("arguments", f"are at most {MAX_ARGUMENTS}, not {len(self.arguments)}")
        if any(not -(1 << 63) <= argument < 1 << 63 for argument in self.arguments):
            raise InvalidDetails("arguments", "must fit in 64 bits with a sign")

    def _check_clients(self) -> None:
        if not MIN_CLIENTS <= len(self.clients) <= MAX_CLIENTS:
            raise InvalidDetails("clients", f"are {MIN_CLIENTS} to {MAX_CLIENTS}, not {len(self.clients)}")
        for what, keys in (
            ("name", [entry.name.lower() for entry in self.clients]),
            ("peer key", [entry.peer_key for entry in self.clients]),
        ):
            if len(set(keys)) != len(keys):
                raise InvalidDetails("clients", f"two of them have the same {what}")
