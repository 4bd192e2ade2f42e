"""Preprocessed items that wait for the next session of the same committee, encrypted; each is handed out once.

An item is marked as used, on the disk, before its share is returned: a node that is killed right after has lost
it, and never uses it twice. What is used up is deleted, and SQLite overwrites it with zeros (secure_delete).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from quorate.node.errors import JournalConflict, JournalCorrupt
from quorate.protocol.codec import Limit, decode, encode
from quorate.protocol.errors import MalformedMessage
from quorate.protocol.mpc import MAX_COMPARED_BITS, Column, Item, Plan
from quorate.protocol.mpc.stockpile import MAX_BATCH_ITEMS, MAX_BATCHES, Batch, Draw, Lot

from .database import Database, Row

MAX_COMMITTEES: Final = 64
"""The most committees whose items are kept; those that made none for longest are dropped."""
MAX_CHUNK_ITEMS: Final = 1 << 12
"""The most items in one encrypted row."""
_MAX_COLUMNS: Final = 8
_MAX_COLUMN_BYTES: Final = MAX_CHUNK_ITEMS * 200
"""Room for the widest column: the bits of an integer of 192 bits, a byte each."""
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"quorate/stockpile/1"
_TYPES: Final[Mapping[str, np.dtype[Any]]] = {"u8": np.dtype(np.uint64), "u1": np.dtype(np.uint8)}


class ItemsGone(JournalConflict):
    """Items were asked for that this node has used, or does not have."""

    def __init__(self, draw: Draw) -> None:
        super().__init__(
            f"refusing {draw.count} preprocessed items of kind {draw.item.name} from place {draw.first} on",
            why="some of them were used before, or are not here; an item used twice reveals secrets",
            todo="let the session make fresh ones",
        )
        self.draw = draw


class StockpileKey:
    """The key under which this home keeps shares, derived from its identity's secret."""

    __slots__ = ("_cipher",)

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret)
        self._cipher = AESGCM(derived)

    def seal(self, plain: bytes, *, place: bytes, nonce: bytes) -> bytes:
        """The encrypted form of what belongs to `place`."""
        return nonce + self._cipher.encrypt(nonce, plain, place)

    def unseal(self, sealed: bytes, *, place: bytes) -> bytes:
        """What `seal` took. Raises cryptography's InvalidTag for other bytes, another place or another key."""
        return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)


@dataclass(frozen=True, slots=True)
class _Column:
    kind: Annotated[str, Limit(most=2)]
    width: Annotated[int, Limit(most=MAX_COMPARED_BITS)]  # 0: a flat array
    data: Annotated[bytes, Limit(most=_MAX_COLUMN_BYTES)]


@dataclass(frozen=True, slots=True)
class _Chunk:
    columns: Annotated[tuple[_Column, ...], Limit(most=_MAX_COLUMNS)]


