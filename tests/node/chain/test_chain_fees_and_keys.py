"""Fees, refusals and signers: the parts of the sender that need no chain."""

from __future__ import annotations

from typing import Any, cast

import pytest
from eth_account import Account
from eth_keys.backends import CoinCurveECCBackend, get_backend
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from quorate.contracts import recover
from quorate.node.chain import Chain, FeeAboveCap, MalformedResponse, RpcError, Signer
from quorate.node.chain.fees import GWEI, Fees, bump, suggest_fees
from quorate.node.chain.pool_errors import Refusal, classify
from quorate.node.keys import ChainKey, Secret

wei = st.integers(0, 10**15)


class Answers:
    """A chain that answers methods from a table."""

    url = "http://table"

    def __init__(self, **answers: object) -> None:
        self.answers = answers

    async def request(self, method: str, *params: object) -> Any:
        if method not in self.answers:
            raise RpcError(method, code=-32601, message="no such method")
        return self.answers[method]


def table(**answers: object) -> Chain:
    return cast(Chain, Answers(**answers))


def history(base_fees: list[int], tips: list[int]) -> dict[str, object]:
    return {
        "baseFeePerGas": [hex(fee) for fee in base_fees],
        "gasUsedRatio": [0.5 if tip else 0.0 for tip in tips],
        "reward": [[hex(tip)] for tip in tips],
    }


async def test_fees_follow_the_history() -> None:
    chain = table(eth_feeHistory=history([9, 9, 100 * GWEI], [0, 2 * GWEI, 3 * GWEI, 4 * GWEI]))
    assert await suggest_fees(chain, intent="x", cap=500 * GWEI) == Fees(203 * GWEI, 3 * GWEI)
    assert await suggest_fees(chain, intent="x", cap=150 * GWEI) == Fees(150 * GWEI, 3 * GWEI)
    with pytest.raises(FeeAboveCap, match="asks for 103 gwei per gas, and the cap is 102"):
        await suggest_fees(chain, intent="x", cap=102 * GWEI)


async def test_quiet_and_old_chains() -> None:
    quiet = history([7, 7], [0])
    assert await suggest_fees(table(eth_feeHistory=quiet), intent="x", cap=10**12) == Fees(14 + GWEI, GWEI)
    suggested = table(eth_feeHistory=quiet, eth_maxPriorityFeePerGas="0x5")
    assert await suggest_fees(suggested, intent="x", cap=10**12) == Fees(19, 5)
    assert await suggest_fees(table(eth_gasPrice="0x20"), intent="x", cap=10**12) == Fees(32, 32)


@pytest.mark.parametrize(
    "answer",
    [
        7,
        {},
        {"baseFeePerGas": []},
        {"baseFeePerGas": ["x"]},
        {"baseFeePerGas": ["0x1"], "reward": 5},
        {"baseFeePerGas": ["0x1"], "reward": [[None]], "gasUsedRatio": [1]},
    ],
)
async def test_histories_of_another_form(answer: object) -> None:
    with pytest.raises(MalformedResponse):
        await suggest_fees(table(eth_feeHistory=answer), intent="x", cap=10**12)


@given(max_fee=wei, tip=wei, base=wei, suggested_tip=wei, cap=wei)
def test_a_replacement_pays_an_eighth_more_and_stays_under_the_cap(
    max_fee: int, tip: int, base: int, suggested_tip: int, cap: int
) -> None:
    old = Fees(max(max_fee, tip), tip)
    new = bump(old, Fees(base + suggested_tip, suggested_tip), cap=cap)
    if new is None:
        assert max(old.max_fee * 9 // 8, base + suggested_tip) >= cap - 1
        return
    assert new.max_fee * 8 >= old.max_fee * 9
    assert new.tip * 8 >= old.tip * 9
    assert new.tip <= new.max_fee <= cap
    assert new.max_fee >= base + suggested_tip


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("already known", Refusal.KNOWN),
        ("ALREADY_EXISTS: already known", Refusal.KNOWN),
        ("transaction already imported", Refusal.KNOWN),
        ("Known transaction", Refusal.KNOWN),
        ("nonce too low: next nonce 5, tx nonce 3", Refusal.NONCE_USED),
        ("OldNonce", Refusal.NONCE_USED),
        ("replacement transaction underpriced", Refusal.UNDERPRICED_REPLACEMENT),
        ("insufficient funds for gas * price + value", Refusal.UNFUNDED),
        ("transaction underpriced: tip needed 1", Refusal.LATER),
        ("max fee per gas less than block base fee", Refusal.LATER),
        ("nonce too high: next nonce 5, tx nonce 9", Refusal.LATER),
        ("txpool is full", Refusal.LATER),
        ("intrinsic gas too low", Refusal.INVALID),
        ("", Refusal.INVALID),
    ],
)
def test_what_endpoints_say(message: str, refusal: Refusal) -> None:
    assert classify(RpcError("eth_sendRawTransaction", code=-32000, message=message)) is refusal


def test_coincurve_signs() -> None:
    assert isinstance(get_backend(), CoinCurveECCBackend)


def test_a_signer_signs_and_hides_its_key() -> None:
    key = keccak(text="a key")
    signer = Signer(ChainKey(Secret(key)))
    assert signer.address == Account.from_key(key).address
    assert repr(signer) == f"Signer({signer.address})"
    assert key.hex() not in repr(vars(signer))
    digest = keccak(text="digest")
    assert recover(digest, signer.sign_digest(digest)) == signer.account
    fields: dict[str, int | bytes] = {
        "chainId": 1,
        "nonce": 2,
        "gas": 21000,
        "maxFeePerGas": 10,
        "maxPriorityFeePerGas": 1,
        "to": bytes(20),
        "value": 3,
        "data": b"",
    }
    signed = signer.sign_transaction(fields)
    assert keccak(signed.raw) == signed.hash
    assert Account.recover_transaction(signed.raw) == signer.address
    with pytest.raises(ValueError, match="secp256k1"):
        Signer.from_private_key(bytes(32))
