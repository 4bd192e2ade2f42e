"""The transport of benchmarks: order, long messages both ways at once, broken and lying peers."""

import socket
import struct

import pytest
import trio

from quorate.node.bench.loopback import LOOPBACK, MAX_PAYLOAD_BYTES, listen, open_loopback
from quorate.node.driver import drive
from quorate.protocol.errors import PartyFault
from quorate.protocol.field import BN254
from quorate.protocol.mpc import PASSIVE, Party, PartyId, multiply, open_shares
from quorate.protocol.sharing import share
from quorate.protocol.simulation import SeededRandomness


async def pair(body):
    """Run body(transport of 1, transport of 2), each in its own task."""
    listeners = {party: listen() for party in (1, 2)}
    ports = {party: listener.getsockname()[1] for party, listener in listeners.items()}

    async def one(party):
        async with open_loopback(party, listeners[party], ports) as transport:
            await body(party, transport)

    async with trio.open_nursery() as nursery:
        for party in listeners:
            nursery.start_soon(one, party)


async def test_messages_keep_their_order_and_operation():
    async def body(party, transport):
        other = 3 - party
        for number in range(300):
            await transport.send(other, bytes([party]) * number, operation=number)
        for number in range(300):
            message = await transport.receive_message(other)
            assert (message.operation, message.payload) == (number, bytes([other]) * number)

    await pair(body)


async def test_long_messages_cross():
    size = 5_000_000

    async def body(party, transport):
        other = 3 - party
        for _ in range(4):
            await transport.send(other, bytes([party]) * size)
        for _ in range(4):
            assert await transport.receive(other) == bytes([other]) * size

    await pair(body)


async def test_the_driver_runs_a_protocol_over_it():
    opened = {}
    shares = share(BN254, BN254.vector(range(9)), parties=2, threshold=0, randomness=SeededRandomness(1, "x"))

    async def body(party, transport):
        own = Party(BN254, PartyId(party), parties=2, threshold=0, randomness=bytes, scheme=PASSIVE)
        product = await drive(multiply(own, shares[party - 1], shares[party - 1]), transport)
        opened[party] = BN254.integers(await drive(open_shares(own, product), transport))

    await pair(body)
    assert opened[1] == opened[2] == [value * value for value in range(9)]


async def stranger(message):
    """What party 1 meets when the peer that says it is party 2 sends `message` and leaves."""
    listener = listen()
    with socket.create_connection((LOOPBACK, listener.getsockname()[1])) as peer:
        peer.sendall(struct.pack("<H", 2) + message)
    async with open_loopback(1, listener, {1: 0, 2: 0}) as transport:
        await transport.receive(2)


@pytest.mark.parametrize(
    "message", [b"", b"\x01", struct.pack("<IH", 10, 0) + b"short", struct.pack("<IH", 1 << 20, 0) + bytes(1000)]
)
async def test_a_peer_that_leaves_is_named(message):
    with pytest.raises(PartyFault, match="closed its connection") as fault:
        await stranger(message)
    assert fault.value.party == 2


async def test_a_message_beyond_the_bound_is_refused():
    with pytest.raises(PartyFault, match="announced"):
        await stranger(struct.pack("<IH", MAX_PAYLOAD_BYTES + 1, 0))
