"""Questions to a thread, and their answers: what is stored when, and what the model is shown."""

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from simulation.client import KEY
from simulation.scripted_model import counted
from simulation.virtual_time import START_MS
from tests.support.chats import ADA, HELLO, THREAD, Chats, text_of
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.settings import Agent, ModelSettings
from waypost_worker.polling.plans import FREE

TEXT = {"type": "text", "text": "Hi"}


def agents(**named: Agent) -> ModelSettings:
    return ModelSettings(instructions="Be brief.", agents=named)


async def test_an_answer_comes_delta_by_delta():
    at = Chats(["One ", 1.0, "two ", 1.0, "three."])
    stream = await at.turn()
    assert stream.names() == ["start", "delta", "delta", "delta", "done"]
    assert [event.at for event in stream.events] == pytest.approx([0, 0, 1, 2, 2], abs=0.1)
    assert stream.data("delta") == [{"text": "One "}, {"text": "two "}, {"text": "three."}]


@pytest.mark.parametrize("key", ["conv:", "thread:"])
async def test_the_model_is_asked_while_the_question_is_written_and_not_shown_before_it_is(key: str):
    at = Chats()
    at.kv.fails = lambda operation, name: name.startswith(key) and operation == "put" and at.clock.now_ms() < until_ms
    until_ms = START_MS + 300
    asking = asyncio.ensure_future(at.begin())
    await asyncio.sleep(0.1)
    assert len(at.model.asked) == 1
    assert not asking.done()
    stream = await asking
    assert at.clock.now_ms() > until_ms
    await stream.until_over()
    assert text_of(stream) == "Hello Ada."
    assert len(at.model.asked) == at.model.ended == 1


async def test_question_and_open_answer_are_in_the_store_before_a_word_is_shown():
    at = Chats([1.0, *HELLO])
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(0.7)
    assert [(item.role, item.is_open) for item in await at.conversation().read()] == [
        ("user", False),
        ("assistant", True),
    ]
    assert await at.threads.find(ADA, THREAD) is not None
    await asking


async def test_the_whole_answer_is_kept_when_it_has_ended():
    at = Chats()
    await at.turn()
    assert await at.history() == ["user: Hi", "assistant: Hello Ada."]


async def test_an_answer_stands_after_its_question_whatever_was_appended_meanwhile():
    at = Chats(counted(3))
    asking = asyncio.ensure_future(at.turn())
    await asyncio.sleep(1.5)
    await at.conversation().append([ChatMessage("n", "user", "Note", 0)])
    await asking
    assert await at.history() == ["user: Hi", "assistant: 1 2 3 ", "user: Note"]


async def test_the_stream_begins_with_who_and_where_and_ends_with_how():
    at = Chats()
    stream = await at.turn(messageId="m1")
    generation_id = stream.data("start")[0]["generationId"]
    assert stream.data("start") == [
        {
            "session_id": at.threads.session_id_for(ADA, THREAD),
            "threadId": THREAD,
            "resourceId": ADA,
            "generationId": generation_id,
            "messageId": "m1",
        }
    ]
    assert stream.data("done") == [
        {
            "generationId": generation_id,
            "messageId": generation_id,
            "finishReason": "stop",
            "partial": False,
            "messageCount": 2,
        }
    ]
    assert [item.id for item in await at.items()] == ["m1", generation_id]


async def test_a_question_without_an_id_has_one_that_its_stream_tells():
    at = Chats()
    stream = await at.turn()
    assert (await at.items())[0].id == stream.data("start")[0]["messageId"]


async def test_a_thread_is_resumed_with_its_history():
    at = Chats(["One."], ["Two."])
    first = await at.turn("First?")
    second = await at.turn("Second?", at.elsewhere)
    assert first.data("start")[0]["session_id"] == second.data("start")[0]["session_id"]
    assert [item.content for item in at.model.asked[1]] == ["First?", "One.", "Second?"]
    assert second.data("done")[0]["messageCount"] == 4
    assert await at.history() == ["user: First?", "assistant: One.", "user: Second?", "assistant: Two."]


async def test_threads_and_resources_do_not_see_each_other():
    at = Chats()
    for name in ({}, {"threadId": "other"}, {"resourceId": "eve"}):
        await at.turn(**name)
    assert [len(shown) for shown in at.model.asked] == [1, 1, 1]


async def test_a_thread_without_a_resource_is_its_own():
    at = Chats()
    stream = await at.turn(resourceId=None)
    assert stream.data("start")[0]["resourceId"] == THREAD
    assert await at.threads.find(THREAD, THREAD) is not None


