"""Conversations: a journal of appends, a snapshot that compaction makes of it, and the last N items."""

import json

from hypothesis import given
from hypothesis import strategies as st

from simulation.virtual_time import run
from tests.support.conversations import TTL, Setting, ids, item, said
from waypost_worker.conversations.compaction import OLD_SNAPSHOT_MS, SEEN_BY_ALL_MS
from waypost_worker.conversations.conversation import (
    APPENDS_PER_CHECK,
    compaction_checks,
)
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.conversations.window import last_messages
from waypost_worker.kv.cursor import cursor_ms
from waypost_worker.kv.keys import cursor_of
from waypost_worker.limits import KV_MAX_BULK_KEYS, MAX_CACHED_SESSIONS, MAX_JOURNAL_LENGTH


async def test_what_was_appended_is_read_in_its_order():
    at = Setting()
    both = [item("a", {"n": 1.0}), item("b", None, role="assistant", partial=True)]
    await at.here.append(both)
    await at.here.append([item("c")])
    assert await at.elsewhere.read() == [*both, item("c")]


async def test_a_conversation_that_nobody_began_is_empty():
    assert await Setting().here.read() == []


async def test_two_appends_at_once_from_two_places_both_survive():
    at = Setting()
    await at.here.append([item("a")])
    await at.elsewhere.append([item("b")])
    assert set(ids(await at.here.read())) == {"a", "b"}


async def test_an_item_that_was_appended_twice_is_there_once_as_it_was_first():
    at = Setting()
    await at.here.append([item("a", "first")])
    await at.here.append([item("b"), item("a", "again")])
    assert [(one.id, one.content) for one in await at.here.read()] == [("a", "first"), ("b", "text")]


async def test_only_the_last_items_are_read():
    at = Setting(limit=3)
    await said(at.here, *"abcde")
    assert ids(await at.here.read()) == ["c", "d", "e"]


async def test_items_too_large_for_a_listing_are_read_as_one_operation_for_a_hundred():
    at = Setting(limit=1000)
    for number in range(KV_MAX_BULK_KEYS + 1):
        await at.here.append([item(f"{number:03}", "x" * 2000)])
    at.operations()
    assert len(await at.here.read()) == KV_MAX_BULK_KEYS + 1
    # The snapshot is read while the list is on its way.
    assert at.operations() == ["list", *["get_many"] * 3]


async def test_what_is_appended_stands_at_a_place_that_was_made_before_and_is_kept_from_now_on():
    at = Setting()
    place = at.here.new_cursor()
    at.clock.ms += 1
    later = at.here.new_cursor()
    at.clock.ms += TTL * 500
    await said(at.elsewhere, "b")
    at.clock.ms += TTL * 700
    assert await at.here.append([item("z", place=later), item("a")], cursor=place) == place
    assert ids(await at.elsewhere.read()) == ["a", "z", "b"]
    assert cursor_ms(cursor_of((await at.journal())[-1])) == at.clock.ms


async def said_by_a_clock_ahead(at: Setting, *names: str) -> None:
    at.clock.ms += 4000
    await said(at.elsewhere, *names)
    at.clock.ms -= 4000


async def test_what_an_append_drops_goes_though_a_clock_that_is_ahead_wrote_it():
    at = Setting()
    await said_by_a_clock_ahead(at, "question", "answer")
    await at.here.read()
    await at.here.append([item("question", "again"), item("another")], drops=["question", "answer"])
    assert [(one.id, one.content) for one in await at.elsewhere.read()] == [("question", "again"), ("another", "text")]


async def test_what_is_replaced_after_it_was_read_goes_though_a_clock_that_is_ahead_wrote_it():
    at = Setting()
    await said_by_a_clock_ahead(at, "old")
    await at.here.read()
    await at.here.replace([item("new")])
    assert ids(await at.elsewhere.read()) == ["new"]


async def test_conversations_with_similar_names_do_not_see_each_other():
    at = Setting()
    await at.here.append([item("a")])
    for name in ("c", "c12", "c2"):
        assert await at.isolate(2, compaction_checks(), name).read() == []


async def test_a_conversation_is_over_when_its_newest_entry_is_too_old():
    at = Setting()
    await said(at.here, "a")
    at.clock.ms += TTL * 1000
    assert ids(await at.here.read()) == ["a"]
    at.clock.ms += 1
    assert await at.here.read() == []


async def test_every_append_renews_all_that_is_kept():
    at = Setting(limit=100)
    for number in range(20):
        await said(at.here, f"{number:02}")
        at.clock.ms += TTL * 990
        assert len(await at.here.read()) == number + 1


