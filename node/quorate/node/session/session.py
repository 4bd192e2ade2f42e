"""One member's part in one session, from the lock to the chain's last word on it.

The work runs in one task, phase after phase. Two others watch beside it: one for broken links, so that a member
that waits for a live peer still learns of a dead one; one that submits to the chain what t+1 members signed. What
goes wrong ends as a `Blame`, which is signed, told to the others and, with their signatures, to the chain.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, time
from typing import Final, TypeVar

import structlog
import trio

from quorate.contracts import Attestation, Fault
from quorate.node.channel import PeerFault, SessionSetupFailed, SessionTransport, call, open_session
from quorate.node.driver import ROUND_TIMEOUT_S, Post, Waiting, drive, open_post
from quorate.node.errors import QuorateNodeError
from quorate.node.journal import EnvelopeRecord, Journal, Member, SessionRecord, SessionState
from quorate.node.kernels import load_kernels
from quorate.node.keys import NodeKeys
from quorate.node.mesh import Mesh, public_key_of
from quorate.node.mesh.scopes import open_scope
from quorate.protocol.codec import encode
from quorate.protocol.committee import Conclusion, conclude, evaluate, prepare
from quorate.protocol.envelope import ResultStatement
from quorate.protocol.errors import PartyFault, QuorateProtocolError
from quorate.protocol.mpc import (
    InputFault,
    Party,
    PartyId,
    Protocol,
    Statistics,
    exchange_bytes,
    exchange_until,
    mask_count,
)

from .inbox import ClientInbox
from .messages import OutputReply, Phase, SignatureNotice, StatusReply
from .reserve import Reserve
from .settlement import Settlement
from .tally import NO_MEMBER, UnknownSigner
from .terms import INPUT_SHARE, SETUP_S, Seat, SessionTerms

Output = TypeVar("Output")

SESSION_CALL_PROTOCOL: Final = "/quorate/session-call/1"
GRACE_S: Final = 8.0
"""How long a failed session stays connected, so that the others see who really broke it and not us leaving."""
AGREE_S: Final = 6.0
"""How long members try to agree on a culprit before they report a fault of nobody."""
HEAR_GRACE_S: Final = 2.0
"""How long a member goes on after it heard of a fault, to see it itself."""
LINK_POLL_S: Final = 0.2
"""How often broken links are looked for."""
NOTICE_TIMEOUT_S: Final = 5.0
NOTICE_ATTEMPTS: Final = 3
RETENTION_S: Final = 86_400
"""How long outputs are kept for their receivers after the deadline, in seconds."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Blame:
    """Why a session failed: `party` is at fault, or nobody in the committee is when it is None.

    `is_own` says that we have it from our own links, and not only from another member.
    """

    party: int | None
    reason: str
    is_own: bool = True


