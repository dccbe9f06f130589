"""Documents: kept for a day, given back as they were, written under conditions, copied to a fork."""

import pytest

from simulation.virtual_time import START_MS
from tests.support.builders import SetClock
from tests.support.namespace import Namespace
from waypost_worker.documents.document import Document, DocumentId, DocumentStore
from waypost_worker.documents.etag import UNCONDITIONAL, Conditions, etag_of
from waypost_worker.documents.versioned_text import Version
from waypost_worker.errors import DocumentNotFound
from waypost_worker.limits import MAX_BODY_BYTES, MAX_DOCUMENTS

INTENTS = DocumentId("sid", "intents", "intents")
THEME = DocumentId("sid", "theme", "theme")
NOTES = DocumentId("sid", "doc", "notes")
DAY_MS = 86_400_000


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


async def test_intents_and_theme_are_not_counted_and_not_bounded():
    at = Setting()
    for number in range(MAX_DOCUMENTS):
        await at.put(DocumentId("sid", "doc", f"{number:03}"))
    at.operations()
    await at.put(THEME)
    assert at.operations() == ["list", "put"]


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
