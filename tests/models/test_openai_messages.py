"""A conversation as a chat completions API takes it: nothing that it would refuse, nothing left out that it takes."""

from typing import Any

import pytest

from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.models.call_ids import call_ids
from waypost_worker.models.openai_messages import chat_messages, text_of

PARTS = [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": "data:,"}}]


def item(role: Any, content: Any = "", **more: Any) -> ChatMessage:
    return ChatMessage(f"id-{role}", role, content, 0, **more)


def calling(*ids: str, content: Any = "") -> ChatMessage:
    return item("assistant", content, tool_calls=[ToolCall(id, "look", {"at": id}) for id in ids])


def result(id: str, content: Any = "seen") -> ChatMessage:
    return item("tool", content, tool_call_id=id)


def short(id: str) -> str:
    return call_ids("")(ToolCall(id))


def call_message(id: str) -> dict[str, Any]:
    return {"id": short(id), "type": "function", "function": {"name": "look", "arguments": f'{{"at":"{id}"}}'}}


def result_message(id: str, content: Any = "seen") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": short(id), "content": content}


def test_roles_and_texts_are_told_as_they_are():
    said = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello"), ("user", "")]
    assert chat_messages([item(*pair) for pair in said]) == [{"role": role, "content": text} for role, text in said]


@pytest.mark.parametrize("parts", [PARTS, PARTS[:1]])
def test_content_parts_are_passed_on(parts: list[Any]):
    assert chat_messages([item("user", parts)]) == [{"role": "user", "content": parts}]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        ([], "[]"),
        ([1, 2], "[1,2]"),
        ([{"type": 1}], '[{"type":1}]'),
        ([{"text": "x"}], '[{"text":"x"}]'),
        (42, "42"),
        (False, "false"),
    ],
)
def test_other_json_is_told_as_its_text(content: Any, text: str):
    assert chat_messages([item("user", content)]) == [{"role": "user", "content": text}]


def test_a_call_is_followed_by_its_results_in_its_order():
    items = [item("user", "?"), calling("a", "b", content="Let me see."), result("b", {"n": 1}), result("a")]
    assert chat_messages(items)[1:] == [
        {"role": "assistant", "content": "Let me see.", "tool_calls": [call_message("a"), call_message("b")]},
        result_message("a"),
        result_message("b", '{"n":1}'),
    ]


def test_nothing_comes_between_a_call_and_its_result():
    items = [calling("a"), item("user", "Hurry!"), result("a")]
    assert [message["role"] for message in chat_messages(items)] == ["assistant", "tool", "user"]


def test_a_call_whose_result_is_missing_is_left_out():
    assert chat_messages([calling("a", "b"), result("b")]) == [
        {"role": "assistant", "content": "", "tool_calls": [call_message("b")]},
        result_message("b"),
    ]


def test_a_message_that_only_made_such_calls_is_left_out_and_what_it_said_is_kept():
    assert chat_messages([calling("a")]) == []
    assert chat_messages([calling("a", content="Wait.")]) == [{"role": "assistant", "content": "Wait."}]


def test_a_result_whose_call_is_missing_is_left_out():
    assert chat_messages([result("a"), item("tool", "of nothing"), item("user", "Hi")]) == [
        {"role": "user", "content": "Hi"}
    ]


def test_of_two_calls_with_one_id_the_first_has_the_result():
    assert chat_messages([calling("a"), result("a"), calling("a", content="Again.")]) == [
        {"role": "assistant", "content": "", "tool_calls": [call_message("a")]},
        result_message("a"),
        {"role": "assistant", "content": "Again."},
    ]


def test_a_tool_call_without_arguments_shows_the_model_an_empty_object():
    made = item("assistant", tool_calls=[ToolCall("a", "look")])
    assert chat_messages([made, result("a")])[0]["tool_calls"][0]["function"]["arguments"] == "{}"


def test_of_a_result_only_text_is_passed_on_in_parts():
    text = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    image = {"type": "image", "data": "AAAA", "mimeType": "image/png"}
    assert chat_messages([calling("a"), result("a", text)])[1] == result_message("a", text)
    assert chat_messages([calling("a"), result("a", [*text, image])])[1] == result_message(
        "a", "one\ntwo\n[A part of the type image was left out.]"
    )


def test_an_answer_that_was_never_begun_is_left_out_and_one_that_was_is_told():
    assert chat_messages([item("assistant", partial=True), item("assistant", "Well", partial=True)]) == [
        {"role": "assistant", "content": "Well"}
    ]


def test_an_answer_that_was_never_begun_takes_its_calls_and_their_results_with_it():
    made = item("assistant", partial=True, tool_calls=[ToolCall("a", "look")])
    assert chat_messages([made, result("a")]) == []


def test_the_text_of_parts_is_their_text_and_a_note_for_each_other_part():
    assert text_of([{"type": "text", "text": "one"}, {"type": "file", "text": 1}]) == (
        "one\n[A part of the type file was left out.]"
    )


@pytest.mark.parametrize(("content", "text"), [("a", "a"), ({"b": None}, '{"b":null}'), ([], "[]")])
def test_the_text_of_anything_else_is_itself_or_its_json(content: Any, text: str):
    assert text_of(content) == text


def test_reasoning_is_given_back_only_where_it_is_asked_for():
    items = [item("user", "?"), item("assistant", "Well.", reasoning="Hm."), item("assistant", "So.")]
    assert all("reasoning_content" not in message for message in chat_messages(items))
    told = chat_messages(items, with_reasoning=True)
    assert [message.get("reasoning_content") for message in told] == [None, "Hm.", ""]
