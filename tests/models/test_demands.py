"""What a service demands of calls that it is given back is sent to it, and to no other."""

import asyncio
import json
from typing import Any

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.completions import chunk, said
from tests.support.fake_http import JSON, FakeAi, FakeHttp, Pause, Reply
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.errors import ModelFailed
from waypost_worker.models.demands import CALLS_ALONE, DEFINITIONS, REASONING, SIGNATURES, demanded_in
from waypost_worker.models.model import Model, ModelTool
from waypost_worker.models.openai import OpenAiModel
from waypost_worker.models.settings import ModelSettings
from waypost_worker.models.workers_ai import WorkersAiModel

ITEMS = [
    ChatMessage("1", "user", "Note it.", 0),
    ChatMessage("2", "assistant", "I do.", 0, [ToolCall("a", "add_note"), ToolCall("b", "add_note")], reasoning="Hm."),
    ChatMessage("3", "tool", "done", 0, tool_call_id="a"),
    ChatMessage("4", "tool", "done", 0, tool_call_id="b"),
]
TOOLS = [ModelTool("add_note", "", {"type": "object"})]
DEEPSEEK = "The `reasoning_content` in the thinking mode must be passed back to the API."
GEMINI = "Function call is missing a thought_signature in functionCall parts."
ANTHROPIC = "Requests which include `tool_use` or `tool_result` blocks must define tools"

MISTRAL = "Assistant message must have either content or tool_calls, but not both."


def refusal(sentence: str, status: int = 400) -> Reply:
    return Reply([json.dumps({"error": {"message": sentence}}).encode()], status, JSON)


def make_model(http: FakeHttp) -> OpenAiModel:
    settings = ModelSettings("openai", openai_model="m", parameters={"tool_choice": "auto"})
    return OpenAiModel(settings, http, VirtualClock(), SeededRandom(), [].append)


def make_both(*replies: Reply) -> list[tuple[FakeHttp | FakeAi, Model]]:
    """A model of each provider, and its service."""
    http, ai = FakeHttp(*replies), FakeAi(*replies)
    settings = ModelSettings("workers-ai", workers_ai_model="m", parameters={"tool_choice": "auto"})
    return [(http, make_model(http)), (ai, WorkersAiModel(settings, ai, VirtualClock(), SeededRandom(), [].append))]


async def asked(model: Model, name: str | None = None, tools: list[ModelTool] = TOOLS) -> list[Any]:
    return [piece async for piece in model.stream(ITEMS, name, tools)]


@pytest.mark.parametrize(
    ("sentence", "demand"),
    [
        (DEEPSEEK, REASONING),
        ("Missing `reasoning_content` field in the assistant message at message index 2.", REASONING),
        ("thinking is enabled but reasoning_content is missing in assistant tool call message at index 2", REASONING),
        (GEMINI, SIGNATURES),
        (ANTHROPIC, DEFINITIONS),
        ("Anthropic doesn't support tool calling without `tools=` param specified.", DEFINITIONS),
        ("The toolConfig field must be defined when using toolUse and toolResult content blocks.", DEFINITIONS),
        (MISTRAL, CALLS_ALONE),
        ("'messages.2' : property 'reasoning_content' is unsupported", None),
        ("the model is overloaded", None),
    ],
)
def test_a_demand_is_known_by_what_services_say(sentence: str, demand: str | None):
    assert demanded_in(sentence) == ({demand} if demand else set())


async def test_reasoning_is_sent_once_it_is_demanded_and_further_requests_have_it():
    for service, model in make_both(
        refusal(DEEPSEEK), Reply(said("Done.")), Reply(said("Again.")), Reply(said("Other."))
    ):
        assert not model.takes_reasoning()
        assert await asked(model) == ["Done."]
        assert await asked(model) == ["Again."]
        assert await asked(model, "other") == ["Other."]
        told = [sent.body["messages"][1].get("reasoning_content") for sent in service.sent]
        assert told == [None, "Hm.", "Hm.", None]
        assert "reasoning_content" not in service.sent[1].body["messages"][0]
        assert (model.takes_reasoning(), model.takes_reasoning("other")) == (True, False)


