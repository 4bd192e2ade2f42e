"""Gossipsub 1.1 with our own limits: what comes in is counted per forwarder, what goes out has room to queue.

libp2p drops silently at 10 messages a second, at 32 queued messages and at 1 MiB; here each of these is a
number of `GossipConfig`, and every drop is counted. Messages are signed, and a message that is unsigned, too
large, of several topics or of a topic nobody here reads is dropped before its signature is checked.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import trio
from libp2p.custom_types import TProtocol
from libp2p.peer.id import ID
from libp2p.pubsub.gossipsub import GossipSub
from libp2p.pubsub.pb import rpc_pb2
from libp2p.pubsub.pubsub import Pubsub
from libp2p.pubsub.rpc_queue import RpcQueue

from .config import GossipConfig
from .errors import MessageTooLarge
from .rate import RateLimit
from .received import Received, Validator
from .scopes import shielded
from .service import contained
from .swarm import MeshHost

MESHSUB: Final = TProtocol("/meshsub/1.1.0")
_ENVELOPE_BYTES: Final = 4096
_MOST_FORWARDERS: Final = 1024
_log = logging.getLogger(__name__)


class MeshPubsub(Pubsub):
    """Pubsub with a rate limit in front of every expensive step."""

    def __init__(self, host: MeshHost, router: GossipSub, config: GossipConfig) -> None:
        self.gossip = config
        self.dropped: Counter[str] = Counter()
        self.subscribers: dict[str, trio.MemorySendChannel[Received]] = {}
        self._rates: OrderedDict[ID, RateLimit] = OrderedDict()
        super().__init__(
            host,
            router,
            strict_signing=True,
            max_subscriptions_per_rpc=config.most_topics,
            max_subscriptions_per_peer=config.most_topics,
            max_inbound_rpc_size=8 * (config.most_message_bytes + _ENVELOPE_BYTES),
            validation_cache_size=4096,
        )

    async def push_msg(self, msg_forwarder: ID, msg: rpc_pb2.Message) -> None:
        """Check a message cheaply, then let libp2p verify, deliver and forward it."""
        reason = self._objection(msg_forwarder, msg)
        if reason:
            self.dropped[reason] += 1
            return
        await super().push_msg(msg_forwarder, msg)

    def _objection(self, forwarder: ID, msg: rpc_pb2.Message) -> str:
        """Why a message is dropped unseen; empty when it is not."""
        if len(msg.topicIDs) != 1:
            return "topics"
        if len(msg.data) > self.gossip.most_message_bytes:
            return "size"
        if forwarder == self.my_id or self._is_msg_seen(msg):
            return ""
        return "" if self._rate_of(forwarder).take() else "rate"

    def _rate_of(self, forwarder: ID) -> RateLimit:
        rate = self._rates.get(forwarder)
        if rate is None:
            if len(self._rates) >= _MOST_FORWARDERS:
                self._rates.popitem(last=False)
            rate = self._rates[forwarder] = RateLimit(
                self.gossip.most_messages_per_s, 2 * self.gossip.most_messages_per_s, trio.current_time
            )
        return rate

    async def _handle_new_peer(self, peer_id: ID) -> None:
        """Give every new peer an outbound queue of our size."""
        known = peer_id in self.peers
        await super()._handle_new_peer(peer_id)
        queue = self.peer_queues.get(peer_id)
        if not known and queue is not None:
            _resize(queue, self.gossip.most_queued_out)

    def notify_subscriptions(self, publish_message: rpc_pb2.Message) -> None:
        """Hand a valid message to its subscriber; a full subscriber loses the newest, and it is counted."""
        channel = self.subscribers.get(publish_message.topicIDs[0])
        if channel is not None:
            try:
                channel.send_nowait(_received(publish_message))
            except (trio.WouldBlock, trio.BrokenResourceError):
                self.dropped["subscriber"] += 1


def _resize(queue: RpcQueue, most: int) -> None:
    cast(Any, queue)._queue.max_size = most  # RpcQueue offers no other way to set the size of a peer's queue


class MeshRouter(GossipSub):
    """Gossipsub 1.1 without the statistics that only later versions use and nothing ever trims."""

    def __init__(self, config: GossipConfig) -> None:
        super().__init__(
            protocols=[MESHSUB],
            degree=config.degree,
            degree_low=config.degree_low,
            degree_high=config.degree_high,
            heartbeat_interval=cast(int, config.heartbeat_s),  # used as seconds, fractions too
            spam_protection_enabled=False,
            adaptive_gossip_enabled=False,
            eclipse_protection_enabled=False,
        )

    def mesh_heartbeat(self) -> Any:
        """Once a heartbeat, forget the delivery times that libp2p only ever appends to."""
        self.recent_message_deliveries.clear()
        return super().mesh_heartbeat()


class Gossip:
    """Publish and subscribe; a thin face over libp2p's pubsub."""

    def __init__(self, pubsub: MeshPubsub, router: MeshRouter, config: GossipConfig) -> None:
        self._pubsub = pubsub
        self._router = router
        self._config = config

    @property
    def dropped(self) -> Counter[str]:
        """Messages dropped so far, by reason: topics, size, rate, invalid, subscriber."""
        return self._pubsub.dropped

    def peers(self, topic: str) -> list[str]:
        """The peers that subscribe to `topic`, as far as we know."""
        return [str(peer) for peer in self._pubsub.peer_topics.get(topic, ())]

    def neighbours(self, topic: str) -> list[str]:
        """The peers with which we exchange whole messages of `topic`."""
        return [str(peer) for peer in self._router.mesh.get(topic, ())]

    async def publish(self, topic: str, data: bytes) -> None:
        """Sign and spread one message; MessageTooLarge above `most_message_bytes`."""
        if len(data) > self._config.most_message_bytes:
            raise MessageTooLarge(f"a message for {topic}", size=len(data), limit=self._config.most_message_bytes)
        await self._pubsub.publish(topic, data)

    @asynccontextmanager
    async def subscribe(
        self, topic: str, validator: Validator | None
    ) -> AsyncIterator[trio.MemoryReceiveChannel[Received]]:
        """Receive the messages of `topic` that `validator` accepts, until the block ends."""
        if topic in self._pubsub.topic_ids:
            raise ValueError(f"the topic {topic} has a subscriber already")
        if validator is not None:
            self._pubsub.set_topic_validator(topic, self._checked(validator), False)
        send, receive = trio.open_memory_channel[Received](self._config.most_queued_in)
        self._pubsub.subscribers[topic] = send
        await self._pubsub.subscribe(topic)
        try:
            yield receive
        finally:
            del self._pubsub.subscribers[topic]
            with shielded():
                await self._pubsub.unsubscribe(topic)
            self._pubsub.remove_topic_validator(topic)
            send.close()
            receive.close()

    def _checked(self, validator: Validator) -> Callable[[ID, rpc_pb2.Message], bool]:
        def check(forwarder: ID, msg: rpc_pb2.Message) -> bool:
            try:
                valid = validator(_received(msg))
            except Exception as error:
                _log.warning("the validator of %s failed: %r", msg.topicIDs[0], error)
                valid = False
            self._pubsub.dropped["invalid"] += not valid
            return valid

        return check


def _received(msg: rpc_pb2.Message) -> Received:
    return Received(str(msg.topicIDs[0]), str(ID(msg.from_id)), bytes(msg.data))


@asynccontextmanager
async def run_gossip(host: MeshHost, config: GossipConfig) -> AsyncIterator[Gossip]:
    """Gossip on a running host, until the block ends."""
    router = MeshRouter(config)
    pubsub = MeshPubsub(host, router, config)
    async with contained(pubsub), contained(router):
        await pubsub.wait_until_ready()
        yield Gossip(pubsub, router, config)
