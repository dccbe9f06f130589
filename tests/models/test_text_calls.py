"""Calls that a server has left in an answer's text are calls; text that only looks like them stays text."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_CALLS_PER_REPLY
from waypost_worker.models.model import ModelTool
from waypost_worker.models.text_calls import MARKS, TextCalls

PROPERTIES = {"text": {"type": "string"}, "count": {"type": "integer"}, "any": True}
TOOLS = [
    ModelTool("add_note", "", {"type": "object", "properties": PROPERTIES}),
    ModelTool("list_notes", "", {"type": "object", "properties": 1}),
]
MILK = {"text": "Milk"}
JSON = '{"name": "add_note", "arguments": {"text": "Milk"}}'
LIST = '{"name": "list_notes", "arguments": {}}'


def read(*pieces: str, is_whole: bool = True) -> tuple[str, list[tuple[str, Any]]]:
    """The text and the calls."""
    calls = TextCalls(TOOLS)
    text = "".join(calls.feed(piece) for piece in pieces)
    rest, parts = calls.end(is_whole=is_whole)
    assert calls.end(is_whole=is_whole) == ("", [])
    args = [json.loads(part.args) if isinstance(part.args, str) else part.args for part in parts]
    return text + rest, [(part.name, arg) for part, arg in zip(parts, args, strict=True)]


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (f"<tool_call>\n{JSON}\n</tool_call>", [("add_note", MILK)]),
        (f"<tool_call>{JSON}</tool_call>\n<tool_call>{LIST}</tool_call>", [("add_note", MILK), ("list_notes", {})]),
        (f"<tool_call>{JSON}", [("add_note", MILK)]),
        (f"<tool_call>{JSON}</tool_call><|im_end|>\n", [("add_note", MILK)]),
        ('<|python_tag|>{"name": "add_note", "parameters": {"text": "Milk"}}<|eom_id|>', [("add_note", MILK)]),
        (f"<|python_tag|>{JSON}; {LIST}", [("add_note", MILK), ("list_notes", {})]),
        (f"<|tool_call|>[{JSON}, {LIST}]", [("add_note", MILK), ("list_notes", {})]),
        (f"[TOOL_CALLS][{JSON}]", [("add_note", MILK)]),
        ('[TOOL_CALLS]add_note{"text": "Milk"}', [("add_note", MILK)]),
        ('[TOOL_CALLS]add_note[ARGS]{"text": "Milk"}', [("add_note", MILK)]),
        ("[TOOL_CALLS]list_notes{}[TOOL_CALLS]list_notes{}", [("list_notes", {}), ("list_notes", {})]),
        ('<function=add_note>{"text": "Milk"}</function>', [("add_note", MILK)]),
        (
            "<tool_call>\n<function=add_note>\n<parameter=text>\n12\n</parameter>\n<parameter=count>\n12\n</parameter>\n"
            "<parameter=any>\nno JSON\n</parameter>\n<parameter=more>\n[1]\n</parameter>\n</function>\n</tool_call>",
            [("add_note", {"text": "12", "count": 12, "any": "no JSON", "more": [1]})],
        ),
        ("<function=list_notes>\n<parameter=x>\n1\n</parameter>\n</function>", [("list_notes", {"x": 1})]),
        (JSON, [("add_note", MILK)]),
        (f"\n {JSON}\n", [("add_note", MILK)]),
        (f"[{JSON}]", [("add_note", MILK)]),
        (f"```json\n{JSON}\n```", [("add_note", MILK)]),
        (f"```\n{JSON}\n```\n", [("add_note", MILK)]),
        ('{"type": "function", "name": "add_note", "parameters": {"text": "Milk"}}', [("add_note", MILK)]),
        (f'{{"type": "function", "function": {JSON}}}', [("add_note", MILK)]),
        ('{"name": "add_note", "arguments": "{\\"text\\": \\"Milk\\"}"}', [("add_note", MILK)]),
        (f'{{"tool_calls": [{JSON}, {LIST}]}}', [("add_note", MILK), ("list_notes", {})]),
        (
            "<tool_call>add_note\n<arg_key>text</arg_key>\n<arg_value>12</arg_value>\n<arg_key>count</arg_key>\n"
            "<arg_value>12</arg_value>\n</tool_call>\n<tool_call>list_notes</tool_call>",
            [("add_note", {"text": "12", "count": 12}), ("list_notes", {})],
        ),
        ("<tool_call>add_note\n<arg_key>text</arg_key>\n<arg_value>Milk</arg_value>", [("add_note", MILK)]),
        ("<function=add_note><parameter=text>Milk</parameter><parameter=count>1</function>", [("add_note", MILK)]),
        (
            '<minimax:tool_call>\n<invoke name="add_note">\n<parameter name="text">Milk</parameter>\n</invoke>\n'
            '<invoke name="list_notes">\n</invoke>\n</minimax:tool_call>',
            [("add_note", MILK), ("list_notes", {})],
        ),
        (
            "<|tool_calls_section_begin|><|tool_call_begin|>functions.add_note:0<|tool_call_argument_begin|>"
            '{"text": "Milk"}<|tool_call_end|><|tool_call_begin|>functions.list_notes:1<|tool_call_argument_begin|>{}'
            "<|tool_call_end|><|tool_calls_section_end|>",
            [("add_note", MILK), ("list_notes", {})],
        ),
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>add_note<｜tool▁sep｜>"
            '{"text": "Milk"}<｜tool▁call▁end｜><｜tool▁calls▁end｜><｜end▁of▁sentence｜>',
            [("add_note", MILK)],
        ),
        (
            "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>add_note\n```json\n"
            '{"text": "Milk"}\n```<｜tool▁call▁end｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>list_notes\n```json\n'
            "{}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
            [("add_note", MILK), ("list_notes", {})],
        ),
    ],
)
def test_a_call_at_the_end_of_an_answer_is_one_however_it_is_cut(text: str, calls: list[Any]):
    assert read(text) == ("", calls)
    assert read(*text) == ("", calls)
    for place in range(len(text)):
        assert read(text[:place], text[place:]) == ("", calls)


def test_the_text_before_a_call_is_told_at_once():
    calls = TextCalls(TOOLS)
    assert [
        calls.feed(piece) for piece in ("I write", " it. <", "b>so</b> <tool", f"_call>{JSON}", "</tool_call>")
    ] == [
        "I write",
        " it. ",
        "<b>so</b> ",
        "",
        "",
    ]
    assert [part.name for part in calls.end(is_whole=True)[1]] == ["add_note"]


@pytest.mark.parametrize(
    "text",
    [
        f"A call looks like this: <tool_call>{JSON}</tool_call>. You see?",
        f"```\n<tool_call>{JSON}</tool_call>\n```",
        f"{JSON} is the call.",
        f"Here: {JSON}",
        '<tool_call>{"name": "delete_all", "arguments": {}}</tool_call>',
        f'<tool_call>{JSON}</tool_call><tool_call>{{"name": "delete_all", "arguments": {{}}}}</tool_call>',
        '<tool_call>{"name": "add_note"}</tool_call>',
        "<tool_call>",
        "<tool_call>{",
        "<tool_call>[]</tool_call>",
        "<tool_call>sell</tool_call>",
        "<tool_call>sell\n<arg_key>text</arg_key>\n<arg_value>Milk</arg_value></tool_call>",
        "<function=delete_all><parameter=a>1</parameter></function>",
        "<function=add_note>",
        "[TOOL_CALLS]add_note{",
        "<tool_call>" + "[" * 100_000,
        '{"name": "Ada Lovelace", "born": 1815}',
        '{"name": 5}',
        '{"title": "add_note"}',
        '{"type": "object"}',
        '{"na',
        '{"name": "add_n',
        "[1, 2]",
        "```json\n[1, 2]\n```",
        "```python\nprint()\n```",
        "``",
        " ",
        "a < b <",
        "[TOOL",
        "",
    ],
)
def test_what_only_looks_like_a_call_is_text(text: str):
    assert read(text) == (text, [])
    assert read(*text) == (text, [])


@given(st.lists(st.sampled_from([*MARKS, "<", "[", JSON, LIST, "Hi", " ", "\n", "```", '{"name"', "</tool_call>"])))
def test_no_character_of_a_text_without_calls_is_lost(pieces: list[str]):
    text, calls = read(*pieces)
    whole = "".join(pieces)
    assert text == whole if not calls else whole.startswith(text)
    assert read(whole) == read(*whole) == (text, calls)


def test_an_answer_that_is_not_whole_has_text_and_no_calls():
    assert read(f"Well <tool_call>{JSON}", is_whole=False) == (f"Well <tool_call>{JSON}", [])
    assert read(JSON, is_whole=False) == (JSON, [])


def test_json_that_is_no_call_is_not_held_back_to_its_end():
    calls = TextCalls(TOOLS)
    assert calls.feed('{"name": "Ada"') == '{"name": "Ada"'
    assert calls.feed(', "age": 36}') == ', "age": 36}'


def test_only_so_much_is_held_back():
    calls = TextCalls(TOOLS)
    assert calls.feed("<tool_call>") == ""
    half = "x" * (MAX_ANSWER_CHARACTERS // 2)
    assert (calls.feed(half), calls.feed(half), calls.feed("y")) == ("", f"<tool_call>{half}{half}", "y")
    assert calls.end(is_whole=True) == ("", [])


def test_of_calls_without_end_not_all_are_read():
    assert len(read(LIST * 1000)[1]) == MAX_CALLS_PER_REPLY + 1
