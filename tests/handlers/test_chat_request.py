"""What a question comes in: Waypost's own body, closed, or the AI SDK's, which apps add to."""

import json
from typing import Any

import pytest

from waypost_worker.chat.question import Question
from waypost_worker.errors import (
    BodyTooLarge,
    InvalidBody,
    InvalidEncoding,
    InvalidId,
    InvalidJson,
    UnknownField,
    UnsupportedPart,
    WaypostError,
)
from waypost_worker.handlers.chat_request import read_question
from waypost_worker.http.well_formed import well_formed
from waypost_worker.limits import (
    MAX_APP_ID_LENGTH,
    MAX_BODY_BYTES,
    MAX_CHAT_MESSAGE_LENGTH,
    MAX_JSON_ELEMENTS,
    MAX_JSON_NAMES,
    MAX_MESSAGE_ID_LENGTH,
    MAX_QUESTION_BYTES,
    MAX_QUESTION_MARKS,
)


def read(body: dict[str, Any]) -> tuple[str, str, Question]:
    # As `read_bytes` returns it.
    return read_question(well_formed(json.dumps(body).encode()), None, "images")[:3]


def text(content: str) -> dict[str, str]:
    return {"type": "text", "text": content}


def said(content: str = "Hi", id: str = "m1", role: str = "user") -> dict[str, Any]:
    return {"id": id, "role": role, "parts": [text(content)]}


def sent(*messages: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """What `DefaultChatTransport` sends."""
    return {"id": "t", "messages": list(messages or [said()]), "trigger": "submit-message", **fields}


def question(*messages: dict[str, Any], **fields: Any) -> Question:
    return read(sent(*messages, **fields))[2]


def test_a_message_needs_a_text_and_a_thread():
    assert read({"message": "Hi", "threadId": "t"}) == ("t", "t", Question("Hi"))


def test_a_message_may_say_more():
    body = {
        "message": " Hi\n",
        "threadId": "t",
        "resourceId": "user:ada@example.org",
        "agent": "poet",
        "messageId": "m1",
        "metadata": {"topic": ["a", 1]},
        "interrupt": True,
    }
    asked = Question(" Hi\n", "m1", "poet", {"topic": ["a", 1]}, interrupt=True)
    assert read(body) == ("user:ada@example.org", "t", asked)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"message": ""}, InvalidBody),
        ({"message": " \r\n"}, InvalidBody),
        ({"message": 7}, InvalidBody),
        ({"message": "x" * (MAX_CHAT_MESSAGE_LENGTH + 1)}, InvalidBody),
        ({"threadId": ""}, InvalidId),
        ({"threadId": "x" * (MAX_APP_ID_LENGTH + 1)}, InvalidId),
        ({"threadId": ".."}, InvalidId),
        ({"resourceId": ""}, InvalidId),
        ({"resourceId": "a\nb"}, InvalidId),
        ({"messageId": ""}, InvalidId),
        ({"messageId": "x" * (MAX_MESSAGE_ID_LENGTH + 1)}, InvalidId),
        ({"metadata": []}, InvalidBody),
        ({"interrupt": "yes"}, InvalidBody),
        ({"theradId": "t"}, UnknownField),
    ],
)
def test_a_message_that_can_not_be_is_refused(fields: dict[str, Any], error: type[WaypostError]):
    with pytest.raises(error):
        read({"message": "Hi", "threadId": "t", **fields})


@pytest.mark.parametrize("missing", ["message", "threadId"])
def test_a_message_without_its_text_or_thread_is_refused(missing: str):
    body = {"message": "Hi", "threadId": "t"}
    del body[missing]
    with pytest.raises(InvalidBody, match=missing):
        read(body)


def test_a_body_that_is_no_json_is_refused():
    with pytest.raises(InvalidJson):
        read_question(b"{", None, "images")
    with pytest.raises(InvalidBody):
        read_question(b"[]", None, "images")


def test_a_message_has_a_greatest_length():
    longest = "é" * MAX_CHAT_MESSAGE_LENGTH
    assert read({"message": longest, "threadId": "t"})[2].content == longest
    with pytest.raises(InvalidBody, match=str(MAX_CHAT_MESSAGE_LENGTH)):
        question(said(longest + "é"))


def test_what_the_ai_sdk_sends_is_a_question_to_the_thread_of_its_chat():
    assert read(sent()) == ("t", "t", Question("Hi", "m1", is_ui=True))


