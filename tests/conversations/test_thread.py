"""Threads: found by their name, tied to one conversation, forked from each other, kept whole in one record."""

import pytest

from simulation.virtual_time import START_MS
from tests.support.behind_kv import HesitantKv
from tests.support.threads import ADA, SECRET, Setting
from waypost_worker.conversations.message import ForkOrigin
from waypost_worker.conversations.thread import RecentWrites, Thread, ThreadStore, is_of_resource, validate_thread
from waypost_worker.errors import InvalidBody
from waypost_worker.ids import parse_app_id, parse_id
from waypost_worker.kv.keys import thread_key
from waypost_worker.limits import KV_MIN_TTL_SECONDS, MAX_METADATA_BYTES, MAX_METADATA_NAME_LENGTH, THREAD_TTL_SECONDS


async def test_a_saved_thread_is_found_with_all_that_it_was_given():
    at = Setting()
    metadata = {"title": 'Ünïcode \u2028 "quoted"', "n": 1.0, "deep": [{"a": None}]}
    await at.saved("t", agent="helper", metadata=metadata)
    session_id = at.threads.session_id_for(ADA, "t")
    assert await at.found() == Thread(ADA, "t", session_id, START_MS, START_MS, metadata, "helper", written_ms=START_MS)


async def test_saving_is_one_put_and_finding_one_list():
    at = Setting()
    await at.saved()
    assert at.operations() == ["put"]
    await at.found()
    assert at.operations() == ["list"]


async def test_a_thread_that_is_not_there_is_looked_for_without_a_get():
    at = Setting()
    assert await at.threads.find(ADA, "t") is None
    assert at.operations() == ["list"]


async def test_a_longer_name_does_not_match_a_shorter_one():
    at = Setting()
    for longer in ("t1", "t:1", "t 1", "t\u00e9", "t-"):
        await at.saved(longer)
    assert await at.threads.find(ADA, "t") is None


async def test_a_name_is_found_among_longer_ones():
    at = Setting()
    for thread_id in ("t-", "t", "t.", "t 1", "t%20"):
        await at.saved(thread_id)
    assert (await at.found("t")).thread_id == "t"


@pytest.mark.parametrize("names", [("a", "b:c"), ("a:b", "c"), ("a%3Ab", "c"), ("a:b:", "c"), ("a", "b%3Ac")])
async def test_names_with_separators_are_kept_apart(names: tuple[str, str]):
    at = Setting()
    for resource_id, thread_id in [("a", "b:c"), ("a:b", "c"), ("a%3Ab", "c"), ("a:b:", "c"), ("a", "b%3Ac")]:
        await at.saved(thread_id, resource_id)
    thread = await at.threads.find(*names)
    assert thread is not None
    assert (thread.resource_id, thread.thread_id) == names


async def test_an_empty_page_with_more_to_come_does_not_hide_a_thread():
    at = Setting(HesitantKv)
    assert await at.threads.find(ADA, "t") is None
    await at.saved()
    await at.saved("t2")
    assert (await at.found()).thread_id == "t"


async def test_a_thread_is_kept_for_30_days_after_it_was_used_last():
    at = Setting()
    await at.saved()
    for _ in range(2):
        at.clock.ms += THREAD_TTL_SECONDS * 1000 - 1
        await at.threads.save(at.threads.touch(await at.found()))
    at.clock.ms += THREAD_TTL_SECONDS * 1000
    assert await at.threads.find(ADA, "t") is None


async def test_changing_a_thread_is_not_using_it():
    at = Setting()
    begun = await at.saved("t", metadata={"a": 1})
    at.clock.ms += THREAD_TTL_SECONDS * 1000 - 200_000
    await at.threads.save(at.threads.change(await at.found(), "A title", True, None))
    changed = await at.found()
    assert (changed.title, changed.archived, changed.metadata) == ("A title", True, {"a": 1})
    assert changed.updated_ms == begun.updated_ms
    at.clock.ms += 200_000
    assert await at.threads.find(ADA, "t") is None


async def test_a_change_at_the_end_of_a_threads_time_is_kept_for_the_shortest_time_that_kv_takes():
    at = Setting()
    await at.saved()
    at.clock.ms += THREAD_TTL_SECONDS * 1000 - 1
    await at.threads.save(at.threads.change(await at.found(), None, None, {"a": 2}))
    at.clock.ms += KV_MIN_TTL_SECONDS * 1000 - 1
    assert (await at.found()).metadata == {"a": 2}


async def test_a_change_elsewhere_shows_as_soon_as_it_is_listed_though_the_thread_was_not_used():
    at = Setting()
    await at.saved()
    elsewhere = ThreadStore(at.kv, at.clock, SECRET, RecentWrites())
    at.clock.ms += 1
    await elsewhere.save(elsewhere.change(await at.found(), "New", None, None))
    assert (await at.found()).title == "New"


async def test_a_record_from_before_titles_existed_is_read():
    at = Setting()
    old = b'["t-session",1,2,{"a":1},"helper",null,null,false]'
    await at.kv.put(thread_key(ADA, "t"), "", ttl_seconds=60, metadata=old.decode())
    assert await at.found() == Thread(ADA, "t", "t-session", 1, 2, {"a": 1}, "helper")


