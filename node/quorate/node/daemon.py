"""The daemon: opens everything a node is made of, in order, and runs it in one nursery until it is cancelled.

Order: lock of the home, keys, journal, chain and its transaction sender, mesh, registry, then the desk, the broker,
the sessions and the log follower. `ready.json` appears when all of it answers, and goes when it ends.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import structlog
import trio

from quorate.contracts import (
    COIN,
    Cancelled,
    Deposited,
    Expired,
    Faulted,
    Fulfilled,
    Locked,
    MarketEvent,
    RequestState,
    Withdrawn,
)
from quorate.marketplace import BidPolicy, IllegalTransition, Price, SignedRequest, observe
from quorate.node.chain import (
    FollowerPolicy,
    Log,
    LogFilter,
    LogFollower,
    MarketClient,
    SenderPolicy,
    Signer,
    open_chain,
    open_sender,
)
from quorate.node.channel import CallLimits, Refusal, RefusalCode, call, expect_sessions, serve_calls
from quorate.node.config import NodeConfig
from quorate.node.control import serve_control
from quorate.node.errors import PeerError, QuorateNodeError
from quorate.node.files import disk_errors, write_private
from quorate.node.home import open_keys
from quorate.node.journal import Fact, HomeLock, Journal
from quorate.node.keys import NodeKeys
from quorate.node.mesh import DiscoveryConfig, Mesh, MeshConfig, open_mesh, peer_id_of
from quorate.node.orders import OrderDesk, unix_now
from quorate.node.orders.broker import Broker
from quorate.node.programs import Programs
from quorate.node.session.service import SessionService
from quorate.node.session.terms import Seat, SessionTerms
from quorate.node.store import ArchiveUnavailable, Registry, open_registry, parse_source
from quorate.protocol.codec import decode
from quorate.protocol.errors import MalformedMessage
from quorate.registry import Download, QuorateRegistryError, serve_archive
from quorate.registry.serving import MAX_REPLY_BYTES, MAX_REQUEST_BYTES
from quorate.registry.serving import PROTOCOL_ID as REGISTRY_PROTOCOL

READY_FILE: Final = "ready.json"
TRANSACTIONS_FILE: Final = "transactions.sqlite"
FOLLOWER_FILE: Final = "follower.sqlite"
PROGRAMS_FOLDER: Final = "programs"
FETCH_TIMEOUT_S: Final = 10.0
MAX_FETCH_PEERS: Final = 8
"""How many peers are asked for an archive in one round."""
FETCH_ROUNDS: Final = 10
FETCH_PAUSE_S: Final = 0.5
"""How long to wait before the next round: a requestor may just be joining, a neighbour just be fetching."""
SYNC_S: Final = 300.0
"""How often the registry's index is synchronised with its source."""

_STATE_AFTER: Final[dict[type[MarketEvent], RequestState]] = {
    Locked: RequestState.LOCKED,
    Fulfilled: RequestState.FULFILLED,
    Faulted: RequestState.FAULTED,
    Expired: RequestState.EXPIRED,
    Cancelled: RequestState.CANCELLED,
}

_log = structlog.get_logger(__name__)


async def run_daemon(config: NodeConfig) -> None:
    """Run the node of `config` until cancelled; raises QuorateNodeError when it cannot start."""
    async with AsyncExitStack() as stack:
        with disk_errors(config.home):
            stack.enter_context(HomeLock(config.home))
        keys = await trio.to_thread.run_sync(open_keys, config)
        journal = stack.enter_context(Journal.open(config.home))
        for session in await journal.run(journal.sessions.fail_unfinished, "the node was restarted"):
            _log.warning("session_failed_by_restart", session=session.session_id.hex()[:16])
        market = await _open_market(stack, config, keys)
        mesh = await stack.enter_async_context(open_mesh(keys.mesh.secret.reveal(), mesh_config(config)))
        registry = await open_node_registry(config, mesh)
        node = Node(config, keys=keys, journal=journal, market=market, mesh=mesh, registry=registry)
        await node.run()


