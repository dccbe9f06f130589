"""How the model without a network calls tools: by a rule that it says itself."""

from collections.abc import Sequence
from typing import Any

import pytest

from simulation.virtual_time import VirtualClock, run
from waypost_worker.chat.prompt import build_prompt
from waypost_worker.conversations.message import ChatMessage, ToolCall
from waypost_worker.models.echo import EchoModel
from waypost_worker.models.model import ModelTool, Piece, ToolUse
from waypost_worker.models.openai_messages import GO_ON
from waypost_worker.models.settings import ModelSettings

TEXT = {"type": "string"}


def tool(name: str, required: Sequence[str] = (), **properties: Any) -> ModelTool:
    return ModelTool(name, "", {"type": "object", "properties": properties, "required": list(required)})


NOTE = tool("add_note", ["text"], text=TEXT, color=TEXT)
LIST = tool("listNotes")
BOOK = tool("book-table", ["people", "time"], people={"type": "integer"}, time=TEXT, quiet={"type": "boolean"})
MOVE = tool("move", ["x", "to"], x={"type": "number"}, to={})
TOOLS = (NOTE, LIST, BOOK, MOVE)


def user(text: str) -> ChatMessage:
    return ChatMessage("u", "user", text, 0)


def answered(*items: ChatMessage, tools: Sequence[ModelTool] = TOOLS) -> tuple[str, list[ToolUse]]:
    async def listen() -> list[Piece]:
        return [piece async for piece in EchoModel(VirtualClock()).stream(items, tools=tools)]

    pieces = run(listen())
    calls = [piece for piece in pieces if isinstance(piece, ToolUse)]
    assert pieces[len(pieces) - len(calls) :] == calls
    return "".join(piece for piece in pieces if isinstance(piece, str)), calls


def called(text: str, *steps: ChatMessage) -> list[tuple[str, Any]]:
    return [(call.name, call.args) for call in answered(user(text), *steps)[1]]


def step(*results: str) -> list[ChatMessage]:
    calls = [ToolCall(f"c{number}", "add_note") for number in range(len(results))]
    told = [ChatMessage(f"r{n}", "tool", text, 0, tool_call_id=f"c{n}") for n, text in enumerate(results)]
    return [ChatMessage("a", "assistant", "", 0, calls), *told]


def test_the_first_answer_says_how_tools_are_called():
    text, calls = answered(user("Hi"))
    assert text == (
        'You said: "Hi". That is the first message of yours that I know. I can use the tools of your page: '
        'write /add_note {"text":"…"}, /listNotes, /book-table {"people":1,"time":"…"}, /move {"x":1,"to":null}. '
        'Or say it: "add note: …".'
    )
    assert calls == []
    assert answered(user("Hi"), user("Again"))[0] == 'You said: "Again". Before that, you told me: 1. "Hi"'
    assert answered(user("Hi"), tools=())[0].endswith("the first message of yours that I know.")


def test_the_rule_names_a_few_tools_and_no_phrase_if_no_tool_takes_a_text():
    assert answered(user("Hi"), tools=[LIST] * 6)[0].endswith(f"write {'/listNotes, ' * 5}….")


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ('/add_note {"text": "Milk"}', [("add_note", {"text": "Milk"})]),
        ('/add_note {\n  "text": "Milk"\n}', [("add_note", {"text": "Milk"})]),
        ("/add_note Milk and eggs", [("add_note", {"text": "Milk and eggs"})]),
        ("/add.note Milk", [("add_note", {"text": "Milk"})]),
        ("Add a note: Milk", [("add_note", {"text": "Milk"})]),
        ('Please add the note: {"text": "Milk"}', [("add_note", {"text": "Milk"})]),
        ("/listNotes", [("listNotes", {})]),
        ("Well\n/listNotes\n /add_note Milk", [("listNotes", {}), ("add_note", {"text": "Milk"})]),
        ("Add a note: Milk\nand\nadd note: Eggs", [("add_note", {"text": "Milk"}), ("add_note", {"text": "Eggs"})]),
        ("book table: 19:30", [("book-table", {"time": "19:30"})]),
        ("Remember: Milk", []),
        ("see https://example.org/add_note", []),
    ],
)
def test_a_call_is_a_line_with_a_slash_or_the_words_of_its_name(text: str, calls: list[Any]):
    assert called(text) == calls


