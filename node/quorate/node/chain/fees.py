"""What to pay per gas: from the fee history, under a cap, and more for a replacement (EIP-1559)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import FeeAboveCap, MalformedResponse, RpcError
from .provider import Chain
from .values import BadValue, quantity

GWEI = 10**9
HISTORY_BLOCKS = 10
BASE_FEE_HEADROOM = 2  # a base fee at most doubles in 6 full blocks
BUMP_NUMERATOR, BUMP_DENOMINATOR = 9, 8  # +12.5 %, where nodes want +10 % to replace a transaction


@dataclass(frozen=True, slots=True)
class Fees:
    """Wei per gas: the most we pay in all, and of that to the proposer of the block."""

    max_fee: int
    tip: int


async def suggest_fees(chain: Chain, *, intent: str, cap: int) -> Fees:
    """Twice the next base fee plus the median tip of recent blocks, at most `cap`.

    FeeAboveCap if the cap does not reach the next base fee. On a chain without a fee history, the gas price.
    """
    try:
        history = await chain.request("eth_feeHistory", hex(HISTORY_BLOCKS), "latest", [50])
        base_fee, tips = _read_history(history)
    except RpcError:
        price = await _quantity(chain, "eth_gasPrice")
        base_fee, tips = 0, [price]
    except BadValue as error:
        raise MalformedResponse(chain.url, "eth_feeHistory", str(error)) from None
    if tips:
        tip = sorted(tips)[len(tips) // 2]
    else:
        tip = await _suggested_tip(chain)
    if base_fee + tip > cap:
        raise FeeAboveCap(intent, needed=base_fee + tip, cap=cap)
    return Fees(max_fee=min(BASE_FEE_HEADROOM * base_fee + tip, cap), tip=tip)


def bump(old: Fees, suggested: Fees, *, cap: int) -> Fees | None:
    """Fees that replace a transaction with the `old` ones; None if they would be above `cap`."""
    raised = Fees(
        max_fee=max(_raised(old.max_fee), suggested.max_fee),
        tip=max(_raised(old.tip), suggested.tip),
    )
    return raised if raised.max_fee <= cap and raised.tip <= raised.max_fee else None


def _raised(fee: int) -> int:
    return -(-fee * BUMP_NUMERATOR // BUMP_DENOMINATOR)


def _read_history(history: Any) -> tuple[int, list[int]]:  # Any: JSON
    """The base fee of the next block, and the median tip of every recent block that had transactions."""
    if not isinstance(history, dict):
        raise BadValue("it is not an object")
    bases, rewards = history.get("baseFeePerGas"), history.get("reward") or []
    ratios = history.get("gasUsedRatio") or []
    if not isinstance(bases, list) or not bases or not isinstance(rewards, list) or not isinstance(ratios, list):
        raise BadValue("baseFeePerGas, reward and gasUsedRatio must be lists")
    tips = [
        quantity(reward[0])
        for reward, ratio in zip(rewards, ratios, strict=False)
        if isinstance(reward, list) and reward and ratio
    ]
    return quantity(bases[-1]), [tip for tip in tips if tip]


async def _suggested_tip(chain: Chain) -> int:
    try:
        return await _quantity(chain, "eth_maxPriorityFeePerGas")
    except RpcError:
        return GWEI


async def _quantity(chain: Chain, method: str) -> int:
    try:
        return quantity(await chain.request(method))
    except BadValue as error:
        raise MalformedResponse(chain.url, method, str(error)) from None