class Stockpile:
    """The kept items of a journal, by committee (a 32-byte digest of its members, threshold, field and scheme)."""

    def __init__(self, database: Database, clock: Callable[[], int]) -> None:
        self._database = database
        self._clock = clock

    def batches(self, committee: bytes) -> list[Batch]:
        """What is there for a committee, the oldest first, at most MAX_BATCHES."""
        rows = self._database.read(
            "SELECT name, kind, width, made, used FROM stockpile_items WHERE committee = ?"
            " ORDER BY made_at, name, kind, width",
            (committee,),
        )
        made: dict[bytes, dict[Item, int]] = {}
        used: dict[bytes, dict[Item, int]] = {}
        for name, kind, width, made_count, used_count in rows:
            made.setdefault(name, {})[Item(kind, width)] = made_count
            used.setdefault(name, {})[Item(kind, width)] = used_count
        return [Batch(name, Plan(counts), Plan(used[name])) for name, counts in made.items()][:MAX_BATCHES]

    def keep(self, committee: bytes, lot: Lot, *, key: StockpileKey, randomness: Callable[[int], bytes]) -> None:
        """Store a new batch. Raises JournalConflict for a name that is there, ValueError beyond the bounds."""
        with self._database.transaction() as connection:
            for item, columns in lot.columns.items():
                count = len(columns[0])
                if not 1 <= count <= MAX_BATCH_ITEMS or len(columns) > _MAX_COLUMNS:
                    raise ValueError(f"a batch holds 1 to {MAX_BATCH_ITEMS} items of a kind, not {count}")
                self._insert(connection, committee, lot.name, item, count)
                for first in range(0, count, MAX_CHUNK_ITEMS):
                    chunk = tuple(column[first : first + MAX_CHUNK_ITEMS] for column in columns)
                    place = _place(committee, lot.name, item, first)
                    sealed = key.seal(_pack(chunk), place=place, nonce=randomness(_NONCE_BYTES))
                    connection.execute(
                        "INSERT INTO stockpile_chunks (committee, name, kind, width, first, sealed)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        (committee, lot.name, item.name, item.width, first, sealed),
                    )
            self._prune(connection, committee)

    def take(
        self, committee: bytes, draws: Sequence[Draw], *, key: StockpileKey
    ) -> list[tuple[Item, tuple[Column, ...]]]:
        """The columns of what is drawn, marked as used before it is returned.

        All or nothing: raises ItemsGone when any of it was used before or is not here, JournalCorrupt when it
        cannot be decrypted.
        """
        taken = []
        with self._database.transaction() as connection:
            for draw in draws:
                self._mark(connection, committee, draw)
                taken.append((draw.item, self._load(connection, committee, draw, key)))
                self._erase_used(connection, committee, draw)
        return taken

    def counts(self) -> Mapping[bytes, Plan]:
        """What is left for each committee."""
        rows = self._database.read(
            "SELECT committee, kind, width, sum(made - used) FROM stockpile_items GROUP BY 1, 2, 3"
        )
        left: dict[bytes, dict[Item, int]] = {}
        for committee, kind, width, count in rows:
            left.setdefault(committee, {})[Item(kind, width)] = count
        return {committee: Plan(counts) for committee, counts in left.items()}

    def drop(self, committee: bytes) -> None:
        """Erase everything of a committee."""
        with self._database.transaction() as connection:
            _delete(connection, committee)

    def _insert(
        self, connection: sqlite3.Connection, committee: bytes, name: bytes, item: Item, count: int
    ) -> None:
        try:
            connection.execute(
                "INSERT INTO stockpile_items (committee, name, kind, width, made, used, made_at)"
                " VALUES (?, ?, ?, ?, ?, 0, ?)",
                (committee, name, item.name, item.width, count, self._clock()),
            )
        except sqlite3.IntegrityError:
            raise JournalConflict(
                f"batch {name.hex()[:16]} is kept already", why="a batch is made once, under a name of its own"
            ) from None

    @staticmethod
    def _mark(connection: sqlite3.Connection, committee: bytes, draw: Draw) -> None:
        cursor = connection.execute(
            "UPDATE stockpile_items SET used = ? WHERE committee = ? AND name = ? AND kind = ? AND width = ?"
            " AND used <= ? AND made >= ?",
            (
                draw.first + draw.count,
                committee,
                draw.batch,
                draw.item.name,
                draw.item.width,
                draw.first,
                draw.first + draw.count,
            ),
        )
        if draw.count < 1 or cursor.rowcount != 1:
            raise ItemsGone(draw)

    def _load(
        self, connection: sqlite3.Connection, committee: bytes, draw: Draw, key: StockpileKey
    ) -> tuple[Column, ...]:
        stop = draw.first + draw.count
        rows: list[Row] = connection.execute(
            "SELECT first, sealed FROM stockpile_chunks WHERE committee = ? AND name = ? AND kind = ? AND width = ?"
            " AND first < ? AND first > ? ORDER BY first",
            (committee, draw.batch, draw.item.name, draw.item.width, stop, draw.first - MAX_CHUNK_ITEMS),
        ).fetchall()
        parts = []
        for first, sealed in rows:
            place = _place(committee, draw.batch, draw.item, first)
            try:
                columns = _unpack(key.unseal(sealed, place=place))
            except (InvalidTag, MalformedMessage, ValueError) as error:
                raise JournalCorrupt(self._database.path, "preprocessed items do not decrypt") from error
            parts.append(tuple(column[max(0, draw.first - first) : stop - first] for column in columns))
        joined = tuple(np.concatenate(column) for column in zip(*parts, strict=True)) if parts else ()
        if not joined or any(len(column) != draw.count for column in joined):
            raise JournalCorrupt(self._database.path, "preprocessed items are missing")
        return joined

    @staticmethod
    def _erase_used(connection: sqlite3.Connection, committee: bytes, draw: Draw) -> None:
        place = (committee, draw.batch, draw.item.name, draw.item.width)
        connection.execute(
            "DELETE FROM stockpile_chunks WHERE committee = ? AND name = ? AND kind = ? AND width = ? AND first <= ?",
            (*place, draw.first + draw.count - MAX_CHUNK_ITEMS),
        )
        gone = connection.execute(
            "DELETE FROM stockpile_items WHERE committee = ? AND name = ? AND kind = ? AND width = ? AND used = made",
            place,
        )
        if gone.rowcount:
            connection.execute(
                "DELETE FROM stockpile_chunks WHERE committee = ? AND name = ? AND kind = ? AND width = ?", place
            )

    @staticmethod
    def _prune(connection: sqlite3.Connection, committee: bytes) -> None:
        names = connection.execute(
            "SELECT name FROM stockpile_items WHERE committee = ? GROUP BY name ORDER BY max(made_at) DESC, name"
            " LIMIT -1 OFFSET ?",
            (committee, MAX_BATCHES),
        ).fetchall()
        for (name,) in names:
            for table in ("stockpile_items", "stockpile_chunks"):
                connection.execute(f"DELETE FROM {table} WHERE committee = ? AND name = ?", (committee, name))  # noqa: S608 -- the names are ours
        committees = connection.execute(
            "SELECT committee FROM stockpile_items GROUP BY committee ORDER BY max(made_at) DESC LIMIT -1 OFFSET ?",
            (MAX_COMMITTEES,),
        ).fetchall()
        for (old,) in committees:
            _delete(connection, old)


