"""The AI SDK, three releases of it unchanged, reads answers that call tools: from a stream it makes the same message as
from the history."""

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.support.answers import INFO, whole
from tests.support.node_tests import run_node_tests
from waypost_worker.chat.answer_stream import replay
from waypost_worker.chat.live_answer import LiveAnswer, Outcome
from waypost_worker.chat.ui_messages import to_ui_messages
from waypost_worker.chat.ui_stream import UiMessageStream
from waypost_worker.conversations.message import ChatMessage, ToolEvent
from waypost_worker.models.model import Reasoning

TESTS = Path(__file__).parents[1] / "aisdk" / "tools.test.mjs"


def call(name: str, step: int = 0) -> ToolEvent:
    return ToolEvent("call", name, "cart.add", {"name": name}, step=step)


def progress(name: str, value: Any) -> ToolEvent:
    return ToolEvent("progress", name, value=value)


def result(name: str, value: Any = None, *, is_error: bool = False) -> ToolEvent:
    return ToolEvent("result", name, value=value, is_error=is_error)


SCRIPTS: dict[str, list[str | Reasoning | ToolEvent]] = {
    "one call": ["Let me see. ", call("a"), result("a", {"rows": 2}), "Two."],
    "thought before and after": [Reasoning("Hm."), call("a"), result("a", "ok"), Reasoning("So."), "Done."],
    "calls side by side": ["Both. ", call("a"), call("b"), result("b", [1]), result("a", 0), "Done."],
    "step after step": [
        call("a"),
        result("a", None),
        call("b", 1),
        result("b", False),
        "And ",
        call("c", 2),
        result("c"),
        "!",
    ],
    "a call that failed": [call("a"), result("a", "There is no such row.", is_error=True), "I could not."],
    "an error that is JSON": [call("a"), result("a", {"code": 7}, is_error=True), "I could not."],
    "a refusal": [call("a"), result("a", {"code": "refused", "message": "No."}, is_error=True), "I may not."],
    "progress": [
        call("a"),
        progress("a", "half"),
        call("b"),
        progress("a", {"progress": 2}),
        result("b", 1),
        result("a", 2),
        "Done.",
    ],
    "results that nothing follows": ["Look: ", call("a"), result("a", 1)],
    "a call that was cut off": ["Look: ", call("a"), call("b"), result("a", 1)],
}


def answer_of(script: list[str | Reasoning | ToolEvent]) -> ChatMessage:
    live = LiveAnswer("g", "m", 0)
    for step in script:
        if isinstance(step, ToolEvent):
            live.add_tool_event(step)
        else:
            live.add(step)
    return ChatMessage("g", "assistant", live.text, 0, reasoning="".join(live.reasoning), tool_events=live.tool_events)


def test_the_ai_sdk_makes_the_message_of_the_history_from_the_stream_and_sends_nothing_by_itself(tmp_path: Path):
    cases = []
    for name, script in SCRIPTS.items():
        answer = answer_of(script)
        [message] = to_ui_messages([answer])
        stream = whole(UiMessageStream(INFO), *replay(answer, 2)[:-1], Outcome("stop", 2)).decode()
        cases.append({"name": name, "stream": stream, "parts": message.parts})
    path = tmp_path / "cases.json"
    path.write_bytes(msgspec.json.encode(cases))
    run_node_tests(TESTS, WAYPOST_CASES=str(path))
    assert len(json.loads(path.read_bytes())) == len(SCRIPTS)
