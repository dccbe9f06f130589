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
    return OpenAiModel(ModelSettings("openai", **values), http, VirtualClock(), SeededRandom(), [].append)


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
        "accept": "text/event-stream",
        "authorization": f"Bearer {KEY}",
        "content-type": "application/json",
        "user-agent": f"Waypost/{VERSION}",
    }
    assert sent.timeout_seconds == 7


def test_without_a_key_none_is_sent_not_even_one_of_an_earlier_model():
    ask(make_model(FakeHttp(Reply(said("Hello"))), openai_api_key=KEY))
    http = FakeHttp(Reply(said("Hello")))
    ask(make_model(http))
    assert "authorization" not in http.sent[0].headers


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


AZURE = {"openai_base_url": "https://x.openai.azure.com/openai/deployments/d", "openai_query": "api-version=2024-10-21"}


def test_headers_and_a_query_of_the_operator_go_with_each_request():
    http = FakeHttp(Reply(said("Hello")))
    ask(make_model(http, **AZURE, openai_headers={"api-key": KEY, "user-agent": "mine"}))
    [sent] = http.sent
    assert sent.to == "https://x.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"
    assert (sent.headers["api-key"], sent.headers["user-agent"]) == (KEY, "mine")
    assert "authorization" not in sent.headers


def test_the_operators_own_authorization_takes_the_place_of_the_key():
    http = FakeHttp(Reply(said("Hello")))
    ask(make_model(http, openai_api_key=KEY, openai_headers={"authorization": "Basic abc"}))
    assert http.sent[0].headers["authorization"] == "Basic abc"


def test_parameters_go_with_each_request_and_change_nothing_else():
    http = FakeHttp(Reply(said("Hello")))
    ask(make_model(http, parameters={"temperature": 0.2, "model": "other", "stream": False}))
    sent = http.sent[0].body
    assert (sent["temperature"], sent["model"], sent["stream"]) == (0.2, "gpt-x", True)


@pytest.mark.parametrize(
    ("settings", "shown"),
    [
        ({"openai_headers": {"api-key": KEY}}, "[api-key]"),
        ({"openai_query": f"a=1&key={KEY}"}, "[key]"),
        ({"openai_headers": {"x": KEY, "y": f"Bearer {KEY}"}}, "[y] [x]"),
    ],
)
def test_secrets_of_the_operator_stand_in_no_log(settings: dict[str, Any], shown: str):
    log: list[str] = []
    text = f"Bearer {KEY} {KEY}" if "y" in shown else KEY
    stream = f"data: unreadable {text}\n\n".encode()
    values = {"openai_base_url": "https://model.example/v1", "openai_model": "gpt-x", **settings}
    http = FakeHttp(Reply([stream, *said("a")]), Reply([text.encode()], status=401))
    model = OpenAiModel(ModelSettings("openai", **values), http, VirtualClock(), SeededRandom(), log.append)
    assert ask(model) == ["a"]
    with pytest.raises(ModelFailed) as caught:
        ask(model)
    assert KEY not in "".join(log) + caught.value.log_detail
    assert shown in log[0]
    assert shown in caught.value.log_detail
    assert KEY not in repr(ModelSettings("openai", **values))
