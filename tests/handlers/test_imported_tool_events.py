"""Tool events of an imported answer: as they were exported, or refused with what is wrong."""

from typing import Any

import pytest

from simulation.client import make_client
from waypost_worker.limits import MAX_MESSAGE_CHARACTERS

PATH = "/api/conversations/s"
CALL = {"kind": "call", "id": "t"}
PROGRESS = {"kind": "progress", "id": "t"}
RESULT = {"kind": "result", "id": "t"}


async def imported(*events: Any, content: Any = "Yes", role: str = "assistant") -> tuple[int, Any]:
    """Status and reply of an import of a message with `events`."""
    message = {"role": role, "content": content, "toolEvents": events}
    reply = await make_client().call("PUT", PATH, {"messages": [message]})
    return reply.status, reply.json()


async def test_a_call_may_have_progress_and_a_result_and_the_next_one_follows():
    events = [CALL, PROGRESS, {**PROGRESS, "text": 1}, {**RESULT, "text": 2}, {**CALL, "id": "u", "text": 3}]
    status, reply = await imported(*events)
    assert (status, reply["messages"][0]["toolEvents"]) == (200, events)


async def test_a_message_without_events_has_no_such_field():
    status, reply = await imported()
    assert (status, "toolEvents" in reply["messages"][0]) == (200, False)


PLACES = "stand in their order in the message"
ANSWERS = "Only a message of the assistant whose content is a text"
NO_CALL = "of no call before it that has no result yet"


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([{**CALL, "kind": "end"}], "kind"),
        ([{**CALL, "text": 4}], PLACES),
        ([{**CALL, "reasoning": 1}], PLACES),
        ([{**CALL, "text": -1}], "text"),
        ([{**CALL, "text": 2}, {**RESULT, "text": 1}], PLACES),
        ([RESULT], f"The result among the toolEvents is {NO_CALL}"),
        ([PROGRESS], f"The progress among the toolEvents is {NO_CALL}"),
        ([CALL, RESULT, RESULT], NO_CALL),
        ([CALL, RESULT, PROGRESS], NO_CALL),
        ([CALL, CALL], "same id"),
        ([CALL, RESULT, CALL], "same id"),
        ([{**CALL, "value": "x" * MAX_MESSAGE_CHARACTERS}], f"more than {MAX_MESSAGE_CHARACTERS} characters"),
    ],
)
async def test_what_can_not_have_happened_is_refused(events: list[Any], says: str):
    status, problem = await imported(*events)
    assert (status, problem["code"]) == (400, "invalid_body")
    assert says in problem["detail"]


@pytest.mark.parametrize(("role", "content"), [("user", "Yes"), ("assistant", ["Yes"])])
async def test_only_an_answer_has_tool_events(role: str, content: Any):
    status, problem = await imported(CALL, role=role, content=content)
    assert (status, problem["code"]) == (400, "invalid_body")
    assert ANSWERS in problem["detail"]


async def test_an_unknown_field_of_an_event_is_refused():
    status, problem = await imported({**CALL, "args": {}})
    assert (status, problem["code"]) == (400, "unknown_field")
