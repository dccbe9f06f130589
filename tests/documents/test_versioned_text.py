"""Texts with a version: found for one operation, read whole and of one version."""

import json

from simulation.virtual_time import START_MS
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.documents.etag import etag_of
from waypost_worker.documents.versioned_text import (
    Version,
    find_version,
    list_versions,
    load_text,
    load_texts,
    put_text,
    version_of,
    version_with,
)
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.kv.store import ListPage

DAY = 86_400


class Setting(Namespace[SetClock]):
    """A namespace that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(SetClock())

    async def put(self, key: str, text: str) -> Version:
        version = version_of(text, self.clock.ms)
        await put_text(self.kv, key, version, text)
        return version


async def test_the_stored_form_is_pinned():
    at = Setting()
    version = version_with("<p>\n", START_MS, "A title", "owner")
    await put_text(at.kv, "key", version, "<p>\n")
    head = f'{{"etag":{json.dumps(version.etag)},"size":4,"updatedMs":{START_MS},"title":"A title","owner":"owner"}}'
    assert await at.kv.get("key") == f"{head}\n<p>\n"
    [listed] = (await at.kv.list("key")).keys
    assert listed.metadata == head


async def test_a_text_comes_back_as_it_was_put_with_its_version():
    at = Setting()
    for text in ("", "\n", "a\nb\r\n", "\ufeffx", "\u2028", "\0", "😀" * 3):
        version = await at.put("key", text)
        assert await load_text(at.kv, "key") == (version, text)
        assert version == Version(etag_of(text), len(text.encode()), START_MS)


async def test_a_version_is_found_without_reading_the_text():
    at = Setting()
    version = await at.put("key", "text")
    at.kv.asked.clear()
    assert await find_version(at.kv, "key") == version
    assert at.kv.asked == [("list", "key")]


async def test_a_longer_key_is_another_one():
    at = Setting()
    await at.put("key2", "text")
    assert await find_version(at.kv, "key") is None
    version = await at.put("key", "text")
    assert await find_version(at.kv, "key") == version


class LazyKv(MemoryKv):
    """Answers every listing with an empty page first, as KV may."""

    async def list(self, prefix: str, *, cursor: str | None = None, limit: int = 1000) -> ListPage:
        if cursor is None:
            return ListPage((), "more")
        return await super().list(prefix, limit=limit)


async def test_an_empty_page_with_more_to_come_does_not_mean_that_nothing_is_there():
    kv = LazyKv(SetClock())
    await put_text(kv, "key", version_of("x", START_MS), "x")
    assert await find_version(kv, "key") == version_of("x", START_MS)
    assert await find_version(kv, "other") is None


async def test_what_has_gone_since_it_was_found_is_not_there():
    at = Setting()
    await at.put("a", "1")
    assert await load_text(at.kv, "b") is None
    assert list(await load_texts(at.kv, ["a", "b"])) == ["a"]


async def test_what_is_read_is_of_one_version_though_the_listing_is_of_another():
    at = Setting()
    old, new = await at.put("key", "old"), version_of("new", START_MS + 1)
    stale = await at.kv.get("key")
    await at.kv.put(
        "key", stale or "", ttl_seconds=60, metadata=json.dumps({"etag": new.etag, "size": 3, "updatedMs": 1})
    )
    assert (await find_version(at.kv, "key") or old).etag == new.etag
    assert await load_text(at.kv, "key") == (old, "old")


async def test_a_text_is_gone_a_day_after_it_was_last_put():
    at = Setting()
    version = await at.put("key", "text")
    at.clock.ms += DAY * 1000 - 1
    assert await find_version(at.kv, "key") == version
    version = await at.put("key", "text")
    at.clock.ms = version.expires_ms - 1
    assert await find_version(at.kv, "key") == version
    at.clock.ms += 1
    assert await find_version(at.kv, "key") is None


async def test_versions_are_listed_by_what_follows_the_prefix():
    at = Setting()
    for name in ("b", "a", "B"):
        await at.put(f"doc:s:{name}", name)
    await at.put("doc:s2:c", "c")
    assert list(await list_versions(at.kv, "doc:s:")) == ["B", "a", "b"]


def test_the_tag_of_a_plain_text_is_of_its_bytes_alone():
    assert version_of("x", 1).etag == version_of("x", 2).etag == etag_of("x")


def test_the_tag_of_a_text_with_a_title_is_of_all_that_is_shown_with_it():
    version = version_with("x", 1, "t", "o")
    others = [version_with("y", 1, "t", "o"), version_with("x", 2, "t", "o"), version_with("x", 1, "u", "o")]
    assert version.etag not in [other.etag for other in others]
    assert version == version_with("x", 1, "t", "o")
