"""What holds for documents and for pages over HTTP: tags and conditions, a bounded number, and where they are kept."""

import pytest

from simulation.client import Client, Reply, make_client
from tests.support.replies import operations, outcome
from waypost_worker.limits import MAX_DOCUMENTS

SESSION = "3b241101-e2bb-4255-8caf-4136c566a962"
FAILED = (412, "precondition_failed")


class Documents:
    """Named documents."""

    missing = (404, "document_not_found")

    def __init__(self, storage: str = "kv") -> None:
        self.client: Client = make_client(storage=storage)

    async def put(self, text: str = "1", name: str = "hut", **headers: str) -> Reply:
        return await self.client.call("PUT", self.path(name), body=text.encode(), headers=fields(headers))

    async def call(self, method: str, **headers: str) -> Reply:
        return await self.client.call(method, self.path("hut"), headers=fields(headers))

    async def delete(self, **headers: str) -> Reply:
        return await self.call("DELETE", **headers)

    async def text(self) -> str:
        return (await self.call("GET")).body.decode()

    async def count(self) -> int:
        return int((await self.client.call("GET", f"/api/sessions/{SESSION}/documents")).json()["count"])

    def path(self, name: str) -> str:
        return f"/api/sessions/{SESSION}/documents/{name}"


class Pages(Documents):
    """Pages."""

    missing = (404, "page_not_found")

    async def put(self, text: str = "1", name: str = "hut", **headers: str) -> Reply:
        body = {"html": text, "sessionId": SESSION}
        return await self.client.call("PUT", self.path(name), body, headers=fields(headers))

    async def delete(self, **headers: str) -> Reply:
        path = f"{self.path('hut')}?sessionId={SESSION}"
        return await self.client.call("DELETE", path, headers=fields(headers))

    async def text(self) -> str:
        return str((await self.call("GET")).json()["html"])

    async def count(self) -> int:
        return int((await self.client.call("GET", f"/api/sessions/{SESSION}/pages")).json()["count"])

    def path(self, name: str) -> str:
        return f"/api/pages/{name}"


def fields(headers: dict[str, str]) -> dict[str, str]:
    return {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}


both = pytest.mark.parametrize("routes", [Documents, Pages])


@both
async def test_of_two_editors_the_second_is_told_and_nothing_is_overwritten(routes: type[Documents]):
    at = routes()
    read_by_both = (await at.put("0")).headers["ETag"]
    assert (await at.put("1", If_Match=read_by_both)).status == 200
    assert outcome(await at.put("2", If_Match=read_by_both)) == FAILED
    assert outcome(await at.delete(If_Match=read_by_both)) == FAILED
    assert await at.text() == "1"
    assert (await at.delete(If_Match="*")).status == 204


@both
async def test_create_only_and_replace_only(routes: type[Documents]):
    at = routes()
    assert outcome(await at.put("1", If_Match="*")) == FAILED
    assert (await at.put("1", If_None_Match="*")).status == 201
    assert outcome(await at.put("2", If_None_Match="*")) == FAILED
    assert (await at.put("3", If_Match="*")).status == 200


@both
async def test_a_reader_may_insist_on_a_version(routes: type[Documents]):
    at = routes()
    etag = (await at.put()).headers["ETag"]
    assert (await at.call("GET", If_Match=etag)).status == 200
    assert outcome(await at.call("GET", If_Match='"other"')) == FAILED


@both
async def test_conditions_on_what_is_not_there_do_not_hide_that_it_is_not_there(routes: type[Documents]):
    at = routes()
    for call in (lambda **headers: at.call("GET", **headers), at.delete):
        assert outcome(await call(If_Match='"a"')) == at.missing
        assert outcome(await call(If_None_Match="*")) == at.missing


@both
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
async def test_a_condition_that_can_not_be_read_is_refused(method: str, name: str, routes: type[Documents]):
    at = routes()
    unread = {name: (await at.put("1")).headers["ETag"].strip('"')}
    if method == "PUT":
        reply = await at.put("2", **unread)
    else:
        reply = await (at.delete(**unread) if method == "DELETE" else at.call(method, **unread))
    assert (outcome(reply), operations(reply)) == ((400, "invalid_header"), "0 operations")
    assert await at.text() == "1"


@both
async def test_a_session_has_a_bounded_number(routes: type[Documents]):
    at = routes()
    for number in range(MAX_DOCUMENTS):
        assert (await at.put(name=str(number))).status == 201
    assert outcome(await at.put()) == (409, "too_many_documents")
    assert (await at.put(name="0")).status == 200
    assert await at.count() == MAX_DOCUMENTS


@both
async def test_head_tells_the_tag_without_the_text(routes: type[Documents]):
    at = routes()
    etag = (await at.put()).headers["ETag"]
    reply = await at.call("HEAD")
    assert (reply.status, reply.body, reply.headers["ETag"]) == (200, b"", etag)


@both
async def test_they_live_in_the_memory_store_too_and_it_is_said(routes: type[Documents]):
    at = routes(storage="memory")
    assert (await at.put("1")).headers["Waypost-Storage"] == "memory"
    assert (await at.call("GET")).headers["Waypost-Storage"] == "memory"
    assert await at.text() == "1"
