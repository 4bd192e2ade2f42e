"""The order desk: gossip in and out of the order book, reconciliation with neighbours, matches of live orders.

A node and a requestor have one each. Nothing acts inside a gossip callback: the validator checks signatures and
bounds, the desk takes messages at its own pace, and whoever is interested waits for `changed`.
"""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from time import time
from typing import Final, TypeVar

import structlog
import trio

from quorate.contracts import Domain, Request
from quorate.marketplace import (
    Admission,
    BookSync,
    Match,
    OrderBook,
    QuorateMarketplaceError,
    SignedBid,
    SignedRequest,
    UnknownRequest,
    decode_gossip,
    serve_book,
    verify_bid,
    verify_match,
    verify_request,
)
from quorate.marketplace.messages import Gossip
from quorate.marketplace.orderbook import MAX_BIDS_PER_REQUEST
from quorate.marketplace.reconcile import MAX_CALL_BYTES, MAX_REPLY_BYTES
from quorate.node.channel import CallLimits, Refusal, RefusalCode, call, serve_calls
from quorate.node.errors import QuorateNodeError
from quorate.node.mesh import Mesh, Received, peer_id_of, public_key_of
from quorate.protocol.codec import decode_one_of, encode
from quorate.protocol.errors import MalformedMessage

from .messages import (
    BOOK_PROTOCOL,
    MAX_ORDER_REPLY_BYTES,
    MAX_OWN_ORDERS,
    ORDER_CALL_PROTOCOL,
    ORDER_TOPIC,
    MatchedOrder,
    OwnOrdersCall,
    OwnOrdersReply,
    PostCall,
    PostReply,
)

RECONCILE_S: Final = 15.0
"""How often a node reconciles its book with one neighbour."""
MAX_REQUESTS_KEPT: Final = 1024
"""The most requests kept to check bids and matches against after they left the book."""
MAX_SYNC_CALLS: Final = 1024
"""The most calls of one reconciliation."""
CALL_TIMEOUT_S: Final = 5.0
OWN_ORDERS_WAIT_S: Final = 5.0
"""How long a call for own orders waits for one, so that clients need not ask all the time."""

Value = TypeVar("Value")

_log = structlog.get_logger(__name__)


def _remember(table: OrderedDict[bytes, Value], key: bytes, value: Value) -> None:
    """Keep the newest MAX_REQUESTS_KEPT values."""
    table[key] = value
    table.move_to_end(key)
    while len(table) > MAX_REQUESTS_KEPT:
        table.popitem(last=False)


def unix_now() -> int:
    """Unix time in whole seconds."""
    return int(time())


