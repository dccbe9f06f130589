"""Pops: the last message is taken away, once, and nothing that others have added."""

import asyncio

import pytest

from simulation.seeded_random import SeededRandom
from tests.support.conversations import TTL, HidingKv, Setting, ids, item, said
from waypost_worker.conversations.compaction import OLD_SNAPSHOT_MS, SEEN_BY_ALL_MS
from waypost_worker.conversations.conversation import MAX_POP_TRIES, Conversation
from waypost_worker.conversations.journal import Change, Entry, Popped, merge
from waypost_worker.conversations.recent_pops import MAX_REMEMBERED
from waypost_worker.errors import StorageUnavailable
from waypost_worker.kv.cursor import CursorFactory
from waypost_worker.limits import POP_REPEAT_SECONDS


async def test_pops_take_one_message_after_the_other_and_then_nothing():
    at = Setting()
    await said(at.here, "a", "b")
    taken = [await at.here.pop(f"p{number}") for number in range(3)]
    assert [one and one.id for one in taken] == ["b", "a", None]
    assert await at.elsewhere.read() == []


async def test_a_pop_that_is_repeated_takes_the_same_message_whatever_was_added_since():
    at = Setting()
    await said(at.here, "a", "b")
    first = await at.here.pop("p")
    at.clock.ms += 1
    await said(at.elsewhere, "c")
    assert await at.here.pop("p") == await at.elsewhere.pop("p") == first == item("b")
    assert ids(await at.here.read()) == ["a", "c"]


async def test_a_pop_that_found_nothing_finds_nothing_again():
    at = Setting()
    await said(at.here, "a")
    await at.here.pop("p1")
    assert await at.here.pop("p2") is None
    at.clock.ms += 1
    await said(at.here, "b")
    assert await at.elsewhere.pop("p2") is None
    assert ids(await at.here.read()) == ["b"]


async def test_a_pop_before_the_first_message_finds_nothing_again():
    at = Setting()
    assert await at.here.pop("p") is None
    at.clock.ms += 1
    await said(at.here, "a")
    assert await at.elsewhere.pop("p") is None
    assert ids(await at.here.read()) == ["a"]


async def test_a_pop_that_is_repeated_after_all_was_deleted_takes_nothing_and_shows_nothing():
    at = Setting()
    await said(at.here, "a", "b")
    await at.here.pop("p")
    at.clock.ms += 1
    await at.here.forget()
    at.clock.ms += 1
    await said(at.here, "c")
    assert await at.here.pop("p") is None
    assert await at.elsewhere.pop("p") is None
    for milliseconds in (0, SEEN_BY_ALL_MS + 1, OLD_SNAPSHOT_MS + 1):
        at.clock.ms += milliseconds
        await at.compact()
    assert await at.elsewhere.pop("p") is None
    stored = [(await at.kv.kv.get(key)) or "" for key in ["conv:c1", *await at.journal()]]
    assert not [text for text in stored if '"id":"b"' in text]


async def test_what_is_added_at_once_with_a_pop_survives():
    at = Setting()
    await said(at.here, "a", "b")
    taken, _ = await asyncio.gather(at.here.pop("p"), at.elsewhere.append([item("c")]))
    assert taken is not None
    assert set(ids(await at.here.read())) == {"a", "b", "c"} - {taken.id}


async def test_two_pops_at_once_in_one_isolate_take_two_messages():
    at = Setting()
    await said(at.here, *"abcde")
    taken = await asyncio.gather(at.here.pop("p1"), at.here.pop("p2"), at.here.pop("p3"))
    assert {one.id for one in taken if one} == {"c", "d", "e"}
    assert ids(await at.elsewhere.read()) == ["a", "b"]


async def test_of_two_pops_in_two_isolates_the_later_gives_way_once_it_sees_the_other():
    at = Setting()
    await said(at.here, *"abc")
    at.clock.ms += 1
    at.kv = hiding = HidingKv(at.kv.kv, at.kv.fails)
    before = set(await at.journal())
    hiding.hides = lambda key: key.startswith("conv:c1:") and key not in before
    here, elsewhere = at.isolate(2, at.checks), at.isolate(3, at.checks)
    first = await here.pop("p1")
    at.clock.ms += 1
    listings = 0

    def hides_at_first(key: str) -> bool:
        # What the other one wrote is visible from the second listing on.
        nonlocal listings
        listings += key == min(before)
        return listings < 2 and key not in before

    hiding.hides = hides_at_first
    second = await elsewhere.pop("p2")
    assert (first and first.id, second and second.id) == ("c", "b")
    hiding.hides = lambda key: False
    assert (await at.elsewhere.pop("p2"), await at.elsewhere.pop("p1")) == (item("b"), item("c"))
    assert ids(await at.here.read()) == ["a"]


async def test_a_pop_that_is_repeated_where_the_store_does_not_show_it_yet_is_the_same():
    at = Setting()
    await said(at.here, "a", "b")
    at.kv = hiding = HidingKv(at.kv.kv, at.kv.fails)
    before = set(await at.journal())
    hiding.hides = lambda key: key.startswith("conv:c1:") and key not in before
    here = at.isolate(2, at.checks)
    assert await here.pop("p") == await here.pop("p") == item("b")
    assert len((await at.kv.kv.list("conv:c1:")).keys) == 3


