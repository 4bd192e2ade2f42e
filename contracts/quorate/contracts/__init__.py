"""Python bindings of the market contract: artifacts, EIP-712 types, calldata and event codecs.

Everything here is a pure function of its arguments: no network, no clock, no randomness. The Solidity sources are
in contracts/src, and contracts/check.py proves that the artifacts are what they compile to.

    domain = Domain(chain_id, market)
    request_id = request.request_id(domain)
    signature = sign(bid.digest(domain), private_key)
    data = calldata.lock(request, bids, signatures)
    event = decode_event(log)
    raise decode_revert(revert_data)
"""

from __future__ import annotations

from . import calldata, erc20
from .address import COIN, ZERO_ADDRESS, Address, Digest, checksum, parse_address
from .artifacts import Artifact, load_artifact, market_deployment, token_deployment
from .calldata import Record
from .eip712 import Domain, StructType
from .errors import ContractError, InvalidSignature, MalformedLog, QuorateContractsError, UnknownEvent
from .events import (
    Cancelled,
    Deposited,
    Expired,
    Faulted,
    Fulfilled,
    Locked,
    MarketEvent,
    Submitted,
    Withdrawn,
    decode_event,
    topic_of,
)
from .messages import MAX_AMOUNT, MAX_DURATION_SECONDS, MAX_PARTIES, Attestation, Bid, Fault, Request
from .reverts import decode_revert
from .signing import SIGNATURE_BYTES, account_of, is_signed_by, recover, sign
from .states import TRANSITIONS, RequestState

__all__ = [
    "COIN",
    "MAX_AMOUNT",
    "MAX_DURATION_SECONDS",
    "MAX_PARTIES",
    "SIGNATURE_BYTES",
    "TRANSITIONS",
    "ZERO_ADDRESS",
    "Address",
    "Artifact",
    "Attestation",
    "Bid",
    "Cancelled",
    "ContractError",
    "Deposited",
    "Digest",
    "Domain",
    "Expired",
    "Fault",
    "Faulted",
    "Fulfilled",
    "InvalidSignature",
    "Locked",
    "MalformedLog",
    "MarketEvent",
    "QuorateContractsError",
    "Record",
    "Request",
    "RequestState",
    "StructType",
    "Submitted",
    "UnknownEvent",
    "Withdrawn",
    "account_of",
    "calldata",
    "checksum",
    "decode_event",
    "decode_revert",
    "erc20",
    "is_signed_by",
    "load_artifact",
    "market_deployment",
    "parse_address",
    "recover",
    "sign",
    "token_deployment",
    "topic_of",
]
