"""How long what is kept lives, and when it is compacted."""

import msgspec
import pytest

from tests.support.conversations import TTL, HidingKv, Setting, answer, ids, item, said
from waypost_worker.conversations.compaction import LONG_JOURNAL_PART, MAX_VIEW_AGE_MS, OLD_SNAPSHOT_MS, SEEN_BY_ALL_MS
from waypost_worker.conversations.conversation import (
    APPENDS_PER_CHECK,
    compaction_checks,
)
from waypost_worker.kv.keys import cursor_of
from waypost_worker.limits import MAX_ANSWER_SECONDS, MAX_JOURNAL_LENGTH


async def test_a_compaction_that_is_put_off_as_long_as_it_may_be_loses_nothing():
    at = Setting()
    await said(at.here, "a")
    at.clock.ms += TTL * 501
    # Compacted here. Then, one after the other as late as they can come: a look that finds nothing due, an append
    # without a look, and a time of silence.
    await said(at.here, "b")
    at.clock.ms += TTL * 500
    await said(at.here, "c")
    at.clock.ms += TTL * 125 - 1
    await said(at.here, "d")
    at.clock.ms += TTL * 1000
    assert ids(await at.elsewhere.read()) == list("abcd")


@pytest.mark.parametrize("ttl_seconds", [60, 3600])
async def test_what_was_taken_away_is_known_for_as_long_as_an_answer_may_take(ttl_seconds: int):
    at = Setting(ttl_seconds=ttl_seconds)
    cursor = at.here.new_cursor()
    at.clock.ms += 1
    await at.here.forget()
    at.clock.ms += MAX_ANSWER_SECONDS * 1000
    await at.here.append([answer("a", "late", place=cursor)])
    assert await at.here.read() == []


async def test_appending_again_what_there_is_renews_it_too():
    at = Setting(limit=2)
    await said(at.here, "a", "b")
    for _ in range(5):
        at.clock.ms += TTL * 990
        await said(at.here, "a")
        assert ids(await at.elsewhere.read()) == ["a", "b"]


async def test_what_was_read_just_before_is_compacted_without_another_look():
    at = Setting(limit=100)
    for number in range(MAX_JOURNAL_LENGTH):
        await at.here.append([item(f"{number}")])
    await at.here.read()
    at.operations()
    at.clock.ms += MAX_VIEW_AGE_MS
    await at.here.compact_if_due()
    assert at.operations() == ["put"]


async def test_what_was_read_a_while_ago_is_looked_at_again():
    at = Setting(limit=100)
    for number in range(MAX_JOURNAL_LENGTH):
        await at.here.append([item(f"{number}")])
    await at.here.read()
    at.operations()
    at.clock.ms += MAX_VIEW_AGE_MS + 1
    await at.here.compact_if_due()
    assert at.operations() == ["list", "get_many", "put"]


async def test_what_was_compacted_makes_no_other_compaction_due():
    at = Setting(limit=100)
    await at.compact()
    at.operations()
    await said(at.here, *"abcdefghi"[:APPENDS_PER_CHECK])
    assert at.operations().count("put") == APPENDS_PER_CHECK


async def test_a_snapshot_past_half_its_time_is_rewritten():
    at = Setting()
    for name in "abc":
        await said(at.here, name)
        at.clock.ms += TTL * 501
    assert '"id":"c"' in (await at.snapshot() or "")


async def test_a_compaction_that_fails_is_tried_again_after_a_few_appends():
    at = Setting(limit=100)
    for number in range(MAX_JOURNAL_LENGTH):
        await at.here.append([item(f"{number}")])
    at.kv.fails = lambda operation, key: key == "conv:c1" and operation == "put"
    await at.here.compact_if_due()
    assert at.log == ["a conversation was not compacted: storage_unavailable"]
    at.kv.fails = lambda operation, key: False
    for _ in range(APPENDS_PER_CHECK):
        await at.here.compact_if_due()
    assert await at.snapshot() is not None


async def test_an_entry_whose_text_is_not_to_be_seen_yet_is_left_out_and_not_compacted():
    at = Setting()
    await said(at.here, "a")
    await at.here.append([item("b", "x" * 5000)])
    at.clock.ms += TTL * 501
    at.kv = hiding = HidingKv(at.kv.kv, at.kv.fails)
    seen, hidden = await at.journal()
    hiding.has_no_value = hidden
    elsewhere = at.isolate(2, compaction_checks())
    assert ids(await elsewhere.read()) == ["a"]
    await elsewhere.compact_if_due()
    snapshot = await at.snapshot() or ""
    assert cursor_of(seen) in snapshot
    assert cursor_of(hidden) not in snapshot
    assert ids(await at.here.read()) == ["a", "b"]


