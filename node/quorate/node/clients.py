"""A client of a session: gives its input by masks, and opens the output that the committee sealed to it.

The client trusts no single member and no peer: the committee is what the chain locked, the members are who signed
the locked bids, mask shares must lie on one polynomial, and an output counts when its envelope's hash is in the
statement whose digest the chain has accepted.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

import structlog
import trio

from quorate.contracts import Fulfilled, RequestState, topic_of
from quorate.marketplace import QuorateMarketplaceError, verify_match
from quorate.node.channel import RemoteRefusal, call
from quorate.node.errors import QuorateNodeError
from quorate.node.light import LightNode
from quorate.node.mesh import peer_id_of
from quorate.node.orders import ORDER_CALL_PROTOCOL, MatchedOrder, OwnOrdersCall, OwnOrdersReply
from quorate.node.orders.desk import OWN_ORDERS_WAIT_S
from quorate.node.orders.messages import MAX_ORDER_REPLY_BYTES
from quorate.node.programs import task_of
from quorate.node.session.messages import InputCall, MaskCall, MaskReply, OutputCall, OutputReply
from quorate.node.session.service import CALL_WAIT_S, NOT_YET
from quorate.node.session.session import SESSION_CALL_PROTOCOL
from quorate.protocol.adversaries import PROTOCOLS
from quorate.protocol.codec import decode, encode
from quorate.protocol.committee import CommitteeTask, OutputPlaintext, readable
from quorate.protocol.envelope import EnvelopeContext, ResultStatement, unseal
from quorate.protocol.errors import MalformedMessage, ProgramError, QuorateProtocolError
from quorate.protocol.field import PrimeField
from quorate.protocol.mpc import ClientInput, ClientOutput, PartyId, signed_integers
from quorate.protocol.sharing import InconsistentShares
from quorate.protocol.sharing import decode as decode_shares
from quorate.registry import QuorateRegistryError

POLL_S: Final = 0.3
"""How often peers are asked for an order of ours, and the chain for its state."""
CALL_TIMEOUT_S: Final = CALL_WAIT_S + 5
MAX_PEERS_ASKED: Final = 2
LINGER_S: Final = 1.0
"""How long slower members are still heard once enough have answered."""
LOOKBACK_BLOCKS: Final = 10_000
"""How far back the event of a result is looked for."""

_log = structlog.get_logger(__name__)


class SessionLost(QuorateNodeError):
    """The session of a request ended without a result for us; `reason` says why."""

    exit_code = 10

    def __init__(self, request_id: bytes, reason: str, *, todo: str = "") -> None:
        super().__init__(
            f"request 0x{request_id.hex()[:16]}... gave no result",
            why=reason,
            todo=todo or "the input stays secret; ask the requestor to submit a new request",
        )
        self.request_id = request_id


class NoOrder(QuorateNodeError):
    """No committee was locked for a request that names this client."""

    exit_code = 10

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"no request for this client was locked within {seconds:g} s",
            why="no peer knows one, or it was not matched",
            todo="check with the requestor that the request names this client's keys (quorate node id)",
        )


class InputRejected(QuorateNodeError):
    """Our own values do not fit the program; nothing was sent."""

    exit_code = 2

    def __init__(self, reason: str) -> None:
        super().__init__("the input was not sent", why=reason, todo="give values in the range of the program")


@dataclass(frozen=True, slots=True)
class ClientResult:
    """What a client got: its values in the order of the program, and the public result as text."""

    request_id: bytes
    client: int
    name: str
    values: tuple[int | bool | float, ...] = field(repr=False)
    public_result: str
    result_digest: bytes
    wrong_parties: tuple[int, ...]


async def take_part(
    node: LightNode, *, program: str, values: Sequence[int], timeout_s: float, request_id: bytes | None = None
) -> ClientResult | None:
    """Give `values` to the next locked request on `program` that names us, and wait for our output.

    With a `request_id` only that one counts, and when it is fulfilled already its output is fetched once more.
    None when we receive nothing. Raises InputRejected before anything is sent, NoOrder, SessionLost.
    """
    package, compiled = await node.programs.load(program)
    started = monotonic()
    order = await _find_order(node, package.content_hash, request_id, timeout_s=timeout_s)
    details = order.signed.details
    slot = details.client_index(node.keys.mesh.public_key)
    assert slot is not None  # _find_order returns orders of ours only
    task = task_of(package, compiled, details, request_id=order.match.request_id)
    if details.clients[slot].input_count:
        try:
            package.manifest.check_inputs(values, details.arguments)
        except QuorateRegistryError as error:
            raise InputRejected(str(error)) from None
    is_over = await node.market.state(order.match.request_id) is RequestState.FULFILLED
    part = _Part(node, order, task, slot, gives=bool(details.clients[slot].input_count) and not is_over)
    result: ClientResult | None = None
    with trio.move_on_after(max(1.0, timeout_s - (monotonic() - started))) as patience:
        result = await part.run(values)
    if not patience.cancelled_caught:
        return result
    raise SessionLost(order.match.request_id, f"there was no result within {timeout_s:g} s")


async def _find_order(
    node: LightNode, program_hash: bytes, request_id: bytes | None, *, timeout_s: float
) -> MatchedOrder:
    """Ask a few peers at once, again and again; each answers as soon as it knows an order of ours.

    Peers that do not answer are asked last: other clients are peers too, and know of no orders.
    """
    asked = encode(OwnOrdersCall(program_hash))
    found: list[MatchedOrder] = []
    failures: Counter[str] = Counter()

    async def ask(peer: str, done: trio.CancelScope) -> None:
        orders = await _orders_at(node, peer, asked)
        failures[peer] += orders is None
        for order in orders or ():
            if await _is_wanted(node, order, program_hash, request_id):
                found.append(order)
                done.cancel()

    with trio.move_on_after(timeout_s):
        while not found:
            async with trio.open_nursery() as nursery:
                for peer in sorted(node.mesh.peers(), key=failures.__getitem__)[:MAX_PEERS_ASKED]:
                    nursery.start_soon(ask, peer, nursery.cancel_scope)
            await trio.sleep(POLL_S)
    if not found:
        raise NoOrder(timeout_s)
    return found[0]


async def _orders_at(node: LightNode, peer: str, asked: bytes) -> tuple[MatchedOrder, ...] | None:
    """What a peer knows; None when it does not answer."""
    try:
        reply = await call(
            node.mesh,
            peer,
            ORDER_CALL_PROTOCOL,
            asked,
            timeout_s=OWN_ORDERS_WAIT_S + 5,
            most_bytes=MAX_ORDER_REPLY_BYTES,
        )
        return decode(OwnOrdersReply, reply).orders
    except (QuorateNodeError, MalformedMessage) as error:
        _log.debug("no_orders", peer=peer, reason=str(error))
        return None


async def _is_wanted(node: LightNode, order: MatchedOrder, program_hash: bytes, request_id: bytes | None) -> bool:
    """Whether `order` is the one that is asked for, or, when none is, one that takes inputs now.

    A fulfilled one is never taken for the next: its masks were used.
    """
    if request_id not in (None, order.match.request_id) or not await _is_ours(node, order, program_hash):
        return False
    state = await node.market.state(order.match.request_id)
    return state is RequestState.LOCKED or (request_id is not None and state is RequestState.FULFILLED)


async def _is_ours(node: LightNode, order: MatchedOrder, program_hash: bytes) -> bool:
    """Whether the chain says of `order` what the peer says, and it is for our keys and this program."""
    signed, match = order.signed, order.match
    try:
        request_id = verify_match(match, signed.request, domain=node.market.domain)
    except QuorateMarketplaceError as error:
        _log.warning("order_refused", reason=str(error))
        return False
    details = signed.details
    slot = details.client_index(node.keys.mesh.public_key)
    if slot is None or details.digest() != signed.request.details or signed.request.program != program_hash:
        return False
    if details.clients[slot].encryption_key != node.keys.encryption.public_key:
        return False
    members = tuple(member.account for member in await node.market.committee(request_id))
    return members == tuple(bid.bid.member for bid in match.bids)


class _Part:
    """Our part in one session."""

    def __init__(
        self, node: LightNode, order: MatchedOrder, task: CommitteeTask, slot: int, *, gives: bool
    ) -> None:
        self._node = node
        self._gives = gives
        self._task = task
        self._slot = slot
        self._request = order.signed.request
        self._request_id = order.match.request_id
        self._entry = order.signed.details.clients[slot]
        self._peers = {
            PartyId(party): peer_id_of(bid.bid.peer_key) for party, bid in enumerate(order.match.bids, start=1)
        }
        for bid in order.match.bids:
            node.mesh.discovery.book.add(peer_id_of(bid.bid.peer_key), list(bid.addresses))
        self._log = _log.bind(session=self._request_id.hex()[:16], client=slot)

    async def run(self, values: Sequence[int]) -> ClientResult | None:
        """Give the input, then wait for the output."""
        outcome: list[ClientResult | None] = []
        lost: list[SessionLost] = []
        async with trio.open_nursery() as nursery:

            async def work() -> None:
                try:
                    if self._gives:
                        await self._give(values)
                    outcome.append(await self._receive() if self._entry.receives else None)
                except SessionLost as error:
                    lost.append(error)
                nursery.cancel_scope.cancel()

            async def watch() -> None:
                state = await self._ended_badly()
                lost.append(SessionLost(self._request_id, f"the chain says that it is {state.name.lower()}"))
                nursery.cancel_scope.cancel()

            nursery.start_soon(work)
            nursery.start_soon(watch)
        if not outcome:
            raise lost[0]
        return outcome[0]

    async def _ended_badly(self) -> RequestState:
        while True:
            state = await self._node.market.state(self._request_id)
            if state.is_final and state is not RequestState.FULFILLED:
                return state
            await trio.sleep(POLL_S)

    # --- input

    async def _give(self, values: Sequence[int]) -> None:
        task, request, threshold = self._task, self._request, self._request.threshold
        corrects = task.scheme.guarantees_output
        kinds = task.clients[self._slot].inputs
        machine = ClientInput(task.field, kinds, parties=request.parties, threshold=threshold, corrects=corrects)
        needed = request.parties - threshold if corrects else request.parties

        def can_be_corrected(replies: Mapping[PartyId, bytes]) -> bool:
            return len(replies) >= needed and _decodes(task.field, self._bodies(replies), threshold)

        enough = can_be_corrected if corrects else _at_least(needed)
        replies = await self._ask_all(encode(MaskCall(self._request_id)), enough=enough)
        try:
            masked = await trio.to_thread.run_sync(machine.mask, values, self._bodies(replies))
        except ProgramError as error:
            raise InputRejected(str(error)) from None
        except QuorateProtocolError as error:
            raise SessionLost(self._request_id, f"the masks cannot be trusted: {error}") from error
        linger_s = LINGER_S if corrects else 0.0
        call_ = encode(InputCall(self._request_id, masked))
        await self._ask_all(call_, enough=_at_least(needed), linger_s=linger_s)
        self._log.info("value_given")

    def _bodies(self, replies: Mapping[PartyId, bytes]) -> dict[PartyId, bytes]:
        """The shares in the replies that are well-formed; a malformed one counts as none where that is survived."""
        bodies: dict[PartyId, bytes] = {}
        for party, reply in replies.items():
            try:
                bodies[party] = decode(MaskReply, reply).body
            except MalformedMessage:
                if not self._task.scheme.guarantees_output:
                    raise
        return bodies

    # --- output

    async def _receive(self) -> ClientResult:
        """Collect envelopes until enough of them open and agree with what the chain accepted, then a little longer.

        Under passive that takes t + 1; under abort and robust 2t + 1 that fit together, so that t + 1 honest
        members are among them.
        """
        digest = await self._accepted_digest()
        threshold = self._request.threshold
        least = threshold + 1 if self._task.protocol == PROTOCOLS[0] else 2 * threshold + 1
        opened: dict[PartyId, tuple[ResultStatement, OutputPlaintext] | None] = {}

        def enough(replies: Mapping[PartyId, bytes]) -> bool:
            for party in replies.keys() - opened.keys():
                opened[party] = self._open(party, replies[party], digest)
            found = {party: entry[1] for party, entry in opened.items() if entry is not None}
            if len(found) < least:
                return False
            shares = {party: plain.shares for party, plain in _of_common_kinds(found).items()}
            return least == threshold + 1 or _decodes(self._task.field, shares, threshold)

        await self._ask_all(encode(OutputCall(self._request_id)), enough=enough, linger_s=LINGER_S)
        good = {party: entry for party, entry in sorted(opened.items()) if entry is not None}
        plaintexts = _of_common_kinds({party: plain for party, (_, plain) in good.items()})
        if len(plaintexts) < least:
            raise SessionLost(
                self._request_id,
                f"{len(plaintexts)} of {len(opened)} members gave the output that was attested; {least} are needed",
                todo="the outputs stay with the members; ask again later with --request",
            )
        statement = next(iter(good.values()))[0]
        return await trio.to_thread.run_sync(self._reconstruct, statement, plaintexts, digest)

    async def _accepted_digest(self) -> bytes:
        """The result digest in the chain's Fulfilled event, once it is there."""
        while await self._node.market.state(self._request_id) is not RequestState.FULFILLED:
            await trio.sleep(POLL_S)
        event = await fulfilled_event(self._node, self._request_id)
        return event.result_digest

    def _open(self, party: PartyId, reply: bytes, digest: bytes) -> tuple[ResultStatement, OutputPlaintext] | None:
        """The attested statement, and what it seals to us from `party` if anything; None for a false reply."""
        try:
            output = decode(OutputReply, reply)
            if output.statement.digest() != digest:
                raise MalformedMessage("its statement is not the one that the chain accepted")
            hashes = {(entry.party, entry.client): entry.sha256 for entry in output.statement.envelopes}
            if not any(client == self._slot for _, client in hashes):
                return output.statement, OutputPlaintext((), b"")  # the program sends this client nothing
            attested = hashes.get((party, self._slot))
            if attested is None:
                raise MalformedMessage("its envelope was not attested")
            if output.envelope is None or hashlib.sha256(output.envelope).digest() != attested:
                raise MalformedMessage("its envelope is not the one that was attested")
            context = EnvelopeContext(self._request_id, party, self._slot)
            private_key = self._node.keys.encryption.secret.reveal()
            plain = decode(OutputPlaintext, unseal(output.envelope, private_key=private_key, context=context))
            self._task.field.from_bytes(plain.shares, len(plain.kinds))  # it is parsed again, and is right then
        except MalformedMessage as error:
            self._log.warning("output_refused", party=party, reason=error.reason)
            return None
        return output.statement, plain

    def _reconstruct(
        self, statement: ResultStatement, plaintexts: dict[PartyId, OutputPlaintext], digest: bytes
    ) -> ClientResult:
        kinds = next(iter(plaintexts.values())).kinds
        machine = ClientOutput(
            self._task.field, len(kinds), parties=self._request.parties, threshold=self._request.threshold
        )
        try:
            decoded = machine.reconstruct({party: plain.shares for party, plain in plaintexts.items()})
        except QuorateProtocolError as error:
            raise SessionLost(self._request_id, f"the output shares do not fit together: {error}") from error
        numbers = signed_integers(self._task.field, decoded.secrets)
        return ClientResult(
            request_id=self._request_id,
            client=self._slot,
            name=self._entry.name,
            values=tuple(readable(kind, number) for kind, number in zip(kinds, numbers, strict=True)),
            public_result=statement.public_result,
            result_digest=digest,
            wrong_parties=tuple(sorted(decoded.wrong)),
        )

    # --- calls

    async def _ask_all(
        self, request: bytes, *, enough: Callable[[Mapping[PartyId, bytes]], bool], linger_s: float = 0.0
    ) -> dict[PartyId, bytes]:
        """The replies of the members, once `enough` of them is true and `linger_s` more is over, or all are there."""
        replies: dict[PartyId, bytes] = {}
        failures: dict[PartyId, str] = {}
        async with trio.open_nursery() as nursery:

            async def ask(party: PartyId) -> None:
                try:
                    replies[party] = await self._ask(party, request)
                except QuorateNodeError as error:
                    failures[party] = str(error)
                if len(replies) + len(failures) == len(self._peers):
                    nursery.cancel_scope.cancel()
                elif enough(replies):
                    limit = trio.current_time() + linger_s
                    nursery.cancel_scope.deadline = min(nursery.cancel_scope.deadline, limit)

            for party in self._peers:
                nursery.start_soon(ask, party)
        if not enough(replies):
            reason = "; ".join(f"member {party}: {why}" for party, why in sorted(failures.items()))
            told = f": {reason}" if reason else ", and what they say does not fit together"
            raise SessionLost(self._request_id, f"{len(replies)} members answered{told}")
        return replies

    async def _ask(self, party: PartyId, request: bytes) -> bytes:
        """One member's reply; a member that is not ready, or not reachable for the moment, is asked again."""
        peer = self._peers[party]
        while True:
            try:
                await self._node.mesh.connect_peer(peer)
                return await call(self._node.mesh, peer, SESSION_CALL_PROTOCOL, request, timeout_s=CALL_TIMEOUT_S)
            except RemoteRefusal as refusal:
                if refusal.code != NOT_YET:
                    raise
            except QuorateNodeError as error:
                self._log.debug("member_unreachable", party=party, reason=str(error))
            await trio.sleep(POLL_S)


