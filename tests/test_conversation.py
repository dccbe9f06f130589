"""Conversations: appends that never meet, a snapshot that is folded from them, and the last N items."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.builders import SetClock
from tests.support.faulty_kv import FaultyKv
from tests.support.seeded_random import SeededRandom
from tests.support.virtual_time import run
from waypost.conversation import APPENDS_PER_CHECK, FOLDED_LONG_ENOUGH_MS, Checks, Conversation
from waypost.cursor import CursorFactory
from waypost.item import Item, ToolCall, cut
from waypost.limits import KV_MAX_BULK_KEYS, MAX_CACHED_SESSIONS, MAX_JOURNAL_LENGTH
from waypost.memory_kv import MemoryKv

TTL = 3600


class Setting:
    """One conversation in one store, as two isolates see it."""

    def __init__(self, limit: int = 10) -> None:
        self.clock = SetClock()
        self.kv = FaultyKv(MemoryKv(self.clock), lambda *_: False)
        self.limit = limit
        self.checks: Checks = {}
        self.here = self.isolate(0, self.checks)
        self.elsewhere = self.isolate(1, {})

    def isolate(self, seed: int, checks: Checks, name: str = "c1") -> Conversation:
        cursors = CursorFactory(self.clock, SeededRandom(seed))
        return Conversation(self.kv, self.clock, cursors, checks, name, TTL, self.limit)

    async def journal(self) -> list[str]:
        return [key.name for key in (await self.kv.kv.list("conv:c1:")).keys]

    async def snapshot(self) -> str | None:
        return await self.kv.kv.get("conv:c1")


def item(id: str, content: Any = "text", **fields: Any) -> Item:
    return Item(id, fields.pop("role", "user"), content, 0, **fields)


def ids(items: list[Item]) -> list[str]:
    return [one.id for one in items]


async def said(conversation: Conversation, *names: str) -> None:
    for name in names:
        await conversation.append([item(name)])
        await conversation.tidy()


def test_what_was_appended_is_read_in_its_order():
    async def story():
        at = Setting()
        both = [item("a", {"n": 1.0}), item("b", None, role="assistant", partial=True)]
        await at.here.append(both)
        await at.here.append([item("c")])
        assert await at.elsewhere.read() == [*both, item("c")]

    run(story())


def test_a_conversation_that_nobody_began_is_empty():
    assert run(Setting().here.read()) == []


def test_two_appends_at_once_from_two_places_both_survive():
    async def story():
        at = Setting()
        await at.here.append([item("a")])
        await at.elsewhere.append([item("b")])
        assert set(ids(await at.here.read())) == {"a", "b"}

    run(story())


def test_an_item_that_was_appended_twice_is_there_once_as_it_was_first():
    async def story():
        at = Setting()
        await at.here.append([item("a", "first")])
        await at.here.append([item("b"), item("a", "again")])
        assert [(one.id, one.content) for one in await at.here.read()] == [("a", "first"), ("b", "text")]

    run(story())


def test_only_the_last_items_are_read():
    async def story():
        at = Setting(limit=3)
        await said(at.here, *"abcde")
        assert ids(await at.here.read()) == ["c", "d", "e"]

    run(story())


def test_items_too_large_for_a_listing_are_read_as_one_operation_for_a_hundred():
    async def story():
        at = Setting(limit=1000)
        for number in range(KV_MAX_BULK_KEYS + 1):
            await at.here.append([item(f"{number:03}", "x" * 2000)])
        at.kv.asked.clear()
        assert len(await at.here.read()) == KV_MAX_BULK_KEYS + 1
        assert [operation for operation, _ in at.kv.asked] == ["list", "get_many", "get_many"]

    run(story())


def test_conversations_do_not_see_each_other():
    async def story():
        at = Setting()
        await at.here.append([item("a")])
        for name in ("c", "c12", "c2"):
            assert await at.isolate(2, {}, name).read() == []

    run(story())


def test_a_conversation_is_over_when_its_newest_entry_is_too_old():
    async def story():
        at = Setting()
        await said(at.here, "a")
        at.clock.ms += TTL * 1000
        assert ids(await at.here.read()) == ["a"]
        at.clock.ms += 1
        assert await at.here.read() == []

    run(story())


def test_every_append_renews_all_that_is_kept():
    async def story():
        at = Setting(limit=100)
        for number in range(20):
            await said(at.here, f"{number:02}")
            at.clock.ms += TTL * 990
            assert len(await at.here.read()) == number + 1

    run(story())


def test_a_long_journal_is_folded_into_a_snapshot_and_kept_beside_it_at_first():
    async def story():
        at = Setting(limit=1000)
        names = [f"{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)]
        await said(at.here, *names)
        assert await at.snapshot() is not None
        assert len(await at.journal()) == len(names)
        assert ids(await at.elsewhere.read()) == names

    run(story())


def test_a_short_young_journal_is_left_alone():
    async def story():
        at = Setting()
        await said(at.here, *"abcdefgh")
        assert await at.snapshot() is None

    run(story())


def test_an_entry_leaves_the_journal_only_after_it_has_long_been_in_the_snapshot():
    async def story():
        at = Setting(limit=100)
        await said(at.here, "a")
        at.clock.ms += TTL * 501
        await said(at.here, "b")
        assert len(await at.journal()) == 2
        at.clock.ms += TTL * 501
        assert FOLDED_LONG_ENOUGH_MS < TTL * 501
        await said(at.here, "c")
        assert len(await at.journal()) == 1
        assert ids(await at.elsewhere.read()) == ["a", "b", "c"]

    run(story())


async def folded_long_journal(at: Setting) -> None:
    """Folds twice, the second time `FOLDED_LONG_ENOUGH_MS` after the first."""
    await said(at.here, *(f"a{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)))


def test_an_entry_that_was_folded_a_short_while_ago_stays_in_the_journal():
    async def story():
        at = Setting(limit=1000)
        await folded_long_journal(at)
        first = (await at.journal())[0]
        at.clock.ms += FOLDED_LONG_ENOUGH_MS
        await said(at.here, *(f"b{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)))
        assert first in await at.journal()
        at.clock.ms += 1
        await said(at.here, *(f"c{number:03}" for number in range(MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)))
        assert first not in await at.journal()
        assert len(await at.here.read()) == 3 * (MAX_JOURNAL_LENGTH + APPENDS_PER_CHECK)

    run(story())


def test_two_folds_at_once_lose_nothing():
    async def story():
        at = Setting(limit=1000)
        await folded_long_journal(at)
        stale = await at.snapshot() or ""
        at.clock.ms += TTL * 501
        await said(at.here, "new")
        await at.kv.kv.put("conv:c1", stale, ttl_seconds=TTL)
        assert ids(await at.elsewhere.read())[-1] == "new"

    run(story())


def test_a_snapshot_keeps_no_more_than_is_read():
    async def story():
        at = Setting(limit=2)
        await said(at.here, *"abcd")
        at.clock.ms += TTL * 501
        await said(at.here, "e")
        snapshot = await at.snapshot() or ""
        assert [name for name in "abcde" if f'"id":"{name}"' in snapshot] == ["d", "e"]

    run(story())


def test_whether_a_fold_is_due_is_looked_at_each_few_appends_only():
    async def story():
        at = Setting()
        await said(at.here, "a")
        at.kv.asked.clear()
        await said(at.here, *"bcdef")
        assert [operation for operation, _ in at.kv.asked].count("get_many") == 1

    run(story())


def test_it_is_looked_at_again_after_an_eighth_of_the_time_to_live():
    async def story():
        at = Setting()
        await said(at.here, "a")
        at.kv.asked.clear()
        at.clock.ms += TTL * 125 - 1
        await said(at.here, "b")
        assert "get_many" not in [operation for operation, _ in at.kv.asked]
        at.clock.ms += 1
        await said(at.here, "c")
        assert "get_many" in [operation for operation, _ in at.kv.asked]

    run(story())


def test_an_isolate_remembers_its_looks_of_a_bounded_number_of_conversations():
    async def story():
        at = Setting()
        at.checks.update({str(number): (0, 0) for number in range(MAX_CACHED_SESSIONS)})
        await said(at.here, "a")
        assert list(at.checks) == ["c1"]

    run(story())


def test_a_tools_answer_is_not_read_without_its_call():
    call = item("call", role="assistant", tool_calls=[ToolCall("t1")])
    result = item("result", role="tool", tool_call_id="t1")
    assert ids(cut([call, result, item("a")], 3)) == ["call", "result", "a"]
    assert ids(cut([call, result, item("a")], 2)) == ["a"]
    assert ids(cut([call, item("a")], 2)) == ["call", "a"]


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 1200)), min_size=1, max_size=40))
def test_whoever_appends_and_whenever_it_is_folded_reading_gives_the_last_items(steps: list[tuple[bool, int]]):
    async def story():
        at = Setting(limit=10)
        names = [f"{number:02}" for number in range(len(steps))]
        for name, (is_here, seconds) in zip(names, steps, strict=True):
            at.clock.ms += 1 + seconds * 1000
            await said(at.here if is_here else at.elsewhere, name)
        assert ids(await at.here.read()) == names[-10:]

    run(story())


def test_a_limit_of_nothing_keeps_nothing():
    assert cut([Item("a", "user", "hello", 0)], 0) == []