def test_it_says_what_it_calls_and_each_call_has_an_id():
    text, calls = answered(user("/listNotes\n/add_note Milk"))
    assert text == "I call listNotes, add_note."
    assert [call.id for call in calls] == ["call00", "call01"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('/add_note {"text":', "The arguments are no JSON object: Input data was truncated."),
        ("/add_note {1}", "The arguments are no JSON object: JSON is malformed"),
        ("/listNotes all", "The arguments are no JSON object."),
        ("/move north", "The arguments are no JSON object."),
    ],
)
def test_a_call_whose_arguments_are_not_understood_says_so(text: str, problem: str):
    [call] = answered(user(text))[1]
    assert call.args is None
    assert call.problem.startswith(problem)


def test_an_unknown_tool_is_not_called_and_the_rule_is_said_again():
    text, calls = answered(user("Hi"), user("/delete_all"))
    assert text.startswith("There is no such tool. I can use the tools of your page: write /add_note")
    assert calls == []
    assert answered(user("/delete_all"), tools=())[0].startswith('You said: "/delete_all"')


def test_what_came_back_is_told_shortened():
    steps = step("done", "Error: refused", "x" * 500)
    assert answered(user("/add_note Milk"), *steps)[0] == (
        f"add_note returned: done add_note returned: Error: refused add_note returned: {'x' * 399}…"
    )
    assert answered(user("Hi"), ChatMessage("r", "tool", "alone", 0))[0] == "A tool returned: alone"


def test_a_line_with_then_begins_another_step():
    text = "/listNotes\nthen\n/add_note Milk\n THEN \n/add_note Eggs"
    assert called(text) == [("listNotes", {})]
    assert called(text, *step("none")) == [("add_note", {"text": "Milk"})]
    assert called(text, *step("none"), *step("done")) == [("add_note", {"text": "Eggs"})]
    assert answered(user(text), *step("none"), *step("1"), *step("2")) == (
        "add_note returned: none add_note returned: 1 add_note returned: 2",
        [],
    )


def test_a_command_that_was_not_answered_is_not_run_with_the_next_question():
    joined = build_prompt([user("/add_note Milk"), user("Hi")], None, ModelSettings()).messages
    text, calls = answered(*joined)
    assert calls == []
    assert text.startswith('You said: "/add_note Milk\n\nHi".')
    joined = build_prompt([user("Hi"), user("/add_note Milk")], None, ModelSettings()).messages
    assert [call.args for call in answered(*joined)[1]] == [{"text": "Milk"}]
    joined = build_prompt([user("Hi"), user("/sell")], None, ModelSettings()).messages
    assert answered(*joined)[0].startswith("There is no such tool.")


def test_an_answer_that_was_interrupted_is_gone_on_with_where_it_stopped():
    begun = ChatMessage("a", "assistant", "add_note retu", 0)
    items = [user("/add_note Milk"), *step("done"), begun, user(GO_ON)]
    assert answered(*items) == ("rned: done", [])
    assert answered(user("/add_note Milk"), ChatMessage("a", "assistant", "I call", 0), user(GO_ON))[0] == " add_note."
    assert answered(user(GO_ON))[0].startswith('You said: "[The answer was interrupted')


def test_a_schema_that_is_no_object_of_properties_is_no_fault():
    strange = [
        ModelTool("odd", "", {"properties": [], "required": 1}),
        ModelTool("bad", "", {"properties": {"a": True}}),
    ]
    assert answered(user("Hi"), tools=strange)[0].endswith("write /odd, /bad.")