async def test_two_questions_that_meet_the_same_demand_at_the_same_time_both_meet_it():
    late = Reply(refusal(DEEPSEEK).steps, 400, JSON, before=[Pause(1)])
    for service, model in make_both(late, late, Reply(said("One.")), Reply(said("Two."))):
        assert await asyncio.gather(asked(model), asked(model)) == [["One."], ["Two."]]
        assert len(service.sent) == 4


async def test_workers_ai_meets_every_demand_as_any_other_service_does():
    for sentence, body in ((GEMINI, "extra_content"), (MISTRAL, '"content": ""'), (ANTHROPIC, "tool_choice")):
        _, (service, model) = make_both(refusal(sentence), Reply(said("Done.")))
        assert await asked(model, tools=[]) == ["Done."]
        first, second = (json.dumps(sent.body) for sent in service.sent)
        assert (body in first, body in second) == (False, True)
    _, (service, model) = make_both(refusal(DEEPSEEK), refusal(DEEPSEEK))
    with pytest.raises(ModelFailed, match="status 400"):
        await asked(model)
    assert len(service.sent) == 2


async def test_a_signature_is_made_up_for_each_call_once_it_is_demanded():
    http = FakeHttp(refusal(GEMINI), Reply(said("Done.")))
    assert await asked(make_model(http)) == ["Done."]
    assert all("extra_content" not in call for call in http.sent[0].body["messages"][1]["tool_calls"])
    signed = {"google": {"thought_signature": "skip_thought_signature_validator"}}
    assert [call["extra_content"] for call in http.sent[1].body["messages"][1]["tool_calls"]] == [signed] * 2


async def test_a_call_is_sent_without_text_once_that_is_demanded():
    http = FakeHttp(refusal(MISTRAL), Reply(said("Done.")))
    assert await asked(make_model(http)) == ["Done."]
    assert [sent.body["messages"][1]["content"] for sent in http.sent] == ["I do.", ""]
    assert len(http.sent[1].body["messages"][1]["tool_calls"]) == 2
    assert http.sent[0].body["messages"][0] == http.sent[1].body["messages"][0]


async def test_tools_that_are_not_offered_any_more_are_defined_once_that_is_demanded():
    http = FakeHttp(refusal(ANTHROPIC, 500), Reply(said("Done.")), Reply(said("Again.")))
    model = make_model(http)
    assert await asked(model, tools=[]) == ["Done."]
    assert "tools" not in http.sent[0].body
    [tool] = http.sent[1].body["tools"]
    assert (tool["function"]["name"], http.sent[1].body["tool_choice"]) == ("add_note", "none")
    # Those that are offered are enough.
    assert await asked(model) == ["Again."]
    assert len(http.sent[2].body["tools"]) == 1
    assert http.sent[2].body["tool_choice"] == "auto"


async def test_a_conversation_without_calls_needs_no_definitions():
    http = FakeHttp(refusal(ANTHROPIC), Reply(said("Hi.")))
    assert [piece async for piece in make_model(http).stream(ITEMS[:1])] == ["Hi."]
    assert "tools" not in http.sent[1].body


async def test_demands_may_come_one_after_another_and_each_is_met_once():
    http = FakeHttp(refusal(DEEPSEEK), refusal(GEMINI), Reply(said("Done.")))
    assert await asked(make_model(http)) == ["Done."]
    assert "reasoning_content" in http.sent[2].body["messages"][1]
    stubborn = FakeHttp(refusal(DEEPSEEK), refusal(DEEPSEEK))
    with pytest.raises(ModelFailed, match="status 400"):
        await asked(make_model(stubborn))
    assert len(stubborn.sent) == 2


async def test_nothing_is_asked_again_once_the_answer_has_begun():
    error = b"event: error\ndata: %s\n\n" % DEEPSEEK.encode()
    http = FakeHttp(Reply([chunk("Well"), error]))
    with pytest.raises(ModelFailed):
        await asked(make_model(http))
    assert len(http.sent) == 1
