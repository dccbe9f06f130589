"""`DELETE /api/resources/{resourceId}` and `GET …/export`: all that a resource's threads own; and what goes with one
thread."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from simulation.client import KEY
from simulation.scripted_model import ScriptedModel, counted
from tests.support.thread_routes import ADA, Setting
from waypost_worker.chat.chunks import Chunk, ChunkStore
from waypost_worker.kv.keys import thread_key
from waypost_worker.limits import ANSWER_TTL_SECONDS, MAX_ANSWER_SECONDS
from waypost_worker.polling.plans import PAID

FEW = replace(PAID, operations_per_invocation=50)
PATH = "/api/resources/user%3Aada%40example.org"


class Owning(Setting):
    """Threads that own something of every kind."""

    async def filled(self, thread_id: str = "t", resource_id: str = ADA) -> str:
        """A thread with a history, documents and a page; its session id."""
        asked = {"threadId": thread_id, "resourceId": resource_id, "message": f"secret of {thread_id}"}
        assert (await self.client.call("POST", "/api/chat", asked)).status == 200
        session_id = self.threads.session_id_for(resource_id, thread_id)
        for path in ("intents", "theme", "documents/a", "documents/b"):
            content = {"of": thread_id, "path": path}
            assert (await self.client.call("PUT", f"/api/sessions/{session_id}/{path}", content)).status == 201
        page = {"html": f"<p>{thread_id}", "sessionId": session_id, "title": "P"}
        assert (await self.client.call("PUT", f"/api/pages/page-{thread_id}", page)).status == 201
        return session_id

    async def left(self, session_id: str, thread_id: str = "t") -> list[str]:
        """What of it can still be read."""
        paths = [f"/api/sessions/{session_id}/{path}" for path in ("intents", "theme", "documents/a", "documents/b")]
        paths += [f"/pages/page-{thread_id}", f"/api/pages/page-{thread_id}"]
        found = [path for path in paths if (await self.client.call("GET", path)).status != 404]
        if (await self.client.call("GET", f"/api/conversations/{session_id}")).json()["messages"]:
            found.append("messages")
        return found

    async def forget(self) -> Any:
        reply = await self.client.call("DELETE", PATH)
        assert reply.status == 200, reply.body
        return reply.json()

    async def export(self) -> list[Any]:
        """All lines but the last ones of the parts."""
        lines, query = [], ""
        while True:
            reply = await self.client.call("GET", f"{PATH}/export{query}")
            assert reply.status == 200, reply.body
            *part, last = map(json.loads, reply.body.splitlines())
            lines += part
            if last["kind"] == "end":
                self.end = last
                return lines
            query = f"?cursor={last['cursor']}"


async def test_deleting_a_thread_deletes_what_it_owns_and_nothing_else():
    at = Owning()
    session_id, other = await at.filled(), await at.filled("other")
    assert len(await at.left(session_id)) == 7
    assert (await at.delete())["success"]
    assert await at.left(session_id) == []
    assert len(await at.left(other, "other")) == 7
    values = [await at.store.get(key) or "" for key in await at.keys()]
    assert not [value for value in values if "secret of t" in value]


class Slow(Owning):
    """Answers take long enough to be written in chunks."""

    def __init__(self) -> None:
        super().__init__(ScriptedModel(counted(12, 0.5)))


async def test_the_chunks_of_answers_go_with_their_thread_those_of_dropped_answers_too():
    at = Slow()
    session_id = await at.filled()
    asked = {"id": "t", "resourceId": ADA, "messageId": "m"}
    for text in ("once", "edited"):
        messages = [{"id": "m", "role": "user", "parts": [{"type": "text", "text": text}]}]
        await at.client.call("POST", "/api/chat", {**asked, "messages": messages})
    assert len({key.split(":")[1] for key in await at.keys("gen:")}) == 3
    assert (await at.delete())["success"]
    assert await at.keys("gen:") == []
    assert await at.left(session_id) == []


async def test_a_deletion_that_failed_at_the_chunks_is_continued_by_the_same_request():
    at = Slow()
    session_id = await at.filled()
    at.kv.fails = lambda operation, key: operation == "delete" and key.startswith("gen:")
    assert (await at.delete())["code"] == "storage_unavailable"
    at.kv.fails = lambda *_: False
    assert (await at.delete())["success"]
    assert await at.keys("gen:") == []
    assert await at.left(session_id) == []


async def test_the_chunks_of_old_answers_have_expired_and_are_not_looked_for():
    at = Slow()
    await at.filled()
    await asyncio.sleep(ANSWER_TTL_SECONDS + MAX_ANSWER_SECONDS + 1)
    at.operations()
    assert (await at.delete())["success"]
    assert [key for _, key in at.kv.asked if key.startswith("gen:")] == []


async def test_chunks_of_what_is_no_answer_of_the_thread_stay():
    at = Owning()
    thread = await at.saved()
    foreign = at.client.app.isolate.cursors.issue(thread_key("other", "t"))
    messages = [{"id": name, "role": "assistant", "content": "a"} for name in (foreign, "mine")]
    await at.client.call("POST", f"/api/conversations/{thread.session_id}/messages", {"messages": messages})
    await ChunkStore(at.kv, foreign).write(0, Chunk(0, "of another"))
    assert (await at.delete())["success"]
    assert len(await at.keys(f"gen:{foreign}")) == 1


async def test_a_page_that_another_session_put_meanwhile_stays():
    at = Owning()
    session_id = await at.filled()
    await at.kv.delete("page:page-t")
    mine = {"html": "<p>mine", "sessionId": "other"}
    assert (await at.client.call("PUT", "/api/pages/page-t", mine)).status == 201
    await at.delete()
    assert (await at.client.call("GET", "/pages/page-t")).body == b"<p>mine"
    assert await at.keys(f"pages:{session_id}") == []


async def test_the_index_of_a_page_that_is_gone_goes_too():
    at = Owning()
    session_id = await at.filled()
    await at.kv.delete("page:page-t")
    await at.delete()
    assert await at.keys(f"pages:{session_id}") == []


@pytest.mark.parametrize("prefix", ["doc:", "intents:", "pages:", "page:", "thread:", "conv:"])
async def test_a_deletion_that_failed_halfway_is_continued_by_the_same_request(prefix: str):
    at = Owning()
    session_id = await at.filled()
    at.kv.fails = lambda operation, key: operation in ("delete", "put") and key.startswith(prefix)
    assert (await at.delete())["code"] == "storage_unavailable"
    at.kv.fails = lambda *_: False
    assert (await at.delete())["success"]
    assert await at.left(session_id) == []


async def test_a_thread_that_needs_more_operations_than_a_request_has_is_deleted_by_several():
    at = Owning(plan=FEW)
    session_id = await at.filled()
    for number in range(60):
        await at.client.call("PUT", f"/api/sessions/{session_id}/documents/d{number}", number)
    first = await at.delete()
    assert (first["status"], first["code"]) == (503, "budget_spent")
    assert "send the request again" in first["detail"]
    replies = [first]
    while replies[-1]["status"] == 503:
        replies.append(await at.delete())
    assert (replies[-1]["success"], len(replies) < 5) == (True, True)
    assert await at.left(session_id) == []


async def test_forgetting_a_resource_deletes_all_its_threads_and_no_others():
    at = Owning()
    mine = [await at.filled(name) for name in "ab"]
    other = await at.filled("c", "bob")
    reply = await at.forget()
    assert (reply["resourceId"], reply["deleted"], reply["done"]) == (ADA, 2, True)
    assert reply["visibleUntil"] > "2026-01-01T00:02:15"
    for session_id, thread_id in zip(mine, "ab", strict=True):
        assert await at.left(session_id, thread_id) == []
    assert len(await at.left(other, "c")) == 7
    assert (await at.listed())["count"] == 0
    assert await at.forget() == {**reply, "deleted": 0}


async def test_what_outlived_its_threads_record_is_forgotten_too():
    at = Owning()
    session_id = await at.filled()
    await at.kv.delete(thread_key(ADA, "t"))
    reply = await at.forget()
    assert (reply["deleted"], reply["done"]) == (0, True)
    assert await at.left(session_id) == []


async def test_a_popped_message_is_forgotten_too():
    at = Owning()
    session_id = await at.filled()
    await at.kv.delete(thread_key(ADA, "t"))
    path = f"/api/conversations/{session_id}"
    for number in range(2):
        popped = await at.client.call("POST", f"{path}/pop", {"id": f"p{number}"})
        assert popped.json()["message"]
    assert (await at.forget())["done"]
    values = [await at.store.get(key) or "" for key in await at.keys("conv:")]
    assert values
    assert not [value for value in values if '"content"' in value]


async def test_forgetting_again_does_not_touch_what_is_empty():
    at = Owning()
    for name in "ab":
        await at.filled(name)
    await at.forget()
    at.operations()
    assert (await at.forget())["done"]
    assert set(at.operations()) == {"list"}


async def test_what_was_written_with_the_previous_signing_key_is_forgotten_too():
    at = Owning(signing_keys=(b"another key for tests, 32 bytes or more", KEY))
    session_id = await at.filled()
    await at.kv.delete(thread_key(ADA, "t"))
    assert (await at.forget())["done"]
    assert await at.left(session_id) == []


async def test_a_resource_that_needs_several_requests_says_so_until_it_is_done():
    at = Owning(plan=FEW)
    sessions = [await at.filled(name) for name in "abcdef"]
    replies = [await at.forget()]
    assert replies[0]["done"] is False
    while not replies[-1]["done"]:
        replies.append(await at.forget())
    assert sum(reply["deleted"] for reply in replies) == 6
    for session_id, thread_id in zip(sessions, "abcdef", strict=True):
        assert await at.left(session_id, thread_id) == []


async def test_an_export_has_everything():
    at = Owning()
    for name in "ab":
        await at.filled(name)
    await at.filled("c", "bob")
    lines = await at.export()
    assert [(line["kind"], line.get("threadId") or line["thread"]["threadId"]) for line in lines] == [
        (kind, name)
        for name in "ab"
        for kind in ("thread", "conversation", "document", "document", "document", "document", "page")
    ]
    [conversation, intents, theme, first, second, page] = lines[1:7]
    assert conversation["conversation"]["messages"][0]["content"] == "secret of a"
    assert conversation["conversation"]["truncated"] is False
    assert [(one["type"], one["name"], one["content"]["path"]) for one in (intents, theme, first, second)] == [
        ("intents", "intents", "intents"),
        ("theme", "theme", "theme"),
        ("doc", "a", "documents/a"),
        ("doc", "b", "documents/b"),
    ]
    assert (page["intentId"], page["title"], page["html"]) == ("page-a", "P", "<p>a")
    assert at.end["resourceId"] == ADA
    assert at.end["completeUntil"] < "2026-01-01T00:00:00"


async def test_an_export_in_parts_has_each_line_once():
    at = Owning(plan=FEW)
    for name in "abcde":
        await at.filled(name)
    lines = await at.export()
    assert len(lines) == 5 * 7
    assert len({json.dumps(line) for line in lines}) == 5 * 7


async def test_a_part_of_an_export_may_end_between_two_documents():
    at = Owning()
    session_id = await at.filled()
    for number in range(30):
        await at.client.call("PUT", f"/api/sessions/{session_id}/documents/large-{number:02}", "x" * 250_000)
    names = [line["name"] for line in await at.export() if line["kind"] == "document"]
    assert names == ["intents", "theme", "a", "b", *(f"large-{number:02}" for number in range(30))]


async def test_a_part_of_an_export_ends_once_it_is_large():
    at = Owning()
    session_id = await at.filled()
    for number in range(5):
        page = {"html": "x" * 1_000_000, "sessionId": session_id}
        await at.client.call("PUT", f"/api/pages/large-{number}", page)
    reply = await at.client.call("GET", f"{PATH}/export")
    assert len(reply.body) < 6_000_000
    assert json.loads(reply.body.splitlines()[-1])["kind"] == "more"
    assert [line["intentId"] for line in await at.export() if line["kind"] == "page"] == [
        *(f"large-{number}" for number in range(5)),
        "page-t",
    ]


async def test_an_export_goes_on_where_a_thread_was_deleted():
    at = Owning(plan=FEW)
    for name in "abcdef":
        await at.filled(name)
    *first, last = map(json.loads, (await at.client.call("GET", f"{PATH}/export")).body.splitlines())
    had = {line["thread"]["threadId"] for line in first if line["kind"] == "thread"}
    for name in had:
        while not (await at.delete(name)).get("success"):
            pass
    rest = await at.client.call("GET", f"{PATH}/export?cursor={last['cursor']}")
    threads = [line["thread"]["threadId"] for line in map(json.loads, rest.body.splitlines()) if "thread" in line]
    assert threads[:1] == sorted(set("abcdef") - had)[:1]


@pytest.mark.parametrize("missing", ["doc:", "page:"])
async def test_what_was_listed_and_is_gone_is_left_out_of_an_export(missing: str):
    at = Owning()
    session_id = await at.filled()
    if missing == "page:":
        await at.kv.delete("page:page-t")
        kinds = [line["kind"] for line in await at.export()]
        assert "page" not in kinds
    else:
        await at.kv.delete(f"theme:{session_id}")
        types = [line["type"] for line in await at.export() if line["kind"] == "document"]
        assert types == ["intents", "doc", "doc"]


@pytest.mark.parametrize("cursor", ["x", "WzEsImEiLDAsIiJd", "%00"])
async def test_a_cursor_of_something_else_is_refused(cursor: str):
    reply = await Owning().client.call("GET", f"{PATH}/export?cursor={cursor}")
    assert (reply.status, reply.json()["code"]) == (400, "invalid_cursor")


async def test_an_empty_resource_is_exported_and_forgotten():
    at = Owning()
    assert await at.export() == []
    assert (await at.forget())["deleted"] == 0
