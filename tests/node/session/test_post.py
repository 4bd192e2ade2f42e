"""The driver when machines need not hear all: late, early and missing messages, and peers that do not read."""

from collections import deque
from dataclasses import dataclass

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from quorate.node import post as post_module
from quorate.node.driver import drive, open_post
from quorate.protocol.errors import PartyFault
from quorate.protocol.mpc import Converse, Exchange

TWO_OF = dict.fromkeys((2, 3, 4), 1)


@pytest.fixture
def autojump_clock():
    return MockClock(autojump_threshold=0)


@dataclass
class Letter:
    operation: int
    payload: bytes


class Wires:
    """A transport to scripted peers: a script is payloads, (operation, payload) pairs, seconds and errors."""

    def __init__(self, scripts, *, deaf=()):
        self.scripts = {party: deque(script) for party, script in scripts.items()}
        self.deaf = set(deaf)
        self.sent = []

    async def send(self, party, payload, *, operation=0):
        if party in self.deaf:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        self.sent.append((party, operation, payload))

    async def receive(self, party):
        return (await self.receive_message(party)).payload

    async def receive_message(self, party):
        script = self.scripts.get(party, deque())
        while script:
            step = script[0]
            if isinstance(step, float):
                await trio.sleep(step)
                script.popleft()
                continue
            await trio.lowlevel.checkpoint()
            script.popleft()
            if isinstance(step, Exception):
                raise step
            return Letter(*step) if isinstance(step, tuple) else Letter(0, step)
        return await trio.sleep_forever()


def rounds(number, *, needed, deadline_ms=None):
    seen = []
    for step in range(number):
        outgoing = dict.fromkeys(TWO_OF, bytes([step]))
        seen.append((yield Exchange(outgoing, TWO_OF, lambda replies: len(replies) >= needed, deadline_ms)))
    return seen


async def test_a_round_ends_at_enough_and_what_comes_late_is_dropped(autojump_clock):
    wires = Wires({2: [b"a", b"b", b"c"], 3: [b"A", b"B", b"C"], 4: [1.0, b"x", b"y", b"z"]})

    def machine():
        seen = yield from rounds(2, needed=2)
        seen.append((yield Exchange({}, TWO_OF, lambda replies: len(replies) == 3)))
        return seen

    first, second, third = await drive(machine(), wires)
    assert (first, second) == ({2: b"a", 3: b"A"}, {2: b"b", 3: b"B"})
    assert third == {2: b"c", 3: b"C", 4: b"z"}
    assert sorted(wires.sent) == [(party, 0, bytes([step])) for party in (2, 3, 4) for step in (0, 1)]


async def test_peers_that_are_gone_or_send_other_sizes_raise_nothing(autojump_clock):
    wires = Wires({2: [b"a", PartyFault(2, "left")], 3: [b"long"], 4: [PartyFault(4, "left")]})
    assert await drive(rounds(1, needed=3), wires) == [{2: b"a", 3: b"long"}]


async def test_silence_passes_at_the_deadline(autojump_clock):
    started = trio.current_time()
    assert await drive(rounds(2, needed=3, deadline_ms=250), Wires({2: [b"a", b"b"]})) == [{2: b"a"}, {2: b"b"}]
    assert trio.current_time() - started == pytest.approx(0.5)


async def test_an_exchange_that_all_must_answer_keeps_its_rules_behind_one_that_need_not(autojump_clock):
    def machine():
        seen = yield from rounds(1, needed=1)
        seen.append((yield Exchange({}, TWO_OF)))
        return seen

    scripts = {2: [b"a", b"b"], 3: [2.0, b"late", b"B"], 4: [3.0, b"late", b"y"]}
    seen = await drive(machine(), Wires(scripts))
    assert seen == [{2: b"a"}, {2: b"b", 3: b"B", 4: b"y"}]
    with pytest.raises(PartyFault, match="sent nothing for 20 s") as fault:
        await drive(machine(), Wires(scripts | {2: [b"a", b"b"], 3: [b"late", b"B"], 4: [b"late"]}))
    assert fault.value.party == 4
    with pytest.raises(PartyFault, match="left") as fault:
        await drive(machine(), Wires({2: [b"a", b"b"], 3: [b"l", PartyFault(3, "left")], 4: [b"l", b"y"]}))
    assert fault.value.party == 3
    with pytest.raises(PartyFault, match="sent 2 bytes in a round of 1") as fault:
        await drive(machine(), Wires({2: [b"a", b"bb"], 3: [b"l", b"B"], 4: [b"l", b"y"]}))
    assert fault.value.party == 2


