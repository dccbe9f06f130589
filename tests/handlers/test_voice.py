"""`POST /api/voice-agent/chat`: what a question may be, and what is made of it."""

from typing import Any

import pytest

from simulation.client import make_client
from simulation.scripted_model import ScriptedModel
from simulation.virtual_time import run
from waypost_worker.errors import InvalidBody
from waypost_worker.handlers.voice import clean
from waypost_worker.limits import MAX_QUESTION_LENGTH


def ask(body: Any, **options: Any) -> Any:
    """Status and JSON of the reply, and what the model was asked."""
    model = ScriptedModel(["Fine."])
    client = make_client(model=model)
    reply = run(client.call("POST", "/api/voice-agent/chat", body, **options))
    return reply.status, reply.json(), [item.content for items in model.asked for item in items]


def test_a_question_is_answered():
    status, answer, asked = ask({"question": "How are you?", "sessionId": "s"})
    assert (status, asked) == (200, ["How are you?"])
    assert answer == {"response": "Fine.", "sessionId": "s", "messageCount": 2}


@pytest.mark.parametrize("body", [{}, {"question": "Hi"}, {"question": "Hi", "sessionId": ""}, {"sessionId": None}])
def test_a_question_without_a_session_is_refused(body: Any):
    status, problem, asked = ask(body)
    assert (status, asked) == (400, [])
    assert (problem["code"], problem["detail"]) == ("session_id_required", "Session ID required")


@pytest.mark.parametrize("session_id", ["a b", "a:b", "é", "x" * 65])
def test_a_session_is_named_by_an_id(session_id: str):
    status, problem, _ = ask({"question": "Hi", "sessionId": session_id})
    assert (status, problem["code"]) == (400, "invalid_id")


@pytest.mark.parametrize("question", [None, "", "  ", "\r\n\t", "\0\x7f\x9f"])
def test_a_question_that_says_nothing_is_refused(question: str | None):
    body = {"sessionId": "s"} if question is None else {"sessionId": "s", "question": question}
    status, problem, asked = ask(body)
    assert (status, problem["code"], problem["detail"]) == (400, "invalid_body", "The question is empty.")
    assert asked == []


def test_a_body_that_is_no_question_is_refused():
    assert ask({"sessionId": "s", "question": 7})[1]["code"] == "invalid_body"
    assert ask({"sessionId": "s", "question": "Hi", "quetsion": "Hi"})[1]["code"] == "unknown_field"
    assert ask({"sessionId": "s"}, headers={"Content-Type": "text/plain"})[1]["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("  Hi\n", "Hi"),
        ("a\r\nb\tc", "a  b c"),
        ("a\0b\x1bc\x7fd\x80e\x9ff", "abcdef"),
        ("\x00 Hi \x00", "Hi"),
        ("Grüße\xa0👋🏽 \u2028 東京", "Grüße\xa0👋🏽 \u2028 東京"),
    ],
)
def test_a_question_is_trimmed_and_loses_its_control_characters(heard: str, meant: str):
    assert clean(heard) == meant
    assert ask({"sessionId": "s", "question": heard})[2] == [meant]


def test_a_question_has_a_greatest_length_once_it_is_cleaned():
    assert clean(" " + "é" * MAX_QUESTION_LENGTH + "\0") == "é" * MAX_QUESTION_LENGTH
    with pytest.raises(InvalidBody, match=str(MAX_QUESTION_LENGTH)):
        clean("é" * (MAX_QUESTION_LENGTH + 1))
