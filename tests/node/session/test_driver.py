"""The driver: what a machine asks for is sent and awaited, and who fails it is named."""

import threading
import time

import pytest
import trio
from trio.testing import MockClock

from quorate.node import driver
from quorate.node.driver import ROUND_TIMEOUT_S, drive
from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import Exchange


@pytest.fixture
def autojump_clock():
    return MockClock(autojump_threshold=0)


class Wires:
    """A transport whose peers say what `replies` holds, by party, and then nothing."""

    def __init__(self, replies):
        self.replies = {party: list(payloads) for party, payloads in replies.items()}
        self.sent = []

    async def send(self, party, payload):
        await trio.lowlevel.checkpoint()
        self.sent.append((party, payload))

    async def receive(self, party):
        if not self.replies.get(party):
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        return self.replies[party].pop(0)


def sums(rounds, *, closed=None):
    """Exchanges one byte with parties 2 and 3 in each round, and returns the sum of what came."""
    total = 0
    try:
        for number in range(rounds):
            replies = yield Exchange({2: bytes([number]), 3: bytes([number])}, {2: 1, 3: 1})
            total += sum(reply[0] for reply in replies.values())
        return total
    finally:
        if closed is not None:
            closed.append(True)


async def test_rounds_go_out_and_come_in():
    wires = Wires({2: [b"\x01", b"\x02"], 3: [b"\x03", b"\x04"]})
    assert await drive(sums(2), wires) == 10
    assert wires.sent == [(2, b"\x00"), (3, b"\x00"), (2, b"\x01"), (3, b"\x01")]


async def test_a_machine_without_rounds_ends_at_once():
    assert await drive(sums(0), Wires({})) == 0


async def test_a_silent_party_is_blamed_after_the_round_timeout(autojump_clock):
    closed = []
    started = trio.current_time()
    with pytest.raises(PartyFault, match="nothing for 20 s") as fault:
        await drive(sums(2, closed=closed), Wires({2: [b"\x01", b"\x01"], 3: [b"\x01"]}))
    assert fault.value.party == 3
    assert trio.current_time() - started == pytest.approx(ROUND_TIMEOUT_S)
    assert closed == [True]


async def test_the_round_timeout_can_be_chosen(autojump_clock):
    started = trio.current_time()
    with pytest.raises(PartyFault, match="nothing for 90 s"):
        await drive(sums(1), Wires({}), round_timeout_s=90)
    assert trio.current_time() - started == pytest.approx(90)


@pytest.mark.parametrize("payload", [b"", b"ab"])
async def test_a_party_that_sends_another_size_is_blamed(payload):
    with pytest.raises(PartyFault, match=f"sent {len(payload)} bytes in a round of 1") as fault:
        await drive(sums(1), Wires({2: [b"\x01"], 3: [payload]}))
    assert fault.value.party == 3


async def test_what_the_transport_blames_leaves_as_it_is():
    class Broken(Wires):
        async def receive(self, party):
            await trio.lowlevel.checkpoint()
            raise PartyFault(party, "its stream broke")

    closed = []
    with pytest.raises(PartyFault, match="stream broke") as fault:
        await drive(sums(1, closed=closed), Broken({}))
    assert (fault.value.party, closed) == (2, [True])


async def test_a_slow_step_sends_the_next_one_to_a_thread_and_a_quick_one_brings_it_back():
    threads = []

    def machine():
        for seconds in (0, 2 * driver.SLOW_STEP_S, 0, 0):
            threads.append(threading.current_thread())
            time.sleep(seconds)
            yield Exchange({}, {})
        return "end"

    assert await drive(machine(), Wires({})) == "end"
    loop = threading.current_thread()
    assert [thread is loop for thread in threads[:3]] == [True, True, False]


async def test_what_the_machine_raises_in_a_thread_arrives():
    def machine():
        time.sleep(2 * driver.SLOW_STEP_S)
        yield Exchange({}, {})
        raise PartyFault(2, "its share is off the polynomial")

    with pytest.raises(PartyFault, match="off the polynomial"):
        await drive(machine(), Wires({}))


async def test_cancelling_closes_the_machine():
    closed = []
    with trio.move_on_after(0.01):
        await drive(sums(1, closed=closed), Wires({}))
    assert closed == [True]
