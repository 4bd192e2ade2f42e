"""Peers that die, freeze, come back: how soon we know, and that we find them again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
import trio

from quorate.node.mesh import DiscoveryConfig, Mesh, MuxerLimits, StreamBroken, open_mesh

PEER = """
import sys, trio
from quorate.node.mesh import DiscoveryConfig, GossipConfig, MeshConfig, open_mesh

async def main():
    config = MeshConfig(gossip=GossipConfig(enabled=False), discovery=DiscoveryConfig(exchange=False))
    async def echo(stream):
        while data := await stream.receive():
            await stream.send(data)
    async with open_mesh(bytes.fromhex(sys.argv[1]), config) as mesh:
        mesh.serve("/echo/1", echo)
        print(mesh.addresses[0], flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


@contextmanager
def process(key: bytes) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A node in a process of its own, and its address."""
    command = [sys.executable, "-c", PEER, key.hex()]
    path = os.pathsep.join(str(Path(each)) for each in sys.path if each)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ) as child:
        assert child.stdout is not None
        try:
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_a_dead_or_frozen_peer_is_noticed(net: SimpleNamespace, how: signal.Signals) -> None:
    config = net.quiet(muxer=MuxerLimits(ping_s=0.2, silence_s=2.0))
    async with net.meshes(1, config) as (near,):
        with process(net.seed_key("process")) as (child, address):
            peer = await near.connect(address)
            stream = await near.open_stream(peer, "/echo/1")
            await stream.send(b"x")
            assert await stream.receive() == b"x"
            child.send_signal(how)
            with trio.fail_after(30), pytest.raises(StreamBroken) as caught:
                await stream.receive()
            await net.until(lambda: near.peers() == [])
            expected = "closed" if how is signal.SIGKILL else "silent"
            assert expected in caught.value.reason or "broke" in caught.value.reason


async def test_silence_ends_a_connection_and_a_stall_of_ours_does_not(net: SimpleNamespace) -> None:
    config = net.quiet(muxer=MuxerLimits(ping_s=0.05, silence_s=0.3))
    async with net.meshes(2, config) as (near, far):
        far.serve("/echo/1", net.echo)
        await near.connect(far.addresses[0])
        stall = trio.current_time() + 1.0
        while trio.current_time() < stall:  # the loop stands still, as if it computed
            pass
        assert await net.echoes(near, far.peer_id)
        conn = net.muxer(far, near.peer_id)
        conn.secured_conn.send = lambda plaintext: None  # it still reads, and answers nothing
        await net.until(lambda: near.peers() == [])


async def test_a_restarted_bootstrap_is_found_again(net: SimpleNamespace) -> None:
    async with net.meshes(1, name="bootstrap") as (first,):
        address, port = first.addresses[0], net.tcp_port(first)
    listen = net.quiet(listen=(f"/ip4/127.0.0.1/tcp/{port}",))
    discovery = DiscoveryConfig(bootstrap=(address,), exchange=False, retry_s=0.05, most_retry_s=0.2)
    async with open_mesh(net.seed_key("node"), net.quiet(discovery=discovery)) as node:
        for _ in range(2):
            async with net.meshes(1, listen, name="bootstrap") as (bootstrap,):
                with trio.fail_after(20):
                    await node.wait_for_peers(1)
                assert node.peers() == [bootstrap.peer_id]
            await net.until(lambda: node.peers() == [])


async def test_peers_tell_each_other_of_peers(net: SimpleNamespace) -> None:
    async with net.meshes(1, net.quiet(discovery=DiscoveryConfig())) as (hub,):
        discovery = DiscoveryConfig(bootstrap=(hub.addresses[0],), exchange_s=0.1, retry_s=0.1)
        async with net.meshes(4, net.quiet(discovery=discovery), name="n") as nodes:
            with trio.fail_after(30):
                for node in nodes:
                    await node.wait_for_peers(4)


async def test_the_local_network_never_stops_a_node(net: SimpleNamespace, pair: tuple[Mesh, Mesh]) -> None:
    """With multicast the two find each other; without it they run all the same."""
    near, _ = pair
    discovery = DiscoveryConfig(mdns=True, exchange=False, retry_s=0.1)
    async with net.meshes(2, net.quiet(discovery=discovery), name="site") as (one, two):
        with trio.move_on_after(3):
            await one.wait_for_peers(1)
        one.serve("/echo/1", net.echo)
        await near.connect(one.addresses[0])
        assert await net.echoes(near, one.peer_id)
        assert set(one.peers()) <= {near.peer_id, two.peer_id}
