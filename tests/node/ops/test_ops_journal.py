"""The journal: what it holds, what it refuses, and what is left after kill -9."""

import itertools
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from dataclasses import replace

import pytest
import trio

from quorate.node.errors import (
    DiskFull,
    HomeLocked,
    IllegalState,
    JournalConflict,
    JournalCorrupt,
    JournalTooNew,
    MaskReused,
    UnknownRecord,
)
from quorate.node.journal import (
    SCHEMA_VERSION,
    EnvelopeRecord,
    Fact,
    HomeLock,
    Journal,
    Member,
    OrderRecord,
    OrderRole,
    OrderState,
    SessionRecord,
    SessionState,
    lock_holder,
)


def key(number):
    return number.to_bytes(32, "big")


def order(number=1, **changes):
    fields = {
        "request_id": key(number),
        "role": OrderRole.MEMBER,
        "state": OrderState.SUBMITTED,
        "request": b"r",
        "deadline": 9,
    }
    return OrderRecord(**(fields | changes))


def session(number=1, **changes):
    committee = tuple(Member(bytes([n]) * 20, bytes([n]) * 32) for n in (1, 2, 3))
    fields = {
        "session_id": key(number),
        "request_id": key(number),
        "party": 2,
        "threshold": 1,
        "committee": committee,
        "deadline": 9,
    }
    return SessionRecord(**(fields | changes))


@pytest.fixture
def now():
    return [1000]


@pytest.fixture
def journal(tmp_path, now):
    with Journal(tmp_path / "journal.sqlite3", clock=lambda: now[0]) as opened:
        yield opened


def test_orders(journal, now):
    assert journal.orders.add(order(details=b"d"))
    assert not journal.orders.add(order(request=b"other"))
    now[0] = 1005
    journal.orders.set_bid(key(1), b"bid")
    journal.orders.set_match(key(1), b"match")
    journal.orders.set_details(key(1), b"more")
    journal.orders.set_state(key(1), OrderState.LOCKED)
    assert journal.orders.get(key(1)) == order(
        state=OrderState.LOCKED, details=b"more", bid=b"bid", match=b"match", created_at=1000, updated_at=1005
    )
    assert journal.orders.get(key(2)) is None
    with pytest.raises(UnknownRecord):
        journal.orders.set_state(key(2), OrderState.LOCKED)


def test_orders_are_listed_by_deadline_and_pruned_when_closed(journal, now):
    for number, deadline in ((1, 30), (2, 10), (3, 20)):
        journal.orders.add(order(number, deadline=deadline))
    journal.orders.set_state(key(3), OrderState.FULFILLED)
    assert [entry.request_id for entry in journal.orders.list()] == [key(2), key(1)]
    assert [entry.request_id for entry in journal.orders.list([OrderState.FULFILLED])] == [key(3)]
    assert journal.orders.prune(before=1000) == 0
    assert journal.orders.prune(before=1001) == 1
    assert len(journal.orders.list(OrderState)) == 2


def test_a_session_goes_forward_to_its_end(journal):
    journal.sessions.begin(session())
    for state in (SessionState.INPUTS, SessionState.ONLINE, SessionState.ONLINE):
        journal.sessions.advance(key(1), state)
    journal.sessions.advance(key(1), SessionState.ATTESTING, result_digest=b"\x05" * 32)
    assert journal.sessions.unfinished() == [journal.sessions.get(key(1))]
    journal.sessions.advance(key(1), SessionState.FINISHED, result_digest=b"\x05" * 32)
    stored = journal.sessions.get(key(1))
    assert stored == session(
        state=SessionState.FINISHED, result_digest=b"\x05" * 32, started_at=1000, updated_at=1000
    )
    assert journal.sessions.unfinished() == []
    assert journal.sessions.of_request(key(1)) == [stored]


def test_a_session_never_goes_back_or_leaves_its_end(journal):
    journal.sessions.begin(session())
    journal.sessions.advance(key(1), SessionState.ONLINE)
    with pytest.raises(IllegalState):
        journal.sessions.advance(key(1), SessionState.INPUTS)
    journal.sessions.fail(key(1), "party 2 went silent")
    for action in (
        lambda: journal.sessions.advance(key(1), SessionState.FINISHED),
        lambda: journal.sessions.fail(key(1), "again"),
    ):
        with pytest.raises(IllegalState):
            action()
    assert journal.sessions.get(key(1)).reason == "party 2 went silent"
    with pytest.raises(UnknownRecord):
        journal.sessions.advance(key(2), SessionState.ONLINE)


def test_a_session_id_is_used_once(journal):
    journal.sessions.begin(session())
    journal.sessions.fail(key(1), "crash")
    with pytest.raises(JournalConflict, match="begun before"):
        journal.sessions.begin(session())


def test_a_refused_write_leaves_nothing(journal):
    journal.sessions.begin(session())
    journal.sessions.advance(key(1), SessionState.ONLINE, result_digest=b"\x05" * 32)
    with pytest.raises(JournalConflict, match="another result digest"):
        journal.sessions.advance(key(1), SessionState.ATTESTING, result_digest=b"\x06" * 32)
    assert journal.sessions.get(key(1)).state is SessionState.ONLINE
    with pytest.raises(sqlite3.IntegrityError):
        journal.sessions.begin(session(2, committee=(Member(b"short", b"short"),)))
    assert journal.sessions.get(key(2)) is None


