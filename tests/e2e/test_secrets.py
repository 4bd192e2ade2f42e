"""After an auction with bids that occur nowhere by chance, no file and no log holds a bid or a private key."""

import json
import re

import pytest

from quorate.node.config import load_config
from quorate.node.home import key_files, open_keys

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

BIDS = {"alice": 3141592653, "bob": 2718281828, "carol": 1618033988}
PRICE = BIDS["bob"]


def forms_of(value):
    """How a bid might be written; binary forms have 5 bytes and more, since 4 bytes occur by chance."""
    digits = {str(value), f"{value:_}", f"{value:,}", f"{value:x}", f"{value:X}"}
    little, big = value.to_bytes(8, "little"), value.to_bytes(8, "big")
    tagged = {tag + value.to_bytes(4, "big") for tag in (b"\x1a", b"\xce")}  # CBOR and MessagePack
    return {text.encode() for text in digits} | {little, big, little.hex().encode(), big.hex().encode()} | tagged


def forms_of_key(secret):
    return {
        secret,
        secret[::-1],
        secret.hex().encode(),
        secret.hex().upper().encode(),
        str(int.from_bytes(secret)).encode(),
    }


def files_under(home):
    for path in sorted(home.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path, path.read_bytes()


def homes_of(network):
    return [path.parent for path in sorted(network.home.rglob("quorate.toml"))]


def test_no_bid_and_no_key_is_written_anywhere(network, cli):
    inputs = [part for name, bid in BIDS.items() for part in ("--input", f"{name}={bid}")]
    result = cli("run", "second-price-auction@1.0.0", *inputs, "--testnet", network.home, "--json")
    assert result.returncode == 0, result.stdout + result.stderr
    account = json.loads(result.stdout)
    assert account["outputs"] == {name: [0, PRICE] for name in BIDS}

    files = dict(files_under(network.home))
    assert {"client.log", "node1.log", "journal.sqlite3", "transactions.sqlite", "supervisor.json"} <= {
        path.name for path in files
    }
    for name, bid in BIDS.items():
        check_absent(forms_of(bid), files, f"the bid of {name}")
    for text in forms_of(BIDS["alice"]) | forms_of(BIDS["carol"]):  # the price is in the clients' output
        assert text not in result.stdout.encode()
    for bid in BIDS.values():
        assert not any(text in result.stderr.encode() for text in forms_of(bid))


def test_no_private_key_is_written_in_the_clear(network):
    files = dict(files_under(network.home))
    homes = homes_of(network)
    assert len(homes) >= 6
    for home in homes:
        config = load_config(home)
        keys = open_keys(config)
        for key in (keys.mesh, keys.chain, keys.encryption):
            check_absent(forms_of_key(key.secret.reveal()), files, f"a key of {home.name}")
        passphrase = (home / "passphrase").read_bytes().strip()
        elsewhere = {path: data for path, data in files.items() if path != home / "passphrase"}
        check_absent({passphrase}, elsewhere, f"the passphrase of {home.name}")
        for path in (key_files(config).identity, key_files(config).chain):
            assert path.stat().st_mode & 0o077 == 0


def check_absent(forms, files, what):
    for path, data in files.items():
        for form in forms:
            assert not occurs(form, data), f"{what} is in {path}"


def occurs(form, data):
    """Whether `form` is in `data`; short digits count when they are not part of a longer hash or timestamp."""
    if form.isalnum() and len(form) <= 13:
        return re.search(rb"(?<![0-9a-fA-F])" + form + rb"(?![0-9a-fA-F])", data) is not None
    return form in data