def _at_least(count: int) -> Callable[[Mapping[PartyId, bytes]], bool]:
    return lambda replies: len(replies) >= count


def _decodes(field: PrimeField, shares: Mapping[PartyId, bytes], threshold: int) -> bool:
    """Whether 2t + 1 of these shares lie on one polynomial of degree t, and the others can be told."""
    vectors = {}
    for party, body in shares.items():
        with contextlib.suppress(MalformedMessage):
            vectors[party] = field.from_bytes(body, len(body) // field.size_bytes)
    try:
        return len(vectors) > 2 * threshold and bool(decode_shares(field, vectors, threshold=threshold))
    except (InconsistentShares, ValueError):
        return False


def _of_common_kinds(plaintexts: Mapping[PartyId, OutputPlaintext]) -> dict[PartyId, OutputPlaintext]:
    """Those of the kinds that most of them have: a liar may claim others."""
    if not plaintexts:
        return {}
    kinds, _ = Counter(plain.kinds for plain in plaintexts.values()).most_common(1)[0]
    return {party: plain for party, plain in plaintexts.items() if plain.kinds == kinds}


async def fulfilled_event(node: LightNode, request_id: bytes) -> Fulfilled:
    """The Fulfilled event of a fulfilled request; SessionLost when the chain shows none."""
    chain = node.market.chain
    height = await chain.height()
    logs = await chain.logs(
        first=max(0, height - LOOKBACK_BLOCKS),
        last=height,
        addresses=(node.market.address,),
        topics=((topic_of(Fulfilled),), (request_id,)),
    )
    for log in logs:
        event = node.market.event_of(log)
        if isinstance(event, Fulfilled):
            return event
    raise SessionLost(request_id, "the chain shows no result, though it says that there is one")