class Session:
    """Our part in the session of `terms`; `run` is called once."""

    def __init__(
        self,
        terms: SessionTerms,
        *,
        mesh: Mesh,
        settlement: Settlement,
        keys: NodeKeys,
        journal: Journal,
        randomness: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.terms = terms
        self._mesh = mesh
        self._settlement = settlement
        self._keys = keys
        self._journal = journal
        self._randomness = randomness
        self._log = _log.bind(session=terms.request_id.hex()[:16], party=terms.party)
        request = terms.request
        self._party = Party(
            terms.task.field,
            PartyId(terms.party),
            parties=request.parties,
            threshold=request.threshold,
            randomness=randomness,
            kappa=terms.details.kappa,
            scheme=terms.task.scheme,
        )
        counts = {slot: mask_count(kinds) for slot, kinds in terms.task.input_kinds().items()}
        self.inbox = ClientInbox(counts)
        self.state = "starting"
        self.blame: Blame | None = None
        self._tolerated = request.threshold if terms.task.scheme.guarantees_output else 0
        self._phases: list[Phase] = []
        self._traffic = (0, 0)
        self._work = open_scope()
        self._heard: Blame | None = None
        self._heard_at = 0.0
        self._interruption: Blame | None = None
        self._waiting = Waiting()
        self._outputs: dict[int, bytes] = {}
        self._statement: ResultStatement | None = None
        self._spent: Statistics | None = None
        self._reserve = Reserve(terms, self._party, keys=keys, journal=journal, randomness=randomness)
        self._concluded = trio.Event()

    # --- the life of a session

    async def run(self) -> None:
        """Run to the end; what goes wrong is signed, told and logged, and never raised."""
        await self._begin()
        with trio.move_on_after(max(0.0, self.terms.request.deadline - time())) as lifetime:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._settlement.run)
                await self._connect_and_work()
                await self._settlement.settled.wait()
                nursery.cancel_scope.cancel()
        if lifetime.cancelled_caught:
            self._log.warning("deadline_passed", state=self.state)
        await self._end()

    async def _begin(self) -> None:
        terms = self.terms
        committee = tuple(Member(seat.account, public_key_of(seat.peer)) for seat in terms.seats)
        record = SessionRecord(
            session_id=terms.request_id,
            request_id=terms.request_id,
            party=terms.party,
            threshold=terms.request.threshold,
            committee=committee,
            deadline=terms.request.deadline,
        )
        await self._journal.run(self._journal.sessions.begin, record)
        self._log.info("session_begun", parties=terms.request.parties, program=terms.details.program)

    async def _end(self) -> None:
        sessions = self._journal.sessions
        if self._concluded.is_set() and self.blame is None:
            await self._journal.run(sessions.advance, self.terms.request_id, SessionState.FINISHED)
            self.state = "done"
        else:
            reason = self.blame.reason if self.blame is not None else "the deadline passed"
            await self._journal.run(sessions.fail, self.terms.request_id, reason)
            self.state = "failed"
        self._log.info("session_ended", state=self.state, outcome=self._settlement.outcome)

    async def _connect_and_work(self) -> None:
        table = {seat.party: seat.peer for seat in self.terms.seats}
        started = self._enter("kernels")
        await load_kernels()
        self._clock_phase("kernels", started)
        started = self._enter("connect")
        try:
            async with open_session(
                self._mesh,
                self.terms.request_id,
                party=self.terms.party,
                table=table,
                setup_s=SETUP_S,
                most_absent=self._tolerated,
            ) as transport:
                self._clock_phase("connect", started)
                await self._work_guarded(transport)
                self._traffic = _total(transport)
                if self.blame is not None:
                    await self._fail(transport)
                else:
                    with trio.move_on_after(GRACE_S):
                        await self._settlement.settled.wait()
                self._traffic = _total(transport)
        except SessionSetupFailed as failure:
            missing = min(failure.missing)
            self.blame = Blame(missing, f"did not come to the session: {failure.missing[missing]}")
            await self._fail(None)

    async def _work_guarded(self, transport: SessionTransport) -> None:
        """The phases, until they end, fail, or are cut short by a broken link or another member's word."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._watch_links, transport)
            with self._work:
                try:
                    await self._run_phases(transport)
                except PartyFault as fault:
                    self.blame = Blame(fault.party, fault.reason)
                except InputFault as fault:
                    self.blame = Blame(None, self._client_sentence(fault.client, fault.reason))
                except (QuorateProtocolError, QuorateNodeError, ValueError, MemoryError) as error:
                    self.blame = Blame(None, f"{type(error).__name__}: {error}")
                except Exception as error:  # our bug: the others must not wait for us until the deadline
                    self._log.exception("session_crashed", error=type(error).__name__)
                    self.blame = Blame(None, f"an internal error ({type(error).__name__})")
            nursery.cancel_scope.cancel()
        if self.blame is None and not self._concluded.is_set():
            self.blame = self._interruption

    async def _watch_links(self, transport: SessionTransport) -> None:
        """Interrupt the work when a link breaks, or some time after another member named a culprit.

        A committee that guarantees its output goes on while no more than t links are broken, and hears no blame.

        Most faults show at every member within a round: who only hears of one goes on for HEAR_GRACE_S, so that it
        meets what the other met and can be a witness too.
        """
        while self._interruption is None:
            await trio.sleep(LINK_POLL_S)
            faults = transport.faults()
            if len(faults) > self._tolerated:
                self._interruption = Blame(min(faults), faults[min(faults)])
            elif self._tolerated == 0 and self._heard is not None and monotonic() - self._heard_at > HEAR_GRACE_S:
                self._interruption = self._heard_or_seen(self._heard)
        self._work.cancel()

    def _heard_or_seen(self, heard: Blame) -> Blame:
        """What another member said; our own word too if we have been waiting for the same party all the time."""
        if heard.party == self._waiting.party and trio.current_time() - self._waiting.since > HEAR_GRACE_S:
            return Blame(heard.party, "sent nothing, and another member reports it", is_own=True)
        return heard

    # --- the phases

    async def _run_phases(self, transport: SessionTransport) -> None:
        if self._tolerated:
            async with open_post(transport) as post:
                await self._compute(_Carrier(transport, self._waiting, post))
        else:
            carrier = _Carrier(transport, self._waiting)
            await self._reserve.draw(carrier.carry)
            await self._compute(carrier)
            self._enter("refill")
            await self._reserve.refill(carrier.carry)

    async def _compute(self, carrier: _Carrier) -> None:
        """From preprocessing to our attestation."""
        party, task = self._party, self.terms.task
        input_deadline = time() + INPUT_SHARE * max(0.0, self.terms.request.deadline - time())
        started = self._enter("preprocess")
        masks = await carrier.carry(prepare(party, task))
        self._clock_phase("preprocess", started)
        started = self._enter("inputs")
        self.inbox.publish(masks, {entry.client: task.field.to_bytes(entry.shares) for entry in masks})
        await self._journal.run(self._journal.sessions.advance, self.terms.request_id, SessionState.INPUTS)
        await self._collect(carrier, input_deadline)
        masked = self.inbox.close()
        self._clock_phase("inputs", started)
        started = self._enter("online")
        await self._journal.run(self._journal.sessions.advance, self.terms.request_id, SessionState.ONLINE)
        evaluation = await carrier.carry(evaluate(party, task, masks, masked))
        self._clock_phase("online", started)
        started = self._enter("output")
        conclusion = await carrier.carry(conclude(party, task, evaluation))
        self._clock_phase("output", started)
        self._spent = dataclasses.replace(party.statistics)
        await self._keep(conclusion)
        self._enter("attest")
        await self._attest(conclusion.statement)

    async def _collect(self, carrier: _Carrier, input_deadline: float) -> None:
        """Wait for the inputs, then for the others: a member may have to wait for a client until the deadline.

        What is missing then is missing for good: the comparison of inputs finds it, at every member alike.
        """
        left = max(0.0, input_deadline - time())
        with trio.move_on_after(left):
            await self.inbox.wait_complete()
        missing = self.inbox.missing()
        if missing:
            self._log.warning("inputs_missing", clients=missing)
        timeout_s = max(0.0, input_deadline - time()) + ROUND_TIMEOUT_S
        await carrier.carry(_rendezvous(self._party, self._tolerated, timeout_s), round_timeout_s=timeout_s)

    async def _keep(self, conclusion: Conclusion) -> None:
        """Store the outputs before anything about them is signed."""
        statement, party = conclusion.statement, self.terms.party
        for slot, entry in enumerate(self.terms.details.clients):
            if entry.receives:
                reply = OutputReply(party, conclusion.envelopes.get(slot), statement)
                self._outputs[slot] = encode(reply)
        expires_at = self.terms.request.deadline + RETENTION_S
        records = [
            EnvelopeRecord(
                request_id=self.terms.request_id, client=slot, party=party, envelope=reply, expires_at=expires_at
            )
            for slot, reply in self._outputs.items()
        ]
        await self._journal.run(self._journal.envelopes.save, records)
        await self._journal.run(
            self._journal.sessions.advance,
            self.terms.request_id,
            SessionState.ATTESTING,
            result_digest=statement.digest(),
        )
        self._statement = statement

    async def _attest(self, statement: ResultStatement) -> None:
        digest = statement.digest()
        message = Attestation(self.terms.request_id, digest).digest(self._settlement.tally.domain)
        signature = self._keys.chain.sign_digest(message)
        self._settlement.tally.attest(self.terms.own.account, digest=digest, signature=signature)
        self._concluded.set()
        self._settlement.wake()
        self._log.info("attested", digest=digest.hex()[:16])
        await self._tell(digest=digest, accused=None, signature=signature, reason="")

    # --- failure

    async def _fail(self, transport: SessionTransport | None) -> None:
        """Name who broke the session if we saw it ourselves; else wait for what others saw, or end it as nobody's."""
        blame = self.blame
        assert blame is not None
        self.state = "failing"
        self._log.warning("session_failed", accused=blame.party, reason=blame.reason)
        if blame.party is None:
            await self._accuse(NO_MEMBER, blame.reason)
        elif blame.is_own or transport is None or await self._breaks(transport, blame.party):
            await self._accuse(self.terms.seats[blame.party - 1].account, blame.reason)
        with trio.move_on_after(AGREE_S):
            await self._settlement.settled.wait()
        if not self._settlement.settled.is_set() and self._settlement.tally.accused() is None:
            await self._accuse(NO_MEMBER, f"no agreement on who failed: {blame.reason}")
        with trio.move_on_after(GRACE_S):
            await self._settlement.settled.wait()

    @staticmethod
    async def _breaks(transport: SessionTransport, party: int) -> bool:
        """Whether our own link to a party that another member named breaks too, within GRACE_S."""
        with trio.move_on_after(GRACE_S):
            while party not in transport.faults():
                await trio.sleep(LINK_POLL_S)
        return party in transport.faults()

    async def _accuse(self, accused: bytes, reason: str) -> None:
        if accused == self.terms.own.account:
            return
        tally = self._settlement.tally
        signature = self._keys.chain.sign_digest(Fault(self.terms.request_id, accused).digest(tally.domain))
        tally.accuse(self.terms.own.account, accused=accused, signature=signature)
        self._settlement.wake()
        await self._tell(digest=None, accused=accused, signature=signature, reason=reason)

    async def _tell(self, *, digest: bytes | None, accused: bytes | None, signature: bytes, reason: str) -> None:
        """Send our signature to every other member, each a few times if need be."""
        notice = encode(
            SignatureNotice(
                self.terms.request_id, self.terms.own.account, digest, accused, signature, _clip(reason)
            )
        )
        async with trio.open_nursery() as nursery:
            for seat in self.terms.others:
                if seat.account != accused:
                    nursery.start_soon(self._tell_one, seat, notice)

    async def _tell_one(self, seat: Seat, notice: bytes) -> None:
        for attempt in range(NOTICE_ATTEMPTS):
            try:
                await call(self._mesh, seat.peer, SESSION_CALL_PROTOCOL, notice, timeout_s=NOTICE_TIMEOUT_S)
                return
            except QuorateNodeError as error:
                self._log.debug("notice_undelivered", to=seat.party, attempt=attempt, reason=str(error))
                await trio.sleep(0.3 * (attempt + 1))

    # --- what the calls ask

    def hear(self, notice: SignatureNotice) -> None:
        """Take another member's signature; raises UnknownSigner when it is not its own."""
        tally = self._settlement.tally
        if notice.digest is not None:
            tally.attest(notice.member, digest=notice.digest, signature=notice.signature)
        elif notice.accused is not None:
            fresh = tally.accuse(notice.member, accused=notice.accused, signature=notice.signature)
            if fresh and self.blame is None and self._heard is None and not self._concluded.is_set():
                self._heard, self._heard_at = self._blame_of(notice), monotonic()
                self._log.warning("fault_heard", accused=self._heard.party, reason=notice.reason)
        else:
            raise UnknownSigner("a notice that says nothing")
        self._settlement.wake()

    def _blame_of(self, notice: SignatureNotice) -> Blame:
        for seat in self.terms.seats:
            if seat.account == notice.accused:
                return Blame(seat.party, f"another member reports: {notice.reason}", is_own=False)
        return Blame(None, f"another member reports: {notice.reason}", is_own=False)

    async def output_of(self, client: int) -> bytes:
        """The encoded OutputReply for a receiver, once it is there; KeyError for a client that receives nothing."""
        if not self.terms.details.clients[client].receives:
            raise KeyError(client)
        await self._concluded.wait()
        return self._outputs[client]

    def status(self) -> StatusReply:
        """How the session stands, and what it cost so far."""
        statistics = self._spent or self._party.statistics
        sent, received = self._traffic
        return StatusReply(
            self.terms.request_id,
            self.terms.party,
            self.state,
            _clip(self.blame.reason if self.blame is not None else ""),
            tuple(self._phases),
            statistics.rounds,
            statistics.multiplications,
            sent or statistics.bytes_sent,
            received or statistics.bytes_received,
        )

    @property
    def failed(self) -> bool:
        """Whether no output will come any more."""
        return self.blame is not None

    def _client_sentence(self, client: int, reason: str) -> str:
        if client in self.inbox.missing():
            reason = "sent no input by the deadline for inputs"
        return f"client {self.terms.details.clients[client].name} {reason}"

    def _enter(self, state: str) -> float:
        self.state = state
        return monotonic()

    def _clock_phase(self, name: str, started: float) -> None:
        microseconds = int((monotonic() - started) * 1e6)
        self._phases.append(Phase(name, microseconds))
        self._log.info("phase_done", phase=name, seconds=round(microseconds / 1e6, 3))


