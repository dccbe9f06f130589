"""The Workers AI provider: which model it asks, and which answers it understands; the rest is every service's."""

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock
from tests.support.completions import said
from tests.support.fake_http import FakeAi, Reply
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.models.settings import DEFAULT_WORKERS_AI_MODEL, ModelSettings
from waypost_worker.models.workers_ai import WorkersAiModel


def make_model(*replies: Reply) -> WorkersAiModel:
    return WorkersAiModel(ModelSettings("workers-ai"), FakeAi(*replies), VirtualClock(), SeededRandom(), [].append)


async def test_newer_models_that_talk_as_openai_does_are_understood():
    model = make_model(Reply(said("Hel", "lo")))
    assert [delta async for delta in model.stream([ChatMessage("1", "user", "Hi", 0)])] == ["Hel", "lo"]


def test_its_model_is_a_default_unless_one_is_set():
    assert make_model().name == f"workers-ai: {DEFAULT_WORKERS_AI_MODEL}"


async def test_parameters_go_with_each_request():
    ai = FakeAi(Reply(said("a")))
    settings = ModelSettings("workers-ai", parameters={"max_tokens": 9, "stream": False})
    model = WorkersAiModel(settings, ai, VirtualClock(), SeededRandom(), [].append)
    assert [piece async for piece in model.stream([ChatMessage("1", "user", "Hi", 0)])] == ["a"]
    assert (ai.sent[0].body["max_tokens"], ai.sent[0].body["stream"]) == (9, True)
