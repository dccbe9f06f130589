"""What hosts remember of calls: one set of rules for both ledgers, and restarts for the one in a file."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from waypost import ConfigError, Entry, Ledger, MemoryLedger, SqliteLedger
from waypost.host import ledger as ledgers
from waypost.host.deciding import INTERRUPTED, Answer, Ignore, Run, decide
from waypost.types import SessionRecord

RESULT = b'{"result":1}'
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    if request.param == "memory":
        yield MemoryLedger()
        return
    file = SqliteLedger(tmp_path / "calls.db")
    yield file
    file.close()


def test_a_call_begins_once(ledger: Ledger) -> None:
    assert ledger.open("m") is False
    assert ledger.begin("m", "1", "add") is None
    assert ledger.begin("m", "1", "add") == Entry("running", "add")
    ledger.answer("m", "1", "add", RESULT)
    assert ledger.begin("m", "1", "add") == ledger.find("m", "1") == Entry("answered", "add", RESULT)
    assert ledger.open("m") is True


def test_an_answer_is_undelivered_until_the_server_has_it(ledger: Ledger) -> None:
    ledger.open("m")
    ledger.begin("m", "1", "add")
    assert ledger.undelivered("m") == []
    ledger.answer("m", "1", "add", RESULT)
    assert ledger.undelivered("m") == [("1", Entry("answered", "add", RESULT))]
    ledger.delivered("m", "1")
    ledger.delivered("m", "unknown")
    assert ledger.undelivered("m") == []
    assert ledger.find("m", "1") == Entry("answered", "add", RESULT, delivered=True)


def test_a_large_answer_is_dropped_once_the_server_has_it(ledger: Ledger) -> None:
    ledger.open("m")
    ledger.answer("m", "1", "add", b"x" * (ledgers.MAX_KEPT_ANSWER_BYTES + 1))
    ledger.delivered("m", "1")
    assert ledger.find("m", "1") == Entry("answered", "add", None, delivered=True)


def test_a_call_that_was_taken_back_stays_so_unless_it_is_answered(ledger: Ledger) -> None:
    ledger.open("m")
    ledger.cancel("m", "early")
    assert ledger.begin("m", "early", "add") == Entry("cancelled", "")
    ledger.begin("m", "running", "add")
    ledger.cancel("m", "running")
    assert ledger.find("m", "running") == Entry("cancelled", "add")
    ledger.answer("m", "answered", "add", RESULT)
    ledger.cancel("m", "answered")
    assert ledger.find("m", "answered") == Entry("answered", "add", RESULT)


def test_sessions_are_apart_and_forgotten_apart(ledger: Ledger) -> None:
    for memory in ("a", "b"):
        ledger.open(memory)
        ledger.begin(memory, "1", "add")
    assert ledger.count("a") == 1
    ledger.forget("a")
    assert ledger.open("a") is False
    assert (ledger.find("a", "1"), ledger.find("b", "1")) == (None, Entry("running", "add"))


def test_memory_is_bounded_and_what_is_open_is_kept() -> None:
    ledger = MemoryLedger(max_calls=3, max_kept_bytes=20)
    ledger.open("m")
    ledger.begin("m", "running", "t")
    for id in ("a", "b", "c", "d"):
        ledger.answer("m", id, "t", RESULT)
        ledger.delivered("m", id)
    assert [ledger.find("m", id) for id in ("running", "a", "b")] == [Entry("running", "t"), None, None]
    kept = [entry.answer for id in ("c", "d") if (entry := ledger.find("m", id))]
    assert sum(len(answer or b"") for answer in kept) <= 20
    ledger.forget("m")
    assert ledger._kept_bytes == 0


def record(memory: str, base_url: str = "https://w.example") -> SessionRecord:
    return SessionRecord(
        base_url=base_url,
        code="K7Q2M9XA",
        host_token="h",
        session_id="s",
        created_at=NOW,
        expires_at=NOW,
        memory=memory,
    )


def test_a_file_remembers_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    first = SqliteLedger(path)
    first.save_session(record("m"))
    first.begin("m", "1", "add")
    first.close()
    second = SqliteLedger(path)
    assert second.open("m") is True
    assert second.begin("m", "1", "add") == Entry("running", "add")
    assert second.saved_session("https://w.example") == record("m")
    assert second.saved_session("https://other.example") is None
    second.forget("m")
    assert second.saved_session("https://w.example") is None
    second.close()
    second.close()


def test_a_file_is_one_process_alone(tmp_path: Path) -> None:
    first = SqliteLedger(tmp_path / "calls.db")
    with pytest.raises(ConfigError, match="Another process has"):
        SqliteLedger(tmp_path / "calls.db", patience=0)
    first.close()
    SqliteLedger(tmp_path / "calls.db", patience=0).close()


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    SqliteLedger(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_older_than_any_session_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    first = SqliteLedger(path)
    first.open("m")
    first.begin("m", "1", "add")
    first.close()
    second = SqliteLedger(path, kept_seconds=-10)
    assert second.count("m") == 0
    second.close()


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "calls.db"
    SqliteLedger(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(sqlite3.DatabaseError, match="another version"):
        SqliteLedger(path)


@pytest.mark.parametrize(
    ("entry", "reruns", "expected"),
    [
        (None, False, Run()),
        (Entry("running", "t"), False, Answer(INTERRUPTED, is_new=True)),
        (Entry("running", "t"), True, Run(restarted=True)),
        (Entry("answered", "t", RESULT), True, Answer(RESULT)),
        (Entry("answered", "t", None, delivered=True), True, Ignore()),
        (Entry("cancelled", "t"), True, Ignore()),
    ],
)
def test_what_is_done_with_a_request_follows_from_what_is_remembered(
    entry: Entry | None, reruns: bool, expected: Run | Answer | Ignore
) -> None:
    assert decide(entry, reruns=reruns) == expected


def test_a_request_that_another_host_may_have_begun_is_run_as_such() -> None:
    assert decide(None, reruns=False, restarted=True) == Run(restarted=True)


def test_both_ledgers_are_ledgers() -> None:
    kinds: list[Callable[..., Ledger]] = [MemoryLedger, SqliteLedger]
    assert [kind.blocks for kind in kinds] == [False, True]  # type: ignore[attr-defined]
