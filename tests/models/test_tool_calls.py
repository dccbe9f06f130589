"""The calls in what a service sends: whole, in their order, none with another's arguments, however services differ."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from simulation.virtual_time import run
from tests.support.completions import DONE, byte_by_byte, chunk, event
from waypost_worker.errors import ModelFailed
from waypost_worker.limits import MAX_ANSWER_CHARACTERS, MAX_CALLS_PER_REPLY
from waypost_worker.models.completion_stream import BrokenOff, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff, ModelTool, Piece, Reasoning, ToolUse

TOOLS = [ModelTool(name, "", {"type": "object"}) for name in ("add_note", "list_notes")]
END = chunk(finish_reason="tool_calls")

Events = list[bytes]


async def sent(*steps: bytes) -> AsyncGenerator[bytes, None]:
    for step in steps:
        yield step


def pieces_of(*steps: bytes, tools: list[ModelTool] = TOOLS, log: list[str] | None = None) -> list[Piece]:
    async def read() -> list[Piece]:
        return [piece async for piece in read_stream(sent(*steps), ([] if log is None else log).append, tools)]

    return run(read())


def calls_of(*steps: bytes) -> list[tuple[str, str, Any]]:
    uses = [piece for piece in pieces_of(*steps) if isinstance(piece, ToolUse)]
    assert [use.problem for use in uses] == [""] * len(uses)
    assert len({use.id for use in uses}) == len(uses)
    return [(use.id, use.name, use.args) for use in uses]


def part(**fields: Any) -> bytes:
    """A chunk with one part of a call."""
    function = {name: fields.pop(name) for name in ("name", "arguments") if name in fields}
    return chunk(tool_calls=[{**fields, "function": function}])


OPENAI = [
    chunk(role="assistant", content=None),
    part(index=0, id="call_A", type="function", name="add_note", arguments=""),
    part(index=0, arguments='{"text"'),
    part(index=0, arguments=':"Milk"}'),
    part(index=1, id="call_B", type="function", name="list_notes", arguments=""),
    part(index=1, arguments="{}"),
    END,
    DONE,
]
MILK, EGGS = '{"text":"Milk"}', '{"text":"Eggs"}'
BOTH = [("add_note", {"text": "Milk"}), ("add_note", {"text": "Eggs"})]


def test_a_call_comes_in_parts_and_is_told_whole_after_the_text():
    steps = [chunk("I write"), *OPENAI[:4], chunk(" it."), *OPENAI[4:]]
    assert pieces_of(*steps) == [
        "I write",
        " it.",
        ToolUse("call_A", "add_note", {"text": "Milk"}),
        ToolUse("call_B", "list_notes", {}),
    ]
    assert pieces_of(b"".join(steps)) == ["I write it.", *pieces_of(*steps)[2:]]
    assert pieces_of(*byte_by_byte(steps))[-2:] == pieces_of(*steps)[2:]


def test_an_answer_may_be_calls_alone_and_reasoning_may_precede_them():
    assert pieces_of(*OPENAI)[0] == ToolUse("call_A", "add_note", {"text": "Milk"})
    assert pieces_of(chunk(reasoning_content="Hm."), *OPENAI)[:2] == [Reasoning("Hm."), pieces_of(*OPENAI)[0]]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments=MILK),
                part(index=0, id="b", name="add_note", arguments=EGGS),
            ],
            id="one index, two ids: Ollama, Gemini",
        ),
        pytest.param(
            [part(id="a", name="add_note", arguments=MILK), part(id="b", name="add_note", arguments=EGGS)],
            id="no index: older Ollama",
        ),
        pytest.param(
            [part(index=0, id="", name="add_note", arguments=each) for each in (MILK, EGGS)],
            id="one index, no id: Gemini",
        ),
        pytest.param(
            [part(name="add_note", arguments=MILK), part(name="add_note", arguments=EGGS)], id="neither index nor id"
        ),
        pytest.param(
            [
                chunk(
                    tool_calls=[
                        {"index": 0, "id": "a", "function": {"name": "add_note", "arguments": MILK}},
                        {"index": 1, "id": "b", "function": {"name": "add_note", "arguments": EGGS}},
                    ]
                )
            ],
            id="both in one chunk: llama.cpp, Mistral",
        ),
        pytest.param(
            [
                chunk(tool_calls=[{"id": "a", "function": {"index": 0, "name": "add_note", "arguments": MILK}}]),
                chunk(tool_calls=[{"id": "b", "function": {"index": 1, "name": "add_note", "arguments": EGGS}}]),
            ],
            id="the index within the function: Ollama's own",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments=""),
                part(index=0, id="", arguments=MILK),
                part(index=0, id="b", name="add_note", arguments=""),
                part(index=0, id="", arguments=EGGS),
            ],
            id="one index, the id only at first: vLLM with Mistral",
        ),
        pytest.param(
            [
                part(index=0, id="0", name="add_note", arguments=""),
                part(index=0, id="0", name=None, arguments=MILK),
                part(index=0, id="1", name="add_note", arguments=""),
                part(index=0, id="1", name=None, arguments=EGGS),
            ],
            id="the id in every part: SGLang",
        ),
        pytest.param(
            [
                part(id="a", name="add_note", arguments='{"text":'),
                part(id="b", name="add_note", arguments='{"text":'),
                part(id="a", arguments='"Milk"}'),
                part(id="b", arguments='"Eggs"}'),
            ],
            id="no index, interleaved",
        ),
        pytest.param(
            [
                part(index=0, id="x1", name="add_note"),
                part(index=0, id="x2", arguments=MILK),
                part(index=1, id="x3", name="add_note"),
                part(index=1, id="x4", arguments=EGGS),
            ],
            id="another id in every part: vLLM",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments='{"text":'),
                part(index=0, id="a", name="add_note", arguments='"Milk"}'),
                part(index=1, id="", name="add_note", arguments='{"text":'),
                part(index=1, id="", name="add_note", arguments='"Eggs"}'),
            ],
            id="the name in every part",
        ),
        pytest.param(
            [
                part(id="a", name="add_note", arguments='{"text":'),
                part(arguments='"Milk"}'),
                part(id="b", name="add_note", arguments='{"text":'),
                part(id="b", arguments='"Eggs"}'),
            ],
            id="no index, in parts",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments={"text": "Milk"}),
                part(index=0, name="add_note", arguments={"text": "Eggs"}),
            ],
            id="arguments as an object: Workers AI, gateways",
        ),
        pytest.param(
            [event({"tool_calls": [{"name": "add_note", "arguments": each} for each in ({"text": "Milk"}, EGGS)]})],
            id="without choices and function: Workers AI",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments="{}"),
                part(index=0, arguments=MILK),
                part(index=1, id="b", name="add_note", arguments=EGGS),
                part(index=1, arguments=EGGS),
            ],
            id="an empty object first, or twice: gateways to Anthropic",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments={}),
                part(index=0, arguments=MILK),
                part(index=1, id="b", name="add_note", arguments=EGGS),
                part(index=1, id="b", name="add_note", arguments={"text": "Eggs"}),
            ],
            id="an empty object as a value before the text, the whole as a value after it",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments=""),
                part(index=1, arguments='{"text":'),
                part(index=2, arguments='"Milk"}'),
                part(index=1, id="b", name="add_note", arguments=EGGS),
            ],
            id="arguments under places of their own: Cerebras, Nebius",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments=""),
                part(index=1, id="x", name="", arguments='{"text":'),
                part(index=2, id="y", name="", arguments='"Milk"}'),
                part(index=3, id="b", name="add_note", arguments=EGGS),
            ],
            id="arguments under places and ids of their own: LM Studio",
        ),
        pytest.param(
            [
                part(index=0, name="add_note", arguments='{"text":'),
                part(index=0, name="add_note", arguments='"Milk"}'),
                part(index=0, name="add_note", arguments=""),
                part(index=1, name="add_note", arguments=EGGS),
                part(index=1, name="add_note", arguments=None),
            ],
            id="the name in every part, also behind the arguments: MiniMax",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_", arguments=""),
                part(index=0, id="a", name="no", arguments=""),
                part(index=0, name="te", arguments=MILK),
                part(index=1, id="b", name="add", arguments=""),
                part(index=1, name="_note", arguments=EGGS),
            ],
            id="the name in pieces: Gemini",
        ),
        pytest.param(
            [part(index=0, id="a", name="add_note", arguments=text) for text in (MILK, EGGS)],
            id="one place and one id for both: OpenRouter",
        ),
        pytest.param(
            [part(index=0, id="a", name="add_note", arguments={"text": text}) for text in ("Milk", "Eggs")],
            id="the same, with values",
        ),
        pytest.param(
            [
                part(index=0, id="a", name="add_note", arguments='{"text"'),
                part(index=0, arguments='{"text":"Mi'),
                part(index=0, arguments=MILK),
                part(index=1, id="b", name="add_note", arguments='{"text":'),
                part(index=1, arguments='"Eg'),
                part(index=1, arguments=EGGS),
            ],
            id="all of the arguments so far in each part, or all of them in the last",
        ),
        pytest.param(
            [
                part(index="0", id="a", name="add_note", arguments=""),
                part(index="1", id="b", name="add_note", arguments=""),
                part(index="0", arguments=MILK),
                part(index="1", arguments=EGGS),
            ],
            id="the place as a text",
        ),
    ],
)  # fmt: skip
def test_two_calls_are_two_calls_in_whatever_form(steps: Events):
    assert [call[1:] for call in calls_of(*steps, END, DONE)] == BOTH


def test_interleaved_parts_go_to_their_calls():
    steps = [
        part(index=1, id="b", name="add_note", arguments='{"text":'),
        part(index=0, id="a", name="add_note", arguments='{"text":'),
        part(index=1, arguments='"Milk"}'),
        part(index=0, arguments='"Eggs"}'),
    ]
    assert [call[1:] for call in calls_of(*steps, END)] == BOTH


def test_two_tools_under_one_place_and_id_are_two_calls():
    steps = [part(index=0, id="a", name=name, arguments=MILK) for name in ("add_note", "list_notes")]
    assert [name for _, name, _ in calls_of(*steps, END)] == ["add_note", "list_notes"]


@pytest.mark.parametrize(
    "steps",
    [
        [part(index=0, id="a", name="add_note", arguments='{"text"'), part(index=0, arguments=MILK[1:])],
        [part(index=0, id="a", name="add_note", arguments=MILK), part(index=0, arguments="]")],
        [part(index=0, id="a", name="add_note", arguments='{"a":1'), part(index=0, arguments=MILK)],
    ],
)
def test_parts_that_make_no_arguments_are_a_problem_and_no_call_with_others(steps: Events):
    [use] = [piece for piece in pieces_of(*steps, END) if isinstance(piece, ToolUse)]
    assert use.args is None
    assert use.problem.startswith("The arguments are not a JSON object")


@pytest.mark.parametrize("index", ["-1", "x", "9" * 20, 1.5, {}])
def test_a_place_that_is_no_number_is_none(index: Any):
    steps = [part(index=index, id="a", name="add_note", arguments=""), part(index=index, arguments=MILK)]
    assert calls_of(*steps, END) == [("a", "add_note", {"text": "Milk"})]


def test_the_index_counts_wherever_it_stands():
    within = [{"function": {"index": number, "name": "list_notes", "arguments": ""}} for number in (0, 1)]
    assert len(calls_of(chunk(tool_calls=within), END)) == 2


def test_the_name_may_come_after_the_id():
    steps = [part(index=0, id="a", arguments=""), part(index=0, name="add_note", arguments=MILK)]
    assert calls_of(*steps, END) == [("a", "add_note", {"text": "Milk"})]


def test_another_name_in_the_place_of_a_call_is_another_call():
    steps = [part(index=0, name="list_notes", arguments=""), part(index=0, name="add_note", arguments=MILK)]
    assert calls_of(*steps, END) == [("call_0", "list_notes", {}), ("call_1", "add_note", {"text": "Milk"})]


def test_the_id_may_come_later_and_two_calls_never_have_one():
    later = [part(index=0, name="add_note", arguments=MILK), part(index=0, id="a", arguments=""), END]
    assert calls_of(*later) == [("a", "add_note", {"text": "Milk"})]
    same = [part(index=0, id="a", name="add_note", arguments=MILK), part(index=1, id="a", name="list_notes"), END]
    assert [id for id, _, _ in calls_of(*same)] == ["a", "call_1"]


def test_the_older_field_and_a_call_without_a_list_are_calls():
    older = [
        chunk(function_call={"name": "add_note", "arguments": '{"text":'}),
        chunk(function_call={"arguments": '"Milk"}'}),
    ]
    assert calls_of(*older, chunk(finish_reason="function_call")) == [("call_0", "add_note", {"text": "Milk"})]
    alone = chunk(tool_calls={"id": "a", "function": {"name": "list_notes", "parameters": {}}})
    assert calls_of(alone, END) == [("a", "list_notes", {})]


@pytest.mark.parametrize("said", ["", None, "{}", " ", "null", {}, "\n{ }\n", "{}{}"])
def test_a_tool_without_arguments_gets_none_however_that_is_said(said: Any):
    assert calls_of(part(index=0, id="a", name="list_notes", arguments=said), END) == [("a", "list_notes", {})]


def test_a_call_may_have_no_field_for_arguments():
    assert calls_of(part(index=0, id="a", name="list_notes"), END) == [("a", "list_notes", {})]


@pytest.mark.parametrize(
    ("said", "args"),
    [
        ('{"text":"one\ntwo\tthree"}', {"text": "one\ntwo\tthree"}),
        ('"{\\"text\\":\\"Milk\\"}"', {"text": "Milk"}),
        ('{"text":"\\ud83d\\ude00"}', {"text": "😀"}),
        ('{"n":12345678901234567890}', {"n": 12345678901234567890}),
        ('{} {"a":1}', {"a": 1}),
    ],
)
def test_arguments_are_read_as_they_are_meant(said: str, args: Any):
    assert calls_of(part(index=0, id="a", name="add_note", arguments=said), END)[0][2] == args


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ('{"text":', "The arguments are not a JSON object: Expecting value"),
        ("Milk", "The arguments are not a JSON object: Expecting value"),
        ('{"a":1}{"a":2}', "The arguments are not a JSON object."),
        ('{"a":1}{"a":1}{"a":1}', "The arguments are not a JSON object: there is something else."),
        ('{"a":NaN}', "The arguments are not a JSON object: NaN is no JSON."),
        ('{"a":"\n\\ud800"}', "The arguments are not a JSON object: there is something else."),
        ("[" * 100_000, "The arguments are not a JSON object: "),
        ("[1]", "The arguments are not a JSON object."),
        ("1", "The arguments are not a JSON object."),
        ([1], "The arguments are not a JSON object."),
        (0, "The arguments are not a JSON object."),
    ],
)
def test_arguments_that_are_no_object_are_told_as_a_problem_of_the_call(said: Any, problem: str):
    [use] = pieces_of(part(index=0, id="a", name="add_note", arguments=said), END)
    assert isinstance(use, ToolUse)
    assert (use.id, use.name, use.args) == ("a", "add_note", None)
    assert use.problem.startswith(problem)


def test_half_a_character_in_arguments_that_are_an_object_is_a_problem_too():
    half = b'data: {"choices":[{"delta":{"tool_calls":[{"function":{"name":"a","arguments":{"b":"\\ud800"}}}]}}]}\n\n'
    assert pieces_of(half, END) == [ToolUse("call_0", "a", None, "The arguments are not a JSON object.")]
    name = b'data: {"choices":[{"delta":{"tool_calls":[{"id":"\\udc00","function":{"name":"a\\ud800"}}]}}]}\n\n'
    assert pieces_of(name, END) == [ToolUse("\ufffd", "a\ufffd", {})]


def test_a_call_without_a_name_is_told_as_a_problem():
    assert pieces_of(part(index=0, id="a", arguments="{}"), END) == [ToolUse("a", "", None, "The call names no tool.")]


@pytest.mark.parametrize(
    "tool_calls",
    [
        *(None, [], [None], ["x"], [{}], "x", [{"function": 1}]),
        # The end of a call, as Workers AI says it.
        [{"index": 0, "id": None, "function": {"name": None, "arguments": ""}}],
    ],
)
def test_what_is_no_part_of_a_call_is_none(tool_calls: Any):
    assert pieces_of(chunk("Hi", tool_calls=tool_calls), chunk(finish_reason="stop")) == ["Hi"]


@pytest.mark.parametrize("reason", ["stop", "tool_calls", "function_call", "tool_use"])
def test_whatever_reason_stands_beside_calls_they_are_made(reason: str):
    assert len(calls_of(*OPENAI[:-2], chunk(finish_reason=reason), DONE)) == 2


def test_workers_ai_needs_no_reason_but_the_word_that_it_is_done():
    call = event({"response": "", "tool_calls": [{"name": "list_notes", "arguments": {}}], "p": "ab"})
    assert calls_of(call, DONE) == calls_of(call, event({"response": "", "finish_reason": "stop"}))
    without_text = event({"tool_calls": [{"name": "list_notes", "arguments": {}}]})
    assert calls_of(without_text, DONE) == [("call_0", "list_notes", {})]


@pytest.mark.parametrize(
    ("last", "kind"), [([chunk(finish_reason="length"), DONE], AnswerCutOff), ([DONE], BrokenOff), ([], BrokenOff)]
)
def test_of_an_answer_that_is_not_whole_no_call_is_made(last: Events, kind: type[Exception]):
    told: list[Piece] = []

    async def read() -> None:
        async for piece in read_stream(sent(chunk("Well"), *OPENAI[:-2], *last), [].append, TOOLS):
            told.append(piece)

    with pytest.raises(kind):
        run(read())
    assert told == ["Well"]


IN_TEXT = '<tool_call>{"name":"list_notes","arguments":{}}</tool_call>'


def test_a_call_in_the_text_is_one_only_if_there_are_none_beside_it():
    assert calls_of(chunk(IN_TEXT), END) == [("call_0", "list_notes", {})]
    assert pieces_of(chunk(IN_TEXT), *OPENAI)[0] == IN_TEXT
    assert len(pieces_of(chunk(IN_TEXT), *OPENAI)) == 3


def test_without_tools_text_that_looks_like_a_call_is_not_held_back():
    assert pieces_of(chunk("<tool"), chunk("_call>"), END, tools=[]) == ["<tool", "_call>"]


@pytest.mark.parametrize(
    ("last", "kind"),
    [(chunk(finish_reason="length"), AnswerCutOff), (END + b'data: {"error":"x"}\n\n', ModelFailed)],
)
def test_a_call_in_the_text_of_an_answer_that_is_not_whole_is_text(last: bytes, kind: type[Exception]):
    told: list[Piece] = []

    async def read() -> None:
        async for piece in read_stream(sent(chunk(IN_TEXT), last), [].append, TOOLS):
            told.append(piece)

    with pytest.raises(kind):
        run(read())
    assert told == [IN_TEXT]


def test_a_call_of_a_model_that_was_offered_no_tools_is_skipped_and_logged():
    log: list[str] = []
    assert pieces_of(chunk("Well"), *OPENAI, tools=[], log=log) == ["Well"]
    assert log == ["a call of a model that was offered no tools was skipped"]


def test_more_calls_or_longer_arguments_than_are_allowed_are_a_failure():
    many = [part(index=number, id=f"{number}", name="list_notes") for number in range(MAX_CALLS_PER_REPLY + 1)]
    assert len(calls_of(*many[1:], END)) == MAX_CALLS_PER_REPLY
    long = [part(index=0, name="add_note"), *[part(index=0, arguments="x" * (MAX_ANSWER_CHARACTERS // 4))] * 5]
    for steps in (many, long):
        with pytest.raises(ModelFailed, match="too many tools"):
            pieces_of(*steps, END)


def test_an_answer_that_comes_whole_has_its_calls_in_its_message():
    def read(body: bytes) -> list[Piece]:
        async def pieces() -> list[Piece]:
            return [piece async for piece in read_document(sent(body), [].append, TOOLS)]

        return run(pieces())

    message = b'{"content":"I do.","tool_calls":[{"id":"a","function":{"name":"add_note","arguments":"{}"}}]}'
    assert read(b'{"choices":[{"message":%s,"finish_reason":"tool_calls"}]}' % message) == [
        "I do.",
        ToolUse("a", "add_note", {}),
    ]
    assert read(b'{"response":null,"tool_calls":[{"name":"list_notes","arguments":{}}]}') == [
        ToolUse("call_0", "list_notes", {})
    ]
    assert read(
        b'{"choices":[{"message":{"content":"<tool_call>{\\"name\\":\\"list_notes\\",\\"arguments\\":{}}"}}]}'
    ) == [ToolUse("call_0", "list_notes", {})]
