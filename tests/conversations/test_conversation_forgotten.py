"""What is taken away from a conversation stays away; an answer that is written several times counts at its best."""

import msgspec
import pytest

from tests.support.conversations import TTL, HidingKv, Setting, answer, ids, item, said
from waypost_worker.conversations.compaction import OLD_SNAPSHOT_MS, SEEN_BY_ALL_MS
from waypost_worker.conversations.conversation import compaction_checks
from waypost_worker.conversations.message import ChatMessage, ForkOrigin
from waypost_worker.errors import StorageUnavailable
from waypost_worker.limits import MAX_ANSWER_SECONDS, TOMBSTONE_SECONDS


async def compacted_away(at: Setting) -> None:
    """Compacts until every present entry has left the journal."""
    for milliseconds in (0, SEEN_BY_ALL_MS + 1, OLD_SNAPSHOT_MS + 1):
        at.clock.ms += milliseconds
        await at.compact()


async def test_a_deleted_conversation_is_empty_for_everybody_and_goes_on():
    at = Setting()
    await said(at.here, "a", "b")
    await at.elsewhere.read()
    await at.here.forget()
    assert await at.elsewhere.read() == []
    at.clock.ms += 1
    await said(at.elsewhere, "c")
    assert ids(await at.here.read()) == ["c"]


async def test_nothing_of_a_deleted_conversation_is_stored():
    at = Setting()
    await said(at.here, "a", "b")
    await at.here.append([item("secret", "x" * 5000)], drops=["a"])
    at.clock.ms += TTL * 501
    await said(at.here, "c")
    at.clock.ms += 1
    await at.here.forget()
    stored = [(await at.kv.kv.get(key)) or "" for key in ["conv:c1", *await at.journal()]]
    assert not [text for text in stored if '"content"' in text]
    listed = (await at.kv.kv.list("conv:c1")).keys
    assert not [key for key in listed if "content" in (key.metadata or "")]


async def test_what_an_earlier_entry_removed_stays_removed_for_a_reader_that_does_not_see_the_tombstone_yet():
    at = Setting()
    await said(at.here, "a", "b")
    late = (await at.kv.kv.list("conv:c1:")).keys[0]
    at.clock.ms += 1
    await at.here.append([], drops=["a"])
    await at.here.forget()
    *_, forgotten = await at.journal()
    await at.kv.kv.delete(forgotten)
    await at.kv.kv.delete("conv:c1")
    await at.kv.kv.put(late.name, "", ttl_seconds=TTL, metadata=late.metadata)
    assert await at.elsewhere.read() == []


async def test_an_entry_that_is_emptied_can_be_read_by_those_who_list_it_as_it_was():
    at = Setting()
    await at.here.append([item("a", "x" * 5000)], drops=["b"])
    [before] = (await at.kv.kv.list("conv:c1:")).keys
    assert before.metadata is None
    await at.here.forget()
    value = await at.kv.kv.get(before.name) or ""
    assert msgspec.json.decode(value) == {"drops": ["b"], "ttl": TTL}


async def test_what_was_said_before_the_tombstone_is_gone_however_late_it_shows_up():
    at = Setting(limit=1000)
    cursor = at.elsewhere.new_cursor()
    at.clock.ms += 1
    await at.here.forget()
    await compacted_away(at)
    assert all(cursor < key.removeprefix("conv:c1:") for key in await at.journal())
    await at.elsewhere.append([item("late")], cursor=cursor)
    await at.elsewhere.append([answer("late too", "", place=cursor)])
    assert not {"late", "late too"} & set(ids(await at.here.read()))


async def test_a_deletion_that_is_refused_raises():
    at = Setting()
    at.kv.fails = lambda operation, key: operation == "put"
    with pytest.raises(StorageUnavailable):
        await at.here.forget()


@pytest.mark.parametrize("failing", ["list", "get_many", "delete"])
async def test_what_could_not_be_removed_can_not_be_read_either(failing: str):
    at = Setting()
    await said(at.here, "a", "b")
    at.clock.ms += 1
    at.kv.fails = lambda operation, key: operation == failing
    await at.here.forget()
    at.kv.fails = lambda operation, key: False
    assert await at.elsewhere.read() == []
    assert at.log == ["deleted messages of a conversation were not removed: storage_unavailable"]


async def test_nothing_is_removed_twice():
    at = Setting()
    await at.compact()
    at.clock.ms += SEEN_BY_ALL_MS + 1
    await at.compact()
    at.clock.ms += OLD_SNAPSHOT_MS + 1
    at.operations()
    before = await at.journal()
    await at.here.forget()
    deleted = [key for operation, key in at.kv.asked if operation == "delete"]
    assert sorted(deleted) == before


async def test_what_others_have_said_since_the_tombstone_is_kept():
    at = Setting()
    at.clock.ms += 10
    await at.elsewhere.append([item("later")])
    at.clock.ms -= 10
    await at.here.forget()
    assert len(await at.journal()) == 2
    assert ids(await at.here.read()) == ["later"]


async def test_forgetting_does_not_depend_on_seeing_its_own_word():
    at = Setting()
    await at.compact()
    at.kv = hiding = HidingKv(at.kv.kv, at.kv.fails)
    at.clock.ms += 1
    now = at.elsewhere.new_cursor()
    hiding.hides = lambda key: key > f"conv:c1:{now}"
    at.clock.ms += 1
    await at.isolate(3, compaction_checks()).forget()
    assert '"content"' not in (await at.snapshot() or "")


