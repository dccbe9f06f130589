"""Chats, conversations, documents, pages and threads on the application itself, in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from simulation.client import make_client
from tests.support.python_client import AppTransport, python_client
from waypost import (
    AsyncWaypost,
    BadRequest,
    Call,
    Conflict,
    Host,
    NotFound,
    PreconditionFailed,
    Retry,
    TransportError,
    Unsendable,
    WaypostError,
)
from waypost.chat_events import ChatDelta, ChatDone, ChatError, ChatStart, ChatToolCall, ChatToolResult, ChatWaiting
from waypost.types import History, Message


def client(**options: Any) -> tuple[AsyncWaypost, AppTransport]:
    return python_client(make_client(), **options)


async def test_an_answer_comes_in_parts_and_is_kept() -> None:
    waypost, _ = client()
    chat = waypost.chat("thread", "user-1")
    assert (await chat.history()).messages == []
    events = [event async for event in chat.send("Hello there", message_id="q1")]
    assert isinstance(events[0], ChatStart)
    assert isinstance(events[-1], ChatDone)
    text = "".join(event.text for event in events if isinstance(event, ChatDelta))
    history = await chat.history()
    assert [(message.role, message.content) for message in history.messages] == [
        ("user", "Hello there"),
        ("assistant", text),
    ]
    assert (history.truncated, events[0].message_id, chat.session_id) == (False, "q1", events[0].session_id)


async def test_an_answer_loses_and_repeats_nothing_where_its_connection_breaks() -> None:
    waypost, transport = client()
    chat = waypost.chat("thread")
    words = " ".join(f"word{n} \U0001f600" for n in range(40))
    transport.cuts = [3, 1, 2, 4, 2, 3, 5, 2]
    events = [event async for event in chat.send(words)]
    assert any(isinstance(event, ChatWaiting) for event in events)
    text = "".join(event.text for event in events if isinstance(event, ChatDelta))
    assert text == (await chat.history()).messages[-1].content
    assert [type(event) for event in events].count(ChatDone) == 1


async def test_the_text_of_an_answer_is_read_to_its_end() -> None:
    waypost, _ = client()
    assert "Hello" in await waypost.chat("thread").send("Hello").text()


async def test_a_question_that_was_sent_gets_the_answer_that_it_has() -> None:
    waypost, _ = client()
    chat = waypost.chat("thread")
    first = await chat.send("Hello", message_id="q1").text()
    assert await chat.send("Hello", message_id="q1").text() == first
    assert len((await chat.history()).messages) == 2


async def test_a_reader_that_stops_early_leaves_the_answer_to_the_server() -> None:
    waypost, _ = client()
    chat = waypost.chat("thread")
    words = " ".join(f"word{n}" for n in range(200))
    async with chat.send(words) as answer:
        async for event in answer:
            if isinstance(event, ChatDelta):
                break
    other = waypost.chat("thread")
    rest = await other.resume().text()
    await asyncio.sleep(60)
    assert (await chat.history()).messages[-1].content == rest
    assert [event async for event in chat.resume()] == []


async def test_an_answer_is_stopped_for_all_and_only_the_one_that_was_meant() -> None:
    waypost, _ = client()
    chat = waypost.chat("thread")
    events = []
    async for event in chat.send(" ".join(f"word{n}" for n in range(500))):
        events.append(event)
        if isinstance(event, ChatDelta) and len(events) == 3:
            assert (await chat.stop()).stopped
    assert events[-1].finish_reason == "stopped"
    assert not (await chat.stop()).stopped
    assert (await chat.history()).messages[-1].partial


async def test_a_second_question_is_refused_while_an_answer_runs_unless_it_interrupts() -> None:
    waypost, _ = client()
    chat, other = waypost.chat("thread"), waypost.chat("thread")
    answer = chat.send(" ".join(f"word{n}" for n in range(500)))
    await anext(answer)
    with pytest.raises(Conflict) as caught:
        await other.send("And?").text()
    assert caught.value.code == "answer_running"
    assert "And?" in await other.send("And?", interrupt=True).text()
    await answer.aclose()


async def test_a_chat_is_forked_up_to_a_message() -> None:
    waypost, _ = client()
    chat = waypost.chat("thread", "user-1")
    await chat.send("One").text()
    await chat.send("Two").text()
    first = (await chat.history()).messages
    fork = await chat.fork("other", at_message_id=first[1].id)
    history = await fork.history()
    assert [message.content for message in history.messages] == [message.content for message in first[:2]]
    assert history.forked_from is not None
    assert "One" in await fork.export()
    await fork.remove(history.messages[0].id)
    assert len((await fork.history()).messages) == 1
    with pytest.raises(NotFound):
        await waypost.chat("nowhere").export()


async def test_a_chat_uses_the_tools_of_a_python_host() -> None:
    waypost, _ = client()
    session = await waypost.open_session()
    host = Host()

    @host.tool
    async def add_note(text: str) -> dict[str, Any]:
        return {"noted": text}

    async with host.running(session):
        guest = await waypost.join(session.code)
        for number, tab in enumerate((guest, waypost.guest(session.code), session.code)):
            answer = waypost.chat(f"thread-{number}").send('/add_note {"text": "Milk"}', tab=tab)
            events = [event async for event in answer]
            [call] = [event for event in events if isinstance(event, ChatToolCall)]
            [result] = [event for event in events if isinstance(event, ChatToolResult)]
            assert (call.name, call.arguments) == ("add_note", {"text": "Milk"})
            assert (result.id, result.result, result.is_error) == (call.id, {"noted": "Milk"}, False)


async def test_what_tools_did_comes_once_where_the_connection_breaks() -> None:
    waypost, transport = client()
    session = await waypost.open_session()
    host = Host()

    @host.tool
    async def count(call: Call) -> int:
        for number in range(3):
            call.progress({"progress": number})
            await asyncio.sleep(2)
        return 3

    async with host.running(session):
        chat = waypost.chat("thread")
        transport.cuts = [4, 1, 3, 2, 2, 2, 2, 2]
        events = [event async for event in chat.send("/count {}", tab=session.code)]
    assert any(isinstance(event, ChatWaiting) for event in events)
    kinds = [type(event) for event in events if not isinstance(event, ChatWaiting | ChatDelta)]
    assert [kinds.count(kind) for kind in (ChatStart, ChatToolCall, ChatToolResult, ChatDone)] == [1, 1, 1, 1]
    assert "".join(event.text for event in events if isinstance(event, ChatDelta)) == (
        (await chat.history()).messages[-1].content
    )


async def test_a_failing_model_is_an_error_with_its_code() -> None:
    frames = b'event: error\ndata: {"code":"model_failed","message":"No.","partial":false}\n\n'

    def answer(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=frames)

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    waypost = AsyncWaypost("https://waypost.test", http_client=http)
    with pytest.raises(WaypostError) as caught:
        await waypost.chat("t").send("?").text()
    assert caught.value.code == "model_failed"
    stream = waypost.chat("t").send("?")
    assert isinstance(await anext(stream), ChatError)
    await stream.aclose()


async def test_what_is_no_stream_is_an_error_before_the_first_event() -> None:
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _request: httpx2.Response(200, text="<html>")))
    waypost = AsyncWaypost("https://waypost.test", http_client=http)
    with pytest.raises(TransportError, match="not the stream of an answer"):
        await waypost.chat("t").send("?").text()


async def test_a_conversation_takes_any_items_and_gives_all_back() -> None:
    waypost, _ = client()
    conversation = waypost.conversation("c-1")
    items = [{"role": "user", "content": {"type": "any", "n": n}} for n in range(5)]
    ids = await conversation.append([*items[:4], Message("user", items[4]["content"], id="own")])
    assert ids[-1] == "own"
    history = await conversation.messages()
    assert [message.content for message in history.messages] == [item["content"] for item in items]
    page = await conversation.messages(limit=2)
    assert page.before is not None
    assert len((await conversation.messages(before=page.before)).messages) == 3
    await conversation.remove(ids[0])
    lines = await conversation.export("jsonl")
    popped = await conversation.pop(id="pop-1")
    assert popped is not None
    assert popped.id == "own"
    assert await conversation.pop(id="pop-1") == popped
    await conversation.clear()
    assert await conversation.pop() is None
    assert isinstance(await conversation.replace(lines), History)
    assert len((await conversation.messages()).messages) == 4
    assert "## User" in await conversation.export("markdown")


async def test_an_append_whose_reply_was_lost_appends_once_and_many_are_sent_in_parts() -> None:
    waypost, transport = client()
    conversation = waypost.conversation("c-1")
    lost = [True]
    transport.lose = lambda request: request.method == "POST" and bool(lost and lost.pop())
    await conversation.append([{"role": "user", "content": "x"}])
    assert len((await conversation.messages()).messages) == 1
    threads = waypost.threads("user-1")
    thread = await threads.begin("t")
    long = waypost.conversation(thread.session_id)
    ids = await long.append([{"role": "user", "content": f"{n}"} for n in range(150)])
    assert [message.id for message in (await long.messages()).messages] == ids


async def test_a_voice_agent_is_asked() -> None:
    waypost, _ = client()
    reply = await waypost.conversation("voice-1").ask_voice("Hello")
    assert "Hello" in reply.response
    assert reply.message_count == 2


async def test_a_document_is_read_as_it_was_put_and_another_editor_is_noticed() -> None:
    waypost, _ = client()
    documents = waypost.documents("s-1")
    with pytest.raises(NotFound):
        await documents.get("notes")
    info = await documents.put("notes", {"a": [1.0]}, only_new=True)
    found = await documents.get("notes")
    assert (found.value, found.etag, found.text) == ({"a": [1.0]}, info.etag, '{"a":[1.0]}')
    with pytest.raises(PreconditionFailed):
        await documents.put("notes", 1, only_new=True)
    changed = await documents.put("notes", {"a": 2}, if_match=info.etag)
    with pytest.raises(PreconditionFailed):
        await documents.delete("notes", if_match=info.etag)
    assert [each.name for each in await documents.list()] == ["notes"]
    await documents.delete("notes", if_match=changed.etag)
    with pytest.raises(Unsendable):
        await documents.put("notes", float("nan"))
    await documents.intents.put([1])
    await documents.theme.put("dark")
    assert ((await documents.intents.get()).value, (await documents.theme.get()).value) == ([1], "dark")


async def test_editors_that_update_one_document_lose_no_change() -> None:
    waypost, _ = client()
    documents = waypost.documents("s-1")
    calls = [documents.update("count", lambda value: value + 1, default=0) for _ in range(4)]
    await asyncio.gather(*calls)
    assert (await documents.get("count")).value == 4


async def test_a_change_whose_reply_was_lost_is_made_once_or_said_to_be_in_doubt() -> None:
    waypost, transport = client()
    documents = waypost.documents("s-1")
    lost = [True]
    transport.lose = lambda request: request.method == "PUT" and bool(lost and lost.pop())
    await documents.update("count", lambda value: value + 1, default=0)
    assert (await documents.get("count")).value == 1
    is_lost = asyncio.Event()

    def lose_one(request: httpx2.Request) -> bool:
        loses = request.method == "PUT" and not is_lost.is_set()
        if loses:
            is_lost.set()
        return loses

    transport.lose = lose_one
    first = asyncio.ensure_future(documents.update("count", lambda value: value + 1))
    await is_lost.wait()
    await documents.put("count", 10)
    with pytest.raises(TransportError, match="another editor"):
        await first
    assert (await documents.get("count")).value == 10


async def test_pages_are_put_listed_shown_and_deleted() -> None:
    waypost, _ = client()
    pages = waypost.pages("s-1")
    stored = await pages.put("<p>Hi</p>", title="T")
    assert [(page.intent_id, page.title) for page in await pages.list()] == [(stored.intent_id, "T")]
    assert (await pages.get(stored.intent_id)).html == "<p>Hi</p>"
    assert pages.url(stored.intent_id) == f"https://waypost.test/pages/{stored.intent_id}"
    await pages.delete(stored.intent_id)
    assert await pages.list() == []


async def test_threads_are_begun_listed_changed_exported_and_deleted() -> None:
    waypost, _ = client()
    threads = waypost.threads("user/1 ü")
    for number in range(5):
        await threads.begin(f"thread {number}", metadata={"kind": "odd" if number % 2 else "even"})
    await threads.chat("thread 0").send("Hello").text()
    assert len([thread async for thread in threads.list(page_size=2)]) == 5
    assert len([thread async for thread in threads.list(metadata={"kind": "odd"})]) == 2
    changed = await threads.change("thread 1", title="One", archived=True)
    assert (changed.title, [t.thread_id async for t in threads.list(archived=True)]) == ("One", ["thread 1"])
    found = await threads.get("thread 1")
    assert found is not None
    assert found.title == "One"
    assert await threads.get("nowhere") is None
    lines = [line["kind"] async for line in threads.export()]
    assert (lines.count("thread"), lines.count("conversation"), lines[-1]) == (5, 5, "end")
    assert await threads.delete("thread 2")
    assert not await threads.delete("thread 2")
    assert (await threads.delete_all()).deleted == 4
    assert [thread async for thread in threads.list()] == []


async def test_the_service_says_how_it_is() -> None:
    waypost, _ = client()
    health = await waypost.health()
    assert (health.status, health.limits["maxWaitSeconds"]) == ("ok", 60)


async def test_a_token_needs_an_app_key() -> None:
    waypost, _ = client(retry=Retry(max_elapsed=0))
    with pytest.raises(WaypostError):
        await waypost.issue_token("user-1", ttl=60)


async def test_a_refusal_names_what_is_wrong() -> None:
    waypost, _ = client()
    with pytest.raises(BadRequest, match="400 invalid_"):
        await waypost.open_session(ttl=1)
