"""The sessions of one node: started by the chain's lock, asked by clients, members and the requestor."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import structlog
import trio

from quorate.contracts import Request
from quorate.marketplace import SignedRequest
from quorate.node.chain import MarketClient
from quorate.node.channel import CallLimits, Refusal, RefusalCode, serve_calls
from quorate.node.errors import JournalConflict, QuorateNodeError
from quorate.node.journal import Journal, OrderRecord
from quorate.node.keys import NodeKeys
from quorate.node.mesh import Mesh, public_key_of
from quorate.protocol.codec import decode, decode_one_of, encode
from quorate.protocol.errors import MalformedMessage

from .inbox import InputClosed
from .messages import (
    InputCall,
    InputReply,
    MaskCall,
    MaskReply,
    NoticeReply,
    OutputCall,
    SessionCall,
    SignatureNotice,
    StatusCall,
)
from .session import SESSION_CALL_PROTOCOL, Session
from .settlement import Settlement
from .tally import SignatureTally, UnknownSigner
from .terms import SessionTerms

MAX_SESSIONS_KEPT: Final = 256
"""The most sessions, running and ended, that answer calls from memory; outputs of older ones are in the journal."""
CALL_WAIT_S: Final = 10.0
"""How long a call may wait for masks or an output before the caller is told to ask again."""
NOT_YET: Final = 100
"""Refusal code: ask again."""
FAILED: Final = 101
"""Refusal code: the session failed; the sentence says why."""

_log = structlog.get_logger(__name__)


class SessionService:
    """Runs sessions and answers the calls about them."""

    def __init__(
        self, mesh: Mesh, market: MarketClient, *, keys: NodeKeys, journal: Journal, nursery: trio.Nursery
    ) -> None:
        self._mesh = mesh
        self._market = market
        self._keys = keys
        self._journal = journal
        self._nursery = nursery
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()
        self._running: set[bytes] = set()

    @property
    def running(self) -> int:
        """How many sessions run now."""
        return len(self._running)

    def running_requests(self) -> list[Request]:
        """The requests whose sessions run now."""
        return [self._sessions[request_id].terms.request for request_id in self._running]

    def serve(self) -> None:
        """Answer session calls of clients, members and requestors."""
        limits = CallLimits(most_concurrent_per_peer=32, most_per_s=100, burst=400, deadline_s=CALL_WAIT_S + 10)
        serve_calls(self._mesh, SESSION_CALL_PROTOCOL, self._answer, limits=limits)

    def start(self, terms: SessionTerms) -> None:
        """Run the session of `terms` in the background, unless it runs already."""
        if terms.request_id in self._sessions:
            return
        tally = SignatureTally(self._market.domain, terms.request_id, terms.members, terms.request.threshold)
        session = Session(
            terms,
            mesh=self._mesh,
            settlement=Settlement(tally, self._market, own=terms.own.account),
            keys=self._keys,
            journal=self._journal,
        )
        self._sessions[terms.request_id] = session
        while len(self._sessions) > MAX_SESSIONS_KEPT:
            oldest = next(iter(self._sessions))
            if oldest in self._running:
                break
            del self._sessions[oldest]
        self._running.add(terms.request_id)
        self._nursery.start_soon(self._run, session)

    async def _run(self, session: Session) -> None:
        request_id = session.terms.request_id
        try:
            await session.run()
        except JournalConflict as error:
            _log.error("session_not_run", session=request_id.hex()[:16], reason=str(error))
        except QuorateNodeError as error:
            _log.error("session_lost", session=request_id.hex()[:16], reason=str(error))
        finally:
            self._running.discard(request_id)

    # --- calls

    async def _answer(self, peer: str, request: bytes) -> bytes:
        kinds: tuple[type[SessionCall], ...] = (MaskCall, InputCall, OutputCall, SignatureNotice, StatusCall)
        try:
            asked = decode_one_of(kinds, request)
        except MalformedMessage as error:
            _log.warning("malformed_call", peer=peer, reason=error.reason)
            raise Refusal(RefusalCode.MALFORMED, error.reason) from None
        session = self._sessions.get(asked.request_id)
        if session is None:
            if isinstance(asked, OutputCall):
                return await self._stored_output(peer, asked.request_id)
            raise Refusal(NOT_YET, "no such session runs here")
        if isinstance(asked, SignatureNotice):
            return self._hear(peer, session, asked)
        if isinstance(asked, StatusCall):
            return encode(session.status())
        client = self._client_of(peer, session)
        if isinstance(asked, MaskCall):
            return await self._masks(session, client)
        if isinstance(asked, InputCall):
            return await self._input(session, client, asked.body)
        return await self._output(session, client)

    def _hear(self, peer: str, session: Session, notice: SignatureNotice) -> bytes:
        seat = session.terms.seat_of(peer)
        if seat is None or seat.account != notice.member:
            raise Refusal(RefusalCode.REFUSED, "a notice comes from its own member")
        try:
            session.hear(notice)
        except UnknownSigner as error:
            _log.warning("bad_notice", peer=peer, party=seat.party, reason=str(error))
            raise Refusal(RefusalCode.REFUSED, str(error)) from None
        return encode(NoticeReply(notice.request_id))

    def _client_of(self, peer: str, session: Session) -> int:
        client = session.terms.details.client_index(public_key_of(peer))
        if client is None:
            raise Refusal(RefusalCode.REFUSED, "the caller is no client of this session")
        return client

    async def _masks(self, session: Session, client: int) -> bytes:
        body: bytes | None = None
        with trio.move_on_after(CALL_WAIT_S):
            try:
                body = await session.inbox.masks_of(client)
            except KeyError:
                raise Refusal(RefusalCode.REFUSED, "the caller gives no input") from None
            except InputClosed as error:
                raise Refusal(RefusalCode.REFUSED, str(error)) from None
        if body is None:
            raise self._not_ready(session)
        return encode(MaskReply(session.terms.party, body))

    async def _input(self, session: Session, client: int, body: bytes) -> bytes:
        inbox, request_id = session.inbox, session.terms.request_id
        try:
            is_new = inbox.put(client, body)
        except KeyError:
            raise Refusal(RefusalCode.REFUSED, "the caller gives no input") from None
        except InputClosed as error:
            _log.warning("input_refused", session=request_id.hex()[:16], client=client, reason=str(error))
            raise Refusal(RefusalCode.REFUSED, str(error)) from None
        if is_new:
            count, digest = len(body) // session.terms.task.field.size_bytes, inbox.digest(body)
            await self._journal.run(
                self._journal.masks.use, request_id, str(client), first=0, count=count, digest=digest
            )
            _log.info("masked_value_taken", session=request_id.hex()[:16], client=client)
        return encode(InputReply(request_id))

    async def _output(self, session: Session, client: int) -> bytes:
        reply: bytes | None = None
        with trio.move_on_after(CALL_WAIT_S):
            try:
                reply = await session.output_of(client)
            except KeyError:
                raise Refusal(RefusalCode.REFUSED, "the caller receives no output") from None
        if reply is None:
            raise self._not_ready(session)
        return reply

    def _not_ready(self, session: Session) -> Refusal:
        if session.failed:
            reason = session.blame.reason if session.blame is not None else ""
            return Refusal(FAILED, f"the session failed: {reason}")
        return Refusal(NOT_YET, f"the session is in its phase {session.state}")

    async def _stored_output(self, peer: str, request_id: bytes) -> bytes:
        """An output of a session that this process no longer holds, or never ran."""
        order = await self._journal.run(self._journal.orders.get, request_id)
        client = _slot_in(order, peer)
        if client is None:
            raise Refusal(NOT_YET, "no such session runs here")
        for record in await self._journal.run(self._journal.envelopes.of_client, request_id, client):
            return record.envelope
        sessions = await self._journal.run(self._journal.sessions.of_request, request_id)
        if sessions and sessions[0].reason:
            raise Refusal(FAILED, f"the session failed: {sessions[0].reason}")
        raise Refusal(NOT_YET, "there is no output yet")


def _slot_in(order: OrderRecord | None, peer: str) -> int | None:
    if order is None:
        return None
    return decode(SignedRequest, order.request).details.client_index(public_key_of(peer))


__all__ = ["FAILED", "NOT_YET", "SessionService"]
