"""Calls of MCP that outlive what carries them: a broken stream, another isolate, a Worker that was killed."""

from __future__ import annotations

from typing import Any

from tests.support.http_api import Api, Session
from tests.support.sse_client import EventStream
from tools.local.harness.worker import LocalWorker

BOTH = "application/json, text/event-stream"
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
CALL = {"name": "slow", "arguments": {"seconds": 1}, "_meta": {"progressToken": "p"}}


class McpCaller:
    """A legacy client that does what a client has to, and no more."""

    def __init__(self, api: Api, code: str) -> None:
        self.api = api
        self.url = f"/mcp/{code}"
        self.headers = {"Accept": BOTH, "MCP-Protocol-Version": "2025-11-25"}
        reply = self._post("initialize", HANDSHAKE)
        self.headers["Mcp-Session-Id"] = reply.headers["mcp-session-id"]

    def _post(self, method: str, params: dict[str, Any]) -> Any:
        message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": params}
        return self.api.call("POST", self.url, message, headers=self.headers)

    def call(self, id: int) -> tuple[str, Any]:
        """Begins a call, reads its first event and drops the connection; returns the event's id."""
        message = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": CALL}
        headers = self.headers | {"CF-Connecting-IP": self.api.address}
        with self.api.http.stream("POST", self.url, json=message, headers=headers) as reply:
            assert reply.headers["content-type"].startswith("text/event-stream"), reply.read()
            for line in reply.iter_lines():
                if line.startswith("id: "):
                    return line.removeprefix("id: "), None
        raise AssertionError("no event had an id")

    def resumed(self, last_event_id: str, api: Api | None = None) -> EventStream:
        """The rest of a call, from an isolate."""
        api = api or self.api
        extra = {name: value for name, value in api.http.headers.items() if name == "x-isolate"}
        headers = self.headers | {"CF-Connecting-IP": api.address, "Last-Event-ID": last_event_id} | extra
        return api.hold(EventStream(f"{api.url}{self.url}", {}, headers))


def waiting(session: Session) -> str:
    """The id of the one request that is queued."""
    [message] = session.poll(session.host_token, wait=10)["messages"]
    id: str = message["data"]["id"]
    return id


def test_a_call_goes_on_after_the_worker_was_killed() -> None:
    with LocalWorker() as worker, Api(worker.url) as api:
        session = api.open_session()
        caller = McpCaller(api, session.code)
        event_id, _ = caller.call(7)
        id = waiting(session)
        session.answer(id, {"progress": 1}, final=False)

        worker.kill()
        worker.restart()

        stream = caller.resumed(event_id)
        assert stream.status == 200, stream.body
        session.answer(id, {"content": [{"type": "text", "text": "still here"}]})
        progress, reply = (event.data for event in stream.take(3, "message") if event.text)
        assert progress["params"] == {"progressToken": "p", "progress": 1}
        assert (reply["id"], reply["result"]["content"][0]["text"]) == (7, "still here")
        # What is known of the session stands in its id.
        assert caller._post("ping", {}).json()["result"] == {}


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
