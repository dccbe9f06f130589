"""What a model's service sends: anything is an answer, or a failure that has a name."""

import asyncio
import json
from collections.abc import AsyncGenerator

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.fuzzing.almost import almost_bytes, almost_json, cut_up
from waypost_worker.errors import ModelFailed
from waypost_worker.models.completion_stream import BrokenOff, read_document, read_stream
from waypost_worker.models.model import AnswerCutOff, ModelTool, ToolUse

CHUNKS = [
    {"choices": [{"delta": {"content": "Hello"}, "finish_reason": None}]},
    {"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {"total_tokens": 3}},
    {"choices": [{"delta": {"content": None}, "finish_reason": "length"}]},
    {"choices": [{"message": {"role": "assistant", "content": "Hello"}}]},
    {"response": "Hello"},
    {"response": 4},
    {"response": "", "usage": {}},
    {"error": {"message": "overloaded", "code": 503}},
    {"choices": [{"delta": {"content": [{"type": "thinking", "thinking": [{"text": "Hm"}]}, {"text": "a"}]}}]},
    {"choices": [{"delta": {"content": "<think>Hm", "reasoning": "Hm", "reasoning_content": "Hm"}}]},
    {"choices": [{"delta": {"content": "</think>a"}}]},
    {"choices": [{"delta": {"content": '<tool_call>{"name":"note","arguments":{}}</tool_call>'}}]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "note", "arguments": "{"}}]}}]},
    {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]}, "finish_reason": "x"}]},
    {"response": "", "tool_calls": [{"name": "note", "arguments": {"a": "b"}}]},
]
TOOLS = [ModelTool("note", "", {"type": "object"})]
events = st.lists(
    st.one_of(
        almost_json(CHUNKS).map(lambda chunk: b"data: %s\n\n" % json.dumps(chunk).encode()),
        st.sampled_from((b"data: [DONE]\n\n", b": ping\n\n", b"event: error\ndata: x\n\n", b"data: \n\n", b"\r\n")),
    ),
    max_size=5,
).map(b"".join)


async def given_in(pieces: list[bytes]) -> AsyncGenerator[bytes, None]:
    for piece in pieces:
        yield piece


def sent_on(use: ToolUse) -> str:
    """A call as it is sent to a tab: an object, or a problem."""
    assert isinstance(use.args, dict) != bool(use.problem)
    return f"{use.id} {use.name} {msgspec.json.encode(use.args).decode()} {use.problem}"


def stream_of(pieces: list[bytes]) -> tuple[str, str]:
    """The text, and how it ended."""

    async def read() -> tuple[str, str]:
        said: list[str] = []
        try:
            async for piece in read_stream(given_in(pieces), [].append, TOOLS):
                assert piece
                said.append(sent_on(piece) if isinstance(piece, ToolUse) else str(piece))
        except (ModelFailed, AnswerCutOff, BrokenOff) as end:
            return "".join(said), type(end).__name__
        return "".join(said), "done"

    return asyncio.run(read())


@given(st.data(), almost_bytes(events))
@example(None, b"data: " + b"[" * 100_000 + b"\n\n")
@example(None, b'data: {"choices":' + b"[" * 100_000 + b"\n\n")
@example(None, b'data: {"response": ' + b"9" * 5000 + b"}\n\n")
@example(None, b'data: {"response": 1e999}\n\n')
@example(None, b'data: {"response": "\\ud800"}\n\n')
@example(None, b'data: {"response": 1e300}\n\ndata: [DONE]\n\n')
def test_a_stream_is_an_answer_or_a_failure_however_it_is_cut(data: st.DataObject | None, stream: bytes):
    whole = stream_of([stream])
    whole[0].encode()
    pieces = data.draw(cut_up(stream)) if data else [stream[: len(stream) // 2], stream[len(stream) // 2 :]]
    assert stream_of(pieces) == whole


@given(almost_bytes(almost_json(CHUNKS).map(lambda chunk: json.dumps(chunk).encode())))
@example(b"[" * 100_000)
@example(b'{"choices":' + b"[" * 100_000)
@example(b'{"error":' + b"[" * 100_000)
def test_an_answer_that_comes_whole_is_one_or_a_failure(body: bytes):
    async def read() -> str:
        try:
            return "".join([str(piece) async for piece in read_document(given_in([body]), [].append, TOOLS)])
        except (ModelFailed, AnswerCutOff) as end:
            return str(end)

    asyncio.run(read()).encode()
