"""The Workers AI provider: what the binding is asked; what comes of it is model_service's, as for any other."""

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock, run
from tests.support.completions import chunk, said, workers_ai
from tests.support.fake_http import FakeAi, Pause, Reply
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.models.settings import DEFAULT_WORKERS_AI_MODEL, ModelSettings
from waypost_worker.models.transport import FetchError
from waypost_worker.models.workers_ai import WorkersAiModel

ITEMS = [ChatMessage("1", "user", "Hi", 0)]


def make_model(ai: FakeAi, **settings: str) -> WorkersAiModel:
    return WorkersAiModel(
        ModelSettings("workers-ai", timeout_seconds=7, **settings), ai, VirtualClock(), SeededRandom()
    )


def ask(ai: FakeAi, model: str | None = None, **settings: str) -> list[str]:
    async def listen() -> list[str]:
        return [delta async for delta in make_model(ai, **settings).stream(ITEMS, model)]

    deltas = run(listen())
    assert ai.open == 0
    return deltas


def test_the_binding_is_asked_for_the_model_with_all_that_was_said():
    ai = FakeAi(Reply(workers_ai("Hel", "lo")))
    assert ask(ai, workers_ai_model="@cf/some/model") == ["Hel", "lo"]
    [sent] = ai.sent
    assert (sent.to, sent.body, sent.timeout_seconds) == ("@cf/some/model", [{"role": "user", "content": "Hi"}], 7)


def test_newer_models_that_talk_as_openai_does_are_understood():
    assert ask(FakeAi(Reply(said("Hel", "lo")))) == ["Hel", "lo"]


def test_another_model_can_be_asked():
    ai = FakeAi(Reply(workers_ai("Hello")))
    ask(ai, "@cf/another/model")
    assert ai.sent[0].to == "@cf/another/model"


@pytest.mark.parametrize("first", [Reply(status=429), Reply(before=[FetchError("3040")]), Reply([FetchError("cut")])])
def test_what_may_pass_is_asked_once_more(first: Reply):
    ai = FakeAi(first, Reply(workers_ai("Hello")))
    assert ask(ai) == ["Hello"]
    assert [sent.body for sent in ai.sent] == [[{"role": "user", "content": "Hi"}]] * 2


def test_what_will_not_pass_is_told():
    with pytest.raises(ModelFailed, match="status 400"):
        ask(FakeAi(Reply([b"5007: No such model"], status=400)))


def test_its_name_is_its_model():
    assert make_model(FakeAi()).name == f"workers-ai: {DEFAULT_WORKERS_AI_MODEL}"


def test_a_caller_who_stops_listening_ends_the_request():
    ai = FakeAi(Reply([chunk("a"), Pause(1)]))

    async def listen_to_one() -> None:
        deltas = make_model(ai).stream(ITEMS)
        assert await anext(deltas) == "a"
        await deltas.aclose()

    run(listen_to_one())
    assert ai.open == 0
