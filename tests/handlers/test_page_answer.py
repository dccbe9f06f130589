"""The answer that a page sends back: its outputs are read, and what is none is refused with its place."""

import json
from typing import Any

import pytest

from waypost_worker.chat.page_calls import PageAnswer
from waypost_worker.errors import BodyTooLarge, InvalidBody, UnsupportedPart
from waypost_worker.handlers.chat_request import read_question
from waypost_worker.handlers.page_answer import read_page_answer
from waypost_worker.limits import MAX_QUESTION_BYTES

QUESTION = {"id": "m1", "role": "user", "parts": [{"type": "text", "text": "Hi"}]}
CALL = {"type": "tool-ask", "toolCallId": "c1", "state": "output-available", "input": {}, "output": [1]}


def read(*parts: Any) -> PageAnswer | None:
    sent = json.dumps({"id": "g", "role": "assistant", "parts": parts}).encode()
    return read_page_answer(memoryview(sent), "messages[1]")


def test_an_output_is_read_as_it_was_sent():
    answer = read({"type": "step-start"}, {"type": "text", "text": "I ask."}, CALL)
    assert answer is not None
    [part] = answer.parts
    assert (answer.answer_id, part.call_id, part.name, part.place) == ("g", "c1", "ask", "messages[1].parts[2]")
    assert part.output is not None
    assert bytes(part.output) == b"[1]"


def test_a_call_may_be_a_dynamic_one_and_its_name_may_have_a_dash():
    answer = read({**CALL, "type": "dynamic-tool", "toolName": "a-b"}, {**CALL, "toolCallId": "c2", "type": "tool-a-b"})
    assert answer is not None
    assert [part.name for part in answer.parts] == ["a-b", "a-b"]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [{"type": "text", "text": "Done."}],
        [{**CALL, "type": "dynamic-tool", "toolName": "x", "providerExecuted": True}],
        [{"type": kind} for kind in ("reasoning", "file", "source-url", "source-document", "step-start", "data-mine")],
    ],
)
def test_without_a_call_of_the_page_there_is_nothing_to_go_on_with(parts: list[Any]):
    assert read(*parts) is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"state": "output-error", "errorText": "It fails."}, ("failed", "It fails.")),
        ({"state": "output-denied"}, ("refused", "The user refused.")),
        ({"state": "output-denied", "approval": {"approved": False}}, ("refused", "The user refused.")),
        ({"state": "approval-responded", "approval": {"approved": False, "reason": "No."}}, ("refused", "No.")),
        ({"state": "approval-responded", "approval": {"approved": True}}, None),
        ({"state": "approval-responded"}, None),
        ({"state": "approval-requested"}, None),
        ({"state": "input-available"}, None),
        ({"state": "input-streaming"}, None),
    ],
)
def test_a_call_may_have_an_error_or_nothing_yet(changes: Any, error: Any):
    answer = read({**CALL, **changes})
    assert answer is not None
    [part] = answer.parts
    assert (part.output, part.error) == (None, error)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({**CALL, "state": "output-guessed"}, "messages[1].parts[0] has the state output-guessed"),
        ({**CALL, "preliminary": True}, "messages[1].parts[0] has the preliminary output"),
        ({"type": "steering-message"}, "messages[1].parts[0] has the type steering-message"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_place(part: Any, told: str):
    with pytest.raises(UnsupportedPart) as refused:
        read(part)
    assert refused.value.detail.startswith(told)


@pytest.mark.parametrize("text", [None, 7, "", {"message": "No."}])
def test_an_error_is_a_text(text: Any):
    with pytest.raises(InvalidBody, match="errorText"):
        read({**CALL, "state": "output-error", "errorText": text})


def test_an_answer_has_at_most_the_size_of_a_question():
    with pytest.raises(BodyTooLarge):
        read({**CALL, "output": "x" * MAX_QUESTION_BYTES})


def answer_of(messages: Any, **body: Any) -> PageAnswer | None:
    sent = {"id": "t", "trigger": "submit-message", "messages": messages, **body}
    return read_question(json.dumps(sent).encode(), None, "any")[2].goes_on


ANSWER = {"id": "g", "role": "assistant", "parts": [CALL]}


def test_an_answer_that_comes_last_goes_on():
    answer = answer_of([QUESTION, ANSWER], messageId="g")
    assert answer is not None
    assert answer.place == "messages[1]"
    assert answer_of([ANSWER]) is not None


def test_a_later_answer_may_stand_behind_the_one_that_is_named():
    later = {"id": "g2", "role": "assistant", "parts": [{"type": "text", "text": "Well."}]}
    answer = answer_of([QUESTION, ANSWER, later], messageId="g")
    assert answer is not None
    assert (answer.answer_id, answer.place) == ("g", "messages[1]")
    assert answer_of([QUESTION, ANSWER, later]) is None


@pytest.mark.parametrize(
    ("messages", "body"),
    [
        ([QUESTION, ANSWER, QUESTION], {}),
        ([QUESTION, ANSWER], {"trigger": "regenerate-message"}),
        ([QUESTION, ANSWER], {"messageId": "other"}),
    ],
)
def test_a_question_stays_one(messages: Any, body: Any):
    assert answer_of(messages, **body) is None


def test_no_answer_is_found_where_there_is_only_one_that_is_not_named():
    with pytest.raises(InvalidBody, match="role user"):
        answer_of([ANSWER], messageId="other")
