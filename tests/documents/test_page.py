"""Pages: kept for a day, of one session, listed for it, and silent about whose they are."""

import json

import pytest

from simulation.virtual_time import START_MS
from tests.support.behind_kv import ForgetfulKv, StaleKv
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions
from waypost_worker.documents.page import PageStore, is_owner
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import PageNotFound, PreconditionFailed, TooManyDocuments, WrongSession
from waypost_worker.kv.store import KvError, fits_metadata
from waypost_worker.limits import MAX_DOCUMENTS, MAX_ID_LENGTH, MAX_PAGE_BYTES, MAX_PAGE_TITLE_LENGTH

SECRET = "a-session-id-that-nobody-guesses"
CREATE_ONLY = Conditions(none_match=frozenset({"*"}))
DAY_MS = 86_400_000


class Setting(Namespace[SetClock]):
    """A namespace that notes what it is asked, and fails as it is told to."""

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


async def test_a_page_that_was_never_put_is_not_found_and_its_key_never_got():
    at = Setting()
    await at.put("hut2")
    at.operations()
    with pytest.raises(PageNotFound):
        await at.html()
    with pytest.raises(PageNotFound):
        await at.store.delete("hut", SECRET, UNCONDITIONAL)
    assert at.operations() == ["list", "list"]


async def test_a_page_that_is_listed_and_gone_is_not_found():
    store = PageStore(ForgetfulKv(SetClock()), SetClock())
    await store.put("hut", SECRET, "<p>", "", UNCONDITIONAL)
    with pytest.raises(PageNotFound):
        await store.read("hut", UNCONDITIONAL)


async def test_title_and_tag_are_those_of_the_html_they_come_with_also_where_the_listing_is_newer():
    store = PageStore(StaleKv(SetClock()), SetClock())
    old, _ = await store.put("hut", SECRET, "old", "Old", UNCONDITIONAL)
    await store.read("hut", UNCONDITIONAL)
    await store.put("hut", SECRET, "new", "New", UNCONDITIONAL)
    assert await store.read("hut", UNCONDITIONAL) == (old, "old")


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


async def test_of_two_editors_the_second_is_told():
    at = Setting()
    read_by_both = Conditions(match=frozenset({(await at.put()).etag}))
    at.clock.ms += 1
    await at.put(html="<i>", conditions=read_by_both)
    with pytest.raises(PreconditionFailed):
        await at.put(html="<b>", conditions=read_by_both)
    with pytest.raises(PreconditionFailed):
        await at.put(conditions=CREATE_ONLY)
    with pytest.raises(PreconditionFailed):
        await at.store.delete("hut", SECRET, read_by_both)
    assert await at.html() == "<i>"


async def test_a_new_title_or_a_new_day_is_a_new_version():
    at = Setting()
    tags = {(await at.put()).etag, (await at.put(title="t")).etag}
    at.clock.ms += 1
    tags.add((await at.put(title="t")).etag)
    assert len(tags) == 3


async def test_a_page_lives_for_a_day_after_it_was_last_put():
    at = Setting()
    await at.put()
    at.clock.ms += DAY_MS - 1
    version = await at.put()
    at.clock.ms = version.expires_ms - 1
    assert await at.html() == "<p>"
    assert list(await at.store.list(SECRET)) == ["hut"]
    at.clock.ms += 1
    with pytest.raises(PageNotFound):
        await at.html()
    assert await at.store.list(SECRET) == {}
    await at.put(session_id="other")


async def test_the_pages_of_a_session_are_listed_in_order_with_their_titles():
    at = Setting()
    await at.put("b", title="B")
    version = await at.put("a", title="A")
    await at.put("c", session_id=SECRET + "2")
    listed = await at.store.list(SECRET)
    assert list(listed) == ["a", "b"]
    assert listed["a"] == version


async def test_a_deleted_page_is_gone_from_the_list_too_and_its_id_is_free():
    at = Setting()
    await at.put()
    await at.store.delete("hut", SECRET, UNCONDITIONAL)
    with pytest.raises(PageNotFound):
        await at.html()
    assert await at.store.list(SECRET) == {}
    await at.put(session_id="other")


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


async def test_a_session_has_a_bounded_number_of_pages_and_all_of_them_can_be_replaced():
    at = Setting()
    for number in range(MAX_DOCUMENTS):
        await at.put(f"{number:03}")
    with pytest.raises(TooManyDocuments):
        await at.put()
    await at.put("000")
    await at.put(session_id="other")
    await at.store.delete("000", SECRET, UNCONDITIONAL)
    await at.put("one-more")


async def test_what_each_call_costs():
    at = Setting()
    version = await at.put()
    assert at.operations() == ["list", "list", "put", "put"]
    await at.put()
    assert at.operations() == ["list", "put", "put"]
    await at.html()
    assert at.operations() == ["list", "get"]
    assert await at.store.read("hut", Conditions(none_match=frozenset({version.etag}))) == (version, None)
    assert at.operations() == ["list"]
    await at.store.list(SECRET)
    assert at.operations() == ["list"]
    await at.store.delete("hut", SECRET, UNCONDITIONAL)
    assert at.operations() == ["list", "delete", "delete"]


@pytest.mark.parametrize("character", ["x", '"', "\\", "/", "😀", "\u2028", "\x80"])
async def test_the_longest_title_of_the_largest_page_fits_into_the_metadata(character: str):
    at = Setting()
    title = character * MAX_PAGE_TITLE_LENGTH
    await at.put("i" * MAX_ID_LENGTH, "s" * MAX_ID_LENGTH, "x" * MAX_PAGE_BYTES, title)
    [listed] = (await at.kv.list("page:")).keys
    assert fits_metadata(listed.metadata or "")
    assert json.loads(listed.metadata or "")["title"] == title
