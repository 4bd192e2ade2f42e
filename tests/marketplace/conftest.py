from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from quorate.contracts import COIN, Bid, Domain, Request, account_of, sign
from quorate.marketplace import ClientEntry, Details, SignedBid, SignedRequest, bid_statement

NOW = 1_800_000_000
DOMAIN = Domain(31337, bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3"))


def secret(seed: str) -> bytes:
    return hashlib.sha256(seed.encode()).digest()


@dataclass(frozen=True)
class Member:
    """A node of a test: its chain account and its peer key, both from a seed."""

    chain_key: bytes
    peer: Ed25519PrivateKey

    @classmethod
    def of(cls, seed: object) -> Member:
        return cls(secret(f"chain {seed}"), Ed25519PrivateKey.from_private_bytes(secret(f"peer {seed}")))

    @property
    def account(self) -> bytes:
        return account_of(self.chain_key)

    @property
    def peer_key(self) -> bytes:
        return self.peer.public_key().public_bytes_raw()


def client(name: str, **changes: Any) -> ClientEntry:
    entry = ClientEntry(name, secret(f"peer {name}"), secret(f"encryption {name}"), receives=True, input_count=1)
    return replace(entry, **changes)


def details(**changes: Any) -> Details:
    values: dict[str, Any] = {
        "version": 1,
        "program": "second-price-auction@1.0.0",
        "program_hash": secret("program"),
        "clients": (client("alice"), client("bob")),
        "arguments": (),
        "protocol": "passive",
        "field": "bn254",
        "kappa": 40,
    }
    return Details(**{**values, **changes})


def make_request(requestor: Member, *, terms: Details | None = None, **changes: Any) -> SignedRequest:
    terms = terms or details()
    values: dict[str, Any] = {
        "requestor": requestor.account,
        "nonce": 0,
        "token": COIN,
        "max_price": 3000,
        "collateral": 500,
        "parties": 3,
        "threshold": 1,
        "bid_deadline": NOW + 600,
        "deadline": NOW + 3600,
        "program": terms.program_hash,
        "details": terms.digest(),
    }
    request = Request(**{**values, **changes})
    return SignedRequest(request, terms, sign(request.digest(DOMAIN), requestor.chain_key))


def make_bid(member: Member, request: Request, *, domain: Domain = DOMAIN, **changes: Any) -> SignedBid:
    addresses = changes.pop("addresses", ("/ip4/127.0.0.1/tcp/4001",))
    values: dict[str, Any] = {
        "request_id": request.digest(DOMAIN),
        "member": member.account,
        "price": 900,
        "peer_key": member.peer_key,
        "valid_until": NOW + 500,
    }
    bid = Bid(**{**values, **changes})
    signature = sign(bid.digest(domain), member.chain_key)
    return SignedBid(bid, addresses, signature, member.peer.sign(bid_statement(bid, addresses, domain=domain)))


@pytest.fixture
def requestor() -> Member:
    return Member.of("requestor")


@pytest.fixture
def signed_request(requestor: Member) -> SignedRequest:
    return make_request(requestor)