def test_a_restart_fails_what_was_unfinished(tmp_path):
    with Journal.open(tmp_path) as first:
        first.sessions.begin(session(1))
        first.sessions.begin(session(2))
        first.sessions.advance(key(2), SessionState.ONLINE)
        first.sessions.begin(session(3))
        first.sessions.advance(key(3), SessionState.FINISHED)
    with Journal.open(tmp_path) as second:
        ended = second.sessions.fail_unfinished("the node was restarted")
        assert {entry.session_id: entry.state for entry in ended} == {
            key(1): SessionState.PREPROCESSING,
            key(2): SessionState.ONLINE,
        }
        assert second.sessions.unfinished() == []
        assert second.sessions.get(key(3)).state is SessionState.FINISHED
        assert second.sessions.fail_unfinished("again") == []


@pytest.mark.parametrize(("first", "count"), [(0, 4), (3, 1), (2, 10), (5, 1), (0, 100), (4, 2)])
def test_a_mask_covers_one_input_for_ever(journal, first, count):
    assert journal.masks.use(key(1), "0", first=2, count=4, digest=key(7))
    assert not journal.masks.use(key(1), "0", first=2, count=4, digest=key(7))  # a redelivery
    with pytest.raises(MaskReused):
        journal.masks.use(key(1), "0", first=2, count=4, digest=key(8))
    with pytest.raises(MaskReused):
        journal.masks.use(key(1), "0", first=first, count=count, digest=key(7))
    assert journal.masks.used(key(1)) == 4


def test_other_masks_are_free(journal):
    journal.masks.use(key(1), "0", first=2, count=4, digest=key(7))
    assert journal.masks.use(key(1), "0", first=0, count=2, digest=key(8))
    assert journal.masks.use(key(1), "0", first=6, count=2, digest=key(8))
    assert journal.masks.use(key(1), "1", first=2, count=4, digest=key(8))
    assert journal.masks.use(key(2), "0", first=2, count=4, digest=key(8))


def envelope(client=0, party=1, data=b"sealed", expires_at=50):
    return EnvelopeRecord(request_id=key(1), client=client, party=party, envelope=data, expires_at=expires_at)


def test_envelopes_are_kept_until_they_expire_and_never_change(journal):
    entries = [envelope(party=2), envelope(party=1), envelope(client=1)]
    journal.envelopes.save(entries)
    journal.envelopes.save(entries)
    with pytest.raises(JournalConflict, match="another envelope"):
        journal.envelopes.save([envelope(client=5), envelope(data=b"other")])
    assert journal.envelopes.of_client(key(1), 5) == []
    assert journal.envelopes.of_client(key(1), 0) == [envelope(party=1), envelope(party=2)]
    assert journal.envelopes.prune(now=50) == 0
    assert journal.envelopes.prune(now=51) == 3


def test_facts_are_counted_once_and_rolled_back_with_the_chain(journal):
    facts = [Fact(account=b"a" * 20, kind="fulfilled", request_id=key(n), block_number=n, at=n) for n in range(5)]
    assert journal.facts.add(facts) == 5
    assert journal.facts.add(facts) == 0
    journal.facts.add([Fact(account=b"a" * 20, kind="slashed", request_id=key(9), block_number=9, at=9)])
    assert journal.facts.counts(b"a" * 20) == {"fulfilled": 5, "slashed": 1}
    assert journal.facts.roll_back(above_block=3) == 2
    assert journal.facts.counts(b"a" * 20) == {"fulfilled": 4}
    assert [fact.block_number for fact in journal.facts.of_account(b"a" * 20)] == [3, 2, 1, 0]
    assert journal.facts.counts(b"b" * 20) == {}


async def test_methods_run_in_a_thread_and_finish_what_they_began(journal):
    with trio.CancelScope() as scope:
        scope.cancel()
        await journal.run(journal.orders.add, order())  # cancelled before it began
    assert await journal.run(journal.orders.get, key(1)) is None
    async with trio.open_nursery() as nursery:
        for number in range(20):
            nursery.start_soon(journal.run, journal.orders.add, order(number))
    with pytest.raises(UnknownRecord):
        await journal.run(journal.orders.set_bid, key(99), b"bid")
    assert len(await journal.run(journal.orders.list)) == 20


def test_a_full_disk_is_said_and_nothing_is_half_written(journal):
    journal.database._connection.execute("PRAGMA max_page_count = 40")
    stored = itertools.count()

    def fill():
        for number in stored:
            journal.orders.add(order(number, request=bytes(20_000)))

    with pytest.raises(DiskFull) as caught:
        fill()
    assert "free some space" in caught.value.todo
    journal.database._connection.execute("PRAGMA max_page_count = 100000")
    assert len(journal.orders.list()) == next(stored) - 1 > 0
    assert journal.orders.add(order(999))