async def test_a_deleted_thread_is_not_found():
    at = Setting()
    await at.threads.delete(await at.saved())
    assert await at.threads.find(ADA, "t") is None
    assert (at.operations())[1] == "delete"


def test_the_conversation_of_a_new_thread_is_the_same_in_two_locations():
    here, elsewhere = Setting(), Setting()
    elsewhere.clock.ms += 1
    assert here.threads.begin(ADA, "t").session_id == elsewhere.threads.begin(ADA, "t").session_id


def test_the_derivation_is_pinned():
    session_id = Setting().threads.session_id_for(ADA, "t")
    assert session_id == "t-01W6_NAYvJQaaus8BGxCVI1XtiTb-ED6Z5mNH-dSyvW"
    assert parse_id(session_id, "sessionId") == session_id


def test_whose_a_conversation_is_can_be_told_with_the_key_alone():
    session_id = Setting().threads.session_id_for(ADA, "t")
    keys = (b"the key that came after the other one", SECRET)
    assert is_of_resource(session_id, ADA, keys)
    assert not is_of_resource(session_id, ADA, keys[:1])
    assert not is_of_resource(session_id, f"{ADA}x", keys)
    assert not is_of_resource("t-", ADA, keys)


@pytest.mark.parametrize(("resource_id", "thread_id"), [("a", "bc"), ("ab", "c"), ('a","b', "c"), ("a", 'b","c')])
def test_two_names_never_share_a_conversation(resource_id: str, thread_id: str):
    names = {("a", "bc"), ("ab", "c"), ('a","b', "c"), ("a", 'b","c')} - {(resource_id, thread_id)}
    threads = Setting().threads
    assert threads.session_id_for(resource_id, thread_id) not in {threads.session_id_for(*name) for name in names}


def test_without_the_key_the_conversation_can_not_be_derived():
    at = Setting()
    other = ThreadStore(at.kv, at.clock, SECRET[::-1], RecentWrites())
    assert at.threads.session_id_for(ADA, "t") != other.session_id_for(ADA, "t")


async def test_a_replaced_key_loses_no_thread():
    at = Setting()
    before = await at.saved()
    rotated = ThreadStore(at.kv, at.clock, SECRET[::-1], RecentWrites())
    after = await rotated.find(ADA, "t")
    assert after is not None
    await rotated.save(rotated.touch(after))
    assert (await at.found()).session_id == before.session_id


async def test_a_thread_that_is_used_keeps_what_is_not_changed():
    at = Setting()
    thread = await at.saved(agent="helper", metadata={"a": 1})
    at.clock.ms += 5
    touched = at.threads.touch(thread)
    assert touched == Thread(
        ADA, "t", thread.session_id, START_MS, START_MS + 5, {"a": 1}, "helper", written_ms=START_MS
    )
    assert at.threads.touch(thread, agent="other").agent == "other"
    assert at.threads.touch(thread, metadata={}).metadata == {}


def test_a_clock_that_is_behind_does_not_make_a_thread_older():
    at = Setting()
    thread = at.threads.begin(ADA, "t")
    at.clock.ms -= 10_000
    assert at.threads.touch(thread).updated_ms == START_MS


def metadata_of(size: int) -> dict[str, str]:
    """Metadata of `size` bytes as JSON."""
    return {"a": "x" * (size - len('{"a":""}'))}


def test_metadata_may_have_512_bytes():
    validate_thread(Setting().threads.begin(ADA, "t", metadata=metadata_of(MAX_METADATA_BYTES)))
    with pytest.raises(InvalidBody, match="512 bytes"):
        validate_thread(Setting().threads.begin(ADA, "t", metadata=metadata_of(MAX_METADATA_BYTES + 1)))


def test_the_bytes_of_metadata_are_counted_not_its_characters():
    with pytest.raises(InvalidBody, match="512 bytes"):
        validate_thread(Setting().threads.begin(ADA, "t", metadata={"a": "\u00e9" * (MAX_METADATA_BYTES // 2)}))


@pytest.mark.parametrize("length", [0, MAX_METADATA_NAME_LENGTH + 1])
def test_a_name_in_metadata_has_1_to_64_characters(length: int):
    validate_thread(Setting().threads.begin(ADA, "t", metadata={"n" * MAX_METADATA_NAME_LENGTH: 1, "n": 2}))
    with pytest.raises(InvalidBody, match="1 to 64 characters"):
        validate_thread(Setting().threads.begin(ADA, "t", metadata={"ok": 1, "n" * length: 1}))


async def test_what_does_not_fit_beside_a_key_is_refused_before_anything_is_written():
    at = Setting()
    quotes = {"a": '"' * 250}
    thread = at.threads.begin(ADA, "t", metadata=quotes)
    with pytest.raises(InvalidBody, match="too long together"):
        await at.threads.save(thread)
    assert at.operations() == []


async def test_the_longest_names_fit_with_plain_metadata():
    at = Setting()
    longest = parse_app_id("t" * 128, "threadId")
    lineage = [ForkOrigin(longest, "m" * 128)] * 2
    plain = metadata_of(MAX_METADATA_BYTES)
    thread = Thread(longest, longest, "t-" + "s" * 43, START_MS, START_MS, plain, "a" * 64, lineage)
    await at.threads.save(thread)
    assert len(thread_key(longest, longest)) < 512
    assert (await at.kv.list("thread:")).keys[0].metadata
