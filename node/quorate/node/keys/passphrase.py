"""Where a passphrase comes from: the configured file, QUORATE_PASSPHRASE, a systemd credential, the terminal."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from quorate.node.errors import KeyFileError, PassphraseMissing
from quorate.node.files import read_private, write_private

from .secret import Secret

ENVIRONMENT_VARIABLE: Final = "QUORATE_PASSPHRASE"
CREDENTIAL_NAME: Final = "passphrase"
MAX_PASSPHRASE_BYTES: Final = 1024
MIN_NEW_PASSPHRASE_CHARACTERS: Final = 8
MAX_PROMPTS: Final = 3


def find_passphrase(key_file: Path, *, passphrase_file: Path | None) -> Secret:
    """The passphrase for `key_file`; PassphraseMissing when there is none and nobody to ask."""
    given = _given(passphrase_file)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseMissing(key_file)
    return Secret(getpass.getpass(f"Passphrase for {key_file}: ").encode())


def choose_passphrase(key_file: Path, *, passphrase_file: Path | None) -> Secret:
    """A passphrase for a new `key_file`, asked for twice when it comes from the terminal."""
    given = _given(passphrase_file)
    if given is not None:
        return given
    if not sys.stdin.isatty():
        raise PassphraseMissing(key_file)
    for _ in range(MAX_PROMPTS):
        first = getpass.getpass(f"New passphrase for {key_file}: ")
        if len(first) < MIN_NEW_PASSPHRASE_CHARACTERS:
            print(f"At least {MIN_NEW_PASSPHRASE_CHARACTERS} characters, please.", file=sys.stderr)
        elif first != getpass.getpass("The same again: "):
            print("The two differ.", file=sys.stderr)
        else:
            return Secret(first.encode())
    raise KeyFileError(key_file, f"no passphrase was chosen for {key_file}", todo="run the command again")


def write_random_passphrase(path: Path) -> Secret:
    """Write a random passphrase to a new 0600 file at `path` and return it: for test networks only."""
    passphrase = Secret(secrets.token_urlsafe(32).encode())
    write_private(path, passphrase.reveal() + b"\n")
    return passphrase


def _given(passphrase_file: Path | None) -> Secret | None:
    if passphrase_file is not None:
        return _from_file(passphrase_file)
    value = os.environ.get(ENVIRONMENT_VARIABLE)
    if value:
        return Secret(value.encode())
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")  # set by systemd for LoadCredential=passphrase:FILE
    if credentials is not None and (Path(credentials) / CREDENTIAL_NAME).exists():
        return _from_file(Path(credentials) / CREDENTIAL_NAME)
    return None


def _from_file(path: Path) -> Secret:
    try:
        data = read_private(path)
    except FileNotFoundError:
        raise KeyFileError(
            path,
            f"the passphrase file {path} does not exist",
            why="identity.passphrase_file names it",
            todo="create it with mode 600, or remove the setting",
        ) from None
    passphrase = data.removesuffix(b"\n").removesuffix(b"\r")
    if not 0 < len(passphrase) <= MAX_PASSPHRASE_BYTES:
        raise KeyFileError(
            path,
            f"the passphrase file {path} holds no passphrase",
            why=f"one of 1 to {MAX_PASSPHRASE_BYTES} bytes is expected",
            todo="write the passphrase on its first and only line",
        )
    return Secret(passphrase)
