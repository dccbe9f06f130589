"""Calls of MCP that outlive what carries them: a broken stream, another isolate; a kill in `test_restart.py`."""

from __future__ import annotations

from tests.support.http_api import Api, Session
from tests.support.mcp_caller import CALL, McpCaller, waiting


def test_a_call_is_taken_up_in_another_isolate_and_answered_from_there(isolates: tuple[Api, Api]) -> None:
    here, there = isolates
    session = here.open_session()
    from_there = Session(there, session.opened)
    caller = McpCaller(here, session.code)
    event_id, _ = caller.call(3)
    id = waiting(from_there)
    stream = caller.resumed(event_id, there)
    from_there.answer(id, {"n": 1})
    reply = next(event.data for event in stream.take(2, "message") if event.text)
    assert (reply["id"], reply["result"]["structuredContent"]) == (3, {"n": 1})


def test_a_call_is_taken_back_in_another_isolate(isolates: tuple[Api, Api]) -> None:
    here, there = isolates
    session = here.open_session()
    caller = McpCaller(here, session.code)
    caller.call(4)
    id = waiting(session)
    notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}}
    assert there.call("POST", caller.url, notice, headers=caller.headers).status_code == 202
    assert session.ask(CALL["arguments"], id=id, tool="slow").json()["error"]["code"] == "cancelled"
