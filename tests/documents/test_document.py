"""Documents: kept for a day, given back as they were, written under conditions, copied to a fork."""

import pytest

from simulation.virtual_time import START_MS
from tests.support.behind_kv import ForgetfulKv, StaleKv
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.documents.document import Document, DocumentId, DocumentStore
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions, etag_of
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import DocumentNotFound, PreconditionFailed, TooManyDocuments
from waypost_worker.limits import MAX_BODY_BYTES, MAX_DOCUMENTS

INTENTS = DocumentId("sid", "intents", "intents")
THEME = DocumentId("sid", "theme", "theme")
NOTES = DocumentId("sid", "doc", "notes")
CREATE_ONLY = Conditions(none_match=frozenset({"*"}))
DAY_MS = 86_400_000


def matching(*tags: str) -> Conditions:
    return Conditions(match=frozenset(tags))


class Setting(Namespace[SetClock]):
    """A namespace that notes what it is asked."""

    def __init__(self) -> None:
        super().__init__(SetClock())
        self.store = DocumentStore(self.kv, self.clock)

    async def put(self, document: DocumentId, text: str = "{}", conditions: Conditions = UNCONDITIONAL) -> Version:
        return (await self.store.put(document, text, conditions))[0]

    async def text(self, document: DocumentId) -> str | None:
        return (await self.store.read(document, UNCONDITIONAL)).text


@pytest.mark.parametrize("document", [INTENTS, THEME, NOTES])
async def test_a_document_is_read_as_it_was_put(document: DocumentId):
    at = Setting()
    version, is_new = await at.store.put(document, ' {"n": 1.0} ', UNCONDITIONAL)
    assert is_new
    assert version == Version(etag_of(' {"n": 1.0} '), 12, START_MS)
    assert await at.store.read(document, UNCONDITIONAL) == Document(version, ' {"n": 1.0} ')


async def test_the_documents_of_a_session_do_not_meet_each_other_or_anybody_elses():
    at = Setting()
    places = [INTENTS, THEME, NOTES, DocumentId("sid", "doc", "intents"), DocumentId("sid", "doc", "notes2")]
    places += [place._replace(session_id="sid2") for place in places]
    for place in places:
        await at.put(place, repr(place))
    assert [await at.text(place) for place in places] == [repr(place) for place in places]


async def test_a_document_that_was_never_put_is_not_found_and_its_key_never_got():
    at = Setting()
    with pytest.raises(DocumentNotFound):
        await at.store.read(NOTES, UNCONDITIONAL)
    with pytest.raises(DocumentNotFound):
        await at.store.delete(NOTES, UNCONDITIONAL)
    assert at.operations() == ["list", "list"]


async def test_a_document_that_is_listed_and_gone_is_not_found():
    store = DocumentStore(ForgetfulKv(SetClock()), SetClock())
    await store.put(NOTES, "1", UNCONDITIONAL)
    with pytest.raises(DocumentNotFound):
        await store.read(NOTES, UNCONDITIONAL)


async def test_a_tag_is_that_of_the_text_it_comes_with_also_where_the_listing_is_newer():
    store = DocumentStore(StaleKv(SetClock()), SetClock())
    for text in ("old", "new"):
        await store.put(NOTES, text, UNCONDITIONAL)
        version, shown = await store.read(NOTES, UNCONDITIONAL)
        assert (version.etag, shown) == (etag_of("old"), "old")


async def test_a_document_lives_for_a_day_after_it_was_last_put():
    at = Setting()
    await at.put(NOTES)
    at.clock.ms += DAY_MS - 1
    version = await at.put(NOTES)
    at.clock.ms += DAY_MS - 1
    assert await at.text(NOTES) == "{}"
    at.clock.ms += 1
    assert at.clock.ms == version.expires_ms
    with pytest.raises(DocumentNotFound):
        await at.text(NOTES)


async def test_putting_again_replaces_and_is_not_new():
    at = Setting()
    await at.put(NOTES, "1")
    _, is_new = await at.store.put(NOTES, "2", UNCONDITIONAL)
    assert not is_new
    assert await at.text(NOTES) == "2"


async def test_of_two_editors_the_second_is_told():
    at = Setting()
    read_by_both = (await at.put(NOTES, "0")).etag
    await at.put(NOTES, "1", matching(read_by_both))
    with pytest.raises(PreconditionFailed):
        await at.put(NOTES, "2", matching(read_by_both))
    with pytest.raises(PreconditionFailed):
        await at.store.delete(NOTES, matching(read_by_both))
    assert await at.text(NOTES) == "1"