async def _open_market(stack: AsyncExitStack, config: NodeConfig, keys: NodeKeys) -> MarketClient:
    chain = await stack.enter_async_context(open_chain(config.chain.url, expected_chain_id=config.chain.chain_id))
    sender = await stack.enter_async_context(
        open_sender(
            chain,
            Signer(keys.chain),
            journal_path=config.home / TRANSACTIONS_FILE,
            policy=sender_policy(config),
        )
    )
    market = MarketClient(chain, config.chain.market_bytes, sender=sender)
    await market.check()
    return market


def sender_policy(config: NodeConfig) -> SenderPolicy:
    """How this node sends transactions."""
    return SenderPolicy(
        depth=max(1, config.chain.confirmations),
        poll_seconds=config.chain.poll_seconds,
        max_fee=int(config.chain.max_fee_per_gas),
    )


def mesh_config(config: NodeConfig) -> MeshConfig:
    """The mesh of this node."""
    discovery = DiscoveryConfig(bootstrap=config.mesh.bootstrap, mdns=config.mesh.mdns)
    return MeshConfig(listen=config.mesh.listen, discovery=discovery)


async def open_node_registry(config: NodeConfig, mesh: Mesh) -> Registry:
    """The registry of a home, synchronised with its source if that answers, asking peers for what it lacks."""

    async def fetch(content_hash: bytes) -> bytes:
        return await fetch_archive(mesh, content_hash)

    index = config.registry.index
    source = parse_source(index, base=config.home) if index is not None else None
    registry = await open_registry(config.home / PROGRAMS_FOLDER, source=source, fetch=fetch)
    try:
        await registry.sync()
    except (QuorateNodeError, QuorateRegistryError) as error:
        _log.warning("registry_not_synchronised", reason=str(error))
    return registry


class _LyingPeer(PeerError):
    """A peer that sent something else than the archive it was asked for."""


async def fetch_archive(mesh: Mesh, content_hash: bytes, *, rounds: int = FETCH_ROUNDS) -> bytes:
    """The verified archive of `content_hash` from one of our peers; ArchiveUnavailable when none has it.

    All are asked up to `rounds` times, since a request may arrive a little before its program does; one that lies
    is named in the log and not asked again.
    """
    reasons: dict[str, str] = {}
    liars: set[str] = set()
    for number in range(rounds):
        if number:
            await trio.sleep(FETCH_PAUSE_S)
        for peer in [peer for peer in mesh.peers() if peer not in liars][:MAX_FETCH_PEERS]:
            try:
                return await _archive_of(mesh, peer, content_hash)
            except _LyingPeer as error:
                liars.add(peer)
                reasons[peer] = error.reason
                _log.warning("archive_refused", peer=peer, archive=content_hash.hex()[:16], reason=error.reason)
            except (QuorateNodeError, QuorateRegistryError) as error:
                reasons[peer] = str(error)
    told = "; ".join(f"{peer}: {reason}" for peer, reason in reasons.items())
    raise ArchiveUnavailable(content_hash, told or "there are no peers to ask")


async def _archive_of(mesh: Mesh, peer: str, content_hash: bytes) -> bytes:
    """The archive as `peer` has it, verified; _LyingPeer when it is another one, InvalidPackage when it has none."""
    download = Download(content_hash)
    while (request := download.request()) is not None:
        reply = await call(
            mesh, peer, REGISTRY_PROTOCOL, request, timeout_s=FETCH_TIMEOUT_S, most_bytes=MAX_REPLY_BYTES
        )
        try:
            download.receive(reply)
        except MalformedMessage as error:
            raise _LyingPeer(peer, error.reason) from None
    try:
        return download.result()
    except QuorateRegistryError as error:
        raise _LyingPeer(peer, str(error)) from None


def serve_archives(mesh: Mesh, registry: Registry) -> None:
    """Answer every peer's requests for archives that this node holds."""

    async def answer(peer: str, request: bytes) -> bytes:
        try:
            return await trio.to_thread.run_sync(serve_archive, registry.load, request)
        except MalformedMessage as error:
            raise Refusal(RefusalCode.MALFORMED, error.reason) from None

    limits = CallLimits(most_request_bytes=MAX_REQUEST_BYTES, most_reply_bytes=MAX_REPLY_BYTES)
    serve_calls(mesh, REGISTRY_PROTOCOL, answer, limits=limits)