async def test_a_conversation_that_is_replaced_holds_the_new_items_in_their_order():
    at = Setting()
    await said(at.here, "a", "b")
    at.clock.ms += 1
    await at.elsewhere.replace([item("y"), item("x"), item("b", "anew")], ForkOrigin("t", "m"))
    history = await at.here.history()
    assert [(one.id, one.content) for one in history.items] == [("y", "text"), ("x", "text"), ("b", "anew")]
    assert history.origin == ForkOrigin("t", "m")


async def test_no_more_of_the_new_items_is_stored_than_is_kept():
    at = Setting(limit=2)
    await at.here.replace([item(name) for name in "abcd"])
    at.limit = 10
    assert ids(await at.isolate(3, compaction_checks()).read()) == ["c", "d"]


async def test_where_it_was_forked_from_outlives_the_journal_and_not_the_conversation():
    at = Setting(limit=3)
    await at.here.replace([item("a")], ForkOrigin("t"))
    await compacted_away(at)
    assert (await at.elsewhere.history()).origin == ForkOrigin("t")
    await at.here.forget()
    assert (await at.elsewhere.history()).origin is None


async def test_a_conversation_that_is_over_comes_from_nowhere():
    at = Setting()
    await at.here.replace([item("a")], ForkOrigin("t"))
    at.clock.ms += TTL * 1000 + 1
    assert await at.here.history() == ([], None, (), False)


async def test_an_item_that_was_dropped_can_be_said_again():
    at = Setting()
    await said(at.here, "a", "b", "c")
    await at.here.append([item("b", "anew"), item("d")], drops=["b", "c"])
    assert [(one.id, one.content) for one in await at.elsewhere.read()] == [
        ("a", "text"),
        ("b", "anew"),
        ("d", "text"),
    ]


async def test_an_answer_that_was_dropped_is_gone_also_when_it_ends_long_after():
    at = Setting(limit=1000)
    cursor = at.here.new_cursor()
    await at.here.append([item("q"), answer(cursor, "", is_open=True, place=cursor)], cursor=cursor)
    at.clock.ms += 1
    await at.here.append([], drops=[cursor])
    await compacted_away(at)
    at.clock.ms += MAX_ANSWER_SECONDS * 1000
    await at.here.append([answer(cursor, "said by somebody who did not hear of it", place=cursor)])
    assert cursor not in ids(await at.elsewhere.read())


async def test_what_was_retracted_stays_so_where_the_deletion_of_all_is_not_seen_yet():
    at = Setting()
    entries: list[str] = []
    await at.here.append([item("refused")], entries=entries)
    await at.here.retract(entries[0], [])
    await at.here.forget()
    rest = [msgspec.json.decode(await at.kv.kv.get(key) or "") for key in await at.journal()]
    assert {"retracts": entries, "ttl": TTL} in rest


async def test_what_was_dropped_is_remembered_until_nothing_written_before_or_by_a_generation_can_appear():
    at = Setting(limit=1000)
    until_ms = at.clock.ms + 1000 * TOMBSTONE_SECONDS
    await at.here.append([], drops=["dropped"])
    while at.clock.ms + TTL * 500 < until_ms:
        await at.compact()
        at.clock.ms += TTL * 500
    at.clock.ms = until_ms
    await at.compact()
    assert "dropped" in (await at.snapshot() or "")
    at.clock.ms += 1
    await at.compact()
    assert "dropped" not in (await at.snapshot() or "")


async def test_what_was_dropped_is_remembered_while_something_older_is_in_the_journal():
    at = Setting(limit=1000, ttl_seconds=30 * 24 * 3600)
    await said(at.here, "old")
    at.clock.ms += 1
    await at.here.append([], drops=["old"])
    at.clock.ms += TOMBSTONE_SECONDS * 1000 + 1
    await at.compact()
    snapshot = await at.snapshot() or ""
    assert '"drops":["old"]' in snapshot
    await compacted_away(at)
    assert '"old"' not in (await at.snapshot() or "")
    assert "old" not in ids(await at.elsewhere.read())


def an_answer(cursor: str, content: str, **fields: bool) -> ChatMessage:
    return answer(cursor, content, place=cursor, **fields)


async def test_an_answer_stands_behind_its_question_however_late_it_ends():
    at = Setting()
    cursor = at.here.new_cursor()
    await at.here.append([item("q"), an_answer(cursor, "", is_open=True, partial=True)], cursor=cursor)
    at.clock.ms += 1
    await said(at.elsewhere, "later")
    await at.here.append([an_answer(cursor, "the answer")])
    question = item("q", place=cursor)
    assert await at.elsewhere.read() == [question, an_answer(cursor, "the answer"), item("later")]


async def test_of_an_answer_that_goes_on_what_was_said_last_is_read():
    at = Setting()
    cursor = at.here.new_cursor()
    for content in ("", "so", "so far"):
        await at.here.append([an_answer(cursor, content, is_open=True, partial=True)])
    assert await at.elsewhere.read() == [an_answer(cursor, "so far", is_open=True, partial=True)]


async def test_a_whole_answer_is_not_replaced_by_what_somebody_else_took_for_its_end():
    at = Setting()
    cursor = at.here.new_cursor()
    await at.here.append([an_answer(cursor, "so far", partial=True)])
    await at.here.append([an_answer(cursor, "the answer")])
    at.clock.ms += 1
    await at.elsewhere.append([an_answer(cursor, "so", partial=True)])
    assert await at.here.read() == [an_answer(cursor, "the answer")]
