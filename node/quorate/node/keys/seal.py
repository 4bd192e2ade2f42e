"""Secrets at rest: scrypt (RFC 7914) from a passphrase, then ChaCha20-Poly1305 (RFC 8439), in a JSON file.

The whole header (kind, public values, KDF and its cost, nonce) is associated data, so that nothing in the file can
be changed unnoticed. The cost is bounded when a file is read, so that a file cannot make us allocate gigabytes,
nor pass with a lower cost than a real key deserves unless it is marked `test_only`.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from quorate.node.errors import KeyFileMalformed, WrongPassphrase

from .secret import Secret

FORMAT: Final = "quorate-sealed-key"
VERSION: Final = 1
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
SALT_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAX_SEALED_BYTES: Final = 4096
MAX_SCRYPT_N: Final = 1 << 20
"""The highest cost that is accepted when a file is read: one GiB of memory."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What it costs to try one passphrase: scrypt's `n` (1024 * n bytes of memory); `test_only` marks the file."""

    n: int
    test_only: bool


STANDARD_COST: Final = Cost(n=1 << 18, test_only=False)
"""256 MiB and about 0.7 s a try."""
TEST_COST: Final = Cost(n=1 << 12, test_only=True)
"""4 MiB and about 10 ms a try; files made with it say that they are for tests only."""


def check_cost(path: Path, n: object, *, test_only: bool) -> int:
    """`n` when it is an acceptable scrypt cost for the file at `path`; KeyFileMalformed otherwise."""
    least = TEST_COST.n if test_only else STANDARD_COST.n >> 1
    if type(n) is not int or not least <= n <= MAX_SCRYPT_N or n & (n - 1):
        raise KeyFileMalformed(path, f"its scrypt cost is not a power of two from {least} to {MAX_SCRYPT_N}")
    return n


def seal_secret(secret: Secret, passphrase: Secret, *, kind: str, public: Mapping[str, str], cost: Cost) -> bytes:
    """The JSON text that holds `secret` encrypted; `kind` and `public` stay readable and are authenticated."""
    salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
    header: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "kind": kind,
        "public": dict(public),
        "test_only": cost.test_only,
        "kdf": {"name": "scrypt", "n": cost.n, "r": SCRYPT_R, "p": SCRYPT_P, "salt": salt.hex()},
        "cipher": {"name": "chacha20-poly1305", "nonce": nonce.hex()},
    }
    cipher = ChaCha20Poly1305(_derive(passphrase, salt, cost.n))
    ciphertext = cipher.encrypt(nonce, secret.reveal(), _canonical(header))
    return json.dumps({**header, "ciphertext": ciphertext.hex()}, indent=2).encode() + b"\n"


def unseal_secret(data: bytes, passphrase: Secret, *, kind: str, path: Path) -> Secret:
    """The secret inside `data`, read from `path`; KeyFileMalformed or WrongPassphrase when it cannot be had."""
    header = read_header(data, kind=kind, path=path)
    try:
        ciphertext = bytes.fromhex(header.pop("ciphertext"))
        salt, nonce = bytes.fromhex(header["kdf"]["salt"]), bytes.fromhex(header["cipher"]["nonce"])
        parameters = (header["kdf"]["name"], header["kdf"]["r"], header["kdf"]["p"], header["cipher"]["name"])
        cost = header["kdf"]["n"]
    except (KeyError, TypeError, ValueError):
        raise KeyFileMalformed(path, "a field is absent or is not hex") from None
    if parameters != ("scrypt", SCRYPT_R, SCRYPT_P, "chacha20-poly1305"):
        raise KeyFileMalformed(path, "it names another key derivation or another cipher")
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES or len(ciphertext) > MAX_SEALED_BYTES:
        raise KeyFileMalformed(path, "a field has the wrong length")
    n = check_cost(path, cost, test_only=header["test_only"] is True)
    try:
        plaintext = ChaCha20Poly1305(_derive(passphrase, salt, n)).decrypt(nonce, ciphertext, _canonical(header))
    except InvalidTag:
        raise WrongPassphrase(path) from None
    return Secret(plaintext)


def read_header(
    data: bytes, *, kind: str, path: Path
) -> dict[str, Any]:  # Any: JSON from disk, checked by callers
    """The JSON object in `data` when it is a sealed key of `kind`; its `public` values need no passphrase."""
    try:
        header = json.loads(data)
    except ValueError:
        raise KeyFileMalformed(path, "it is not JSON") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise KeyFileMalformed(path, f"its format is not {FORMAT!r}")
    if header.get("version") != VERSION:
        raise KeyFileMalformed(path, f"its version is not {VERSION}")
    if header.get("kind") != kind:
        raise KeyFileMalformed(path, f"its kind is not {kind!r}")
    if not isinstance(header.get("public"), dict) or not isinstance(header.get("test_only"), bool):
        raise KeyFileMalformed(path, "a field is absent")
    return header


def _derive(passphrase: Secret, salt: bytes, n: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=n, r=SCRYPT_R, p=SCRYPT_P).derive(passphrase.reveal())


def _canonical(header: Mapping[str, object]) -> bytes:
    return json.dumps(header, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