async def test_a_pop_that_was_refused_takes_the_same_message_when_it_is_repeated():
    at = Setting()
    await said(at.here, "a", "b")
    at.kv.fails = lambda operation, key: operation == "put"
    with pytest.raises(StorageUnavailable):
        await at.here.pop("p")
    at.kv.fails = lambda operation, key: False
    at.clock.ms += 1
    await said(at.elsewhere, "c")
    assert await at.here.pop("p") == item("b")
    assert ids(await at.elsewhere.read()) == ["a", "c"]


async def test_a_message_that_is_said_again_after_a_pop_can_be_popped_again():
    at = Setting()
    await said(at.here, "a", "b")
    await at.here.pop("p1")
    at.clock.ms += 1
    await at.here.append([item("b", "again")])
    assert await at.here.pop("p2") == item("b", "again")
    assert await at.here.pop("p1") == item("b")


async def test_a_pop_of_a_conversation_that_is_over_takes_nothing_and_does_not_revive_it():
    at = Setting()
    await said(at.here, "a")
    at.clock.ms += TTL * 1000 + 1
    assert await at.here.pop("p") is None
    assert await at.here.read() == []


async def test_a_pop_can_be_repeated_for_ten_minutes_after_it_left_the_journal():
    at = Setting(limit=1000)
    await said(at.here, "a", "b")
    await at.here.pop("p")
    for milliseconds in (0, SEEN_BY_ALL_MS + 1, OLD_SNAPSHOT_MS + 1):
        at.clock.ms += milliseconds
        await at.compact()
    assert await at.isolate(5, at.checks).pop("p") == item("b")
    at.clock.ms += POP_REPEAT_SECONDS * 1000
    await at.compact()
    assert '"popped"' not in (await at.snapshot() or "")


async def test_what_can_be_repeated_takes_no_more_room_than_the_history():
    at = Setting()
    for number in range(4):
        await at.here.append([item(f"m{number}", "x" * 400_000)])
        await at.here.pop(f"p{number}")
    at.clock.ms += TTL * 501
    await said(at.here, "a")
    snapshot = await at.snapshot() or ""
    assert '"popped"' not in snapshot
    assert len(snapshot) < 2_000_000


async def test_the_newest_pops_are_the_ones_that_can_be_repeated():
    at = Setting()
    for number in range(4):
        await at.here.append([item(f"m{number}", "x" * 400_000)])
        await at.here.pop(f"p{number}")
    await at.here.read()
    for number in range(6):
        await at.here.append([item(f"a{number}")])
    await at.here.read()
    await at.here.compact_if_due()
    snapshot = await at.snapshot() or ""
    assert [name for name in ("p0", "p1", "p2", "p3") if f'"id":"{name}","item"' in snapshot] == ["p2", "p3"]
    assert '{"id":"p0"}' in snapshot


async def test_an_isolate_remembers_a_bounded_number_of_pops():
    at = Setting(limit=100)
    await said(at.here, *(f"{number:03}" for number in range(MAX_REMEMBERED + 5)))
    for number in range(MAX_REMEMBERED + 2):
        await at.here.pop(f"p{number}")
    assert len(at.pops.of("c1", at.clock.ms)) == MAX_REMEMBERED


async def test_an_isolate_remembers_a_bounded_number_of_bytes():
    at = Setting()
    for number in range(4):
        await at.here.append([item(f"m{number}", "x" * 900_000)])
        await at.here.pop(f"p{number}")
    assert [entry.change.popped.id for entry in at.pops.of("c1", at.clock.ms) if entry.change.popped] == ["p2", "p3"]


async def test_the_answers_of_a_conversation_are_known_removed_ones_too():
    at = Setting()
    await at.here.append([item("q"), item("g1", role="assistant"), item("g2", role="assistant")])
    await at.here.append([], drops=["g0", "g2"])
    assert at.here.answer_ids() == set()
    await at.here.history()
    assert at.here.answer_ids() == {"g0", "g1", "g2"}


class Contested(Conversation):
    """Of which another pop, with an earlier cursor, always turns out to have taken the same message."""

    looks = 0

    async def _entries(self) -> list[Entry]:
        entries = await super()._entries()
        self.looks += 1
        popped = [entry.change.popped for entry in entries if entry.change.popped is not None]
        others = [Entry(f"00{self.looks}", Change(popped=Popped("other", one.item))) for one in popped]
        return merge(others, entries)


async def test_a_pop_gives_way_a_bounded_number_of_times():
    at = Setting(limit=100)
    await said(at.here, *"abcdefgh")
    random = SeededRandom(9)
    cursors = CursorFactory(at.clock, random)
    contested = Contested(at.kv.kv, at.clock, cursors, at.checks, "c1", TTL, 100, at.log.append)
    taken = await contested.pop("p")
    assert (taken and taken.id, contested.looks) == ("d", 1 + MAX_POP_TRIES)
