"""The requestor: escrow a request, gossip it, form the cheapest committee, lock it, and see it to its end.

Whatever happens, the escrow comes back or pays for a result: before the lock the request is cancelled, after it the
members report a fault, and after the deadline the requestor expires it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic, time
from typing import Final

import structlog
import trio

from quorate.contracts import COIN, Faulted, Fulfilled, Request, RequestState, checksum, topic_of
from quorate.marketplace import (
    ClientEntry,
    Committee,
    Details,
    NoMatch,
    SignedBid,
    SignedRequest,
    choose_committee,
)
from quorate.marketplace.details import MIN_KAPPA
from quorate.node.chain import TransactionError, TransactionResult
from quorate.node.channel import call
from quorate.node.clients import LOOKBACK_BLOCKS
from quorate.node.errors import QuorateNodeError
from quorate.node.light import LightNode
from quorate.node.mesh import peer_id_of
from quorate.node.orders import ORDER_TOPIC, OrderDesk, unix_now
from quorate.node.programs import task_of
from quorate.node.session.messages import StatusCall, StatusReply
from quorate.node.session.session import SESSION_CALL_PROTOCOL
from quorate.protocol.codec import decode, encode
from quorate.protocol.errors import MalformedMessage

POLL_S: Final = 0.25
BID_POLL_S: Final = 0.5
"""How often neighbours' books are read for bids that gossip has not brought."""
MAX_BOOKS: Final = 32
"""How many peers' books are read at once."""
BOOKS_TIMEOUT_S: Final = 2.0
"""How long a slow peer may hold up the others."""
NEIGHBOUR_WAIT_S: Final = 3.0
LATE_BIDS_S: Final = 0.4
"""How long cheaper bids are waited for once there are enough."""
LOCK_RESERVE_S: Final = 2
"""How long before the deadline for bids the lock must be sent."""
STATUS_TIMEOUT_S: Final = 5.0
RECONCILE_S: Final = 3600.0

_log = structlog.get_logger(__name__)

Progress = Callable[[str], None]
"""Told the name of each phase as it begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a requestor offers: amounts in wei, times in seconds from now."""

    parties: int = 5
    threshold: int = 1
    max_price: int
    collateral: int
    bidding_s: int = 20
    working_s: int = 60
    kappa: int = MIN_KAPPA
    token: bytes = COIN
    protocol: str | None = None  # the program's own


@dataclass(frozen=True, slots=True)
class GasUse:
    """What one transaction of a request cost, and who sent it."""

    action: str
    transaction: bytes
    gas_used: int


@dataclass(frozen=True, slots=True)
class MemberReport:
    """A member of the committee: its account, peer id and price, and its own account of the session if it gave one."""

    party: int
    account: bytes
    peer: str
    price: int
    status: StatusReply | None


@dataclass(slots=True)
class Outcome:
    """How a request went; `phases` in seconds, in order."""

    request_id: bytes
    request: Request | None = None
    state: RequestState = RequestState.NONE
    result_digest: bytes = b""
    paid: int = 0
    accused: bytes = b""
    members: list[MemberReport] = field(default_factory=list)
    gas: list[GasUse] = field(default_factory=list)
    phases: dict[str, float] = field(default_factory=dict)


class NoCommittee(QuorateNodeError):
    """Too few or too dear bids came in; the request was taken back."""

    exit_code = 11

    def __init__(self, request_id: bytes, reason: str) -> None:
        super().__init__(
            f"no committee for request 0x{request_id.hex()[:16]}...",
            why=f"{reason}; the request was cancelled and the escrow is back in the market balance",
            todo="offer more, wait longer, or ask for fewer parties; get the escrow by: quorate account withdraw",
        )
        self.request_id = request_id


class RequestFailed(QuorateNodeError):
    """A locked request ended without a result; the escrow is back."""

    exit_code = 12

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(
            f"request 0x{outcome.request_id.hex()[:16]}... ended without a result",
            why=f"{reason}; the escrow is back in the market balance",
            todo="submit a new request; take the escrow out with: quorate account withdraw",
        )
        self.outcome = outcome


async def submit_and_follow(
    node: LightNode,
    program: str,
    *,
    clients: Sequence[ClientEntry],
    arguments: Sequence[int] = (),
    terms: Terms,
    progress: Progress = lambda _: None,
) -> Outcome:
    """Have `program` computed for `clients` and wait until the chain has settled the request.

    Raises ProgramRefused before any cost, InsufficientFunds and other ChainErrors, NoCommittee, RequestFailed.
    """
    requestor = _Requestor(node, terms, progress)
    signed = await requestor.prepare(program, clients, arguments)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run_desk, requestor.desk)
        try:
            await requestor.follow(signed)
        except QuorateNodeError as error:
            requestor.error = error
        nursery.cancel_scope.cancel()
    if requestor.error is not None:
        raise requestor.error
    return requestor.outcome


