"""Bidding: from a request in the book to a signed bid, or a reason why not.

A request is considered once, when the chain holds its escrow: the program is fetched and compiled, the policy asked
under the load of the moment, and a bid signed by both keys of the node.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
import trio

from quorate.contracts import COIN, Bid, Request, RequestState
from quorate.marketplace import (
    BidPolicy,
    Decline,
    Load,
    Offer,
    SignedBid,
    SignedRequest,
    Work,
    bid_statement,
    decide,
)
from quorate.node.chain import MarketClient
from quorate.node.errors import QuorateNodeError
from quorate.node.journal import Journal, OrderRecord, OrderRole, OrderState
from quorate.node.kernels import load_kernels
from quorate.node.keys import NodeKeys
from quorate.node.mesh import Mesh
from quorate.node.programs import Programs
from quorate.protocol.codec import encode
from quorate.protocol.committee import counts_of

from .desk import OrderDesk

MAX_CONSIDERED: Final = 4096
"""The most request ids that are remembered as considered."""
MAX_AT_ONCE: Final = 8
"""The most requests that are considered at once."""
ESCROW_WAIT_S: Final = 20.0
"""How long a gossiped request may be ahead of the chain."""
ESCROW_POLL_S: Final = 0.3
ADDRESSES_IN_BID: Final = 4

_log = structlog.get_logger(__name__)


class Broker:
    """Bids for one node."""

    def __init__(
        self,
        desk: OrderDesk,
        market: MarketClient,
        programs: Programs,
        *,
        mesh: Mesh,
        keys: NodeKeys,
        journal: Journal,
        policy: BidPolicy,
        running: Callable[[], list[Request]],
        clock: Callable[[], int],
    ) -> None:
        self._desk = desk
        self._market = market
        self._programs = programs
        self._mesh = mesh
        self._keys = keys
        self._journal = journal
        self._policy = policy
        self._running = running
        self._clock = clock
        self._considered: dict[bytes, None] = {}
        self._open: dict[bytes, Request] = {}
        self._slots = trio.CapacityLimiter(MAX_AT_ONCE)

    @property
    def open_bids(self) -> int:
        """How many bids of ours may still be locked."""
        self._drop_ended()
        return len(self._open)

    def close_bid(self, request_id: bytes) -> None:
        """Forget the bid for a request that was locked or cancelled."""
        self._open.pop(request_id, None)

    async def run(self) -> None:
        """Consider every request that comes into the book, until cancelled."""
        async with trio.open_nursery() as nursery:
            while True:
                for request_id in self._desk.book:
                    if request_id not in self._considered:
                        self._considered[request_id] = None
                        while len(self._considered) > MAX_CONSIDERED:
                            del self._considered[next(iter(self._considered))]
                        nursery.start_soon(self._consider_safely, request_id)
                await self._desk.changed()

    async def _consider_safely(self, request_id: bytes) -> None:
        log = _log.bind(request=request_id.hex()[:16])
        async with self._slots:
            try:
                reason = await self._consider(request_id)
            except QuorateNodeError as error:
                reason = str(error)
        if reason:
            log.info("declined", reason=reason)

    async def _consider(self, request_id: bytes) -> str:
        """Bid, or return why not."""
        signed = self._desk.book.request(request_id)
        if signed is None:
            return "it left the book"
        if not await self._is_escrowed(request_id):
            return "the chain does not hold its escrow"
        self._desk.book.confirm(request_id)
        task = await self._programs.task(request_id, signed.details)
        counts = await trio.to_thread.run_sync(counts_of, task, signed.request.parties, signed.request.threshold)
        work = Work(multiplications=counts.multiplications, clients=len(task.clients))
        offer = decide(self._policy, signed.request, work=work, load=await self._load(), now=self._clock())
        if isinstance(offer, Decline):
            return offer.reason
        await self._bid(signed, request_id, offer)
        return ""

    async def _is_escrowed(self, request_id: bytes) -> bool:
        state = RequestState.NONE
        with trio.move_on_after(ESCROW_WAIT_S):
            while (state := await self._market.state(request_id)) is RequestState.NONE:
                await trio.sleep(ESCROW_POLL_S)
        return state is RequestState.SUBMITTED

    async def _load(self) -> Load:
        self._drop_ended()
        balance = await self._market.free_balance(COIN, self._keys.chain.account)
        pledged = sum(request.collateral for request in self._open.values() if request.token == COIN)
        running = self._running()
        return Load(
            sessions=len(running),
            open_bids=len(self._open),
            committed={COIN: pledged + sum(request.collateral for request in running if request.token == COIN)},
            bid_collateral={COIN: pledged},
            balance={COIN: balance},
        )

    async def _bid(self, signed: SignedRequest, request_id: bytes, offer: Offer) -> None:
        domain = self._market.domain
        bid = Bid(request_id, self._keys.chain.account, offer.price, self._keys.mesh.public_key, offer.valid_until)
        addresses = tuple(self._mesh.addresses[:ADDRESSES_IN_BID])
        message = SignedBid(
            bid,
            addresses,
            self._keys.chain.sign_digest(bid.digest(domain)),
            self._keys.mesh.sign(bid_statement(bid, addresses, domain=domain)),
        )
        record = OrderRecord(
            request_id=request_id,
            role=OrderRole.MEMBER,
            state=OrderState.SUBMITTED,
            request=encode(signed),
            deadline=signed.request.deadline,
            bid=encode(message),
        )
        await self._journal.run(self._journal.orders.add, record)
        self._open[request_id] = signed.request
        await self._desk.publish(message)
        _log.info("bid", request=request_id.hex()[:16], price=offer.price)
        await load_kernels()

    def _drop_ended(self) -> None:
        now = self._clock()
        for request_id in [key for key, request in self._open.items() if request.bid_deadline < now]:
            del self._open[request_id]