async def test_the_model_is_shown_what_is_kept_and_the_question_and_the_answer_says_how_much_is_kept():
    at = Chats(thread_history_limit=4)
    for number in range(3):
        stream = await at.turn(f"{number}?")
    assert [item.content for item in at.model.asked[-1]] == ["0?", "Hello Ada.", "1?", "Hello Ada.", "2?"]
    assert stream.data("done")[0]["messageCount"] == 4
    assert len(await at.items()) == 4


async def test_history_from_before_is_still_there_after_an_answer_that_lasts_longer_than_a_conversation():
    at = Chats(["Before."], counted(300), conversation_ttl_seconds=60)
    await at.turn("First?")
    asking = asyncio.ensure_future(at.turn("Second?"))
    for _ in range(4):
        await asyncio.sleep(65)
        assert (await at.history())[:3] == ["user: First?", "assistant: Before.", "user: Second?"]
    stream = await asking
    assert stream.data("done")[0]["partial"] is False
    assert await at.history() == [
        "user: First?",
        "assistant: Before.",
        "user: Second?",
        f"assistant: {text_of(stream)}",
    ]


async def test_an_agent_has_its_own_instructions_and_model_and_stays_with_the_thread():
    at = Chats(model=agents(poet=Agent("Rhyme.", "large"), plain=Agent()))
    await at.turn(agent="poet")
    await at.turn()
    assert [shown[0].content for shown in at.model.asked] == ["Rhyme.", "Rhyme."]
    await at.turn(agent="plain")
    assert at.model.asked[2][0].content == "Be brief."
    assert at.model.models == ["large", "large", None]


async def test_an_agent_that_is_not_configured_is_refused_before_anything_is_stored():
    at = Chats(model=agents(poet=Agent(), clerk=Agent()))
    problem = await at.refused(agent="cook")
    assert (problem["status"], problem["code"]) == (400, "unknown_agent")
    assert "clerk, poet" in problem["detail"]
    assert at.kv.asked == []


async def test_where_no_agents_are_configured_a_thread_may_name_any():
    at = Chats(signing_keys=(KEY,))
    await at.turn(agent="cook")
    thread = await at.threads.find(ADA, THREAD)
    assert thread is not None
    assert thread.agent == "cook"


async def test_metadata_is_kept_with_the_thread_until_other_metadata_comes():
    at = Chats()
    await at.turn(metadata={"topic": "a"})
    await at.turn()
    thread = await at.threads.find(ADA, THREAD)
    assert thread is not None
    assert thread.metadata == {"topic": "a"}
    await at.turn(metadata={})
    thread = await at.threads.find(ADA, THREAD)
    assert thread is not None
    assert thread.metadata == {}


async def test_metadata_that_is_too_large_is_refused_before_anything_is_stored():
    at = Chats()
    problem = await at.refused(metadata={"topic": "x" * 1000})
    assert (problem["status"], problem["code"]) == (400, "invalid_body")
    assert [operation for operation, _ in at.kv.asked if operation == "put"] == []
    assert at.model.asked == []


async def test_a_long_answer_is_kept_on_the_free_plan_too():
    at = Chats(counted(400), plan=FREE)
    stream = await at.turn()
    assert (stream.names()[-1], stream.data("error")) == ("done", [])
    assert await at.history() == ["user: Hi", f"assistant: {text_of(stream)}"]
    assert len(at.kv.asked) <= FREE.operations_per_invocation


async def test_the_head_comes_before_the_model_has_said_anything_and_heartbeats_every_three_seconds():
    at = Chats([40.0, *HELLO])
    stream = await at.turn()
    assert [(event.name, event.at) for event in stream.events] == [
        ("start", 0),
        *[("delta", 40)] * 2,
        ("done", 40),
    ]
    assert [when for _, when in stream.comments] == [3.0 * beat for beat in range(1, 14)]


async def test_the_ai_sdk_has_its_start_before_the_model_has_said_anything_too():
    at = Chats([40.0, *HELLO])
    body = json.dumps({"id": THREAD, "messages": [{"id": "m1", "role": "user", "parts": [TEXT]}]}).encode()
    response = await at.here.open("POST", "/api/chat", body=body)
    assert isinstance(response.body, AsyncGenerator)
    head = await anext(response.body)
    assert b'"type":"start","messageId":' in head
    assert b"text-start" not in head
    assert await anext(response.body) == b": heartbeat\n"
    assert at.clock.now_ms() == START_MS + 3000
    await response.body.aclose()