class Node:
    """One running node: the parts, and what the chain's events make them do."""

    def __init__(
        self,
        config: NodeConfig,
        *,
        keys: NodeKeys,
        journal: Journal,
        market: MarketClient,
        mesh: Mesh,
        registry: Registry,
    ) -> None:
        self.config = config
        self.keys = keys
        self.journal = journal
        self.market = market
        self.mesh = mesh
        self.registry = registry
        self.programs = Programs(registry)
        self.desk = OrderDesk(mesh, market.domain)
        self._sessions: SessionService | None = None
        self._broker: Broker | None = None

    @property
    def sessions(self) -> SessionService:
        """The sessions; there once `run` has begun."""
        assert self._sessions is not None
        return self._sessions

    @property
    def broker(self) -> Broker:
        """The broker; there once `run` has begun."""
        assert self._broker is not None
        return self._broker

    async def run(self) -> None:
        """Serve, bid and compute until cancelled."""
        follower = LogFollower(
            self.market.chain,
            LogFilter((self.market.address,)),
            path=self.config.home / FOLLOWER_FILE,
            policy=FollowerPolicy(
                depth=max(1, self.config.chain.confirmations), poll_seconds=self.config.chain.poll_seconds
            ),
        )
        ready = self.config.home / READY_FILE
        try:
            async with trio.open_nursery() as nursery:
                self._sessions = SessionService(
                    self.mesh, self.market, keys=self.keys, journal=self.journal, nursery=nursery
                )
                self._broker = self._make_broker()
                expect_sessions(self.mesh)
                self.sessions.serve()
                self.desk.serve()
                serve_archives(self.mesh, self.registry)
                nursery.start_soon(self.desk.run)
                nursery.start_soon(self.broker.run)
                nursery.start_soon(follower.run, self)
                nursery.start_soon(self._sync_often)
                await nursery.start(serve_control, self.config.home, self._control_methods())
                self._write_ready(ready)
                _log.info("ready", peer=self.mesh.peer_id, account=self.keys.chain.address)
        finally:
            ready.unlink(missing_ok=True)
            follower.close()
            _log.info("stopped")

    def _make_broker(self) -> Broker:
        pricing, limits = self.config.pricing, self.config.limits
        policy = BidPolicy(
            prices={COIN: Price(base=int(pricing.base_price))},
            collateral_caps={COIN: int(pricing.collateral_cap)},
            sessions=limits.sessions,
            memory_bytes=limits.memory_mb << 20,
        )
        return Broker(
            self.desk,
            self.market,
            self.programs,
            mesh=self.mesh,
            keys=self.keys,
            journal=self.journal,
            policy=policy,
            running=self.sessions.running_requests,
            clock=unix_now,
        )

    def _write_ready(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        content = {
            "peer_id": self.mesh.peer_id,
            "addresses": self.mesh.addresses,
            "address": self.keys.chain.address,
            "pid": os.getpid(),
        }
        write_private(path, json.dumps(content).encode())

    async def _sync_often(self) -> None:
        while True:
            await trio.sleep(SYNC_S)
            try:
                await self.registry.sync()
            except (QuorateNodeError, QuorateRegistryError) as error:
                _log.warning("registry_not_synchronised", reason=str(error))
            await self.journal.run(self.journal.envelopes.prune, now=unix_now())

    # --- the chain

    async def apply(self, logs: Sequence[Log]) -> None:
        """Act on the market's events; idempotent, as the follower asks."""
        for log in logs:
            event = self.market.event_of(log)
            if event is not None:
                await self._record(event, log.block_number)
                await self._act(event)

    async def rollback(self, block_number: int) -> None:
        """Forget what blocks that are gone said of accounts; sessions ask the chain themselves before they act.

        Each start begins with one of these, a reorganisation of the chain brings more.
        """
        await self.journal.run(self.journal.facts.roll_back, above_block=block_number)
        _log.info("chain_place", block=block_number)

    async def _record(self, event: MarketEvent, block_number: int) -> None:
        """Bring the journal's order up to what the chain says, and note what it says of accounts."""
        state = _STATE_AFTER.get(type(event))
        if state is None or isinstance(event, Deposited | Withdrawn):
            return
        order = await self.journal.run(self.journal.orders.get, event.request_id)
        if order is not None:
            try:
                after = observe(order.state, state)
                await self.journal.run(self.journal.orders.set_state, event.request_id, after)
            except IllegalTransition as error:
                _log.warning("order_contradicted", request=event.request_id.hex()[:16], reason=str(error))
        facts = [
            Fact(account=account, kind=kind, request_id=event.request_id, block_number=block_number, at=unix_now())
            for account, kind in self._facts_of(event)
        ]
        if facts:
            await self.journal.run(self.journal.facts.add, facts)

    def _facts_of(self, event: MarketEvent) -> list[tuple[bytes, str]]:
        if isinstance(event, Fulfilled):
            return [(member, "fulfilled") for member in self.desk.committee(event.request_id)]
        if isinstance(event, Faulted) and any(event.accused):
            return [(event.accused, "slashed")]
        if isinstance(event, Expired) and event.slashed:
            return [(member, "expired") for member in self.desk.committee(event.request_id)]
        return []

    async def _act(self, event: MarketEvent) -> None:
        if isinstance(event, Locked):
            self.broker.close_bid(event.request_id)
            self.desk.locked(event.request_id, event.members)
            if self.keys.chain.account in event.members:
                await self._begin_session(event)
        elif isinstance(event, Cancelled | Expired | Fulfilled | Faulted):
            self.broker.close_bid(event.request_id)
            self.desk.book.remove(event.request_id)

    async def _begin_session(self, event: Locked) -> None:
        request_id = event.request_id
        log = _log.bind(session=request_id.hex()[:16])
        order = await self.journal.run(self.journal.orders.get, request_id)
        if order is None:
            log.error("locked_without_bid", reason="the journal knows no bid of ours for this request")
            return
        signed = decode(SignedRequest, order.request)
        state = await self.market.state(request_id)
        if state is not RequestState.LOCKED or signed.request.deadline <= unix_now():
            log.info("lock_is_over", state=state.name.lower())  # an old event, read again after a restart
            return
        try:
            task = await self.programs.task(request_id, signed.details)
        except QuorateNodeError as error:
            log.error("session_not_begun", reason=str(error))
            return
        seats = tuple(
            Seat(party, member, peer_id_of(key), price)
            for party, (member, price, key) in enumerate(
                zip(event.members, event.prices, event.peer_keys, strict=True), start=1
            )
        )
        party = event.members.index(self.keys.chain.account) + 1
        if seats[party - 1].peer != self.mesh.peer_id:
            log.error("locked_with_another_peer", reason="the bid names another peer key than this node has")
            return
        self.sessions.start(SessionTerms(request_id, signed.request, signed.details, seats, party, task))

    # --- the operator

    def _control_methods(self) -> dict[str, object]:
        async def status(_: Mapping[str, object]) -> object:
            return await self._status()

        async def peers(_: Mapping[str, object]) -> object:
            return [
                {"peer_id": peer, "addresses": self.mesh.known_addresses(peer), "since": ""}
                for peer in sorted(self.mesh.peers())
            ]

        return {"status": status, "peers": peers}

    async def _status(self) -> dict[str, object]:
        account = self.keys.chain.account
        return {
            "peer_id": self.mesh.peer_id,
            "addresses": self.mesh.addresses,
            "account": self.keys.chain.address,
            "peers": len(self.mesh.peers()),
            "sessions": self.sessions.running,
            "open_bids": self.broker.open_bids,
            "orders": len(self.desk.book),
            "free_wei": await self.market.free_balance(COIN, account),
            "balance_wei": await self.market.chain.balance(account),
            "memory_mb": memory_mb(),
        }


def memory_mb() -> int:
    """The largest resident memory of this process so far, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak >> 20 if sys.platform == "darwin" else peak >> 10
