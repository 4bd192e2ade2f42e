"""Kept preprocessing: encrypted, handed out once, also after kill -9."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from quorate.node.errors import JournalConflict, JournalCorrupt
from quorate.node.journal import ItemsGone, Journal, StockpileKey
from quorate.node.journal.stockpile import MAX_CHUNK_ITEMS, MAX_COMMITTEES
from quorate.protocol.field import BN254
from quorate.protocol.mpc import BIT, MAX_COMPARED_BITS, SHARE, TRIPLE, Plan, integer
from quorate.protocol.mpc.pool import dual_integer
from quorate.protocol.mpc.stockpile import MAX_BATCHES, Draw, Lot

COMMITTEE, OTHER = b"c" * 32, b"d" * 32
KEY = StockpileKey(b"k" * 32)
LONG = MAX_CHUNK_ITEMS + 100


def name(number):
    return number.to_bytes(16, "big")


def lot(number=1, **counts):
    counts = counts or {"bits": 10}
    columns = {}
    for item, count in Plan(**counts).items():
        width = 3 if item == TRIPLE else 1
        columns[item] = tuple(BN254.vector(range(count * place, count * (place + 1))) for place in range(width))
    return Lot(name(number), columns)


@pytest.fixture
def journal(tmp_path):
    with Journal.open(tmp_path) as opened:
        yield opened


def keep(journal, *lots, committee=COMMITTEE):
    for one in lots:
        journal.stockpile.keep(committee, one, key=KEY, randomness=os.urandom)


def values(taken):
    return [(item, [BN254.integers(column) for column in columns]) for item, columns in taken]


def test_items_come_back_and_are_counted(journal):
    keep(journal, lot(bits=LONG, shares=3, triples=2, integers={41: 5}))
    (batch,) = journal.stockpile.batches(COMMITTEE)
    assert batch.made == Plan(bits=LONG, shares=3, triples=2, integers={41: 5})
    assert batch.used == Plan()
    draws = [Draw(name(1), BIT, 7, LONG - 10), Draw(name(1), TRIPLE, 0, 1), Draw(name(1), integer(41), 1, 4)]
    taken = values(journal.stockpile.take(COMMITTEE, draws, key=KEY))
    assert taken == [
        (BIT, [list(range(7, LONG - 3))]),
        (TRIPLE, [[0], [2], [4]]),
        (integer(41), [[1, 2, 3, 4]]),
    ]
    (batch,) = journal.stockpile.batches(COMMITTEE)
    assert batch.used[BIT] == LONG - 3
    assert journal.stockpile.counts() == {COMMITTEE: Plan(bits=3, shares=3, triples=1)}
    assert journal.stockpile.batches(OTHER) == []


def test_bytes_and_limbs_are_kept_as_they_are(journal):
    shares, bits = BN254.vector([5, 6, 7]), np.array([1, 0, 255], dtype=np.uint8)
    keep(journal, Lot(name(1), {BIT: (shares, bits)}))
    ((_, columns),) = journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 1, 2)], key=KEY)
    assert np.array_equal(columns[0], shares[1:])
    assert np.array_equal(columns[1], bits[1:])
    assert columns[1].dtype == np.uint8


def test_the_widest_bits_over_bytes_are_kept(journal):
    """A full chunk of masks for the widest comparison, with a byte for each bit."""
    shares = BN254.vector(range(MAX_CHUNK_ITEMS + 1))
    bits = np.arange((MAX_CHUNK_ITEMS + 1) * MAX_COMPARED_BITS, dtype=np.uint64).astype(np.uint8)
    table = bits.reshape(-1, MAX_COMPARED_BITS)
    keep(journal, Lot(name(1), {dual_integer(MAX_COMPARED_BITS): (shares, table)}))
    draw = Draw(name(1), dual_integer(MAX_COMPARED_BITS), 1, MAX_CHUNK_ITEMS)
    ((_, columns),) = journal.stockpile.take(COMMITTEE, [draw], key=KEY)
    assert np.array_equal(columns[1], table[1:])
    assert np.array_equal(columns[0], shares[1:])


def test_nothing_is_handed_out_twice(journal):
    keep(journal, lot(bits=10))
    journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 2, 3)], key=KEY)
    for first in (0, 1, 2, 4):
        with pytest.raises(ItemsGone):
            journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, first, 2)], key=KEY)
    assert values(journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 5, 5)], key=KEY)) == [
        (BIT, [[5, 6, 7, 8, 9]])
    ]


@pytest.mark.parametrize(
    "draw",
    [
        Draw(name(1), BIT, 8, 3),
        Draw(name(1), SHARE, 0, 1),
        Draw(name(2), BIT, 0, 1),
        Draw(name(1), BIT, 0, 0),
    ],
)
def test_what_is_not_there_is_refused_and_nothing_changes(journal, draw):
    keep(journal, lot(bits=10))
    with pytest.raises(ItemsGone):
        journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 0, 1), draw], key=KEY)
    assert journal.stockpile.counts() == {COMMITTEE: Plan(bits=10)}


def test_what_is_used_up_is_erased(journal):
    keep(journal, lot(bits=10, shares=2))
    journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 0, 10)], key=KEY)
    assert journal.stockpile.counts() == {COMMITTEE: Plan(shares=2)}
    assert journal.database.read("SELECT count(*) FROM stockpile_chunks") == [(1,)]
    with pytest.raises(ItemsGone):
        journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 0, 1)], key=KEY)


def test_a_batch_is_kept_once(journal):
    keep(journal, lot(bits=10))
    with pytest.raises(JournalConflict, match="kept already"):
        keep(journal, lot(bits=10))
    with pytest.raises(ValueError, match="dimensions"):
        keep(journal, Lot(name(2), {BIT: (np.zeros(3),)}))
    assert len(journal.stockpile.batches(COMMITTEE)) == 1


def test_the_oldest_batches_and_committees_make_room(tmp_path):
    now = iter(range(10_000))
    with Journal(tmp_path / "journal.sqlite3", clock=lambda: next(now)) as journal:
        keep(journal, *(lot(number, bits=1) for number in range(1, MAX_BATCHES + 4)))
        names = [batch.name for batch in journal.stockpile.batches(COMMITTEE)]
        assert names == [name(number) for number in range(4, MAX_BATCHES + 4)]
        for number in range(MAX_COMMITTEES):
            keep(journal, lot(bits=1), committee=number.to_bytes(32, "big"))
        assert len(journal.stockpile.counts()) == MAX_COMMITTEES
        assert COMMITTEE not in journal.stockpile.counts()
        journal.stockpile.drop((5).to_bytes(32, "big"))
        assert len(journal.stockpile.counts()) == MAX_COMMITTEES - 1


def test_shares_are_not_on_the_disk_in_clear(journal, tmp_path):
    secret = BN254.from_random_bytes(os.urandom(40 * 50))
    keep(journal, Lot(name(1), {SHARE: (secret,)}))
    data = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert secret[7].tobytes() not in data
    assert secret[7, :2].tobytes() not in data


def test_another_key_or_a_swapped_row_does_not_open(journal):
    keep(journal, lot(1, bits=4), lot(2, bits=4))
    with pytest.raises(JournalCorrupt, match="do not decrypt"):
        journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 0, 1)], key=StockpileKey(b"x" * 32))
    with journal.database.transaction() as connection:
        (sealed,) = connection.execute("SELECT sealed FROM stockpile_chunks WHERE name = ?", (name(1),)).fetchone()
        connection.execute("UPDATE stockpile_chunks SET sealed = ? WHERE name = ?", (sealed, name(2)))
    with pytest.raises(JournalCorrupt, match="do not decrypt"):
        journal.stockpile.take(COMMITTEE, [Draw(name(2), BIT, 0, 1)], key=KEY)
    with journal.database.transaction() as connection:
        connection.execute("DELETE FROM stockpile_chunks WHERE name = ?", (name(1),))
    with pytest.raises(JournalCorrupt, match="missing"):
        journal.stockpile.take(COMMITTEE, [Draw(name(1), BIT, 0, 1)], key=KEY)


TAKER = """
import sys
from pathlib import Path
from quorate.node.journal import Journal, StockpileKey
from quorate.protocol.field import BN254
from quorate.protocol.mpc import BIT
from quorate.protocol.mpc.stockpile import Draw
with Journal.open(Path(sys.argv[1])) as journal:
    while True:
        (batch,) = journal.stockpile.batches(b"c" * 32)
        draw = Draw(batch.name, BIT, batch.used[BIT], 3)
        ((item, (column,)),) = journal.stockpile.take(b"c" * 32, [draw], key=StockpileKey(b"k" * 32))
        print(*BN254.integers(column), flush=True)
"""


def test_no_item_is_used_twice_by_a_node_that_is_killed_again_and_again(tmp_path):
    with Journal.open(tmp_path) as journal:
        keep(journal, lot(bits=60_000))
    used = []
    for attempt in range(4):
        child = subprocess.Popen([sys.executable, "-c", TAKER, str(tmp_path)], stdout=subprocess.PIPE)
        try:
            lines = [child.stdout.readline() for _ in range(3 + 4 * attempt)]
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.read().splitlines(keepends=True)
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        assert all(lines)
        used += [int(value) for line in lines if line.endswith(b"\n") for value in line.split()]
    assert len(used) == len(set(used)) >= 9
    with Journal.open(tmp_path) as journal:
        (batch,) = journal.stockpile.batches(COMMITTEE)
        assert batch.used[BIT] > max(used)
