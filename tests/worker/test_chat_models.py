"""Chats with a model behind an OpenAI-compatible service, over HTTP, in workerd: whatever that service does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.support.chat_client import Chat, conversation
from tests.support.completions import TEXT, byte_by_byte, calling, event, said
from tests.support.http_api import Api
from tests.support.images import image_part
from tests.support.model_server import RESET, STALL, Head, ModelServer, Pause, Step, paced, refusal
from tests.support.node_tests import run_node_tests
from tests.support.strict_template import refusal as refusal_of_template
from tests.support.waiting import eventually
from tools.local.harness.worker import LocalWorker
from waypost_worker.limits import MAX_IMAGE_BYTES, MIN_APART_BYTES

KEY = "sk-a-key-that-nobody-may-see"
WORDS = [f"word{number} " for number in range(25)]
JSON_HEAD = Head(headers={"Content-Type": "application/json"})
AI_SDK_TESTS = Path(__file__).parents[1] / "aisdk"

NOTHING_SAID: dict[str, tuple[list[Sequence[Step]], str, int]] = {
    "a key that is refused": ([refusal(401, f'{{"error":"{KEY} is no key"}}')], "model_failed", 1),
    "a model that is not known": ([refusal(404)], "model_failed", 1),
    "a service that fails and fails again": ([refusal(500), refusal(503)], "model_failed", 2),
    "a service that asks for too much patience": ([refusal(429, retry_after="60")], "model_busy", 1),
    "a connection that breaks and breaks again": ([[RESET], [Head(), RESET]], "model_failed", 2),
    "silence before the head": ([[STALL]], "model_timed_out", 1),
    "silence after the head": ([[Head(), STALL]], "model_timed_out", 1),
    "no event stream": ([[Head(headers={"Content-Type": "text/html"}), b"<p>"]], "model_failed", 1),
    "events that are no completion": ([[Head(), b"data: <p>\n\n"]], "model_failed", 1),
    "bytes that are nothing": ([[JSON_HEAD, b"\xff\xfe\0"]], "model_failed", 1),
    "an error in an event": ([[Head(), event({"error": {"message": "overloaded"}})]], "model_failed", 1),
    "nothing at all": ([[Head(), b"data: [DONE]\n\n"]] * 2, "model_failed", 2),
}

BROKEN_OFF: dict[str, tuple[Sequence[Step], str]] = {
    "the connection breaks": ([Head(), *said("Hello", " you")[:3], Pause(0.05), RESET], "model_failed"),
    "it falls silent": ([Head(), *said("Hello", " you")[:3], STALL], "model_timed_out"),
    "garbage follows": ([Head(), *said("Hello", " you")[:3], b"data: {\xff\n\n"], "model_failed"),
    "it ends without an end": ([Head(), *said("Hello", " you")[:3]], "model_failed"),
}


@pytest.fixture(scope="module")
def service() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
def asking(service: ModelServer) -> Iterator[LocalWorker]:
    """A Worker that asks `service`, and waits two seconds for it."""
    with LocalWorker(
        MODEL_PROVIDER="openai",
        OPENAI_BASE_URL=service.url,
        OPENAI_MODEL="a-model",
        OPENAI_API_KEY=KEY,
        MODEL_TIMEOUT_SECONDS="2",
        INSTRUCTIONS="Be brief.",
    ) as worker:
        yield worker


@pytest.fixture(scope="module")
def patient(service: ModelServer) -> Iterator[LocalWorker]:
    """A Worker that waits for `service` as long as it does by default, and keeps ten messages of a thread."""
    model = {"MODEL_PROVIDER": "openai", "OPENAI_BASE_URL": service.url, "OPENAI_MODEL": "a-model"}
    with LocalWorker(THREAD_HISTORY_LIMIT="10", **model) as worker:
        yield worker


@pytest.fixture
def chat(asking: LocalWorker, service: ModelServer) -> Iterator[Chat]:
    """A chat with a service that answers as it does by default."""
    service.script()
    with Api(asking.url) as api:
        yield Chat(api)


@pytest.fixture
def patient_chat(patient: LocalWorker, service: ModelServer) -> Iterator[Chat]:
    """The same, where no second of silence ends an answer: for models that say nothing until they are stopped."""
    service.script()
    with Api(patient.url) as api:
        yield Chat(api)


def test_the_model_is_asked_with_what_was_said_and_streams(chat: Chat, service: ModelServer) -> None:
    service.script(paced(said(*WORDS * 3), 0.03))
    first = chat.ask("one").heard("word3")
    assert not first.is_over
    assert first.whole() == "".join(WORDS * 3)
    assert chat.ask("two").whole() == "Hello from the model."
    asked = service.requests[1]
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert (asked.body["model"], asked.body["stream"]) == ("a-model", True)
    assert asked.body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "one"},
        {"role": "assistant", "content": first.text},
        {"role": "user", "content": "two"},
    ]
    assert chat.said()[1:] == [("assistant", first.text), ("user", "two"), ("assistant", "Hello from the model.")]


@pytest.mark.parametrize("name", NOTHING_SAID)
def test_a_model_that_says_nothing_is_told_as_an_error_and_nothing_is_kept(
    name: str, chat: Chat, service: ModelServer, asking: LocalWorker
) -> None:
    scripts, code, attempts = NOTHING_SAID[name]
    shown_before = asking.log_text().count(KEY)
    service.script(*scripts)
    reply = chat.ask("hello")
    assert reply.failure() == code
    assert len(service.requests) == attempts
    assert (chat.session(), chat.follow().status) == (None, 204)
    told = reply.events[1].text
    assert KEY not in told
    assert asking.log_text().count(KEY) == shown_before
    for word in (service.url, "overloaded", "Traceback"):
        assert word not in told


def test_a_message_that_was_not_answered_can_be_sent_again_and_a_thread_goes_on_as_it_was(
    chat: Chat, service: ModelServer
) -> None:
    service.script(refusal(401))
    assert chat.ask("hello", messageId="m1").failure() == "model_failed"
    assert chat.ask("hello", messageId="m1").whole() == "Hello from the model."
    service.script(refusal(401))
    assert chat.ask("again", messageId="m2").failure() == "model_failed"
    assert chat.said() == [("user", "hello"), ("assistant", "Hello from the model.")]
    assert chat.ask("again", messageId="m2").end()["messageCount"] == 4


@pytest.mark.parametrize("name", BROKEN_OFF)
def test_a_model_that_breaks_off_is_told_as_an_error_and_what_it_said_is_kept(
    name: str, chat: Chat, service: ModelServer
) -> None:
    script, code = BROKEN_OFF[name]
    service.script(script)
    answer = chat.ask("hello")
    ui = chat.follow(format="ui") if name == "it falls silent" else None
    assert answer.whole() == "Hello you"
    error, done = answer.events[-2:]
    assert (error.name, error.data["code"], error.data["partial"]) == ("error", code, True)
    assert (done.name, done.data["finishReason"], done.data["partial"]) == ("done", "error", True)
    assert len(service.requests) == 1
    assert chat.said() == [("user", "hello"), ("assistant", "Hello you…")]
    if ui is not None:
        ui.wait_over()
        assert {"type": "error", "errorText": error.data["message"]} in [event.data for event in ui.events[:-1]]
    assert chat.ask("go on").whole() == "Hello from the model."


@pytest.mark.parametrize("failure", [refusal(500), refusal(429, retry_after="0"), [RESET], [Head(), RESET]])
def test_a_failure_before_the_first_word_is_tried_once_more(
    failure: Sequence[Step], chat: Chat, service: ModelServer
) -> None:
    service.script(failure)
    assert chat.ask("hello").whole() == "Hello from the model."
    assert [asked.body["messages"][-1]["content"] for asked in service.requests] == ["hello", "hello"]
    assert len(chat.history()) == 2


def test_the_same_is_heard_however_the_bytes_are_split(chat: Chat, service: ModelServer) -> None:
    frames = said(TEXT, TEXT)
    service.script([Head(), b"".join(frames)], [Head(), *byte_by_byte(frames)], paced(byte_by_byte(frames), 0.001))
    for _ in range(3):
        assert chat.ask("hello").whole() == chat.history()[-1]["content"] == TEXT + TEXT


def test_a_client_that_goes_away_does_not_end_the_request_to_the_model(chat: Chat, service: ModelServer) -> None:
    service.script(paced(said(*WORDS), 0.03))
    chat.ask("hello").heard("word3").close()
    eventually(lambda: chat.said() == [("user", "hello"), ("assistant", "".join(WORDS))])
    assert not service.requests[0].has_left


def test_who_interrupts_a_model_that_has_said_nothing_yet_is_answered(patient_chat: Chat, service: ModelServer) -> None:
    service.script([STALL])
    first = patient_chat.ask("one")
    eventually(lambda: service.requests)
    assert patient_chat.ask("two", interrupt=True).whole() == "Hello from the model."
    assert (first.whole(), first.end()["finishReason"]) == ("", "stopped")
    assert patient_chat.said() == [("user", "one"), ("user", "two"), ("assistant", "Hello from the model.")]


def test_a_stop_ends_the_request_to_the_model(patient_chat: Chat, service: ModelServer) -> None:
    service.script([*paced(said(*WORDS)[:5], 0.01), STALL])
    answer = patient_chat.ask("hello").heard("word2")
    assert patient_chat.stop()["stopped"]
    # Less than the Worker would wait for the model's next word.
    eventually(lambda: service.requests[0].has_left, 25)
    assert (answer.whole(), answer.end()["finishReason"]) == ("word0 word1 word2 word3 ", "stopped")


def test_a_client_that_waits_five_seconds_for_a_byte_survives_a_model_that_thinks_for_longer(
    patient: LocalWorker, service: ModelServer
) -> None:
    thinking: list[Step] = [Head(), Pause(7), *said("Hello", " you")]
    body = {"message": "hello", "threadId": f"thread-{uuid4()}"}
    for path in ("/api/chat", "/api/chat?format=ui"):
        service.script(thinking)
        # httpx's own time-out between any two bytes.
        with httpx.stream("POST", patient.url + path, json=body, timeout=httpx.Timeout(60, read=5)) as reply:
            begun = time.monotonic()
            chunks = [(chunk, time.monotonic() - begun) for chunk in reply.iter_bytes()]
        assert b"start" in chunks[0][0]
        assert chunks[0][1] < chunks[-1][1] - 5
        received = b"".join(chunk for chunk, _ in chunks)
        assert received.count(b": heartbeat\n") >= 2
        assert b'"Hello"' in received


def test_a_model_that_insists_on_turns_answers_twelve_questions_also_after_stops_and_appends(
    patient_chat: Chat, service: ModelServer
) -> None:
    service.script()
    service.refuses = refusal_of_template
    try:
        for number in range(12):
            if number % 3 == 1:
                patient_chat.append("More", "and more")
            if number % 3 == 2:
                service.script([STALL])
                stopped = patient_chat.ask("Stopped?")
                eventually(lambda: service.requests)
                patient_chat.stop()
                stopped.wait_over()
            assert patient_chat.ask(f"{number}?").whole() == "Hello from the model."
        asked = [request.body["messages"] for request in service.requests]
        assert asked[-1][-1]["content"] == "Stopped?\n\n11?"
    finally:
        service.refuses = None


def test_a_conversation_that_is_too_long_for_the_model_is_answered_with_half_of_it(
    chat: Chat, service: ModelServer
) -> None:
    for number in range(4):
        assert chat.ask(f"{number}?").whole() == "Hello from the model."
    error = '{"error":{"message":"This model\'s maximum context length is 10 tokens.","code":400}}'
    service.script(refusal(400, error))
    assert chat.ask("4?").whole() == "Hello from the model."
    whole, half = (request.body["messages"] for request in service.requests)
    assert half[1:] == whole[-len(half) + 1 :]
    assert 1 < len(half) < len(whole)
    service.script(refusal(400, error), refusal(400, error))
    assert chat.ask("5?").failure() == "prompt_too_long"


def test_the_largest_picture_reaches_the_model_with_its_question_and_the_next_and_is_kept(
    chat: Chat, service: ModelServer
) -> None:
    picture = image_part(MAX_IMAGE_BYTES)
    asked = [{"type": "text", "text": "What is it?"}, picture]
    for message in (asked, "And now?"):
        chat.ask(message).whole()
        assert service.requests[-1].body["messages"][1]["content"] == asked
    assert chat.history()[0]["content"] == asked
    smaller = [picture, image_part(MIN_APART_BYTES)]
    assert chat.ask(smaller).problem == (413, "body_too_large")


def test_a_voice_agent_remembers_ten_messages_and_one_failure_less(chat: Chat, service: ModelServer) -> None:
    session_id = f"voice-{chat.thread_id}"

    def ask(question: str) -> httpx.Response:
        return chat.api.call("POST", "/api/voice-agent/chat", {"question": question, "sessionId": session_id})

    for number in range(15):
        reply = ask(f"question {number}").json()
        assert (reply["response"], reply["messageCount"]) == ("Hello from the model.", min(2 * number + 2, 10))
    asked = [message["content"] for message in service.requests[-1].body["messages"] if message["role"] == "user"]
    assert asked == [f"question {number}" for number in range(9, 15)]
    kept = [message["content"] for message in conversation(chat.api, session_id) if message["role"] == "user"]
    assert kept == asked[1:]
    service.script(refusal(401))
    assert ask("no").status_code == 502
    assert [message["content"] for message in conversation(chat.api, session_id)[::2]] == kept


def test_the_ai_sdk_shows_an_error_and_keeps_what_was_said_before_it(
    chat: Chat, service: ModelServer, asking: LocalWorker
) -> None:
    service.script(refusal(401), BROKEN_OFF["the connection breaks"][0])
    run_node_tests(AI_SDK_TESTS / "failures.test.mjs", WAYPOST_URL=asking.url)


def test_a_model_calls_tools_of_a_page_with_the_ai_sdk_and_is_given_their_outputs(
    service: ModelServer, asking: LocalWorker
) -> None:
    called = [Head(), *calling("I look. ", read_title={}, read_url={})]
    service.script(*[called, [Head(), *said("A page.")]] * 3)
    run_node_tests(AI_SDK_TESTS / "page-model.test.mjs", WAYPOST_URL=asking.url)
    first, second = [request.body for request in service.requests[-2:]]
    assert [tool["function"]["name"] for tool in first["tools"]] == ["read_title", "read_url"]
    results = [message["content"] for message in second["messages"] if message["role"] == "tool"]
    assert results == ["A page", '{"url":"https://a.example/"}']


def test_a_long_chat_with_the_ai_sdk_goes_on(service: ModelServer, patient: LocalWorker) -> None:
    long = [Head(), *said(*["x" * 1000] * 12)]
    service.script(*[long] * 130)
    run_node_tests(AI_SDK_TESTS / "long.test.mjs", 300, WAYPOST_URL=patient.url)
    # The last question was asked with nothing of what it had replaced.
    assert all(len(request.body["messages"]) <= 12 for request in service.requests)


@pytest.mark.skipif(not os.environ.get("WAYPOST_SOAK"), reason="takes half a minute; make soak runs it")
def test_an_answer_that_nobody_hears_ends_some_time_after_the_last_one_left(chat: Chat, service: ModelServer) -> None:
    service.script(paced(said(*(WORDS * 50)), 0.05))
    chat.ask("hello").heard("word3").close()
    eventually(lambda: service.requests[0].has_left)
    eventually(lambda: chat.history()[-1].get("partial"))
    assert chat.follow().status == 204
    assert "word24" in chat.history()[-1]["content"]
