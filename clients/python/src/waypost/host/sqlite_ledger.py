"""A ledger in a file: once over restarts, also over `kill -9`.

A call is written down, and the file synchronised, before its tool runs; its answer is written down before it is sent.
The file has answers and host tokens in the clear, so only its owner can read it. One process has it at a time.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from waypost.errors import ConfigError
from waypost.host.ledger import MAX_KEPT_ANSWER_BYTES, Entry
from waypost.types import SessionRecord

KEPT_SECONDS = 48 * 3600
"""Sessions end after a day; what is left of them is deleted after two."""

_VERSION = 1
_TABLES = """
CREATE TABLE session (memory TEXT PRIMARY KEY, base_url TEXT, record BLOB, touched REAL NOT NULL);
CREATE TABLE call (
    memory TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, tool TEXT NOT NULL,
    answer BLOB, delivered INTEGER NOT NULL,
    PRIMARY KEY (memory, id)
) WITHOUT ROWID;
"""


class SqliteLedger:
    """Remembers calls and sessions in the file at `path`, which it makes.

    Raises:
        ConfigError: another process has it (`ledger_in_use`), and did not end within `patience` seconds.
        sqlite3.Error: it can't be made, or is none.
    """

    blocks = True

    def __init__(
        self, path: str | os.PathLike[str], *, kept_seconds: float = KEPT_SECONDS, patience: float = 10.0
    ) -> None:
        self.path = Path(path)
        # Made with its rights, before there is something in it to read.
        os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.Lock()
        self._owner = _owned(self.path, patience)
        self._database = sqlite3.connect(self.path, timeout=10.0, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        with self._transaction() as database:
            [version] = database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    database.execute(statement)
                database.execute(f"PRAGMA user_version = {_VERSION}")
            elif version != _VERSION:
                raise sqlite3.DatabaseError(f"{self.path} is of another version of waypost ({version}, not {_VERSION})")
            expired = time.time() - kept_seconds
            database.execute(
                "DELETE FROM call WHERE memory IN (SELECT memory FROM session WHERE touched < ?)", (expired,)
            )
            database.execute("DELETE FROM session WHERE touched < ?", (expired,))

    def close(self) -> None:
        """Closes the file. May be called again."""
        with self._lock:
            self._database.close()
            self._owner.close()

    def open(self, memory: str) -> bool:
        with self._transaction() as database:
            is_known = database.execute("SELECT 1 FROM session WHERE memory = ?", (memory,)).fetchone() is not None
            database.execute(
                "INSERT INTO session (memory, touched) VALUES (?, ?) "
                "ON CONFLICT DO UPDATE SET touched = excluded.touched",
                (memory, time.time()),
            )
            return is_known

    def find(self, memory: str, id: str) -> Entry | None:
        with self._lock:
            return _found(self._database, memory, id)

    def begin(self, memory: str, id: str, tool: str) -> Entry | None:
        # A call that was begun must be known after the machine has lost its power, too. An answer that is lost then
        # leaves a call that was begun.
        with self._transaction(synchronous="FULL") as database:
            known = _found(database, memory, id)
            if known is None:
                database.execute("INSERT INTO call VALUES (?, ?, 'running', ?, NULL, 0)", (memory, id, tool))
            return known

    def answer(self, memory: str, id: str, tool: str, answer: bytes) -> None:
        with self._transaction() as database:
            database.execute(
                "INSERT INTO call VALUES (?, ?, 'answered', ?, ?, 0) ON CONFLICT DO UPDATE "
                "SET status = 'answered', answer = excluded.answer, delivered = 0",
                (memory, id, tool, answer),
            )

    def delivered(self, memory: str, id: str) -> None:
        with self._transaction() as database:
            database.execute(
                "UPDATE call SET delivered = 1, answer = CASE WHEN length(answer) > ? THEN NULL ELSE answer END "
                "WHERE memory = ? AND id = ?",
                (MAX_KEPT_ANSWER_BYTES, memory, id),
            )

    def cancel(self, memory: str, id: str) -> None:
        with self._transaction() as database:
            database.execute(
                "INSERT INTO call VALUES (?, ?, 'cancelled', '', NULL, 0) ON CONFLICT DO UPDATE "
                "SET status = 'cancelled' WHERE status <> 'answered'",
                (memory, id),
            )

    def undelivered(self, memory: str) -> list[tuple[str, Entry]]:
        query = "SELECT id, status, tool, answer, delivered FROM call WHERE memory = ? AND status = 'answered'"
        with self._lock:
            rows = self._database.execute(f"{query} AND delivered = 0", (memory,)).fetchall()
        return [(id, Entry(status, tool, answer, bool(delivered))) for id, status, tool, answer, delivered in rows]

    def count(self, memory: str) -> int:
        with self._lock:
            [number] = self._database.execute("SELECT count(*) FROM call WHERE memory = ?", (memory,)).fetchone()
        return int(number)

    def forget(self, memory: str) -> None:
        with self._transaction() as database:
            database.execute("DELETE FROM call WHERE memory = ?", (memory,))
            database.execute("DELETE FROM session WHERE memory = ?", (memory,))

    def save_session(self, record: SessionRecord) -> None:
        """Keeps a session's record, with its host token and its key."""
        with self._transaction() as database:
            database.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET base_url = excluded.base_url, record = excluded.record, touched = excluded.touched",
                (record.memory, record.base_url, msgspec.json.encode(record), time.time()),
            )

    def saved_session(self, base_url: str | None = None) -> SessionRecord | None:
        """The newest record, of this server if one is named; `None` if there is none. Whether the session is still
        there, the server knows."""
        query = "SELECT record FROM session WHERE ifnull(base_url = ?, 1) AND record IS NOT NULL"
        with self._lock:
            row = self._database.execute(f"{query} ORDER BY touched DESC LIMIT 1", (base_url,)).fetchone()
        return None if row is None else msgspec.json.decode(row[0], type=SessionRecord)

    @contextmanager
    def _transaction(self, *, synchronous: str = "NORMAL") -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute(f"PRAGMA synchronous = {synchronous}")
            # Immediate: of two processes, the second one sees what the first one has written.
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def _owned(path: Path, patience: float) -> sqlite3.Connection:
    """A lock that ends with the process, whatever ends it: a transaction in a file beside."""
    owner = sqlite3.connect(f"{path}-owner", timeout=patience, isolation_level=None, check_same_thread=False)
    try:
        owner.execute("PRAGMA journal_mode = MEMORY")
        owner.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        owner.close()
        raise ConfigError("ledger_in_use", f"Another process has {path}: end it, or take another file.") from error
    return owner


def _found(database: sqlite3.Connection, memory: str, id: str) -> Entry | None:
    query = "SELECT status, tool, answer, delivered FROM call WHERE memory = ? AND id = ?"
    row = database.execute(query, (memory, id)).fetchone()
    return None if row is None else Entry(row[0], row[1], row[2], bool(row[3]))