async def test_create_only_never_replaces():
    at = Setting()
    await at.put(NOTES, "1", CREATE_ONLY)
    with pytest.raises(PreconditionFailed):
        await at.put(NOTES, "2", CREATE_ONLY)
    with pytest.raises(PreconditionFailed):
        await at.put(THEME, "2", matching("*"))
    assert await at.text(NOTES) == "1"


async def test_a_deleted_document_is_gone_and_can_be_put_again():
    at = Setting()
    version = await at.put(NOTES)
    await at.store.delete(NOTES, matching(version.etag))
    with pytest.raises(DocumentNotFound):
        await at.text(NOTES)
    await at.put(NOTES, "1", CREATE_ONLY)


async def test_what_each_call_costs():
    at = Setting()
    version = await at.put(NOTES)
    assert at.operations() == ["list", "list", "put"]
    await at.put(NOTES)
    assert at.operations() == ["list", "put"]
    await at.put(THEME)
    assert at.operations() == ["list", "put"]
    await at.text(NOTES)
    assert at.operations() == ["list", "get"]
    known = await at.store.read(NOTES, Conditions(none_match=frozenset({version.etag})))
    assert known == Document(version, None)
    assert at.operations() == ["list"]
    await at.store.list("sid")
    assert at.operations() == ["list"]
    await at.store.delete(NOTES, UNCONDITIONAL)
    assert at.operations() == ["list", "delete"]


async def test_a_session_has_a_bounded_number_of_names_and_all_of_them_can_be_replaced():
    at = Setting()
    places = [DocumentId("sid", "doc", f"{number:03}") for number in range(MAX_DOCUMENTS + 1)]
    for place in places[:-1]:
        await at.put(place)
    with pytest.raises(TooManyDocuments):
        await at.put(places[-1])
    await at.put(places[0], "1")
    await at.put(THEME)
    await at.put(places[-1]._replace(session_id="other"))
    await at.store.delete(places[0], UNCONDITIONAL)
    await at.put(places[-1])


async def test_the_named_documents_of_a_session_are_listed_in_order():
    at = Setting()
    assert await at.store.list("sid") == {}
    await at.put(INTENTS)
    await at.put(NOTES)
    version = await at.put(NOTES._replace(name="A"), "1")
    assert list(await at.store.list("sid")) == ["A", "notes"]
    assert (await at.store.list("sid"))["A"] == version


async def test_a_copy_has_all_documents_as_they_were_for_a_new_day():
    at = Setting()
    for place, text in ((INTENTS, "[1.0]"), (NOTES, " 2 "), (NOTES._replace(name="b"), "3")):
        await at.put(place, text)
    at.clock.ms += DAY_MS - 1
    await at.store.copy("sid", "fork")
    assert await at.text(INTENTS._replace(session_id="fork")) == "[1.0]"
    assert await at.text(NOTES._replace(session_id="fork")) == " 2 "
    copied = await at.store.list("fork")
    assert list(copied) == ["b", "notes"]
    assert copied["b"] == Version(etag_of("3"), 1, at.clock.ms)
    with pytest.raises(DocumentNotFound):
        await at.text(THEME._replace(session_id="fork"))
    at.clock.ms += 1
    assert await at.text(NOTES._replace(session_id="fork")) == " 2 "


async def test_a_copy_and_its_source_go_their_own_ways():
    at = Setting()
    fork = NOTES._replace(session_id="fork")
    await at.put(NOTES, "1")
    await at.store.copy("sid", "fork")
    await at.put(fork, "2")
    await at.store.delete(NOTES, UNCONDITIONAL)
    assert await at.text(fork) == "2"


async def test_a_copy_of_nothing_asks_three_times_and_writes_nothing():
    at = Setting()
    await at.store.copy("sid", "fork")
    assert at.operations() == ["list"] * 3


async def test_a_copy_reads_in_bulk_a_bounded_number_of_bytes():
    at = Setting()
    large = "1" * MAX_BODY_BYTES
    for number in range(17):
        await at.put(DocumentId("sid", "doc", f"{number:02}"), large)
    at.operations()
    await at.store.copy("sid", "fork")
    asked = at.operations()
    assert [asked.count(operation) for operation in ("list", "get", "get_many", "put")] == [3, 0, 2, 17]
    assert len(await at.store.list("fork")) == 17
