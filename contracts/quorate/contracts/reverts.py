"""Revert data of the market and its tokens, as errors that say what to do."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from eth_abi.abi import decode as decode_abi

from .address import checksum, parse_address
from .artifacts import Entry, entries
from .errors import ContractError
from .states import RequestState

_ADVICE: Final[Mapping[str, str]] = {
    "WrongState": "request {requestId} is {actual}, and this needs it to be {needed}; read its state again first",
    "NotRequestor": "only the requestor {requestor} may do this, not {caller}; use the requestor's account",
    "InvalidCommittee": "{parties} parties with threshold {threshold}; a committee has threshold >= 1 and from "
    "2 * threshold + 1 to 64 parties",
    "InvalidDeadlines": "bid deadline {bidDeadline} and deadline {deadline} at chain time {timestamp}; the bid "
    "deadline must be in the future, the deadline after it and at most 90 days away, in seconds of Unix time",
    "AmountOutOfRange": "an amount of {amount} is outside {least}..{most}; change the price or the collateral",
    "WrongValue": "{sent} wei came with the call, which can use {needed}; send the coin only for the coin, and "
    "not more than is needed",
    "InsufficientBalance": "{account} has a free balance of {available} of token {token} in the market, and "
    "{needed} is needed; it must deposit the rest",
    "TransferFailed": "{account} did not accept {amount} wei; withdraw from an account that takes the coin",
    "DeadlinePassed": "the deadline {deadline} is over at chain time {timestamp}; the request can only expire",
    "DeadlineNotReached": "the deadline {deadline} is not over at chain time {timestamp}; wait for it",
    "WrongBidCount": "{bids} bids and {signatures} signatures for {parties} parties; give one of each per party",
    "WrongRequest": "the bid of {member} is for request {bidRequestId}, not {requestId}; ask for another bid",
    "BidExpired": "the bid of {member} ended at {validUntil}, and chain time is {timestamp}; ask for a new bid",
    "BidNotSigned": "the bid of {member} is signed by {recovered}, or for another chain or market; leave it out",
    "DuplicateMember": "{member} is in the committee twice; take another member",
    "PriceTooHigh": "the prices come to {total}, and the request pays at most {maxPrice}; take cheaper bids",
    "TooFewSignatures": "{count} signatures, and {needed} members must sign; collect the others",
    "NotMember": "{account} is not in the committee, or signed something else; leave it out",
    "DuplicateSigner": "{signer} signed twice; give one signature per member",
    "AccusedSigned": "{accused} cannot report itself; leave its signature out",
    "ZeroTreasury": "the market needs a treasury; give an account at deployment",
    "CommitteeNotStored": "the chain could not store the committee; give the transaction more gas",
    "ReentrancyGuardReentrantCall": "a token called back into the market; do not use this token",
    "ECDSAInvalidSignature": "a signature fits no key; ask its signer for another",
    "ECDSAInvalidSignatureLength": "a signature has {length} bytes, not 65; ask its signer for another",
    "ECDSAInvalidSignatureS": "a signature is not in its canonical form (s is too large); ask for another",
    "SafeERC20FailedOperation": "token {token} refused the transfer, or is no token; check balance and approval",
    "ERC20InsufficientAllowance": "{spender} may pull only {allowance}, and {needed} is needed; approve it first",
    "ERC20InsufficientBalance": "{sender} holds {balance} of the token, and {needed} is needed; get more of it",
    "ERC2612ExpiredSignature": "the permit ended at {deadline}; sign a new one",
    "ERC2612InvalidSigner": "the permit is signed by {signer}, not by the owner {owner}; sign it again",
}
_PANICS: Final[Mapping[int, str]] = {
    0x01: "an assertion failed",
    0x11: "arithmetic overflowed",
    0x12: "a division by zero",
    0x21: "a value outside of its enum",
    0x32: "an index outside of its array",
    0x41: "out of memory",
}


def decode_revert(data: bytes | str) -> ContractError:
    """The error that revert `data` (bytes or hexadecimal) carries; data that nobody knows gives `Unknown`."""
    raw = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else bytes(data)
    if not raw:
        advice = "the call reverted without a reason; is there a market at the address, and enough gas?"
        return ContractError("Empty", {}, advice=advice)
    entry = _by_selector().get(raw[:4])
    try:
        if entry is not None:
            return _error(entry, raw)
    except Exception:  # eth_abi raises many types for bad bytes; the selector alone proves nothing
        entry = None
    advice = f"the call reverted with 0x{raw[:4].hex()}, which neither the market nor its tokens use"
    return ContractError("Unknown", {}, advice=advice, data=raw)


def _error(entry: Entry, raw: bytes) -> ContractError:
    values = decode_abi(entry.types, raw[4:])
    pairs = zip(entry.names, entry.types, values, strict=True)
    arguments = {name: _argument(kind, name, value) for name, kind, value in pairs}
    if entry.name == "Error":
        advice = str(arguments["message"])
    elif entry.name == "Panic":
        advice = f"{_PANICS.get(values[0], 'an unknown panic')} (code {values[0]:#x}); please report this"
    else:
        shown = {name: _show(value) for name, value in arguments.items()}
        advice = _ADVICE.get(entry.name, "arguments " + ", ".join(map(str, shown.values()))).format_map(shown)
    return ContractError(entry.name, arguments, advice=advice, data=raw)


def _argument(kind: str, name: str, value: Any) -> object:
    if kind == "address":
        return parse_address(value)
    return RequestState(value) if kind == "uint8" and name in ("actual", "needed") else value


def _show(value: object) -> object:
    if isinstance(value, RequestState):
        return value.name.capitalize()
    if isinstance(value, bytes):
        return checksum(value) if len(value) == 20 else "0x" + value.hex()
    return value


@lru_cache(maxsize=1)
def _by_selector() -> dict[bytes, Entry]:
    builtin = [
        Entry("error", "Error", "Error(string)", ("message",), ("string",), (False,), ()),
        Entry("error", "Panic", "Panic(uint256)", ("code",), ("uint256",), (False,), ()),
    ]
    known = [*entries("TestToken", "error").values(), *entries("QuorateMarket", "error").values(), *builtin]
    return {entry.selector: entry for entry in known}
