"""What holds for the store of documents and for that of pages: found for one operation, kept for a day, written under
conditions, bounded in number."""

import pytest

from tests.support.behind_kv import ForgetfulKv, StaleKv
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.documents.document import DocumentId, DocumentStore
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions
from waypost_worker.documents.page import PageStore
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import DocumentNotFound, PageNotFound, PreconditionFailed, TooManyDocuments
from waypost_worker.kv.memory import MemoryKv
from waypost_worker.limits import MAX_DOCUMENTS

CREATE_ONLY = Conditions(none_match=frozenset({"*"}))
DAY_MS = 86_400_000


def matching(*tags: str) -> Conditions:
    return Conditions(match=frozenset(tags))


class Documents(Namespace[SetClock]):
    """Named documents of a session."""

    missing = DocumentNotFound
    keys_each = 1
    lists_when_new = 1

    def __init__(self, store: type[MemoryKv] = MemoryKv) -> None:
        super().__init__(SetClock(), store)
        self.documents = DocumentStore(self.kv, self.clock)

    async def put(
        self, text: str = "1", conditions: Conditions = UNCONDITIONAL, name: str = "hut", session_id: str = "sid"
    ) -> tuple[Version, bool]:
        return await self.documents.put(DocumentId(session_id, "doc", name), text, conditions)

    async def read(self, conditions: Conditions = UNCONDITIONAL) -> tuple[Version, str | None]:
        return tuple(await self.documents.read(DocumentId("sid", "doc", "hut"), conditions))

    async def delete(self, conditions: Conditions = UNCONDITIONAL, name: str = "hut") -> None:
        await self.documents.delete(DocumentId("sid", "doc", name), conditions)

    async def names(self) -> list[str]:
        return list(await self.documents.list("sid"))


class Pages(Namespace[SetClock]):
    """Pages of a session. Each has a second key, for the list."""

    missing = PageNotFound
    keys_each = 2
    lists_when_new = 2

    def __init__(self, store: type[MemoryKv] = MemoryKv) -> None:
        super().__init__(SetClock(), store)
        self.pages = PageStore(self.kv, self.clock)

    async def put(
        self, text: str = "1", conditions: Conditions = UNCONDITIONAL, name: str = "hut", session_id: str = "sid"
    ) -> tuple[Version, bool]:
        return await self.pages.put(name, session_id, text, "A title", conditions)

    async def read(self, conditions: Conditions = UNCONDITIONAL) -> tuple[Version, str | None]:
        return tuple(await self.pages.read("hut", conditions))

    async def delete(self, conditions: Conditions = UNCONDITIONAL, name: str = "hut") -> None:
        await self.pages.delete(name, "sid", conditions)

    async def names(self) -> list[str]:
        return list(await self.pages.list("sid"))


Store = type[Documents] | type[Pages]
both = pytest.mark.parametrize("store", [Documents, Pages])


@both
async def test_what_was_never_put_is_not_found_and_its_key_never_got(store: Store):
    at = store()
    await at.put(name="hut2")
    at.operations()
    with pytest.raises(at.missing):
        await at.read()
    with pytest.raises(at.missing):
        await at.delete()
    assert at.operations() == ["list", "list"]


@both
async def test_what_is_listed_and_gone_is_not_found(store: Store):
    at = store(ForgetfulKv)
    await at.put()
    with pytest.raises(at.missing):
        await at.read()


@both
async def test_a_version_is_that_of_the_text_it_comes_with_also_where_the_listing_is_newer(store: Store):
    at = store(StaleKv)
    old, _ = await at.put("old")
    assert await at.read() == (old, "old")
    at.clock.ms += 1
    await at.put("new")
    assert await at.read() == (old, "old")


@both
async def test_what_was_put_lives_for_a_day_after_it_was_last_put(store: Store):
    at = store()
    await at.put()
    at.clock.ms += DAY_MS - 1
    version, _ = await at.put()
    at.clock.ms += DAY_MS - 1
    assert await at.read() == (version, "1")
    assert await at.names() == ["hut"]
    at.clock.ms += 1
    assert at.clock.ms == version.expires_ms
    with pytest.raises(at.missing):
        await at.read()
    assert await at.names() == []


@both
async def test_putting_again_replaces_and_is_not_new(store: Store):
    at = store()
    _, is_new = await at.put("1")
    assert is_new
    version, is_new = await at.put("2")
    assert not is_new
    assert await at.read() == (version, "2")


@both
async def test_of_two_editors_the_second_is_told(store: Store):
    at = store()
    read_by_both = matching((await at.put("0"))[0].etag)
    at.clock.ms += 1
    await at.put("1", read_by_both)
    with pytest.raises(PreconditionFailed):
        await at.put("2", read_by_both)
    with pytest.raises(PreconditionFailed):
        await at.delete(read_by_both)
    assert (await at.read())[1] == "1"


@both
async def test_create_only_never_replaces_and_replace_only_never_creates(store: Store):
    at = store()
    await at.put("1", CREATE_ONLY)
    with pytest.raises(PreconditionFailed):
        await at.put("2", CREATE_ONLY)
    with pytest.raises(PreconditionFailed):
        await at.put("2", matching("*"), name="another")
    assert (await at.read())[1] == "1"
    assert await at.names() == ["hut"]


@both
async def test_what_was_deleted_is_gone_from_the_list_too_and_can_be_put_again(store: Store):
    at = store()
    version, _ = await at.put()
    await at.delete(matching(version.etag))
    with pytest.raises(at.missing):
        await at.read()
    assert await at.names() == []
    await at.put("1", CREATE_ONLY)


@both
async def test_what_each_call_costs(store: Store):
    at = store()
    version, _ = await at.put()
    assert at.operations() == [*["list"] * at.lists_when_new, *["put"] * at.keys_each]
    await at.put()
    assert at.operations() == ["list", *["put"] * at.keys_each]
    await at.read()
    assert at.operations() == ["list", "get"]
    assert await at.read(Conditions(none_match=frozenset({version.etag}))) == (version, None)
    assert at.operations() == ["list"]
    await at.names()
    assert at.operations() == ["list"]
    await at.delete()
    assert at.operations() == ["list", *["delete"] * at.keys_each]


@both
async def test_a_session_has_a_bounded_number_and_all_of_them_can_be_replaced(store: Store):
    at = store()
    for number in range(MAX_DOCUMENTS):
        await at.put(name=f"{number:03}")
    with pytest.raises(TooManyDocuments):
        await at.put()
    await at.put(name="000")
    await at.put(session_id="other")
    await at.delete(name="000")
    await at.put(name="one-more")