DAY = 24 * 3600


def without_new_fields(text: str) -> str:
    """A stored text as the version before threads lived 30 days wrote it."""
    value = msgspec.json.decode(text)
    if "entries" in value:
        return msgspec.json.encode({name: value[name] for name in ("written_ms", "entries", "folded_ms")}).decode()
    return msgspec.json.encode({name: field for name, field in value.items() if name != "ttl"}).decode()


async def aged(at: Setting) -> None:
    """Rewrites the store as that version would have left it: without the new fields, and with its times to live."""
    ttl_seconds = 2 * TTL + MAX_ANSWER_SECONDS
    for key in (await at.kv.kv.list("conv:c1")).keys:
        value = without_new_fields(await at.kv.kv.get(key.name) or "")
        metadata = None if key.metadata is None or key.name == "conv:c1" else without_new_fields(key.metadata)
        await at.kv.kv.put(key.name, value, ttl_seconds=ttl_seconds, metadata=metadata)


@pytest.mark.parametrize("count", [3, MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK])
async def test_what_was_written_when_conversations_lived_shorter_lives_on_with_the_next_message(count: int):
    at = Setting(limit=100, ttl_seconds=30 * DAY)
    names = [f"{number:02}" for number in range(count)]
    await said(at.here, *names)
    await aged(at)
    at.clock.ms += 1000 * (TTL - 1)
    history = await at.elsewhere.history()
    assert (ids(history.items), history.truncated) == (names, False)
    await said(at.isolate(5, compaction_checks()), "new")
    at.clock.ms += 1000 * 29 * DAY
    assert ids(await at.elsewhere.read()) == [*names, "new"]


async def test_that_messages_were_cut_off_is_known_after_they_have_left_the_store():
    at = Setting(limit=3)
    await said(at.here, *"abcde")
    for milliseconds in (TTL * 501, SEEN_BY_ALL_MS + 1, OLD_SNAPSHOT_MS + 1, OLD_SNAPSHOT_MS + 1):
        at.clock.ms += milliseconds
        await said(at.here, f"at {at.clock.ms}")
        await at.here.read()
        await at.here.compact_if_due()
    at.clock.ms += 1
    for name in ids(await at.here.read())[1:]:
        await at.here.drop(name)
    assert (await at.isolate(5, compaction_checks()).history()).truncated is True
    await at.here.forget()
    assert (await at.here.history()).truncated is False


async def test_a_long_journal_is_checked_and_compacted_less_often():
    at = Setting(limit=1000)
    for number in range(400):
        await said(at.here, f"{number:03}")
    at.operations()
    for number in range(400, 500):
        await said(at.here, f"{number:03}")
    operations = at.operations()
    assert operations.count("list") <= 100 // (400 // LONG_JOURNAL_PART) + 1
    assert len(await at.elsewhere.read()) == 500


async def test_what_is_dropped_is_dropped_though_it_was_written_by_a_clock_that_is_ahead():
    at = Setting()
    at.clock.ms += 5000
    await said(at.elsewhere, "a", "b", "c")
    at.clock.ms -= 5000
    assert (await at.here.pop("p")) == item("c")
    await at.here.drop("a")
    assert ids(await at.elsewhere.read()) == ["b"]


async def test_what_stood_before_a_message_that_was_cut_off_is_cut_off_too():
    """The answer's last copy comes when its question, and what followed it, are stored no more."""
    at = Setting(limit=2)
    place = at.here.new_cursor()
    await at.here.append([item("question"), answer("answer", "So", is_open=True)], cursor=place)
    await said(at.here, "a", "b", "c", "d")
    for milliseconds in (SEEN_BY_ALL_MS + 1, OLD_SNAPSHOT_MS + 1):
        await at.compact()
        at.clock.ms += milliseconds
    await at.compact()
    await at.here.append([answer("answer", "So far", place=place)])
    popped = []
    while (taken := await at.here.pop(f"{len(popped)}")) is not None:
        popped.append(taken.id)
    assert popped == sorted(popped, reverse=True)
    assert popped[-1] > "1-000"
    assert (await at.elsewhere.history()).items == []
