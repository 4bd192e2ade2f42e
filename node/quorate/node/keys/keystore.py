"""The chain key at rest as a keystore of version 3 (Web3 Secret Storage), which wallets can read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from quorate.node.errors import KeyFileMalformed, WrongPassphrase

from .identity import ChainKey
from .seal import Cost, check_cost
from .secret import Secret

_MARK = "quorate"  # an extra field, which other wallets ignore


def seal_chain_key(key: ChainKey, passphrase: Secret, *, cost: Cost) -> bytes:
    """The keystore JSON of `key`, with scrypt and, for tests, a mark that says so."""
    from eth_keyfile.keyfile import create_keyfile_json

    keystore = create_keyfile_json(
        key.secret.reveal(), passphrase.reveal(), version=3, kdf="scrypt", iterations=cost.n, salt_size=32
    )
    keystore[_MARK] = {"test_only": cost.test_only}
    return json.dumps(keystore, indent=2).encode() + b"\n"


def unseal_chain_key(data: bytes, passphrase: Secret, *, path: Path) -> ChainKey:
    """The key inside the keystore `data`, read from `path`; KeyFileMalformed or WrongPassphrase."""
    from eth_keyfile.keyfile import decode_keyfile_json

    keystore = _read_keystore(data, path)
    try:
        secret = Secret(decode_keyfile_json(keystore, passphrase.reveal()))
    except ValueError as error:
        if "MAC mismatch" in str(error):
            raise WrongPassphrase(path) from None
        raise KeyFileMalformed(path, "eth_keyfile cannot decode it") from None
    except (KeyError, TypeError, NotImplementedError):
        raise KeyFileMalformed(path, "a field is absent or has another type") from None
    try:
        key = ChainKey(secret)
    except ValueError:
        raise KeyFileMalformed(path, "what it holds is not a secp256k1 key") from None
    if key.account != keystore_account(data, path=path):
        raise KeyFileMalformed(path, "its address is not the address of the key inside")
    return key


def keystore_account(data: bytes, *, path: Path) -> bytes:
    """The 20-byte address that the keystore `data` claims; needs no passphrase."""
    address = _read_keystore(data, path).get("address")
    try:
        account = bytes.fromhex(str(address).removeprefix("0x"))
    except ValueError:
        account = b""
    if len(account) != 20:
        raise KeyFileMalformed(path, "it has no 20-byte address")
    return account


def _read_keystore(data: bytes, path: Path) -> dict[str, Any]:  # Any: JSON from disk, checked here and by callers
    try:
        keystore = json.loads(data)
    except ValueError:
        raise KeyFileMalformed(path, "it is not JSON") from None
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise KeyFileMalformed(path, "it is not a keystore of version 3")
    mark = keystore.get(_MARK)
    test_only = isinstance(mark, dict) and mark.get("test_only") is True
    crypto = keystore.get("crypto", keystore.get("Crypto"))
    parameters = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(crypto, dict) or not isinstance(parameters, dict):
        raise KeyFileMalformed(path, "it has no key derivation parameters")
    if crypto.get("kdf") != "scrypt" or (parameters.get("r"), parameters.get("p")) != (8, 1):
        raise KeyFileMalformed(path, "its key derivation is not scrypt with r = 8 and p = 1")
    check_cost(path, parameters.get("n"), test_only=test_only)
    return keystore
