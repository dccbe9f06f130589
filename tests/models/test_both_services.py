"""What holds for every provider: what it asks, when it asks once more, and its name."""

from typing import Any

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.completions import chunk, said, workers_ai
from tests.support.fake_http import FakeAi, FakeHttp, Pause, Reply, Sent
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.models.model import Model, ModelTool, ToolUse
from waypost_worker.models.openai import OpenAiModel
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.tool_definitions import definition
from waypost_worker.models.transport import FetchError
from waypost_worker.models.workers_ai import WorkersAiModel

KEY = "sk-a-key-that-nobody-may-see"
ITEMS = [ChatMessage("1", "system", "Be brief.", 0), ChatMessage("2", "user", "Hi", 0)]
MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]


class OpenAi:
    """A service that is reached over HTTP."""

    name = "openai: the-model"

    def __init__(self, *replies: Reply) -> None:
        self.service = FakeHttp(*replies)
        settings = ModelSettings(
            "openai",
            openai_base_url="https://model.example/v1",
            openai_model="the-model",
            openai_api_key=KEY,
            timeout_seconds=7,
        )
        self.model: Model = OpenAiModel(settings, self.service, VirtualClock(), SeededRandom(), [].append)

    @staticmethod
    def answer(*words: str) -> list[bytes]:
        return said(*words)

    @staticmethod
    def parts(sent: Sent) -> tuple[str, Any]:
        """The model that was asked, and the messages that it was shown."""
        return sent.body["model"], sent.body["messages"]


class WorkersAi:
    """A service that is reached by a binding."""

    name = "workers-ai: the-model"

    def __init__(self, *replies: Reply) -> None:
        self.service = FakeAi(*replies)
        settings = ModelSettings("workers-ai", workers_ai_model="the-model", timeout_seconds=7)
        self.model: Model = WorkersAiModel(settings, self.service, VirtualClock(), SeededRandom(), [].append)

    @staticmethod
    def answer(*words: str) -> list[bytes]:
        return workers_ai(*words)

    @staticmethod
    def parts(sent: Sent) -> tuple[str, Any]:
        assert sent.body["stream"]
        return sent.to, sent.body["messages"]


Service = type[OpenAi] | type[WorkersAi]
both = pytest.mark.parametrize("service", [OpenAi, WorkersAi])


async def ask(at: OpenAi | WorkersAi, model: str | None = None) -> list[str]:
    deltas = [delta async for delta in at.model.stream(ITEMS, model)]
    assert at.service.open == 0
    return deltas


@both
async def test_the_model_is_asked_with_all_that_was_said(service: Service):
    at = service(Reply(service.answer("Hel", "lo")))
    assert await ask(at) == ["Hel", "lo"]
    [sent] = at.service.sent
    assert (at.parts(sent), sent.timeout_seconds) == (("the-model", MESSAGES), 7)


@both
async def test_another_model_of_the_service_can_be_asked(service: Service):
    at = service(Reply(service.answer("Hello")))
    await ask(at, "another")
    assert at.parts(at.service.sent[0]) == ("another", MESSAGES)


@both
@pytest.mark.parametrize(
    "first",
    [Reply(status=429), Reply(status=500), Reply(before=[FetchError("3040")]), Reply([FetchError("cut")])],
)
async def test_what_may_pass_is_asked_once_more_in_the_same_words(first: Reply, service: Service):
    at = service(first, Reply(service.answer("Hello")))
    assert await ask(at) == ["Hello"]
    once, again = at.service.sent
    assert (once.to, once.headers, once.body) == (again.to, again.headers, again.body)
    assert at.parts(again) == ("the-model", MESSAGES)


@both
async def test_what_will_not_pass_is_told(service: Service):
    at = service(Reply([b"5007: No such model"], status=400))
    with pytest.raises(ModelFailed, match="status 400"):
        await ask(at)


@both
def test_its_name_is_its_model_and_neither_key_nor_address(service: Service):
    assert service().model.name == service.name


@both
async def test_a_caller_who_stops_listening_ends_the_request(service: Service):
    at = service(Reply([chunk("a"), Pause(1), chunk("b")]))
    deltas = at.model.stream(ITEMS)
    assert await anext(deltas) == "a"
    await deltas.aclose()
    assert at.service.open == 0


@both
async def test_tools_are_offered_with_their_schema_and_none_if_there_are_none(service: Service):
    tool = ModelTool("add_note", "Adds a note.", {"type": "object", "properties": {"text": {"type": "string"}}})
    call = {"index": 0, "id": "a", "function": {"name": "add_note", "arguments": '{"text":"Milk"}'}}
    at = service(Reply([chunk(tool_calls=[call]), chunk(finish_reason="tool_calls")]), Reply(service.answer("Hi")))
    assert [piece async for piece in at.model.stream(ITEMS, tools=[tool])] == [
        ToolUse("a", "add_note", {"text": "Milk"})
    ]
    assert at.service.sent[0].body["tools"] == [definition(tool)]
    assert await ask(at) == ["Hi"]
    assert "tools" not in at.service.sent[1].body