async def test_a_round_can_wait_for_more_with_a_conversation_between(autojump_clock):
    wires = Wires({2: [b"a", b"d"], 3: [0.5, (1, b"hi"), b"b", b"e"], 4: [1.0, b"c", 1.0, b"f"]})

    def machine():
        first = yield Exchange({}, TWO_OF, lambda replies: len(replies) >= 1)
        heard = yield Converse(1, (2, 3, 4))
        more = yield Exchange({}, {3: 1, 4: 1}, lambda replies: len(replies) >= 1, continues=True)
        rest = yield Exchange({}, {4: 1}, lambda replies: False, 10_000, continues=True)
        return first, heard, more, rest, (yield Exchange({}, TWO_OF))

    seen = await drive(machine(), wires)
    assert seen == ({2: b"a"}, {3: b"hi"}, {3: b"b"}, {4: b"c"}, {2: b"d", 3: b"e", 4: b"f"})


async def test_talk_without_end_does_not_put_a_deadline_off(autojump_clock):
    wires = Wires({2: [step for _ in range(999) for step in (0.01, (1, b"x"))]})
    started = trio.current_time()

    def machine():
        while (yield Converse(1, (2, 3, 4), (), 500)):
            pass

    await drive(machine(), wires)
    assert trio.current_time() - started == pytest.approx(0.5, abs=0.011)


def conversation(phase, *, needed, deadline_ms=None):
    heard, said = [], ((2, b"hello"), (3, b"hello"), (2, b"again"))
    while len(heard) < needed:
        replies = yield Converse(phase, (2, 3, 4), said, deadline_ms)
        if not replies:
            break
        heard += replies.items()
        said = ()
    return heard


async def test_conversations_and_rounds_do_not_mix(autojump_clock):
    wires = Wires(
        {
            2: [(1, b"p"), b"a", (2, b"q")],  # is through with the first before we are
            3: [0.5, (1, b"P"), 0.5, (1, b"late"), b"A", (2, b"Q")],
            4: [(2, b"early"), 9.0, (1, b"too late"), b"z"],
        }
    )

    def machine():
        first = yield from conversation(1, needed=2)
        middle = yield from rounds(1, needed=2)
        return first, middle, (yield from conversation(2, needed=9, deadline_ms=20_000))

    first, middle, second = await drive(machine(), wires)
    assert first == [(2, b"p"), (3, b"P")]
    assert middle == [{2: b"a", 3: b"A"}]
    assert sorted(second) == [(2, b"q"), (3, b"Q"), (4, b"early")]
    assert [sent for sent in wires.sent if sent[:2] == (2, 1)] == [(2, 1, b"hello"), (2, 1, b"again")]


async def test_a_conversation_with_nobody_left_ends():
    wires = Wires({party: [PartyFault(party, "left")] for party in (2, 3, 4)})
    assert await drive(conversation(1, needed=1), wires) == []


async def test_a_peer_that_does_not_read_holds_up_nobody(autojump_clock, monkeypatch):
    monkeypatch.setattr(post_module, "MAX_UNSENT_BYTES", 2)
    wires = Wires({2: [b"a"] * 5, 3: [b"b"] * 5}, deaf={4})
    async with open_post(wires) as post:
        seen = await drive(rounds(5, needed=2), wires, post=post)
        assert seen == [{2: b"a", 3: b"b"}] * 5
        await wait_all_tasks_blocked()
        started = trio.current_time()
    assert trio.current_time() == started, "what a lost peer does not take is not waited for"
    assert [sent[0] for sent in wires.sent].count(2) == 5


async def test_the_end_waits_a_little_for_what_is_not_taken_yet(autojump_clock):
    started = trio.current_time()
    await drive(rounds(1, needed=1), Wires({2: [b"a"]}, deaf={4}))
    assert trio.current_time() - started == pytest.approx(post_module.FLUSH_S)


async def test_one_post_serves_one_machine_after_another(autojump_clock):
    wires = Wires({2: [b"a", b"b"], 3: [1.0, b"A", b"B"], 4: []})
    async with open_post(wires) as post:
        assert await drive(rounds(1, needed=1), wires, post=post) == [{2: b"a"}]
        assert await drive(rounds(1, needed=2), wires, post=post) == [{2: b"b", 3: b"B"}]


async def test_a_fast_peer_is_read_one_message_ahead(autojump_clock):
    wires = Wires({2: [b"a"] * 9, 3: [], 4: []})
    async with open_post(wires) as post:
        await drive(rounds(1, needed=1), wires, post=post)
        await wait_all_tasks_blocked()
        assert len(wires.scripts[2]) >= 7


async def test_what_a_machine_raises_leaves_as_it_is():
    def machine():
        yield Converse(1, (2,), deadline_ms=0)
        raise PartyFault(3, "its proof is wrong")

    with pytest.raises(PartyFault, match="proof is wrong"):
        await drive(machine(), Wires({}))