def test_messages_or_a_trigger_make_it_the_ai_sdks_body():
    assert question(trigger="submit-message").is_ui
    body = sent()
    del body["trigger"]
    assert read(body)[2].is_ui
    with pytest.raises(InvalidBody, match="messages"):
        read({"id": "t", "trigger": "submit-message"})


def test_apps_may_add_to_what_the_ai_sdk_sends():
    fields = {"resourceId": "ada", "agent": "poet", "metadata": {"topic": "a"}, "interrupt": True}
    others = {"model": "large", "userId": 7, "requestMetadata": {"a": 1}}
    assert read(sent(**fields, **others)) == (
        "ada",
        "t",
        Question("Hi", "m1", "poet", {"topic": "a"}, is_ui=True, interrupt=True),
    )


def test_only_the_last_message_of_the_user_counts():
    asked = question(said("One", "m1"), said("Two", "a1", "assistant"), said("Three", "m2"))
    assert (asked.content, asked.message_id, asked.regenerate) == ("Three", "m2", False)
    assert question(said("One", "m1"), said("Two", "a1", "assistant")).message_id == "m1"


PIXEL = "data:image/png;base64,iVBORw0KGgo="


def with_parts(*parts: Any) -> dict[str, Any]:
    return {"id": "m1", "role": "user", "parts": list(parts), "metadata": {"a": 1}}


def test_the_text_of_a_message_may_come_in_several_parts():
    assert question(with_parts(text("One "), text("two."))).content == "One two."


def test_an_image_in_its_own_url_is_a_part_of_the_question():
    image = {"type": "file", "mediaType": "image/png", "url": PIXEL, "filename": "pixel.png"}
    assert question(with_parts(image, text("What is this?"))).content == [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "mediaType": "image/png", "url": "https://example.org/a.png"},
        {"type": "file", "mediaType": "application/pdf", "url": "data:application/pdf;base64,AAAA"},
        {"type": "file", "mediaType": "image/png", "url": 7},
        {"type": "file"},
        {"type": "data-weather", "data": {"text": "no"}},
        {"type": "text", "text": {"not": "text"}},
    ],
)
def test_a_part_that_no_model_is_given_is_refused_with_its_place(part: dict[str, Any]):
    with pytest.raises(UnsupportedPart, match=r"messages\[1\]\.parts\[1\] has the type"):
        question(said(role="assistant"), with_parts(text("Hi"), part), said("Yes", "a1", "assistant"))


def test_an_image_is_refused_where_models_are_given_text_alone():
    body = sent(with_parts(text("Hi"), {"type": "file", "url": PIXEL}))
    with pytest.raises(UnsupportedPart, match="MODEL_PARTS=text"):
        read_question(json.dumps(body).encode(), None, "text")


def test_older_messages_may_be_of_any_kind():
    tool = {"type": "tool-search", "toolCallId": "c", "state": "output-available", "input": {}, "output": [1]}
    older = [{"id": "s", "role": "system"}, {"id": "a", "role": "assistant", "parts": [tool]}]
    assert question(*older, said()).content == "Hi"


def test_older_messages_may_be_of_any_size_and_shape():
    names = {f"name{number}": number for number in range(MAX_JSON_NAMES + 1)}
    tool = {"type": "dynamic-tool", "toolName": "t", "state": "output-available", "output": names}
    elements = list(range(MAX_JSON_ELEMENTS + 1))
    older = [{"id": 7, "role": None}, None, [said()], {"id": "a1", "role": "assistant", "parts": [tool, elements]}]
    long = said("x" * MAX_BODY_BYTES, "m0")
    assert question(long, *older, said()) == Question("Hi", "m1", is_ui=True, previous_ids=("a1", ""))
    half = json.dumps(sent(said("\ud83e", "m0"), said("Hi \ud83e", "m1"))).encode()
    assert read_question(well_formed(half), None, "images")[2].content == "Hi \ufffd"
    assert question(said("😀", "m0"), said("👋🏽")).content == "👋🏽"
    latin = b'{"id":"t","messages":[{"id":"\xe9","role":"user"},%s]}' % json.dumps(said()).encode()
    assert read_question(latin, None, "images")[2].previous_ids == ("",)


@pytest.mark.parametrize("fields", [{"id": "\ud83e"}, {"resourceId": "\ud83e"}, {"messages": [said(id="\ud83e")]}])
def test_half_of_a_surrogate_pair_is_no_id(fields: dict[str, Any]):
    with pytest.raises(InvalidId):
        question(**fields)


