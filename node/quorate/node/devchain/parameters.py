"""Reading JSON-RPC parameters: quantities, data, addresses, blocks and calls, each with its bound."""

from __future__ import annotations

from eth_utils.address import to_canonical_address

from .evm import CallMessage

ZERO = bytes(20)
MAX_UINT256 = (1 << 256) - 1
MAX_DATA_BYTES = 1 << 18
NEWEST = frozenset({"latest", "pending", "safe", "finalized"})


class BadParameter(Exception):
    """A parameter that does not read as what the method wants; the message says which and why."""


def quantity(value: object, name: str) -> int:
    """A non-negative integer below 2^256, from 0x-hex (or a plain JSON number, as some tools send)."""
    if isinstance(value, str) and value.startswith("0x"):
        try:
            number = int(value, 16)
        except ValueError:
            raise BadParameter(f"{name}: {value[:80]!r} is not a hex quantity") from None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    else:
        raise BadParameter(f"{name}: a hex quantity is needed")
    if not 0 <= number <= MAX_UINT256:
        raise BadParameter(f"{name}: outside 0..2^256-1")
    return number


def data(value: object, name: str, *, size: int | None = None) -> bytes:
    """Bytes from 0x-hex; exactly `size` of them if given, else at most MAX_DATA_BYTES."""
    if not isinstance(value, str) or not value.startswith("0x"):
        raise BadParameter(f"{name}: 0x-hex is needed")
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError:
        raise BadParameter(f"{name}: not valid hex") from None
    if size is not None and len(raw) != size:
        raise BadParameter(f"{name}: {size} bytes are needed, got {len(raw)}")
    if len(raw) > MAX_DATA_BYTES:
        raise BadParameter(f"{name}: over {MAX_DATA_BYTES} bytes")
    return raw


def address(value: object, name: str) -> bytes:
    """The 20 bytes of an address."""
    return bytes(to_canonical_address("0x" + data(value, name, size=20).hex()))


def block_number(value: object, height: int) -> int:
    """A block number from a tag, a quantity, null (the latest), or an EIP-1898 object with a number."""
    if isinstance(value, dict) and "blockNumber" in value:
        value = value["blockNumber"]
    if value is None or value in NEWEST:
        return height
    if value == "earliest":
        return 0
    number = quantity(value, "block")
    if number > height:
        raise BadParameter(f"block {number} is not there yet; the latest is {height}")
    return number


def call_message(value: object) -> CallMessage:
    """The message of eth_call and eth_estimateGas; fields about fees and nonces do not matter and are ignored."""
    if not isinstance(value, dict):
        raise BadParameter("call: an object is needed")
    payload = value.get("input", value.get("data"))
    return CallMessage(
        sender=address(value["from"], "from") if value.get("from") is not None else ZERO,
        to=address(value["to"], "to") if value.get("to") is not None else b"",
        value=quantity(value["value"], "value") if value.get("value") is not None else 0,
        data=data(payload, "data") if payload is not None else b"",
        gas=quantity(value["gas"], "gas") if value.get("gas") is not None else None,
    )
