"""Gossip: everyone gets everything, once, signed, and nobody can flood."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import trio
from libp2p.pubsub.pb import rpc_pb2

from quorate.node.mesh import DiscoveryConfig, GossipConfig, Mesh, MessageTooLarge, Received

TOPIC = "quorate/orders"


async def ring(nodes: list[Mesh]) -> None:
    """Each node knows two others only, so messages must be forwarded."""
    for index, node in enumerate(nodes):
        for step in (1, 2):
            await node.connect(nodes[(index + step) % len(nodes)].addresses[0])


@pytest.mark.slow
async def test_ten_nodes_all_get_every_message_once(net: SimpleNamespace) -> None:
    config = net.quiet(gossip=GossipConfig(heartbeat_s=0.2))
    messages = 20
    async with net.meshes(10, config) as nodes:
        await ring(nodes)
        counts: dict[str, list[bytes]] = {node.peer_id: [] for node in nodes}
        ready, everyone = trio.Event(), trio.Event()

        async def listen(node: Mesh, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
            async with node.subscribe(TOPIC) as received:
                task_status.started()
                async for message in received:
                    assert message.author in counts
                    counts[node.peer_id].append(message.data)
                    if all(len(each) == messages * len(nodes) for each in counts.values()):
                        everyone.set()

        async with trio.open_nursery() as nursery:
            for node in nodes:
                await nursery.start(listen, node)
            with trio.fail_after(30):
                for node in nodes:
                    await node.wait_for_neighbours(TOPIC, 3)
            ready.set()

            async def publish(index: int, node: Mesh) -> None:
                for number in range(messages):
                    await node.publish(TOPIC, f"{index}/{number}".encode() + bytes(200))
                    await trio.sleep(0.1)

            for index, node in enumerate(nodes):
                nursery.start_soon(publish, index, node)
            with trio.fail_after(60):
                await everyone.wait()
            await trio.sleep(0.3)
            nursery.cancel_scope.cancel()
        for data in counts.values():
            assert len(data) == len(set(data)) == messages * len(nodes)


async def two_listening(net: SimpleNamespace, config: GossipConfig) -> Any:
    return net.meshes(2, net.quiet(gossip=config, discovery=DiscoveryConfig(exchange=False)))


async def test_validators_and_limits(net: SimpleNamespace) -> None:
    config = GossipConfig(heartbeat_s=0.1, most_message_bytes=1000)
    async with await two_listening(net, config) as (one, two):
        await one.connect(two.addresses[0])

        def validator(message: Received) -> bool:
            if message.data == b"bug":
                raise RuntimeError("a bug in a validator")
            return message.data != b"bad"

        async with one.subscribe(TOPIC), two.subscribe(TOPIC, validator) as received:
            with trio.fail_after(20):
                await one.wait_for_neighbours(TOPIC, 1)
                for data in (b"bad", b"bug", b"good"):
                    await one.publish(TOPIC, data)
                message = await received.receive()
            assert message == Received(TOPIC, one.peer_id, b"good")
            assert two.statistics().gossip_dropped["invalid"] == 2
            assert two.subscribers(TOPIC) == [one.peer_id]
            with pytest.raises(MessageTooLarge):
                await one.publish(TOPIC, bytes(1001))
            with pytest.raises(ValueError, match="subscriber already"):
                async with two.subscribe(TOPIC):
                    pass


async def test_floods_and_forgeries_are_dropped_and_counted(net: SimpleNamespace) -> None:
    config = GossipConfig(heartbeat_s=0.1, most_messages_per_s=10, most_message_bytes=1000)
    async with await two_listening(net, config) as (one, two):
        await one.connect(two.addresses[0])
        async with one.subscribe(TOPIC), two.subscribe(TOPIC) as received:
            with trio.fail_after(20):
                await one.wait_for_neighbours(TOPIC, 1)
            for data, topics in ((bytes(5000), [TOPIC]), (b"two topics", [TOPIC, "other"]), (b"forged", [TOPIC])):
                forged = rpc_pb2.Message(data=data, topicIDs=topics, from_id=two._swarm.self_id.to_bytes())
                forged.seqno = data[:8]
                rpc = rpc_pb2.RPC(publish=[forged])
                for queue in one._gossip._pubsub.peer_queues.values():
                    queue.push(rpc)
            for number in range(100):
                await one.publish(TOPIC, b"%d" % number)
            await net.until(lambda: two.statistics().gossip_dropped.get("rate", 0) >= 50)
            dropped = two.statistics().gossip_dropped
            assert dropped["size"] == 1
            assert dropped["topics"] == 1
            got = [received.receive_nowait().data for _ in range(received.statistics().current_buffer_used)]
            assert b"forged" not in got
            assert 1 <= len(got) <= 50


async def test_a_subscriber_that_does_not_read_loses_the_newest(net: SimpleNamespace) -> None:
    config = GossipConfig(heartbeat_s=0.1, most_queued_in=5)
    async with await two_listening(net, config) as (one, two):
        await one.connect(two.addresses[0])
        async with one.subscribe(TOPIC), two.subscribe(TOPIC) as received:
            with trio.fail_after(20):
                await one.wait_for_neighbours(TOPIC, 1)
            for number in range(20):
                await one.publish(TOPIC, b"%d" % number)
            await net.until(lambda: two.statistics().gossip_dropped.get("subscriber", 0) == 15)
            assert [received.receive_nowait().data for _ in range(5)] == [b"%d" % number for number in range(5)]
