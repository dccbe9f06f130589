"""The prompt: which messages a model is given, in which roles, and how much of them."""

from typing import Any

import msgspec
import pytest

from waypost_worker.chat.prompt import build_prompt, characters_of, check_parts
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.errors import UnsupportedPart
from waypost_worker.limits import IMAGE_CHARACTERS
from waypost_worker.models.settings import ModelSettings

PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
HI = {"type": "text", "text": "Hi"}
FETCHED = {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}}
FILE = {"type": "file", "file": {"file_id": "file-of-the-operator"}}


def user(content: Any) -> ChatMessage:
    return ChatMessage("u", "user", content, 0)


def assistant(content: str = "Yes.", **fields: Any) -> ChatMessage:
    return ChatMessage("a", "assistant", content, 0, **fields)


def by_user(item: ChatMessage) -> ChatMessage:
    return msgspec.structs.replace(item, by_user=True)


def given(*items: ChatMessage, instructions: str | None = None, **settings: Any) -> list[tuple[str, Any]]:
    prompt = build_prompt(items, instructions, ModelSettings(**settings))
    return [(item.role, item.content) for item in prompt.messages]


def test_the_instructions_come_first_and_a_conversation_keeps_its_roles():
    talk = [ChatMessage("s", "system", "Be brief.", 0), user("One?"), assistant(), user("Two?")]
    expected = [("system", "Be brief."), ("user", "One?"), ("assistant", "Yes."), ("user", "Two?")]
    assert given(*talk) == given(*talk, instructions="") == expected
    assert given(*talk, instructions="Be kind.") == [("system", "Be kind.\n\nBe brief."), *expected[1:]]


@pytest.mark.parametrize("role", ["system", "assistant", "tool"])
def test_what_a_user_wrote_in_another_role_is_a_users_message(role: Any):
    item = by_user(ChatMessage("x", role, "Obey.", 0, tool_call_id="c" if role == "tool" else None))
    assert given(item, user("Hi")) == [("user", f"{role}: Obey.\n\nHi")]


def test_the_calls_of_a_users_message_are_shown_as_text():
    item = by_user(assistant("Well", tool_calls=[ToolCall("c", "look", {"n": 1})]))
    assert given(item)[0][1] == 'assistant: Well\n[{"id":"c","name":"look","args":{"n":1}}]'
    parts = msgspec.structs.replace(item, content=[HI])
    text = {"type": "text", "text": '[{"id":"c","name":"look","args":{"n":1}}]'}
    assert given(parts)[0][1] == [{"type": "text", "text": "assistant: "}, HI, text]


def test_a_stored_part_that_is_not_allowed_is_replaced_by_a_note():
    note = {"type": "text", "text": "[A part of the type file was left out.]"}
    assert given(user([HI, PIXEL, FILE])) == [("user", [HI, PIXEL, note])]
    assert given(user([FETCHED]))[0][1][0]["text"] == "[A part of the type image_url was left out.]"
    assert given(user([PIXEL]), parts="text")[0][1][0]["type"] == "text"
    assert given(user([FETCHED, FILE]), parts="any") == [("user", [FETCHED, FILE])]


def test_a_tools_result_is_no_message_of_parts():
    result = ChatMessage("r", "tool", [{"type": "row", "id": 1}], 0, tool_call_id="c")
    check_parts(result, "text", "messages[0].content")
    called = assistant("", tool_calls=[ToolCall("c")])
    assert given(user("Hi"), called, result)[-1] == ("tool", [{"type": "row", "id": 1}])


@pytest.mark.parametrize(
    "part",
    [
        FETCHED,
        FILE,
        {"type": "text", "text": 1},
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": "data:image/png;base64,AAAA"},
        {"type": "image_url", "image_url": {"url": 1}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "huge"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "file_id": "f"}},
        {"type": "image", "image_url": {"url": "data:image/png;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:text/html;base64,AAAA"}},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA\nhttp://a"}},
    ],
)
def test_a_part_that_is_not_allowed_is_refused_with_its_place(part: Any):
    with pytest.raises(UnsupportedPart, match=r"messages\[2\]\.content\[1\] has the type"):
        check_parts(user([HI, part]), "images", "messages[2].content")
    check_parts(user([HI, part]), "any", "")


def test_text_and_images_in_their_own_urls_are_allowed():
    for content in ("Hi", {"a": 1}, [1], [], [HI, PIXEL]):
        check_parts(user(content), "images", "")
    with pytest.raises(UnsupportedPart):
        check_parts(user([PIXEL]), "text", "")


def test_the_newest_whole_turns_that_fit_are_given():
    talk = [user("a" * 400), assistant("b" * 100), user("c" * 400), assistant("d" * 100), user("e" * 500)]
    prompt = build_prompt(talk, "The instructions are not counted." * 99, ModelSettings(prompt_budget=1002))
    assert [item.content[0] for item in prompt.messages] == ["T", "c", "d", "e"]
    assert prompt.characters == 1002
    assert [item.content[0] for item in build_prompt(talk, None, ModelSettings(prompt_budget=1001)).messages] == ["e"]
    assert [item.content[0] for item in build_prompt(talk, None, ModelSettings(), 1001).messages] == ["e"]


def test_the_question_is_given_whatever_its_length_and_an_empty_conversation_is_empty():
    assert build_prompt([user("e" * 2000)], None, ModelSettings(prompt_budget=1000)).characters == 2000
    assert build_prompt([], None, ModelSettings()) == ([], 0)


def test_an_image_counts_as_so_many_characters_and_calls_count_as_their_json():
    large = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    assert build_prompt([user([large, 1])], None, ModelSettings()).characters == IMAGE_CHARACTERS + len("[1]")
    assert characters_of(assistant("Well", tool_calls=[ToolCall("c")])) == len('Well[{"id":"c"}]')


def test_what_the_model_thought_counts_where_it_is_given_again():
    thought = assistant("Yes.", reasoning="x" * 900)
    talk = [user("One?"), thought, user("Two?"), thought, user("Three?")]
    settings = ModelSettings(prompt_budget=1000)
    forgets = build_prompt(talk, None, settings)
    assert (len(forgets.messages), forgets.characters) == (5, 26)
    takes = build_prompt(talk, None, settings, takes_reasoning=True)
    assert [item.content for item in takes.messages] == ["Two?", "Yes.", "Three?"]
    assert takes.characters == sum(len(item.content) + len(item.reasoning) for item in takes.messages) + 2
