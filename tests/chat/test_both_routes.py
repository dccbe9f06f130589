"""Rules of written and of spoken answers alike: instructions, compaction, and the log of failures."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from simulation.client import Reply
from simulation.scripted_model import Step
from tests.support import voice
from tests.support.chats import ADA, THREAD, Chats
from waypost_worker.errors import ModelFailed
from waypost_worker.models.settings import ModelSettings


class Written(Chats):
    """`POST /api/chat`."""

    async def say(self, text: str = "Hi") -> Reply:
        response = await self.open(text)
        body = response.body
        if isinstance(body, AsyncGenerator):
            body = b"".join([chunk async for chunk in body])
        return Reply(response.status, response.headers, body or b"")

    @property
    def snapshot_key(self) -> str:
        return f"conv:{self.threads.session_id_for(ADA, THREAD)}"

    @property
    def log(self) -> list[str]:
        return self.here.log


class Spoken(voice.Setting):
    """`POST /api/voice-agent/chat`."""

    snapshot_key = f"conv:{voice.SESSION}"

    async def say(self, text: str = "Hi") -> Reply:
        return await self.ask(text)

    @property
    def log(self) -> list[str]:
        return self.client.log


Route = type[Written] | type[Spoken]
both = pytest.mark.parametrize("route", [Written, Spoken])


@both
async def test_the_model_is_told_the_instructions_first(route: Route):
    at = route(model=ModelSettings(instructions="Speak plainly."), history_limit=2, thread_history_limit=2)
    await at.say("First?")
    await at.say("Second?")
    first, second = [[(item.role, item.content) for item in asked] for asked in at.model.asked]
    assert first == [("system", "Speak plainly."), ("user", "First?")]
    assert second == [
        ("system", "Speak plainly."),
        ("user", "First?"),
        ("assistant", "Hello Ada."),
        ("user", "Second?"),
    ]
    assert at.model.models == [None, None]


@both
async def test_a_long_conversation_is_compacted_while_it_goes_on(route: Route):
    at = route()
    for number in range(12):
        await at.say(f"{number}?")
    assert await at.kv.kv.get(at.snapshot_key) is not None
    assert (await at.history())[-2:] == ["user: 11?", "assistant: Hello Ada."]


@both
@pytest.mark.parametrize("first", [[], ["One "]])
async def test_what_the_models_side_said_is_logged_with_the_requests_id_and_never_sent(first: list[Step], route: Route):
    at = route([*first, ModelFailed("No.", "key sk-123 was refused")])
    reply = await at.say()
    assert b"sk-123" not in reply.body
    assert at.log == [f"[{reply.headers['X-Request-Id']}] model_failed: key sk-123 was refused"]


@both
@pytest.mark.parametrize("first", [[], ["One "]])
async def test_a_model_that_breaks_off_unexpectedly_is_logged_with_the_requests_id_and_told_in_general(
    first: list[Step], route: Route
):
    at = route([*first, ValueError("sk-123")])
    reply = await at.say()
    # What is written has begun before its first word.
    assert reply.status == (200 if route is Written else 502)
    assert b"sk-123" not in reply.body
    assert b"The model broke off." in reply.body
    [line] = at.log
    assert line.startswith(f"[{reply.headers['X-Request-Id']}] a model broke off\n    Traceback")
    assert "sk-123" in line


@both
async def test_a_conversation_that_can_not_be_compacted_is_answered_anyway(route: Route):
    at = route()
    for number in range(10):
        await at.say(f"{number}?")
    at.kv.fails = lambda operation, key: operation == "put" and key == at.snapshot_key
    for number in range(3):
        reply = await at.say(f"{number}!")
        assert reply.status == 200
        assert b"error" not in reply.body
        assert (await at.history())[-1] == "assistant: Hello Ada."
    await asyncio.sleep(10)
    assert any(line.endswith("a conversation was not compacted: storage_unavailable") for line in at.log)
