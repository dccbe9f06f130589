"""A rollback, rehearsed: this version writes, the released one reads and writes, this one goes on. On one KV."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.support.chat_client import Chat, first_answer, next_answer
from tests.support.documents_api import place, put
from tests.support.http_api import Api, Session
from tools.local.harness.project import copy_project, copy_released
from tools.local.harness.successive import SuccessiveVersions

APP_KEY = "the-only-key-of-this-app"
TOOL = {"name": "add", "inputSchema": {"type": "object"}}
MCP = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25"}
IMAGE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{'A' * 40_000}"}}


def tools_at(api: Api, address: str) -> list[str]:
    """The names of the tools that an MCP client sees at an address."""
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    reply = api.call("POST", f"/mcp/{address}", message, headers=MCP)
    return [tool["name"] for tool in reply.json()["result"]["tools"]]


def said(api: Api, path: str) -> list[Any]:
    """The contents of a conversation's messages."""
    return [message["content"] for message in api.call("GET", path).json()["messages"]]


def test_what_one_version_stores_goes_on_in_the_released_one_and_in_this_one_again(tmp_path: Path) -> None:
    new, old = copy_project(tmp_path / "new"), copy_released(tmp_path / "old")
    with SuccessiveVersions(new, old, APP_KEYS=APP_KEY) as worker, Api(worker.url) as api:
        # This version.
        secret = secrets.token_urlsafe(32)
        session = api.open_session(label="kept", addressSecret=secret)
        address = session.opened["address"]
        assert session.put_tools(TOOL).status_code == 200
        assert session.ask({"n": 1}, id="one").status_code == 202
        token = api.call("POST", "/api/tokens", {"resourceId": "ada"}, APP_KEY).json()["token"]
        chat = Chat(api, key=APP_KEY)
        assert chat.ask("My name is Ada.").whole() == first_answer("My name is Ada.")
        document, page, conversation = place(), f"/api/pages/{uuid4()}", f"/api/conversations/{uuid4()}"
        first = put(api, document, b'{"a": 1}').headers["ETag"]
        html = {"html": "<p>One</p>", "title": "One", "sessionId": str(uuid4())}
        assert api.call("PUT", page, html).status_code == 201
        message = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}
        assert api.call("POST", f"{conversation}/messages", {"messages": [message]}).status_code == 201

        # The released one, as after a rollback.
        worker.run(old)
        session = Session(api, session.opened)
        assert session.read().json()["label"] == "kept"
        waiting = session.poll(token=session.host_token)["messages"]
        assert [(each["data"]["id"], each["data"]["args"]) for each in waiting] == [("one", {"n": 1})]
        assert session.answer("one", {"sum": 2}).status_code == 202
        assert session.ask({"n": 2}, token=session.join(), id="two").status_code == 202
        assert session.extend().status_code == 200
        assert tools_at(api, address) == ["add"]
        assert api.call("GET", "/api/sessions", token=token).json()["sessions"] == []
        chat = Chat(api, chat.thread_id, chat.resource_id, APP_KEY)
        assert chat.ask("Who am I?").whole() == next_answer("Who am I?", "My name is Ada.")
        second = put(api, document, b'{"a": 2}', If_Match=first).headers["ETag"]
        assert put(api, document, b'{"a": 3}', If_Match=first).status_code == 412
        assert api.call("GET", page).json()["html"] == "<p>One</p>"
        assert api.call("PUT", page, {**html, "title": "Two"}).status_code == 200
        added = {"messages": [{"role": "user", "content": "x"}]}
        assert api.call("POST", f"{conversation}/messages", added).status_code == 201
        later = api.open_session(addressSecret=secret)
        assert later.put_tools({**TOOL, "name": "later"}).status_code == 200

        # This one again.
        worker.run(new)
        session = Session(api, session.opened)
        assert session.ask({"n": 1}, id="one", wait=10).json()["result"] == {"sum": 2}
        waiting = session.poll(token=session.host_token)["messages"]
        assert "two" in [each["data"]["id"] for each in waiting]
        assert tools_at(api, address) == ["later"]
        assert api.call("GET", "/api/sessions", token=token).json()["sessions"] == []
        chat = Chat(api, chat.thread_id, chat.resource_id, APP_KEY)
        assert [role for role, _ in chat.said()] == ["user", "assistant"] * 2
        assert chat.ask("Who am I?").whole() == next_answer("Who am I?", "My name is Ada.", "Who am I?")
        assert api.call("GET", document).headers["ETag"] == second
        assert api.call("GET", page).json()["title"] == "Two"
        assert said(api, conversation) == [message["content"], "x"]
        assert session.delete().status_code == 204
        assert session.read().json()["code"] == "session_ended"
