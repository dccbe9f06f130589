"""Pages: kept for a day, of one session, listed for it, and silent about whose they are."""

import asyncio
import json

import pytest

from simulation.virtual_time import START_MS
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from tests.support.slow_kv import SlowKv
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions
from waypost_worker.documents.page import PageStore, is_owner
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import WrongSession
from waypost_worker.kv.store import KvError, fits_metadata
from waypost_worker.limits import MAX_ID_LENGTH, MAX_PAGE_BYTES, MAX_PAGE_TITLE_LENGTH

SECRET = "a-session-id-that-nobody-guesses"
CREATE_ONLY = Conditions(none_match=frozenset({"*"}))


class Setting(Namespace[SetClock]):
    """A namespace that records its operations and fails the one that `failing` names."""

    def __init__(self) -> None:
        self.failing = ""
        super().__init__(SetClock(), fails=lambda operation, key: self.failing == f"{operation} {key.split(':')[0]}")
        self.store = PageStore(self.kv, self.clock)

    async def put(
        self,
        intent_id: str = "hut",
        session_id: str = SECRET,
        html: str = "<p>",
        title: str = "",
        conditions: Conditions = UNCONDITIONAL,
    ) -> Version:
        return (await self.store.put(intent_id, session_id, html, title, conditions))[0]

    async def html(self, intent_id: str = "hut") -> str | None:
        return (await self.store.read(intent_id, UNCONDITIONAL)).html


async def test_a_page_is_read_as_it_was_put():
    at = Setting()
    version, is_new = await at.store.put("hut", SECRET, "\ufeff<p>\r\nü\0", "The hut", UNCONDITIONAL)
    assert is_new
    assert (version.size, version.updated_ms, version.title) == (11, START_MS, "The hut")
    assert await at.store.read("hut", UNCONDITIONAL) == (version, "\ufeff<p>\r\nü\0")


async def test_only_its_own_session_may_replace_or_delete_a_page():
    at = Setting()
    await at.put()
    with pytest.raises(WrongSession):
        await at.put(session_id="other")
    with pytest.raises(WrongSession):
        await at.store.delete("hut", "other", UNCONDITIONAL)
    assert await at.html() == "<p>"
    _, is_new = await at.store.put("hut", SECRET, "<b>", "", UNCONDITIONAL)
    assert not is_new
    assert await at.html() == "<b>"


async def test_a_stranger_is_told_that_before_whether_the_version_fits():
    at = Setting()
    await at.put()
    with pytest.raises(WrongSession):
        await at.put(session_id="other", conditions=CREATE_ONLY)


async def test_whose_a_page_is_can_be_checked_but_not_read():
    at = Setting()
    version = await at.put()
    assert is_owner(version, SECRET)
    assert not is_owner(version, SECRET + "2")
    [listed] = (await at.kv.list("page:")).keys
    assert SECRET not in f"{listed} {await at.kv.get(listed.name)}"


async def test_a_new_title_or_a_new_day_is_a_new_version():
    at = Setting()
    tags = {(await at.put()).etag, (await at.put(title="t")).etag}
    at.clock.ms += 1
    tags.add((await at.put(title="t")).etag)
    assert len(tags) == 3


async def test_the_pages_of_a_session_are_listed_in_order_with_their_titles():
    at = Setting()
    await at.put("b", title="B")
    version = await at.put("a", title="A")
    await at.put("c", session_id=SECRET + "2")
    listed = await at.store.list(SECRET)
    assert list(listed) == ["a", "b"]
    assert listed["a"] == version


async def test_the_id_of_a_page_that_was_deleted_or_has_expired_is_free_for_other_sessions():
    at = Setting()
    await at.put()
    await at.store.delete("hut", SECRET, UNCONDITIONAL)
    version = await at.put(session_id="other")
    at.clock.ms = version.expires_ms
    await at.put()
    assert await at.html() == "<p>"


async def test_a_put_that_broke_off_is_repaired_by_doing_it_again():
    at = Setting()
    at.failing = "put pages"
    with pytest.raises(KvError):
        await at.put()
    assert await at.html() == "<p>"
    at.failing = ""
    await at.put()
    assert list(await at.store.list(SECRET)) == ["hut"]


async def test_a_put_that_could_not_write_the_page_lists_nothing():
    at = Setting()
    at.failing = "put page"
    with pytest.raises(KvError):
        await at.put()
    assert await at.store.list(SECRET) == {}


async def test_a_page_that_was_there_stays_listed_when_the_next_put_of_it_fails():
    at = Setting()
    await at.put()
    at.failing = "put page"
    with pytest.raises(KvError):
        await at.put(html="<b>")
    assert list(await at.store.list(SECRET)) == ["hut"]


async def test_a_page_is_written_together_with_its_place_in_the_list():
    at = Setting()
    slow = SlowKv(at.kv)
    began = asyncio.get_running_loop().time()
    await PageStore(slow, at.clock).put("hut", SECRET, "<p>", "", UNCONDITIONAL)
    assert asyncio.get_running_loop().time() - began == pytest.approx(3)


async def test_a_delete_that_broke_off_is_completed_by_doing_it_again():
    at = Setting()
    await at.put()
    for failing in ("delete page", "delete pages"):
        at.failing = failing
        with pytest.raises(KvError):
            await at.store.delete("hut", SECRET, UNCONDITIONAL)
    at.failing = ""
    await at.store.delete("hut", SECRET, UNCONDITIONAL)
    assert (await at.kv.list("page")).keys == ()


@pytest.mark.parametrize("character", ["x", '"', "\\", "/", "😀", "\u2028", "\x80"])
async def test_the_longest_title_of_the_largest_page_fits_into_the_metadata(character: str):
    at = Setting()
    title = character * MAX_PAGE_TITLE_LENGTH
    await at.put("i" * MAX_ID_LENGTH, "s" * MAX_ID_LENGTH, "x" * MAX_PAGE_BYTES, title)
    [listed] = (await at.kv.list("page:")).keys
    assert fits_metadata(listed.metadata or "")
    assert json.loads(listed.metadata or "")["title"] == title
