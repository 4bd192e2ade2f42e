from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import Attestation, Bid, Domain, Fault, Request, StructType, checksum

KINDS = {
    "address": st.binary(min_size=20, max_size=20),
    "bytes32": st.binary(min_size=32, max_size=32),
    "uint256": st.integers(0, 2**256 - 1),
    "uint64": st.integers(0, 2**64 - 1),
    "uint16": st.integers(0, 2**16 - 1),
}
DOMAIN_TYPE = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
DOMAINS = st.builds(Domain, st.integers(0, 2**256 - 1), KINDS["address"])


def messages(kind: type[Any]) -> st.SearchStrategy[Any]:
    return st.builds(kind, *[KINDS[solidity] for solidity, _ in kind.TYPE.fields])


def oracle(message: Any, domain: Domain) -> bytes:
    """The digest by eth_account, from the type's own text."""
    name, _, members = message.TYPE.signature.removesuffix(")").partition("(")
    fields = [dict(zip(("type", "name"), member.split(" "), strict=True)) for member in members.split(",")]
    values = dict(zip([each["name"] for each in fields], message.TYPE.values(message), strict=True))
    typed = {
        "types": {"EIP712Domain": DOMAIN_TYPE, name: fields},
        "primaryType": name,
        "domain": {
            "name": "Quorate Market",
            "version": "1",
            "chainId": domain.chain_id,
            "verifyingContract": checksum(domain.market),
        },
        "message": values,
    }
    signable = encode_typed_data(full_message=typed)
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


@given(message=st.one_of([messages(kind) for kind in (Request, Bid, Attestation, Fault)]), domain=DOMAINS)
def test_digests_are_those_of_eth_account(message: Any, domain: Domain) -> None:
    assert message.digest(domain) == oracle(message, domain)


@given(request=messages(Request), domain=DOMAINS, data=st.data())
def test_every_field_changes_the_request_id(request: Request, domain: Domain, data: st.DataObject) -> None:
    before = request.request_id(domain)
    assert request.digest(domain) == before
    solidity, name = data.draw(st.sampled_from(Request.TYPE.fields))
    value = data.draw(KINDS[solidity].filter(lambda drawn: drawn != getattr(request, name)))
    changed: Any = {name: value}
    assert dataclasses.replace(request, **changed).request_id(domain) != before


@given(message=messages(Fault), first=DOMAINS, second=DOMAINS)
def test_a_digest_counts_in_one_domain(message: Fault, first: Domain, second: Domain) -> None:
    assert (message.digest(first) == message.digest(second)) == (first == second)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parties", 2**16),
        ("deadline", 2**64),
        ("nonce", -1),
        ("nonce", 2**256),
        ("nonce", b"\x01"),
        ("program", b"\x01" * 31),
        ("program", 5),
        ("token", b"\x01" * 32),
        ("requestor", "0x" + "11" * 20),
    ],
)
def test_fields_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    request = Request(b"\1" * 20, 1, b"\0" * 20, 1, 1, 3, 1, 1, 2, b"\1" * 32, b"\2" * 32)
    with pytest.raises(ValueError, match=f"Request.{name}"):
        dataclasses.replace(request, **{name: value}).digest(Domain(1, b"\1" * 20))


def test_dynamic_fields_are_refused_when_the_type_is_declared() -> None:
    with pytest.raises(TypeError, match=r"Note\.text: string"):
        StructType("Note(string text)")


def test_message_fields_are_the_type_fields() -> None:
    for kind in (Request, Bid, Attestation, Fault):
        assert [each.name for each in dataclasses.fields(kind)] == [name for _, name in kind.TYPE.fields]
