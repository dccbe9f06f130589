"""How long what is kept lives, and when it is compacted."""

import pytest

from tests.support.conversations import TTL, HidingKv, Setting, answer, ids, item, said
from waypost_worker.conversations.conversation import APPENDS_PER_CHECK, MAX_VIEW_AGE_MS, compaction_checks
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
