"""Tool calls in the two wire formats of an answer."""

import json

import pytest
from hypothesis import given

from tests.support.answers import INFO, whole
from tests.support.sse_parser import parse_sse
from tests.support.strategies import json_values
from waypost_worker.chat.answer_events import AnswerEvent, Position, TextDelta, ToolUpdate
from waypost_worker.chat.live_answer import Outcome
from waypost_worker.chat.ui_stream import UiMessageStream
from waypost_worker.chat.wire_formats import EventsFormat
from waypost_worker.conversations.message import ToolEvent

CALL = ToolEvent("call", "c1", "cart.add", {"n": 1})
USED = (
    TextDelta("One ", Position(4)),
    ToolUpdate(CALL, Position(4, 0, 1)),
    ToolUpdate(ToolEvent("progress", "c1", value={"progress": 1}), Position(4, 0, 2)),
    ToolUpdate(ToolEvent("result", "c1", value=["ok"]), Position(4, 0, 3)),
    TextDelta("two.", Position(8, 0, 3)),
    Outcome("stop", 2),
)


def test_tool_calls_as_wayposts_events():
    assert (
        b'event: delta\nid: g.4\ndata: {"text":"One "}\n\n'
        b'event: tool_call\nid: g.4t1\ndata: {"id":"c1","name":"cart.add","arguments":{"n":1},"step":0}\n\n'
        b'event: tool_progress\nid: g.4t2\ndata: {"id":"c1","progress":{"progress":1}}\n\n'
        b'event: tool_result\nid: g.4t3\ndata: {"id":"c1","result":["ok"],"isError":false}\n\n'
        b'event: delta\nid: g.8t3\ndata: {"text":"two."}\n\n'
    ) in whole(EventsFormat(INFO), *USED)


def test_tool_calls_as_the_ai_sdks_chunks():
    assert (
        b'data: {"type":"text-end","id":"g"}\n\n'
        b'data: {"type":"tool-input-start","toolCallId":"c1","toolName":"cart.add","dynamic":true,'
        b'"providerExecuted":true}\n\n'
        b'data: {"type":"tool-input-available","toolCallId":"c1","toolName":"cart.add","dynamic":true,'
        b'"providerExecuted":true,"input":{"n":1}}\n\n'
        b'data: {"type":"data-tool-progress","id":"c1","data":{"toolCallId":"c1","progress":{"progress":1}}}\n\n'
        b'data: {"type":"tool-output-available","toolCallId":"c1","output":["ok"],"dynamic":true,'
        b'"providerExecuted":true}\n\n'
        b'data: {"type":"finish-step"}\n\n'
        b'data: {"type":"start-step"}\n\n'
        b'data: {"type":"text-start","id":"g-2"}\n\n'
        b'data: {"type":"text-delta","id":"g-2","delta":"two."}\n\n'
        b'data: {"type":"text-end","id":"g-2"}\n\n'
        b'data: {"type":"finish-step"}\n\n'
        b'data: {"type":"message-metadata"'
    ) in whole(UiMessageStream(INFO), *USED)


@given(json_values, json_values)
def test_any_arguments_and_any_result_arrive_as_they_are(args: object, result: object):
    used = (
        ToolUpdate(ToolEvent("call", "c1", "t", args), Position(0, 0, 1)),
        ToolUpdate(ToolEvent("result", "c1", value=result), Position(0, 0, 2)),
        Outcome("stop", 2),
    )
    _, call, returned, _ = [json.loads(event.data) for event in parse_sse(whole(EventsFormat(INFO), *used))]
    assert [call["arguments"], returned["result"]] == [args, result]
    parts = [json.loads(event.data) for event in parse_sse(whole(UiMessageStream(INFO), *used))[:-1]]
    told = {part["type"]: part for part in parts}
    assert [told["tool-input-available"]["input"], told["tool-output-available"]["output"]] == [args, result]


def types_of(*followed: AnswerEvent) -> list[str]:
    said = [event.data for event in parse_sse(whole(UiMessageStream(INFO), *followed))]
    return [json.loads(data)["type"] for data in said if data != "[DONE]"]


def called(call_id: str, step: int = 0) -> ToolUpdate:
    return ToolUpdate(ToolEvent("call", call_id, "t", step=step), Position())


def returned(call_id: str) -> ToolUpdate:
    return ToolUpdate(ToolEvent("result", call_id), Position())


def test_calls_that_one_reply_of_the_model_asks_for_are_one_step():
    steps = [
        part
        for part in types_of(called("a"), returned("a"), called("b"), returned("b"), Outcome("stop", 2))
        if "step" in part
    ]
    assert steps == ["start-step", "finish-step", "start-step", "finish-step"]


def test_calls_of_the_next_reply_are_the_next_step_also_without_a_word_between():
    parts = types_of(called("a"), returned("a"), called("b", 1), returned("b"), Outcome("stop", 2))
    step = ["tool-input-start", "tool-input-available", "tool-output-available", "finish-step"]
    assert parts[1:-2] == ["start-step", *step, "start-step", *step, "start-step", "finish-step"]


def test_a_call_without_a_result_is_shown_as_cut_off_when_the_answer_ends():
    body = whole(UiMessageStream(INFO), called("a"), called("b"), returned("a"), Outcome("stopped", 2))
    assert (
        b'data: {"type":"tool-output-error","toolCallId":"b","errorText":"The answer ended before this call had a '
        b'result. It is not known whether the tool ran.","dynamic":true,"providerExecuted":true}\n\n'
    ) in body
    assert body.count(b"tool-output-error") == 1


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("It is gone.", "It is gone."),
        ({"code": 1}, '{"code":1}'),
        (None, "null"),
        ({"code": "refused", "message": "The user refused."}, "The user refused."),
        ({"message": ""}, '{"message":""}'),
    ],
)
def test_a_tools_error_is_text_in_the_ai_sdks_chunks(value: object, text: str):
    failed = ToolUpdate(ToolEvent("result", "a", value=value, is_error=True), Position())
    parts = [json.loads(event.data) for event in parse_sse(UiMessageStream(INFO).addition(failed))]
    assert [(part["type"], part["errorText"]) for part in parts] == [("tool-output-error", text)]
    assert b'"isError":true' in EventsFormat(INFO).addition(failed)