class OrderDesk:
    """The book of one node, fed by gossip, calls and reconciliation."""

    def __init__(self, mesh: Mesh, domain: Domain, *, clock: Callable[[], int] = unix_now) -> None:
        self.book = OrderBook(domain)
        self._mesh = mesh
        self._domain = domain
        self._clock = clock
        self._requests: OrderedDict[bytes, SignedRequest] = OrderedDict()
        self._bids: OrderedDict[bytes, dict[bytes, SignedBid]] = OrderedDict()
        self._committees: OrderedDict[bytes, tuple[bytes, ...]] = OrderedDict()
        self._changed = trio.Event()
        self._choice = random.Random()  # noqa: S311 -- which neighbour to ask next is no secret

    # --- what others read

    async def changed(self) -> None:
        """Return when the desk has taken something new."""
        await self._changed.wait()

    def request(self, request_id: bytes) -> SignedRequest | None:
        """A request that was seen, also after it left the book."""
        return self._requests.get(request_id)

    def match(self, request_id: bytes) -> Match | None:
        """The match of a request that the chain has locked, when the bids of all its members are known here."""
        members, bids = self._committees.get(request_id), self._bids.get(request_id, {})
        if members is None or any(member not in bids for member in members):
            return None
        return Match(request_id, tuple(bids[member] for member in members))

    def committee(self, request_id: bytes) -> tuple[bytes, ...]:
        """The accounts of the committee that the chain has locked for a request; empty when it is not known here."""
        return self._committees.get(request_id, ())

    def locked(self, request_id: bytes, members: tuple[bytes, ...]) -> None:
        """Note the committee that the chain has locked for a request; the request leaves the book."""
        _remember(self._committees, request_id, members)
        self.book.remove(request_id)
        self._announce()

    def serve(self) -> None:
        """Answer order and book calls of any peer."""
        limits = CallLimits(most_request_bytes=MAX_CALL_BYTES * 2, most_reply_bytes=MAX_ORDER_REPLY_BYTES)
        serve_calls(self._mesh, ORDER_CALL_PROTOCOL, self._answer, limits=limits)
        book = CallLimits(most_request_bytes=MAX_CALL_BYTES, most_reply_bytes=MAX_REPLY_BYTES)
        serve_calls(self._mesh, BOOK_PROTOCOL, self._answer_book, limits=book)

    # --- in

    async def run(self, *, reconcile_s: float = RECONCILE_S) -> None:
        """Take gossip and reconcile until cancelled."""
        async with self._mesh.subscribe(ORDER_TOPIC, self._validate) as received, trio.open_nursery() as nursery:
            nursery.start_soon(self._reconcile_often, reconcile_s)
            async for message in received:
                self._take_bytes(message.data)

    def _validate(self, message: Received) -> bool:
        """Whether gossip may pass: well-formed and rightly signed for this market; never raises."""
        try:
            self._verify(decode_gossip(message.data))
        except (MalformedMessage, QuorateMarketplaceError):
            return False
        return True

    def _verify(self, message: Gossip) -> None:
        if isinstance(message, SignedRequest):
            verify_request(message, domain=self._domain, now=self._clock())
            return
        if isinstance(message, SignedBid):
            verify_bid(message, self._known(message.bid.request_id), domain=self._domain, now=self._clock())
        else:
            verify_match(message, self._known(message.request_id), domain=self._domain)

    def _known(self, request_id: bytes) -> Request:
        signed = self._requests.get(request_id)
        if signed is None:
            raise UnknownRequest(request_id)
        return signed.request

    def take(self, message: Gossip) -> bool:
        """Take a message of ours or of a peer; whether it was new. Raises a Refused error when it is not valid."""
        if isinstance(message, SignedRequest):
            is_new = self.book.add_request(message, now=self._clock()) is not Admission.KNOWN
            request_id = message.request.digest(self._domain)
            _remember(self._requests, request_id, message)
        elif isinstance(message, SignedBid):
            is_new = self.book.add_bid(message, now=self._clock()) is not Admission.KNOWN
            if is_new:
                self._learn(message)
        else:
            self._verify(message)
            known = self._bids.get(message.request_id, {})
            is_new = any(known.get(bid.bid.member) != bid for bid in message.bids)
            for bid in message.bids:
                self._learn(bid)
        if is_new:
            self._announce()
        return is_new

    def _announce(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _take_bytes(self, data: bytes) -> None:
        try:
            self.take(decode_gossip(data))
        except (MalformedMessage, QuorateMarketplaceError) as error:
            _log.debug("order_refused", reason=str(error))

    def _learn(self, signed: SignedBid) -> None:
        """Keep a verified bid for the match that may follow, and the addresses of its peer."""
        bids = self._bids.get(signed.bid.request_id, {})
        if signed.bid.member in bids or len(bids) < MAX_BIDS_PER_REQUEST:
            _remember(self._bids, signed.bid.request_id, {**bids, signed.bid.member: signed})
        peer = peer_id_of(signed.bid.peer_key)
        if peer != self._mesh.peer_id:
            self._mesh.discovery.book.add(peer, list(signed.addresses))

    # --- out

    async def publish(self, message: Gossip) -> None:
        """Take a message of ours and gossip it."""
        self.take(message)
        await self._mesh.publish(ORDER_TOPIC, encode(message))

    async def post(self, message: Gossip, peers: list[str]) -> int:
        """Hand a message to `peers` directly, beside gossip; how many took it."""
        taken = 0
        request = encode(PostCall(encode(message)))

        async def one(peer: str) -> None:
            nonlocal taken
            try:
                await call(self._mesh, peer, ORDER_CALL_PROTOCOL, request, timeout_s=CALL_TIMEOUT_S)
                taken += 1
            except QuorateNodeError as error:
                _log.debug("post_failed", peer=peer, reason=str(error))

        async with trio.open_nursery() as nursery:
            for peer in peers:
                nursery.start_soon(one, peer)
        return taken

    # --- reconciliation

    async def reconcile(self, peer: str) -> None:
        """Fetch from `peer` what our book lacks; raises NetworkError or MalformedMessage."""
        sync = BookSync(self.book, self._clock)
        for _ in range(MAX_SYNC_CALLS):
            request = sync.call()
            if request is None:
                break
            reply = await call(
                self._mesh, peer, BOOK_PROTOCOL, request, timeout_s=CALL_TIMEOUT_S, most_bytes=MAX_REPLY_BYTES
            )
            sync.receive(reply)
        if sync.added:
            for request_id in self.book:
                signed = self.book.request(request_id)
                if signed is not None:
                    _remember(self._requests, request_id, signed)
                for bid in self.book.bids(request_id):
                    self._learn(bid)
            self._announce()

    async def _reconcile_often(self, every_s: float) -> None:
        while True:
            self.book.expire(self._clock())
            peers = self._mesh.peers()
            if peers:
                peer = self._choice.choice(peers)
                try:
                    await self.reconcile(peer)
                except (QuorateNodeError, MalformedMessage) as error:
                    _log.debug("reconcile_failed", peer=peer, reason=str(error))
            await trio.sleep(every_s)

    # --- calls

    async def _answer_book(self, peer: str, request: bytes) -> bytes:
        try:
            return serve_book(self.book, request)
        except MalformedMessage as error:
            raise Refusal(RefusalCode.MALFORMED, error.reason) from None

    async def _answer(self, peer: str, request: bytes) -> bytes:
        kinds: tuple[type[PostCall | OwnOrdersCall], ...] = (PostCall, OwnOrdersCall)
        try:
            asked = decode_one_of(kinds, request)
            if isinstance(asked, OwnOrdersCall):
                return encode(await self._await_own_orders(public_key_of(peer), asked.program))
            message = decode_gossip(asked.message)
            is_new = self.take(message)
        except MalformedMessage as error:
            raise Refusal(RefusalCode.MALFORMED, error.reason) from None
        except QuorateMarketplaceError as error:
            raise Refusal(RefusalCode.REFUSED, str(error)) from None
        if is_new:
            await self._mesh.publish(ORDER_TOPIC, asked.message)
        return encode(PostReply(is_new))

    async def _await_own_orders(self, peer_key: bytes, program: bytes | None) -> OwnOrdersReply:
        """The caller's orders as soon as there are any, or none after OWN_ORDERS_WAIT_S."""
        reply = self._own_orders(peer_key, program)
        with trio.move_on_after(OWN_ORDERS_WAIT_S):
            while not reply.orders:
                await self._changed.wait()
                reply = self._own_orders(peer_key, program)
        return reply

    def _own_orders(self, peer_key: bytes, program: bytes | None) -> OwnOrdersReply:
        found: list[MatchedOrder] = []
        now = self._clock()
        for request_id in reversed(self._committees):
            signed, match = self._requests.get(request_id), self.match(request_id)
            if signed is None or match is None or signed.request.deadline < now or len(found) == MAX_OWN_ORDERS:
                continue
            mine = signed.details.client_index(peer_key) is not None
            if mine and program in (None, signed.details.program_hash):
                found.append(MatchedOrder(signed, match))
        return OwnOrdersReply(tuple(found))
