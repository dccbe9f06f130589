"""Every request that the Python client can send is one that the OpenAPI document knows."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

from tools.openapi import PATH
from tools.openapi.conformance import documented
from waypost._core.messages import Call, Request
from waypost._wire import chats, conversations, documents, queues, service, sessions, threads
from waypost._wire.making import json_request

MODULES = (chats, conversations, documents, queues, service, sessions, threads)
DOCUMENT: dict[str, Any] = json.loads(PATH.read_text())
CODE, SID, TAG = "K7Q2M9XA", "t-0f3", '"0123"'
CURSOR = "019b6a3e-8c00-7000-8000-000000000001"
BODY = queues.request_body(CODE, "cart.add", b'{"n":1}', "call-1")
MESSAGE = {"id": "m1", "role": "user", "content": {"any": ["json"]}}
IMAGE = [{"type": "text", "text": "?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]

# The function, what it is called with, and the operation that it is.
REQUESTS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (sessions.open_session, (), {}, "openSession"),
    (sessions.open_session, (), {"ttl": 60, "label": "L", "data": [1], "map_tool_names": False}, "openSession"),
    (sessions.open_session, (), {"address_secret": "A" * 43}, "openSession"),
    (sessions.read_session, (CODE,), {}, "readSession"),
    (sessions.join_session, (CODE, "guest-1"), {}, "joinSession"),
    (sessions.extend_session, (CODE, "token"), {}, "extendSession"),
    (sessions.end_session, (CODE, "token"), {}, "endSession"),
    (sessions.leave_session, (CODE, "token", "instance-1"), {}, "leaveSession"),
    (sessions.put_tools, (CODE, "token", [{"name": "add", "inputSchema": {"type": "object"}}]), {}, "putTools"),
    (sessions.claim_address, (CODE, "token", "A" * 43), {}, "takeAddress"),
    (queues.post_request, (BODY, "token", 25), {}, "sendRequest"),
    (queues.post_request, (BODY, None, 0.125), {}, "sendRequest"),
    (queues.cancel_request, (CODE, "call-1", "token"), {}, "cancelRequest"),
    (queues.post_response, (CODE, "token", "call-1", b'{"result":{"a":1}}'), {"final": True}, "sendResponse"),
    (
        queues.post_response,
        (CODE, "token", "call-1", b'{"error":{"code":"c","message":"m","data":[1]}}'),
        {"final": True},
        "sendResponse",
    ),
    (queues.post_response, (CODE, "token", "call-1", b'{"result":null}'), {"final": False}, "sendResponse"),
    (queues.acknowledge, (CODE, "token", [CURSOR]), {}, "acknowledge"),
    (queues.open_stream, (CODE, "token"), {"cursor": CURSOR, "instance": "0123456789abcdef"}, "streamMessages"),
    (queues.open_stream, (CODE, None), {}, "streamMessages"),
    (chats.ask, ("Hello", "thread 1", "user/1", "m1"), {}, "ask"),
    (chats.ask, (IMAGE, "t", "r", "m1"), {"interrupt": True, "agent": "poet", "metadata": {"a": "b"}}, "ask"),
    (chats.ask, ("Hello", "t", "r", "m1"), {"session": {"code": CODE}}, "ask"),
    (chats.ask, ("Hello", "t", "r", "m1"), {"session": {"token": "guest token"}}, "ask"),
    (chats.follow, ("t", "r"), {}, "streamAnswer"),
    (chats.follow, ("t", "r", "g.12r3t1"), {}, "streamAnswer"),
    (chats.stop, ("t", "r", None), {}, "stopAnswer"),
    (chats.stop, ("t", "r", "g"), {}, "stopAnswer"),
    (chats.fork, ("t", "t2", "r"), {}, "forkThread"),
    (chats.fork, ("t", "t2", "r"), {"at_message_id": "m", "agent": "a", "metadata": {"a": "b"}}, "forkThread"),
    (threads.list_threads, ("r",), {}, "listThreads"),
    (threads.list_threads, ("r",), {"limit": 10, "archived": False, "metadata": {"kind": "x"}}, "listThreads"),
    (threads.begin_thread, ("t", "r"), {"title": "T", "metadata": {"a": 1}, "agent": "poet"}, "beginThread"),
    (threads.read_thread, ("t", "r"), {}, "describeThread"),
    (threads.change_thread, ("t/2", "r"), {"title": "T", "archived": True, "metadata": {}}, "changeThread"),
    (threads.delete_thread, ("t", "r"), {}, "deleteThread"),
    (threads.delete_resource, ("r",), {}, "deleteResource"),
    (threads.export_resource, ("r",), {}, "exportResource"),
    (conversations.read_conversation, (SID,), {"limit": 5, "before": "m1"}, "readConversation"),
    (conversations.export_conversation, (SID, "markdown"), {}, "readConversation"),
    (conversations.delete_conversation, (SID,), {}, "forgetConversation"),
    (conversations.append_messages, (SID, [MESSAGE]), {}, "appendMessages"),
    (conversations.delete_message, (SID, "m/1"), {}, "deleteMessage"),
    (conversations.pop_message, (SID, "pop-1"), {}, "popMessage"),
    (conversations.ask_voice, (SID, "?"), {}, "askVoiceAgent"),
    (documents.read_document, (documents.document_path(SID, "notes"),), {}, "readDocument"),
    (documents.read_document, (documents.single_path(SID, "intents"),), {}, "readIntents"),
    (documents.put_document, (documents.document_path(SID, "n"), b"[1]"), {"if_match": TAG}, "putDocument"),
    (documents.put_document, (documents.single_path(SID, "theme"), b"1"), {"only_new": True}, "putTheme"),
    (documents.delete_document, (documents.document_path(SID, "notes"),), {"if_match": TAG}, "deleteDocument"),
    (documents.list_documents, (SID,), {}, "listDocuments"),
    (documents.list_pages, (SID,), {}, "listPages"),
    (documents.read_page, ("p1",), {}, "readPage"),
    (documents.put_page, (SID, "p1", "<p>", "T"), {"if_match": TAG}, "putPage"),
    (documents.put_page, (SID, "p1", "<p>", None), {}, "putPage"),
    (documents.delete_page, (SID, "p1"), {}, "deletePage"),
    (service.health, (), {}, "health"),
    (service.issue_token, ("r", 60), {}, "makeToken"),
    (service.issue_token, ("r", None), {}, "makeToken"),
]
IDS = [f"{function.__name__}-{number}" for number, (function, *_) in enumerate(REQUESTS)]
ELSEWHERE = {
    *("postMcp", "streamMcp", "deleteMcp", "postMcpByToken", "streamMcpByToken", "deleteMcpByToken"),
    *("withdrawAddress", "showPage", "readMetrics", "countObjects", "pollMessages", "readChat"),
    # The same requests as others, at another path.
    *("putIntents", "deleteIntents", "readTheme", "deleteTheme"),
    # Its body is JSON lines; a test of its own sends it.
    "importConversation",
}
"""Operations that the client has no request for: MCP has clients of its own, and some are for browsers or operators."""


def request_of(made: Any) -> Request:
    request = made.request if isinstance(made, Call) else made
    assert isinstance(request, Request)
    return request


def operation_of(request: Request) -> tuple[dict[str, Any], dict[str, str]]:
    """The operation of a request, and the parameters in its path."""
    for template, methods in DOCUMENT["paths"].items():
        names, values = template.split("/"), request.path.split("/")
        fixed = [(name, value) for name, value in zip(names, values, strict=False) if not name.startswith("{")]
        is_it = len(names) == len(values) and all(name == value for name, value in fixed)
        # A literal path wins over a template.
        if is_it and request.method.lower() in methods and template in (request.path, *templates_of(request.path)):
            bound = {name[1:-1]: value for name, value in zip(names, values, strict=True) if name.startswith("{")}
            return methods[request.method.lower()], bound
    raise AssertionError(f"no operation for {request.method} {request.path}")


def templates_of(path: str) -> list[str]:
    return [] if path in DOCUMENT["paths"] else [template for template in DOCUMENT["paths"] if "{" in template]


@pytest.mark.parametrize(("function", "positional", "named", "operation_id"), REQUESTS, ids=IDS)
def test_a_request_is_as_the_document_says(
    function: Callable[..., Any], positional: tuple[Any, ...], named: dict[str, Any], operation_id: str
) -> None:
    request = request_of(function(*positional, **named))
    operation, in_path = operation_of(request)
    assert operation["operationId"] == operation_id
    assert faults(request, operation, in_path) == []


def faults(request: Request, operation: dict[str, Any], in_path: dict[str, str]) -> list[str]:
    """What the document does not allow."""
    found: list[str] = []
    known = {(parameter["in"], parameter["name"].lower()): parameter for parameter in operation.get("parameters", [])}
    others = {"accept", "accept-encoding", "content-type", "traceparent", "tracestate"}
    given = {("path", name.lower()): unquote(value) for name, value in in_path.items()}
    given |= {("query", name.lower()): value for name, value in request.query.items()}
    given |= {("header", name): value for name, value in request.headers.items() if name not in others}
    for key, text in given.items():
        place = key if not key[1].startswith("metadata.") else ("query", "filters")
        if place not in known:
            found.append(f"{key} is not documented")
        elif place == key:
            found += value_faults(known[key]["schema"], text)
    found += [f"{key} is missing" for key, parameter in known.items() if parameter.get("required") and key not in given]
    return found + body_faults(request, operation)


def value_faults(schema: dict[str, Any], text: str) -> list[str]:
    value: Any = float(text) if schema.get("type") in ("number", "integer") else text
    return documented().errors(schema, int(value) if schema.get("type") == "integer" else value)


def body_faults(request: Request, operation: dict[str, Any]) -> list[str]:
    content = operation.get("requestBody", {}).get("content")
    if request.body is None:
        return ["a body is missing"] if operation.get("requestBody", {}).get("required") else []
    if content is None:
        return ["a body is not documented"]
    schema = content[request.headers["content-type"]]["schema"]
    return documented().errors(schema, json.loads(request.body))


def test_every_function_that_makes_a_request_is_tried() -> None:
    made = {
        function
        for module in MODULES
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not function.__name__.startswith("_")
        if str(inspect.signature(function).return_annotation).startswith(("Call", "Request"))
    }
    assert made - {function for function, *_ in REQUESTS} == {conversations.import_conversation}


def test_every_operation_has_a_request_or_a_reason_to_have_none() -> None:
    operations = {operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()}
    assert operations - {operation_id for *_, operation_id in REQUESTS} == ELSEWHERE


@pytest.mark.parametrize(
    ("request_", "fault"),
    [
        (json_request("POST", "/api/sessions", {"tll": 60}), "tll"),
        (Request(method="GET", path="/api/sessions", query={"resourceID": "r", "limit": "0"}), "limit"),
        (Request(method="GET", path="/api/sessions", query={"wait": "1", "resourceId": "r"}), "wait"),
        (Request(method="GET", path="/api/sessions"), "missing"),
    ],
    ids=["field", "value", "parameter", "missing"],
)  # fmt: skip
def test_the_check_finds_what_is_wrong(request_: Request, fault: str) -> None:
    operation, in_path = operation_of(request_)
    assert any(fault in each or "0 is less" in each for each in faults(request_, operation, in_path))