@pytest.mark.parametrize(
    ("twice", "old"),
    [('"id":"t","id":"t"', MAX_BODY_BYTES), ('"x":{"a":1,"a":1}', MAX_BODY_BYTES), ('"messages":[]', 1)],
)
def test_what_stands_beside_the_messages_is_checked_strictly(twice: str, old: int):
    body = json.dumps(sent(said("x" * old, "m0"), said()))[:-1] + f",{twice}}}"
    with pytest.raises(InvalidJson, match="same name twice"):
        read_question(body.encode(), None, "images")


def test_the_last_message_is_checked_strictly():
    twice = json.dumps(said())[:-1] + ',"id":"m2"}'
    with pytest.raises(InvalidJson, match="same name twice"):
        read_question(b'{"id":"t","messages":[%s]}' % twice.encode(), None, "images")
    with pytest.raises(InvalidEncoding):
        read_question(b'{"id":"t","messages":[{"id":"m1","role":"user","parts":["\xe9"]}]}', None, "images")
    with pytest.raises(BodyTooLarge):
        question(said("x" * MAX_QUESTION_BYTES))
    with pytest.raises(BodyTooLarge):
        question(metadata={"a": "x" * MAX_BODY_BYTES})
    with pytest.raises(BodyTooLarge):
        read({"message": "x" * MAX_QUESTION_BYTES, "threadId": "t"})


@pytest.mark.parametrize("deep", ['{"id":"t","messages":[%s]}', '{"id":"t","messages":[],"x":[%s]}'])
def test_json_that_is_nested_without_an_end_is_refused(deep: str):
    with pytest.raises(InvalidJson):
        read_question((deep % ("[" * 500_000 + "]" * 500_000)).encode(), None, "images")


def test_a_question_that_can_not_be_found_near_the_end_is_refused():
    tool = {"id": "a1", "role": "assistant", "parts": [[] for _ in range(MAX_QUESTION_MARKS)]}
    with pytest.raises(InvalidBody, match="None of the messages"):
        question(said(), tool)


def test_a_message_with_every_character_escaped_fits():
    longest = "é" * MAX_CHAT_MESSAGE_LENGTH
    assert len(json.dumps(sent(said(longest)))) > MAX_BODY_BYTES
    assert question(said(longest)).content == longest
    assert read({"message": longest, "threadId": "t"})[2].content == longest


@pytest.mark.parametrize(
    ("fields", "messages"),
    [
        ({}, [said(role="assistant")]),
        ({"messages": []}, []),
        ({}, [said(" ")]),
        ({}, [{"id": "m1", "role": "user"}]),
        ({}, [{"role": "user", "parts": [text("Hi")]}]),
        ({"id": None}, [said()]),
        ({"messages": "Hi"}, []),
    ],
)
def test_what_has_no_message_of_a_user_is_refused(fields: dict[str, Any], messages: list[Any]):
    with pytest.raises(InvalidBody):
        question(*messages, **fields)


@pytest.mark.parametrize("fields", [{"id": ""}, {"resourceId": " "}, {"messages": [said(id="a\nb")]}])
def test_ids_from_the_ai_sdk_are_checked_too(fields: dict[str, Any]):
    with pytest.raises(InvalidId):
        question(**fields)


def test_regenerating_asks_the_last_message_of_the_user_again():
    asked = question(said("Hi", "m1"), trigger="regenerate-message", messageId="a1")
    assert (asked.content, asked.message_id, asked.regenerate, asked.answer_id) == ("Hi", "m1", True, "a1")
    assert question(said("Hi", "m1"), trigger="regenerate-message").answer_id == ""
    # The name in the releases before 5.0.0.
    assert question(said("Hi", "m1"), trigger="regenerate-assistant-message").regenerate


def test_the_ids_before_the_question_are_known():
    asked = question(said("A", "m0"), said("B", "m1"), said("C", "a1", "assistant"), said("D", "m2"))
    assert asked.previous_ids == ("a1", "m1")
    assert question(said()).previous_ids == ()


def test_a_message_that_is_edited_is_asked_again():
    assert question(said("Hello", "m1"), messageId="m1").regenerate
    assert not question(said("Hello", "m1"), messageId="other").regenerate
    assert not question(said("Hello", "m1"), messageId=None).regenerate
