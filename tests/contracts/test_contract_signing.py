from __future__ import annotations

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import InvalidSignature, account_of, checksum, is_signed_by, parse_address, recover, sign

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEYS = st.integers(1, ORDER - 1).map(lambda scalar: scalar.to_bytes(32, "big"))
DIGESTS = st.binary(min_size=32, max_size=32)


@given(key=KEYS, digest=DIGESTS)
def test_signatures_are_those_of_eth_account(key: bytes, digest: bytes) -> None:
    signature = sign(digest, key)
    assert signature == bytes(Account.unsafe_sign_hash(digest, key).signature)
    assert recover(digest, signature) == account_of(key)
    assert checksum(account_of(key)) == Account.from_key(key).address
    assert is_signed_by(account_of(key), digest, signature)


@given(key=KEYS, digest=DIGESTS, bit=st.integers(0, 519))
def test_no_bit_of_a_signature_can_change(key: bytes, digest: bytes, bit: int) -> None:
    changed = bytearray(sign(digest, key))
    changed[bit // 8] ^= 1 << bit % 8
    assert not is_signed_by(account_of(key), digest, bytes(changed))


def test_the_other_form_is_refused() -> None:
    signature = sign(b"\7" * 32, b"\1" * 32)
    high = (ORDER - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    with pytest.raises(InvalidSignature, match="upper half"):
        recover(b"\7" * 32, signature[:32] + high + bytes((55 - signature[64],)))


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        (b"", "0 bytes"),
        (bytes(64), "64 bytes"),
        (bytes(66), "66 bytes"),
        (bytes(64) + b"\0", "last byte is 0"),
        (bytes(64) + b"\x1d", "last byte is 29"),
        (bytes(64) + b"\x1b", "no public key"),
        (b"\xff" * 32 + bytes(31) + b"\1\x1b", "no public key"),
    ],
)
def test_what_is_no_signature_is_refused(signature: bytes, reason: str) -> None:
    with pytest.raises(InvalidSignature, match=reason):
        recover(b"\7" * 32, signature)


@pytest.mark.parametrize(
    "key", [b"", bytes(32), b"\x5a" * 31, b"\x5a" * 33, ORDER.to_bytes(32, "big"), b"\xff" * 32]
)
def test_bad_keys_are_refused_and_not_shown(key: bytes) -> None:
    with pytest.raises(ValueError, match="private key") as caught:
        sign(b"\7" * 32, key)
    assert not key or key.hex() not in str(caught.value)
    assert "5a5a" not in repr(caught.value)


def test_only_digests_are_signed() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign(b"a message", b"\1" * 32)


@given(address=st.binary(min_size=20, max_size=20))
def test_checksums_are_those_of_eth_utils(address: bytes) -> None:
    text = checksum(address)
    assert text == to_checksum_address(address)
    assert parse_address(text) == parse_address(text.lower()) == parse_address("0x" + text[2:].upper()) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0x",
        "0x12",
        "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe ",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAedd",
        "0xZZAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        parse_address(text)


def test_only_twenty_bytes_are_written_as_an_address() -> None:
    with pytest.raises(ValueError, match="20 bytes"):
        checksum(bytes(32))