async def _run_desk(desk: OrderDesk) -> None:
    await desk.run(reconcile_s=RECONCILE_S)


class _Requestor:
    """One request on its way."""

    def __init__(self, node: LightNode, terms: Terms, progress: Progress) -> None:
        self.node = node
        self.terms = terms
        self.desk = OrderDesk(node.mesh, node.market.domain)
        self.error: QuorateNodeError | None = None
        self.outcome = Outcome(b"")
        self._progress = progress
        self._log = _log

    async def prepare(
        self, program: str, clients: Sequence[ClientEntry], arguments: Sequence[int]
    ) -> SignedRequest:
        """The signed request, checked against its program."""
        node, terms = self.node, self.terms
        package, compiled = await node.programs.load(program)
        details = Details(
            version=1,
            program=f"{package.manifest.name}@{package.manifest.version}",
            program_hash=package.content_hash,
            clients=tuple(clients),
            arguments=tuple(arguments),
            protocol=terms.protocol or package.manifest.program.protocol,
            field=package.manifest.program.field,
            kappa=terms.kappa,
        )
        task = task_of(package, compiled, details, request_id=bytes(32))
        task.scheme.check_committee(terms.parties, terms.threshold)
        now = unix_now()
        request = Request(
            requestor=node.keys.chain.account,
            nonce=int.from_bytes(os.urandom(8), "big"),
            token=terms.token,
            max_price=terms.max_price,
            collateral=terms.collateral,
            parties=terms.parties,
            threshold=terms.threshold,
            bid_deadline=now + terms.bidding_s,
            deadline=now + terms.bidding_s + terms.working_s,
            program=package.content_hash,
            details=details.digest(),
        )
        digest = request.digest(node.market.domain)
        self.outcome.request_id, self.outcome.request = digest, request
        self._log = _log.bind(request=digest.hex()[:16])
        return SignedRequest(request, details, node.keys.chain.sign_digest(digest))

    async def follow(self, signed: SignedRequest) -> None:
        """From the escrow to the chain's last word."""
        started = self._enter("escrow")
        request, request_id = signed.request, self.outcome.request_id
        value = request.max_price if request.token == COIN else 0
        result = await self.node.market.submit(request, value=value, intent=f"submit {request_id.hex()}")
        self._note_gas("submit", result)
        started = self._leave("escrow", started, "bids")
        await self._announce(signed)
        committee = await self._wait_for_committee(request)
        started = self._leave("bids", started, "lock")
        await self._lock(request, committee)
        started = self._leave("lock", started, "session")
        await self._wait_for_end(request, committee)
        self._leave("session", started, "")
        await self._collect(committee)
        self._judge()

    # --- phases

    def _enter(self, name: str) -> float:
        self._progress(name)
        return monotonic()

    def _leave(self, name: str, started: float, following: str) -> float:
        self.outcome.phases[name] = monotonic() - started
        return self._enter(following) if following else monotonic()

    def _note_gas(self, action: str, result: TransactionResult) -> None:
        self.outcome.gas.append(GasUse(action, result.hash, result.gas_used))

    async def _announce(self, signed: SignedRequest) -> None:
        with trio.move_on_after(NEIGHBOUR_WAIT_S):
            await self.node.mesh.wait_for_neighbours(ORDER_TOPIC, 1)
        await self.desk.publish(signed)
        await self.desk.post(signed, self.node.mesh.peers())

    async def _wait_for_committee(self, request: Request) -> Committee:
        """The cheapest committee, soon after there are bids enough; cancels the request when there is none."""
        request_id = self.outcome.request_id
        found: list[Committee] = []
        with trio.move_on_after(max(0.0, request.bid_deadline - time() - LOCK_RESERVE_S)):
            while not found:
                await self._read_books()
                if isinstance(self._choose(request), Committee):
                    await trio.sleep(LATE_BIDS_S)
                    await self._read_books()
                    choice = self._choose(request)
                    found += [choice] if isinstance(choice, Committee) else []
                    continue
                with trio.move_on_after(BID_POLL_S):
                    await self.desk.changed()
        if found:
            return found[0]
        choice = self._choose(request)
        reason = choice.reason if isinstance(choice, NoMatch) else "the bids came too late"
        result = await self.node.market.cancel(request_id, intent=f"cancel {request_id.hex()}")
        self._note_gas("cancel", result)
        raise NoCommittee(request_id, reason)

    def _choose(self, request: Request) -> Committee | NoMatch:
        bids: tuple[SignedBid, ...] = self.desk.book.bids(self.outcome.request_id)
        return choose_committee(request, bids, domain=self.node.market.domain, now=unix_now())

    async def _read_books(self) -> None:
        """Read the books of all our peers: a bid may be in its own node's book only, when gossip has not settled."""
        with trio.move_on_after(BOOKS_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for peer in self.node.mesh.peers()[:MAX_BOOKS]:
                    nursery.start_soon(self._read_book, peer)

    async def _read_book(self, peer: str) -> None:
        try:
            await self.desk.reconcile(peer)
        except (QuorateNodeError, MalformedMessage) as error:
            self._log.debug("book_not_read", peer=peer, reason=str(error))

    async def _lock(self, request: Request, committee: Committee) -> None:
        bids = [member.bid for member in committee.members]
        signatures = [member.signature for member in committee.members]
        request_id = self.outcome.request_id
        try:
            result = await self.node.market.lock(
                request, bids, signatures, intent=f"lock {request_id.hex()} {committee.total_price}"
            )
        except TransactionError as error:
            cancelled = await self.node.market.cancel(request_id, intent=f"cancel {request_id.hex()}")
            self._note_gas("cancel", cancelled)
            raise NoCommittee(request_id, f"the committee could not be locked: {error}") from error
        self._note_gas("lock", result)
        self.desk.locked(request_id, tuple(bid.member for bid in bids))
        await self.desk.publish(committee.match())
        await self.desk.post(committee.match(), self.node.mesh.peers())

    async def _wait_for_end(self, request: Request, committee: Committee) -> None:
        request_id, market = self.outcome.request_id, self.node.market
        while True:
            state = await market.state(request_id)
            if state.is_final:
                self.outcome.state = state
                return
            if time() > request.deadline + 1:
                try:
                    self._note_gas("expire", await market.expire(request_id, intent=f"expire {request_id.hex()}"))
                except TransactionError as error:
                    self._log.info("not_expired", reason=str(error))
            await trio.sleep(POLL_S)

    # --- afterwards

    async def _collect(self, committee: Committee) -> None:
        await self._read_outcome()
        reports: dict[int, MemberReport] = {}

        async def ask(party: int, bid: SignedBid) -> None:
            status = await self._status(peer_id_of(bid.bid.peer_key))
            reports[party] = MemberReport(
                party, bid.bid.member, peer_id_of(bid.bid.peer_key), bid.bid.price, status
            )

        async with trio.open_nursery() as nursery:
            for party, bid in enumerate(committee.members, start=1):
                nursery.start_soon(ask, party, bid)
        self.outcome.members = [reports[party] for party in sorted(reports)]

    async def _status(self, peer: str) -> StatusReply | None:
        request = encode(StatusCall(self.outcome.request_id))
        try:
            with trio.fail_after(STATUS_TIMEOUT_S):
                await self.node.mesh.connect_peer(peer)
                reply = await call(
                    self.node.mesh, peer, SESSION_CALL_PROTOCOL, request, timeout_s=STATUS_TIMEOUT_S
                )
            return decode(StatusReply, reply)
        except (QuorateNodeError, MalformedMessage, trio.TooSlowError) as error:
            self._log.debug("no_status", peer=peer, reason=str(error))
            return None

    async def _read_outcome(self) -> None:
        """What the chain's last event says of the request, and what its transaction cost."""
        chain, market = self.node.market.chain, self.node.market
        height = await chain.height()
        logs = await chain.logs(
            first=max(0, height - LOOKBACK_BLOCKS),
            last=height,
            addresses=(market.address,),
            topics=((topic_of(Fulfilled), topic_of(Faulted)), (self.outcome.request_id,)),
        )
        for log in logs:
            event = market.event_of(log)
            receipt = await chain.receipt(log.transaction_hash)
            gas = receipt.gas_used if receipt is not None else 0
            if isinstance(event, Fulfilled):
                self.outcome.result_digest, self.outcome.paid = event.result_digest, event.paid
                self.outcome.gas.append(GasUse("fulfil", log.transaction_hash, gas))
            elif isinstance(event, Faulted):
                self.outcome.accused = event.accused
                self.outcome.gas.append(GasUse("report fault", log.transaction_hash, gas))

    def _judge(self) -> None:
        outcome = self.outcome
        if outcome.state is RequestState.FULFILLED:
            return
        if outcome.state is RequestState.FAULTED and any(outcome.accused):
            reason = f"the member {checksum(outcome.accused)} broke down and was slashed{self._reasons()}"
        elif outcome.state is RequestState.FAULTED:
            reason = f"the members ended it without blaming one of them{self._reasons()}"
        else:
            reason = f"it {outcome.state.name.lower()}: nobody settled it before its deadline{self._reasons()}"
        raise RequestFailed(outcome, reason)

    def _reasons(self) -> str:
        reasons = {member.status.reason for member in self.outcome.members if member.status is not None}
        listed = "; ".join(sorted(reason for reason in reasons if reason))
        return f" ({listed})" if listed else ""