async def test_a_long_journal_is_compacted_into_a_snapshot_and_kept_beside_it_at_first():
    at = Setting(limit=1000)
    names = [f"{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)]
    await said(at.here, *names)
    assert await at.snapshot() is not None
    assert len(await at.journal()) == len(names)
    assert ids(await at.elsewhere.read()) == names


async def test_a_short_young_journal_is_left_alone():
    at = Setting()
    await said(at.here, *"abcdefgh")
    assert await at.snapshot() is None


async def test_an_entry_leaves_the_journal_when_it_has_long_been_in_every_compaction():
    at = Setting(limit=1000)
    await at.compact()
    first = (await at.journal())[0]
    # Another compaction may still miss it, so none of these counts.
    at.clock.ms += SEEN_BY_ALL_MS
    await at.compact()
    at.clock.ms += OLD_SNAPSHOT_MS + 1
    await at.compact()
    at.clock.ms += OLD_SNAPSHOT_MS
    await at.compact()
    assert first in await at.journal()
    at.clock.ms += 1
    await at.compact()
    assert first not in await at.journal()
    assert len(await at.here.read()) == 5 * (MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)


async def test_what_was_removed_from_the_journal_is_read_from_the_snapshot():
    at = Setting(limit=100)
    for name in "abcde":
        await said(at.here, name)
        at.clock.ms += TTL * 501
    await said(at.here, "f")
    assert len(await at.journal()) < 6
    assert ids(await at.elsewhere.read()) == list("abcdef")


async def test_two_concurrent_compactions_lose_nothing():
    at = Setting(limit=1000)
    await at.compact()
    stale = await at.snapshot() or ""
    at.clock.ms += TTL * 501
    await said(at.here, "new")
    await at.kv.kv.put("conv:c1", stale, ttl_seconds=TTL)
    assert ids(await at.elsewhere.read())[-1] == "new"


async def test_a_snapshot_keeps_no_more_than_is_read():
    at = Setting(limit=2)
    await said(at.here, *"abcd")
    at.clock.ms += TTL * 501
    await said(at.here, "e")
    snapshot = await at.snapshot() or ""
    assert [name for name in "abcde" if f'"id":"{name}"' in snapshot] == ["d", "e"]


async def test_whether_a_compaction_is_due_is_looked_at_each_few_appends_only():
    at = Setting()
    await said(at.here, "a")
    at.operations()
    await said(at.here, *"bcdef")
    assert at.operations().count("get_many") == 1


async def test_it_is_looked_at_again_after_an_eighth_of_the_time_to_live():
    at = Setting()
    await said(at.here, "a")
    at.operations()
    at.clock.ms += TTL * 125 - 1
    await said(at.here, "b")
    assert "get_many" not in at.operations()
    at.clock.ms += 1
    await said(at.here, "c")
    assert "get_many" in at.operations()


async def test_an_isolate_remembers_its_looks_of_a_bounded_number_of_conversations():
    at = Setting()
    for number in range(MAX_CACHED_SESSIONS):
        at.checks.put(str(number), (0, 0), at.clock.ms)
    await said(at.here, "a")
    assert (len(at.checks), "c1" in at.checks, "0" in at.checks) == (MAX_CACHED_SESSIONS, True, False)


def test_a_tools_answer_is_not_read_without_its_call():
    call = item("call", role="assistant", tool_calls=[ToolCall("t1")])
    result = item("result", role="tool", tool_call_id="t1")
    assert ids(last_messages([call, result, item("a")], 3)) == ["call", "result", "a"]
    assert ids(last_messages([call, result, item("a")], 2)) == ["a"]
    assert ids(last_messages([call, item("a")], 2)) == ["call", "a"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1200)), min_size=1, max_size=40))
def test_whoever_appends_and_whenever_it_is_compacted_reading_gives_the_last_items(steps: list[tuple[bool, int]]):
    async def story():
        at = Setting(limit=10)
        names = [f"{number:02}" for number in range(len(steps))]
        for name, (is_here, seconds) in zip(names, steps, strict=True):
            at.clock.ms += 1 + seconds * 1000
            await said(at.here if is_here else at.elsewhere, name)
        assert ids(await at.here.read()) == names[-10:]

    run(story())


def test_a_limit_of_nothing_keeps_nothing():
    assert last_messages([ChatMessage("a", "user", "hello", 0)], 0) == []


async def test_the_end_of_an_answer_stands_behind_its_question_though_the_clock_of_what_that_dropped_was_ahead():
    at = Setting()
    await said_by_a_clock_ahead(at, "question")
    await at.here.read()
    place = at.here.new_cursor()
    begun = item("answer", "It")
    await at.here.append([item("question", "again"), begun], drops=["question"], cursor=place)
    await at.here.append([item("answer", "It is.")], cursor=place)
    assert ids(await at.elsewhere.read()) == ["question", "answer"]


async def test_what_is_put_back_says_which_entry_had_asked_it_again():
    at = Setting()
    again: list[str] = []
    third: list[str] = []
    await at.here.append([item("q", "first")])
    await at.here.append([item("q", "again"), item("a", "answer")], drops=["q"], entries=again)
    await at.here.read()
    await at.here.append([item("q", "third")], drops=["q", "a"], entries=third)
    await at.here.retract(third[0], [item("q", "again"), item("a", "answer")])
    assert [(one.id, one.content) for one in await at.elsewhere.read()] == [("q", "again"), ("a", "answer")]
    text = await at.store.get((await at.journal())[-1])
    assert text is not None
    assert json.loads(text)["despite"] == {"q": again[0]}