def test_a_file_size_limit_is_a_full_disk_too(tmp_path):
    program = """
        import resource, signal, sys
        from pathlib import Path
        from quorate.node.errors import DiskFull
        from quorate.node.journal import *
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with Journal.open(Path(sys.argv[1])) as journal:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
            try:
                for n in range(200):
                    journal.orders.add(OrderRecord(request_id=n.to_bytes(32, "big"), role=OrderRole.MEMBER,
                        state=OrderState.SUBMITTED, request=bytes(20_000), deadline=n))
            except DiskFull:
                print(n, len(journal.orders.list()))
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], capture_output=True, text=True, check=True
    )
    tried, stored = map(int, result.stdout.split())
    assert tried == stored > 0
    with Journal.open(tmp_path) as journal:
        assert len(journal.orders.list()) == stored


def test_files_of_something_else_are_refused(tmp_path):
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    with pytest.raises(JournalCorrupt):
        Journal(path)
    path.unlink()
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE things (a)")
    other.close()
    with pytest.raises(JournalCorrupt, match="another program"):
        Journal(path)


def test_a_damaged_file_is_refused(tmp_path):
    with Journal.open(tmp_path) as journal:
        for number in range(50):
            journal.orders.add(order(number, request=bytes(5000)))
    path = tmp_path / "journal.sqlite3"
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data)
    with pytest.raises(JournalCorrupt):
        Journal.open(tmp_path)


def test_a_newer_schema_is_refused(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.database._connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(JournalTooNew):
        Journal.open(tmp_path)


def test_the_file_is_private(tmp_path):
    with Journal.open(tmp_path) as journal:
        journal.orders.add(order())
        for path in tmp_path.iterdir():
            assert path.stat().st_mode & 0o077 == 0, path


def test_one_daemon_a_home(tmp_path):
    with HomeLock(tmp_path):
        assert lock_holder(tmp_path) == os.getpid()
        with pytest.raises(HomeLocked) as caught, HomeLock(tmp_path):
            pass
        assert caught.value.holder == os.getpid()
    assert lock_holder(tmp_path) is None
    with HomeLock(tmp_path):
        pass


def test_the_lock_of_a_killed_daemon_is_free(tmp_path):
    program = "import sys, time; from pathlib import Path; from quorate.node.journal import HomeLock\n"
    program += "lock = HomeLock(Path(sys.argv[1])); lock.acquire(); print('held', flush=True); time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(HomeLocked) as caught, HomeLock(tmp_path):
            pass
        assert caught.value.holder == child.pid
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    with HomeLock(tmp_path):
        pass


WRITER = """
import sys
from pathlib import Path
from quorate.node.journal import *

journal = Journal.open(Path(sys.argv[1]))
start = int(sys.argv[2])
committee = tuple(Member(bytes([n]) * 20, bytes([n]) * 32) for n in range(5))
for n in range(start, start + 100_000):
    key = n.to_bytes(32, "big")
    journal.orders.add(
        OrderRecord(request_id=key, role=OrderRole.MEMBER, state=OrderState.SUBMITTED, request=b"r" * 500, deadline=n)
    )
    journal.sessions.begin(
        SessionRecord(session_id=key, request_id=key, party=1, threshold=2, committee=committee, deadline=n)
    )
    journal.masks.use(key, "0", first=0, count=8, digest=key)
    journal.sessions.advance(key, SessionState.ATTESTING, result_digest=key)
    journal.envelopes.save(
        [EnvelopeRecord(request_id=key, client=c, party=1, envelope=key * 9, expires_at=n) for c in range(3)]
    )
    journal.sessions.advance(key, SessionState.FINISHED)
    print(n, flush=True)
"""


def test_a_writer_killed_at_any_time_leaves_whole_records(tmp_path):
    acknowledged = -1
    for attempt in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(acknowledged + 1000)], stdout=subprocess.PIPE
        )
        try:
            lines = [child.stdout.readline() for _ in range(3 + 5 * attempt)]
            assert all(lines), "the writer must be able to reopen what a killed one left"
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.read().splitlines(keepends=True)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        acknowledged = max(int(line) for line in lines if line.endswith(b"\n"))
        with Journal.open(tmp_path) as journal:
            _check_whole(journal, acknowledged)


def _check_whole(journal, acknowledged):
    """Every acknowledged record is there, and of the one being written each transaction is there or not."""
    assert journal.database.read("PRAGMA integrity_check") == [("ok",)]
    assert journal.sessions.get(key(acknowledged)).state is SessionState.FINISHED
    for number in (acknowledged, acknowledged + 1):
        found = journal.sessions.get(key(number))
        if found is None:
            assert number > acknowledged
            continue
        assert len(found.committee) == 5
        assert journal.orders.get(key(number)) is not None
        envelopes = sum(len(journal.envelopes.of_client(key(number), client)) for client in range(3))
        assert envelopes in ((3,) if found.state is SessionState.FINISHED else (0, 3))
        if found.state in (SessionState.ATTESTING, SessionState.FINISHED):
            assert journal.masks.used(key(number)) == 8
            assert found.result_digest == key(number)


def test_records_are_values():
    assert replace(order(), deadline=1) != order()
