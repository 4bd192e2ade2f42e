"""Calldata of the token functions that the market's users need; `calldata.decode_amount` reads the numbers."""

from __future__ import annotations

from .address import Address
from .calldata import encode_call


def approve(spender: Address, amount: int) -> bytes:
    """approve: let `spender` (the market) pull up to `amount`."""
    return encode_call("approve", spender, amount, contract="TestToken")


def allowance(owner: Address, spender: Address) -> bytes:
    """allowance: how much `spender` may still pull from `owner`."""
    return encode_call("allowance", owner, spender, contract="TestToken")


def balance_of(account: Address) -> bytes:
    """balanceOf: what `account` holds outside of the market."""
    return encode_call("balanceOf", account, contract="TestToken")


def transfer(receiver: Address, amount: int) -> bytes:
    """transfer: send `amount` to `receiver`."""
    return encode_call("transfer", receiver, amount, contract="TestToken")


def decimals() -> bytes:
    """decimals: how many digits people put behind the point."""
    return encode_call("decimals", contract="TestToken")


def mint(account: Address, amount: int) -> bytes:
    """mint: TestToken only; anyone may."""
    return encode_call("mint", account, amount, contract="TestToken")
