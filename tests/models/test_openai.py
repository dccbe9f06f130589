"""The OpenAI-compatible provider: what is sent, to which URL, and with which key. test_service.py has the outcomes."""

from typing import Any

import pytest

from simulation.seeded_random import SeededRandom
from simulation.virtual_time import VirtualClock, run
from tests.support.completions import said
from tests.support.fake_http import FakeHttp, Reply
from waypost_worker.conversations.message import ChatMessage
from waypost_worker.errors import ModelFailed
from waypost_worker.models.openai import OpenAiModel
from waypost_worker.models.settings import ModelSettings
from waypost_worker.version import VERSION

KEY = "sk-a-key-that-nobody-may-see"
ITEMS = [ChatMessage("1", "system", "Be brief.", 0), ChatMessage("2", "user", "Hi", 0)]


def make_model(http: FakeHttp, **settings: Any) -> OpenAiModel:
    values = {"openai_base_url": "https://model.example/v1", "openai_model": "gpt-x", **settings}
    return OpenAiModel(ModelSettings("openai", **values), http, VirtualClock(), SeededRandom())


def ask(model: OpenAiModel, name: str | None = None) -> list[str]:
    async def listen() -> list[str]:
        return [delta async for delta in model.stream(ITEMS, name)]

    return run(listen())


def test_the_request_is_a_streaming_chat_completion_with_all_that_was_said():
    http = FakeHttp(Reply(said("Hello")))
    assert ask(make_model(http, openai_api_key=KEY, timeout_seconds=7)) == ["Hello"]
    [sent] = http.sent
    assert sent.to == "https://model.example/v1/chat/completions"
    assert sent.body == {
        "model": "gpt-x",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "stream": True,
    }
    assert sent.headers == {
        "Accept": "text/event-stream",
        "Authorization": f"Bearer {KEY}",
        "Content-Type": "application/json",
        "User-Agent": f"Waypost/{VERSION}",
    }
    assert sent.timeout_seconds == 7


def test_without_a_key_none_is_sent_not_even_one_of_an_earlier_model():
    ask(make_model(FakeHttp(Reply(said("Hello"))), openai_api_key=KEY))
    http = FakeHttp(Reply(said("Hello")))
    ask(make_model(http))
    assert "Authorization" not in http.sent[0].headers


@pytest.mark.parametrize(
    "reply", [Reply([f"Wrong key {KEY}!".encode()], status=401), Reply([f"event: error\ndata: {KEY}\n\n".encode()])]
)
def test_a_key_that_the_service_repeats_stands_in_no_log(reply: Reply):
    with pytest.raises(ModelFailed) as caught:
        ask(make_model(FakeHttp(reply), openai_api_key=KEY))
    assert KEY not in caught.value.log_detail
    assert "[OPENAI_API_KEY]" in caught.value.log_detail


def test_where_there_is_no_key_a_log_is_left_as_it_is():
    with pytest.raises(ModelFailed) as caught:
        ask(make_model(FakeHttp(Reply([b"no"], status=401))))
    assert caught.value.log_detail == "no"