def _delete(connection: sqlite3.Connection, committee: bytes) -> None:
    connection.execute("DELETE FROM stockpile_items WHERE committee = ?", (committee,))
    connection.execute("DELETE FROM stockpile_chunks WHERE committee = ?", (committee,))


def _place(committee: bytes, name: bytes, item: Item, first: int) -> bytes:
    """What an encrypted row is bound to, so that rows cannot be swapped."""
    return b"|".join([committee, name, f"{item.name}/{item.width}/{first}".encode()])


def _pack(columns: Sequence[Column]) -> bytes:
    packed = []
    for column in columns:
        kind = next((kind for kind, dtype in _TYPES.items() if dtype == column.dtype), None)
        if kind is None or column.ndim > 2:
            raise ValueError(f"a column of {column.dtype} with {column.ndim} dimensions cannot be kept")
        packed.append(_Column(kind, column.shape[1] if column.ndim > 1 else 0, column.tobytes()))
    return encode(_Chunk(tuple(packed)))


def _unpack(data: bytes) -> tuple[Column, ...]:
    columns = []
    for entry in decode(_Chunk, data).columns:
        flat = np.frombuffer(bytearray(entry.data), dtype=_TYPES[entry.kind])
        columns.append(flat.reshape(-1, entry.width) if entry.width else flat)
    return tuple(columns)
