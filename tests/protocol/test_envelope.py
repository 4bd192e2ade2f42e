from __future__ import annotations

import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from quorate.protocol.envelope import EnvelopeContext, EnvelopeHash, ResultStatement, seal, unseal
from quorate.protocol.errors import MalformedMessage

PRIVATE = bytes(range(1, 33))
PUBLIC = X25519PrivateKey.from_private_bytes(PRIVATE).public_key().public_bytes_raw()
CONTEXT = EnvelopeContext(request_id=b"\x07" * 32, party=2, client=1)
EPHEMERAL = b"\x55" * 32


@given(st.binary(max_size=300), st.binary(min_size=32, max_size=32))
def test_unseal_inverts_seal(plaintext: bytes, ephemeral: bytes) -> None:
    envelope = seal(plaintext, receiver=PUBLIC, context=CONTEXT, ephemeral=ephemeral)
    assert unseal(envelope, private_key=PRIVATE, context=CONTEXT) == plaintext


@pytest.mark.parametrize("change", [{"party": 3}, {"client": 0}, {"request_id": b"\x08" * 32}])
def test_an_envelope_opens_in_its_own_context_only(change: dict[str, object]) -> None:
    envelope = seal(b"42", receiver=PUBLIC, context=CONTEXT, ephemeral=EPHEMERAL)
    with pytest.raises(MalformedMessage):
        unseal(envelope, private_key=PRIVATE, context=dataclasses.replace(CONTEXT, **change))  # type: ignore[arg-type]


def test_another_key_does_not_open_it() -> None:
    envelope = seal(b"42", receiver=PUBLIC, context=CONTEXT, ephemeral=EPHEMERAL)
    with pytest.raises(MalformedMessage):
        unseal(envelope, private_key=b"\x09" * 32, context=CONTEXT)


@given(st.data())
def test_a_changed_byte_is_refused(data: st.DataObject) -> None:
    envelope = bytearray(seal(b"a secret", receiver=PUBLIC, context=CONTEXT, ephemeral=EPHEMERAL))
    position = data.draw(st.integers(0, len(envelope) - 1))
    # bit 255 of an X25519 public key is ignored by RFC 7748, but the key derivation covers it
    envelope[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(MalformedMessage):
        unseal(bytes(envelope), private_key=PRIVATE, context=CONTEXT)


def test_a_key_of_small_order_is_refused() -> None:
    with pytest.raises(ValueError, match=r".+"):
        seal(b"x", receiver=bytes(32), context=CONTEXT, ephemeral=EPHEMERAL)
    with pytest.raises(MalformedMessage):
        unseal(bytes(64), private_key=PRIVATE, context=CONTEXT)


def test_the_digest_covers_every_field() -> None:
    statement = ResultStatement(b"\x01" * 32, b"\x02" * 32, "5", (EnvelopeHash(1, 0, b"\x03" * 32),))
    others = [
        dataclasses.replace(statement, request_id=b"\x09" * 32),
        dataclasses.replace(statement, program=b"\x09" * 32),
        dataclasses.replace(statement, public_result="6"),
        dataclasses.replace(statement, envelopes=()),
        dataclasses.replace(statement, envelopes=(EnvelopeHash(2, 0, b"\x03" * 32),)),
        dataclasses.replace(statement, envelopes=(EnvelopeHash(1, 1, b"\x03" * 32),)),
    ]
    assert len({one.digest() for one in [statement, *others]}) == 7
