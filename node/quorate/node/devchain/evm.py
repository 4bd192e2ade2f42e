"""The embedded EVM: py-evm (Prague) with alysis as its JSON face, and BN254 pairings through pyrevm.

Differences from a network, all of them meant for development:

- One transaction is one block, mined at once; there is no mempool, so a nonce must be the next one.
- A block's timestamp is the wall clock (plus `evm_increaseTime`), and consecutive blocks may share a second;
  the protocol's rule of strictly growing timestamps would let a busy chain run ahead of real deadlines.
- `prevrandao` is the hash of the parent: known beforehand, but the same after a restart.
- Calls at `latest` see the time now, not the time of the latest block, since blocks come only with transactions.

This module imports the EVM; nothing but the chain's own process may import it.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections.abc import Callable
from typing import Any

from alysis import EVMVersion, Node, RPCNode
from eth.abc import BlockAPI, BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.constants import (
    BLANK_ROOT_HASH,
    POST_MERGE_DIFFICULTY,
    POST_MERGE_MIX_HASH,
    POST_MERGE_NONCE,
    ZERO_ADDRESS,
)
from eth.db import get_db_backend
from eth.typing import AccountDetails
from eth.vm.forks.prague import PragueVM
from eth.vm.spoof import SpoofTransaction
from eth_utils.address import to_canonical_address
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from .statefile import Action, Genesis, StateFile

BLOCK_GAS_LIMIT = 30_000_000
FIRST_BASE_FEE_WEI = 10**9
ESTIMATE_TOLERANCE_DIVISOR = 64  # a search for gas stops within 1/64 of the least that succeeds


class DevelopmentVM(PragueVM):
    """Prague, but consecutive blocks may share a timestamp."""

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        """Validate all but the strict growth of the timestamp."""
        later = max(header.timestamp, parent_header.timestamp + 1)
        super().validate_header(header.copy(timestamp=later), parent_header)


class TransactionRejected(Exception):
    """A transaction that no block can hold; the message is in the words that public nodes use."""


class EmbeddedChain:
    """A chain in memory that mines each transaction at once and records it in a state file, if there is one.

    Not safe for threads: the server calls it under one lock.
    """

    def __init__(
        self, genesis: Genesis, statefile: StateFile | None = None, *, clock: Callable[[], float] = time.time
    ) -> None:
        """Build block 0 and replay `statefile`; `clock` gives Unix seconds."""
        use_fast_pairing()
        self._clock = clock
        self._offset_seconds = 0
        self._next_timestamp: int | None = None
        self._statefile: StateFile | None = None
        self.chain_id = genesis.chain_id
        self.chain = build_chain(genesis)
        node = Node(
            root_balance_wei=0,
            chain_id=genesis.chain_id,
            net_version=genesis.chain_id,
            evm_version=EVMVersion.PRAGUE,
            auto_mine_transactions=False,
        )
        # alysis builds a genesis of its own; its reads all go through this one attribute.
        node._backend.chain = self.chain
        self._node = node
        self.reads = RPCNode(node)
        self.locations: dict[bytes, tuple[int, int]] = {}  # transaction hash -> block number, index in the block
        if statefile is not None:
            for action in statefile.replay():
                self._replay(action)
            self._statefile = statefile

    def block(self, number: int) -> BlockAPI:
        """The block with this number, from 0 to `height`."""
        chain: Any = self.chain  # py-evm wants numbers of a type that another package defines
        block: BlockAPI = chain.get_canonical_block_by_number(number)
        return block

    @property
    def height(self) -> int:
        """The number of the latest block."""
        return int(self.chain.header.block_number) - 1

    def now(self) -> int:
        """The timestamp that a block mined now would have, in Unix seconds; never before its parent's."""
        parent = self.chain.get_canonical_head().timestamp
        if self._next_timestamp is not None:
            return max(self._next_timestamp, parent)
        return max(int(self._clock()) + self._offset_seconds, parent)

    def increase_time(self, seconds: int) -> int:
        """Shift the clock of all later blocks; return the whole shift in seconds."""
        if seconds < 0:
            raise TransactionRejected(f"time cannot go back: {seconds} s")
        self._offset_seconds += seconds
        return self._offset_seconds

    def set_next_timestamp(self, timestamp: int) -> None:
        """Give the next block this timestamp; later blocks go on from there."""
        parent = self.chain.get_canonical_head().timestamp
        if timestamp < parent:
            raise TransactionRejected(f"timestamp {timestamp} is before the latest block's {parent}")
        self._next_timestamp = timestamp

    def send(self, raw: bytes) -> bytes:
        """Apply a signed transaction, mine it into a block of its own, return its hash (32 bytes).

        A transaction that reverts is mined too. TransactionRejected if no block can hold it; OSError if the
        state file cannot record it, in which case the chain stays as it was.
        """
        transaction = self._decode(raw)
        self._check_sendable(transaction)
        action = Action(kind="transaction", timestamp=self.now(), payload=raw.hex())
        before = self.chain.header
        try:
            self._apply(transaction, action.timestamp)
            self._record(action)
        except BaseException:
            self.chain.header = before
            raise
        self._mine()
        return bytes(transaction.hash)

    def mine(self) -> None:
        """Mine an empty block."""
        action = Action(kind="block", timestamp=self.now())
        self._record(action)
        self._replay(action)
        self._consume_next_timestamp(action.timestamp)

    def balance(self, address: str) -> int:
        """The balance of `address` in wei after the latest block."""
        return int(self.chain.get_vm().state.get_balance(to_canonical_address(address)))

    def set_balance(self, address: str, wei: int) -> None:
        """Give `address` exactly `wei`, in a block of its own."""
        action = Action(kind="balance", timestamp=self.now(), payload=address, wei=wei)
        self._record(action)
        self._replay(action)
        self._consume_next_timestamp(action.timestamp)

    def _record(self, action: Action) -> None:
        if self._statefile is not None:
            self._statefile.append(action)

    def _replay(self, action: Action) -> None:
        if action.kind == "transaction":
            self._apply(self._decode(bytes.fromhex(action.payload)), action.timestamp)
        else:
            self.chain.set_header_timestamp(action.timestamp)
        if action.kind == "balance":
            state = self.chain.get_vm().state
            state.set_balance(to_canonical_address(action.payload), action.wei)
            state.persist()
            self.chain.header = self.chain.header.copy(state_root=state.state_root)
        self._mine()

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction = self.chain.get_vm().get_transaction_builder().decode(raw)
            transaction.check_signature_validity()
        except Exception as error:  # any library on the path of decoding may raise, each in its own way
            raise TransactionRejected(f"cannot decode the transaction: {error}") from error
        return transaction

    def _check_sendable(self, transaction: SignedTransactionAPI) -> None:
        """Say in the usual words what py-evm would say in its own."""
        state = self.chain.get_vm().state
        expected = state.get_nonce(transaction.sender)
        if bytes(transaction.hash) in self.locations:
            raise TransactionRejected("already known")
        if transaction.nonce < expected:
            raise TransactionRejected(f"nonce too low: next nonce {expected}, tx nonce {transaction.nonce}")
        if transaction.nonce > expected:
            raise TransactionRejected(f"nonce too high: next nonce {expected}, tx nonce {transaction.nonce}")
        if transaction.chain_id not in (None, self.chain_id):
            raise TransactionRejected(f"invalid chain id: have {transaction.chain_id}, want {self.chain_id}")
        cost = transaction.gas * transaction.max_fee_per_gas + transaction.value
        balance = state.get_balance(transaction.sender)
        if cost > balance:
            raise TransactionRejected(f"insufficient funds for gas * price + value: have {balance} want {cost}")

    def _apply(self, transaction: SignedTransactionAPI, timestamp: int) -> None:
        self.chain.set_header_timestamp(timestamp)
        try:
            self.chain.apply_transaction(transaction)
        except ValidationError as error:
            raise TransactionRejected(str(error)) from error
        self._consume_next_timestamp(timestamp)

    def _consume_next_timestamp(self, timestamp: int) -> None:
        if self._next_timestamp is not None:
            self._offset_seconds = timestamp - int(self._clock())
            self._next_timestamp = None

    def _mine(self) -> None:
        self._node.mine_block()
        block = self.block(self.height)
        for index, transaction in enumerate(block.transactions):
            self.locations[bytes(transaction.hash)] = (block.number, index)

    def header_for_call(self, block_number: int | None) -> BlockHeaderAPI:
        """The header a call runs under: a block on top of `block_number`, or of the latest one at the time now."""
        if block_number is None or block_number == self.height:
            header = self.chain.header.copy(timestamp=self.now())
        else:
            parent = self.block(block_number).header
            header = self.chain.create_header_from_parent(parent, timestamp=parent.timestamp)
        return header.copy(base_fee_per_gas=0)

    def _run(self, header: BlockHeaderAPI, message: CallMessage, gas: int) -> ComputationAPI:
        state: StateAPI = self.chain.get_vm(header).state
        transaction = self.chain.create_unsigned_transaction(
            nonce=state.get_nonce(message.sender),
            gas_price=0,
            gas=gas,
            to=message.to,
            value=message.value,
            data=message.data,
        )
        spoofed: Any = SpoofTransaction(transaction, from_=message.sender)  # duck-typed in py-evm itself
        return state.costless_execute_transaction(spoofed)

    def call(self, message: CallMessage, block_number: int | None = None) -> bytes:
        """Run a message without a transaction; py-evm's Revert or VMError if it fails."""
        header = self.header_for_call(block_number)
        computation = self._run(header, message, min(message.gas or header.gas_limit, header.gas_limit))
        computation.raise_if_error()
        return bytes(computation.output)

    def estimate_gas(self, message: CallMessage, block_number: int | None = None) -> int:
        """Gas that lets the transaction succeed: what one run used if that is enough, else found by bisection."""
        header = self.header_for_call(block_number)
        limit = min(message.gas or header.gas_limit, header.gas_limit)
        computation = self._run(header, message, limit)
        computation.raise_if_error()
        used = limit - computation.get_gas_remaining()
        low, high = used - 1, limit
        guess = used
        while high - low > max(1, high // ESTIMATE_TOLERANCE_DIVISOR):
            if self._succeeds(header, message, guess):
                high = guess
                if guess == used:
                    break
            else:
                low = guess
            guess = min((low + high) // 2, low + max(1, low // 8))
        return high

    def _succeeds(self, header: BlockHeaderAPI, message: CallMessage, gas: int) -> bool:
        try:
            return not self._run(header, message, gas).is_error
        except ValidationError:  # less than the intrinsic gas
            return False


class CallMessage:
    """What a call carries: canonical addresses of 20 bytes (`to` is empty for a creation), wei, data and gas."""

    __slots__ = ("data", "gas", "sender", "to", "value")

    def __init__(self, *, sender: bytes, to: bytes, value: int, data: bytes, gas: int | None) -> None:
        self.sender: Any = sender  # Any: py-evm wants a type of address that another package defines
        self.to: Any = to
        self.value = value
        self.data = data
        self.gas = gas


def build_chain(genesis: Genesis) -> MiningChain:
    """A py-evm chain of one block, made of nothing but `genesis`."""
    chain_id_ = genesis.chain_id

    class DevelopmentChain(MiningChain):
        chain_id = chain_id_
        vm_configuration: Any = ((0, DevelopmentVM),)  # typed with numbers that another package defines

        def create_header_from_parent(self, parent_header: BlockHeaderAPI, **header_params: Any) -> BlockHeaderAPI:
            return super().create_header_from_parent(
                parent_header, **{**header_params, "gas_limit": parent_header.gas_limit}
            )

        def mine_block(self, *args: Any, **kwargs: Any) -> Any:  # Any: the signature of the base class
            return super().mine_block(*args, **{**kwargs, "mix_hash": keccak(self.header.parent_hash)})

    parameters: dict[str, Any] = {  # Any: py-evm's union of header field types
        "coinbase": ZERO_ADDRESS,
        "difficulty": POST_MERGE_DIFFICULTY,
        "extra_data": b"",
        "gas_limit": BLOCK_GAS_LIMIT,
        "base_fee_per_gas": FIRST_BASE_FEE_WEI,
        "mix_hash": POST_MERGE_MIX_HASH,
        "nonce": POST_MERGE_NONCE,
        "receipt_root": BLANK_ROOT_HASH,
        "timestamp": genesis.timestamp,
        "transaction_root": BLANK_ROOT_HASH,
    }
    state = {
        to_canonical_address(address): AccountDetails(balance=wei, nonce=0, code=b"", storage={})
        for address, wei in genesis.balances.items()
    }
    chain: Any = DevelopmentChain.from_genesis(get_db_backend(), parameters, state)  # typed as its base class
    return chain  # type: ignore[no-any-return]  # it is a DevelopmentChain


def use_fast_pairing() -> None:
    """Replace py-evm's pure-Python BN254 pairing (seconds) by pyrevm's (milliseconds); the gas stays the same.

    Where there is no pyrevm (it has no wheels for Python 3.13) pairings stay correct and slow.
    """
    if importlib.util.find_spec("pyrevm") is None:
        return
    ecpairing = importlib.import_module("eth.precompiles.ecpairing")
    ecpairing._ecpairing = _pairing  # type: ignore[attr-defined]  # the one seam there is


def _pairing(data: bytes) -> bool:
    from pyrevm import EVM

    try:
        output = EVM().message_call("0x" + "aa" * 20, "0x" + "00" * 19 + "08", calldata=bytes(data))
    except RuntimeError as error:
        raise ValidationError(str(error)) from error
    return int.from_bytes(output, "big") == 1