class _Carrier:
    """Drives the machines of one session, one after another, over its transport."""

    def __init__(self, transport: SessionTransport, waiting: Waiting, post: Post | None = None) -> None:
        self._transport = transport
        self._waiting = waiting
        self._post = post

    async def carry(self, machine: Protocol[Output], *, round_timeout_s: float = ROUND_TIMEOUT_S) -> Output:
        """What `machine` gives; raises what `drive` raises."""
        return await drive(
            machine,
            self._transport,
            round_timeout_s=round_timeout_s,
            waiting=self._waiting,
            post=self._post,
        )


def _rendezvous(party: Party, tolerated: int, timeout_s: float) -> Protocol[None]:
    """One round in which every member says that it stops waiting for inputs; `tolerated` of them may not."""
    outgoing, sizes = dict.fromkeys(party.others, b"\x01"), dict.fromkeys(party.others, 1)
    if not tolerated:
        yield from exchange_bytes(party, outgoing, sizes)
        return
    most = len(sizes) - tolerated
    yield from exchange_until(
        party, outgoing, sizes, enough=lambda replies: len(replies) >= most, deadline_ms=int(timeout_s * 1000)
    )


def _total(transport: SessionTransport) -> tuple[int, int]:
    """Bytes sent and received over all links."""
    traffic = transport.traffic().values()
    return sum(sent for _, sent in traffic), sum(received for received, _ in traffic)


def _clip(reason: str) -> str:
    return reason.encode()[:500].decode(errors="ignore")


__all__ = ["SESSION_CALL_PROTOCOL", "Blame", "PeerFault", "Session"]
